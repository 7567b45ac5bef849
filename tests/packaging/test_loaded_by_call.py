"""What code loads, or asks of what is installed, is seen by the run, and comes along where it does not do without."""

import json
import sys

import pytest

from nbchalice.cli import code_of
from nbchalice.notebook.capture.asking import Asking
from nbchalice.notebook.capture.on_lambda import indispensable
from nbchalice.notebook.sandbox.loads import Hidden, Loads
from nbchalice.notebook_file import read_project

from ..notebooks import write

HANDLER = "%%lambda_function\ndef work(event):\n    return found"
NAME = "NAME = 'tabul' + 'ate'"
BY_EXEC = (
    "def load(name):\n    space = {}\n    exec('import ' + name + ' as module', space)\n    return space['module']"
)
LOADED = "comes along, too, as the code does not do the same without it: tabulate"


def packed(folder, *cells):
    project = read_project(write(folder / "n.ipynb", cells))
    (handler,) = project.handlers
    needs = project.needs(handler)
    project.verify(handler, needs)
    return needs.requirements, project.proven.notes_of(handler)


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
        f"from importlib.metadata import version\n{NAME}\nfound = version(NAME)",
        f"import importlib.metadata as m\n{NAME}\nfound = [one.version for one in m.distributions(name=NAME)]",
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
        "its version",
        "listed by name",
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
    assert (requirements, [note for note in notes if "comes along" in note]) == ((), [])


def test_what_a_library_takes_where_it_is_there_stays_and_is_told(tmp_path):
    """tabulate measures with wcwidth where that is installed."""
    requirements, notes = packed(tmp_path, "import tabulate\nfound = tabulate.tabulate([[1]])", HANDLER)
    assert [one.partition("==")[0] for one in requirements] == ["tabulate"]
    told = "not on Lambda, as it loads with the same values without: wcwidth; import it within the handler to ship it"
    assert [note for note in notes if "comes along" in note or "wcwidth" in note] == [told]
    inside = HANDLER.replace("    return", "    import wcwidth\n    return")
    requirements, notes = packed(tmp_path, "import tabulate\nfound = tabulate.tabulate([[1]])", inside)
    assert len(requirements) == 2 and not [note for note in notes if "not on Lambda" in note]


def test_what_lambdas_own_packages_take_here_is_no_matter(tmp_path):
    """botocore takes certifi where that is installed."""
    notes = packed(tmp_path, "import boto3\nfound = boto3.Session(region_name='x').region_name", HANDLER)[1]
    assert not [note for note in notes if "not on Lambda" in note]


def test_an_edit_within_the_handler_runs_nothing_again_for_what_it_does_without(tmp_path, monkeypatch):
    runs = []
    real = Asking.ask
    monkeypatch.setattr(Asking, "ask", lambda self, *words, **more: runs.append(more) or real(self, *words, **more))
    load = "import tabulate\nfound = tabulate.tabulate([[1, 2]])"
    packed(tmp_path, load, HANDLER)
    assert any(one.get("hidden") for one in runs)
    runs.clear()
    packed(tmp_path, load, HANDLER.replace("return found", "return [found]"))
    assert runs and not any(one.get("hidden") for one in runs)


def test_a_list_of_requirements_counts_and_what_it_lacks_is_told(tmp_path):
    (tmp_path / "ours.txt").write_text("iniconfig\n")
    load = f"import importlib\n{NAME}\nfound = importlib.import_module(NAME).__name__"
    handler = HANDLER.replace("function", "function --requirements ours.txt", 1)
    requirements, notes = packed(tmp_path, load, handler)
    assert requirements == ("iniconfig",)
    assert any(
        "does not do the same without tabulate, which ours.txt does not list: it is not on Lambda" in one
        for one in notes
    )


@pytest.mark.local_aws
def test_it_answers_on_lambda_and_nothing_differs_afterwards(tmp_path, empty_local_aws, capsys):
    load = f"import importlib\n{NAME}\nfound = importlib.import_module(NAME).tabulate([['a', 1]])"
    notebook = str(write(tmp_path / "n.ipynb", ["%chalice app loads", load, HANDLER]))
    assert code_of(["deploy", notebook]) == 0
    assert LOADED in capsys.readouterr().out
    assert code_of(["invoke", notebook, "work", "--json"]) == 0
    assert "a  1" in json.loads(capsys.readouterr().out)["result"]
    assert code_of(["deploy", notebook, "--check"]) == 0


def test_a_variable_of_the_function_may_name_what_is_loaded_when_it_runs(tmp_path):
    inside = "import importlib, os\n\n\n%%lambda_function --env FORM={}\ndef work(event):\n    return importlib.import_module(os.environ['FORM']).__name__"
    cells = inside.format("tabulate").split("\n\n\n")
    requirements, notes = packed(tmp_path, *cells)
    assert [one.partition("==")[0] for one in requirements] == ["tabulate"]
    assert not [note for note in notes if "by a call" in note]
    assert packed(tmp_path, *inside.format("'not a module'").split("\n\n\n"))[0] == ()


