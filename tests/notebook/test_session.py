"""The live session knows every execution: order, text, outcome, line of failure, duration."""

import IPython
import pytest
from IPython.core.interactiveshell import InteractiveShell

from nbchalice.errors import CaptureError
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.capture.stale import require_fresh
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.session import Session

from ..shells import close


@pytest.fixture
def shell():
    shell = InteractiveShell()
    shell.showtraceback = lambda *a, **k: None
    yield shell
    close(shell)


def run(shell, *sources, **keywords):
    for source in sources:
        shell.run_cell(source, store_history=True, **keywords)


def test_cells_run_before_are_taken_from_history(shell):
    run(shell, "A = 1", "x ==", "B = 2")
    session = Session(shell).attach()
    run(shell, "C = 3")
    assert [(cell.label, cell.source, cell.ok) for cell in session.cells()] == [
        ("cell 1", "A = 1", True),
        ("cell 2", "x ==", False),
        ("cell 3", "B = 2", True),
        ("cell 4", "C = 3", True),
    ]


@pytest.mark.skipif(IPython.version_info < (9,), reason="older histories do not tell how a cell ended")
def test_a_cell_that_failed_before_counts_up_to_the_line_that_failed(shell):
    run(shell, "\n\nA = 1\nB = 1 / 0\nC = 3", "def f():\n    return 1 / 0", "D = 1; f()\nE = 2", "%%time\nF = 1\n1 / 0")
    session = Session(shell).attach()
    assert [(cell.label, cell.ok, cell.failed_line) for cell in session.cells()] == [
        ("cell 1", False, 4),
        ("cell 2", True, None),
        ("cell 3", False, 1),
        ("cell 4", False, 1),
    ]


def test_the_cell_that_attaches_counts(shell):
    shell.user_ns["session"] = session = Session(shell)
    run(shell, "A = 1\nsession.attach()\nB = 2\n1 / 0")
    assert [(cell.label, cell.ok, cell.failed_line) for cell in session.cells()] == [("cell 1", False, 4)]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("a = 1\nb = 1 / 0\nc = 3", 2),
        ("\n\na = 1\n\n1 / 0", 5),
        ("%%time\na = 1\nb = 1 / 0", 3),
        ("# about\n\ndef f():\n    return 1 / 0\n\nf()", 6),
        ("def f():\n    return 1 / 0\n%time f()", 3),
        ("a = 1\nfor i in range(3):\n    if i == 2:\n        raise ValueError", 4),
        ("import json; json.loads('x')", 1),
        ("b = [\n    1,\n    1 / 0,\n]", 3),
    ],
)
def test_the_line_of_a_failure(shell, source, line):
    session = Session(shell).attach()
    run(shell, source)
    assert session.cells()[-1].failed_line == line


def test_a_syntax_error_runs_nothing(shell):
    session = Session(shell).attach()
    run(shell, "A = 1\nB ==")
    assert (session.cells()[0].ok, session.cells()[0].failed_line) == (False, None)


def test_ids_come_from_the_front_end_or_are_made_up(shell):
    session = Session(shell).attach()
    run(shell, "A = 1")
    run(shell, "B = 1", cell_id="abc")
    assert [cell.id for cell in session.cells()] == ["exec-1", "abc"]


def test_silent_runs_and_detached_ones_do_not_count(shell):
    session = Session(shell).attach()
    shell.run_cell("A = 1", silent=True)
    session.detach()
    run(shell, "B = 1")
    assert session.cells() == []


def test_every_run_of_a_cell_counts(shell):
    session = Session(shell).attach()
    run(shell, "N = 1", "N += 1", "N += 1", "def h(event):\n    return N")
    module = slice_handler(session.cells(), "h", notebook="nb.ipynb").module
    assert module.count("N += 1") == 2
    assert "cell 2" in module
    assert "cell 3" in module


def test_the_running_cell_can_be_sliced(shell):
    shell.user_ns["session"] = Session(shell).attach()
    shell.user_ns["slice_handler"] = slice_handler
    run(shell, "def h(event):\n    return 1\npiece = slice_handler(session.cells(), 'h', notebook='nb.ipynb')")
    assert "return 1" in shell.user_ns["piece"].module


def test_durations_are_kept(shell):
    session = Session(shell).attach()
    run(shell, "import time\ntime.sleep(0.02)")
    assert session.cells()[0].seconds >= 0.02


def test_a_thousand_runs_are_kept_in_order(shell):
    session = Session(shell)
    source = "x = 1\n" * 50

    class Info:
        raw_cell, cell_id, store_history = source, None, True

    class Result:
        info, error_before_exec, error_in_exec = Info, None, None

    for _ in range(1000):
        session._started(Info)
        session._ended(Result)
    assert len(session.cells()) == 1000


def test_a_cell_edited_after_it_was_run_is_stale():
    ran = [Cell("a", "cell 1", "A = 1\nB = 2", 0), Cell("b", "cell 2", "def h(event):\n    return B", 1)]
    piece = slice_handler(ran, "h", notebook="nb.ipynb")
    require_fresh(piece, ran, ran)
    with pytest.raises(CaptureError, check=lambda error: error.code == "stale-cell") as caught:
        require_fresh(piece, ran, [Cell("a", "cell 1", "A = 1\nB = 3", 0)])
    assert "cell 1 was edited after it was run" in str(caught.value)
    assert "line 2: B = 3" in str(caught.value)
