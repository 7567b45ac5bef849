"""`%chalice delete` asks before it removes anything, and removes nothing where nobody can answer."""

import builtins
import sys

import pytest

from nbchalice.cli import code_of

CELLS = ["%chalice app deletes", "%%lambda_function\ndef work(event, context):\n    return 1"]


@pytest.fixture
def deployed(bare, local_aws):
    for cell in ["%load_ext nbchalice", *CELLS, "%chalice deploy"]:
        bare(cell)
    yield bare
    bare("%chalice delete --yes")


def stands(run):
    return [(one.name, one.state) for one in run("%chalice status").handlers] == [("work", "deployed")]


@pytest.mark.parametrize(("words", "what"), [("delete", "all functions of"), ("delete work", "work of")])
def test_in_the_notebook(deployed, monkeypatch, words, what):
    asked = []
    monkeypatch.setattr(builtins, "input", lambda question: asked.append(question) or "n")
    error = deployed.error(f"%chalice {words}")
    assert "not confirmed; nothing was removed" in str(error) and stands(deployed)
    assert asked[0].startswith(f"remove {what} deletes (dev) from ") and asked[0].endswith("? [y/N] ")
    assert deployed(f"%chalice {words} --yes").changes and len(asked) == 1
    deployed("%chalice deploy")
    monkeypatch.setattr(builtins, "input", lambda question: "y")
    told = str(deployed(f"%chalice {words}"))
    assert told.startswith("deleted work of deletes" if "work" in words else "deleted deletes")


@pytest.mark.parametrize("words", ["delete", "delete work"])
def test_where_nobody_can_be_asked_nothing_is_removed(deployed, monkeypatch, words):
    def refuse(question):
        raise EOFError

    monkeypatch.setattr(builtins, "input", refuse)
    error = str(deployed.error(f"%chalice {words}"))
    assert "nobody can be asked here: remove" in error and "fix: add --yes" in error and stands(deployed)


def test_in_a_shell(deployed, tmp_path, monkeypatch, capsys):
    import nbformat

    path = tmp_path / "nb.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS]), path)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("click.confirm", lambda question, **_: print(question, file=sys.stderr))
    assert code_of(["delete", str(path)]) == 2
    assert "remove all functions of deletes (dev) from local AWS" in capsys.readouterr().err and stands(deployed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False)
    assert code_of(["delete", str(path)]) == 2
    told = capsys.readouterr().err
    assert "nobody can be asked here: remove all functions of deletes (dev)" in told and "fix: add --yes" in told
    assert stands(deployed)
    assert code_of(["delete", str(path), "--yes"]) == 0


def test_nobody_is_asked_about_a_handler_that_there_is_not(deployed, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda question: pytest.fail(question))
    assert deployed.error("%chalice delete nightly").code == "no-such-handler"
