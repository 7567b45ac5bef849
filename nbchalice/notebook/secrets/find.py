"""Find credentials in code and in values."""

from __future__ import annotations

import re
from functools import lru_cache

from nbchalice.notebook.secrets.names import by_name
from nbchalice.notebook.secrets.reading import NAMED, Found, in_code, in_text

MARK = "# pragma: allowlist secret"
"""Ends a line that holds no credential, though it looks so; other tools know it, too."""
_MARK = re.compile(r"pragma:\s{0,8}allowlist secret")


def find_secret(text: str) -> str | None:
    """Name the kind of credential in Python code, or None.

    Parameters
    ----------
    text : str
        A line or statement. One that is no Python is searched as far as it goes.
    """
    return next((secret.what for secret in unmarked(text)), None)


def find_secret_value(name: str, value: str) -> str | None:
    """Name the kind of credential in a value, or None.

    Parameters
    ----------
    name : str
        What the value is called: a variable, a key; empty if nothing is known.
    value : str
        Any text.
    """
    if by_name(name, value):
        return NAMED
    return next((what for _, what in in_text(value)), None)


@lru_cache(maxsize=1024)
def shown_line(line: str) -> str | None:
    """Return a line of code as an error may show it; None: it holds a credential, marked or not.

    Parameters
    ----------
    line : str
        A line of a cell or file.
    """
    return None if next(in_code(line), None) else line


# More than a long notebook has statements, of which each is asked for every handler: of fewer none would be found.
@lru_cache(maxsize=16_384)
def unmarked(text: str) -> tuple[Found, ...]:
    """Return the credentials in code that no mark lets through, one for each line.

    Parameters
    ----------
    text : str
        A statement, or any text.
    """
    marked = {at for at, line in enumerate(text.split("\n"), 1) if _MARK.search(line)}
    by_line: dict[int, Found] = {}
    for secret in in_code(text):
        if marked.isdisjoint(secret.lines):
            by_line.setdefault(secret.lines[0], secret)
    return tuple(by_line[line] for line in sorted(by_line))
