import re

import pytest

from nbchalice.logs.invocation import Invocation
from nbchalice.logs.metrics import metrics, percentile
from nbchalice.ui.render.metrics import MetricsCard


def run(started, duration, status="ok", **more):
    return Invocation(f"r{started}", "f", status, started=started, duration_ms=duration, **more)


def test_numbers_are_of_what_has_ended():
    found = metrics([run(2, 30.0, "error"), run(1, 10.0, init_ms=5.0), run(3, 20.0), Invocation("x", "f")])
    assert (found.invocations, found.errors, found.cold_starts) == (3, 1, 1)
    assert (found.p50_ms, found.p95_ms) == (20.0, 30.0)
    assert [point.time for point in found.points] == [1, 2, 3]


def test_without_invocations_there_are_no_durations():
    found = metrics([])
    numbers = {"p50_ms": None, "p95_ms": None, "max_memory_mb": None, "memory_mb": None}
    assert found.to_dict() == {"invocations": 0, "errors": 0, "cold_starts": 0, **numbers}
    card = MetricsCard("price", found, "1h")
    assert "p95 none" in card.text and "no invocations in this time" in card.html


@pytest.mark.parametrize(("part", "wanted"), [(0.5, 5), (0.95, 10), (0.1, 1), (1.0, 10)])
def test_percentiles_are_values_that_occurred(part, wanted):
    assert percentile(list(range(1, 11)), part) == wanted


def test_each_invocation_is_a_bar_with_a_label():
    card = MetricsCard("<b>", metrics([run(1, 10.0), run(5, 40.0, "error")]), "10m")
    assert card.html.count("<rect") == 2 and "failed in 40 ms" in card.html and 'aria-label="2 invocations' in card.html
    assert "<b>: last" not in card.html


def test_the_numbers_are_counted_as_a_person_says_them_and_say_when():
    one = MetricsCard("price", metrics([run(86_401_000, 10.0, "error", init_ms=5.0)]), "1h")
    assert "  1 invocation, 1 error, 1 cold start, p50 10 ms" in one.text and "1970-01-02 00:00:01 UTC" in one.html
    assert re.match(r"price: last 1h · 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", one.text)
    none = MetricsCard("price", metrics([]), "1h")
    assert "0 invocations, 0 errors, 0 cold starts" in none.text


def test_the_invocation_nearest_to_its_memory_counts():
    runs = [run(1, 1.0, memory_mb=1024, max_memory_mb=300), run(2, 1.0, memory_mb=128, max_memory_mb=206)]
    card = MetricsCard("price", metrics(runs), "1h")
    assert card.to_dict()["max_memory_mb"] == 206 and "up to 206 of 128 MB" in card.text
    assert "set --memory 320" in card.text and "set --memory 320" in card.html


def test_what_was_before_the_memory_was_changed_does_not_count():
    before = [run(n, 1.0, max_memory_mb=128, memory_mb=128) for n in (1, 2)]
    found = metrics([*before, run(3, 1.0, max_memory_mb=158, memory_mb=512), run(4, 1.0)])
    assert (found.fullest.started, found.to_dict()["memory_mb"]) == (3, 512)
    assert "set --memory" not in MetricsCard("price", found, "1h").text
