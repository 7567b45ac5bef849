"""The notebook's own file: where it is, and what it says of cells that were edited."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

CELL = "%%on_sqs_message edited-orders\ndef price(event):\n    return {}"


def save(path, at=None, **texts):
    cells = []
    for identity, text in texts.items():
        cells.append(new_code_cell(text))
        cells[-1]["id"] = identity
    nbformat.write(new_notebook(cells=cells), path)
    if at is not None:
        os.utime(path, (at, at))


def cell(run, identity, text):
    run.shell.run_cell(text, store_history=True, cell_id=identity).raise_error()


@pytest.fixture
def path(run, tmp_path):
    run.names["__session__"] = str(tmp_path / "shop.ipynb")
    return tmp_path / "shop.ipynb"


@pytest.mark.parametrize("at", [None, 1e9, 4e9])
def test_edit_run_and_deploy_without_saving(run, local_aws, path, at):
    save(path, at, aa=CELL.format(1), bb="RATE = 1")
    cell(run, "bb", "RATE = 1")
    cell(run, "aa", CELL.format(1))
    cell(run, "aa", CELL.format("RATE * 2"))
    cell(run, "bb", "RATE = 3")
    assert run("%chalice plan").changes


def test_a_save_of_another_cell_does_not_make_an_unsaved_edit_stale(run, local_aws, path):
    save(path, aa=CELL.format(1), bb="x = 1")
    cell(run, "aa", CELL.format(2))
    save(path, aa=CELL.format(2), bb="x = 1")
    cell(run, "aa", CELL.format(3))
    cell(run, "bb", "x = 2")
    assert run("%chalice plan").changes


@pytest.mark.parametrize("at", [None, 1e9, 4e9])
@pytest.mark.parametrize(
    ("text", "line"), [(CELL.format(2), "line 3:     return 2"), (CELL.format("1\n    # more"), "line 4:     # more")]
)
def test_an_edit_after_the_run_that_was_saved_is_told_and_both_ways_out_work(run, local_aws, path, at, text, line):
    save(path, at, aa=CELL.format(1))
    cell(run, "aa", CELL.format(1))
    save(path, at and at - 1, aa=text)
    error = str(run.error("%chalice plan"))
    assert "cell 3 was edited after it was run" in error
    assert " ".join(line.split()) in " ".join(error.split())
    assert "fix: run it again, or undo the edit and save the notebook" in error
    save(path, at and at - 2, aa=CELL.format(1))
    assert run("%chalice plan").changes
    save(path, at and at - 3, aa=text)
    assert "was edited" in str(run.error("%chalice plan"))
    cell(run, "aa", text)
    assert run("%chalice plan").changes


def test_a_cell_that_was_split_deleted_or_has_no_id_stops_nothing(run, local_aws, path):
    cell(run, "bb", "RATE = 1\nTAX = 2")
    cell(run, "aa", CELL.format("RATE + TAX"))
    cell(run, "bb", "RATE = 1")
    cell(run, "cc", "TAX = 2")
    save(path, aa=CELL.format("RATE + TAX"), bb="RATE = 1", cc="TAX = 2")
    assert run("%chalice plan").changes
    save(path, aa=CELL.format("RATE + TAX"))
    assert run("%chalice plan").changes
    raw = json.loads(path.read_text())
    del raw["cells"][0]["id"]
    path.write_text(json.dumps({**raw, "nbformat_minor": 4}))
    assert run("%chalice plan").changes


def config(folder, **env):
    (folder / ".chalice").mkdir(parents=True, exist_ok=True)
    (folder / ".chalice" / "config.json").write_text(json.dumps({"environment_variables": env}))


def settings(run):
    (handler,) = run.notebook.project().handlers
    return handler.settings.get("env")


@pytest.mark.parametrize("move", ["%cd data", "import os\nos.chdir('data')", "%cd /"])
@pytest.mark.parametrize("told", ["absolute", "relative", "vscode", "nothing"])
def test_the_current_folder_takes_no_settings_away(bare, local_aws, tmp_path, monkeypatch, move, told):
    (tmp_path / "data").mkdir()
    config(tmp_path, CURRENCY="EUR")
    names = {"absolute": str(tmp_path / "shop.ipynb"), "relative": "shop.ipynb", "vscode": "", "nothing": ""}
    monkeypatch.setenv("JPY_SESSION_NAME", names[told])
    if told == "vscode":
        bare.names["__vsc_ipynb_file__"] = str(tmp_path / "shop.ipynb")
    bare("%load_ext nbchalice")
    bare("%chalice app cd")
    bare("%%lambda_function\ndef price(event):\n    return VALUES")
    bare("VALUES = [1, 2]")
    bare("%chalice bundle VALUES")
    bare(move)
    project = bare.notebook.project()
    assert project.notebook.parent == tmp_path
    assert project.handlers[0].settings["env"] == {"CURRENCY": "EUR"}
    assert list(project.bundles) == ["VALUES"]


@pytest.mark.parametrize("variable", ["__vsc_ipynb_file__", "JPY_SESSION_NAME"])
def test_the_notebooks_own_folder_counts_not_that_of_the_kernel(bare, tmp_path, monkeypatch, variable):
    config(tmp_path, PLACE="workspace")
    config(tmp_path / "books", PLACE="notebook")
    bare.names["__vsc_ipynb_file__"] = None
    bare.names[variable] = str(tmp_path / "books" / "shop.ipynb")
    monkeypatch.setenv("JPY_SESSION_NAME", str(tmp_path / "books" / "shop.ipynb"))
    bare("import os\nos.chdir('/')")
    bare("%load_ext nbchalice")
    bare("%%lambda_function\ndef price(event):\n    return 1")
    assert settings(bare) == {"PLACE": "notebook"}
    assert bare.notebook.project().name == "shop"


def test_a_folder_that_this_machine_does_not_have_is_not_looked_at(bare, tmp_path, monkeypatch):
    config(tmp_path, PLACE="here")
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/somebody/else/shop.ipynb")
    bare("%load_ext nbchalice")
    bare("%%lambda_function\ndef price(event):\n    return 1")
    assert (settings(bare), bare.notebook.path) == ({"PLACE": "here"}, tmp_path / "shop.ipynb")


def test_a_notebook_renamed_while_its_kernel_runs_keeps_its_settings_and_says_so(run, local_aws, path):
    config(path.parent, PLACE="here")
    save(path, aa=CELL.format(1))
    cell(run, "aa", CELL.format(1))
    path.rename(path.with_name("renamed.ipynb"))
    assert "shop.ipynb is not there any more" in run("%chalice plan").text
    assert settings(run) == {"PLACE": "here"}
    Path(path.with_name("renamed.ipynb")).rename(path)
    assert "not there any more" not in run("%chalice status").text
