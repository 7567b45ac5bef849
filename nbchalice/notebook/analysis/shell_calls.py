"""What is done by way of ``get_ipython()`` and has a plain form: ``run_cell("x = 2")``, ``user_ns["x"] = 2``, ``%env``.

Only statements outside of functions are read so: a function of the notebook is compared as it is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

_SHELL = "get_ipython"
_CALLS = {"run_cell": "exec", "ex": "exec", "ev": "eval", "push": "globals().update", "run_code": "exec"}
_SPACES = frozenset({"user_ns", "user_global_ns"})
_BODIES = frozenset({"time", "capture", "prun"})
_LINE_MAGIC = re.compile(r"(\s*)get_ipython\(\)\.(?:run_line_magic|run_magic|magic)\((.*)\)\s*;?\s*")
_CELL_MAGICS = frozenset({"run_cell_magic"})


class _Change(NamedTuple):
    """Text in the place of what stands between two positions of a line and column each; columns are of bytes."""

    start: tuple[int, int]
    end: tuple[int, int]
    text: str


def as_magic(line: str) -> str:
    """Return the magic that a line such as ``get_ipython().run_line_magic("env", "A=1")`` stands for, or the line.

    Parameters
    ----------
    line : str
        A line of a cell.
    """
    match = _LINE_MAGIC.fullmatch(line)
    if match is None:
        return line
    try:
        words = ast.literal_eval(f"({match[2]},)")
    except (SyntaxError, ValueError):
        return line
    text = " ".join(words) if all(isinstance(word, str) for word in words) else ""
    return f"{match[1]}%{text}" if text.strip() and "\n" not in text else line


def plain(text: str) -> str:
    """Return Python with the same lines in which the shell's calls outside of functions are plain ones.

    Parameters
    ----------
    text : str
        The Python of a cell.
    """
    if _SHELL not in text:
        return text
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return text
    shells = {_SHELL: True, **dict.fromkeys(_names_of_the_shell(tree), False)}
    parents: dict[ast.AST, ast.AST] = {}
    for node in _outside_functions(tree):
        parents |= dict.fromkeys(ast.iter_child_nodes(node), node)
    changes: list[_Change] = []
    for node in _outside_functions(tree):
        if isinstance(node, ast.Attribute) and _is_shell(node.value, shells):
            call = parents.get(node)
            changes += _changes(node, call if isinstance(call, ast.Call) and call.func is node else None)
    return _changed(text, changes) if changes else text


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from _outside_functions(child)


def _names_of_the_shell(tree: ast.Module) -> set[str]:
    """Return the names that are the shell and nothing else: of ``ip = get_ipython()``."""
    names: dict[str, bool] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            names[name] = names.get(name, True) and _is_shell(node.value, {_SHELL: True})
    return {name for name, only in names.items() if only}


def _is_shell(node: ast.expr, shells: dict[str, bool]) -> bool:
    called = isinstance(node, ast.Call) and not node.args
    name = node.func if isinstance(node, ast.Call) and called else node
    return isinstance(name, ast.Name) and shells.get(name.id) is called


def _changes(node: ast.Attribute, call: ast.Call | None) -> list[_Change]:
    if node.attr in _SPACES:
        return [_Change((node.lineno, node.col_offset), _end(node), "globals()")]
    if call is None or any(isinstance(one, ast.Starred) for one in call.args):
        return []
    if node.attr in _CELL_MAGICS and len(call.args) == 3 and not call.keywords:
        magic = call.args[0]
        known = isinstance(magic, ast.Constant) and magic.value in _BODIES
        return _called("exec", call, call.args[2]) if known else []
    if node.attr in _CALLS and call.args:
        return _called(_CALLS[node.attr], call, call.args[0])
    return []


def _called(name: str, call: ast.Call, argument: ast.expr) -> list[_Change]:
    """Call a function with nothing but one of the arguments; what else is given says how it is shown and kept."""
    if (
        isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and re.search(r"(?m)^\s*[%!]", argument.value)
    ):
        return []
    return [
        _Change((call.lineno, call.col_offset), (argument.lineno, argument.col_offset), f"{name}("),
        _Change(_end(argument), _end(call), ")"),
    ]


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _changed(text: str, changes: list[_Change]) -> str:
    lines = [line.encode() for line in text.split("\n")]
    for start, end, new in sorted(changes, reverse=True):
        before, after = lines[start[0] - 1][: start[1]], lines[end[0] - 1][end[1] :]
        kept = [b""] * (end[0] - start[0])  # lines keep their numbers
        whole = [before + new.encode() + after] if not kept else [before + new.encode(), *kept[1:], after]
        lines[start[0] - 1 : end[0]] = whole
    return b"\n".join(lines).decode()
