"""Event filter patterns: the rules that AWS checks and a local AWS does not.

Sources: Lambda, "Filter rule syntax"; SNS, "Filter policy constraints"; EventBridge, "Event patterns".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

OPERATORS = {
    "prefix",
    "suffix",
    "anything-but",
    "numeric",
    "exists",
    "equals-ignore-case",
    "wildcard",
    "cidr",
}
NUMERIC = {"<", "<=", "=", ">", ">="}
MOST_PATTERNS = 5


def filter_problems(patterns: Sequence[Any], option: str) -> list[str]:
    """Return what is wrong with the patterns of an event source mapping's filter."""
    if len(patterns) > MOST_PATTERNS:
        return [f"{option} has {len(patterns)} patterns; Lambda takes up to {MOST_PATTERNS}"]
    return [text for pattern in patterns for text in pattern_problems(pattern, option)]


def pattern_problems(pattern: Any, option: str) -> list[str]:
    """Return what is wrong with one event pattern or filter policy."""
    if not isinstance(pattern, dict) or not pattern:
        return [f"{option} wants a JSON object with at least one field, not {json.dumps(pattern)}"]
    return list(_problems(pattern, option, ""))


def _problems(pattern: dict[str, Any], option: str, path: str) -> Iterator[str]:
    for name, value in pattern.items():
        here = f"{path}.{name}" if path else name
        if name == "$or":
            alternatives = value if isinstance(value, list) else []
            if len(alternatives) < 2 or not all(isinstance(a, dict) for a in alternatives):
                yield f"{option}: $or at {here} wants a list of two or more objects"
            for alternative in alternatives:
                if isinstance(alternative, dict):
                    yield from _problems(alternative, option, here)
        elif isinstance(value, dict):
            if not value:
                yield f"{option}: {here} is empty"
            yield from _problems(value, option, here)
        elif isinstance(value, list):
            if not value:
                yield f"{option}: {here} is an empty list, which matches nothing"
            for rule in value:
                yield from _rule_problems(rule, option, here)
        else:
            yield f"{option}: the value of {here} must be a list, for example [{json.dumps(value)}]"


def _rule_problems(rule: Any, option: str, path: str) -> Iterator[str]:
    if isinstance(rule, list):
        yield f"{option}: {path} has a list inside its list"
    if not isinstance(rule, dict):
        return
    if len(rule) != 1 or next(iter(rule)) not in OPERATORS:
        yield f"{option}: {json.dumps(rule)} at {path} is no rule; there are {', '.join(sorted(OPERATORS))}"
        return
    operator, value = next(iter(rule.items()))
    if operator == "exists" and not isinstance(value, bool):
        yield f"{option}: exists at {path} is true or false, not {json.dumps(value)}"
    if operator == "numeric" and not _is_numeric(value):
        yield f'{option}: numeric at {path} wants comparisons such as [">", 0, "<=", 5], not {json.dumps(value)}'
    if operator in {"wildcard", "cidr", "equals-ignore-case"} and not isinstance(value, str):
        yield f"{option}: {operator} at {path} wants a text, not {json.dumps(value)}"
    if operator == "wildcard" and isinstance(value, str) and "**" in value:
        yield f"{option}: wildcard at {path} has two * in a row"


def _is_numeric(value: Any) -> bool:
    if not isinstance(value, list) or len(value) not in {2, 4}:
        return False
    pairs = zip(value[::2], value[1::2], strict=True)
    return all(op in NUMERIC and isinstance(n, int | float) and not isinstance(n, bool) for op, n in pairs)
