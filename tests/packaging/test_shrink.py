import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nbchalice.packaging import shrink
from nbchalice.packaging.shrink import strip_source

from ..interpreters import VERSIONS

pytestmark = pytest.mark.slow

PACKAGE = Path(shrink.__file__).parent.parent
SAMPLE = '''\
"""Module."""

from __future__ import annotations

# a comment

from collections.abc import Iterator
from os import sep  # why
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from shop import Shop


class Error(Exception):
    """Only a docstring."""


class Pair(NamedTuple):
    first: int


class Thing:
    """Documented.

    # not a comment
    """

    kind: ClassVar[str] = 'x'
    text = """kept

    # kept too
    """  # dropped

    def method(self, é: int = 1, *rest: Any, shop: Shop | None = None, **more: dict[str, Any]) -> str:
        """One line."""
        total: int = 0
        self.total: float = 1 .real
        ü = f"""{é!r:>{3}}
      # kept
        {total}"""; return ü

    def short(self): """Shares its line."""

    async def later(self) -> Iterator[
        int
    ]: "a"; return (
        "# no comment"
        f"{self}"
    )
'''


class Meaning(ast.NodeTransformer):
    """What is left of a module for the interpreter, once nothing looks at annotations."""

    def __init__(self, used=frozenset()):
        self.used = used

    def body(self, node):
        self.generic_visit(node)
        node.body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        return node

    visit_Module = visit_ClassDef = body

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.body(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        attribute = isinstance(node.target, ast.Attribute)
        return ast.Assign([node.target], node.value, lineno=0) if node.value and (node.simple or attribute) else node

    def visit_If(self, node):
        self.generic_visit(node)
        return None if ast.unparse(node.test) == "TYPE_CHECKING" else node

    def visit_ImportFrom(self, node):
        return None if node.module in ("typing", "types", "collections.abc") else node


def meaning(source):
    return ast.dump(Meaning().visit(ast.parse(source)))


def test_what_only_people_read_goes():
    short = strip_source(SAMPLE)
    assert meaning(short) == meaning(SAMPLE)
    for gone in ("Documented", "why", "dropped", "a comment", "Iterator", "Shop", "-> str"):
        assert gone not in short
    assert "# kept too" in short and "class Error(Exception):\n 0\n" in short
    assert "from typing import ClassVar,NamedTuple\n" in short
    assert " kind:ClassVar[str]='x'\n" in short and "  total=0\n  self.total=1 .real\n" in short


def test_it_runs_and_strings_are_whole():
    space, short = {}, {}
    exec(SAMPLE, space)
    exec(strip_source(SAMPLE), short)
    assert short["Thing"].text == space["Thing"].text and short["Thing"]().method(2) == space["Thing"]().method(2)
    assert short["Pair"](1)._asdict() == {"first": 1}


def test_stripping_twice_changes_nothing():
    assert strip_source(strip_source(SAMPLE)) == strip_source(SAMPLE)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_of_nbchalice_still_means_the_same(path):
    source = path.read_text()
    assert meaning(strip_source(source)) == meaning(source)


@pytest.mark.parametrize("python", VERSIONS, indirect=True)
def test_every_python_cuts_the_same_bytes(python, tmp_path):
    package = tmp_path / "nbchalice/packaging"
    package.mkdir(parents=True)
    for name in ("shrink.py", "imports.py"):
        shutil.copy(Path(shrink.__file__).with_name(name), package)
    (tmp_path / "sample.py").write_text(SAMPLE)
    code = "import sys; sys.path.insert(0, sys.argv[1]); from nbchalice.packaging.shrink import strip_source; sys.stdout.buffer.write(strip_source(open(sys.argv[1] + '/sample.py', encoding='utf-8').read()).encode())"
    done = subprocess.run([python, "-I", "-c", code, tmp_path], capture_output=True, check=True)
    assert done.stdout.decode() == strip_source(SAMPLE)


def test_what_ships_has_no_undefined_names(tmp_path):
    for path in [PACKAGE / "__init__.py", *(PACKAGE / "runtime").glob("*.py")]:
        (tmp_path / path.name).write_text(strip_source(path.read_text()))
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821,F822,E9", tmp_path],
        capture_output=True,
        text=True,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith(("F8", "E9"))]
    assert not found, done.stdout
