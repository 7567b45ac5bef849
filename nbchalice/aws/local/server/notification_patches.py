"""Notifications of SNS as AWS sends them: to functions with all fields, and with attributes that hold bytes."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import sns

# What a function gets is called otherwise than what a queue gets (Lambda: Using Lambda with Amazon SNS).
RENAMED = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}
stock_build_envelope = sns._build_envelope
stock_deliver_to_lambda = sns._deliver_to_lambda


def apply_notifications() -> None:
    """Put the changed parts in place."""
    sns._build_envelope = build_envelope
    sns._deliver_to_lambda = deliver_to_lambda


def build_envelope(*parts: Any) -> str:
    """Return a notification, in whose attributes bytes stand in base64 (``_build_envelope``)."""
    *parts_before, attributes, raw = parts
    # SNS's Publish brings bytes in base64 already.
    shown = {name: {"StringValue": one.get("BinaryValue", ""), **one} for name, one in attributes.items()}
    envelope: str = stock_build_envelope(*parts_before, shown, raw)
    return envelope


def deliver_to_lambda(endpoint: str, envelope: str, topic_arn: str, *rest: Any) -> None:
    """Invoke a function with all the fields that AWS sends, also the empty ones (``_deliver_to_lambda``)."""
    notification = {RENAMED.get(name, name): value for name, value in json.loads(envelope).items()}
    whole = {"Subject": None, "MessageAttributes": {}, **notification}
    stock_deliver_to_lambda(endpoint, json.dumps(whole), topic_arn, *rest)
