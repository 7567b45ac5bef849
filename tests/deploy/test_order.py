"""The order of a plan: nothing before what it waits for, and the same at every run."""

import graphlib
import random

import pytest

from nbchalice.deploy.plan import _in_order


def order(waits):
    return _in_order({key: key for key in waits}, {key: frozenset(before) for key, before in waits.items()})


def test_changes_come_in_rounds_and_within_them_as_they_were_given():
    waits = {"mapping": ["function"], "function": ["role", "layer"], "role": [], "rule": ["function"], "layer": []}
    assert order(waits) == ["role", "layer", "function", "mapping", "rule"]


def test_a_large_plan_keeps_its_order():
    draw = random.Random(3)
    keys = [f"change {number}" for number in range(200)]
    draw.shuffle(keys)
    waits = {key: draw.sample(keys[:number], min(number, 3)) for number, key in enumerate(keys)}
    mixed = dict(draw.sample(list(waits.items()), len(waits)))
    ordered = order(mixed)
    assert sorted(ordered) == sorted(keys)
    assert all(ordered.index(before) < ordered.index(key) for key in keys for before in waits[key])


def test_a_plan_that_waits_for_itself_is_refused():
    with pytest.raises(graphlib.CycleError):
        order({"role": ["function"], "function": ["role"]})
