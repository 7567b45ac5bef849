"""The kernel's values against the captured module's: real cells in a real shell, the module in the real helper process."""

import builtins
import subprocess
import sys
import types

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.capture.verify import verify, warm
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.sandbox.values import LAST_DIGITS
from nbchalice.runtime.function import LambdaFunction

from .harness import Kernel

pytestmark = pytest.mark.slow

GUARD = 'if __name__ == "__main__":\n'
HANDLER = "%%lambda_function\ndef h(event, context):\n    "


@pytest.fixture(autouse=True, scope="module")
def helper():
    warm()


@pytest.fixture(autouse=True)
def nothing_called(monkeypatch):
    monkeypatch.setattr(LambdaFunction, "called", set())


@pytest.fixture
def live(monkeypatch):
    """Run cells, then verify the handler of the last one as a deploy does."""
    kernels = []

    def run(*sources, body=None, **options):
        kernel = Kernel("nb")
        kernels.append(kernel)
        monkeypatch.setitem(__import__("sys").modules, "__main__", kernel.shell.user_module)
        cells = [*sources, *([HANDLER + body] if body else [])]
        for source in cells:
            assert kernel.shell.run_cell(source, store_history=True).success, source
        space = kernel.shell.user_ns
        piece = slice_handler(kernel.session.cells(), "h", notebook="nb.ipynb", namespace=space)
        return verify(piece, namespace=space, **options)

    yield run
    for kernel in kernels:
        kernel.close()


def read(*sources):
    """Verify the same cells as a file that was only read."""
    cells = [Cell(f"c{order}", f"cell {order + 1}", source, order) for order, source in enumerate(sources)]
    return verify(slice_handler(cells, "h", notebook="nb.ipynb"))


MODELS = """
from typing import Generic, Literal, Optional, TypeVar
from pydantic import BaseModel, Field, computed_field, field_validator, model_validator
from pydantic.dataclasses import dataclass
T = TypeVar("T")
class Item(BaseModel):
    name: str = Field(min_length=1)
    kind: Literal["a", "b"] = "a"
    @field_validator("name")
    @classmethod
    def upper(cls, value):
        return value.upper()
class Order(BaseModel):
    model_config = {"frozen": True}
    items: list[Item] = []
    parent: Optional["Order"] = None
    @computed_field
    @property
    def total(self) -> int:
        return len(self.items)
class Page(BaseModel, Generic[T]):
    rows: list[T]
@dataclass
class Point:
    x: int
one = Order(items=[Item(name="x")])
"""


def test_pydantic_models(live):
    body = "return [one.total, Order().total, Page[Item](rows=[]).rows, Point(x=1).x]"
    assert live(MODELS, body=body).not_compared == ()
    with pytest.raises(NbChaliceError, match=r"one\.items\[0\]\.name is 'Y' in the kernel, 'X' in the captured module"):
        live(MODELS, "exec(\"one.items[0].name = 'Y'\")", body=body)
    with pytest.raises(NbChaliceError, match=r"Item\.upper"):
        live(MODELS, "exec('Item.upper = 1')", body=body)


@pytest.mark.parametrize(
    "source",
    [
        "from where_am_i import place",
        "from where_am_i import place as placed\nplace = placed",
        "try:\n    from where_am_i import place\nexcept ImportError:\n    place = str",
        "import where_am_i\nplace = where_am_i.fixed",
    ],
)
def test_an_import_that_knows_where_it_runs(live, source, tmp_path, monkeypatch):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (packages / "where_am_i.py").write_text(
        "import sys\nclass Here: pass\nclass There: pass\nplace = Here if 'IPython' in sys.modules else There\nfixed = 1\n"
    )
    monkeypatch.syspath_prepend(str(packages))
    monkeypatch.delitem(__import__("sys").modules, "where_am_i", raising=False)
    if "placed" in source:
        with pytest.raises(
            NbChaliceError, match="place is class Here in the kernel, class There in the captured module"
        ):
            live(source, body="return str(place)")
    else:
        live(source, body="return str(place)")
    if source.startswith("from") and "placed" not in source:
        with pytest.raises(NbChaliceError, match="place is 2 in the kernel"):
            live(source, "exec('place = ' + '2')", body="return str(place)")


