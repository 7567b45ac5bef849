"""Invokes a function asynchronously with an event, as EventBridge does."""

from __future__ import annotations

import json

from nbchalice.resources.base import AWS, FunctionRef
from nbchalice.sources.base import Sent
from nbchalice.sources.payloads import MOST_INVOKED_LATER, require_room


def send_event(aws: AWS, function: FunctionRef, event: object) -> Sent:
    """Hand an event to the function's queue of asynchronous events (Lambda: Invoke, InvocationType Event)."""
    payload = json.dumps(event).encode()
    require_room(len(payload), MOST_INVOKED_LATER, "the event", "an asynchronous invocation")
    answer = aws.client("lambda").invoke(FunctionName=function.name, InvocationType="Event", Payload=payload)
    request_id = str(answer["ResponseMetadata"]["RequestId"])
    known = event if isinstance(event, dict) and "detail-type" in event else {}
    return Sent(str(known.get("id") or request_id), (request_id,))
