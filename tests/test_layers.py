"""The rooms of the house: lower ones never import higher ones."""

import ast
from pathlib import Path

import pytest

import nbchalice

ROOT = Path(nbchalice.__file__).parent
ROOMS = [
    "errors",
    "text",
    "runtime",
    "resources",
    "sources",
    "handlers",
    "config",
    "notebook",
    "packaging",
    "aws",
    "deploy",
    "logs",
    "events",
    "export",
    "ui",
    "cli",
]
TOP = {"__init__", "testing", "__main__", "project", "notebook_file", "execute"}
FILES = sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> list[str]:
    package = ["nbchalice", *path.relative_to(ROOT).parts[:-1]]
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found += [f"{module}.{alias.name}" for alias in node.names] if module == "nbchalice" else [module]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_room_imports_a_higher_one(path):
    here = room(path)
    if here in TOP:
        return
    for module in imported_modules(path):
        parts = module.split(".")
        if parts[0] == "nbchalice" and len(parts) > 1 and parts[1] in ROOMS:
            assert ROOMS.index(parts[1]) <= ROOMS.index(here), f"{here} imports {module}"


@pytest.mark.parametrize("path", sorted((ROOT / "runtime").glob("*.py")), ids=lambda path: path.name)
def test_the_runtime_needs_only_the_standard_library(path):
    import sys

    for module in imported_modules(path):
        top = module.split(".")[0]
        assert top in sys.stdlib_module_names or top == "nbchalice", f"{path.name} imports {module}"


def test_every_room_has_a_place_in_the_order():
    assert {room(path) for path in FILES} <= {*ROOMS, *TOP}
