"""How large an event may be that is sent: told before a call, in one way, where each service says it in its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nbchalice.errors import InvalidInputError
from nbchalice.text import MB
from nbchalice.typed import JSON

# SQS: SendMessage. A queue's MaximumMessageSize may be less.
MOST_OF_QUEUE = 1 * MB
# SNS: Publish. More, up to 1 MB, where the topic's MaximumMessageSize says so.
USUAL_OF_TOPIC, MOST_OF_TOPIC = 256 * 1024, 1 * MB
# Kinesis: PutRecord. More, up to 10 MB, where the stream's MaxRecordSizeInKiB says so.
USUAL_OF_STREAM, MOST_OF_STREAM = 1 * MB, 10 * MB
# EventBridge: PutEvents, "must be less than 1MB".
MOST_OF_BUS = 1 * MB - 1
# DynamoDB: "Item size", names and values together.
MOST_OF_TABLE = 400 * 1024
# Lambda: Invoke.
MOST_INVOKED, MOST_INVOKED_LATER = 6 * MB, 1 * MB
HINT = "put the data into an object of S3, and send its key"


def require_room(size: int, most: int, what: str, taker: str) -> None:
    """Raise InvalidInputError where something has more bytes than may be sent.

    Parameters
    ----------
    size, most : int
        Its bytes, and how many are taken.
    what, taker : str
        What it is, and who takes it: ``the message with its attributes``, ``SQS``.
    """
    if size > most:
        raise InvalidInputError(f"{what} has {size:,} bytes; {taker} takes {most:,}", HINT, code="event-too-large")


def message_size(text: str, attributes: Mapping[str, JSON]) -> int:
    """Return the bytes of a message with its attributes: names, types and values count (SQS, SNS: quotas)."""
    values = (one.get("StringValue") or one.get("BinaryValue") or "" for one in attributes.values())
    types = (one["DataType"] for one in attributes.values())
    return bytes_of([text, *attributes, *types, *values])


def entry_size(event: JSON, detail: str) -> int:
    """Return the bytes of an event without a time (EventBridge: "Calculating PutEvents event entry size")."""
    return bytes_of([event["source"], event["detail-type"], detail, *event["resources"]])


def item_size(item: JSON) -> int:
    """Return the bytes of an item in DynamoDB's own form (DynamoDB: "DynamoDB item sizes and formats").

    What is no such item counts as nothing: boto3 says what is wrong with it.
    """
    try:
        return sum(bytes_of([name]) + _value_size(value) for name, value in item.items())
    except (AttributeError, TypeError, ValueError):
        return 0


def _value_size(value: JSON) -> int:
    [(kind, content)] = value.items()
    if kind == "M":
        return 3 + len(content) + sum(bytes_of([name]) + _value_size(one) for name, one in content.items())
    if kind == "L":
        return 3 + len(content) + sum(map(_value_size, content))
    if kind in ("SS", "NS", "BS"):
        return sum(_value_size({kind[0]: one}) for one in content)
    if kind == "N":  # two digits take a byte; zeros at both ends take none
        digits = re.sub(r"[eE].*|[-+.]", "", str(content)).strip("0")
        return 1 + (len(digits) + 1) // 2
    return 1 if kind in ("BOOL", "NULL") else bytes_of([content])


def bytes_of(parts: Iterable[str | bytes]) -> int:
    """Return how many bytes texts have in UTF-8, and bytes, together."""
    return sum(len(part.encode() if isinstance(part, str) else part) for part in parts)
