"""Invokes a function asynchronously with an event, as EventBridge does."""

from __future__ import annotations

import json

from nbchalice.resources.base import AWS, FunctionRef
from nbchalice.sources.base import Sent


def send_event(aws: AWS, function: FunctionRef, event: object) -> Sent:
    """Hand an event to the function's queue of asynchronous events (Lambda: Invoke, InvocationType Event)."""
    answer = aws.client("lambda").invoke(
        FunctionName=function.name, InvocationType="Event", Payload=json.dumps(event).encode()
    )
    request_id = str(answer["ResponseMetadata"]["RequestId"])
    known = event if isinstance(event, dict) and "detail-type" in event else {}
    ids = tuple(dict.fromkeys(str(text) for text in (known.get("id"), request_id) if text))
    return Sent(ids[0], ids)
