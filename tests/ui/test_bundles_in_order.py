"""A bundle is taken at a moment; a notebook that is read from top to bottom does nothing to its value twice."""

import pytest

from nbchalice.cli import code_of
from nbchalice.errors import CaptureError, NbChaliceError
from nbchalice.notebook_file import read_project

from ..notebooks import write

pytestmark = pytest.mark.slow  # Each test runs cells, reads the notebook and starts processes that check it.
MADE = "stock = {'tea': [1]}"
BUNDLE = "%chalice bundle stock"
HANDLER = "%%lambda_function\ndef price(event, context):\n    return stock"
CHANGES = {
    "an item": "stock['tea'] = [*stock['tea'], 2]",
    "a method": "stock['tea'].append(2)",
    "a function": "def more(s):\n    s['tea'].append(2)\nmore(stock)",
    "bound anew": "stock = {**stock, 'tea': [*stock['tea'], 2]}",
    "merged": "stock |= {'tea': [1, 2]}",
    "another name": "alias = stock\nalias['tea'].append(2)",
}


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Where the notebook of the shell is saved."""
    monkeypatch.setenv("JPY_SESSION_NAME", "shop.ipynb")
    return tmp_path / "shop.ipynb"


def saved(file, *cells):
    return write(file, ("%load_ext nbchalice", *cells))


def answer(file):
    project = read_project(file)
    (handler,) = project.handlers
    project.verify(handler)
    return project.function(handler)({}, None)


def refusal(file):
    project = read_project(file)
    with pytest.raises(CaptureError, check=lambda error: error.code == "bundle-out-of-order") as caught:
        project.package(project.handlers[0])
    return caught.value


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_that_the_bundle_holds_is_not_done_again(change, run, file):
    cells = [MADE, BUNDLE, CHANGES[change]]
    for cell in (*cells, BUNDLE, HANDLER):
        run(cell)
    kernel = run.notebook.project().namespace["stock"]
    error = refusal(saved(file, *cells, HANDLER))
    assert error.location.cell == "cell 4" and "cell 3" in error.message and "%chalice bundle stock" in error.hint
    # Both ways of the hint work: the line below the change, and all cells from the top.
    assert answer(saved(file, MADE, CHANGES[change], BUNDLE, HANDLER)) == kernel == {"tea": [1, 2]}


@pytest.mark.parametrize("change", ["an item", "a method", "a function", "bound anew"])
def test_what_was_taken_where_its_line_stands_is_changed_once(change, run, file):
    cells = [MADE, BUNDLE, CHANGES[change], HANDLER]
    for cell in cells:
        run(cell)
    assert answer(saved(file, *cells)) == run.names["stock"] == {"tea": [1, 2]}


@pytest.mark.slow
def test_executing_all_cells_takes_it_in_order(run, file, tmp_path, capfd):
    for cell in (MADE, BUNDLE, CHANGES["a method"], BUNDLE):
        run(cell)
    saved(file, MADE, BUNDLE, CHANGES["a method"], HANDLER)
    assert code_of(["package", str(file), "--out", str(tmp_path / "out")]) != 0
    assert "may be in it already" in capfd.readouterr().err
    assert code_of(["package", str(file), "--out", str(tmp_path / "out"), "--execute"]) == 0
    assert answer(file) == {"tea": [1, 2]}


@pytest.mark.parametrize(
    ("ran", "written"),
    [
        ([MADE, CHANGES["a method"], BUNDLE], [MADE, BUNDLE, CHANGES["a method"]]),
        ([MADE, BUNDLE, CHANGES["a method"], CHANGES["a method"], BUNDLE], [MADE, BUNDLE, CHANGES["a method"]]),
        ([MADE, CHANGES["a method"], MADE, CHANGES["a method"], BUNDLE], [MADE, BUNDLE, CHANGES["a method"]]),
        ([MADE, BUNDLE, f"{CHANGES['a method']}\n{BUNDLE}"], [MADE, BUNDLE, CHANGES["a method"]]),
        ([MADE, BUNDLE, CHANGES["a method"], BUNDLE], [MADE, BUNDLE, CHANGES["an item"]]),
        ([MADE, BUNDLE, "total = len(stock['tea'])", CHANGES["a method"], BUNDLE], None),
    ],
)
def test_a_bundle_of_another_moment_is_refused(ran, written, run, file):
    for cell in (*ran, HANDLER):
        run(cell)
    refusal(saved(file, *(written or [*ran[:-1]]), HANDLER))


def test_a_bundle_of_the_same_moment_is_taken_however_often(run, file):
    for cell in (MADE, CHANGES["a method"], BUNDLE, MADE, BUNDLE, CHANGES["a method"], HANDLER):
        run(cell)
    assert answer(saved(file, MADE, BUNDLE, CHANGES["a method"], HANDLER)) == {"tea": [1, 2]}


def test_what_is_not_changed_later_needs_no_order(run, file):
    for cell in (MADE, CHANGES["a method"], BUNDLE):
        run(cell)
    assert answer(saved(file, "stock = {}", BUNDLE, HANDLER)) == {"tea": [1, 2]}


def test_in_the_kernel_the_order_is_that_of_the_runs(run, file):
    for cell in (MADE, BUNDLE, CHANGES["a method"], BUNDLE, HANDLER):
        run(cell)
    project = run.notebook.project()
    try:
        project.verify(project.handlers[0])
    except NbChaliceError as error:
        pytest.fail(str(error))
    run(CHANGES["a method"])
    project = run.notebook.project()
    project.verify(project.handlers[0])
