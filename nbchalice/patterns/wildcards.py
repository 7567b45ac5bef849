"""Texts with ``*``: their syntax, the regular expression that matches them, and how complex they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

from nbchalice.patterns.refusal import InvalidPatternError

STAR = None
# EventBridge's limit is not published. "*:*:*:*:*:event-bus/*", which its documentation calls too complex, measures 11
# here, and "/Users/*/dir/dir/dir/dir/dir/doc.txt", which it takes, 7.
MOST_PLACES = 10
MOST_STEPS = 3000
TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a"
    " wildcard character"
)


def parse_wildcard(text: str) -> list[str | None]:
    r"""Return the characters of a wildcard, `STAR` for each ``*``; ``\*`` and ``\\`` stand for themselves.

    Raises
    ------
    InvalidPatternError
        Two ``*`` in a row, or a backslash before another character.
    """
    tokens: list[str | None] = []
    characters = iter(enumerate(text))
    for place, character in characters:
        if character == "*":
            if text[place + 1 : place + 2] == "*":
                raise InvalidPatternError(f"Consecutive wildcard characters at pos {_position(text, place)}")
            tokens.append(STAR)
        elif character == "\\":
            escaped = text[place + 1 : place + 2]
            if escaped not in {"*", "\\"}:
                raise InvalidPatternError(f"Invalid escape character at pos {_position(text, place)}")
            tokens.append(escaped)
            next(characters)
        else:
            tokens.append(character)
    return tokens


def _position(text: str, place: int) -> int:
    # AWS counts the bytes of the text within its quotation marks.
    return 1 + len(text[:place].encode("utf-8", "surrogatepass"))


def wildcard_expression(text: str) -> re.Pattern[str]:
    """Return a regular expression for a whole text that matches a wildcard."""
    parts = (".*" if token is STAR else re.escape(token) for token in parse_wildcard(text))
    return re.compile("".join(parts), re.DOTALL)


def check_complexity(wildcards: Iterable[str]) -> None:
    """Refuse the wildcards of one field, if a text may be at too many places of them at once.

    Parameters
    ----------
    wildcards : Iterable[str]
        Valid wildcards.

    Raises
    ------
    InvalidPatternError
        They are too complex.
    """
    parsed = [parse_wildcard(text) for text in sorted(set(wildcards))]
    alphabet = [*sorted({token for token in chain.from_iterable(parsed) if token is not STAR}), ""]
    begin = _with_stars_passed(parsed, {(index, 0) for index in range(len(parsed))})
    seen, waiting = {begin}, [begin]
    while waiting and len(seen) < MOST_STEPS:
        places = waiting.pop()
        for character in alphabet:
            moved = [_after(parsed, place) for place in places if _takes(parsed, place, character)]
            if len(moved) >= MOST_PLACES:
                raise InvalidPatternError(TOO_COMPLEX)
            following = _with_stars_passed(parsed, set(moved))
            if following not in seen:
                seen.add(following)
                waiting.append(following)


def _takes(parsed: list[list[str | None]], place: tuple[int, int], character: str) -> bool:
    index, position = place
    tokens = parsed[index]
    return position < len(tokens) and tokens[position] in {STAR, character}


def _after(parsed: list[list[str | None]], place: tuple[int, int]) -> tuple[int, int]:
    index, position = place
    return place if parsed[index][position] is STAR else (index, position + 1)


def _with_stars_passed(parsed: list[list[str | None]], places: set[tuple[int, int]]) -> frozenset[tuple[int, int]]:
    # A star also matches nothing: whoever is before it is behind it, too.
    behind = {(i, p + 1) for i, p in places if p < len(parsed[i]) and parsed[i][p] is STAR}
    return frozenset(places | behind)
