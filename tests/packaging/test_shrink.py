import ast
import subprocess
from pathlib import Path

import pytest

from nbchalice.packaging import shrink
from nbchalice.packaging.shrink import strip_source

PYTHONS = sorted(Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python"))
PACKAGE = Path(shrink.__file__).parent.parent
SAMPLE = '''\
"""Module."""

# a comment

from x import y  # why


class Error(Exception):
    """Only a docstring."""


class Thing:
    """Documented.

    # not a comment
    """

    text = """kept

    # kept too
    """  # dropped

    def method(self):
        """One line."""
        é = f"""{self!r}

        # kept
        """; return é

    def short(self): """Shares its line."""

    async def later(self): "a"; return "# no comment"
'''


def without_docstrings(source):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


def test_only_comments_docstrings_and_empty_lines_go():
    short = strip_source(SAMPLE)
    assert without_docstrings(short) == without_docstrings(SAMPLE)
    assert "Documented" not in short and "why" not in short and "dropped" not in short and "a comment" not in short
    assert "# kept too" in short and "class Error(Exception):\n    pass\n" in short


def test_stripping_twice_changes_nothing():
    assert strip_source(strip_source(SAMPLE)) == strip_source(SAMPLE)


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_file_of_nbchalice_still_means_the_same(path):
    source = path.read_text()
    assert without_docstrings(strip_source(source)) == without_docstrings(source)


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.parts[-3])
def test_every_python_cuts_the_same_bytes(python, tmp_path):
    (tmp_path / "shrink.py").write_text(Path(shrink.__file__).read_text())
    (tmp_path / "sample.py").write_text(SAMPLE)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import shrink; sys.stdout.reconfigure(encoding='utf-8'); print(shrink.strip_source(open(sys.argv[1] + '/sample.py', encoding='utf-8').read()), end='')"
    done = subprocess.run([python, "-I", "-c", code, tmp_path], capture_output=True, check=True)
    assert done.stdout.decode() == strip_source(SAMPLE)
