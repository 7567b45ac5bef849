"""A Chalice app's `app.py` as a notebook: a cell for each handler, and for what stands between them.

The text stays what it was, comments included, but for the imports of Chalice, which become those of nbchalice.
"""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.config import named_by_config
from nbchalice.errors import InvalidInputError, Location
from nbchalice.files import replace_file
from nbchalice.names import is_name
from nbchalice.runtime.decorators import CHALICES_OWN
from nbchalice.runtime.event_kinds import KINDS
from nbchalice.text import joined

if TYPE_CHECKING:
    from nbchalice.packaging.handler import Written

IMPORT = re.compile(r"(from\s+)chalice((?:\.\w+)?\s+import\b)|(import\s+)chalice(?=\s*(?:$|[;#\n]))")


@dataclass(frozen=True)
class Moved:
    """A notebook that was made of an app.

    Parameters
    ----------
    name : str
        The app's name.
    cells : tuple[str, ...]
        The text of its code cells.
    notes : tuple[str, ...]
        What is left out, and what a person must do.
    """

    name: str
    cells: tuple[str, ...]
    notes: tuple[str, ...]


def moved(path: Path) -> Moved:
    """Return the notebook that an app makes.

    Parameters
    ----------
    path : Path
        The ``app.py``, or the folder that it is in.

    Raises
    ------
    InvalidInputError
        There is no such file, it is no Python, or makes no Chalice app.
    """
    file = path / "app.py" if path.is_dir() else path
    text, tree = _parsed(file)
    if not _imports(tree) and not any(map(_decorated, tree.body)):
        raise InvalidInputError(
            f"{file} is no Chalice app: it neither imports chalice nor decorates a function as one does",
            "give the app.py of a Chalice project",
        )
    lines = text.splitlines(keepends=True)
    for number in _imports(tree):
        lines[number - 1] = renamed(lines[number - 1])
    groups = list(_groups(tree, lines))
    cells = ["%load_ext nbchalice", *(text for text, is_main in groups if not is_main)]
    notes = _notes(tree, file, any(is_main for _, is_main in groups))
    return Moved(_name(tree, file), tuple(cells), tuple(notes))


def import_app(app: Path, out: Path | None) -> Written:
    """Write the notebook that a Chalice app makes.

    Parameters
    ----------
    app : Path
        Its ``app.py``, or the folder that this is in.
    out : Path or None
        The notebook's file. Default: named after the app, beside ``app.py``, where its modules and configuration are.

    Raises
    ------
    InvalidInputError
        There is no app, or the notebook exists already; nothing is written.
    """
    import nbformat

    from nbchalice.notebook_file import read_text
    from nbchalice.packaging.handler import Written

    made = moved(app)
    path = out or (app if app.is_dir() else app.parent) / f"{made.name}.ipynb"
    if path.exists():
        raise InvalidInputError(f"{path} exists already", "give another file with --out, or move that one away")
    cells = [nbformat.v4.new_code_cell(text, id=f"cell-{number}") for number, text in enumerate(made.cells, 1)]
    text = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).rstrip("\n")
    replace_file(path, f"{text}\n".encode())
    next_step = f"nbchalice plan {path} tells what a deploy would make"
    try:
        handlers = ", ".join(one.name for one in read_text(path).handlers) or "none"
    except InvalidInputError as error:  # As of a configuration that Chalice takes and nbchalice does not.
        return Written((path,), {}, (*made.notes, f"to be mended before a deploy: {error.message}; {error.hint}"))
    return Written((path,), {}, (f"handlers of its text: {handlers}", *made.notes, next_step))


def _parsed(file: Path) -> tuple[str, ast.Module]:
    try:
        with tokenize.open(file) as opened:
            text = opened.read()
        return text, ast.parse(text)
    except FileNotFoundError:
        raise InvalidInputError(f"there is no {file}", "give the app.py of a Chalice project, or its folder") from None
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}", "give a file that you may read") from None
    except (SyntaxError, UnicodeDecodeError) as error:
        line = getattr(error, "lineno", None)
        at = Location(file.name, line, getattr(error, "text", None)) if line else None
        raise InvalidInputError(
            f"{file} is no Python text: {error}", "give the app.py of a Chalice project", at
        ) from None


def _name(tree: ast.Module, file: Path) -> str:
    """Return the app's name: that of the configuration, else what it is made with, else its folder's."""
    with suppress(InvalidInputError):  # Who writes the notebook says what is wrong there.
        if name := named_by_config(file.parent):
            return name
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Chalice":
            given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "app_name")]
            if given and isinstance(given[0], ast.Constant) and is_name(str(given[0].value)):
                return str(given[0].value)
    return file.absolute().parent.name


