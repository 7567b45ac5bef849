"""Where a notebook speaks of our sources: what must be read as a handler, or be said not to be read."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.known_calls import words
from nbchalice.notebook.analysis.magic import read_body
from nbchalice.notebook.capture.registering import REGISTER_BLUEPRINT, gives_app_away, is_decorated
from nbchalice.runtime.entry_points import source_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nbchalice.errors import Location
    from nbchalice.notebook.analysis.history import Step, Timeline
    from nbchalice.notebook.analysis.statements import Split
    from nbchalice.notebook.cells import Cell

# A decorator of any name, and a cell's magic: whether it is one of ours is asked afterwards.
_MAYBE = re.compile(r"\.\s*(\w+)")
_DECORATOR = re.compile(r"^\s*@\s*[\w.]+\.(\w+)")
_CHALICES_OWN = re.compile(r"\s*(?:from\s+chalice(?:\.app)?\s+import\b.*\bChalice\b|import\s+chalice\s*(?:#|$))")
_MAGIC = re.compile(r"^\s*%%(\w+)\b(?!\?)")
TEXTS = words("bash file html javascript js latex markdown perl ruby script sh svg sx system writefile !")
"""IPython's own cell magics whose cell is not Python."""


@dataclass(frozen=True)
class Mention:
    """A line that registers a handler when it runs.

    Parameters
    ----------
    location : Location
        The line.
    step : Step or None
        The statement it stands in, or None where the cell is not read as Python.
    function : str or None
        The function that it decorates, or None.
    names : frozenset[str] or None
        What the handler may be called; None for any name.
    of_blueprint : bool
        Whether it registers a blueprint.
    """

    location: Location
    step: Step | None = None
    function: str | None = None
    names: frozenset[str] | None = None
    of_blueprint: bool = False


def find_mentions(timeline: Timeline) -> list[Mention]:
    """Find the lines that register handlers otherwise than as decorators of a plain function, or as a cell's magic.

    Parameters
    ----------
    timeline : Timeline
        The statements of the notebook; those that are marked ``exclude`` are not asked.
    """
    found: list[Mention] = []
    named = source_names() | {REGISTER_BLUEPRINT}
    for step in timeline.steps:
        if not named.isdisjoint(_MAYBE.findall(step.statement.text)):
            found += _in_statement(step, timeline.app)
        elif gives_app_away(step, timeline):
            found.append(Mention(step.location(), step))
    for cell, split in timeline.splits:
        found += _in_text(cell, split)
    return found


def find_chalices_own(cells: Iterable[Cell]) -> Location | None:
    """Find where a notebook imports the package ``chalice``, whose apps register nothing here.

    Parameters
    ----------
    cells : Iterable[Cell]
        The notebook's cells.
    """
    for cell in cells:
        for number, line in enumerate(cell.source.split("\n"), 1):
            if _CHALICES_OWN.match(line):
                return cell.location(number)
    return None


def not_read(mention: Mention, reason: str) -> CaptureError:
    """Say that a line may register a handler, and that it was not read.

    Parameters
    ----------
    mention : Mention
        The line.
    reason : str
        Why it was not, or an empty text.
    """
    why = reason or "it registers nothing when the notebook is read from the top"
    text = f"not read as a handler, and nothing is removed that it may have deployed: {mention.location} ({why})"
    return CaptureError(
        text, "run the notebook in Jupyter and deploy there", mention.location, code="decorator-not-evaluated"
    )


def _in_statement(step: Step, app: str) -> Iterator[Mention]:
    statement = step.statement
    tree = ast.parse(statement.text).body[0]
    own = getattr(tree, "decorator_list", []) if is_decorated(step) else []
    decorators: set[int] = {id(node) for node in own}
    inner: set[int] = set()
    for node in ast.walk(tree):
        for decorator in getattr(node, "decorator_list", []):
            if _is_source(decorator) and id(decorator) not in decorators:
                name = getattr(node, "name", None)
                yield Mention(_place(step, decorator), step, name, _names(decorator, name))
            decorators.add(id(decorator))
        if isinstance(node, ast.Call) and id(node) not in decorators and id(node) not in inner:
            called = node.func
            if isinstance(called, ast.Call) and _is_source(called):
                inner.add(id(called))
                given = node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else None
                yield Mention(_place(step, node), step, None, _names(called, given))
            elif isinstance(called, ast.Attribute) and called.attr == REGISTER_BLUEPRINT:
                yield Mention(_place(step, node), step, of_blueprint=True)
            elif _is_source(node) and _root(node) == app:
                yield Mention(_place(step, node), step)


def _in_text(cell: Cell, split: Split) -> Iterator[Mention]:
    """Find what stands in a cell that is not Python, or below a magic that may run it or not."""
    first = next((line for line in cell.source.split("\n") if line.strip()), "")
    if first.startswith("%%") and first[2:].split(maxsplit=1)[:1] and first[2:].split(maxsplit=1)[0] in TEXTS:
        return
    read = read_body(cell.source)
    if read.shows_help:
        return
    hidden = first.startswith("%%") and not read.text.strip()
    for number, line in enumerate(cell.source.split("\n"), 1):
        magic = _names_ours(_MAGIC, line) and number != read.magic_line
        decorator = (hidden or (split.problem is not None and read.magic is None)) and _names_ours(_DECORATOR, line)
        if magic or decorator:
            yield Mention(cell.location(number))


def _names_ours(form: re.Pattern[str], line: str) -> bool:
    found = form.match(line)
    return found is not None and found[1] in source_names()


def _is_source(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return isinstance(called, ast.Attribute) and called.attr in source_names()


def _root(node: ast.Call) -> str | None:
    value = node.func.value if isinstance(node.func, ast.Attribute) else None
    return value.id if isinstance(value, ast.Name) else None


def _names(call: ast.expr, function: str | None) -> frozenset[str] | None:
    """Return the names that a handler may have, as far as the text tells."""
    if not isinstance(call, ast.Call) or function is None or len(call.args) > 1:
        return None
    names = {function}
    for keyword in call.keywords:
        if keyword.arg is None:
            return None
        if keyword.arg == "name":
            if not isinstance(keyword.value, ast.Constant):
                return None
            names.add(str(keyword.value.value))
    return frozenset(names)


def _place(step: Step, node: ast.expr) -> Location:
    return step.location(step.statement.line + node.lineno - 1)
