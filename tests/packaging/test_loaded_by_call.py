"""What code loads with no import that names it is seen by the run, and comes along where it cannot do without."""

import json
import sys

import pytest

from nbchalice.cli import code_of
from nbchalice.notebook.sandbox.loads import Hidden, Loads
from nbchalice.notebook_file import read_project
from nbchalice.operations import verified_packages

from ..notebooks import write

HANDLER = "%%lambda_function\ndef work(event):\n    return found"
NAME = "NAME = 'tabul' + 'ate'"
BY_EXEC = (
    "def load(name):\n    space = {}\n    exec('import ' + name + ' as module', space)\n    return space['module']"
)
LOADED = "for the code loads it by a call: tabulate"


def packed(folder, *cells):
    project = read_project(write(folder / "n.ipynb", cells))
    (handler,) = project.handlers
    verified_packages(project)
    return project.needs(handler).requirements, project.proven.notes_of(handler)


@pytest.mark.parametrize(
    "cell",
    [
        f"import importlib\n{NAME}\nfound = importlib.import_module(NAME).__name__",
        f"from importlib import import_module as get\n{NAME}\nfound = [get(one).__name__ for one in [NAME]]",
        f"{NAME}\nfound = __import__(NAME).__name__",
        f"{NAME}\n{BY_EXEC}\nfound = load(NAME).__name__",
        f"import pydoc\n{NAME}\nfound = pydoc.locate(NAME + '.tabulate').__name__",
        f"import pkgutil\n{NAME}\nfound = pkgutil.resolve_name(NAME + ':tabulate').__name__",
        f"from importlib.util import find_spec\n{NAME}\nfound = find_spec(NAME) is not None",
        "import helper\nfound = helper.load('tabulate').__name__",
    ],
    ids=[
        "import_module",
        "another name",
        "__import__",
        "exec",
        "locate",
        "resolve_name",
        "looked for",
        "a local module",
    ],
)
def test_what_is_loaded_by_a_call_comes_along_and_is_told(tmp_path, cell):
    (tmp_path / "helper.py").write_text("import importlib\ndef load(name):\n    return importlib.import_module(name)")
    requirements, notes = packed(tmp_path, cell, HANDLER)
    assert [one.partition("==")[0] for one in requirements] == ["tabulate"]
    assert any(LOADED in note for note in notes)


@pytest.mark.parametrize(
    "cell",
    [
        f"import importlib\n{NAME}\ntry:\n    found = bool(importlib.import_module(NAME))\nexcept ImportError:\n    found = True",
        f"from importlib.util import find_spec\n{NAME}\nfound = 'yes' if find_spec(NAME) else 'no'\nfound = 1",
        f"import importlib, json\nfound = importlib.import_module('js' + 'on').__name__\n{NAME}",
        f"import importlib, boto3\nfound = importlib.import_module('boto' + 'core.session').__name__\n{NAME}",
    ],
    ids=["a way without", "looked for in vain", "of Python itself", "of Lambda's runtime"],
)
def test_what_it_can_do_without_stays(tmp_path, cell):
    requirements, notes = packed(tmp_path, cell, HANDLER)
    assert (requirements, [note for note in notes if "by a call" in note]) == ((), [])


def test_what_a_package_takes_where_it_is_there_stays(tmp_path):
    """tabulate measures with wcwidth where that is installed."""
    requirements, notes = packed(tmp_path, "import tabulate\nfound = tabulate.tabulate([[1]])", HANDLER)
    assert [one.partition("==")[0] for one in requirements] == ["tabulate"]
    assert not [note for note in notes if "by a call" in note]


def test_a_list_of_requirements_counts_and_what_it_lacks_is_told(tmp_path):
    (tmp_path / "ours.txt").write_text("iniconfig\n")
    load = f"import importlib\n{NAME}\nfound = importlib.import_module(NAME).__name__"
    handler = HANDLER.replace("function", "function --requirements ours.txt", 1)
    requirements, notes = packed(tmp_path, load, handler)
    assert requirements == ("iniconfig",)
    assert any("loads tabulate by a call, and ours.txt does not list it: it is not on Lambda" in one for one in notes)


@pytest.mark.local_aws
def test_it_answers_on_lambda_and_nothing_differs_afterwards(tmp_path, empty_local_aws, capsys):
    load = f"import importlib\n{NAME}\nfound = importlib.import_module(NAME).tabulate([['a', 1]])"
    notebook = str(write(tmp_path / "n.ipynb", ["%chalice app loads", load, HANDLER]))
    assert code_of(["deploy", notebook]) == 0
    assert LOADED in capsys.readouterr().out
    assert code_of(["invoke", notebook, "work", "--json"]) == 0
    assert "a  1" in json.loads(capsys.readouterr().out)["result"]
    assert code_of(["deploy", notebook, "--check"]) == 0


@pytest.fixture
def namespace(tmp_path, monkeypatch):
    """Packages that share the folder ``shared_space``, which is none itself."""
    for name in ("one", "two"):
        package = tmp_path / "site" / "shared_space" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("from . import inner")
        (package / "inner.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield
    for name in [name for name in sys.modules if name.startswith("shared_space")]:
        del sys.modules[name]


def run(text):
    exec(compile(text, "n.ipynb#cell", "exec"), {})


def test_packages_of_one_namespace_are_told_apart(namespace):
    with Loads("n.ipynb", []) as loads:
        run("import shared_space.one, importlib; importlib.import_module('shared_space.two.inner')")
    assert loads.found() == ["shared_space.two"]
    assert loads not in sys.meta_path


def test_what_is_hidden_is_not_found_and_all_else_is(namespace):
    Hidden(["shared_space.two"])
    run("import shared_space.one, importlib.util; assert importlib.util.find_spec('shared_space.two') is None")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'shared_space\.two'"):
        run("import shared_space.two")
    run("import importlib.metadata; importlib.metadata.version('pytest')")
