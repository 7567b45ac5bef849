"""One short log line that links an invocation with what it handles, since CloudWatch does not.

    NBCHALICE {"request_id": "...", "ids": ["..."], "attempt": 1}
    NBCHALICE {"request_id": "...", "failed": ["..."]}

Ids only: never a message's text. Readers of the log hide these lines.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

from .batch import without_own_frames
from .causes import log_causes

PREFIX = "NBCHALICE "
MOST_IDS = 100
LONGEST_ID = 1200  # an S3 key has up to 1,024 bytes


def marked(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return ``handler`` so that each call prints its markers; it returns and raises what ``handler`` does.

    Parameters
    ----------
    handler: what Lambda would call with ``(event, context)``. Without a request id in the context nothing is printed.
    """

    @functools.wraps(handler)
    def run(event: Any, context: Any) -> Any:
        _write(started, event, context)
        try:
            result = handler(event, context)
        except Exception as error:
            error.__traceback__ = without_own_frames(error.__traceback__)
            log_causes(error)
            raise
        _write(ended, result, context)
        return result

    return run


def started(event: Any, request_id: str) -> str:
    """Return the line for the start of an invocation."""
    attempt = _attempt(event)
    return _line(request_id, "ids", ids_of(event), {} if attempt is None else {"attempt": attempt})


def ended(result: Any, request_id: str) -> str | None:
    """Return the line for the end of an invocation, or None when its result names no failed records."""
    failed = failed_of(result)
    return _line(request_id, "failed", failed, {}) if failed else None


def failed_of(result: Any) -> list[str]:
    """Return the ids of the records that a function's answer reports as failed."""
    failures = result.get("batchItemFailures") if isinstance(result, dict) else None
    items = failures if isinstance(failures, list) else []
    found = (item.get("itemIdentifier") for item in items if isinstance(item, dict))
    return [text for text in found if isinstance(text, str) and text]


def ids_of(event: Any) -> list[str]:
    """Return what the sender of an event can know it by: message ids, S3's request id, ``key@etag``, an event's id."""
    found = (text for record in _records(event) for text in _ids(record) if isinstance(text, str) and text)
    return list(dict.fromkeys(found))


def _records(event: Any) -> list[dict[str, Any]]:
    if not isinstance(event, dict):
        return []
    records = event.get("Records")
    return [record for record in records if isinstance(record, dict)] if isinstance(records, list) else [event]


def _ids(record: dict[str, Any]) -> Iterator[Any]:
    yield record.get("messageId")  # SQS
    yield _dict(record, "Sns").get("MessageId")
    yield _dict(record, "responseElements").get("x-amz-request-id")  # S3
    stored = _dict(_dict(record, "s3"), "object")
    key, etag = stored.get("key"), stored.get("eTag")
    if isinstance(key, str) and isinstance(etag, str):
        yield f"{unquote_plus(key)}@{etag.strip(chr(34))}"
    yield record.get("eventID")  # Kinesis, DynamoDB
    if keys := _dict(record, "dynamodb").get("Keys"):
        yield keys_id(keys)
    if "detail-type" in record:  # EventBridge
        yield record.get("id")


def keys_id(keys: dict[str, Any]) -> str:
    """Return an id for the key of a DynamoDB item: PutItem tells no other, and the key itself is data."""
    import hashlib

    text = json.dumps(keys, sort_keys=True, default=str)
    return f"keys@{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _dict(holder: dict[str, Any], name: str) -> dict[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _attempt(event: Any) -> int | None:
    """Return how often SQS has delivered the messages; others do not tell."""
    counts = (_dict(record, "attributes").get("ApproximateReceiveCount") for record in _records(event))
    numbers = [int(count) for count in counts if isinstance(count, str | int) and str(count).isdecimal()]
    return max(numbers, default=None)


def _line(request_id: str, name: str, ids: Iterable[str], more: dict[str, Any]) -> str:
    texts = [text[:LONGEST_ID] for text in ids]
    content = {"request_id": request_id, name: texts[:MOST_IDS], **more}
    if len(texts) > MOST_IDS:
        content["more"] = len(texts) - MOST_IDS
    return PREFIX + json.dumps(content, separators=(",", ":"))


def _write(line: Callable[[Any, str], str | None], subject: Any, context: Any) -> None:
    try:
        request_id = getattr(context, "aws_request_id", None)
        text = line(subject, request_id) if isinstance(request_id, str) and request_id else None
        if text:
            print(text, flush=True)
    except Exception:  # noqa: S110 - a marker must never cost an invocation
        pass
