"""The cell and line of deployed code in the notebook as it is now."""

import pytest

from nbchalice.logs.places import Cells
from nbchalice.notebook.capture.places import DeployedLine, Present, frame_key
from nbchalice.notebook.cells import Cell

CHECK = "def check(x):\n    if x < 0:\n        raise ValueError(x)\n    return x"


def cell(number, source, identity=None):
    return Cell(identity or f"id{number}", f"cell {number}", source, number)


def find(
    ran, label="cell 4", identity="id4", line=3, function="check", source="raise ValueError(x)", written=(), **options
):
    present = Present("shop.ipynb", ran, lambda: written)
    key = frame_key(identity) if identity else ""
    return present.find(options.get("notebook", "shop.ipynb"), DeployedLine(label, key, line, function, source))


def test_a_cell_run_again_has_its_new_label():
    assert find([cell(4, CHECK, "id4"), cell(9, CHECK, "id4")]) == ("cell 9", 3)


def test_another_cell_that_has_the_old_label_is_not_meant():
    assert find([cell(4, "x = 1", "other"), cell(9, CHECK, "id4")]) == ("cell 9", 3)
    assert find([cell(4, CHECK, "other"), cell(9, CHECK, "id4")]) == ("cell 9", 3)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (f"print(1)\n\n{CHECK}", ("cell 9", 5)),
        (CHECK.replace("(x)\n    return", "(x)  # y\n    return"), ("cell 9 (as deployed)", 3)),
        # The same text in another function is not that line.
        ("def other(x):\n    raise ValueError(x)\n\ndef check(x):\n    return x", ("cell 9 (as deployed)", 3)),
        (f"{CHECK}\n\ndef other(x):\n    raise ValueError(x)", ("cell 9", 3)),
        ("class A:\n    def check(self, x):\n        for y in x:\n            raise ValueError(x)", ("cell 9", 4)),
    ],
)
def test_the_line_is_found_by_its_text_and_function(now, found):
    assert find([cell(9, now, "id4")]) == found


def test_code_that_moved_to_another_cell_is_found_there():
    assert find([cell(9, "y = 2", "id4"), cell(10, CHECK)]) == ("cell 10", 3)
    assert find([cell(10, CHECK)]) == ("cell 10", 3)


def test_without_ids_all_cells_with_that_line_are_named():
    ran = [cell(2, CHECK, "exec-2"), cell(3, f"{CHECK}\nx = 1", "exec-3")]
    assert find(ran, identity="exec-1") == ("cell 2 or cell 3", 3)
    assert find([cell(2, CHECK, "exec-2"), cell(5, CHECK, "exec-5")], identity="exec-2") == ("cell 5", 3)


@pytest.mark.parametrize("ran", [[], [cell(4, "x = 1", "other")]])
def test_a_cell_that_is_gone_is_called_a_former_one(ran):
    assert find(ran) == ("former cell 4", 3)


def test_a_cell_that_a_kernel_has_not_run_is_one_of_the_file():
    written = [Cell("id4", "cell 3 of the file", CHECK, 2)]
    assert find([cell(1, "x = 1")], written=written) == ("cell 3 of the file", 3)


def test_another_notebooks_cell_is_not_looked_for_here():
    assert find([cell(9, CHECK)], notebook="other.ipynb") == ("cell 4 of other.ipynb", 3)
    assert find([cell(9, CHECK, "id4")], notebook="renamed.ipynb") == ("cell 9", 3)


def test_of_statements_on_one_line_the_one_that_travelled_is_enough():
    assert find([cell(9, "a = 1; b = f(a); c = 2", "id4")], line=1, function="<module>", source="b = f(a)") == (
        "cell 9",
        1,
    )


TRACE = """\
Traceback (most recent call last):
  File "/var/task/helper.py", line 2, in go
    call()
  File "shop.ipynb#cell 4@{key}", line 3, in check
    raise ValueError(x)
    ^^^^^^^^^^^^^^^^^^^
ValueError: (shop.ipynb#cell 4@{key}, line 3)"""


def test_a_text_names_the_cells_as_they_are_now():
    cells, text = Cells(), TRACE.format(key=frame_key("id4")[1:])
    assert cells.as_now(text) == TRACE.replace("@{key}", "")
    cells.are(lambda: Present("shop.ipynb", [cell(9, f"\n{CHECK}", "id4")], list))
    now = cells.as_now(text)
    assert 'File "shop.ipynb#cell 9", line 4, in check\n    raise ValueError(x)\n    ^^^' in now
    assert cells.as_now_in({"stackTrace": [text, 1]}) == {"stackTrace": [now, 1]}


def test_other_text_stays_as_it_is():
    cells = Cells()
    cells.are(lambda: Present("shop.ipynb", [], list))
    for text in ("see shop.ipynb#cell 4", '{"a": "#cell 4"}', 'File "x.py", line 3', "#cell 4, line 1"):
        assert cells.as_now(text) == text
