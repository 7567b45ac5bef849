"""What is called what: the names and texts of Python code by its syntax tree, and of other text by ``name = value``."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, NamedTuple

from nbchalice.notebook.secrets.names import by_name
from nbchalice.notebook.secrets.pairs import named_secrets
from nbchalice.notebook.secrets.shapes import by_shape
from nbchalice.notebook.secrets.texts import Text, parts_of, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMED = "a password or token"
_LONGEST_CODE = 100_000
"""Longer code is searched as text: Python takes seconds for the tree of a megabyte."""
_ROOTS = (
    "pass", "pw", "psw", "token", "secret", "key", "auth", "cred", "jwt",
    "bearer", "cookie", "_pat", "_sas", "login", "connect", "ftp",
)  # fmt: skip
"""In lower case, what a name or call has in it that is worth a look."""
_PAIR = re.compile(
    r"(?<![\w-])-{0,2}+([A-Za-z_][\w-]{0,60}+)[\"'\]]{0,2}+[ \t]{0,20}+(:=|=>|[:=])[ \t]{0,20}+"
    r"([rbuf]{0,2}+[\"'`]|)(?=([^\s\"'`,;&|<>{}\\\0]{6,100}+))",
    re.IGNORECASE,
)
"""The value is only looked at, as it may hold a pair, too: ``env=dict(password=...)``."""
_OPTION = re.compile(r"(?<!\S)--([A-Za-z][\w-]{1,40}+) {1,3}+[\"']?([^\s\"'`,;&|<>{}\\\0]{6,200}+)")


class Found(NamedTuple):
    """A credential: the lines it may be marked at, counted from 1, that of the credential first; and what it is."""

    lines: tuple[int, ...]
    what: str


def _worth_reading(text: str) -> bool:
    """Whether a text has a name in it that could be a credential's."""
    lowered = text.lower()
    return any(root in lowered for root in _ROOTS)


def in_text(text: str, *, quoted: bool = False) -> Iterator[tuple[int, str]]:
    """Yield where a text has a credential, and what it is.

    Parameters
    ----------
    text : str
        Any text: a value, a line.
    quoted : bool
        Whether it is code, in which a value without quotes is an expression. Default: no, ``Pwd=hunter2`` counts.
    """
    yield from by_shape(text)
    if not _worth_reading(text):
        return
    for match in _PAIR.finditer(text):
        name, sign, quote, value = match.groups()
        # Of "arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME" the name is no secret.
        inside = sign == ":" and text[match.start() - 1 : match.start()] in {":", "/"}
        if (quote or not quoted) and not inside and by_name(name, value):
            yield match.start(1), NAMED
    for match in () if quoted else _OPTION.finditer(text):
        if by_name(match[1], match[2]):
            yield match.start(1), NAMED


def in_code(code: str) -> Iterator[Found]:
    """Yield the credentials in Python code.

    Parameters
    ----------
    code : str
        A statement, or a line of one.
    """
    tree = _tree(code)
    read: set[int] = set()
    around: dict[int, tuple[int, ...]] = {}
    """For a line within a text, all lines of the text: a mark in it would be part of it, so that it stands behind."""
    for node in ast.walk(tree) if tree else ():
        yield from (Found(named.lines, NAMED) for named in named_secrets(node))
        if not isinstance(node, ast.expr) or id(node) in read:
            continue
        text = text_of(node)
        if text is not None:
            yield from _within(text)
            read.update(map(id, parts_of(node)))
            around.update(dict.fromkeys(text.lines, text.lines) if text.end > text.line else {})
    # Comments, and code that is too long or not Python.
    for start, what in in_text(code, quoted=True):
        line = code.count("\n", 0, start) + 1
        yield Found((line, *around.get(line, ())), what)


def _tree(code: str) -> ast.AST | None:
    if len(code) > _LONGEST_CODE or not _worth_reading(code):
        return None
    try:
        return ast.parse(code.lstrip(" \t"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _within(text: Text) -> Iterator[Found]:
    """Yield what is in a text of the code: connection strings, headers, configuration."""
    straight = len(text.lines) == text.value.count("\n") + 1
    """Whether each line of the text is a line of the code, as in three quotes."""
    for start, what in in_text(text.value):
        line = text.line + (text.value.count("\n", 0, start) if straight else 0)
        yield Found((line, *text.lines), what)
