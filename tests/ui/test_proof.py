"""A run decides what travels: of the statements that may matter as few as make the values those of the notebook."""

import json
import re
import sys
import zipfile

import pytest

from nbchalice.cli import code_of
from nbchalice.errors import CaptureError
from nbchalice.notebook.capture import cost
from nbchalice.notebook.sandbox.helper import HELPER
from nbchalice.notebook.secrets.find import MARK
from nbchalice.notebook_file import read_project
from nbchalice.operations import write_packages

from ..notebooks import write
from .test_registering import shipped

pytestmark = pytest.mark.slow

H = "%%lambda_function\ndef h(event):\n    return "


def in_the_kernel(run, tmp_path, cells):
    """Package from the kernel in which the cells ran; return what the handler answers, and what it answers here."""
    for cell in cells:
        run(cell)
    run("%chalice package --out out")
    return shipped(tmp_path, tmp_path / "out", "h"), json.loads(json.dumps(run.names["h"]({}, None)))


def from_the_file(tmp_path, cells):
    """Package the notebook's file; return the project and what the handler answers."""
    project = read_project(write(tmp_path / "n.ipynb", cells))
    write_packages(project, tmp_path / "out")
    return project, shipped(tmp_path, tmp_path / "out", "h")


LOOKS = {
    "a function of a library": ("import gc\nD = {'a': 1}", "gc.is_tracked(D)"),
    "a method, its result shown": (
        "from fractions import Fraction\nD = [3, 1]\nF = Fraction(1, 3)",
        "F.limit_denominator(2)",
    ),
    "a date": ("import datetime\nD = datetime.datetime(2020, 1, 2)", "D.astimezone(datetime.timezone.utc)"),
    "a log line": ("import logging\nD = {'a': 1}", "logging.info(D)"),
    "a copy": ("import copy\nD = {'a': [1]}", "copy.deepcopy(D)"),
    "a pickle": ("import pickle\nD = {'a': [1]}", "pickle.dumps(D)"),
    "a pattern": ("import re\nD = [1]\nP = re.compile('a')", "P.subn('b', 'aaa')"),
    "a constant of a module": ("import math\nD = [1]", "math.pow(2, math.pi)"),
    "a test of the notebook": ("D = {'a': 1}\ndef tests():\n    assert D['a'] == 1", "tests()"),
    "an equation": ("import statistics\nD = [1, 2, 4]", "statistics.quantiles(D)"),
    "a draw": ("import random\nD = [1, 2, 4]", "random.choice(D)"),
}


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("case", LOOKS)
def test_what_changes_nothing_needs_no_mark_and_stays_behind(case, way, run, tmp_path):
    made, looks = LOOKS[case]
    cells = [made, looks, f"{H}str(D)"]
    if way == "kernel":
        answer, here = in_the_kernel(run, tmp_path, cells)
        module = run("%chalice show h").text
    else:
        project, answer = from_the_file(tmp_path, cells)
        module, here = project.slice(project.handlers[0]).module, None
    assert here in {None, answer}
    assert looks not in module.split("\n")


CHANGES = {
    "a buffer is filled": ("import struct\nb = bytearray(4)", "struct.pack_into('i', b, 0, 5)", "list(b)"),
    "a tree grows": (
        "import xml.etree.ElementTree as ET\nroot = ET.fromstring('<a/>')",
        "ET.SubElement(root, 'c')",
        "[one.tag for one in root]",
    ),
    "a parser reads": (
        "import configparser\nc = configparser.ConfigParser()",
        "c.read_string('[s]\\nx = 1')",
        "c.get('s', 'x', fallback='none')",
    ),
    "a buffer is wound on": ("import io\nf = io.StringIO('ab')", "f.seek(1)", "f.read()"),
    "bytes are turned": ("import array\na = array.array('h', [1])", "a.byteswap()", "list(a)"),
    "exec": ("from types import SimpleNamespace\nc = SimpleNamespace(rate=1)", "exec('c.rate = 2')", "c.rate"),
    "through another name": ("d = {'a': 1}\nother = globals()", "other['d']['a'] = 2", "d"),
}


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("case", CHANGES)
def test_what_changes_a_value_comes_along(case, way, run, tmp_path):
    made, changes, answer = CHANGES[case]
    idle = "sorted([2, 1])"
    cells = [made, changes, idle, f"{H}{answer}"]
    space = {}
    exec(f"{made}\n{changes}\nanswer = {answer}", space)
    if way == "kernel":
        assert in_the_kernel(run, tmp_path, cells)[0] == space["answer"]
        return
    project, got = from_the_file(tmp_path, cells)
    assert got == space["answer"]
    assert idle not in project.slice(project.handlers[0]).module


