"""Which names a piece of code binds in its own scope."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.model import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_TARGETS = (ast.Tuple, ast.List, ast.Starred)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def parameters(arguments: ast.arguments) -> list[ast.arg]:
    """Return a function's parameters in the order in which a call fills them, the starred ones last."""
    stars = [item for item in (arguments.vararg, arguments.kwarg) if item is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *stars]


def children(node: ast.AST) -> list[ast.AST]:
    """Return the direct children of a node (``ast.iter_child_nodes``, in half the time)."""
    nodes: list[ast.AST] = []
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            nodes += [item for item in value if isinstance(item, ast.AST)]
        elif isinstance(value, ast.AST):
            nodes.append(value)
    return nodes


def bound_names(node: ast.AST, *, walrus: bool = True) -> set[str]:
    """Return the names that a statement, target or pattern binds in the scope it stands in.

    Parameters
    ----------
    node : ast.AST
        The statement, target or pattern.
    walrus : bool
        Whether there may be assignment expressions; without them no expression needs to be searched.
    """
    names: set[str] = set()
    queue: list[ast.AST] = [node]
    while queue:
        item = queue.pop()
        if isinstance(item, ast.Name):
            if not isinstance(item.ctx, ast.Load):
                names.add(item.id)
            continue
        if not walrus and isinstance(item, ast.expr) and not isinstance(item, _TARGETS):
            continue
        if isinstance(item, (ast.Import, ast.ImportFrom)):
            # import os.path binds os; from os import path has no dot in a name.
            names |= {alias.asname or alias.name.split(".")[0] for alias in item.names}
            continue
        if isinstance(item, _SCOPES):
            queue += _outside(item)
            if not isinstance(item, ast.Lambda):
                names.add(item.name)
            continue
        if isinstance(item, _COMPREHENSIONS):
            # [y := f(x) for x in xs] binds y outside, and x only within.
            names |= {part.target.id for part in ast.walk(item) if isinstance(part, ast.NamedExpr)}
            continue
        if isinstance(item, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and item.name:
            names.add(item.name)
        elif isinstance(item, ast.MatchMapping) and item.rest:
            names.add(item.rest)
        elif item.__class__.__name__ == "TypeAlias":
            names.add(item.name.id)  # type: ignore[attr-defined]
            continue
        queue += children(item)
    return names


def surely_bound(node: ast.stmt) -> set[str]:  # noqa: PLR0911 - one return for each kind
    """Return the names that a statement binds whichever way it goes.

    Parameters
    ----------
    node : ast.stmt
        A statement.
    """
    if isinstance(node, ast.If):
        return _bound_by_all(node.body) & _bound_by_all(node.orelse)
    if isinstance(node, (ast.With, ast.AsyncWith)):
        targets = [item.optional_vars for item in node.items if item.optional_vars is not None]
        return _bound_by_all(node.body).union(*map(bound_names, targets))
    if isinstance(node, (ast.Try, ast.TryStar)):
        main = _bound_by_all(node.body) | _bound_by_all(node.orelse)
        for handler in node.handlers:
            # After except: ...; raise, nothing of what follows runs: only what the body bound counts.
            if not isinstance(handler.body[-1], ast.Raise):
                main &= _bound_by_all(handler.body)
        return main | _bound_by_all(node.finalbody)
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While, ast.Match, ast.Delete, ast.Expr)):
        return set()
    if isinstance(node, ast.AnnAssign) and node.value is None:
        return set()
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return bound_names(node) - {"*"}
    if isinstance(node, ast.Assign):
        return set[str]().union(*map(bound_names, node.targets))
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        return bound_names(node.target)
    return bound_names(node) if node.__class__.__name__ == "TypeAlias" else set()


def _bound_by_all(nodes: list[ast.stmt]) -> set[str]:
    return set().union(*(surely_bound(node) for node in nodes))


