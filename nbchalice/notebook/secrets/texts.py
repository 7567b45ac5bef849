"""The texts of Python code, put together from their parts, and those that a value can turn out to be."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HOLE = "\0"
"""Stands in a text for what is put in: ``f"Pwd={password}"``."""
DEFAULTS = frozenset({"default", "fallback"})
"""Arguments that are the value where there is no other."""
_WITH_DEFAULT = frozenset({"get", "getenv", "setdefault", "pop", "getattr"})
"""Calls that give their second argument where there is no other value."""
_PASSED_ON = frozenset({"str", "bytes", "bytearray", "SecretStr", "SecretBytes", "b64decode", "Field", "field"})
"""Calls that give their first argument in another form."""
_SAME = frozenset({"encode", "decode", "strip", "lstrip", "rstrip", "format", "lower", "upper", "replace"})
"""Methods that give their text in another form."""


class Text(NamedTuple):
    """A text in the code, with its first and last line."""

    value: str
    line: int
    end: int

    @property
    def lines(self) -> tuple[int, ...]:
        """All its lines."""
        return tuple(range(self.line, self.end + 1))


def text_of(node: ast.AST) -> Text | None:
    """Return the text that an expression is, bytes too; None: it is none.

    Parameters
    ----------
    node : ast.AST
        For example ``"a"``, ``b"a"``, ``f"a{x}"``, ``"a" + x`` or ``"a%s" % x``.
    """
    value = _value(node)
    if value is None or not isinstance(node, ast.expr):
        return None
    return Text(value, node.lineno, node.end_lineno or node.lineno)


def _value(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.Constant(value=bytes(value)):
            return value.decode("latin-1")
        case ast.JoinedStr(values=values):
            return "".join(_value(value) or HOLE for value in values)
        case ast.BinOp(op=ast.Add()):
            pieces = [_value(part) for part in _summands(node)]
            return "".join(piece or HOLE for piece in pieces) if any(pieces) else None
        case ast.BinOp(left=left, op=ast.Mod()):
            return _value(left)
    return None


def _summands(node: ast.expr) -> list[ast.expr]:
    """Return ``a``, ``b`` and ``c`` of ``a + b + c``, which is ``(a + b) + c``."""
    right = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        right.append(node.right)
        node = node.left
    return [node, *reversed(right)]


def parts_of(node: ast.expr) -> list[ast.expr]:
    """Return the nodes that are read already where a text is read.

    Parameters
    ----------
    node : ast.expr
        A text's node.
    """
    if isinstance(node, ast.JoinedStr):
        return node.values
    parts: list[ast.expr] = []
    while isinstance(node, ast.BinOp):
        node = node.left
        parts.append(node)
    return parts


def texts_of(node: ast.expr) -> Iterator[Text]:
    """Yield the texts that a value can be: ``"a"``, ``x or "a"``, ``getenv("X", "a")``, ``b"a".decode()``.

    Parameters
    ----------
    node : ast.expr
        The value.
    """
    todo = [node]
    while todo:
        node = todo.pop()
        text = text_of(node)
        if text is not None:
            yield text._replace(value=text.value.replace(HOLE, ""))
            continue
        match node:
            case ast.BoolOp(values=values):
                todo += values
            case ast.IfExp(body=body, orelse=other):
                todo += [body, other]
            case ast.NamedExpr(value=value):
                todo.append(value)
            case ast.Call():
                todo += _given_back(node)


def _given_back(node: ast.Call) -> Iterator[ast.expr]:
    """Yield what of a call may be what it gives back."""
    name = called(node)
    if name in _SAME and isinstance(node.func, ast.Attribute):
        yield node.func.value
    if name in _PASSED_ON:
        yield from node.args[:1]
    if name in _WITH_DEFAULT:
        yield from node.args[1:]
    yield from (given.value for given in node.keywords if given.arg in DEFAULTS)


def called(node: ast.Call) -> str:
    """Return the last name of what is called.

    Parameters
    ----------
    node : ast.Call
        For example ``os.environ.get("X")``, which gives ``get``.
    """
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""
