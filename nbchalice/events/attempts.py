"""What becomes of an event after its first attempt: where that failed, the service tries again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nbchalice.events.outcome import as_own, end_of
from nbchalice.events.past import Answer, PastEvent
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tail import follow
from nbchalice.resources.base import AWS


def later_attempts(
    aws: AWS, first: Invocation, ids: tuple[str, ...], stop: threading.Event, seconds: float
) -> Iterator[Invocation]:
    """Yield each further attempt to handle an event, as it starts and as it ends; ends with one that succeeds.

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    first : Invocation
        The attempt that failed.
    ids : tuple[str, ...]
        What the event goes by.
    stop : threading.Event
        Ends the iterator when set.
    seconds : float
        How long to look.

    Raises
    ------
    AWSError
        AWS refused for good.
    """
    timer = threading.Timer(seconds, stop.set)
    timer.daemon = True
    timer.start()
    since = max(1.0, time.time() - (first.started or int(time.time() * 1000)) / 1000 + 1.0)
    try:
        for each in follow(aws, first.function, since, running=True, stop=stop):
            if each.key == first.key or not each.handles(ids) or (each.started or 0) < (first.started or 0):
                continue
            yield as_own(each, ids)
            if end_of(each, ids) in {"done", "ignored"}:
                return
    finally:
        timer.cancel()


def last_answer(event: PastEvent, invocations: Sequence[Invocation]) -> Answer | None:
    """Return what the last of some invocations made of an event; None where what is known of it is that, or later.

    Parameters
    ----------
    event : PastEvent
        The event, with what is known of it.
    invocations : Sequence[Invocation]
        What the function's log tells, the first started first.
    """
    known = event.answer
    here = known.where == "here"  # live mode may have got what the deployed function could not handle
    own = [one for one in invocations if one.finished and event.is_of(one)]
    own = [one for one in own if not here or (one.started or 0) > event.at]
    if not own or (own[-1].request_id, own[-1].attempt) == (known.request_id, known.attempt):
        return None
    answer = Answer.of_one(own[-1], event.ids or tuple(event.names()))
    attempts = len(own) + here
    return replace(answer, attempt=max(answer.attempt or 1, attempts))
