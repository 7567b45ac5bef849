"""Filters of rules, topics and mappings: refused and matched as on AWS, by the matcher that predicts them, too."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ministack.services import eventbridge, lambda_svc, sns, sqs

from nbchalice.patterns import (
    EVENT_PATTERN,
    FILTER_CRITERIA,
    SCOPES,
    Dialect,
    InvalidPatternError,
    Pattern,
    check_policy,
    policy_passes,
    record_view,
)

Record = dict[str, Any]
logger = logging.getLogger("nbchalice.patches")
stock_subscribe = sns._subscribe
stock_set_subscription_attributes = sns._set_subscription_attributes
stock_create_mapping = lambda_svc._create_esm
stock_test_pattern = eventbridge._test_event_pattern
stock_update_mapping = lambda_svc._update_esm


def apply_filters() -> None:
    """Put the changed parts in place."""
    eventbridge._event_pattern_error = pattern_error
    eventbridge._matches_pattern_view = event_passes
    eventbridge._test_event_pattern = test_pattern
    sns._matches_filter_policy = message_passes
    sns._subscribe = subscribe
    sns._set_subscription_attributes = set_subscription_attributes
    lambda_svc._apply_filter_criteria = records_to_take
    lambda_svc._create_esm = create_mapping
    lambda_svc._update_esm = update_mapping


@lru_cache(maxsize=1024)
def standing_pattern(text: str, dialect: Dialect) -> Pattern | None:
    """Return a pattern that stands; None for one that an earlier release took and AWS does not: nothing passes it."""
    try:
        return Pattern.parse(text, dialect)
    except InvalidPatternError as error:
        logger.warning("%s would not take the pattern %s: %s", dialect.name, text, error.reason)
        return None


@lru_cache(maxsize=1024)
def standing_policy(text: str, scope: str) -> Pattern | None:
    """Return a filter policy that stands; see `standing_pattern`."""
    try:
        return check_policy(policy_of(text), scope)
    except InvalidPatternError as error:
        logger.warning("SNS would not take the filter policy %s: %s", text, error.reason)
        return None


def policy_of(text: str) -> object:
    """Return the filter policy that a text of JSON is."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidPatternError(f"failed to parse JSON. {error}") from None


def pattern_error(text: object) -> str | None:
    """Return why EventBridge refuses the pattern of a rule, or None (``_event_pattern_error``)."""
    if not text:
        return None
    try:
        Pattern.parse(str(text), EVENT_PATTERN)
    except InvalidPatternError as error:
        return error.reason
    return None


def test_pattern(data: Record) -> Any:
    """Answer as for an event of a rule: a detail that is a text has no fields (``_test_event_pattern``)."""
    answer = stock_test_pattern(data)
    pattern = standing_pattern(data["EventPattern"], EVENT_PATTERN) if answer[0] == 200 else None
    if pattern is None:
        return answer
    return eventbridge.json_response({"Result": pattern.matches(json.loads(data["Event"]))})


def event_passes(text: str, view: Any, owner: str = "rule") -> bool:
    """Whether an event matches the pattern of a rule or an archive (``_matches_pattern_view``)."""
    pattern = standing_pattern(text, EVENT_PATTERN)
    return pattern is not None and pattern.matches(view.event_with_detail())


def message_passes(subscription: Record, attributes: Mapping[str, Record], message: str = "") -> bool:
    """Whether a message passes the filter policy of a subscription (``_matches_filter_policy``)."""
    text, scope = subscription["attributes"].get("FilterPolicy"), scope_of(subscription["attributes"])
    if is_empty(text):
        return True
    policy = standing_policy(text, scope)
    return policy is not None and policy_passes(policy, scope, message, attributes)


def scope_of(attributes: Mapping[str, str]) -> str:
    """Return what a filter policy looks at."""
    return attributes.get("FilterPolicyScope") or SCOPES[0]


def is_empty(policy: str | None) -> bool:
    """Whether a filter policy lets everything pass: ``{}`` takes one away."""
    return not policy or policy.strip() == "{}"


