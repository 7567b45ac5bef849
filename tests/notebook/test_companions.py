"""What travels with a handler though nothing it uses names it, and what is told to be left out."""

from dataclasses import replace

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.capture.companions import told
from nbchalice.notebook.capture.slice import cut as cut_followed
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.cells import Cell

HANDLER = "%%lambda_function\ndef h(event, context):\n    return RATE"


def cut(*sources):
    cells = [Cell(f"c{n}", f"cell {n + 1}", source, n) for n, source in enumerate(sources)]
    return slice_handler(cells, "h", notebook="shop.ipynb")


@pytest.mark.parametrize(
    "method", ["append_keys", "add_filter", "insert_rule", "remove_keys", "clear_state", "set_name"]
)
def test_a_method_that_sets_up_what_no_run_can_compare_travels_without_a_question(method):
    text = f"logger.{method}('a')"
    piece = cut("from lib import Logger\nlogger = Logger()", text, HANDLER.replace("RATE", "logger.name"))
    assert text in piece.module.split("\n") and not piece.doubts


def test_a_function_that_is_named_as_a_library_of_the_handler_sets_something_of_it():
    cells = ["import pandas as pd\nfrom tqdm.auto import tqdm", "tqdm.pandas()", "RATE = 1"]
    with_it = cut(*cells, HANDLER.replace("RATE", "pd.Series([RATE]).progress_apply(abs)"))
    assert "tqdm.pandas()" in with_it.module.split("\n") and {"tqdm", "pandas"} <= with_it.imports
    without = cut(*cells, HANDLER)
    assert "tqdm" not in without.module and not without.left_out


@pytest.mark.parametrize(("draw", "can_be_seeded"), [("uuid.uuid4()", False), ("random.random()", True)])
def test_a_seed_is_proposed_only_where_it_helps(draw, can_be_seeded):
    with pytest.raises(CaptureError, match="which is random") as caught:
        cut(f"import random, uuid\nRATE = str({draw})", HANDLER)
    assert ("set a seed" in caught.value.hint) == can_be_seeded
    assert "%chalice bundle RATE" in caught.value.hint


@pytest.mark.parametrize("used", [True, False], ids=["used cell", "cell of its own"])
@pytest.mark.parametrize(
    "text",
    [
        "from decimal import getcontext\ngetcontext().prec = 6",
        "import decimal\ncontext = decimal.getcontext()\ncontext.prec = 6",
        "from decimal import *\nsetcontext(Context(prec=5))",
        "import sys\nLIMIT = 20000\nsys.setrecursionlimit(LIMIT)",
        "import csv\ncsv.field_size_limit(10**7)",
        "from random import seed\nseed(42)",
        "import logging\nlogging.getLogger('lib').setLevel(logging.ERROR)",
        "import logging\nlogging.captureWarnings(True)",
        "import codecs\ndef mark(error): return ('?', error.end)\ncodecs.register_error('mark', mark)",
        "import os, time\nos.environ['TZ'] = 'Europe/Berlin'\ntime.tzset()",
        "from os import environ\nenviron.update(AWS_MAX_ATTEMPTS='2')",
        "import os\nsettings = os.environ\nsettings['TABLE'] = 'orders'",
        "import os\ndel os.environ['TABLE']",
        "from warnings import filterwarnings\nfilterwarnings('ignore')",
        "import atexit\n@atexit.register\ndef bye(): pass",
        "import json\njson.JSONEncoder.default = lambda self, value: str(value)",
        "import json\nsetattr(json, 'extra', 1)",
        "import signal\nbefore = signal.signal(signal.SIGTERM, signal.SIG_DFL)",
        "import sys\ndef setup():\n    sys.setrecursionlimit(9999)\nsetup()",
        "import sys\nif sys.getrecursionlimit() < 5000:\n    sys.setrecursionlimit(5000)",
    ],
)
def test_a_setting_of_the_process_travels(text, used):
    cells = [f"RATE = 1\n{text}"] if used else ["RATE = 1", text]
    piece = cut(*cells, HANDLER)
    assert text.split("\n")[-1] in piece.module
    assert piece.left_out == ()


