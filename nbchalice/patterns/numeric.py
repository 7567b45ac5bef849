"""Ranges of numbers, such as ``[">", 0, "<=", 5]``."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable
from typing import Any, NoReturn, TypeGuard

from nbchalice.patterns.refusal import InvalidPatternError

Number = int | float
Within = Callable[[Any], bool]
END = object()
COMPARE: dict[str, Callable[[Number, Number], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
EXAMPLE = 'write for example [">", 0, "<=", 5]'


def is_number(value: object) -> TypeGuard[Number]:
    """Whether a value of JSON is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def range_of(value: object) -> Within:
    """Return whether a number is within a range.

    Raises
    ------
    InvalidPatternError
        AWS refuses the range: only a lower bound may be followed by an upper one.
    """
    if not isinstance(value, list):
        _refuse("Value of numeric must be an array.")
    sign, bound, upper_sign, upper, rest = ([*value, END, END, END, END, END])[:5]
    if not isinstance(sign, str):
        _refuse(f"Invalid member in numeric match: {_shown(sign)}")
    if sign not in COMPARE:
        _refuse(f"Unrecognized numeric range operator: {sign}")
    if not is_number(bound):
        _refuse(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    compare = COMPARE[sign]
    if upper_sign is END:
        return lambda number: compare(number, bound)
    if sign not in {">", ">="}:
        _refuse("Too many elements in numeric expression")
    if not isinstance(upper_sign, str):
        _refuse(f"Bad value in numeric range: {_shown(upper_sign)}")
    if upper_sign not in {"<", "<="}:
        _refuse(f"Bad numeric range operator: {upper_sign}")
    if not is_number(upper):
        _refuse(f"Value of {upper_sign} must be numeric")
    if rest is not END:
        _refuse("Too many terms in numeric range expression")
    if bound >= upper:
        _refuse("Bottom must be less than top")
    compare_upper = COMPARE[upper_sign]
    return lambda number: compare(number, bound) and compare_upper(number, upper)


def _refuse(reason: str) -> NoReturn:
    raise InvalidPatternError(reason, EXAMPLE)


def _shown(member: object) -> str:
    """Return a member as AWS prints the token at which it stopped: ``]`` for the end, ``[`` for a list."""
    if member is END:
        return "]"
    return json.dumps(member)[:1] if isinstance(member, list | dict) else json.dumps(member)
