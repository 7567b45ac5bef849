"""A magic's line as words: as in a shell, but JSON that begins a word is taken as it is typed."""

from __future__ import annotations

import json
import re
import shlex

from nbchalice.errors import InvalidInputError

QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", re.DOTALL)
# Where a value may begin: at a blank, or behind `--filter=`.
BEGINS = re.compile(r"(?:--[\w-]+=)?(?=[{\[])")
FIX = 'put JSON into single quotes: --option \'{"key": ["value"]}\''


def split_line(line: str, magic: str) -> list[str]:
    """Return the words of a magic's line.

    A shell takes the quotes out of ``--filter {"a": ["b"]}``; in a notebook they can only be meant.

    Parameters
    ----------
    line : str
        What stands behind the magic.
    magic : str
        The magic, for the error.

    Raises
    ------
    InvalidInputError
        A quote is open, or something would lose its quotes that begins like JSON and is none.
    """
    try:
        return shlex.split(_with_json_quoted(line, magic))
    except ValueError as error:
        raise InvalidInputError(f"{magic}: {str(error).lower()}", "close the quote") from None


def _with_json_quoted(line: str, magic: str) -> str:
    done, place, at_start = [], 0, True
    while place < len(line):
        begin = BEGINS.match(line, place) if at_start else None
        if begin is not None:
            end = _end_of_json(line, begin.end(), magic)
            done.append(begin.group() + shlex.quote(line[begin.end() : end]))
        else:
            quoted = QUOTED.match(line, place)
            end = quoted.end() if quoted else place + 1
            done.append(line[place:end])
        at_start = line[end - 1].isspace() and begin is None
        place = end
    return "".join(done)


def _end_of_json(line: str, place: int, magic: str) -> int:
    """Return where the JSON ends that begins at a place; the end of the word where nothing is lost by splitting."""
    word = re.compile(r"\S*").match(line, place)
    assert word is not None
    try:
        _, end = json.JSONDecoder().raw_decode(line, place)
        if end == len(line) or line[end].isspace():
            return end
        wrong = f"something stands behind it: {line[end:]!r}"
    except ValueError as error:
        wrong = str(error).split(":")[0].lower()
    if not re.search(r"[\"']", line[place:]):
        return word.end()
    raise InvalidInputError(f"{magic}: {line[place:]!r} begins like JSON and is none ({wrong})", FIX)
