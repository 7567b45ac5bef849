"""The walls between the rooms: contracts of import-linter, and that they hold."""

import ast
import graphlib
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import nbchalice

ROOT = Path(nbchalice.__file__).parent
CHECK = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(folder):
    """Check the contracts of a checkout."""
    done = subprocess.run(
        [sys.executable, "-c", CHECK, "--no-cache"], cwd=folder, env={"PYTHONPATH": str(folder)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_the_contracts_hold():
    code, text = lint(ROOT.parent)
    assert code == 0, text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("logs/show.py", "from nbchalice.ui import html", "Lower rooms never import higher ones"),
        (
            "aws/errors.py",
            "def f():\n    from nbchalice.project import Project",
            "Lower rooms never import higher ones",
        ),
        ("notebook/cells.py", "import nbchalice.testing", "Lower rooms never import higher ones"),
        ("runtime/cron.py", "from nbchalice.project import Project", "What ships in each zip"),
        ("runtime/batch.py", "def f():\n    import nbchalice.errors", "What ships in each zip"),
        ("aws/local/server/pool.py", "from nbchalice.errors import AWSError", "The server of the local AWS"),
        ("aws/local/shared/home.py", "def f():\n    from ..client import process", "The server of the local AWS"),
        (
            "ui/commands/app.py",
            "from nbchalice.ui.widgets import panel",
            "Commands and widgets do not import each other",
        ),
        ("ui/widgets/panel.py", "def f():\n    from nbchalice.ui import commands", "Commands and widgets do not"),
        ("ui/render/html.py", "import nbchalice.ui.commands", "What is shown knows neither commands nor widgets"),
        ("notebook/analysis/model.py", "from nbchalice.notebook.capture import slice", "The analysis knows no capture"),
        (
            "notebook/sandbox/worker.py",
            "def f():\n    from nbchalice.notebook.capture import search",
            "The analysis knows no capture",
        ),
        ("new_room.py", "", "Lower rooms never import higher ones"),
    ],
)
def test_a_contract_fails_when_it_is_broken(tmp_path, file, line, contract):
    shutil.copytree(ROOT, tmp_path / "nbchalice", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT.parent / "pyproject.toml", tmp_path)
    path = tmp_path / "nbchalice" / file
    text = path.read_text() if path.exists() else ""
    path.write_text(f"{text}\n{line}\n")
    code, text = lint(tmp_path)
    assert code == 1 and f"{contract}" in text and "BROKEN" in text, text


@pytest.mark.parametrize("path", sorted((ROOT / "runtime").glob("*.py")), ids=lambda path: path.name)
def test_the_runtime_needs_only_the_standard_library(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        for name in names:
            assert name.split(".")[0] in sys.stdlib_module_names, f"{path.name} imports {name}"


ALLOWED = {
    "runtime/event_kinds.py": "the table of event kinds, which ships without nbchalice.sources",
    "runtime/decorators.py": "the decorators themselves, as Chalice names them",
    "resources/rule.py": "schedule: what a rule's ScheduleExpression is called where it differs",
    "resources/schedule.py": "schedule: a schedule of EventBridge Scheduler, as a kind of resource",
    "__init__.py": "the event classes' names, as public names",
    "app.py": "the same, under Chalice's name of their module",
    "runtime/names.py": "where these names stand",
    "export/chalice.py": "what Chalice has, decorator by decorator",
}


def test_what_differs_between_sources_is_declared_by_the_sources():
    modules = {path.relative_to(ROOT).as_posix(): path for path in ROOT.rglob("*.py")}
    found = {name: source_checks(ast.parse(path.read_text())) for name, path in modules.items()}
    asking = {name: checks for name, checks in found.items() if checks and not name.startswith("sources/")}
    assert set(asking) == set(ALLOWED), "what asks which source it has is to be a method or an attribute of Source"


@pytest.mark.parametrize(
    "text",
    [
        "if source.name == 'on_sqs_message': pass",
        "WAYS = {'on_kinesis_record': 1}",
        "streams = {'on_kinesis_record', 'on_dynamodb_record'}",
        "match name:\n    case 'schedule': pass",
        "if source.title in ('SQS', 'SNS'): pass",
        "if event_class.__name__ != 'LambdaFunctionEvent': pass",
        "isinstance(source, SQS)",
        "from nbchalice.sources.sqs import queue_of",
        "from nbchalice.sources import sqs",
        "import nbchalice.sources.kinesis",
    ],
)
def test_asking_which_source_it_is_is_found(text):
    assert source_checks(ast.parse(text))


def source_checks(tree):
    """Return where a module asks which source it has: by a decorator's name, a title, a class, or a source's module."""
    from nbchalice.sources import SOURCES

    names = set(SOURCES)
    words = {word for source in SOURCES.values() for word in (source.title, source.kind.event_class.__name__)}
    modules = {type(source).__module__ for source in SOURCES.values()}
    classes = {type(source).__name__ for source in SOURCES.values()}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in names:
            found.append((node.lineno, node.value))
        if isinstance(node, ast.Compare | ast.Dict | ast.Set | ast.List | ast.Tuple | ast.MatchValue):
            constants = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)]
            found += [(node.lineno, value) for value in constants if isinstance(value, str) and value in words]
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"isinstance", "issubclass"}:
            asked = {name.id for name in ast.walk(node.args[-1]) if isinstance(name, ast.Name)}
            found += [(node.lineno, name) for name in asked & classes]
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names if alias.name in modules]
        if isinstance(node, ast.ImportFrom):
            imported = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            found += [(node.lineno, name) for name in imported & modules]
    return found


def test_no_circle_of_imports_those_within_functions_counted(capsys):
    edges = imports_of("nbchalice")
    with capsys.disabled():
        print(f"\n{len(edges)} modules, {sum(map(len, edges.values()))} imports")
    graphlib.TopologicalSorter(edges).prepare()


@pytest.mark.parametrize(
    "text",
    [
        "import circular.two",
        "def later():\n    from circular import two",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .two import Two",
    ],
)
def test_a_circle_is_found_where_an_import_is_hidden(text, tmp_path, monkeypatch):
    package = tmp_path / "circular"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text(text + "\n")
    (package / "two.py").write_text("from circular import one\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(graphlib.CycleError, match=r"circular\.one"):
        graphlib.TopologicalSorter(imports_of("circular")).prepare()


def imports_of(package):
    """Return the modules of a package that each of them imports, at whatever place."""
    graph = grimp.build_graph(package, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
