"""What becomes of asynchronous events that are given up: dead-letter queues and on-failure destinations."""

from __future__ import annotations

import json
import logging
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from ministack.services import lambda_svc, sns, sqs

from .async_events import AsyncEvent
from .function_records import Record, event_invoke_config, function_record

LONGEST_ERROR = 1024  # bytes of an error's message that a dead letter holds
LIMITS = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")
stock_put_event_invoke_config = lambda_svc._put_event_invoke_config
logger = logging.getLogger("nbchalice.events")


def put_event_invoke_config(name: str, qualifier: str | None, asked: Record) -> Any:
    """Keep of tries and age what was asked for; what was not is told by nobody (``_put_event_invoke_config``)."""
    status, headers, body = stock_put_event_invoke_config(name, qualifier, asked)
    if status >= 300:
        return status, headers, body
    kept = lambda_svc._functions[name]["event_invoke_configs"][qualifier or ""]
    for limit in LIMITS:
        if limit not in asked:
            del kept[limit]
    return lambda_svc.json_response(kept)


def give_up(event: AsyncEvent) -> None:
    """Tell of an event that is given up: the function's on-failure destination, or else its dead-letter queue."""
    func = function_record(event.arn)
    if func is None:
        return
    config = func["config"]
    destination = (event_invoke_config(event.arn).get("DestinationConfig") or {}).get("OnFailure") or {}
    try:
        if target := destination.get("Destination"):
            lambda_svc._run_with_function_config_scope(config, deliver, target, as_text(record_of(event, config)))
        elif target := (config.get("DeadLetterConfig") or {}).get("TargetArn"):
            lambda_svc._run_with_function_config_scope(
                config, deliver, target, as_text(event.payload), letter_attributes(event)
            )
    except Exception:
        logger.exception("event %s of %s cannot be given to %s", event.request_id, event.arn, target)


def letter_attributes(event: AsyncEvent) -> Record:
    """Return the attributes of a dead letter (Lambda: Dead-letter queues); its body is the event as it was."""
    message = str(event.error.get("errorMessage", "")).encode()[:LONGEST_ERROR].decode(errors="ignore")
    return {
        "RequestID": {"DataType": "String", "StringValue": event.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        **({"ErrorMessage": {"DataType": "String", "StringValue": message}} if message else {}),
    }


def record_of(event: AsyncEvent, config: Record) -> Record:
    """Return what an on-failure destination gets (Lambda: Capturing records of asynchronous invocations)."""
    version = config.get("Version", "$LATEST")
    arn = event.arn if event.arn.count(":") > 6 else f"{event.arn}:{version}"
    return {
        "version": "1.0",
        "timestamp": moment(time.time()),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": arn,
            "condition": event.condition,
            "approximateInvokeCount": event.attempt,
        },
        "requestPayload": event.payload,
        "responseContext": {"statusCode": 200, "executedVersion": version, "functionError": "Unhandled"},
        "responsePayload": event.error,
    }


def deliver(target: str, body: str, attributes: Record | None = None) -> None:
    """Send a text to a queue, a topic or a function that stands."""
    if target in sns._topics:
        sns._fanout(target, str(uuid.uuid4()), body, "", "", attributes or {})
    elif ":sqs:" in target and (queue := sqs._queue_by_arn(target)):
        message = {"QueueUrl": queue["url"], "MessageBody": body, "MessageAttributes": attributes or {}}
        sqs._act_send_message(message, queue["url"])
    elif ":lambda:" in target and (func := function_record(target)):
        lambda_svc.invoke_async_with_retry(func, json.loads(body))
    else:
        logger.warning("nothing stands at %s: %s", target, body)


def as_text(document: Any) -> str:
    """Return a document as Lambda writes it; with escapes where a queue would not take its characters."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(document) if sqs._INVALID_SQS_CHARS_RE.search(text) else text


def moment(seconds: float) -> str:
    """Return a point in time as Lambda writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
