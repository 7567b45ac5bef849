"""A magic's line as words: as in a shell, but JSON that begins a word is taken as it is typed."""

from __future__ import annotations

import json
import re

from nbchalice.errors import InvalidInputError
from nbchalice.text import require_text

# Read piece by piece: shlex takes seconds for a message of a megabyte, as it puts words together letter by letter.
PIECE = re.compile(
    r"""(?P<blank>[ \t\r\n]+) | '(?P<literal>[^']*)' | "(?P<quoted>[^"\\]*(?:\\.[^"\\]*)*)" | \\(?P<escaped>.)
    | (?P<plain>[^ \t\r\n'"\\]+)""",
    re.DOTALL | re.VERBOSE,
)
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
        A quote is open, something would lose its quotes that begins like JSON and is none, or it is no text.
    """
    require_text([line], magic)
    words: list[str] = []
    word: list[str] | None = None
    place = 0
    while place < len(line):
        begin = BEGINS.match(line, place) if word is None else None
        if begin is not None:
            place = _end_of_json(line, begin.end(), magic)
            word = [begin.group(), line[begin.end() : place]]
            continue
        piece = PIECE.match(line, place)
        if piece is None:
            wrong = "no escaped character" if line[place] == "\\" else "no closing quotation"
            raise InvalidInputError(f"{magic}: {wrong}", "close the quote")
        place = piece.end()
        if piece["blank"] is None:
            word = [*(word or []), _text(piece)]
        elif word is not None:
            words.append("".join(word))
            word = None
    return words if word is None else [*words, "".join(word)]


def _text(piece: re.Match[str]) -> str:
    """Return what a piece of a word says: in double quotes a backslash hides a quote or a backslash only."""
    if piece["quoted"] is not None:
        return re.sub(r'\\(["\\])', r"\1", piece["quoted"])
    return next(piece[name] for name in ("literal", "escaped", "plain") if piece[name] is not None)


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
