"""Following what statements change through functions that call one another: bounded, and the same each time."""

import os
import subprocess
import sys

import pytest

from benchmarks.recursion import notebook
from benchmarks.slicing import notebook as long_notebook
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.analysis.replay import Run
from nbchalice.notebook.capture import registering
from nbchalice.notebook.capture.slice import cut
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.secrets import find


def followed(*sources):
    cells = [Cell(f"c{order}", f"cell {order + 1}", source, order) for order, source in enumerate(sources)]
    return Effects(Timeline(cells, "n.ipynb"))


def changes_of(effects, name):
    return sorted(effects.of((name, effects.timeline.events[name][-1].position)))


def test_functions_that_all_call_one_another_are_followed_a_bounded_number_of_times(monkeypatch):
    calls = []
    block = Run.block
    monkeypatch.setattr(Run, "block", lambda *given: calls.append(1) or block(*given))
    counts = []
    for lines in (400, 800):
        calls.clear()
        Effects(Timeline(notebook(lines), "parser.ipynb"))
        counts.append(len(calls))
    assert counts[1] < 10 * counts[0]


def test_a_change_far_down_in_functions_that_call_one_another_is_found():
    effects = followed(
        "rows = []\nother = []",
        "def a(n, into):\n    return b(n - 1, into) if n else into.append(n)",
        "def b(n, into):\n    return a(n - 1, into) if n else into.append(n)",
        "a(8, rows)",
        "[a(n, other) for n in range(20)]",
    )
    assert changes_of(effects, "rows") == [4]
    assert changes_of(effects, "other") == [5]


@pytest.mark.parametrize(
    "call",
    [
        "(add if quick else drop)(rows)",
        "(drop if quick else add)(rows)",
        "def work():\n    f = add if quick else drop\n    f(rows)\nwork()",
        "def work():\n    f = add\n    if quick:\n        f = drop\n    f(rows)\nwork()",
    ],
)
def test_of_two_functions_that_a_call_may_run_both_are_followed(call):
    definitions = "def add(into):\n    into.append(1)\ndef drop(into):\n    seen.append(into)"
    effects = followed("rows = []\nseen = []\nquick = True", definitions, call)
    last = len(effects.timeline.steps) - 1
    assert changes_of(effects, "rows") == [last]
    assert changes_of(effects, "seen") == [last]


SCRIPT = """
from benchmarks.recursion import notebook
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Timeline
effects = Effects(Timeline(notebook(300), "parser.ipynb"))
print(sorted(effects.changes), sorted((value, effects.find(value)) for value in effects.parent))
"""


def test_what_is_found_does_not_depend_on_the_order_of_sets():
    printed = set()
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        assert not done.stderr
        printed.add(done.stdout)
    assert len(printed) == 1


def test_of_a_long_notebook_each_statement_is_read_once_for_all_handlers(monkeypatch):
    effects = Effects(Timeline(long_notebook(500), "big.ipynb"))
    first = cut(effects, "handler")
    assert len(effects.timeline.steps) > 1024
    for place, name in ((registering, "_reaches"), (find, "in_code")):
        monkeypatch.setattr(place, name, lambda *_: pytest.fail("a statement is read again"))
    assert cut(effects, "handler").module == first.module
