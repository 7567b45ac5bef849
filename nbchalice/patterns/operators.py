"""The rules of a field: what each operator wants, and which values pass it.

A rule that AWS refuses raises `InvalidPatternError` with AWS's words. The order of the checks is that of AWS, which
reads a rule from the left to the right and stops at the first thing that is wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from nbchalice.patterns.addresses import address_of, network_of
from nbchalice.patterns.dialects import Dialect
from nbchalice.patterns.numeric import is_number, range_of
from nbchalice.patterns.refusal import InvalidPatternError
from nbchalice.patterns.wildcards import wildcard_expression

Test = Callable[[Any], bool]
ONE_KEY = "Only one key allowed in match expression"
NO_VALUE_OF_BUT = "Value of anything-but must be an array or single string/number value."


@dataclass(frozen=True)
class Rule:
    """One of the rules of a field.

    Parameters
    ----------
    passes : Test
        Whether a value of the field passes.
    absent : bool
        Whether it is passed by events that do not have the field, and by no others.
    wildcards : tuple[str, ...]
        The wildcards in it.
    """

    passes: Test
    absent: bool = False
    wildcards: tuple[str, ...] = ()


def rule_of(value: object, dialect: Dialect) -> Rule:
    """Return the rule that a member of a field's list stands for.

    Raises
    ------
    InvalidPatternError
        AWS refuses it.
    """
    if isinstance(value, dict):
        return _expression(value, dialect)
    if isinstance(value, list) or (isinstance(value, float) and not math.isfinite(value)):
        _refuse("Match value must be String, number, true, false, or null")
    return Rule(_equal_to(value))


def _expression(expression: dict[str, object], dialect: Dialect) -> Rule:
    if not expression:
        _refuse("Match expression name not found")
    operator, value = next(iter(expression.items()))
    if operator not in dialect.operators:
        _refuse(f"Unrecognized match type {operator}", f"{dialect.name} has {', '.join(dialect.operators)}")
    rule = OPERATORS[operator](value, dialect)
    if len(expression) > 1:
        several = "Too many elements in numeric expression"
        _refuse(several if operator in {"anything-but", "numeric"} else ONE_KEY, "write a rule for each")
    return rule


def _refuse(reason: str, fix: str = "") -> NoReturn:
    raise InvalidPatternError(reason, fix)


def _text(value: object, operator: str) -> str:
    if not isinstance(value, str):
        _refuse(f"{operator} match pattern must be a string")
    return value


def _equal_to(wanted: object) -> Test:
    if is_number(wanted):
        return lambda value: is_number(value) and value == wanted
    if (address := address_of(wanted)) is not None:
        return lambda value: value == wanted or address_of(value) == address
    return lambda value: type(value) is type(wanted) and value == wanted


def _of_text(expression: re.Pattern[str]) -> Test:
    return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


def _ignoring_case(text: str, before: str = "", after: str = "") -> Test:
    """Return a test that takes each character in lower or in upper case."""
    cases = ({character.lower(), character.upper()} for character in text)
    either = ("|".join(re.escape(case) for case in sorted(both)) for both in cases)
    return _of_text(re.compile(before + "".join(f"(?:{both})" for both in either) + after, re.DOTALL))


def _prefix(value: object, dialect: Dialect) -> Rule:
    if isinstance(value, dict) and dialect.ends_ignore_case:
        return Rule(_ignoring_case(_end_ignoring_case(value, "prefix"), after=".*"))
    text = _text(value, "prefix")
    return Rule(lambda value: isinstance(value, str) and value.startswith(text))


def _suffix(value: object, dialect: Dialect) -> Rule:
    if isinstance(value, dict) and dialect.ends_ignore_case:
        return Rule(_ignoring_case(_end_ignoring_case(value, "suffix"), before=".*"))
    text = _text(value, "suffix")
    return Rule(lambda value: isinstance(value, str) and value.endswith(text))


def _end_ignoring_case(value: dict[str, object], operator: str) -> str:
    """Return the text of ``{"prefix": {"equals-ignore-case": "x"}}``."""
    if not value:
        _refuse(f"{operator.title()} expression name not found")
    name, text = next(iter(value.items()))
    if name != "equals-ignore-case":
        _refuse(f"Unsupported {operator} pattern: {name}")
    ending = _text(text, name)
    if len(value) > 1:
        _refuse(ONE_KEY)
    return ending


def _exactly(value: object, dialect: Dialect) -> Rule:
    text = _text(value, "exact")
    return Rule(lambda value: isinstance(value, str) and value == text)


def _equals_ignore_case(value: object, dialect: Dialect) -> Rule:
    return Rule(_ignoring_case(_text(value, "equals-ignore-case")))


def _wildcard(value: object, dialect: Dialect) -> Rule:
    text = _text(value, "wildcard")
    return Rule(_of_text(wildcard_expression(text)), wildcards=(text,))


def _numeric(value: object, dialect: Dialect) -> Rule:
    within = range_of(value)
    return Rule(lambda value: is_number(value) and within(value))


def _cidr(value: object, dialect: Dialect) -> Rule:
    network = network_of(_text(value, "prefix"))  # AWS's own word for it
    return Rule(lambda value: (address := address_of(value)) is not None and address in network)


def _exists(value: object, dialect: Dialect) -> Rule:
    if not isinstance(value, bool):
        _refuse("exists match pattern must be either true or false.")
    if not value:
        return Rule(lambda value: False, absent=True)
    empty = (None, "") if dialect.present_means_filled else ()
    return Rule(lambda value: value not in empty)


def _anything_but(value: object, dialect: Dialect) -> Rule:
    if isinstance(value, dict):
        return _anything_but_rule(value, dialect)
    if not isinstance(value, str | list) and not is_number(value):
        _refuse(NO_VALUE_OF_BUT)
    values = value if isinstance(value, list) else [value]
    kinds = [isinstance(one, str) for one in values if isinstance(one, str) or is_number(one)]
    if len(kinds) < len(values):
        _refuse("Inside anything but list, start|null|boolean is not supported.")
    if len(set(kinds)) != 1:
        _refuse("Inside anything but list, either all values are number or string, mixed type is not supported")
    tests = [_same(one) for one in values]
    return Rule(lambda value: not any(test(value) for test in tests))


def _same(wanted: object) -> Test:
    if is_number(wanted):
        return _equal_to(wanted)
    return lambda value: isinstance(value, str) and value == wanted


def _anything_but_rule(value: dict[str, object], dialect: Dialect) -> Rule:
    """Return the rule of an operator within ``anything-but``, such as ``{"prefix": ["a", "b"]}``."""
    if not value:
        _refuse("Anything-But expression name not found")
    operator, wanted = next(iter(value.items()))
    if operator not in dialect.negated:
        _refuse(f"Unsupported anything-but pattern: {operator}", f"{dialect.name} has {', '.join(dialect.negated)}")
    texts = _negated_texts(operator, wanted) if dialect.negated_lists else [_text(wanted, operator)]
    if operator in {"prefix", "suffix"} and "" in texts:
        _refuse("Null prefix/suffix not allowed")
    rules = [OPERATORS[operator](text, dialect) for text in texts]
    if len(value) > 1:
        _refuse("Too many elements in numeric expression", "write a rule for each")
    wildcards = tuple(texts) if operator == "wildcard" else ()
    return Rule(lambda value: not any(rule.passes(value) for rule in rules), wildcards=wildcards)


def _negated_texts(operator: str, wanted: object) -> list[str]:
    if not isinstance(wanted, str | list) and not is_number(wanted):
        _refuse(NO_VALUE_OF_BUT)
    values = wanted if isinstance(wanted, list) else [wanted]
    if not values:
        _refuse("Empty arrays are not allowed")
    texts = [value for value in values if isinstance(value, str)]
    if len(texts) == len(values):
        return texts
    if operator == "equals-ignore-case":
        _refuse("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
    _refuse(f"{'wildcard' if operator == 'wildcard' else 'prefix/suffix'} match pattern must be a string")


OPERATORS: dict[str, Callable[[object, Dialect], Rule]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _equals_ignore_case,
    "exactly": _exactly,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
}
