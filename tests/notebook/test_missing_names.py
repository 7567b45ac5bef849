"""All names that a handler lacks are told at once."""

import pytest

from nbchalice.errors import CaptureError, ProblemsError
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.cells import Cell


def missing(*cells, namespace=None):
    made = [Cell(str(number), f"cell {number}", text, number) for number, text in enumerate(cells, 1)]
    with pytest.raises(CaptureError) as refused:
        slice_handler(made, "f", notebook="nb.ipynb", namespace=namespace)
    return refused.value


def test_each_with_its_place_and_its_fix():
    error = missing(
        "RATE = 2\ndef helper(x):\n    return x * RATEE",
        "%%lambda_function\ndef f(event):\n    return helper(event) + tax + shipping",
        namespace={"shipping": 3},
    )
    assert isinstance(error, ProblemsError)
    assert len(error.problems) == 3 and all(isinstance(one, CaptureError) for one in error.problems)
    assert str(error).splitlines()[0] == "3 problems found; nothing was changed"
    for line in (
        "RATEE is not defined in the notebook",
        "tax is not defined in the notebook",
        "fix: did you mean RATE?",
    ):
        assert line in str(error)
    assert str(error).count("  at cell ") == 3


def test_a_single_one_is_told_as_before():
    error = missing("%%lambda_function\ndef f(event):\n    return tax")
    assert not isinstance(error, ProblemsError) and str(error).startswith(
        "tax is not defined in the notebook\n  at cell 1, line 3"
    )


@pytest.mark.parametrize(
    "cells",
    [
        ["sum = 0\nfor x in [1, 2]:\n    sum += x", "del sum"],
        ["sum = 3", "if True:\n    del sum"],
        ["sum = 3", "%reset -f"],
    ],
)
def test_a_builtin_stands_again_once_the_name_that_hid_it_is_deleted(cells):
    made = [Cell(str(number), f"cell {number}", text, number) for number, text in enumerate(cells, 1)]
    handler = Cell("h", "cell 9", "%%lambda_function\ndef f(event):\n    return sum([1, 2])", 9)
    piece = slice_handler([*made, handler], "f", notebook="nb.ipynb")
    assert "sum = " not in piece.module
