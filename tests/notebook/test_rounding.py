"""Numbers that differ in their last digits are the same, which is said; all others are not."""

import numpy as np
import pandas as pd
import pytest

from nbchalice.notebook.sandbox.values import describe, differ, differ_in_rounding

LONG = np.linspace(0.1, 1000, 5000)


def changed(array, at, value):
    array = array.copy()
    array[at] = value
    return array


def next_to(array):
    return np.nextafter(array, np.inf, dtype=array.dtype)


ROUNDED = {
    "a number": (0.1 + 0.2, 0.3),
    "a number of numpy": (np.float64(0.1) + np.float64(0.2), np.float64(0.3)),
    "a few": (np.array([1.0, 2.0]), next_to(np.array([1.0, 2.0]))),
    "one that is nothing beside others": (np.array([1.0, 1e-17]), np.array([1.0, -3e-17])),
    "many": (LONG, next_to(LONG)),
    "of half the digits": (LONG.astype("f4"), next_to(LONG.astype("f4"))),
    "complex": (LONG[:30] * 1j, next_to(LONG[:30]) * 1j),
    "with gaps": (changed(LONG, 4, np.nan), next_to(changed(LONG, 4, np.nan))),
    "a matrix": (LONG.reshape(50, 100), next_to(LONG.reshape(50, 100))),
    "a column": (pd.Series(LONG), pd.Series(next_to(LONG))),
    "a short column": (pd.Series([1.5, None]), pd.Series([np.nextafter(1.5, 2), None])),
    "a frame": (pd.DataFrame({"a": LONG}), pd.DataFrame({"a": next_to(LONG)})),
    "in a list": ([1, {"k": LONG}], [1, {"k": next_to(LONG)}]),
}
OTHERS = {
    "a number": (0.3, 0.3000001),
    "a number and a whole one": (1.0, 1),
    "one of a few": (np.array([1.0, 2.0]), np.array([1.0, 2.0001])),
    "a small one beside large ones": (np.array([1e9, 1.0]), np.array([1e9, 2.0])),
    "one of many": (LONG, changed(LONG, 4000, LONG[4000] + 0.01)),
    "two that changed places": (LONG, changed(LONG, [70, 71], LONG[[71, 70]])),
    "another gap": (changed(LONG, 4, np.nan), changed(LONG, 5, np.nan)),
    "no number and infinite": (changed(LONG, 4, np.nan), changed(LONG, 4, np.inf)),
    "another shape": (LONG, LONG.reshape(50, 100)),
    "another type": (LONG, LONG.astype("f4")),
    "one more": (LONG, np.append(LONG, 0.0)),
    "of half the digits": (LONG.astype("f4"), changed(LONG.astype("f4"), 7, 2.0)),
    "a column": (pd.Series(LONG), pd.Series(changed(LONG, 9, 5.0))),
    "whole numbers": (np.arange(100), changed(np.arange(100), 7, 8)),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_the_last_digits_are_the_same_and_told(name):
    one, two = map(describe, ROUNDED[name])
    assert one != two and not differ(one, two) and not differ(two, one)
    assert differ_in_rounding(one, two) and differ_in_rounding(two, one)


@pytest.mark.parametrize("name", OTHERS)
def test_other_digits_are_others(name):
    one, two = map(describe, OTHERS[name])
    assert differ(one, two) and differ(two, one)


def test_what_is_equal_is_not_told():
    assert not differ_in_rounding(describe([LONG, 1.5]), describe([LONG.copy(), 1.5]))
