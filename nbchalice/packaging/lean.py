"""nbchalice's own modules without what only people and type checkers read."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from nbchalice.packaging.imports import is_type_checking


def lean_source(source: str, unused: Collection[str] = ()) -> str:
    """Return the source of a module without comments, docstrings, annotations and what is for type checkers only.

    Parameters
    ----------
    source : str
        The text of a module that looks at neither its docstrings nor its annotations.
    unused : Collection[str]
        Methods, functions, variables, keys, and calls in a table that begin so, to leave out as well. Default: none.
    """
    lean = _Lean(source, unused)
    tree = lean.visit(ast.parse(source))
    if unused:
        _drop_unasked(tree, set(re.findall(r"\w+", " ".join(lean.formatted.values()))))
    text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    # One space for four, and no empty lines: no text goes over several lines here, as f-strings come below.
    text = re.sub(r"^(?: {4})+", lambda indent: " " * (len(indent[0]) // 4), text, flags=re.MULTILINE)
    text = re.sub(r"\n+", "\n", text).lstrip("\n")
    for name, written in lean.formatted.items():
        text = text.replace(name, written)
    return text


class _Lean(ast.NodeTransformer):
    def __init__(self, source: str, unused: Collection[str]) -> None:
        self._source, self._unused = source, unused
        self.formatted: dict[str, str] = {}  # f-strings as they are written, by the names that stand for them

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Name:
        """Keep an f-string: Python 3.12 writes ``f'{names['a']}'``, which 3.11 cannot read."""
        name = f"__formatted_{len(self.formatted)}__"
        self.formatted[name] = f"({ast.get_source_segment(self._source, node)})"
        return ast.Name(name, ast.Load())

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        node.body = _without_docstring(node.body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        node.body = _without_docstring(node.body) or [ast.Pass()]
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef | None:
        if node.name in self._unused:
            return None
        self.generic_visit(node)
        node.returns = None
        node.body = _without_docstring(node.body) or [ast.Pass()]
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        if isinstance(node.targets[0], ast.Name) and node.targets[0].id in self._unused:
            return None
        self.generic_visit(node)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.Dict:
        kept = [pair for pair in zip(node.keys, node.values, strict=True) if not self._is_unused(pair[0])]
        node.keys, node.values = [key for key, _ in kept], [value for _, value in kept]
        self.generic_visit(node)
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.Tuple:
        node.elts = [
            one for one in node.elts if not (isinstance(one, ast.Call) and any(map(self._is_unused, one.args[:1])))
        ]
        self.generic_visit(node)
        return node

    def _is_unused(self, key: ast.expr | None) -> bool:
        return isinstance(key, ast.Constant) and key.value in self._unused

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        return ast.Assign([node.target], self.visit(node.value)) if node.value else None

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        return node.orelse if is_type_checking(node.test) else node


def _drop_unasked(tree: ast.Module, said: Collection[str]) -> None:
    """Leave out private functions and variables of a module that nothing in it asks for any more, nor its f-strings."""
    while True:
        names = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
        asked = {name.id for name in names if isinstance(name.ctx, ast.Load)}.union(said)
        kept = [one for one in tree.body if (name := _private_name(one)) is None or name in asked]
        if len(kept) == len(tree.body):
            return
        tree.body = kept


def _private_name(statement: ast.stmt) -> str | None:
    name = None
    if isinstance(statement, ast.FunctionDef):
        name = statement.name
    elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        name = statement.targets[0].id
    return name if name is not None and name.startswith("_") and not name.startswith("__") else None


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return a body without its docstring, nor strings that document what stands above them."""
    return [one for one in body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
