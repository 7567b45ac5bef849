"""Which modules a source imports, and which of them it cannot do without."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_DYNAMIC = frozenset({"import_module", "__import__"})
_BODIES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Import:
    """An import of a module.

    Parameters
    ----------
    module: its absolute dotted name, for example `google.cloud.storage`.
    names: what is taken from it; each may be a submodule. `*` means all.
    required: False if the code can do without: inside a function, or where an ImportError is caught.
    """

    module: str
    names: tuple[str, ...] = ()
    required: bool = True

    @property
    def top(self) -> str:
        """The top-level module."""
        return self.module.partition(".")[0]


def find_imports(source: str, package: str = "") -> tuple[Import, ...]:
    """Return the imports of a module, in the order of the text, without those only for type checkers.

    Parameters
    ----------
    source: the module's text.
    package: the package it is in, for relative imports. Default: none.

    Raises
    ------
    SyntaxError: the source cannot be parsed.
    """
    return tuple(dict.fromkeys(_walk(ast.parse(source), package, True)))


def is_type_checking(test: ast.expr) -> bool:
    """Tell whether a condition is `TYPE_CHECKING`, which is false wherever code runs.

    Parameters
    ----------
    test: the condition of an `if`.
    """
    return ast.unparse(test).removeprefix("typing.") == "TYPE_CHECKING"


def _walk(node: ast.AST, package: str, required: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(alias.name, (), required) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        if module := _absolute(node, package):
            yield Import(module, tuple(alias.name for alias in node.names), required)
    elif isinstance(node, ast.If) and is_type_checking(node.test):
        yield from _all(node.orelse, package, required)
    elif isinstance(node, ast.Try | ast.TryStar):
        yield from _all(node.body, package, required and not any(map(_catches, node.handlers)))
        yield from _all(node.handlers, package, False)
        yield from _all([*node.orelse, *node.finalbody], package, required)
    else:
        if isinstance(node, ast.Call) and (name := _dynamic(node)):
            yield Import(name, (), False)
        children = list(ast.iter_child_nodes(node))
        yield from _all(children, package, required and not isinstance(node, _BODIES))


def _all(
    nodes: list[ast.AST] | list[ast.stmt] | list[ast.ExceptHandler], package: str, required: bool
) -> Iterator[Import]:
    for node in nodes:
        yield from _walk(node, package, required)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _catches(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(isinstance(name, ast.Name) and name.id in _CAUGHT for name in caught)


def _dynamic(node: ast.Call) -> str | None:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called in _DYNAMIC and node.args and isinstance(node.args[0], ast.Constant):
        value = node.args[0].value
        if isinstance(value, str) and not value.startswith("."):
            return value
    return None
