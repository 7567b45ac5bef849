"""Statements as the text of a module, with the map from its lines to the cells."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import lru_cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.handler_function import decorator_text
from nbchalice.notebook.analysis.model import Kind, Statement
from nbchalice.notebook.analysis.statements import split_cell
from nbchalice.runtime.cells import Segment
from nbchalice.runtime.entry_points import UnusableSourceError, find_kind, third_parties
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.closure import Closure
    from nbchalice.sources.base import Source


def render(steps: list[Step], used: frozenset[str], notebook: str) -> tuple[str, list[Segment]]:
    """Write statements as a module.

    Parameters
    ----------
    steps : list[Step]
        In the order in which they run.
    used : frozenset[str]
        The names in use, to narrow imports to.
    notebook : str
        The notebook's file name.

    Returns
    -------
    tuple[str, list[Segment]]: the text, and the segments that map its lines to the cells'.
    """
    name = PurePath(notebook).name
    lines = [f"# Captured from {name} by nbchalice."]
    segments: list[Segment] = []
    previous: Step | None = None
    expected = 0  # the line of the cell that the next line of the module stands for, as a reader counts
    registrations = _registrations(steps)
    for step in steps:
        text, cell_line = step_text(step, used)
        decorators = handler_decorators(step) if step.statement.handler else []
        if registrations and step.statement.kind is not Kind.FUTURE:
            lines += ["", *registrations]  # Of no cell, hence of no segment.
            registrations = []
        if previous is None or previous.cell.order != step.cell.order:
            lines += ["", _mark(name, step, cell_line)]
            expected = cell_line
        else:
            gap = _gap(previous, cell_line)
            lines += [""] * gap
            expected += gap
            same_line = cell_line == segments[-1].cell_line
            if decorators or (expected != cell_line and not same_line):
                lines.append(_mark(name, step, cell_line))
                expected = cell_line
        lines += decorators  # Of no line in the cell, hence of no segment.
        part = text.split("\n")
        segments.append(Segment(step.cell.label, step.cell.id, len(lines) + 1, len(part), cell_line))
        lines += part
        previous, expected = step, expected + len(part)
    return "\n".join(lines) + "\n", segments


def modules_of(closure: Closure, own: Step, notebook: str) -> list[JSON]:
    """Write what is needed as a module: first with all that may matter, then, should that not run, without.

    Parameters
    ----------
    closure : Closure
        What is needed, followed to its end.
    own : Step
        One of its statements in the form in which it is to be written.
    notebook : str
        The notebook's path or file name.
    """
    modules: list[JSON] = []
    for one in (closure.with_doubts(), closure):
        module, segments = render(with_step(one.steps(), own), one.names_used(), notebook)
        if not modules or module != modules[0]["module"]:
            modules.append({"module": module, "segments": list(map(vars, segments))})
    return modules


def _registrations(steps: list[Step]) -> list[str]:
    """Return the imports that register the event kinds of other packages: on Lambda, nobody looks for entry points."""
    others = set(third_parties())
    if not others:
        return []
    found: dict[str, str] = {}
    for step in steps:
        decorators = handler_decorators(step) if step.statement.handler else []
        for text in (step.statement.text, *(line.removeprefix("@") for line in decorators)):
            named = {name for node in ast.walk(ast.parse(text)) if (name := _name(node)) in others}
            found |= {name: _module(name, step) for name in named}
    return [f"import {module}  # registers @app.{name}" for name, module in sorted(found.items()) if module]


def _name(node: ast.AST) -> str:
    """Return the name that an attribute, or a text, may give to a decorator, as in ``getattr(app, "on_x")``."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return node.attr if isinstance(node, ast.Attribute) else ""


def _module(name: str, step: Step) -> str:
    try:
        kind = find_kind(name)
    except UnusableSourceError as error:
        raise CaptureError(error.text, error.hint, step.location(), code="unusable-source") from None
    return kind.module if kind is not None else ""


def _mark(name: str, step: Step, line: int) -> str:
    """Return the comment that says which line of which cell the next statement begins at."""
    return f"# {name}, {step.cell.label}, line {line}"


def _gap(previous: Step, line: int) -> int:
    """Keep the blank lines that stand between two statements of a cell, two at most."""
    return max(0, min(2, line - previous.statement.end - 1))


def step_text(step: Step, used: frozenset[str]) -> tuple[str, int]:
    """Return a statement's text as it is emitted and the raw line of its first line."""
    statement = step.statement
    if statement.kind is Kind.IMPORT:
        return _narrowed(statement, used), statement.head
    return statement.text, statement.line


def decorators_only(step: Step) -> Statement:
    """Return a handler's statement with its decorators and without its body, defaults and annotations."""
    statement = step.statement
    name = next(iter(statement.defines))
    node = ast.parse(statement.text).body[0]
    kept = statement.text.split("\n")[: node.lineno - 1]
    text = "\n".join([*kept, f"def {name}(event): ..."])
    stub = split_cell(text).statements[0]
    now = replace(stub.now, uses=stub.now.uses | ({str(statement.decorators[0][0])} if statement.handler else set()))
    return replace(
        stub, text=text, line=statement.line, head=statement.head, end=statement.end, now=now, mark=statement.mark,
        handler=statement.handler, decorators=statement.decorators,
    )  # fmt: skip


def with_step(steps: Iterable[Step], own: Step) -> list[Step]:
    """Return statements with one of them in another form, as ``decorators_only`` gives it."""
    changed = []
    for step in steps:
        changed.append(own if step.position == own.position else step)
    return changed


def _narrowed(statement: Statement, used: frozenset[str]) -> str:
    """Leave out of an import what is not used; an import used whole stays verbatim."""
    kept = [alias for alias in statement.imports if alias.name in used]
    if len(kept) == len(statement.imports) or not kept:
        return statement.text
    names = ", ".join(alias.text for alias in kept)
    return f"from {kept[0].module} import {names}" if kept[0].attribute is not None else f"import {names}"


def handler_decorators(step: Step) -> list[str]:
    """Write the decorators that the cell's magic stands for, its own trigger nearest to the function."""
    from nbchalice.sources import SOURCES

    body, app = step.split.body, str(step.statement.decorators[0][0])
    magic = body.magic or ""
    return list(_decorators(SOURCES[magic], magic, body.arguments, app))


@lru_cache(maxsize=1024)
def _decorators(_source: Source, magic: str, line: str, app: str) -> tuple[str, ...]:
    """Return what `handler_decorators` writes; a handler is cut several times, and its line stays."""
    from nbchalice.handlers import parse_cell_magic

    parsed = parse_cell_magic(magic, line)
    names = [parsed.name] + [None] * len(parsed.also)
    pairs = zip(parsed.triggers, names, strict=True)
    return tuple(decorator_text(source, dict(options), name, app) for (source, options), name in pairs)[::-1]
