"""Calls that AWS refuses, or takes, and MiniStack does not: what passes here is to pass there."""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.services import eventbridge, lambda_svc, sqs

Record = dict[str, Any]
MOST_ENTRIES = 10  # of one PutEvents; more is refused as a whole
# As the local AWS makes them; that of a message which was deleted since is still a right one.
RECEIPT_HANDLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
stock_create_mapping = lambda_svc._create_esm
stock_delete_rule = eventbridge._delete_rule
stock_put_events = eventbridge._put_events
stock_delete_message = sqs._act_delete_message
stock_delete_messages = sqs._act_delete_message_batch


def apply_requests() -> None:
    """Put the changed parts in place, before those of the queues."""
    sqs._HANDLERS["DeleteMessageBatch"] = delete_messages
    eventbridge._delete_rule = delete_rule
    eventbridge._put_events = put_events
    lambda_svc._create_esm = create_mapping
    sqs._HANDLERS["DeleteMessage"] = delete_message


def delete_rule(data: Record) -> Any:
    """Refuse to delete a rule that has targets, as EventBridge does (``_delete_rule``)."""
    key = eventbridge._rule_key(data.get("Name"), data.get("EventBusName", "default"))
    if eventbridge._targets.get(key):
        text = "Rule can't be deleted since it has targets."
        return eventbridge.error_response_json("ValidationException", text, 400)
    return stock_delete_rule(data)


def create_mapping(settings: Record) -> Any:
    """Refuse a second mapping of a queue or stream to a function, as Lambda does (``_create_esm``)."""
    source = str(settings.get("EventSourceArn", ""))
    name, qualifier, refused = lambda_svc._resolve_existing_esm_function(str(settings.get("FunctionName", "")))
    wanted = {"EventSourceArn": source, "FunctionName": name, "Qualifier": qualifier}
    for mapping in [] if refused else lambda_svc._esms.values():
        if wanted.items() <= mapping.items():
            between = f'(" {source} ") and function (" {name} ")'
            text = f"The event source arn {between} provided mapping already exists."
            if ":sqs:" in source:
                text = f"An event source mapping with SQS arn {between} already exists."
            text = f"{text} Please update or delete the existing mapping with UUID {mapping['UUID']}"
            return lambda_svc.error_response_json("ResourceConflictException", text, 409)
    return stock_create_mapping(settings)


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


def delete_messages(data: Record, url: str) -> Any:
    """Delete several messages; those that are deleted already are no errors (``_act_delete_message_batch``)."""
    answer = stock_delete_messages(data, url)
    handles = {entry.get("Id", ""): entry.get("ReceiptHandle", "") for entry in data.get("Entries", [])}
    gone = [failed for failed in answer["Failed"] if RECEIPT_HANDLE.fullmatch(handles[failed["Id"]])]
    answer["Failed"] = [failed for failed in answer["Failed"] if failed not in gone]
    answer["Successful"] += [{"Id": failed["Id"]} for failed in gone]
    return answer