@pytest.mark.local_aws
def test_what_fails_when_it_runs_is_told_with_a_fix_that_works(tmp_path, empty_local_aws, capsys):
    cell = "%%lambda_function\ndef work(event):\n    {}\n    return __import__('tabul' + 'ate').__name__"
    path = str(write(tmp_path / "n.ipynb", ["%chalice app lacks", cell.format("pass")]))
    assert code_of(["deploy", path]) == 0 and code_of(["invoke", path, "work"]) == 1
    fix = "import tabulate"
    assert f"fix: write {fix} within the handler, so that it comes along, and deploy" in capsys.readouterr().out
    write(tmp_path / "n.ipynb", ["%chalice app lacks", cell.format(fix)])
    assert code_of(["deploy", path]) == 0 and code_of(["invoke", path, "work"]) == 0


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Packages that are installed here: `host` takes `plug` where that is there, as `late` does by its plugins."""
    site = tmp_path / "lib" / "site-packages"
    tried = "try:\n    import plug\n    KIND = 'with'\nexcept ImportError:\n    KIND = 'without'\n"
    points = "[host.plugins]\nplug = plug:NAME\n"
    for name, text, more in (("host", tried, ""), ("plug", "NAME = 'plug'", points), ("mine", None, "")):
        described = site / f"{name}-1.0.dist-info"
        described.mkdir(parents=True)
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (described / "entry_points.txt").write_text(more)
        files = ["METADATA", "entry_points.txt", "RECORD"]
        (described / "RECORD").write_text("".join(f"{described.name}/{file},,\n" for file in files) + f"{name}.py,,\n")
        if text is None:
            (described / "direct_url.json").write_text(json.dumps({"url": "file:///x", "dir_info": {"editable": True}}))
        else:
            (site / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(site)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("cells", "packages"),
    [
        (["import host\nfound = host.KIND"], ["host", "plug"]),
        (["import host\nfound = host.__name__"], ["host"]),
        (["from importlib.metadata import entry_points\nfound = [one.name for one in entry_points(group='host.plugins')][:1]"], ["plug"]),
        (["from importlib.metadata import entry_points\nfound = [one.name for one in entry_points(group='nobody')]"], []),
        (["from importlib.metadata import version as of\nfound = of", "%%lambda_function\ndef work(event):\n    return of('plug')"], ["plug"]),
        (["from importlib import metadata\nfound = 1", "%%lambda_function\ndef work(event):\n    return metadata.version('plug'), found"], ["plug"]),
    ],
    ids=["by a library", "by a library in vain", "plugins", "no plugins", "when it runs", "of a module"],
)  # fmt: skip
def test_what_a_library_finds_and_what_is_known_of_packages_comes_along(tmp_path, cells, packages):
    requirements, _ = packed(tmp_path, *cells, *([] if "work" in cells[-1] else [HANDLER]))
    assert [one.partition("==")[0] for one in requirements] == packages


@pytest.mark.usefixtures("installed")
def test_what_is_known_of_local_code_comes_along_as_files(tmp_path):
    project = read_project(write(tmp_path / "n.ipynb", ["import mine\nfound = mine.VERSION", HANDLER]))
    (tmp_path / "mine.py").write_text("from importlib import metadata\nVERSION = metadata.version(__name__)")
    needs = project.needs(project.handlers[0])
    project.verify(project.handlers[0], needs)
    files = [name for name, _ in needs.vendored]
    assert files == ["mine-1.0.dist-info/METADATA", "mine-1.0.dist-info/entry_points.txt", "mine.py"]
    assert needs.requirements == ()


def test_a_list_that_was_mended_counts_at_once(tmp_path):
    """What was proven is remembered: what is on Lambda must count, too."""
    load = f"import importlib\n{NAME}\nfound = importlib.import_module(NAME).__name__"
    handler = HANDLER.replace("function", "function --requirements ours.txt", 1)
    (tmp_path / "ours.txt").write_text("tabulate\n")
    notes = packed(tmp_path, load, handler)[1]
    assert not [note for note in notes if "does not list" in note]
    assert any("without: wcwidth; list it in ours.txt to ship it" in note for note in notes)
    (tmp_path / "ours.txt").write_text("iniconfig\n")
    assert [note for note in packed(tmp_path, load, handler)[1] if "does not list" in note]


@pytest.mark.parametrize("name", ["tabulate", "iniconfig"])
def test_the_stage_decides_what_a_variable_of_its_loads(tmp_path, name):
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps({"environment_variables": {"ENGINE": name}}))
    load = "import importlib, os\nfound = importlib.import_module(os.environ['ENGINE']).__name__"
    assert [one.partition("==")[0] for one in packed(tmp_path, load, HANDLER)[0]] == [name]


@pytest.mark.parametrize(
    ("groups", "kept"),
    [("a", "a"), ("b d", "bd"), ("a|c", "a"), ("b|c d", "bd"), ("", ""), ("c|d a|b", "ac")],
)
def test_a_few_of_many_are_found_with_which_all_is_as_with_every_one(groups, kept):
    def differs(without):
        return any(set(one.split("|")) <= set(without) for one in groups.split())

    assert indispensable("abcd", differs) == list(kept)


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
    with Loads() as loads:
        run("import shared_space.one, importlib; importlib.import_module('shared_space.two.inner')")
    assert loads.found() == ["shared_space.one", "shared_space.two"]
    assert loads not in sys.meta_path


def test_what_is_hidden_is_not_found_and_all_else_is(namespace):
    Hidden(["shared_space.two"])
    run("import shared_space.one, importlib.util; assert importlib.util.find_spec('shared_space.two') is None")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'shared_space\.two'"):
        run("import shared_space.two")
    run("import importlib.metadata; importlib.metadata.version('pytest')")
