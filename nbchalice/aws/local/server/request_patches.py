"""Calls that AWS refuses, or takes, and MiniStack does not: what passes here is to pass there."""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.services import eventbridge, sns, sqs

Record = dict[str, Any]
LONGEST_SUBJECT = 100
MOST_ENTRIES = 10  # of one PutEvents; more is refused as a whole
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# As the local AWS makes them; that of a message which was deleted since is still a right one.
RECEIPT_HANDLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
stock_publish = sns._publish
stock_delete_rule = eventbridge._delete_rule
stock_put_events = eventbridge._put_events
stock_delete_message = sqs._act_delete_message


def apply_requests() -> None:
    """Put the changed parts in place, before those of the queues."""
    sns._publish = publish
    eventbridge._delete_rule = delete_rule
    eventbridge._put_events = put_events
    sqs._HANDLERS["DeleteMessage"] = delete_message


def publish(params: Record) -> Any:
    """Refuse messages and subjects that SNS refuses, and publish (``_publish``)."""
    wrong = wrong_message(sns._p(params, "Message"), sns._p(params, "Subject"), sns._p(params, "MessageStructure"))
    return sns._error("InvalidParameter", f"Invalid parameter: {wrong}", 400) if wrong else stock_publish(params)


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


def delete_rule(data: Record) -> Any:
    """Refuse to delete a rule that has targets, as EventBridge does (``_delete_rule``)."""
    key = eventbridge._rule_key(data.get("Name"), data.get("EventBusName", "default"))
    if eventbridge._targets.get(key):
        text = "Rule can't be deleted since it has targets."
        return eventbridge.error_response_json("ValidationException", text, 400)
    return stock_delete_rule(data)


def put_events(data: Record, *rest: object, **more: object) -> Any:
    """Say of an event whose detail is no JSON object that it is malformed, and take the others (``_put_events``)."""
    entries = data.get("Entries") or []
    right = [entry for entry in entries if is_object(entry.get("Detail"))]
    if len(right) == len(entries) or len(entries) > MOST_ENTRIES:
        return stock_put_events(data, *rest, **more)
    status, headers, body = stock_put_events({**data, "Entries": right}, *rest, **more)
    if status != 200:
        return status, headers, body
    answer = json.loads(body)
    results = iter(answer["Entries"])
    malformed = {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    every = [next(results) if entry in right else malformed for entry in entries]
    failed = answer["FailedEntryCount"] + len(entries) - len(right)
    return eventbridge.json_response({"FailedEntryCount": failed, "Entries": every})


def is_object(text: object) -> bool:
    """Whether an event's detail is a JSON object; one that is missing is told otherwise."""
    try:
        return text is None or isinstance(json.loads(str(text)), dict)
    except ValueError:
        return False


def delete_message(data: Record, url: str) -> Any:
    """Delete a message; one that is deleted already is no error, as on SQS (``_act_delete_message``)."""
    try:
        return stock_delete_message(data, url)
    except sqs._Err as error:
        if error.code == "ReceiptHandleIsInvalid" and RECEIPT_HANDLE.fullmatch(data.get("ReceiptHandle", "")):
            return {}
        raise