@pytest.mark.parametrize(
    "text",
    [
        "import boto3\nboto3.client('sqs').send_message(QueueUrl='x')",
        "import boto3\nsqs = boto3.client('sqs')\nsqs.send_message(QueueUrl='x', MessageBody='y')",
        "import requests\nrequests.get('http://127.0.0.1')",
        "import seaborn as sns\nsns.set_theme()",
        "import matplotlib.pyplot as plt\nplt.figure(figsize=(3, 3))",
        "import os\nos.makedirs('out', exist_ok=True)",
        "from pathlib import Path\nPath('out').mkdir(exist_ok=True)",
        "import sys\nsys.exit()",
        "import time\ntime.sleep(1)",
        "import os\nos.environ['AWS_PROFILE'] = 'dev'",
        "import random\nrandom.random()",
        "def fetch():\n    import subprocess\n    subprocess.run(['ls'])\nimport subprocess\nsubprocess.run(['ls'])",
    ],
)
def test_what_acts_otherwise_is_told_and_left_out(text):
    last = text.split("\n")[-1]
    piece = cut(f"RATE = 1\n{text}", HANDLER)
    assert last not in piece.module
    (line,) = told([piece])
    assert line.startswith(f"left out: {last} (cell 1, line {len(text.splitlines()) + 1}): ")


@pytest.mark.parametrize(
    "text",
    [
        "print(RATE)",
        "RATE",
        "display(RATE)",
        "assert RATE == 1",
        "def test():\n    assert RATE\ntest()",
        "for n in range(RATE):\n    print(n)",
        "import logging\nlogging.info('x')",
        "import sys\nsys.stdout.write('x')",
        "import re\nre.findall('a', 'aaa')",
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])",
        "other = [1]\nother.append(2)",
        "import pandas as pd\nother = pd.DataFrame({'a': [1]})",
        "import os\nos.path.join('a', 'b')",
    ],
)
def test_what_only_shows_is_left_out_without_a_word(text):
    piece = cut(f"RATE = 1\n{text}", HANDLER)
    assert text.split("\n")[-1] not in piece.module.replace("RATE = 1", "").replace("return RATE", "")
    assert piece.left_out == ()


def test_a_library_is_set_up_only_where_the_handler_has_it():
    setting = "import numpy as np\nRATE = 1\nnp.set_printoptions(precision=2)"
    assert "set_printoptions" not in cut(setting, HANDLER).module
    inside = "%%lambda_function\ndef h(event, context):\n    import numpy\n    return str(numpy.float64(RATE))"
    assert "set_printoptions" in cut(setting, inside).module


def test_all_that_acts_in_the_handlers_own_cell_is_its_own():
    body = "import csv\nSEEN = {}\nSEEN['a'] = 1\nold = csv.field_size_limit(10**7)\ndef note():\n    SEEN['b'] = 2\nnote()"
    piece = cut("RATE = 1", f"%%lambda_function\n{body}\ndef h(event, context):\n    return RATE\nh({{}}, None)")
    for line in ("SEEN['a'] = 1", "old = csv.field_size_limit(10**7)", "note()"):
        assert line in piece.module
    assert "h({}, None)" not in piece.module


def test_another_handlers_registration_does_not_travel():
    other = "%%lambda_function\ndef other(event, context):\n    return 2"
    assert "other" not in cut("RATE = 1", other, HANDLER).module


def test_a_mark_takes_along_what_would_be_left_out():
    text = "RATE = 1\nimport matplotlib.pyplot as plt\n# nbchalice: include\nplt.style.use('ggplot')"
    assert "plt.style.use('ggplot')" in cut(text, HANDLER).module
    text = "RATE = 1\nimport sys\n# nbchalice: exclude\nsys.setrecursionlimit(9000)"
    assert "setrecursionlimit" not in cut(text, HANDLER).module


def test_more_than_a_few_are_counted():
    text = "import time\nRATE = 1\n" + "\n".join(f"time.sleep({n})" for n in range(8))
    lines = told([cut(text, HANDLER)])
    assert len(lines) == 6
    assert lines[-1] == "left out: 3 more statements"


def test_of_several_handlers_those_are_named_that_do_without_it():
    text = "import time\nRATE = 1\ntime.sleep(1)"
    one, other = cut(text, HANDLER), cut("RATE = 1", HANDLER)
    (line,) = told([replace(one, function="price"), replace(other, function="ship")])
    assert line.startswith("price: left out: time.sleep(1) (cell 1, line 3): ")
    (line,) = told([replace(one, function="price"), replace(one, function="ship")])
    assert line.startswith("price and ship: left out: time.sleep(1) (cell 1, line 3): ")


def test_a_local_module_of_a_used_cell_is_imported_for_what_it_does(tmp_path):
    (tmp_path / "plug.py").write_text("import kinds\nkinds.ALL['a'] = 1\n")
    sources = ["%%writefile kinds.py\nALL = {}", "import json, kinds, plug\nRATE = 1", "import elsewhere", HANDLER]
    cells = [Cell(f"c{n}", f"cell {n + 1}", source, n) for n, source in enumerate(sources)]
    piece = cut_followed(Effects(Timeline(cells, "shop.ipynb", folder=tmp_path)), "h")
    assert "import kinds, plug\n" in piece.module


