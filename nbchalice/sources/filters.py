"""Filters of triggers: what AWS would refuse is told before anything is deployed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from nbchalice.patterns import (
    EVENT_PATTERN,
    FILTER_CRITERIA,
    InvalidPatternError,
    Pattern,
    check_policy,
    record_view,
)
from nbchalice.resources.base import Resource
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.text import near
from nbchalice.typed import JSON, Values

MOST_FILTERS = 5
LONGEST_FILTER = 4096
# EventBridge, "Amazon EventBridge quotas".
LONGEST_PATTERN = 2048


def filters_of(options: Values) -> list[JSON]:
    """Return the patterns of a mapping's filter; one pattern may be given without a list."""
    given = options.get("filter")
    return [] if given is None else given if isinstance(given, list) else [given]


def filter_texts(options: Values) -> tuple[str, ...]:
    """Return the patterns of a mapping's filter as texts of JSON."""
    return tuple(json.dumps(one, sort_keys=True) for one in filters_of(options))


def deployed_filter(options: Values, resource: Resource, current: JSON) -> list[Values]:
    """Return the options with the filter of a mapping as it stands; of another resource just the options."""
    if not isinstance(resource, EventSourceMapping):
        return [options]
    filters = (current.get("FilterCriteria") or {}).get("Filters") or []
    return [{**options, "filter": [json.loads(one["Pattern"]) for one in filters] or None}]


def passes_filter(options: Values, record: JSON) -> bool:
    """Whether a record of a queue or stream passes a mapping's filter.

    Parameters
    ----------
    options : Values
        The trigger's options, of which ``filter`` is valid.
    record : JSON
        The record as a function gets it.
    """
    filters, view = filters_of(options), record_view(record)
    return not filters or any(Pattern.of(one, FILTER_CRITERIA).matches(view) for one in filters)


def filter_problems(filters: Sequence[object], option: str, fields: Sequence[str], example: str) -> list[str]:
    """Return what is wrong with the patterns of an event source mapping's filter.

    Parameters
    ----------
    filters : Sequence[object]
        The patterns.
    option : str
        What to call the filter.
    fields : Sequence[str]
        The fields that a record of the source has.
    example : str
        The one of them that is mostly meant.
    """
    if len(filters) > MOST_FILTERS:
        return [f"{option} has {len(filters)} patterns; Lambda takes up to {MOST_FILTERS}"]
    problems = []
    for one in filters:
        problems += _filter_problems(one, option, fields, example)
    return problems


def _filter_problems(pattern: object, option: str, fields: Sequence[str], example: str) -> list[str]:
    try:
        names = Pattern.of(pattern, FILTER_CRITERIA).names
    except InvalidPatternError as error:
        return [told(option, error)]
    # A filter {"order": [...]} matches no message: what is in one is under body.
    hint = f'for one of its {example} write {{"{example}": {{"NAME": [...]}}}}'
    problems = [
        f"{option}: a record has no field {name!r}; {hint.replace('NAME', name)}"
        for name in names
        if name not in fields
    ]
    if not problems and len(json.dumps(pattern)) > LONGEST_FILTER:
        problems.append(f"{option} has a pattern of more than {LONGEST_FILTER} characters; Lambda takes no longer ones")
    return problems


def pattern_problems(pattern: object, option: str, fields: Sequence[str]) -> list[str]:
    """Return what is wrong with the event pattern of a rule.

    Parameters
    ----------
    pattern : object
        The pattern.
    option : str
        What to call it.
    fields : Sequence[str]
        The fields that an event has.
    """
    try:
        names = Pattern.of(pattern, EVENT_PATTERN).names
    except InvalidPatternError as error:
        return [told(option, error)]
    problems = [
        f"{option}: an event has no field {name!r}; {near(name, fields)}" for name in names if name not in fields
    ]
    if (length := len(json.dumps(pattern))) > LONGEST_PATTERN:
        problems.append(f"{option} is {length} characters; EventBridge takes {LONGEST_PATTERN}")
    return problems


def policy_problems(policy: object, scope: str, option: str) -> list[str]:
    """Return what is wrong with a subscription's filter policy.

    Parameters
    ----------
    policy : object
        The policy.
    scope : str
        ``MessageAttributes`` or ``MessageBody``.
    option : str
        What to call the policy.
    """
    try:
        check_policy(policy, scope)
    except InvalidPatternError as error:
        return [told(option, error)]
    return []


def told(option: str, error: InvalidPatternError) -> str:
    """Return where a pattern is refused, AWS's reason, and what to write instead."""
    where = f"{option}, {error.path}" if error.path else option
    return f"{where}: {error.reason}" + (f"; {error.fix}" if error.fix else "")
