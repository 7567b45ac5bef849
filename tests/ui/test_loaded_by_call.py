"""In a kernel, too, what code loads by a call comes along; and what stands is not told as changed for it."""

import pytest

from nbchalice.packaging.comparison import _LOADS

pytestmark = pytest.mark.local_aws

LOAD = "import importlib\nNAME = 'tabul' + 'ate'\nlines = importlib.import_module(NAME)"
CELL = "%%lambda_function\ndef work(event):\n    return lines.tabulate([['a', event]])"


def test_it_comes_along_and_nothing_differs_afterwards(run, name):
    run(LOAD)
    run(CELL)
    assert (
        "as the code does not do the same without it: tabulate"
        in run("%chalice deploy")._repr_mimebundle_()["text/plain"]
    )
    for _ in range(2):
        assert [one.state for one in run("%chalice status").status.handlers] == ["deployed"]
        _LOADS.clear()  # as in a kernel that was started again
    assert not run("%chalice plan").changes


def test_it_is_no_matter_of_what_this_kernel_has_imported_before(run, name):
    run("import tabulate")
    run(LOAD)
    run(CELL)
    assert "tabulate" in run("%chalice plan")._repr_mimebundle_()["text/plain"]