def test_the_last_digits_of_numbers_are_told(live):
    source, body = "import numpy as np\nA = np.arange(5.0)", "return A.tolist()"
    rounded = live(source, "exec('A[3] = np.nextafter(A[3], 9)')", body=body)
    assert rounded.not_compared == (("A", LAST_DIGITS),)
    with pytest.raises(NbChaliceError, match=r"A is array\(\[0.0, 1.0, 2.0, 3.01"):
        live(source, "exec('A[3] = 3.01')", body=body)


def test_the_hash_of_a_text_within_an_object_of_a_library_is_of_the_process(live, tmp_path, monkeypatch):
    packages = tmp_path / "site-packages"
    packages.mkdir()
    text = "class Symbol:\n    def __init__(self, name, size):\n        self.key, self.size = hash(name), size\n"
    (packages / "symbols.py").write_text(text)
    monkeypatch.syspath_prepend(str(packages))
    source = "from symbols import Symbol\nS = Symbol('deleted', 1)"
    assert live(source, body="return S.size").not_compared == (("S", "Symbol, in part"),)
    with pytest.raises(NbChaliceError, match=r"S\.size is 2 in the kernel, 1 in"):
        live(source, "exec('S.size = 2')", body="return S.size")
    monkeypatch.delitem(sys.modules, "symbols")


TIDY = 'T = """a \n  \nb"""\ndef f():\n    """Say.\n    \n    It."""\n    \n    x = """\n   \n"""\n    \n    return x\n'


@pytest.mark.parametrize(
    "cell", [TIDY, f"\n\n{TIDY}  ", f"  # nothing\n{TIDY}\n\t", "    a = 1\n    T = f = lambda: a"]
)
def test_blank_lines_are_those_that_the_kernel_compiled(live, cell):
    live(cell, body="return T, f(), f.__doc__")


def test_blank_lines_in_the_handlers_own_cell(live):
    live(body='return h.__doc__ + """\n   \n"""')
    live("A = 1", HANDLER.replace("h(", "other(") + "return 2", body='return A, """\n  \n"""')


CHANGED_OUTSIDE = {
    "iterator": ("it = iter([1, 2, 3])", "exec('2 in it')", "next(it)", r"it \(position\) is 2 in the kernel, 0 in"),
    "zip": ("it = iter([1, 2, 3])", "exec('list(zip(it, range(1)))')", "next(it)", r"it \(position\) is 2"),
    "generator": ("g = (i for i in range(4))", "exec('1 in g')", "next(g)", "g "),
    "finished": ("g = (i for i in range(4))", "exec('list(g)')", "next(g)", "g is finished in the kernel"),
    "stream": (
        "import io\nb = io.StringIO()",
        "exec(\"print('x', file=b)\")",
        "b.getvalue()",
        r"b \(content\) is 'x\\n' in",
    ),
    "random": ("import random\nr = random.Random(1)", "exec('r.random()')", "r.random()", r"r \(state\) is different"),
    "queue": (
        "import queue\nq = queue.Queue()\nq.put(1)",
        "exec('q.get()')",
        "q.get()",
        r"q\.queue is deque\(\) in the kernel, deque\(1\)",
    ),
    "reader": ("import csv\nr = csv.reader(['a', 'b'])", "exec('next(r)')", "next(r)", r"r\.line_num is 1 in"),
    "element": (
        "import xml.etree.ElementTree as ET\nroot = ET.fromstring('<a/>')",
        "exec('ET.SubElement(root, \"c\")')",
        "root.tag",
        "root",
    ),
    "array": (
        "import array\na = array.array('i', [1])\nb = a.append",
        "exec('b(2)')",
        "list(a)",
        r"a is array\(\[1, 2\]\)",
    ),
    "namespace": ("from types import SimpleNamespace as N\nc = N(a=1)", "exec('c.a = 2')", "c.a", r"c\.a is 2 in"),
    "context": (
        "from contextvars import ContextVar\nc = ContextVar('c')",
        "exec('c.set(2)')",
        "c.get()",
        r"c \(value\) is 2 in the kernel, and is not in",
    ),
    "reset": ("a = [1]", "exec('a = ' + '[2]')", "a", r"a is \[2\] in the kernel, \[1\] in"),
    "shadowed": ("import json", "exec('json = ' + '1')", "json.dumps(1)", "json is 1 in the kernel"),
    "class of an instance": (
        "class A: pass\na = A()",
        "exec('A.double = lambda self: 2')",
        "a.double()",
        r"a\.__class__\.double is function <lambda> in the kernel, and is not in",
    ),
    "cached property": (
        "from functools import cached_property\nN = 1\nclass A:\n    @cached_property\n    def v(self): return N\na = A()",
        "exec('a.v')",
        "a.v",
        r"a\.v is 1 in the kernel, and is not in",
    ),
    "what the handler changes": (
        "stock = {'tea': 1}",
        "exec(\"stock['milk'] = 5\")",
        "stock.update(tea=2) or stock",
        r"stock is \{'tea': 1, 'milk': 5\} in the kernel",
    ),
    "through a function": (
        "seen = []\ndef note(x): seen.append(x)",
        "exec('note(1)')",
        "note(2) or seen",
        r"seen is \[1\] in the kernel, \[\] in",
    ),
}


