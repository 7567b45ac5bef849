"""Events of buckets name the call that caused them, as on S3; MiniStack gives each an id that no answer has."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import eventbridge, s3

from .function_records import Record
from .guard import current_call

LENGTH = 16
stock_handle_request = s3.handle_request


def apply_object_events() -> None:
    """Put the changed parts in place, after those that change what an event holds, or where it goes."""
    s3.handle_request = handle_request
    s3._deliver_event_to_lambda = with_cause(s3._deliver_event_to_lambda)
    s3._deliver_event_to_sqs = with_cause(s3._deliver_event_to_sqs)
    s3._deliver_event_to_sns = with_cause(s3._deliver_event_to_sns)
    eventbridge._dispatch_event = through_events(eventbridge._dispatch_event)


async def handle_request(*arguments: Any, internal: bool = False, **options: Any) -> Any:
    """Give a call of S3 the id that its answer and its events have (``handle_request``)."""
    call = current_call.get()
    if call is not None and not internal:
        call.cause = uuid.uuid4().hex[:LENGTH].upper()
    answer = await stock_handle_request(*arguments, internal=internal, **options)
    if call is not None and answer[0] >= HTTPStatus.MULTIPLE_CHOICES:
        call.cause = ""  # a refusal has an id of its own in its document, too
    return answer


def cause_of_event() -> str:
    """Return the id of the call that caused the event which is made now, in a copy of the call's context."""
    call = current_call.get()
    return call.cause if call is not None else ""


def with_cause(deliver: Callable[..., None]) -> Callable[..., None]:
    """Hand an event on with the id of the call (S3: Event message structure)."""

    def delivered(arn: str, event: Record, *rest: Any, **more: Any) -> None:
        if cause := cause_of_event():
            for record in event["Records"]:
                record["responseElements"] = {**record["responseElements"], "x-amz-request-id": cause}
        deliver(arn, event, *rest, **more)

    return delivered


def through_events(dispatch: Callable[..., Any]) -> Callable[..., Any]:
    """Hand an event of a bucket to EventBridge with the id of the call; its own id is another."""

    def dispatched(event: Record, *rest: Any, **more: Any) -> Any:
        if cause := cause_of_event():
            event = {**event, "Detail": json.dumps({**json.loads(event["Detail"]), "request-id": cause})}
        return dispatch(event, *rest, **more)

    return dispatched
