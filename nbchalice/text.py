"""Small pieces of text for people: counts, sizes, and the name that was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from nbchalice.errors import InvalidInputError

MB = 1024 * 1024
# Python stands surrogates for bytes that it cannot decode.
NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return a number of things as a person says it: ``1 message``, ``2 messages``, ``1,200 messages``.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        What they are, in the singular.
    nouns : str
        The plural. Default: the singular with an s.
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def readable(size: int) -> str:
    """Return a number of bytes as a person reads it, for example `12.3 KB` or `50 MB`.

    Parameters
    ----------
    size : int
        Bytes; a KB is 1,024 of them, as in AWS's limits.
    """
    if size < 1024:
        return counted(size, "byte")
    value, unit = (size / MB, "MB") if size >= MB else (size / 1024, "KB")
    return f"{value:.1f}".removesuffix(".0") + f" {unit}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was probably meant, or None; the dashes of options do not make names alike.

    Parameters
    ----------
    name : str
        What was written, for example ``--environment``.
    known : iterable of str
        What could have been, for example ``--env`` and ``--requirements``.
    """
    names = {one.strip("-"): one for one in known}
    typed = name.strip("-")
    longer = [one for one in names if len(typed) > 1 and one.startswith(typed)]
    shorter = sorted((one for one in names if len(one) > 1 and typed.startswith(one)), key=len, reverse=True)
    meant = longer or shorter or [likeliest(typed, names)]
    return names.get(meant[0])


def likeliest(name: str, known: Iterable[str], alike: float = 0.6) -> str:
    """Return the known name that is most like another one, or an empty text.

    Parameters
    ----------
    name : str
        What was written.
    known : iterable of str
        What could have been.
    alike : float
        How alike they must be, from 0 to 1 (difflib's measure). Default: 0.6, which is difflib's own.
    """
    return next(iter(difflib.get_close_matches(name, list(known), 1, alike)), "")


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
    meant = nearest(name, names)
    return f"did you mean {meant}?" if meant else otherwise or listing(names)


def listing(names: Iterable[str], what: str = "") -> str:
    """Return ``there is only price`` or ``there are price and ship``; with ``what``, ``the only handler is price``.

    Parameters
    ----------
    names : Iterable[str]
        What there is.
    what : str
        What it is, in the singular. Default: it goes without saying.
    """
    known = list(names)
    if not known:
        return f"there is no {what}" if what else "there is none"
    if len(known) == 1:
        return f"the only {what} is {known[0]}" if what else f"there is only {known[0]}"
    return f"the {what}s are {joined(known)}" if what else f"there are {joined(known)}"


def joined(names: Iterable[str]) -> str:
    """Return names as a list in a sentence: ``a, b and c``.

    Parameters
    ----------
    names : Iterable[str]
        At least one.
    """
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def by_text(texts: Mapping[str, str]) -> list[str]:
    """Return each text once, behind all the names that it is said of: ``a and b: it stays``.

    Parameters
    ----------
    texts : Mapping[str, str]
        What is said of each name.
    """
    names: dict[str, list[str]] = {}
    for name, text in texts.items():
        names.setdefault(text, []).append(name)
    return [f"{joined(some)}: {text}" for text, some in names.items()]


def as_written(html: str) -> str:
    """Return HTML for an output in which JupyterLab looks for no formulas: a log may have two dollar signs.

    Parameters
    ----------
    html : str
        What is shown.
    """
    return f'<div class="mathjax_ignore">{html}</div>'


def require_text(words: Iterable[str], what: str) -> None:
    """Refuse what no encoding has: half a character, or in a shell bytes that are not of its encoding.

    Parameters
    ----------
    words : Iterable[str]
        As typed.
    what : str
        The magic or command, for the error.
    """
    if wrong := next((word for word in words if NO_TEXT.search(word)), None):
        hint = "type it anew; a file whose name has such bytes must be renamed"
        raise InvalidInputError(f"{what}: {wrong[:60]!a} is no text: it has bytes that are not UTF-8, or NUL", hint)
