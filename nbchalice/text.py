"""Small pieces of text for people: sizes, and the name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MB = 1024 * 1024


def readable(size: int) -> str:
    """Return a number of bytes as a person reads it, for example `12.3 KB` or `50 MB`.

    Parameters
    ----------
    size: bytes; a KB is 1,024 of them, as in AWS's limits.
    """
    if size < 1024:
        return f"{size} bytes"
    value, unit = (size / MB, "MB") if size >= MB else (size / 1024, "KB")
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, for example the one that begins so; None if none is near."""
    names = list(known)
    longer = [one for one in names if len(name) > 3 and one.startswith(name)]
    found = longer or difflib.get_close_matches(name, names, 1)
    return found[0] if found else None


def near(name: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """Return which known name was probably meant, as the end of a sentence.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What could have been.
    otherwise : str, optional
        What to return if no name is near. The default lists all of them.
    """
    names = list(known)
    found = nearest(name, names)
    return f"did you mean {found}?" if found else otherwise or f"there are {', '.join(names)}"
