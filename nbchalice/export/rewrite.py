"""Python text that was written for nbchalice, rewritten for Chalice: its imports, decorators, handlers and events."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbchalice.export.chalice import EVENTS, NAMES, PARAMETERS
from nbchalice.export.code import FunctionNode, Source
from nbchalice.export.usage import instead
from nbchalice.moving import first_line


@dataclass(frozen=True)
class Edit:
    """What is written in the place of some of the text's bytes."""

    begin: int
    end: int
    text: str


class _Replaced(ast.NodeTransformer):
    """Puts expressions in the places of others."""

    def __init__(self, texts: Mapping[ast.expr, str]) -> None:
        self.texts = texts

    def visit(self, node: ast.AST) -> ast.AST:
        """Return what stands for a node."""
        if isinstance(node, ast.expr) and node in self.texts:
            return ast.parse(self.texts[node], mode="eval").body
        return self.generic_visit(node)


def for_chalice(text: str) -> str:
    """Return a text that imports Chalice instead of nbchalice, and gives Chalice what it takes.

    Parameters
    ----------
    text : str
        Of a module of which nothing is in the way, as `nbchalice.export.usage.troubles` tells.
    """
    source = Source(text)
    edits = [*_imports(source), *_decorators(source), *_parameters(source), *_events(source)]
    content = text.encode()
    for edit in sorted(edits, key=lambda one: one.begin, reverse=True):
        content = content[: edit.begin] + edit.text.encode() + content[edit.end :]
    return content.decode()


def _imports(source: Source) -> Iterator[Edit]:
    starts = _line_starts(source.text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module in {"nbchalice", "nbchalice.app"}:
            line = source.text.split("\n")[node.lineno - 1]
            indent = line[: len(line) - len(line.lstrip())]
            yield _edit(node, starts, f"\n{indent}".join(_from(node)))
        if isinstance(node, ast.Import) and any(one.name == "nbchalice" for one in node.names):
            yield _edit(node, starts, f"import {', '.join(map(_imported, node.names))}")


def _from(node: ast.ImportFrom) -> Iterator[str]:
    """Yield the imports that stand for one of nbchalice."""
    by_module: dict[str, list[str]] = {}
    for one in node.names:
        module = "chalice" if one.name in NAMES and node.module == "nbchalice" else "chalice.app"
        by_module.setdefault(module, []).append(ast.unparse(one))
    for module, names in sorted(by_module.items()):
        yield f"from {module} import {', '.join(names)}"


def _imported(one: ast.alias) -> str:
    if one.name != "nbchalice":
        return ast.unparse(one)
    name = one.asname or "nbchalice"
    return "chalice" if name == "chalice" else f"chalice as {name}"


def _decorators(source: Source) -> Iterator[Edit]:
    """Yield the decorators without the arguments that only nbchalice has."""
    starts = _line_starts(source.text)
    for one in source.registered():
        kept = [word for word in one.call.keywords if word.arg in PARAMETERS[one.kind]]
        if len(kept) < len(one.call.keywords):
            yield _edit(one.call, starts, ast.unparse(ast.Call(one.call.func, one.call.args, kept)))


def _parameters(source: Source) -> Iterator[Edit]:
    """Yield the parameters as Chalice gives them: the event, and where that comes as it is the context besides."""
    starts = _line_starts(source.text)
    seen: set[str] = set()
    for one in source.registered():
        node = one.function
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        positional = [*node.args.posonlyargs, *node.args.args]
        if one.kind not in EVENTS and len(positional) == 1 and not node.args.vararg:
            end = _end(positional[0], starts)
            yield Edit(end, end, ", context")
        if one.kind in EVENTS and len(positional) == 2 and _takes_context(node):
            event, context = positional
            yield Edit(_end(event, starts), _end(context, starts), "")
            yield _first_statement(node, starts, f"{context.arg} = {event.arg}.context")


def _events(source: Source) -> Iterator[Edit]:
    """Yield what Chalice's events and records have otherwise, and the import that this needs."""
    starts = _line_starts(source.text)
    found = instead(source)
    apart: set[ast.AST] = set()
    for whole in (node for node in ast.walk(source.tree) if isinstance(node, ast.JoinedStr) and node not in apart):
        inner = set(ast.walk(whole))
        if within := {one.node: one.text for one in found if one.node in inner}:
            # What stands in an f-string has no place of its own before Python 3.12, and may not have all quotes.
            yield _edit(whole, starts, ast.unparse(_Replaced(within).visit(whole)))
        apart |= inner
    for one in found:
        if one.node not in apart:
            yield _edit(one.node, starts, one.text)
    imported: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
    if "json" not in imported and any(one.text.startswith("json.") for one in found):
        nodes = source.tree.body
        futures = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
        docstring = nodes[:1] if ast.get_docstring(source.tree) is not None else []
        at = max((starts[node.end_lineno or 0] for node in (*docstring, *futures)), default=0)
        yield Edit(at, at, "import json\n")


def _takes_context(node: FunctionNode) -> bool:
    """Whether nbchalice gives a function of two parameters the context."""
    return not node.args.defaults or node.args.args[-1].arg == "context"


def _first_statement(node: FunctionNode, starts: list[int], text: str) -> Edit:
    """Return what puts a statement before the others of a function, behind its docstring."""
    has_more = len(node.body) > 1 and ast.get_docstring(node) is not None
    first = node.body[1 if has_more else 0]
    at = starts[first_line(first) - 1] + first.col_offset
    on_one_line = first.lineno == node.body[0].lineno == node.lineno
    return Edit(at, at, f"{text}; " if on_one_line else f"{text}\n{' ' * first.col_offset}")


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _end(node: ast.arg | ast.expr | ast.stmt, starts: list[int]) -> int:
    return starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)


def _edit(node: ast.expr | ast.stmt, starts: list[int], text: str) -> Edit:
    return Edit(starts[node.lineno - 1] + node.col_offset, _end(node, starts), text)
