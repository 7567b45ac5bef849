"""Names in the texts of code: in text that is Python itself, in format strings, in annotations."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from itertools import chain

from nbchalice.notebook.analysis.known_calls import words

WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_FILLS = words("format format_map substitute safe_substitute eval exec evaluate timeit repeat run runctx Timer sqldf")
_GENERICS = words("list dict tuple set frozenset type")


def text_of(node: ast.expr) -> str | None:
    """Return the text that a literal is, or None."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name, or an empty text."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def names_in(text: str) -> frozenset[str] | None:
    """Return the names in a text that is Python, or None if it is not."""
    try:
        tree = ast.parse(text.strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return frozenset(part.id for part in ast.walk(tree) if isinstance(part, ast.Name))


def formatted_names(call: ast.AST) -> frozenset[str] | None:
    """Return the names in a text that is filled in or run with all variables, or None if there is no such text."""
    if not isinstance(call, ast.BinOp) and not (isinstance(call, ast.Call) and last_name(call.func) in _FILLS):
        return None
    texts = [part.value for part in ast.walk(call) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return frozenset(chain.from_iterable(map(WORD.findall, texts))) if texts else None


def field_names(text: str) -> Iterator[str]:
    """Give the names in the braces of a format string."""
    if "{" in text:
        try:
            for _, name, _, _ in string.Formatter().parse(text):
                yield from WORD.findall(name or "")[:1]
        except ValueError:
            return


def annotations_of(node: ast.AST) -> Iterator[ast.expr]:
    """Give the annotations that stand directly at a node, and what is a type by its form."""
    if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
        yield node.annotation
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
        yield node.returns
    elif isinstance(node, ast.Subscript):
        name = last_name(node.value)  # Orders = list["Order"]
        if name in _GENERICS or (name[:1].isupper() and not name.isupper()):
            yield node


def types_in(node: ast.AST) -> Iterator[ast.Constant]:
    """Give an annotation's texts that stand for types: not those of ``Literal``, nor the notes of ``Annotated``."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
    elif isinstance(node, ast.Subscript):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        kept = {"Literal": 0, "Annotated": 1}.get(last_name(node.value), len(inner))
        for one in inner[:kept]:
            yield from types_in(one)
    elif isinstance(node, ast.BinOp | ast.List | ast.Tuple):
        for child in ast.iter_child_nodes(node):
            yield from types_in(child)