def bound_by_text(node: ast.AST) -> set[str]:
    """Return what a statement binds by a text: ``exec("x = 2")``, ``globals()["x"] = 2``, ``globals().update(x=2)``.

    Parameters
    ----------
    node : ast.AST
        A statement; the functions in it do not count.
    """
    names: set[str] = set()
    queue = [node]
    while queue:
        item = queue.pop()
        if isinstance(item, ast.Subscript) and isinstance(item.ctx, ast.Store) and _is_globals(item.value):
            names |= {item.slice.value} if _is_text(item.slice) else set()  # type: ignore[attr-defined]
        elif isinstance(item, ast.Call):
            names |= _bound_by_call(item)
        queue += [child for child in children(item) if not isinstance(child, _SCOPES)]
    return names


def _bound_by_call(call: ast.Call) -> set[str]:
    first = call.args[0] if call.args else None
    if isinstance(call.func, ast.Name) and call.func.id in {"exec", "eval"} and _is_text(first):
        if len(call.args) > 1 and not _is_globals(call.args[1]):
            return set()
        try:
            tree = ast.parse(first.value.strip())  # type: ignore[union-attr]
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return set()
        return set().union(*map(bound_names, tree.body))
    if isinstance(call.func, ast.Attribute) and call.func.attr == "update" and _is_globals(call.func.value):
        keys = first.keys if isinstance(first, ast.Dict) else []
        given = call.keywords + (first.keywords if isinstance(first, ast.Call) else [])  # dict(x=2)
        return {key.value for key in keys if _is_text(key)} | {item.arg for item in given if item.arg}  # type: ignore[union-attr]
    return set()


def _is_globals(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "globals"


def _is_text(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def origin_of(node: ast.stmt) -> Origin | None:
    """Return what a plain assignment to one name takes its value from: ``env = os.environ``, ``it = iter(xs)``.

    Parameters
    ----------
    node : ast.stmt
        A statement.
    """
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return None
    name, value = node.targets[0].id, node.value
    if isinstance(value, ast.GeneratorExp):
        return Origin(name, "", (), True)
    is_call = isinstance(value, ast.Call)
    value = value.func if isinstance(value, ast.Call) else value
    path: list[str] = []
    while isinstance(value, ast.Attribute):
        path.insert(0, value.attr)
        value = value.value
    return Origin(name, value.id, tuple(path), is_call) if isinstance(value, ast.Name) else None


def defers_annotations(node: ast.stmt) -> bool:
    """Tell whether a statement is ``from __future__ import annotations``.

    Parameters
    ----------
    node : ast.stmt
        A statement.
    """
    future = isinstance(node, ast.ImportFrom) and node.module == "__future__"
    return future and any(alias.name == "annotations" for alias in node.names)  # type: ignore[attr-defined]


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield the nodes of a function's body without those of the functions, lambdas and classes within.

    Parameters
    ----------
    function : ast.FunctionDef
        The function.
    """
    queue: list[ast.AST] = list(function.body)
    while queue:
        item = queue.pop()
        yield item
        if not isinstance(item, _SCOPES):
            queue += children(item)


def _outside(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a function or class that are evaluated where it is defined."""
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *node.keywords]
    parts: list[ast.AST] = list(getattr(node, "decorator_list", []))
    arguments: ast.arguments = node.args  # type: ignore[attr-defined]
    return [*parts, *arguments.defaults, *(item for item in arguments.kw_defaults if item is not None)]


def global_names(body: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """Return the names that a function's body declares ``global`` and ``nonlocal``."""
    declared: set[str] = set()
    free: set[str] = set()
    queue = list(body)
    while queue:
        item = queue.pop()
        if isinstance(item, ast.Global):
            declared |= set(item.names)
        elif isinstance(item, ast.Nonlocal):
            free |= set(item.names)
        elif isinstance(item, (ast.stmt, ast.ExceptHandler, ast.match_case)) and not isinstance(item, _SCOPES):
            queue += [child for child in children(item) if not isinstance(child, ast.expr)]
    return declared, free
