"""Notifications of SNS as AWS sends them: to functions with all fields, and with attributes that hold bytes."""

from __future__ import annotations

import json
import time
from typing import Any

from ministack.services import sns

from .failure_patches import moment
from .function_records import Record

# What a function gets is called otherwise than what a queue gets (Lambda: Using Lambda with Amazon SNS).
RENAMED = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
# The fields that a function gets, in AWS's order.
FIELDS = (
    "Type",
    "MessageId",
    "TopicArn",
    "Subject",
    "Message",
    "Timestamp",
    "SignatureVersion",
    "Signature",
    "SigningCertUrl",
    "UnsubscribeUrl",
    "MessageAttributes",
)
stock_parse_batch = sns._parse_batch_entries
stock_build_envelope = sns._build_envelope
stock_deliver_to_lambda = sns._deliver_to_lambda


def apply_notifications() -> None:
    """Put the changed parts in place."""
    sns._parse_batch_entries = parse_batch
    sns._build_envelope = build_envelope
    sns._deliver_to_lambda = deliver_to_lambda


def build_envelope(*parts: Any) -> str:
    """Return a notification, in whose attributes bytes stand in base64 (``_build_envelope``)."""
    *parts_before, attributes, raw = parts
    # SNS's Publish brings bytes in base64 already.
    shown = {name: {"StringValue": one.get("BinaryValue", ""), **one} for name, one in attributes.items()}
    envelope: str = stock_build_envelope(*parts_before, shown, raw)
    return envelope if raw else json.dumps({**json.loads(envelope), "Timestamp": moment(time.time())})


def parse_batch(params: Record) -> list[Record]:
    """Return the messages of a PublishBatch with their attributes that hold bytes, too (``_parse_batch_entries``)."""
    entries: list[Record] = stock_parse_batch(params)
    for number, entry in enumerate(entries, 1):
        for place, (name, one) in enumerate(entry["message_attributes"].items(), 1):
            of_one = f"PublishBatchRequestEntries.member.{number}.MessageAttributes.entry.{place}.Value.BinaryValue"
            if content := sns._p(params, of_one):
                entry["message_attributes"][name] = {"DataType": one["DataType"], "BinaryValue": content}
    return entries


def deliver_to_lambda(endpoint: str, envelope: str, topic_arn: str, *rest: Any) -> None:
    """Invoke a function with all the fields that AWS sends, also the empty ones (``_deliver_to_lambda``)."""
    notification = {RENAMED.get(name, name): value for name, value in json.loads(envelope).items()}
    whole = {name: notification.get(name, {} if name == "MessageAttributes" else None) for name in FIELDS}
    stock_deliver_to_lambda(endpoint, json.dumps(whole), topic_arn, *rest)
