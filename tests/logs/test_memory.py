"""Memory near the limit of an invocation and over it, wherever it is shown."""

import pytest

from nbchalice.logs.buffer import head_of
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.records import InvocationError
from nbchalice.logs.show import FAILED_COLOR, STATUS_COLORS, WARNED_COLOR

KILLED = InvocationError("Runtime.ExitError", "Runtime exited with error: signal: killed")
COLORS = {"": STATUS_COLORS["ok"], "near": WARNED_COLOR, "over": FAILED_COLOR}


@pytest.mark.parametrize(
    ("used", "limit", "level", "size"),
    [
        (38, 128, "", None),
        (115, 128, "", None),
        (116, 128, "near", 192),
        (128, 128, "near", 192),
        (129, 128, "over", 192),
        (206, 128, "over", 320),
        (9300, 10240, "near", 10240),
        (None, 128, "", None),
        (5, None, "", None),
    ],
)
def test_memory_has_a_colour_and_a_size_to_set(used, limit, level, size):
    found = Invocation("r", "f", "ok", memory_mb=limit, max_memory_mb=used)
    head = head_of("r", found)
    assert head["memory"]["level"] == level
    html = found._repr_mimebundle_()["text/html"]
    assert f"border-left:3px solid {COLORS[level]}" in html
    for text in (str(found), html, head["memory"]["line"]):
        assert ("set --memory" in text) == bool(size) and (size is None or f"set --memory {size}" in text)
    if level:
        assert f'<span style="color:{COLORS[level]};font-weight:600">{used} of {limit} MB</span>' in html


def test_what_lambda_ended_for_its_memory_needs_twice_as_much():
    for error in (KILLED, InvocationError("Runtime.OutOfMemory", "")):
        found = Invocation("r", "f", "error", memory_mb=256, max_memory_mb=256, error=error)
        assert "memory: Lambda ended the function at 256 MB; set --memory 640" in str(found)


def test_what_was_killed_with_memory_to_spare_is_told_nothing_of_memory():
    assert "memory:" not in str(Invocation("r", "f", "error", memory_mb=256, max_memory_mb=40, error=KILLED))


def test_what_is_more_than_any_function_gets_is_said():
    found = Invocation("r", "f", "ok", memory_mb=10_240, max_memory_mb=11_000)
    assert "no function gets more than 10240 MB" in str(found)


def test_a_failure_stays_red_where_memory_is_only_near():
    found = Invocation("r", "f", "error", memory_mb=128, max_memory_mb=120)
    assert f"border-left:3px solid {FAILED_COLOR}" in found._repr_mimebundle_()["text/html"]
