"""A cell that sets something up, run again as it was: it is done once on Lambda, where a run shows that once is enough."""

import json
import locale
import subprocess
import sys
import textwrap
import zipfile

import pytest

pytestmark = pytest.mark.slow

H = "%%lambda_function\ndef h(event):\n    return "
SETTERS = {
    "a logger": ("import logging\nlog = logging.getLogger('shop.x')", "log.setLevel('DEBUG')", "log.level"),
    "a filter of warnings": ("import warnings", "warnings.filterwarnings('ignore')", "len(warnings.filters) > 0"),
    "a path": ("import sys", "sys.path.append('/opt/x')", "'/opt/x' in sys.path"),
    "a context": ("import decimal", "decimal.getcontext().prec = 5", "str(decimal.Decimal(1) / 3)"),
    "a variable": ("import os", "os.environ['TABLE_OF_X'] = 'a'", "os.environ['TABLE_OF_X']"),
    "an error handler": (
        "import codecs",
        "codecs.register_error('mine', lambda e: ('?', e.end))",
        "'é'.encode('ascii', 'mine').decode()",
    ),
    "a patch": (
        "import textwrap",
        "def quiet(text):\n    return 'quiet'\ntextwrap.dedent = quiet",
        "textwrap.dedent('a')",
    ),
    "a seed": ("import random", "random.seed(3)\nX = random.random()", "X"),
    "an item": ("D = {}", "D['a'] = 1", "D"),
    "all of a cell": (
        "X = 1",
        "import locale\nlocale.setlocale(locale.LC_ALL, 'C')",
        "locale.setlocale(locale.LC_ALL)",
    ),
}


class Cells:
    def __init__(self, run, *cells):
        self.run, self.cells = run, cells
        for number in range(len(cells)):
            self(number)

    def __call__(self, number):
        self.run.shell.run_cell(self.cells[number], store_history=True, cell_id=f"id{number}").raise_error()

    def deploy(self):
        return [change.reason for change in self.run("%chalice deploy").changes]


@pytest.fixture
def cells(run, local_aws, monkeypatch):
    monkeypatch.setattr(textwrap, "dedent", textwrap.dedent)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("TABLE_OF_X", "")
    before = locale.setlocale(locale.LC_ALL)
    yield lambda *texts: Cells(run, *texts)
    run("%chalice delete --yes")
    locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize("case", SETTERS)
def test_a_cell_that_sets_something_run_again_changes_nothing(case, cells):
    made, sets, uses = SETTERS[case]
    cells = cells(made, sets, f"{H}{uses}")
    assert cells.deploy()
    here = cells.run("%chalice invoke h").result
    cells(1)
    assert cells.deploy() == []
    cells(1)
    cells(1)
    assert cells.deploy() == []
    assert not any("left out" in note for note in cells.run("%chalice plan").plan.notes)
    assert cells.run("%chalice invoke h").result == here


def test_what_the_second_run_did_again_travels_twice(cells):
    cells = cells("X = []\nimport logging", "X.append(1)\nlogging.getLogger('a').setLevel('INFO')", f"{H}X")
    cells.deploy()
    cells(1)
    assert cells.deploy() != []
    assert json.loads(json.dumps(cells.run("%chalice invoke h").result)) == cells.run.names["X"] == [1, 1]
    assert cells.run("%chalice show h").text.count("X.append(1)") == 2


def test_the_last_run_counts(cells):
    cells = cells(
        "import logging\nlog = logging.getLogger('shop.x')", "log.setLevel(10)", "log.setLevel(20)", f"{H}log.level"
    )
    cells.deploy()
    assert cells.run("%chalice invoke h").result == 20
    cells(1)
    cells.deploy()
    assert cells.run("%chalice invoke h").result == cells.run.names["log"].level == 10


@pytest.mark.parametrize(
    ("acts", "again"),
    [("serve(); serve()", 0), ("serve()", 1), ("SEEN.append(1)", 1), ("SEEN.append(1); SEEN.append(1)", 0)],
)
def test_what_the_handler_changes_and_ran_here_is_not_taken_for_a_repeat(acts, again, run):
    """It is not compared any more, so that no run shows that once is enough."""
    serve = "SEEN = []\ndef serve():\n    serve.served += 1\n    return [serve.served, len(SEEN)]\nserve.served = 40"
    handler = "%%lambda_function\ndef h(event):\n    SEEN.append(0)\n    return serve()"
    for number, cell in enumerate([serve, acts, handler]):
        run.shell.run_cell(cell, store_history=True, cell_id=f"id{number}").raise_error()
    for _ in range(again):
        run.shell.run_cell(acts, store_history=True, cell_id="id1").raise_error()
    state = run.shell.user_ns["serve"].served, len(run.shell.user_ns["SEEN"])
    run.shell.user_ns["h"]({}, None)
    run("%chalice package --out out")
    with zipfile.ZipFile("out/h.zip") as file:
        file.extractall("root")
    code = "import sys; sys.path.insert(0, 'root'); import lambda_function as f; print(f.lambda_handler({}, None))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [state[0] + 1, state[1] + 1]