def test_of_several_that_may_matter_only_those_that_do_come_along(run):
    run("import xml.etree.ElementTree as ET\nroot = ET.fromstring('<a/>')")
    run("ET.tostring(root)\nET.iselement(root)")
    run("ET.SubElement(root, 'c')\nET.dump(root)")
    run(f"{H}[one.tag for one in root]")
    told = "\n".join(run("%chalice package --out out").notes)
    module = run("%chalice show h").text
    assert "ET.SubElement" in module and "nothing was run" not in module
    assert not any(f"ET.{name}(" in module for name in ("tostring", "iselement", "dump"))
    assert told == "h: cell 5, line 1: ET.SubElement(root, 'c') comes along: a run shows that it changes root"


def test_a_value_made_by_work_needs_no_bundle(run, tmp_path):
    cells = [
        "import random\nrandom.seed(3)\nDRAWS = [random.random() for _ in range(3)]",
        "def fit(rows):\n    total = 0.0\n    for row in rows:\n        total += row\n    return {'mean': total / len(rows)}",
        "import time\ntime.sleep(0)\nMODEL = fit(DRAWS)",
        f"{H}[DRAWS, MODEL]",
    ]
    answer, here = in_the_kernel(run, tmp_path, cells)
    assert answer == here


REFUSED = {
    "a file": ("with open('rates.json') as f:\n    RATES = f.read()", "reads-local-file", "rates.json"),
    "a program": ("import subprocess\nRATES = subprocess.check_output(['echo', 'x'])", "needs-bundle", "starts echo"),
    "the network": (
        "import socket\ntry:\n    RATES = len(socket.getaddrinfo('localhost', 80))\n"
        "except OSError:\n    raise RuntimeError('down')",
        "needs-bundle",
        "asks localhost",
    ),
}


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_on_lambda_is_named_with_its_fix(case, way, run, tmp_path):
    text, code, says = REFUSED[case]
    (tmp_path / "rates.json").write_text("{}")
    cells = [text, "TABLE = [RATES, 1]", f"{H}TABLE"]
    if way == "kernel":
        for cell in cells:
            run(cell)
        error = run.error("%chalice package --out out")
    else:
        with pytest.raises(CaptureError) as caught:
            from_the_file(tmp_path, cells)
        error = caught.value
    assert error.code == code, error
    assert says in error.message
    assert "%chalice bundle TABLE" in error.hint, "the value nearest to the handler"
    assert error.location.line and not (tmp_path / "out").exists()


def test_the_bundle_that_the_error_names_is_the_cure(run, tmp_path):
    run("import subprocess\nRATES = len(subprocess.check_output(['echo', 'x']))")
    run("TABLE = [RATES, 1]")
    run(f"{H}TABLE")
    assert run.error("%chalice package --out out").hint.endswith("%chalice bundle TABLE")
    run("%chalice bundle TABLE")
    run("%chalice package --out out")
    assert shipped(tmp_path, tmp_path / "out", "h") == [2, 1]


def test_what_is_done_only_for_its_effect_and_cannot_be_done_on_lambda_is_left_out_and_told(run, tmp_path):
    run("RATES = [1]")
    run("%%lambda_function\nimport subprocess\nsubprocess.run(['true'])\ndef h(event):\n    return RATES")
    told = "\n".join(run("%chalice package --out out").notes)
    assert "left out: subprocess.run(['true']) (cell 4, line 3): it starts true" in told
    assert shipped(tmp_path, tmp_path / "out", "h") == [1]


OPAQUE = [
    "import threading\nBOX = [threading.Condition()]",
    "import gc\ngc.is_tracked(BOX)\ngc.get_referents(BOX)",
]


