"""Make nbchalice's own source smaller without changing what it does on Lambda.

Comments, docstrings, annotations of functions and variables, imports that only those needed, empty lines, blanks beside
operators and wide indentation go. What stays is cut out of the original, never written anew, so every Python gives the
same bytes. Nothing of this touches the code of a notebook or of local modules.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import NamedTuple

from nbchalice.packaging.imports import is_type_checking

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DOCUMENTED = (ast.Module, ast.ClassDef, *_FUNCTIONS)
_ONLY_FOR_TYPES = frozenset({"typing", "collections.abc", "types"})
_INDENT = 4


class _Cut(NamedTuple):
    start: int
    end: int
    instead: bytes = b""


def strip_source(source: str) -> str:
    """Return Python source without what only people and type checkers read.

    Parameters
    ----------
    source : str
        The text of a module; it must not look at the annotations of its functions.

    Returns
    -------
    The shorter module. Strings keep every character; annotations in class bodies stay, for dataclasses.

    Raises
    ------
    SyntaxError
        The source is not valid for the running Python.
    """
    for find in (_cuts_of_text, _cuts_of_imports, _cuts_of_blanks):
        source = _apply(source, find)
    return _narrow(source)


class _Text:
    """A source with its tree, and byte offsets of places in it."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.tree = ast.parse(source)
        self.content = source.encode()
        self.lines = source.splitlines(keepends=True)
        self._starts = [0, *accumulate(len(line.encode()) for line in self.lines)]

    def at(self, row: int, column: int) -> int:
        """Return the offset of a row (from 1) and column (in bytes)."""
        return self._starts[row - 1] + column

    def start(self, node: ast.stmt | ast.expr | ast.arg) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.stmt | ast.expr | ast.arg) -> int:
        return self.at(node.end_lineno or 0, node.end_col_offset or 0)


def _apply(source: str, find: Callable[[_Text], Iterator[_Cut]]) -> str:
    text = _Text(source)
    content, position, parts = text.content, 0, []
    for cut in sorted(set(find(text))):
        if cut.start >= position:
            parts += [content[position : cut.start], cut.instead]
            position = cut.end
    return b"".join([*parts, content[position:]]).decode()


def _cuts_of_text(text: _Text) -> Iterator[_Cut]:
    for token in tokenize.generate_tokens(io.StringIO(text.source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            before = len(text.lines[row - 1][:column].encode())
            yield _Cut(text.at(row, before), text.at(row, before + len(token.string.encode())))
    # The annotations of a class stay: dataclasses, NamedTuple and pydantic make fields of them.
    in_class: set[int] = set()
    for node in ast.walk(text.tree):
        if isinstance(node, ast.ClassDef):
            in_class.update(map(id, node.body))
    for node in ast.walk(text.tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            yield _Cut(text.start(node.body[0]), text.end(node.body[0]), b"" if _may_go(text, node) else b"0")
        if isinstance(node, _FUNCTIONS) and node.returns:
            arrow = text.content.rindex(b"->", 0, text.start(node.returns))
            yield _Cut(arrow, text.end(node.returns))
        elif isinstance(node, ast.arg) and node.annotation:
            yield _Cut(text.start(node) + len(node.arg.encode()), text.end(node.annotation))
        elif isinstance(node, ast.AnnAssign) and node.value and id(node) not in in_class and _is_bare(text, node):
            yield _Cut(text.end(node.target), text.end(node.annotation))


def _is_bare(text: _Text, node: ast.AnnAssign) -> bool:
    """Tell whether the target of an annotation, such as ``self.rows: list[int] = []``, has no parentheses."""
    return text.content[text.end(node.target) : text.start(node.annotation)].strip() == b":"


def _may_go(text: _Text, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a docstring has lines of its own and is not the whole body."""
    first = node.body[0]
    line = text.lines[(first.end_lineno or 1) - 1].encode()[first.end_col_offset :]
    alone = not line.strip() or line.strip().startswith(b"#")
    return alone and (len(node.body) > 1 or isinstance(node, ast.Module))


def _cuts_of_imports(text: _Text) -> Iterator[_Cut]:
    used = {node.id for node in ast.walk(text.tree) if isinstance(node, ast.Name)}
    used |= set(re.findall(r"\w+", " ".join(_strings(text.tree))))
    for node in text.tree.body:
        if isinstance(node, ast.If) and is_type_checking(node.test) and not node.orelse:
            yield _Cut(text.start(node), text.end(node))
            used -= {"TYPE_CHECKING"}
    for node in text.tree.body:
        if isinstance(node, ast.ImportFrom) and node.module in _ONLY_FOR_TYPES:
            kept = [alias for alias in node.names if (alias.asname or alias.name) in used]
            statement = ast.unparse(ast.ImportFrom(node.module, kept, node.level)) if kept else ""
            yield _Cut(text.start(node), text.end(node), statement.encode())


def _cuts_of_blanks(text: _Text) -> Iterator[_Cut]:
    """Find the blanks beside operators, as in ``total = rows[0]``, but for those within an f-string."""
    depth, before = 0, None
    for token in tokenize.generate_tokens(io.StringIO(text.source).readline):
        beside = before is not None and before.end[0] == token.start[0] and tokenize.OP in {before.type, token.type}
        # 1 .real is no 1.real
        if before is not None and beside and not depth and not (before.type == tokenize.NUMBER and token.string == "."):
            row, line = token.start[0], text.lines[token.start[0] - 1]
            start, end = len(line[: before.end[1]].encode()), len(line[: token.start[1]].encode())
            yield _Cut(text.at(row, start), text.at(row, end))
        # Before Python 3.12 an f-string is one token.
        name = tokenize.tok_name[token.type]
        depth += (name == "FSTRING_START") - (name == "FSTRING_END")
        before = token


def _strings(tree: ast.Module) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _narrow(source: str) -> str:
    """Drop empty lines and indent by one blank, except inside strings."""
    text = _Text(source)
    inside = _rows_inside_strings(text.tree)
    # Only levels of four blanks become one each: a file with tabs, or with two blanks a level, stays as it is.
    regular = all(
        token.string == " " * len(token.string) and len(token.string) % _INDENT == 0
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.INDENT
    )
    lines = []
    for row, line in enumerate(text.lines, 1):
        if row in inside:
            lines.append(line)
        elif stripped := line.strip():
            depth = len(line) - len(line.lstrip())
            ending = line.rstrip("\n") if row + 1 in inside else line[:depth] + stripped
            lines.append((" " * (depth // _INDENT) if regular else line[:depth]) + ending[depth:] + "\n")
    return "".join(lines)


def _rows_inside_strings(tree: ast.Module) -> set[int]:
    """Return the rows that begin inside a string; parts of f-strings have no reliable place before Python 3.12."""
    rows: set[int] = set()
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Constant | ast.JoinedStr):
            rows.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
        else:
            todo.extend(ast.iter_child_nodes(node))
    return rows
