"""Calls of SNS that AWS refuses, and MiniStack takes or refuses in other words."""

from __future__ import annotations

import json
import re
from collections.abc import Container
from typing import Any

from ministack.services import sns

from .filter_patches import subscription_attributes
from .message_rules import against_attributes_of_topic

Record = dict[str, Any]
LONGEST_SUBJECT = 100
MOST_ENTRIES = 10  # of one PublishBatch; more is refused as a whole
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
BATCH = "PublishBatchRequestEntries.member."
ENTRY = re.compile(re.escape(BATCH) + r"(\d+)\.")
ID, LONGEST_ID = re.compile(r"[\w-]*", re.ASCII), 80
PROTOCOLS = ("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs")
NO_DEDUPLICATION = (
    "MessageDeduplicationId Reason: "
    "The request includes MessageDeduplicationId parameter that is not valid for this topic type"
)
# SNS's code is not the name of the error's shape.
CODES = {"InvalidParameterException": "InvalidParameter", "InvalidParameterValueException": "ParameterValueInvalid"}
stock_publish = sns._publish
stock_publish_batch = sns._publish_batch
stock_error = sns._error


def apply_topic_requests() -> None:
    """Put the changed parts in place, after those of filters."""
    stock_subscribe, stock_set = sns._subscribe, sns._set_subscription_attributes

    def subscribe(params: Record) -> Any:
        wrong = against_subscription(params)
        return sns._error("InvalidParameter", f"Invalid parameter: {wrong}", 400) if wrong else stock_subscribe(params)

    def set_attributes(params: Record) -> Any:
        wrong = against_delivery(sns._p(params, "AttributeName"), sns._p(params, "AttributeValue"))
        return sns._error("InvalidParameter", f"Invalid parameter: {wrong}", 400) if wrong else stock_set(params)

    sns._subscribe, sns._set_subscription_attributes = subscribe, set_attributes
    sns._publish, sns._publish_batch, sns._error = publish, publish_batch, error


def error(code: str, message: str, status: int) -> Any:
    """Answer with SNS's codes and words (``_error``)."""
    return stock_error(CODES.get(code, code), re.sub(r"( does not exist): .*", r"\1", message, flags=re.DOTALL), status)


def against_subscription(params: Record) -> str:
    """Return what SNS says against protocol, queue or delivery of a subscription, or an empty text."""
    protocol, endpoint, topic = (sns._p(params, name) for name in ("Protocol", "Endpoint", "TopicArn"))
    if protocol and protocol not in PROTOCOLS:
        return f"Amazon SNS does not support this protocol string: {protocol}"
    if protocol == "sqs" and endpoint.endswith(".fifo") and not topic.endswith(".fifo"):
        return "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
    if protocol == "lambda" and topic.endswith(".fifo"):
        return "Invalid parameter: Endpoint Reason: Functions can not be subscribed to FIFO topics"
    raw = any(
        name == "RawMessageDelivery" and value.lower() == "true" for name, value in subscription_attributes(params)
    )
    if protocol == "lambda" and raw:
        return (
            "Attributes Reason: RawMessageDelivery: Delivery protocol [lambda] does not support raw message delivery."
        )
    told = [against_delivery(name, value) for name, value in subscription_attributes(params)]
    return next((f"Attributes Reason: {text}" for text in told if text), "")


def against_delivery(name: str, value: str) -> str:
    """Return what SNS says against a way to deliver, or an empty text."""
    if name != "RawMessageDelivery" or value.lower() in ("true", "false"):
        return ""
    return f"RawMessageDelivery: Invalid value [{value}]. Must be true or false."


def publish(params: Record) -> Any:
    """Refuse messages, subjects and attributes that SNS refuses, and publish (``_publish``)."""
    wrong = wrong_message(sns._p(params, "Message"), sns._p(params, "Subject"), sns._p(params, "MessageStructure"))
    if sns._p(params, "MessageDeduplicationId") and not sns._p(params, "TopicArn").endswith(".fifo"):
        wrong = wrong or NO_DEDUPLICATION
    if wrong:
        return sns._error("InvalidParameter", f"Invalid parameter: {wrong}", 400)
    if wrong := against_attributes_of_topic(sns._parse_message_attributes(params)):
        return sns._error("ParameterValueInvalid", wrong, 400)
    return stock_publish(params)


def publish_batch(params: Record) -> Any:
    """Refuse single messages of a batch, and publish the others (``_publish_batch``)."""
    entries = sns._parse_batch_entries(params)
    if wrong := wrong_id_of(entries):
        return sns._error("InvalidBatchEntryId", wrong, 400)
    failed = {number: told for number, entry in enumerate(entries, 1) if (told := wrong_entry(entry))}
    if not failed or len(entries) > MOST_ENTRIES or len({entry["id"] for entry in entries}) < len(entries):
        return stock_publish_batch(params)
    members = "".join(
        f"<member><Id>{entries[number - 1]['id']}</Id><Code>{code}</Code>"
        f"<Message>{sns._xml_escape(message)}</Message><SenderFault>true</SenderFault></member>"
        for number, (code, message) in failed.items()
    )
    if len(failed) == len(entries):
        result = f"<PublishBatchResult><Successful></Successful><Failed>{members}</Failed></PublishBatchResult>"
        return sns._xml(200, "PublishBatchResponse", result)
    status, headers, body = stock_publish_batch(without(params, failed))
    return status, headers, body.replace(b"</Failed>", members.encode() + b"</Failed>")


def wrong_id_of(entries: list[Record]) -> str:
    """Return what SNS says against the id of an entry of a batch, or an empty text."""
    for name in (entry["id"] for entry in entries):
        if len(name) > LONGEST_ID:
            return f"The Id of a batch entry in the batch request is too long: {name}"
        if not ID.fullmatch(name):
            return f"The Id of a batch entry in the batch request contains an impermissible character: {name}"
    return ""


def wrong_entry(entry: Record) -> tuple[str, str] | None:
    """Return code and message of SNS against an entry of a batch, or None."""
    if wrong := wrong_message(entry["message"], entry["subject"], entry["message_structure"]):
        return "InvalidParameter", f"Invalid parameter: {wrong}"
    wrong = against_attributes_of_topic(entry["message_attributes"])
    return ("ParameterValueInvalid", wrong) if wrong else None


def without(params: Record, numbers: Container[int]) -> Record:
    """Return the form of a batch without some entries, the others numbered anew."""
    kept = {name: value for name, value in params.items() if not ENTRY.match(name)}
    found = sorted({int(match[1]) for name in params if (match := ENTRY.match(name))})
    anew = {old: new for new, old in enumerate((number for number in found if number not in numbers), 1)}
    for name, value in params.items():
        if (match := ENTRY.match(name)) and int(match[1]) in anew:
            kept[ENTRY.sub(f"{BATCH}{anew[int(match[1])]}.", name)] = value
    return kept


def wrong_message(message: str, subject: str, structure: str) -> str:
    """Return what SNS says against a message, or an empty text."""
    if not message:
        return "Empty message"
    if len(subject) > LONGEST_SUBJECT or CONTROL.search(subject):
        return "Subject"
    if structure != "json":
        return ""
    try:
        by_protocol = json.loads(message)
    except ValueError:
        return "Message Structure - JSON message body failed to parse"
    has_default = isinstance(by_protocol, dict) and "default" in by_protocol
    return "" if has_default else "Message Structure - No default entry in JSON message body"
