"""Events of S3, SQS and DynamoDB as functions get them on AWS, where MiniStack's differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import dynamodb, eventbridge, lambda_svc, s3

from .function_records import Record

GONE = ("ObjectRemoved:", "LifecycleExpiration:")
LISTS = ("stringListValues", "binaryListValues")
stock_change_record = dynamodb._build_change_record
stock_put_rule = eventbridge._put_rule
stock_attributes = lambda_svc._sqs_message_attributes_to_camel_case


def apply_events() -> None:
    """Put the changed parts in place."""
    s3._deliver_event_to_lambda = without_what_is_gone(s3._deliver_event_to_lambda)
    s3._deliver_event_to_sqs = without_what_is_gone(s3._deliver_event_to_sqs)
    s3._deliver_event_to_sns = without_what_is_gone(s3._deliver_event_to_sns)
    lambda_svc._sqs_message_attributes_to_camel_case = message_attributes
    dynamodb._build_change_record = change_record
    eventbridge._put_rule = put_rule


def put_rule(asked: Record) -> Any:
    """Put a rule; of one that stands the tags stay as they are (EventBridge: PutRule)."""
    standing = eventbridge._rule_key(asked.get("Name"), asked.get("EventBusName", "default")) in eventbridge._rules
    return stock_put_rule({name: value for name, value in asked.items() if not (standing and name == "Tags")})


def without_what_is_gone(deliver: Callable[..., None]) -> Callable[..., None]:
    """Leave out size and tag of objects that are removed (S3: Event message structure)."""

    def delivered(arn: str, event: Record, *rest: Any, **more: Any) -> None:
        for record in event["Records"]:
            if str(record["eventName"]).startswith(GONE):
                thing = {name: value for name, value in record["s3"]["object"].items() if name not in {"size", "eTag"}}
                record["s3"] = {**record["s3"], "object": thing}
        deliver(arn, event, *rest, **more)

    return delivered


def message_attributes(attributes: Record) -> Record:
    """Return a message's attributes with the empty lists that each has in an event of Lambda."""
    shown: Record = stock_attributes(attributes)
    for name, one in shown.items():
        values = {key: value for key, value in one.items() if key not in {*LISTS, "dataType"}}
        shown[name] = {**values, **{key: one.get(key) or [] for key in LISTS}, "dataType": one.get("dataType")}
    return shown


def change_record(*parts: Any) -> Record:
    """Return the record of a changed item, with its size."""
    record: Record = stock_change_record(*parts)
    change = record["dynamodb"]
    images = (change.get(name) or {} for name in ("Keys", "NewImage", "OldImage"))
    change["SizeBytes"] = sum(map(size_of_item, images))
    return record


def size_of_item(item: Record) -> int:
    """Return the size of an item (DynamoDB: Item sizes and formats)."""
    return sum(len(name.encode()) + size_of_value(value) for name, value in item.items())


def size_of_value(value: Record) -> int:
    """Return the size of an attribute's value."""
    kind, content = next(iter(value.items()))
    if kind in SIZES:
        return SIZES[kind](content)
    if kind in {"SS", "NS", "BS"}:
        return sum(SIZES[kind[0]](one) for one in content)
    if kind == "L":
        return 3 + sum(1 + size_of_value(one) for one in content)
    return 3 + len(content) + size_of_item(content)


def size_of_text(text: str) -> int:
    """Return the size of a text."""
    return len(text.encode())


def size_of_number(text: str) -> int:
    """Return the size of a number: two digits take a byte, leading and trailing zeros none."""
    digits = text.lstrip("-").lower().partition("e")[0].replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")


def size_of_bytes(content: str | bytes) -> int:
    """Return how many bytes there are, which come as bytes or in base64."""
    if isinstance(content, bytes):
        return len(content)
    return len(content) * 3 // 4 - content.count("=")


SIZES: dict[str, Callable[[Any], int]] = {
    "S": size_of_text,
    "N": size_of_number,
    "B": size_of_bytes,
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
}