def policy_refusal(attributes: Mapping[str, str], where: str) -> Any:
    """Return SNS's answer to attributes of a subscription that it does not take, or None."""
    scope, text = scope_of(attributes), attributes.get("FilterPolicy")
    if scope not in SCOPES:
        reason = f"FilterPolicyScope: Invalid value [{scope}]. Please use either {SCOPES[1]} or {SCOPES[0]}"
        return sns._error("InvalidParameter", f"Invalid parameter: {where}{reason}", 400)
    if text is None or is_empty(text):
        return None
    try:
        check_policy(policy_of(text), scope)
    except InvalidPatternError as error:
        return sns._error("InvalidParameter", f"Invalid parameter: {where}FilterPolicy: {error.reason}", 400)
    return None


def subscribe(params: Record) -> Any:
    """Refuse a filter policy as SNS does, and subscribe (``_subscribe``)."""
    return policy_refusal(dict(subscription_attributes(params)), "Attributes Reason: ") or stock_subscribe(params)


def subscription_attributes(params: Record) -> Iterator[tuple[str, str]]:
    """Yield the attributes that a subscription is to have."""
    number = 1
    while name := sns._p(params, f"Attributes.entry.{number}.key"):
        yield name, sns._p(params, f"Attributes.entry.{number}.value")
        number += 1


def set_subscription_attributes(params: Record) -> Any:
    """Refuse a filter policy or its scope as SNS does, and set it (``_set_subscription_attributes``)."""
    name, value = sns._p(params, "AttributeName"), sns._p(params, "AttributeValue")
    arn = sns._p(params, "SubscriptionArn")
    standing = sns._find_subscription(sns._sub_arn_to_topic.get(arn) or "", arn)
    attributes = {"FilterPolicy": "", "FilterPolicyScope": scope_of((standing or {}).get("attributes", {}))}
    refusal = policy_refusal({**attributes, name: value}, "") if name in attributes else None
    return refusal or stock_set_subscription_attributes(params)


def patterns_of(mapping: Record) -> list[str]:
    """Return the patterns of an event source mapping's filter criteria, as texts of JSON."""
    filters = (mapping.get("FilterCriteria") or {}).get("Filters") or []
    return [one["Pattern"] for one in filters if one.get("Pattern")]


def is_queue(mapping: Record) -> bool:
    """Whether a mapping is of a queue."""
    return ":sqs:" in str(mapping.get("EventSourceArn"))


def records_to_take(records: list[Record], mapping: Record) -> list[Record]:
    """Return the records that the poller goes on with (``_apply_filter_criteria``).

    All of a queue's: what its filter drops, `drop` deletes. MiniStack would remove it while others read the queue.
    """
    return records if is_queue(mapping) else records_that_pass(records, mapping)


def records_that_pass(records: list[Record], mapping: Record) -> list[Record]:
    """Return the records that pass one of a mapping's filters."""
    texts = patterns_of(mapping)
    if not texts:
        return records
    patterns = [pattern for text in texts if (pattern := standing_pattern(text, FILTER_CRITERIA)) is not None]
    views = map(record_view, records)
    return [record for record, view in zip(records, views, strict=True) if any(one.matches(view) for one in patterns)]


def criteria_refusal(settings: Record) -> Any:
    """Return Lambda's answer to filter criteria that it does not take, or None."""
    try:
        for text in patterns_of(settings):
            Pattern.parse(text, FILTER_CRITERIA)
    except InvalidPatternError:
        return lambda_svc._invalid_parameter_value("Invalid filter pattern definition.")
    return None


def create_mapping(settings: Record) -> Any:
    """Refuse filter criteria as Lambda does, and create the mapping (``_create_esm``)."""
    return criteria_refusal(settings) or stock_create_mapping(settings)


def update_mapping(mapping_id: str, settings: Record) -> Any:
    """Refuse filter criteria as Lambda does, and update the mapping (``_update_esm``)."""
    return criteria_refusal(settings) or stock_update_mapping(mapping_id, settings)


def drop(mapping: Record, event: Record, batch: list[Record], queue_url: str) -> list[Record]:
    """Take out of an event what the filter drops, delete these messages, and return the others.

    What Lambda drops never comes back: not even when the function fails with the rest of the batch.
    """
    event["Records"] = records_that_pass(event["Records"], mapping)
    kept = {record["messageId"] for record in event["Records"]}
    dropped = {message["receipt_handle"] for message in batch if message["id"] not in kept}
    if dropped:
        sqs._delete_messages_for_esm(queue_url, dropped)
    return [message for message in batch if message["id"] in kept]