@pytest.mark.parametrize(
    ("files", "uses", "travels"),
    [
        ({"kinds": "ALL = {}", "plug": "import kinds\nkinds.ALL['a'] = 1"}, "import kinds\nRATE = kinds", True),
        ({"kinds": "", "deep": "import kinds", "plug": "import deep"}, "from kinds import x as RATE", True),
        ({"plug": "import pandas as pd\n@pd.api.extensions.register_series_accessor('x')\nclass A: ..."},
         "import pandas\nRATE = pandas", True),
        ({"plug": "import pandas\nimport matplotlib"}, "import pandas\nRATE = pandas", False),
        ({"kinds": "", "plug": "import json"}, "import kinds\nRATE = kinds", False),
        ({"plug": "import codecs\ncodecs.register(lambda name: None)"}, "RATE = 1", True),
        ({"plug": "import json\njson.JSONEncoder.default = lambda self, value: str(value)"}, "RATE = 1", True),
        ({"plug": "import sys\nclass Finder: ...\nsys.meta_path.insert(0, Finder())"}, "RATE = 1", True),
        ({"plug": "import builtins\nbuiltins.twice = lambda x: 2 * x"}, "RATE = 1", True),
        ({"plug": "import deep", "deep": "import decimal\ndecimal.getcontext().prec = 5"}, "RATE = 1", True),
        ({"plug": "import os\nHERE = os.path.join('a', 'b')\ndef f():\n    os.environ['A'] = 'b'"}, "RATE = 1", False),
        ({"plug": "import codecs, pandas\ncodecs.register(lambda name: None)"}, "RATE = 1", False),
    ],
)  # fmt: skip
def test_a_local_module_that_may_set_up_what_the_handler_has_is_imported_from_any_cell(files, uses, travels, tmp_path):
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    cells = [Cell(f"c{n}", f"cell {n + 1}", text, n) for n, text in enumerate([uses, "import plug", HANDLER])]
    piece = cut_followed(Effects(Timeline(cells, "shop.ipynb", folder=tmp_path)), "h")
    assert ("import plug" in piece.module) == travels


def test_a_local_module_that_sets_something_and_brings_a_library_along_is_told_and_comes_when_it_is_marked(tmp_path):
    (tmp_path / "plug.py").write_text("import codecs, pandas\ncodecs.register(lambda name: None)\n")
    for line, module in ("import plug", False), ("# nbchalice: include\nimport plug", True):
        cells = [Cell(f"c{n}", f"cell {n + 1}", text, n) for n, text in enumerate(["RATE = 1", line, HANDLER])]
        piece = cut_followed(Effects(Timeline(cells, "shop.ipynb", folder=tmp_path)), "h")
        assert ("import plug" in piece.module) == module
        line = "left out: import plug (cell 2, line 1): no name that the handler needs leads to it"
        assert [str(one) for one in piece.left_out] == ([] if module else [line])


def test_a_loop_over_zipped_lists_changes_none_of_them():
    loop = "pairs = zip(ROWS, ROWS)\nfor one, two in pairs:\n    print(one, two)"
    handler = "%%lambda_function\ndef h(event, context):\n    return ROWS"
    assert "print" not in cut("ROWS = [1, 2, 3]", loop, handler).module


def test_draws_before_a_seed_and_of_a_handler():
    first = "import random\nearly = random.random()\nrandom.seed(1)\nsecond = random.random()"
    piece = cut(first, "%%lambda_function\ndef h(event, context):\n    return random.random()")
    assert "second = random.random()" in piece.module
    assert "early" not in piece.module


def test_a_module_that_is_written_again_after_its_import_is_refused():
    handler = "%%lambda_function\ndef h(event, context):\n    return rates.RATE"
    first, again = "%%writefile rates.py\nRATE = 1", "%%writefile rates.py\nRATE = 2"
    with pytest.raises(
        CaptureError,
        check=lambda error: error.code == "stale-module",
        match=r"rates.py is written again in cell 3, after it was imported",
    ):
        cut(first, "import rates", again, handler)
    assert cut(first, "import rates", first, handler).imports >= {"rates"}
    assert cut(first, again, "import rates", handler).imports >= {"rates"}
    assert "rates" in cut(first, "import importlib, rates", again, "importlib.reload(rates)", handler).imports