@pytest.mark.parametrize("kind", CHANGED_OUTSIDE)
def test_what_was_changed_unseen_is_refused(live, kind):
    source, behind, body, says = CHANGED_OUTSIDE[kind]
    live(source, body=f"return {body}")
    with pytest.raises(NbChaliceError, match=says) as caught:
        live(source, behind, body=f"return {body}")
    assert "0x" not in str(caught.value)
    assert type(caught.value).__name__ == "DivergedError"


def test_a_handler_that_was_called_here_is_not_held_against_what_it_changes(live):
    cells = ["stock = {'tea': 1}\nother = [1]", HANDLER + "stock['tea'] += 1\n    return stock, other"]
    made = live(*cells, "h({}, None)")
    assert made.not_compared == (("stock", "h changes it, and may have run here"),)
    assert made.note == "not compared: stock (h changes it, and may have run here)"
    # Defined again, it still ran.
    assert live(*cells, "h({}, None)", cells[1]).not_compared
    with pytest.raises(NbChaliceError, match="other is"):
        live(*cells, "h({}, None)", "exec('other.append(2)')")


def test_what_cannot_be_compared_is_told(live):
    source = "import threading, re\nc = threading.Condition()\nfound = re.finditer('a', 'aaa')\nheld = {'c': c}"
    made = live(source, body="return c, found, held")
    assert set(made.not_compared) == {("c", "Condition"), ("held['c']", "Condition"), ("found", "iterator, in part")}
    assert made.note.startswith("not compared: ")
    many = "import threading\nall_of = [threading.Condition() for _ in range(9)]"
    assert live(many, body="return all_of").note.endswith("all_of[5] (Condition) and 3 more")


@pytest.mark.parametrize("limit", ["None", "2"])
def test_what_a_memoized_function_keeps_is_compared_with_what_it_answers(live, limit):
    source = f"import functools\n@functools.lru_cache(maxsize={limit})\ndef load(x):\n    return {{}} if x else 1"
    assert not live(source, body="return load(1)").not_compared
    assert not live(source, "exec('load(0)')", body="return load(1)").not_compared
    with pytest.raises(NbChaliceError, match=r"load\(1\)\['a'\] is 1 in the kernel"):
        live(source, "exec('load(1).update(a=1)')", body="return load(1)")


