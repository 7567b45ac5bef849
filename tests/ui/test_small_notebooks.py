"""Small notebooks, each for one thing that is easily lost: what is deployed answers as the kernel does, or an error says why not."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.notebook.sandbox.helper import HELPER, RERUNS

from ..notebook.forks import in_fork, started
from .test_proof import from_the_file, in_the_kernel

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[1] / "fixtures" / "small"
WAYS = ("kernel", "file")


class Refusal(NamedTuple):
    """An error that is right: its code, the number of the cell that it names (from 1), and a part of its text."""

    code: str
    cell: int
    says: str


def notebooks_of(*files):
    """Return the cells of each notebook of some files, by what it is for."""
    text = "\n".join((FOLDER / f"{file}.txt").read_text("utf-8") for file in files)
    parts = re.split(r"^=== (.+)\n", text, flags=re.MULTILINE)[1:]
    return {
        name: [cell.strip("\n") for cell in re.split(r"^# %%\n", cells, flags=re.MULTILINE)]
        for name, cells in zip(parts[::2], parts[1::2], strict=True)
    }


NOTEBOOKS = notebooks_of("iterators", "objects", "settings", "cells", "arrays", "shell", "widgets")
LOOKS = notebooks_of("looks")
REFUSED = {
    ("a pickle of an object of its own class", "kernel"): Refusal("diverged", 1, "# nbchalice: include"),
    ("a pickle of an object of its own class", "file"): Refusal("diverged", 1, "kept is b'"),
    ("an object of a library that is made by chance", "kernel"): Refusal("diverged", 1, "graph._adj"),
    ("an object of a library that is made by chance", "file"): Refusal("diverged", 1, "graph._adj"),
    ("another working folder", "kernel"): Refusal("reads-local-file", 3, "h opens the file 'rate.txt'"),
    ("another working folder", "file"): Refusal("reads-local-file", 3, "h opens the file 'rate.txt'"),
    ("a name that a function makes only in a notebook", "kernel"): Refusal("diverged", 3, "RATES stands in the kernel"),
    ("a name that a function makes only in a notebook", "file"): Refusal("unresolved-name", 3, "RATES is not defined"),
    ("a cell that is measured changes a list", "kernel"): Refusal("magic-in-statement", 2, "may have changed sizes"),
    ("a cell that is measured changes a list", "file"): Refusal("magic-in-statement", 2, "may have changed sizes"),
    ("a script that runs among the names of the notebook", "kernel"): Refusal("magic-name", 4, "%run -i more_sizes.py"),
    ("a script that runs among the names of the notebook", "file"): Refusal("magic-name", 4, "%run -i more_sizes.py"),
    ("a function that sets a variable of the shell", "kernel"): Refusal("diverged", 1, "size is 40"),
    ("a function that sets a variable of the shell", "file"): Refusal("diverged", 1, "size is 40"),
    ("the shell of another cell", "kernel"): Refusal("diverged", 1, "size is 40"),
    ("the shell of another cell", "file"): Refusal("diverged", 1, "size is 40"),
    ("a function that is a magic", "kernel"): Refusal("import-failed", 1, "register_line_magic"),
    ("a function that is a magic", "file"): Refusal("import-failed", 1, "register_line_magic"),
    ("a function that is a cell magic", "kernel"): Refusal("import-failed", 1, "register_cell_magic"),
    ("a function that is a cell magic", "file"): Refusal("import-failed", 1, "register_cell_magic"),
    ("a cell from the list of cells", "kernel"): Refusal("diverged", 2, "size is 42"),
    ("a cell from the list of cells", "file"): Refusal("diverged", 2, "size is 42"),
    ("a name that the shell deletes", "kernel"): Refusal("diverged", 3, "size_now is 0"),
    ("a name that the shell deletes", "file"): Refusal("diverged", 3, "size_now is 0"),
}
COUNTED = [
    "an object that counts how often it is shown",
    "an object that counts how often a browser shows it",
    "an object that counts how often it is shown in a list",
    "an object that counts how often it is displayed",
]
REFUSED |= {(name, "kernel"): Refusal("diverged", 1, "made.times is 1") for name in COUNTED}
REFUSED |= {(name, "file"): Refusal("diverged", 1, "made.times is 1") for name in COUNTED}
"""What is right for those that would do something else on Lambda, packaged in the kernel or from the file."""

ANSWERED = [(name, way) for name in NOTEBOOKS for way in WAYS if (name, way) not in REFUSED]


@pytest.fixture(scope="module")
def worker():
    """The helper process with the libraries loaded; this process has them, too, for its forks."""
    import pandas  # noqa: F401

    with started("import numpy, pandas") as process:
        yield process
        process.kill()


@pytest.fixture
def outcome(run, worker, tmp_path, monkeypatch):
    """Run a notebook in a fork, for what it sets stays in a process; return what became of it."""
    monkeypatch.syspath_prepend(tmp_path)
    for helper in (HELPER, RERUNS):
        monkeypatch.setattr(helper, "_running", lambda: worker)

    def of(way, cells):
        try:
            if way == "kernel":
                answer, here = in_the_kernel(run, tmp_path, cells)
                return {"answer": answer, "here": here, "module": run("%chalice show h").text}
            for cell in cells:
                run(cell)
            project, answer = from_the_file(tmp_path, cells)
            here = json.loads(json.dumps(run.names["h"]({}, None)))
            return {"answer": answer, "here": here, "module": project.slice(project.handlers[0]).module}
        except NbChaliceError as error:
            return {"code": error.code, "cell": error.location and error.location.cell, "text": str(error)}

    return lambda way, cells: in_fork(of, way, cells)


@pytest.mark.parametrize(("name", "way"), ANSWERED)
def test_what_is_deployed_answers_as_the_kernel_does(name, way, outcome):
    became = outcome(way, NOTEBOOKS[name])
    assert "answer" in became, became
    assert became["answer"] == became["here"]


@pytest.mark.parametrize(("name", "way"), REFUSED)
def test_what_would_do_something_else_on_lambda_is_refused_with_its_cell(name, way, outcome):
    became, right = outcome(way, NOTEBOOKS[name]), REFUSED[name, way]
    above = 2 if way == "kernel" else 0  # the cells that load the extension and name the app
    assert (became.get("code"), became.get("cell")) == (right.code, f"cell {right.cell + above}"), became
    assert right.says in became["text"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", LOOKS)
def test_what_only_looks_at_a_value_stays_behind(value, way, outcome, monkeypatch):
    if value == "a table in text":
        pytest.importorskip("tabulate")
    monkeypatch.setenv("MPLBACKEND", "Agg")
    _, *looks, _ = LOOKS[value]
    became = outcome(way, LOOKS[value])
    assert "answer" in became, became
    assert became["answer"] == became["here"]
    assert [look for look in looks if look in became["module"].split("\n")] == []


def test_bytes_that_only_the_notebook_can_unpickle_are_not_bundled(run):
    for cell in NOTEBOOKS["a pickle of an object of its own class"]:
        run(cell)
    error = run.error("%chalice bundle kept --format pickle")
    assert "kept cannot be bundled: it holds a pickle of something of the notebook" in error.message
    assert "# nbchalice: include" in error.hint
    run("free = pickle.dumps({'name': '__main__', 'seats': [1, 2]})")
    run("%chalice bundle free --format pickle")
