"""Folders that a notebook adds to `sys.path`, read from its cells: without a kernel nobody has run them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbchalice.notebook.analysis.statements import split_cell
from nbchalice.notebook.cells import Cell

_ADDS = frozenset({"sys.path.append", "sys.path.insert", "sys.path.extend"})


def added_folders(cells: Iterable[Cell], folder: Path) -> list[Path]:
    """Return the folders that `sys.path.append(...)` and its kind add, as far as their texts tell.

    Parameters
    ----------
    cells : Iterable[Cell]
        The notebook's cells.
    folder : Path
        The notebook's folder, which relative paths begin at.

    Returns
    -------
    The folders that exist. Of an expression the texts count, joined (`os.path.abspath(os.path.join("..", "src"))`), and
    each `.parent` is one up; a name stands for what the same cell assigns to it.
    """
    paths = []
    for cell in cells:
        if "sys.path" in cell.source:
            paths += [folder.joinpath(*parts) for parts in _added(_tree(cell.source))]
    return [path for path in dict.fromkeys(paths) if path.is_dir()]


def _tree(source: str) -> ast.AST:
    text = "\n".join(statement.text for statement in split_cell(source).statements)
    try:
        tree: ast.AST = compile(text, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:  # a magic within a block
        tree = ast.Module([], [])
    return tree


def _added(tree: ast.AST) -> Iterator[list[str]]:
    named: dict[str, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            named |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _ADDS and node.args:
            last = node.args[-1]
            for value in last.elts if isinstance(last, ast.List | ast.Tuple) else [last]:
                path = named.get(value.id, value) if isinstance(value, ast.Name) else value
                if parts := _parts(path):
                    yield parts


def _parts(value: ast.expr) -> list[str]:
    """Return the parts of the path that an expression stands for, relative to the current folder."""
    nodes = list(ast.walk(value))
    up = [".." for node in nodes if isinstance(node, ast.Attribute) and node.attr in ("parent", "pardir")]
    constants = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    texts = [str(node.value) for node in sorted(constants, key=lambda node: (node.lineno, node.col_offset))]
    return [*up, *texts] or (["."] if "getcwd" in ast.unparse(value) or "cwd()" in ast.unparse(value) else [])