TOLD = {
    "a condition": (
        "import threading\n@cache\ndef f():\n    return threading.Condition()",
        "f()",
        ("f()", "Condition"),
    ),
    "by chance": ("import uuid\n@cache\ndef f():\n    return uuid.uuid4().hex", "f()", ("f()", "str")),
    "the network": (
        "import socket\n@cache\ndef f(x):\n    try:\n        return socket.create_connection((x, 9), 0.1)\n"
        "    except ConnectionRefusedError:\n        return 1",
        "f('127.0.0.1')",
        ("f('127.0.0.1')", "it asks 127.0.0.1"),
    ),
    "an object without a name": (
        "class Shop:\n    @cache\n    def f(self):\n        return 1",
        "Shop().f()",
        ("Shop.f", "memoized: 1 answer it keeps here"),
    ),
    "files": (
        "import joblib, tempfile\nkept = joblib.Memory(tempfile.gettempdir() + '/kept', verbose=0)\n@kept.cache\ndef f(x):\n"
        "    return x",
        "f(1)",
        ("f (answers it keeps)", "in files of this computer"),
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_an_answer_that_cannot_be_compared_is_told(case, live):
    made, call, told = TOLD[case]
    assert told in live("from functools import cache\n" + made, call, body=f"return str({call})").not_compared


def test_chance_in_an_object_of_a_library_is_not_compared(live):
    made = live(
        "import random\nrng = random.Random()\nsure = random.Random(2)", body="return rng.random(), sure.random()"
    )
    assert made.not_compared == (("rng", "Random, in part"),)


def test_the_place_in_an_object_of_a_library_is_not_compared(live):
    source = "import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--n', default=1)"
    live(source, body="return parser.parse_args([]).n")
    with pytest.raises(NbChaliceError, match="parser"):
        live(source, "exec('parser.set_defaults(n=2)')", body="return parser.parse_args([]).n")


MARKED = "# nbchalice: include\nrows = make()\n"
MAKE = "def make():\n    return [3, 1, 2]\ndef tidy(r):\n    exec('r.sort()')\n    return r"


def test_what_was_changed_after_a_marked_statement_is_refused(live):
    live(MAKE, MARKED, "len(rows)", body="return rows")
    with pytest.raises(NbChaliceError, match=r"rows is \[1, 2, 3\] in the kernel, \[3, 1, 2\] in") as caught:
        live(MAKE, MARKED, "_ = exec('rows.sort()'), len(rows)", body="return rows")
    assert "write '# nbchalice: include' above what changes rows later" in caught.value.hint
    live(MAKE, MARKED, "# nbchalice: exclude\n_ = exec('rows.sort()'), len(rows)", body="return rows")
    chance = live("import random\n# nbchalice: include\nA = [1, random.random()]", "print(A)", body="return A")
    assert chance.note == "not compared: A (by chance or place)"


ABSENT = {
    "guard": (f"def main(): return 2\n{GUARD}    cfg = main()", "cfg"),
    "guard around a call": (f"def main():\n    global cfg\n    cfg = 2\n{GUARD}    main()", "cfg"),
    "guard around a class": (f"{GUARD}    class cfg:\n        a = 1", "cfg.a"),
    "guard around an import": (f"{GUARD}    import json as cfg", "cfg.dumps(1)"),
    "kernel": ("import sys\nif 'IPython' in sys.modules:\n    cfg = 1", "cfg"),
    "name": ("try:\n    __IPYTHON__\n    cfg = 1\nexcept NameError:\n    pass", "cfg"),
}


@pytest.mark.parametrize("kind", ABSENT)
@pytest.mark.parametrize("way", ["live", "read"])
def test_a_name_that_the_module_does_not_have(live, kind, way):
    source, body = ABSENT[kind]
    with pytest.raises(NbChaliceError) as caught:
        live(source, body=f"return {body}") if way == "live" else read(source, f"{HANDLER}return {body}")
    text = str(caught.value)
    assert "cfg" in text
    assert caught.value.location is not None
    if "guard" in kind:
        assert "cfg is defined only if __name__ == '__main__', which is false on Lambda" in text
        assert caught.value.location.cell == "cell 1"


@pytest.mark.parametrize(
    ("source", "body"),
    [
        (
            "import sys\nif sys.version_info > (4,):\n    cfg = 1",
            "try:\n        return cfg\n    except NameError:\n        return 0",
        ),
        ("def setup():\n    global cfg\n    cfg = 1", "setup()\n    return cfg"),
        ("def setup():\n    global cfg\n    cfg = 1\nsteps = [setup]", "steps[0]()\n    return cfg"),
        ("steps = []\ndef setup():\n    global cfg\n    cfg = 1\nsteps.append(setup)", "steps[0]()\n    return cfg"),
        ("try:\n    import no_such_library as cfg\nexcept ImportError:\n    pass", "return cfg if event else 0"),
        ("if 1:\n    cfg = 1", "return cfg"),
        ("from math import *", "return floor(pi)"),
        ("cfg = 1", "return exit, quit, cfg, __name__"),
    ],
)
def test_a_name_that_may_come_is_no_error(live, source, body):
    read(source, HANDLER + body)
    if "version_info" not in source:
        live(source, body=body)


@pytest.mark.parametrize(
    "gone", ["%xdel cfg", "%reset -f", "%reset -s -f", "%reset_selective -f ^c", "%reset_selective -f f.$"]
)
def test_a_name_that_a_magic_deleted_is_told_as_deleted(live, gone):
    told = f"cfg was deleted by '{gone.split()[0]}' in cell 2"
    with pytest.raises(NbChaliceError, match=told) as caught:
        live("cfg = [1]", gone, HANDLER + "return cfg")
    assert "define cfg again" in caught.value.hint
    with pytest.raises(NbChaliceError, match=told):
        read("cfg = [1]", gone, HANDLER + "return cfg")


@pytest.mark.parametrize(
    "kept", ["%reset_selective -f ^f", "%reset -f out", "%reset_selective -f", "%reset -f\ncfg = [1]"]
)
def test_a_name_that_a_magic_leaves_or_that_is_made_again_stands(live, kept):
    live("cfg = [1]", kept, body="return cfg")
    read("cfg = [1]", kept, HANDLER + "return cfg")


@pytest.mark.parametrize("gone", ["del globals()['cfg']", "exec('del ' + 'cfg')"])
def test_a_name_that_is_gone_from_the_kernel(live, gone):
    live("cfg = [1]", body="return cfg")
    with pytest.raises(NbChaliceError, match="cfg is not in the kernel any more, though cell 1 defines it") as caught:
        live("cfg = [1]", HANDLER + "return cfg", gone)
    assert "run cell 1 again" in caught.value.hint


def test_a_name_that_a_star_import_lacks_has_its_place(live):
    source = "from textwrap import *"
    body = "x = 1\n    return indent(str(x + symbol), ' ')"
    with pytest.raises(NbChaliceError, match="symbol stands in the kernel, but the captured module does not") as caught:
        live(source, "globals().update({'sym' + 'bol': 1})", body=body)
    assert "cell 3, line 4: return indent" in str(caught.value)
    with pytest.raises(NbChaliceError, match="symbol is not defined in the notebook, and no star import") as caught:
        read(source, HANDLER + body)
    assert "cell 2, line 4: return indent" in str(caught.value)


@pytest.mark.parametrize("way", ["live", "read"])
@pytest.mark.parametrize("name", ["display", "get_ipython", "__IPYTHON__", "pretty"])
def test_what_only_the_kernel_has_among_its_builtins(live, way, name, monkeypatch):
    if name == "pretty":
        monkeypatch.setattr(builtins, name, types.SimpleNamespace(), raising=False)
    source = f"def show(x):\n    return {name}"
    with pytest.raises(NbChaliceError) as caught:
        live(source, body="return show(1)") if way == "live" else read(source, f"{HANDLER}return show(1)")
    assert name in str(caught.value)
    assert caught.value.location.line == 2
    guarded = f"def show(x):\n    try:\n        return {name}\n    except NameError:\n        return x"
    live(guarded, body="return show(1)") if way == "live" else read(guarded, f"{HANDLER}return show(1)")


# A notebook's own first import: while a cell runs, IPython keeps display and get_ipython among the builtins.
IN_A_CELL = """
import builtins
import subprocess
import sys
assert builtins.__IPYTHON__ and builtins.display and builtins.get_ipython
from nbchalice.errors import NbChaliceError
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.capture.slice import slice_handler
for name in ("display", "get_ipython", "__IPYTHON__", "len"):
    source = "%%lambda_function\\ndef h(event, context):\\n    return " + name
    try:
        slice_handler([Cell("c0", "cell 1", source, 0)], "h", notebook="nb.ipynb")
    except NbChaliceError as error:
        print("refused:", name, error.location.line, name in error.message)
    else:
        print("taken:", name)
"""


def test_what_only_the_kernel_has_is_refused_where_a_cell_imports_nbchalice():
    shell = f"from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell().run_cell({IN_A_CELL!r})"
    done = subprocess.run([sys.executable, "-c", shell], capture_output=True, text=True, check=False)
    refused = [f"refused: {name} 3 True" for name in ("display", "get_ipython", "__IPYTHON__")]
    assert done.stdout.splitlines() == [*refused, "taken: len"], done.stderr
