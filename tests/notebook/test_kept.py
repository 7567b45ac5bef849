"""What modules keep for the whole process: where only the kernel's was set up, the handler's note tells it."""

import decimal
import json
import subprocess
import sys
from pathlib import Path

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.notebook.capture.verify import verify, warm

from .test_verify import H, kernel_of, piece_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="module")
def helper():
    warm()


# What the kernel sets unseen, how to undo it, what the handler uses, and what is told.
SET_UNSEEN = {
    "context": (
        "import decimal",
        "decimal.getcontext().prec = 5",
        "",
        "decimal.Decimal(2)",
        "decimal.getcontext().prec",
    ),
    "imported": (
        "from decimal import getcontext",
        "getcontext().prec = 5",
        "",
        "getcontext()",
        "decimal.getcontext().prec",
    ),
    "dialect": (
        "import csv",
        "csv.register_dialect('odd')",
        "csv.unregister_dialect('odd')",
        "csv.list_dialects()",
        "csv.list_dialects()",
    ),
    "prefix": (
        "import xml.etree.ElementTree as ET",
        "ET.register_namespace('zz', 'http://zz')",
        "del ET._namespace_map['http://zz']",
        "ET.Element('a')",
        "xml.etree.ElementTree.register_namespace()",
    ),
    "constant": (
        "import string",
        "string.digits = '01'",
        "string.digits = '0123456789'",
        "string.digits",
        "string's constants",
    ),
    "method": (
        "import json",
        "json.JSONEncoder.extra = lambda self: 1",
        "del json.JSONEncoder.extra",
        "json.dumps(1)",
        "json.JSONEncoder.extra",
    ),
    "encoder": (
        "import json",
        "json._default_encoder.sort_keys = True",
        "json._default_encoder.sort_keys = False",
        "json.dumps(1)",
        "json._default_encoder",
    ),
    "table": (
        "import html.entities",
        "html.entities.name2codepoint['own'] = 7",
        "del html.entities.name2codepoint['own']",
        "html.entities.name2codepoint",
        "html's constants",
    ),
    "constant of a class": (
        "import csv",
        "csv.excel.delimiter = ';'",
        "csv.excel.delimiter = ','",
        "csv.writer([])",
        "csv's constants",
    ),
    "other function": (
        "import math\nold = math.floor",
        "math.floor = math.ceil",
        "math.floor = old",
        "math.floor(2.5)",
        "math.floor",
    ),
    "method of a builtin": (
        "import gettext\nold = gettext.gettext",
        "gettext.gettext = str.upper",
        "gettext.gettext = old",
        "gettext.gettext('a')",
        "gettext.gettext",
    ),
    "object to call": (
        "import math, operator\nold = math.floor",
        "math.floor = operator.itemgetter(0)",
        "math.floor = old",
        "math.floor(2.5)",
        "math.floor",
    ),
    "partial": (
        "import math, functools\nold = math.isqrt",
        "math.isqrt = functools.partial(pow, 2)",
        "math.isqrt = old",
        "math.isqrt(9)",
        "math.isqrt",
    ),
    "function of a module within": (
        "import urllib.parse\nold = urllib.parse.quote",
        "urllib.parse.quote = lambda text: text",
        "urllib.parse.quote = old",
        "urllib.parse.quote('a')",
        "urllib.parse.quote",
    ),
    "object": (
        "import math\nclass Own:\n    pass",
        "math.own = Own()",
        "del math.own",
        "math.own",
        "math.own",
    ),
    "mock": (
        "import textwrap, unittest.mock\nold = textwrap.dedent",
        "textwrap.dedent = unittest.mock.Mock()",
        "textwrap.dedent = old",
        "textwrap.dedent('a')",
        "textwrap.dedent",
    ),
    "subclass by registration": (
        "import numbers\nclass Own:\n    pass",
        "numbers.Number.register(Own)",
        "numbers.Number._abc_registry_clear()",
        "isinstance(Own(), numbers.Number)",
        "numbers.Number.register()",
    ),
    "copies": (
        "import copy, copyreg\nclass Own:\n    pass",
        "copyreg.pickle(Own, lambda own: (Own, ()))",
        "del copyreg.dispatch_table[Own]",
        "copy.copy(Own())",
        "copy.pickle()",
    ),
    "error handler": (
        "import codecs",
        "codecs.register_error('own', codecs.ignore_errors)",
        None,  # stays
        "codecs.lookup_error('own')",
        "codecs.register_error()",
    ),
    "translation": (
        "import gettext",
        "gettext.textdomain('own')",
        "gettext.textdomain('messages')",
        "gettext.gettext('a')",
        "gettext.textdomain()",
    ),
    "format": (
        "import shutil",
        "shutil.register_archive_format('own', len)",
        "shutil.unregister_archive_format('own')",
        "shutil.get_archive_formats()",
        "shutil.get_archive_formats()",
    ),
    "handler of logs": (
        "import logging",
        "logging.setLogRecordFactory(lambda *a, **k: logging.LogRecord(*a, **k))",
        "logging.setLogRecordFactory(logging.LogRecord)",
        "logging.getLogger()",
        "logging._logRecordFactory",
    ),
    "signal": (
        "import signal",
        "signal.signal(signal.SIGUSR1, lambda *a: None)",
        "signal.signal(signal.SIGUSR1, signal.SIG_DFL)",
        "signal.getsignal(signal.SIGUSR1)",
        "signal.getsignal(SIGUSR1)",
    ),
    "prefix of files": (
        "import tempfile",
        "tempfile.template = 'own'",
        "tempfile.template = 'tmp'",
        "tempfile.mkdtemp()",
        "tempfile.template",
    ),
    "module": (
        "import sys, types",
        "sys.modules['own'] = types.ModuleType('own')",
        "del sys.modules['own']",
        "sys.modules['own']",
        "sys.modules['own']",
    ),
    "adapter": (
        "import sqlite3\nclass Own:\n    pass",
        "sqlite3.register_adapter(Own, lambda own: 'own')",
        "sqlite3.adapters.popitem()",
        "sqlite3.connect(':memory:')",
        "sqlite3.register_adapter()",
    ),
}