@pytest.mark.parametrize(("mark", "travels"), [("include", True), ("exclude", False)])
def test_what_no_run_can_compare_is_asked_all_at_once_and_the_marks_are_the_cure(run, tmp_path, mark, travels):
    run(OPAQUE[0])
    run(OPAQUE[1])
    run(f"{H}len(BOX)")
    error = run.error("%chalice package --out out")
    assert error.code == "ambiguous-mutation"
    assert "cell 4, line 2; cell 4, line 3" in error.message and "BOX" in error.message
    marked = OPAQUE[1].replace("\n", f"\n# nbchalice: {mark}\n")
    for cell in (OPAQUE[0], marked, f"{H}len(BOX)"):
        run(cell)
    run("%chalice package --out out")
    assert ("get_referents" in run("%chalice show h").text) == travels


def test_a_value_that_differs_names_all_that_was_tried(run):
    run("import gc, sys\nLOADED = [len(sys.modules)]")
    run("gc.is_tracked(LOADED)\ngc.get_referents(LOADED)")
    run(f"{H}LOADED")
    error = run.error("%chalice package --out out")
    assert error.code == "diverged"
    assert "cell 4, line 1; cell 4, line 2" in error.message
    assert "# nbchalice: include" in error.hint and "# nbchalice: exclude" in error.hint


def test_what_loading_costs_is_told_and_the_bundle_saves_it(run, monkeypatch):
    run("MODEL = [0]\nfor _ in range(300_000):\n    MODEL[0] += 1")
    run(f"{H}MODEL")
    monkeypatch.setattr(cost, "WORTH_TELLING", 0.001)
    told = "\n".join(run("%chalice package --out out").notes)
    assert "each cold start takes" in told and "%chalice bundle MODEL saves that" in told
    run("%chalice bundle MODEL")
    assert "%chalice bundle MODEL saves" not in "\n".join(run("%chalice package --out out").notes)


def test_what_imports_cost_is_told_with_the_slowest(run, monkeypatch):
    monkeypatch.setattr(cost, "WORTH_TELLING", 0.005)
    run("import json\nimport pandas as pd")
    run(f"{H}pd.DataFrame({{'a': [json.loads('1')]}}).to_json()")
    (told,) = [note for note in run("%chalice package --out out").notes if "cold start" in note]
    number = r"\d+\.\d s"
    assert re.search(
        rf"each cold start takes {number} to load it, {number} of that for imports \(cell 3, line 2: pandas\)$", told
    )


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("try:\n    import pandas as pd\nexcept ImportError:\n    pd = print('no pandas')", 1),
        ("KIND = 'table'\nif KIND == 'table':\n    import pandas as pd\n    NAME = pd", 2),
        ("import warnings\nwith warnings.catch_warnings():\n    import pandas as pd", 2),
    ],
)
def test_an_import_within_a_block_counts_as_one(run, monkeypatch, cell, line):
    monkeypatch.setattr(cost, "WORTH_TELLING", 0.005)
    run(cell)
    run(f"{H}pd.DataFrame({{'a': [1]}}).to_json()")
    (told,) = [note for note in run("%chalice package --out out").notes if "cold start" in note]
    assert re.search(rf"s of that for imports \(cell 3, line {line}: pandas\)$", told)


def test_where_a_block_imports_and_computes_no_bundle_is_named(run, monkeypatch):
    monkeypatch.setattr(cost, "WORTH_TELLING", 0.005)
    run("try:\n    import pandas as pd\n    ZERO = pd.Series([0])\nexcept ImportError:\n    pass")
    run(f"{H}ZERO.to_json()")
    (told,) = [note for note in run("%chalice package --out out").notes if "cold start" in note]
    assert told.endswith("s of that for cell 3, line 1")


def test_imports_and_a_value_that_are_slow_are_both_told(run, monkeypatch):
    monkeypatch.setattr(cost, "WORTH_TELLING", 0.005)
    run("import pandas as pd\nMODEL = [0]\nfor _ in range(300_000):\n    MODEL[0] += 1")
    run(f"{H}pd.Series(MODEL).to_json()")
    (told,) = [note for note in run("%chalice package --out out").notes if "cold start" in note]
    assert "s of that for imports (cell 3, line 1: pandas), " in told
    assert told.endswith("s for cell 3, line 3; %chalice bundle MODEL saves that")


def test_imports_that_take_longer_than_lambda_allows_are_an_error(run, monkeypatch):
    monkeypatch.setattr(cost, "LAMBDA_SECONDS", 0.01)
    run("import pandas as pd")
    run(f"{H}pd.Series([1]).to_json()")
    error = run.error("%chalice package --out out")
    assert error.code == "slow-import"
    assert "Lambda allows" in error.message and error.location.cell == "cell 3" and error.location.line == 1
    assert error.hint == "import less, or import it within the function that needs it"


