"""Event filter patterns: the rules that AWS checks and a local AWS does not.

Sources: Lambda, "Filter rule syntax"; SNS, "Filter policy constraints"; EventBridge, "Event patterns".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from math import prod

from nbchalice.typed import JSON

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
LONGEST_PATTERN = 4096
MOST_POLICY_KEYS = 5
MOST_COMBINATIONS = 150


def filter_problems(patterns: Sequence[object], option: str, fields: Sequence[str], example: str) -> list[str]:
    """Return what is wrong with the patterns of an event source mapping's filter.

    Parameters
    ----------
    patterns : Sequence[object]
        The patterns.
    option : str
        What to call the filter.
    fields : Sequence[str]
        The fields that a record of the source has.
    example : str
        The one of them that is mostly meant.
    """
    if len(patterns) > MOST_PATTERNS:
        return [f"{option} has {len(patterns)} patterns; Lambda takes up to {MOST_PATTERNS}"]
    problems = list(chain.from_iterable(pattern_problems(pattern, option) for pattern in patterns))
    names = chain.from_iterable(pattern for pattern in patterns if isinstance(pattern, dict))
    # A filter {"order": [...]} matches no message: what is in one is under body.
    problems += [
        f'{option}: a record has no field {name!r}; for one of its {example} write {{"{example}": {{"{name}": [...]}}}}'
        for name in names
        if name not in fields and name != "$or"
    ]
    if not problems and any(len(json.dumps(pattern)) > LONGEST_PATTERN for pattern in patterns):
        problems.append(
            f"{option} has a pattern of more than {LONGEST_PATTERN} characters; Lambda takes no longer ones"
        )
    return problems


def filter_policy_problems(policy: JSON, scope: str, option: str) -> list[str]:
    """Return what SNS would reject in a subscription's filter policy (SNS: Filter policy constraints).

    Parameters
    ----------
    policy : JSON
        The policy.
    scope : str
        ``MessageAttributes`` or ``MessageBody``.
    option : str
        What to call the policy.
    """
    if problems := pattern_problems(policy, option):
        return problems
    leaves = list(_leaves(policy, 1))
    names = {path for path, _, _ in leaves}
    nested = [path for path, _, depth in leaves if depth > 1 and "$or" not in path]
    if scope == "MessageAttributes" and nested:
        return [f"{option}: {nested[0]} is nested, which message attributes are not; --filter-scope MessageBody can"]
    if len(names) > MOST_POLICY_KEYS:
        return [f"{option} has {len(names)} keys; SNS takes {MOST_POLICY_KEYS}"]
    # SNS multiplies the values of all keys, and in a body each key's depth as well: {"a": {"b": [1, 2]}} counts 4.
    in_body = scope == "MessageBody"
    combinations = prod(count * depth for _, count, depth in leaves) if in_body else prod(leaf[1] for leaf in leaves)
    if combinations > MOST_COMBINATIONS:
        return [f"{option} has {combinations} combinations of values; SNS takes {MOST_COMBINATIONS}"]
    return []


def _leaves(pattern: JSON, depth: int, path: str = "") -> Iterator[tuple[str, int, int]]:
    """Yield the path of each field with values, how many it has, and how deep it is."""
    for name, value in pattern.items():
        here = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            yield from _leaves(value, depth + 1, here)
        elif name == "$or":
            for alternative in value:
                yield from _leaves(alternative, depth, here)
        else:
            yield here, len(value), depth


def pattern_problems(pattern: object, option: str) -> list[str]:
    """Return what is wrong with one event pattern or filter policy."""
    if not isinstance(pattern, dict) or not pattern:
        return [f"{option} wants a JSON object with at least one field, not {json.dumps(pattern)}"]
    return list(_problems(pattern, option, ""))


def _problems(pattern: JSON, option: str, path: str) -> Iterator[str]:
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


def _rule_problems(rule: object, option: str, path: str) -> Iterator[str]:
    if isinstance(rule, list):
        yield f"{option}: {path} has a list inside its list"
    if not isinstance(rule, dict):
        return
    if len(rule) != 1 or next(iter(rule)) not in OPERATORS:
        yield f"{option}: {json.dumps(rule)} at {path} is not a rule; there are {', '.join(sorted(OPERATORS))}"
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


def _is_numeric(value: object) -> bool:
    if not isinstance(value, list) or len(value) not in {2, 4}:
        return False
    pairs = zip(value[::2], value[1::2], strict=True)
    return all(op in NUMERIC and isinstance(n, int | float) and not isinstance(n, bool) for op, n in pairs)
