"""What changes a value out of sight before another is made of it comes along: a run of the notebook shows it."""

import json

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook_file import read_project

from ..notebooks import write
from .test_proof import H, from_the_file, in_the_kernel

pytestmark = pytest.mark.slow

BETWEEN = {
    "a copy": (["x = [1]", "globals()['x'].append(2)", "v = list(x)"], "x"),
    "a function's value": (
        ["def f(rows):\n    return sum(rows)", "x = [1]", "exec('x.append(2)')", "v = f(x)"],
        "x",
    ),
    "a chain": (["x = [1]", "y = list(x)", "exec('y.append(2)')", "z = tuple(y)", "v = len(z)"], "y"),
    "bound again": (["x = 1", "exec('x = ' + '5')", "v = x + 1"], "x"),
    "a class": (["class C:\n    k = 1\nx = C()", "exec('C.k = 5')", "v = x.k"], "C, x"),
    "a setting": (
        ["import decimal\nx = decimal.Decimal(1)", "exec('decimal.getcontext().prec = 5')", "v = str(x / 3)"],
        "decimal",
    ),
    "a name that is gone": (["x = [1]", "exec('x.append(2)')", "v = list(x)\ndel x"], "x"),
}


@pytest.mark.parametrize("way", ["kernel", "file"])
@pytest.mark.parametrize("case", BETWEEN)
def test_a_change_before_a_value_is_made_of_it(case, way, run, tmp_path):
    cells, names = BETWEEN[case]
    cells = [*cells, "sorted([2, 1])", f"{H}v"]
    space = {"__name__": "__main__"}
    exec("\n".join(cells[:-1]), space)
    if way == "kernel":
        answer, _ = in_the_kernel(run, tmp_path, cells)
        told = run("%chalice package --out again").notes
    else:
        project, answer = from_the_file(tmp_path, cells)
        told = project.proven.notes()
    assert answer == json.loads(json.dumps(space["v"]))
    assert len(told) == 1 and told[0].endswith(f"comes along: a run shows that it changes {names}")


def test_a_change_after_the_value_was_made_stays_behind(tmp_path):
    cells = ["x = [1]", "exec('x.append(2)')", "v = list(x)", "exec('x.append(3)')", f"{H}v"]
    project, answer = from_the_file(tmp_path, cells)
    assert answer == [1, 2]
    assert "x.append(3)" not in project.slice(project.handlers[0]).module


def test_a_change_that_cannot_run_on_lambda_is_an_error(tmp_path):
    cells = ["import os\nx = [1]", "exec('x.append(os.getpid())')", "v = list(x)", f"{H}v"]
    project = read_project(write(tmp_path / "n.ipynb", cells))
    with pytest.raises(CaptureError, match="v"):
        project.verify(project.handlers[0])