def _imports(tree: ast.Module) -> list[int]:
    """Return the lines on which Chalice is imported."""
    named: list[int] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "chalice":
            named.append(node.lineno)
        if isinstance(node, ast.Import) and any(one.name == "chalice" for one in node.names):
            named.append(node.lineno)
    return named


def renamed(line: str) -> str:
    """Return a line that imports Chalice as one that imports nbchalice: ``import chalice`` keeps that name."""

    def change(match: re.Match[str]) -> str:
        return f"{match[1]}nbchalice{match[2]}" if match[1] else f"{match[3]}nbchalice as chalice"

    return IMPORT.sub(change, line)


def _groups(tree: ast.Module, lines: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yield the text of each cell, and whether it is what runs only where the file itself is started."""
    begun, done = 0, 0
    for number, node in enumerate(tree.body):
        following = tree.body[number + 1] if number + 1 < len(tree.body) else None
        done = node.end_lineno or node.lineno
        if following is not None and first_line(following) <= done:
            continue  # a = 1; b = 2
        is_own = _decorated(node) or _is_main(node)
        next_is_own = following is not None and (_decorated(following) or _is_main(following))
        if is_own or next_is_own or following is None:
            end = done if following is not None else len(lines)
            yield "".join(lines[begun:end]).strip("\n"), _is_main(node)
            begun = end


def first_line(node: ast.stmt) -> int:
    """Return the line on which a statement begins, its decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _decorated(node: ast.stmt) -> list[str]:
    """Return the names of an app's decorators on a function: ``on_sqs_message``."""
    names: list[str] = []
    for one in node.decorator_list if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else []:
        func = one.func if isinstance(one, ast.Call) else one
        if isinstance(func, ast.Attribute) and (func.attr in KINDS or func.attr in CHALICES_OWN):
            names.append(func.attr)
    return names


def _is_main(node: ast.stmt) -> bool:
    """Whether a statement is ``if __name__ == "__main__"``, which would run in a notebook."""
    return isinstance(node, ast.If) and "__name__" in {
        one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)
    }


def _notes(tree: ast.Module, file: Path, has_main: bool) -> Iterator[str]:
    """Yield what is left out, and what a person must do."""
    own = {node.name: _decorated(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
    if web := [name for name, decorators in own.items() if CHALICES_OWN & set(decorators)]:
        yield f"not deployed, as nbchalice makes no web API: {joined(web)}"
    if has_main:
        yield 'left out: if __name__ == "__main__": it would run in the notebook'
    for other in _files_that(file, _imports):
        yield f"{other} imports chalice: import nbchalice there instead, as in the notebook"
    for other in _files_that(file, partial(_imports_of, file.stem)):
        what = f"takes the app from {file.name}, so that its handlers are not found"
        yield f"{other} {what}: define them there in def register(app), and call that in the notebook with the app"
    if (file.parent / "requirements.txt").is_file():
        where = "requirements.txt beside the notebook counts for commands in a shell; in a kernel run %pip install -r "
        yield f"{where}requirements.txt: what the code imports travels in the version that is installed"
    if (file.parent / ".chalice").is_dir():
        yield ".chalice/config.json beside the notebook counts, as with Chalice"


def _imports_of(module: str, tree: ast.AST) -> list[int]:
    """Return the lines that import a module, or something of it."""
    found = []
    for node in ast.walk(tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        of = node.module if isinstance(node, ast.ImportFrom) and not node.level else None
        found += [node.lineno] if isinstance(node, ast.stmt) and module in (*names, of) else []
    return found


def _files_that(file: Path, lines_in: Callable[[ast.Module], Sequence[int]]) -> Iterator[str]:
    """Yield the modules beside an app that have some lines, and the first of them."""
    for other in sorted(file.parent.rglob("*.py")):
        inside = other.relative_to(file.parent)
        if (
            other == file
            or inside.parts[0] in {"tests", "vendor"}
            or any(part.startswith(".") for part in inside.parts)
        ):
            continue
        try:
            with tokenize.open(other) as opened:
                lines = lines_in(ast.parse(opened.read()))
        except (SyntaxError, UnicodeDecodeError, OSError):
            continue
        if lines:
            yield f"{inside.as_posix()}, line {min(lines)}"
