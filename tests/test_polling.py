"""The one way to wait: looks, pauses that grow, a deadline, and an event that ends it."""

import ast
import threading
import time
from pathlib import Path

import pytest

import nbchalice
from nbchalice.polling import Pace, poll

ROOT = Path(nbchalice.__file__).parent
LATER = time.monotonic() + 3600


def test_pauses_grow_up_to_the_longest_and_begin_again():
    pace = Pace(0.05, 1.0)
    pauses = [pace.pause() for _ in range(12)]
    assert pauses[0] == 0.05 and pauses == sorted(pauses) and pauses[-1] == 1.0
    pace.restart()
    assert pace.pause() == 0.05


def test_it_looks_until_something_is_there_and_returns_it():
    answers, waited = [None, 0, "", "ready", "too late"], []
    assert poll(lambda: answers.pop(0), LATER, Pace(1, 4, growth=2), waited.append) == "ready"
    assert waited == [1, 2, 4] and answers == ["too late"]


def test_it_looks_once_more_at_the_deadline_and_no_pause_exceeds_it():
    looks = []
    deadline = time.monotonic() + 0.2
    assert poll(lambda: looks.append(time.monotonic()), deadline, Pace(0.1, 60, growth=600)) is None
    assert len(looks) == 3 and looks[1] < deadline <= looks[-1]


def test_it_looks_once_when_the_time_is_up():
    looks = []
    assert poll(lambda: looks.append(1) or [], time.monotonic() - 1, wait=pytest.fail) == []
    assert looks == [1]


def test_an_event_ends_it_and_errors_pass():
    stop, looks = threading.Event(), []

    def look():
        looks.append(1)
        stop.set()

    assert poll(look, LATER, Pace(60, 60), stop.wait) is None
    assert looks == [1]
    with pytest.raises(ZeroDivisionError):
        poll(lambda: 1 // 0, LATER)


def test_nobody_else_sleeps():
    """A pause by itself is either a loop that ``poll`` should be, or a guess how long something takes."""
    sleepers = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            named = isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"
            taken = isinstance(node, ast.ImportFrom) and node.module == "time"
            if named or (taken and "sleep" in [alias.name for alias in node.names]):
                sleepers.append(str(path.relative_to(ROOT)))
    assert set(sleepers) == {"polling.py"}