@pytest.mark.parametrize(
    ("magic", "line"),
    [
        ("%env TABLE=orders", "_os.environ.setdefault('TABLE', 'orders')"),
        ("%set_env TABLE two words", "_os.environ.setdefault('TABLE', 'two words')"),
        ("%env TABLE={name}/x", "_os.environ.setdefault('TABLE', f'{name}/x')"),
        ("%env TABLE=$name", "_os.environ.setdefault('TABLE', f'{name}')"),
        ("%env TABLE=$$5", "_os.environ.setdefault('TABLE', '$5')"),
        ('%env TABLE={"a": 1}', """_os.environ.setdefault('TABLE', '{"a": 1}')"""),
        ("if RATE:\n    %env TABLE=orders", "    import os as _os; _os.environ.setdefault('TABLE', 'orders')"),
        ("%env TZ=Europe/Berlin", "_os.environ['TZ'] = 'Europe/Berlin'"),
        ("%env TABLE=a\n%env TABLE=b", "_os.environ['TABLE'] = 'b'"),
    ],
)
@pytest.mark.parametrize("used", [True, False], ids=["used cell", "cell of its own"])
def test_a_variable_that_a_magic_sets_travels(magic, line, used):
    cells = [f"name = 'n'\nRATE = 1\n{magic}"] if used else ["name = 'n'\nRATE = 1", magic]
    piece = cut(*cells, HANDLER)
    assert line in piece.module.split("\n")
    assert piece.left_out == ()


def test_a_variable_that_a_magic_sets_is_left_out_as_an_assignment_is():
    (line,) = told([cut("RATE = 1\n%env AWS_PROFILE=dev", HANDLER)])
    assert line.startswith("left out: %env AWS_PROFILE=dev (cell 1, line 2): it names credentials of this computer")
    (line,) = told([cut("RATE = 1\n%env PLACE=$HOME/data", HANDLER)])
    assert line.startswith("left out: %env PLACE=$HOME/data (cell 1, line 2): HOME is not defined in the notebook")
    with pytest.raises(CaptureError, match="contains a password or token"):
        cut("RATE = 1\n%env API_TOKEN=abcd1234efgh5678", HANDLER)
    assert "environ" not in cut("RATE = 1\n# nbchalice: exclude\n%env API_TOKEN=abcd1234efgh5678", HANDLER).module
    assert "environ" not in cut("RATE = 1\n%env\n%env TABLE", HANDLER).module


@pytest.mark.parametrize(
    "text",
    [
        "from dotenv import load_dotenv\nload_dotenv()",
        "import dotenv\ndotenv.load_dotenv('prod.env')",
        "import environ as e\ne.Env.read_env()",
    ],
)
def test_what_may_set_variables_is_told_where_the_handler_reads_some(text):
    asks = "%%lambda_function\ndef h(event, context):\n    import os\n    return os.environ['TABLE']"
    (line,) = told([cut(text, asks)])
    assert line.startswith(f"left out: {text.splitlines()[1]} (cell 1, line 2): ")
    assert told([cut(text, "RATE = 1", HANDLER)]) == []
    assert told([cut(text, "import os\nos.environ['TABLE'] = 'x'", asks)]) == []


@pytest.mark.parametrize("body", ["%time x = 3", "%prun x = 3", "if RATE:\n        %time x = 3", "!ls"])
def test_what_is_timed_within_a_function_is_a_magic_there(body):
    function = f"def f():\n    {body}\n    return RATE"
    with pytest.raises(CaptureError, match="contains a magic or shell line"):
        cut(f"RATE = 1\n{function}", "%%lambda_function\ndef h(event, context):\n    return f()")


def test_what_is_timed_in_a_block_is_a_statement():
    assert "RATE = 1" in cut("if True:\n    %time RATE = 1", HANDLER).module


@pytest.mark.parametrize("body", ["s = s.strip()", "a = b.strip()\n    b = a.strip()"])
def test_a_local_name_that_is_made_of_itself_is_no_circle(body):
    assert "RATE = 1" in cut(f"RATE = 1\ndef clean():\n    {body}\ndef use():\n    clean()\nuse()", HANDLER).module


@pytest.mark.parametrize(
    "text",
    [
        "@ev.listens_for(RATE, 'connect')\ndef note(*_): pass",
        "@listens_for(RATE, 'connect')\nasync def note(*_): pass",
        "@listens_for(target=RATE)\nclass Note: pass",
    ],
)
def test_what_a_librarys_decorator_registers_with_an_object_travels_with_it(text):
    """Comparing the object need not show it: an engine of SQLAlchemy keeps its listeners elsewhere."""
    piece = cut("from lib import event as ev, listens_for, make\nRATE = make()", text, HANDLER)
    assert text in piece.module
    assert (
        text
        not in cut(
            "from lib import event as ev, listens_for, make\nOTHER = RATE = make()",
            text.replace("RATE", "ev.x"),
            HANDLER,
        ).module
    )
