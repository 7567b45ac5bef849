"""In a shell, the code of a handler that replay and live mode run finds what its function has."""

import json
import sys

import pytest

from nbchalice.errors import CaptureError
from nbchalice.notebook_file import read_project

from ..notebooks import write

HANDLER = "%%lambda_function\ndef work(event):\n    import later_beside\n    return [TABLE, VALUE, later_beside.VALUE]"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    for name in ("module_beside", "later_beside"):
        sys.modules.pop(name, None)


def project(folder, *cells, **variables):
    (folder / ".chalice").mkdir()
    (folder / ".chalice" / "config.json").write_text(json.dumps({"environment_variables": variables}))
    return read_project(write(folder / "n.ipynb", [*cells, HANDLER]))


def test_it_finds_modules_beside_the_notebook_and_the_variables_of_its_function(folder):
    (folder / "module_beside.py").write_text("VALUE = 1")
    (folder / "lib").mkdir()
    (folder / "lib" / "later_beside.py").write_text("VALUE = 2")
    cell = "import os, sys\nsys.path.append('lib')\nfrom module_beside import VALUE\nTABLE = os.environ['TABLE']"
    read = project(folder, cell, TABLE="orders")
    assert read.function(read.handlers[0])({}, None) == ["orders", 1, 2]


def test_what_does_not_run_here_is_told_with_its_place(folder):
    (folder / "module_beside.py").write_text("import no_such_module_at_all\nVALUE = 1")
    read = project(folder, "from module_beside import VALUE\nTABLE = 1")
    with pytest.raises(
        CaptureError, match="the code of work does not run here: ModuleNotFoundError: No module"
    ) as told:
        read.function(read.handlers[0])
    assert (told.value.location.cell, told.value.location.line) == ("cell 1", 1)
    assert "must be installed here" in told.value.hint
