"""Filter policies of SNS: their limits, and which messages pass (SNS: Filter policy constraints)."""

from __future__ import annotations

from collections.abc import Mapping

from nbchalice.patterns.compiler import OR, Pattern
from nbchalice.patterns.dialects import FILTER_POLICY
from nbchalice.patterns.numeric import is_number
from nbchalice.patterns.refusal import InvalidPatternError
from nbchalice.patterns.views import attributes_view, body_of

ATTRIBUTES, BODY = SCOPES = ("MessageAttributes", "MessageBody")
MOST_KEYS = 5
MOST_COMBINATIONS = 150
LARGEST_NUMBER = 10**9


def check_policy(policy: object, scope: str) -> Pattern:
    """Return a filter policy as a pattern.

    Parameters
    ----------
    policy : object
        The policy, as JSON's values.
    scope : str
        ``MessageAttributes`` or ``MessageBody``.

    Raises
    ------
    InvalidPatternError
        SNS refuses it.
    """
    if isinstance(policy, dict) and len(policy) > MOST_KEYS:
        reason = f"Filter policy can not have more than {MOST_KEYS} keys"
        raise InvalidPatternError(reason, f"it has {len(policy)}")
    pattern = Pattern.of(policy, FILTER_POLICY)
    fields = policy if isinstance(policy, dict) else {}
    if (combinations := _combinations(fields, 1, 1)) > MOST_COMBINATIONS:
        raise InvalidPatternError(
            "Filter policy is too complex", f"it has {combinations} combinations of values, of {MOST_COMBINATIONS}"
        )
    if beyond := [number for number in _numbers(policy) if abs(number) > LARGEST_NUMBER]:
        reason = f"SNS takes numbers from -{LARGEST_NUMBER} to {LARGEST_NUMBER}"
        raise InvalidPatternError(reason, f"{beyond[0]} is beyond; a text may be as long as it likes")
    nested = next((name for name, value in _flat(fields) if isinstance(value, dict)), None)
    if scope == ATTRIBUTES and nested is not None:
        reason = f"Filter policy scope {ATTRIBUTES} does not support nested filter policy"
        raise InvalidPatternError(reason, f"the scope {BODY} does", nested)
    return pattern


def policy_passes(
    pattern: Pattern, scope: str, message: object, attributes: Mapping[str, Mapping[str, object]]
) -> bool:
    """Whether a message passes a filter policy.

    Parameters
    ----------
    pattern : Pattern
        The policy, checked.
    scope : str
        ``MessageAttributes`` or ``MessageBody``.
    message : object
        The message's text.
    attributes : Mapping[str, Mapping[str, object]]
        Its attributes with ``DataType`` and ``StringValue``.
    """
    if scope == BODY:
        return pattern.matches(body_of(message))
    # SNS, "Key matching": a message without attributes passes no policy, not even exists: false.
    return bool(attributes) and pattern.matches(attributes_view(attributes))


def _combinations(fields: dict[str, object], depth: int, sofar: int) -> int:
    """Return the product of how many values each field has, times its depth; the alternatives of $or are added."""
    for name, value in fields.items():
        if isinstance(value, dict):
            sofar = _combinations(value, depth + 1, sofar)
        elif isinstance(value, list):
            objects = [one for one in value if isinstance(one, dict)]
            if name == OR:
                sofar = sum(_combinations(one, depth, sofar) for one in objects)
            else:
                sofar *= len(value) * depth
    return sofar


def _numbers(value: object) -> list[int | float]:
    """Return the numbers anywhere in a policy."""
    if is_number(value):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    numbers: list[int | float] = []
    for one in inner:
        numbers += _numbers(one)
    return numbers


def _flat(fields: dict[str, object]) -> list[tuple[str, object]]:
    """Return the fields of a policy, with those in $or."""
    pairs = []
    for name, value in fields.items():
        if name == OR and isinstance(value, list):
            for one in value:
                pairs += _flat(one) if isinstance(one, dict) else []
        else:
            pairs.append((name, value))
    return pairs