def test_what_takes_longer_than_lambda_allows_is_an_error(run, monkeypatch):
    monkeypatch.setattr(cost, "LAMBDA_SECONDS", 0.001)
    run("MODEL = [0]\nfor _ in range(300_000):\n    MODEL[0] += 1")
    run(f"{H}MODEL")
    error = run.error("%chalice package --out out")
    assert error.code == "needs-bundle"
    assert "Lambda allows" in error.message and error.hint == "bundle the value with %chalice bundle MODEL"


def test_a_difference_that_nothing_explains_is_an_error_for_a_file(tmp_path):
    cells = ["import sys\nLOADED = len(sys.modules)", f"{H}LOADED"]
    with pytest.raises(CaptureError) as caught:
        from_the_file(tmp_path, ["import json, xml.dom.minidom, wave", *cells])
    error = caught.value
    assert "when the notebook runs from the top" in error.message and "in what would be deployed" in error.message
    assert "kernel" not in error.message


def test_what_a_trigger_is_made_of_follows_what_may_have_changed_it(tmp_path):
    made = "import configparser\nc = configparser.ConfigParser()"
    changes = "c.read_string('[queues]\\nname = orders')"
    cells = [
        made,
        changes,
        "@app.on_sqs_message(queue=c.get('queues', 'name', fallback='none'))\ndef h(event):\n    pass",
    ]
    app = "from nbchalice import Chalice\napp = Chalice(app_name='shop')"
    (handler,) = read_project(write(tmp_path / "n.ipynb", [app, *cells])).handlers
    assert handler.triggers[0].options["queue"] == "orders"


def test_what_cannot_run_does_not_stop_a_trigger_that_does_without(tmp_path):
    asks = "import subprocess\nNAMES = ['orders']\nsubprocess.run(NAMES, check=False)"
    app = "from nbchalice import Chalice\napp = Chalice(app_name='shop')"
    cells = [app, asks, "@app.on_sqs_message(queue=NAMES[0])\ndef h(event):\n    pass"]
    (handler,) = read_project(write(tmp_path / "n.ipynb", cells)).handlers
    assert handler.triggers[0].options["queue"] == "orders"


@pytest.mark.slow
def test_a_kernel_that_executes_the_file_decides_too(tmp_path, capsys):
    (tmp_path / "name.txt").write_text("c")
    cells = [
        "%load_ext nbchalice",
        "import xml.etree.ElementTree as ET\nroot = ET.fromstring('<a/>')\nFOUND = open('name.txt').read()",
        "ET.SubElement(root, 'c')\nET.tostring(root)",
        f"{H}[one.tag for one in root]",
    ]
    path = write(tmp_path / "n.ipynb", cells)
    assert code_of(["package", str(path), "--out", str(tmp_path / "out"), "--execute"]) == 0
    told = capsys.readouterr().out
    assert "h: cell 3, line 1: ET.SubElement(root, 'c') comes along: a run shows that it changes root" in told
    assert "not compared" not in told
    assert shipped(tmp_path, tmp_path / "out", "h") == ["c"]


@pytest.mark.parametrize("way", ["kernel", "file"])
def test_without_a_proof_nothing_runs_and_that_is_said(way, run, tmp_path, monkeypatch, capsys):
    def asked(*_, **__):
        raise AssertionError("something was run")

    cells = ["import gc\nD = [1 / 2]\ngc.get_referents(D)", f"{H}D"]
    monkeypatch.setattr(HELPER, "ask", asked)
    if way == "kernel":
        for cell in cells:
            run(cell)
        told, place = "\n".join(run("%chalice package --out out --no-verify").notes), "cell 3, line 3"
    else:
        path = write(tmp_path / "n.ipynb", cells)
        assert code_of(["package", str(path), "--out", str(tmp_path / "out"), "--no-verify"]) == 0
        told, place = capsys.readouterr().out, "cell 1, line 3"
    assert "h: not verified: whether it can be loaded and does what the notebook does is not known" in told
    assert f"nor whether these statements matter: {place}" in told
    assert (tmp_path / "out" / "h.zip").exists()