@pytest.fixture(scope="module")
def notes():
    """Made in a process of their own: what other tests set in this one would be told first."""
    code = f"import json\nfrom {__name__} import SET_UNSEEN, notes_of_setting\n"
    code += "print(json.dumps({kind: notes_of_setting(kind) for kind in SET_UNSEEN}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.parametrize("kind", SET_UNSEEN)
def test_a_setting_of_the_process_that_only_the_kernel_has_is_told(kind, notes):
    _, _, undo, _, says = SET_UNSEEN[kind]
    note, after = notes[kind]
    assert f" ({says}" in note
    assert note.startswith("not compared: ")
    assert "is not here what it will be on Lambda: something that is not deployed set it)" in note
    assert undo is None or not after


def notes_of_setting(kind):
    imports, sets, undo, uses, _ = SET_UNSEEN[kind]
    sources = [imports, f"exec({sets!r})", H + uses]
    with decimal.localcontext():
        space = kernel_of(*sources)
        try:
            note = verify(piece_of(*sources), namespace=space).note
        finally:
            exec(undo or "", space)
    return note, verify(piece_of(*sources), namespace=space).settings


def test_what_another_library_put_into_a_module_is_not_compared():
    """A kernel asks for a password in its own way, as ``getpass.getpass``."""
    import getpass

    class Kernel:
        def ask(self):
            """Ask in the notebook."""

    Kernel.__module__ = Kernel.ask.__module__ = "some_kernel"
    kept_before, getpass.getpass = getpass.getpass, Kernel().ask
    try:
        sources = ["import getpass, tokenize", H + "getpass, tokenize"]
        assert not verify(piece_of(*sources), namespace=kernel_of(*sources)).note
    finally:
        getpass.getpass = kept_before


def test_a_name_that_a_function_within_a_library_does_not_find_is_told():
    """What ``string.capwords`` is on Lambda needs ``wrap``, which nothing that the handler names does."""
    sets = 'exec("string.capwords = lambda text: wrap(text)")  # nbchalice: include'
    sources = ["import string", "from textwrap import wrap", sets, H + "string.capwords('a')"]
    space = kernel_of(*sources)
    try:
        verified = verify(piece_of(*sources), namespace=space)
    finally:
        import importlib
        import string

        importlib.reload(string)
    assert verified.settings == ("string",)
    assert "string.capwords" in verified.note


def test_a_kernel_whose_json_does_something_else_proves_all_the_same():
    sources = ["X = [1]", H + "X"]
    space = kernel_of("import json\nold = json.dumps\njson.dumps = lambda value: 'other'", *sources)
    try:
        assert not verify(piece_of(*sources), namespace=space).note
        with pytest.raises(NbChaliceError, match=r"X is \[1, 2\] in the kernel"):
            verify(piece_of(*sources), namespace={**space, "X": [1, 2]})
    finally:
        space["json"].dumps = space["old"]
