"""Two short log lines around a handler: what it was given, and how it ended, since CloudWatch tells neither for sure.

    NBCHALICE {"request_id": "...", "nonce": "8a1f", "ids": ["..."], "attempt": 1}
    NBCHALICE {"request_id": "...", "nonce": "8a1f", "end": "returned", "failed": ["..."]}

Ids only: never a message's text. Readers of the log hide these lines, and believe no others: the nonce is one that the
handler does not know, so that whatever it prints, it cannot pass for its own end.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from contextlib import suppress

from .answers import read_answer
from .event_kinds import ids_of, items_of, kinds_of, records_of
from .frames import without_own_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .events import JSON

PREFIX = "NBCHALICE "
MOST_IDS = 100
LONGEST_ID = 1200  # an S3 key has up to 1,024 bytes


def marked(handler: Callable[[object, object], object]) -> Callable[[object, object], object]:
    """Return ``handler`` so that each call writes its markers; it returns and raises what ``handler`` does.

    Parameters
    ----------
    handler : Callable[[object, object], object]
        What Lambda would call with ``(event, context)``. Without a request id in the context nothing is written.
    """
    output = -1
    with suppress(OSError):  # a handler may replace or close sys.stdout, and even what it writes to
        output = os.dup(1)

    @functools.wraps(handler)
    def run(event: object, context: object) -> object:
        nonce = os.urandom(4).hex()
        write = functools.partial(_write, output, context, nonce)
        write(started, event)
        try:
            result = handler(event, context)
        except Exception as error:
            kind = type(error).__name__
            error.__traceback__ = without_own_frames(error)
            from .causes import log_causes

            log_causes(error)
            write(lambda: {"end": "raised", "error": kind, **_reached(handler)})
            raise
        write(lambda: {**returned(result, event, getattr(handler, "reads_failures", None)), **_reached(handler)})
        return result

    return run


def started(event: object) -> JSON:
    """Return what the line at the start says."""
    attempts = _attempts(event)
    line = {**_cut("ids", ids_of(event)), "attempt": max(attempts.values(), default=None)}
    if len(set(attempts.values())) > 1:  # A message that failed before is in one batch with new ones.
        line["attempts"] = list(attempts.values())[:MOST_IDS]
    return line


def _reached(handler: object) -> dict[str, str]:
    """Return at which record of a batch the handler's loop was when it ended."""
    reached = getattr(handler, "reached", None)
    return {"reached": reached} if isinstance(reached, str) else {}


def returned(result: object, event: object, reads_failures: Callable[[object], bool | None] | None = None) -> JSON:
    """Return what the line at the end of a function says that returned.

    ``end`` is ``unsure`` where Lambda may not be able to make JSON of the result. ``failed`` are the records that the
    result reports, ``wrong`` is why that is the whole batch, and ``ignored`` are those that nobody asked for.
    """
    outcome: JSON = {"end": "unsure"}
    with suppress(Exception):
        json.dumps(result)
        outcome["end"] = "returned"
    reads = reads_failures(event) if reads_failures else None
    failed, wrong = failed_of(result, event)
    if reads is False and isinstance(result, dict) and (failed or wrong):  # A list is a result like any other there.
        outcome.update(_cut("ignored", failed))
    elif failed and not wrong and reads is not False:
        if kinds_of(event)[0].in_order:
            from .streams import from_the_first_on

            failed = from_the_first_on(list(items_of(event).values()), failed)
        outcome.update(_cut("failed", failed))
    elif reads and wrong:
        outcome["wrong"] = wrong
    return outcome


def failed_of(result: object, event: object) -> tuple[list[str], str]:
    """Return the ids of the records that an answer reports as failed, and what makes it malformed, or an empty text."""
    items = items_of(event)
    failed, wrong = read_answer(result, items)
    return [items[name] for name in failed], wrong


def _attempts(event: object) -> dict[int, int]:
    """Return how often SQS has delivered each message, by its place in the batch; others do not tell."""
    attempts = {}
    for place, record in enumerate(records_of(event)):
        attributes = record.get("attributes")
        count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
        if isinstance(count, str | int) and str(count).isdecimal():
            attempts[place] = int(count)
    return attempts


def _cut(name: str, ids: Iterable[str]) -> JSON:
    texts = [text[:LONGEST_ID] for text in ids]
    return {name: texts[:MOST_IDS], "more": max(0, len(texts) - MOST_IDS)}


def _write(output: int, context: Any, nonce: str, tell: Callable[..., JSON], *subjects: object) -> None:
    with suppress(Exception):  # a marker must never cost an invocation
        content = {"request_id": context.aws_request_id, "nonce": nonce, **tell(*subjects)}
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os.write(output, f"{PREFIX}{json.dumps(content, separators=(',', ':'))}\n".encode())