def test_an_error_that_holds_a_credential_is_not_shown(run, monkeypatch):
    url = "postgres://me:" + "S3cr3t-" + "0f-mine" + "@db.example.com/x"
    monkeypatch.setenv("NB_ONLY_HERE", "1")
    run(f"URL = {url!r}  {MARK}")
    run(
        "import os\ndef connect():\n    if 'NB_ONLY_HERE' not in os.environ:\n"
        "        raise RuntimeError('cannot reach ' + URL)\n    return [1]\nLINKS = connect()"
    )
    run(f"{H}LINKS")
    error = str(run.error("%chalice package --out out"))
    assert "RuntimeError (its text holds a credential)" in error and "0f-mine" not in error


@pytest.mark.parametrize("seeds", ["import random\nrandom.seed(4)", "from random import seed\nseed(4)"])
def test_a_seeded_draw_needs_no_mark(seeds, run, tmp_path):
    answer, here = in_the_kernel(
        run, tmp_path, [seeds, "import random\nDRAWN = random.sample(range(100), 4)", f"{H}DRAWN"]
    )
    assert answer == here


@pytest.mark.local_aws
def test_status_runs_nothing_and_knows_what_was_proven(run, local_aws, monkeypatch):
    run("import xml.etree.ElementTree as ET\nroot = ET.fromstring('<a/>')")
    run("ET.SubElement(root, 'c')")
    run(f"{H}[one.tag for one in root]")
    run("%chalice deploy")
    monkeypatch.setattr(HELPER, "ask", None)
    run("OTHER = 1")
    (handler,) = run("%chalice status").handlers
    assert handler.state == "deployed"
    monkeypatch.undo()
    run("%chalice delete --yes")


SINGLE = {
    "a function": "@functools.singledispatch\ndef show(e):\n    return 'any'\n"
    "@show.register\ndef _(e: Order):\n    return 'order'\n@show.register\ndef _(e: int):\n    return 'int'",
    "a method": "class Shows:\n    @functools.singledispatchmethod\n    def show(self, e):\n        return 'any'\n"
    "    @show.register\n    def _(self, e: Order):\n        return 'order'\nshow = Shows().show",
    "a class that is abstract": "import abc\nclass Shape(abc.ABC):\n    pass\nShape.register(Order)\nisinstance(Order(), Shape)\n"
    "def show(e):\n    return str(isinstance(e, Shape))",
}


@pytest.mark.parametrize("case", SINGLE)
def test_what_python_counts_for_the_process_is_no_value(case, run):
    run("import abc, functools")
    run("for number in range(5):\n    type('Other', (abc.ABC,), {}).register(type('One', (), {}))")
    run("class Order(abc.ABC):\n    pass")
    run(SINGLE[case])
    run("show(Order()), show(1.5)")
    run(f"{H}show(Order())")
    assert list(run("%chalice package --out out").notes) == []


SHELF = "class Shelf:\n    def __init__(self):\n        self.pieces = {}\n\n    def count(self, item):\n        self.pieces[item] = 1\n        return len(self.pieces)\n"
ADD = "from shelf import Shelf\nS = Shelf()\n"
USES = "%%lambda_function\ndef h(event):\n    for item in ['spoon']:\n        app.log.info('%d', S.count(item))\n    return sorted(S.pieces)"
TRIED = {
    "called": "h({})",
    "called in a loop": "for _ in range(2):\n    h({})",
    "by the test client": "from nbchalice.testing import Client\nwith Client(app) as client:\n    client.lambda_.invoke('h', {})",
}


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("tried", TRIED)
def test_a_try_of_the_handler_never_travels(tried, way, run, tmp_path, monkeypatch):
    """It did where the handler uses what its change of a module's object returns: each cold start tried it, too."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shelf", raising=False)
    (tmp_path / "shelf.py").write_text(SHELF)
    cells = ["%chalice app shelves", ADD, USES, TRIED[tried]]
    if way == "kernel":
        for cell in cells:
            run(cell)
        run("%chalice package --out out")
        answer = shipped(tmp_path, tmp_path / "out", "h")
    else:
        _, answer = from_the_file(tmp_path, cells)
    assert answer == ["spoon"]
    with zipfile.ZipFile(tmp_path / "out" / "h.zip") as archive:
        texts = [archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")]
    assert not [text for text in texts if TRIED[tried].splitlines()[-1].strip() in text]
