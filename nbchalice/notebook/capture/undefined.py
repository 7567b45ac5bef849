"""Where a captured module needs a name that it does not have, and why it does not."""

from __future__ import annotations

import ast
from itertools import chain
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.bindings import bound_names
from nbchalice.notebook.capture.source_map import location_of

if TYPE_CHECKING:
    from nbchalice.errors import Location
    from nbchalice.notebook.capture.slice import Slice

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def find_use(piece: Slice, name: str) -> Location | None:
    """Find the first line of a function that reads a name."""
    for node in ast.parse(piece.module).body:
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Load):
                place = location_of(piece.segments, piece.module, part.lineno)
                if place is not None:
                    return place
    return None


def find_condition(piece: Slice, name: str) -> tuple[str, Location | None] | None:
    """Find the condition under which a name is defined or changed.

    Parameters
    ----------
    piece : Slice
        The slice.
    name : str
        The name.

    Returns
    -------
    tuple[str, Location | None] | None: the text and the place of the first one, or None if there is none.
    """
    tree = ast.parse(piece.module)
    makers = _makers(tree, name)
    for node in tree.body:
        if isinstance(node, ast.If) and (not node.orelse or "__name__" in ast.unparse(node.test)):
            parts = chain.from_iterable(map(ast.walk, node.body))
            touched = {part.id for part in parts if isinstance(part, ast.Name)}
            if name in touched | set().union(*(bound_names(item) for item in node.body)) or makers & touched:
                return ast.unparse(node.test), location_of(piece.segments, piece.module, node.lineno)
    return None


def may_come_later(module: str, function: str, name: str) -> bool:
    """Tell whether a function that the handler can call defines a global name.

    Parameters
    ----------
    module : str
        The captured module's text.
    function : str
        The handler's function.
    name : str
        The name.
    """
    tree = ast.parse(module)
    makers = _makers(tree, name)
    known: set[str] = set()
    queue = {function, *(item.name for item in tree.body if isinstance(item, _FUNCTIONS) and item.decorator_list)}
    while queue:
        one = queue.pop()
        known.add(one)
        for node in tree.body:
            # What is put into a value by a call, for example HANDLERS.append(f), can be reached through it.
            if one in _top_names(node):
                queue |= {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} - known
    return bool(makers & known)


def _top_names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Expr):
        return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return set(bound_names(node))


def _makers(tree: ast.Module, name: str) -> set[str]:
    """Return the functions and classes that declare a name as global, and those that lead to them."""
    makers: set[str] = set()
    definitions = [node for node in tree.body if isinstance(node, _FUNCTIONS)]
    while True:
        found = {node.name for node in definitions if _makes(node, name, makers)}
        if found <= makers:
            return makers
        makers |= found


def _makes(node: ast.stmt, name: str, makers: set[str]) -> bool:
    for part in ast.walk(node):
        if isinstance(part, ast.Global) and name in part.names:
            return True
        if isinstance(part, ast.Name) and part.id in makers:
            return True
    return False
