"""Calls that AWS refuses, or takes, and MiniStack does not: what passes here is to pass there."""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.services import eventbridge, sqs

from .rule_requests import against_event

Record = dict[str, Any]
# EventBridge: PutEvents, "must be less than 1MB".
MOST_BYTES, BYTES_OF_TIME = 1024 * 1024 - 1, 14
MOST_ENTRIES = 10  # of one PutEvents; more is refused as a whole
# As the local AWS makes them; that of a message which was deleted since is still a right one.
RECEIPT_HANDLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
stock_delete_rule = eventbridge._delete_rule
stock_put_events = eventbridge._put_events
stock_delete_message = sqs._act_delete_message
stock_delete_messages = sqs._act_delete_message_batch


def apply_requests() -> None:
    """Put the changed parts in place, before those of the queues."""
    sqs._HANDLERS["DeleteMessageBatch"] = delete_messages
    eventbridge._delete_rule = delete_rule
    eventbridge._put_events = put_events
    sqs._HANDLERS["DeleteMessage"] = delete_message


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
    if sum(map(size_of, entries)) > MOST_BYTES:
        text = "Total size of the entries in the request is over the limit."
        return eventbridge.error_response_json("ValidationException", text, 400)
    right = [entry for entry in entries if against_event(entry) is None and is_object(entry["Detail"])]
    if len(right) == len(entries) or len(entries) > MOST_ENTRIES:
        return stock_put_events(data, *rest, **more)
    status, headers, body = stock_put_events({**data, "Entries": right}, *rest, **more)
    if status != 200:
        return status, headers, body
    answer = json.loads(body)
    results = iter(answer["Entries"])
    malformed = {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    every = [next(results) if entry in right else against_event(entry) or malformed for entry in entries]
    failed = answer["FailedEntryCount"] + len(entries) - len(right)
    return eventbridge.json_response({"FailedEntryCount": failed, "Entries": every})


def size_of(entry: Record) -> int:
    """Return the bytes of an event (EventBridge: "Calculating PutEvents event entry size")."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")] + (entry.get("Resources") or [])
    return BYTES_OF_TIME * ("Time" in entry) + sum(len(text.encode()) for text in texts)


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


def delete_messages(data: Record, url: str) -> Any:
    """Delete several messages; those that are deleted already are no errors (``_act_delete_message_batch``)."""
    answer = stock_delete_messages(data, url)
    handles = {entry.get("Id", ""): entry.get("ReceiptHandle", "") for entry in data.get("Entries", [])}
    gone = [failed for failed in answer["Failed"] if RECEIPT_HANDLE.fullmatch(handles[failed["Id"]])]
    answer["Failed"] = [failed for failed in answer["Failed"] if failed not in gone]
    answer["Successful"] += [{"Id": failed["Id"]} for failed in gone]
    return answer
