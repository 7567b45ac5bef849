"""Whether an event passes a filter: tells before a message is sent what the service will do with it.

Sources: EventBridge, "Comparison operators for use in event patterns"; SNS, "Filter policy constraints";
Lambda, "Filter rule syntax".
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from itertools import product, starmap
from typing import Any

from nbchalice.typed import Values

ABSENT = object()
COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def matches(pattern: Values, value: object) -> bool:
    """Whether a JSON object passes an event pattern or filter policy.

    Parameters
    ----------
    pattern : Values
        Valid, as `sources.filters` checks it.
    value : object
        The object that the pattern looks at; anything but an object never passes.
    """
    if not isinstance(value, Mapping):
        return False
    for name, wanted in pattern.items():
        if name == "$or":
            passes = any(matches(alternative, value) for alternative in wanted)
        elif isinstance(wanted, Mapping):
            passes = _nested(wanted, value.get(name, ABSENT))
        else:
            passes = _any_rule(wanted, value.get(name, ABSENT))
        if not passes:
            return False
    return True


def body_of(message: object) -> object:
    """Return a message's text as JSON; what is none, or no text, as it is."""
    if not isinstance(message, str | bytes | bytearray):
        return message
    try:
        return json.loads(message)
    except ValueError:
        return message


def _nested(wanted: Values, value: object) -> bool:
    if isinstance(value, list):
        return any(_nested(wanted, one) for one in value)
    return matches(wanted, {} if value is ABSENT else value)


def _any_rule(rules: list[object], value: object) -> bool:
    # Of a list in the event, one value that passes is enough.
    values = value if isinstance(value, list) and value else [value]
    return any(starmap(_passes, product(rules, values)))


def _passes(rule: object, value: object) -> bool:
    if not isinstance(rule, Mapping):
        return (type(value) is type(rule) and bool(value == rule)) or _same_number(rule, value)
    operator, wanted = next(iter(rule.items()))
    if operator == "exists":
        return (value is not ABSENT) is bool(wanted)
    return value is not ABSENT and _compare(operator, wanted, value)


def _same_number(rule: object, value: object) -> bool:
    return _is_number(rule) and _is_number(value) and bool(rule == value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compare(operator: str, wanted: Any, value: Any) -> bool:
    if operator == "anything-but":
        rules = wanted if isinstance(wanted, list) else [wanted]
        return not any(_passes(rule, value) for rule in rules)
    if operator == "numeric":
        pairs = zip(wanted[::2], wanted[1::2], strict=True)
        return _is_number(value) and all(COMPARE[sign](value, number) for sign, number in pairs)
    return isinstance(value, str) and _compare_text(operator, wanted, value)


def _compare_text(operator: str, wanted: object, value: str) -> bool:
    if operator in {"prefix", "suffix"}:
        test = str.startswith if operator == "prefix" else str.endswith
        if isinstance(wanted, Mapping):
            return test(value.casefold(), str(wanted.get("equals-ignore-case", "")).casefold())
        return test(value, str(wanted))
    if operator == "equals-ignore-case":
        return value.casefold() == str(wanted).casefold()
    if operator == "wildcard":
        return re.fullmatch(".*".join(map(re.escape, str(wanted).split("*"))), value, re.DOTALL) is not None
    try:
        return operator == "cidr" and ipaddress.ip_address(value) in ipaddress.ip_network(str(wanted))
    except ValueError:
        return False
