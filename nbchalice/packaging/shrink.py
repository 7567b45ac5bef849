"""Make Python source smaller without changing what it does: drop comments, docstrings and empty lines.

What stays is cut out of the original, never written anew, so every Python version gives the same bytes.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def strip_source(source: str) -> str:
    """Return Python source without comments, docstrings and empty lines.

    Parameters
    ----------
    source: the text of a module.

    Returns
    -------
    The shorter module. Strings that span lines keep every character.

    Raises
    ------
    SyntaxError: the source is not valid for the running Python.
    """
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    for row, column in _comments(source):
        lines[row - 1] = lines[row - 1][:column].rstrip() + "\n"
    for node, alone in _docstrings(tree):
        _blank(lines, node, "pass" if alone else "")
    kept = _rows_inside_strings(tree)
    return "".join(line for row, line in enumerate(lines, 1) if line.strip() or row in kept)


def _comments(source: str) -> Iterator[tuple[int, int]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start


def _docstrings(tree: ast.Module) -> Iterator[tuple[ast.expr, bool]]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            assert isinstance(first, ast.Expr)
            yield first.value, len(node.body) == 1


def _blank(lines: list[str], node: ast.expr, replacement: str) -> None:
    """Replace a docstring that has its lines to itself; one that shares a line stays."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before = lines[first].encode()[: node.col_offset].decode()
    after = lines[last].encode()[node.end_col_offset or 0 :].decode()
    if after.strip() or (before.strip() and not replacement):
        return
    lines[first : last + 1] = [before + replacement + "\n", *["\n"] * (last - first)]


def _rows_inside_strings(tree: ast.Module) -> set[int]:
    rows: set[int] = set()
    docstrings = {id(node) for node, _ in _docstrings(tree)}
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Constant | ast.JoinedStr):
            if id(node) not in docstrings:
                rows.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        else:
            todo.extend(ast.iter_child_nodes(node))
    return rows
