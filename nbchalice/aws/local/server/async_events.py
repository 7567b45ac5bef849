"""Lambda's queue of asynchronous events: delivered in the background, retried, never dropped for lack of capacity."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from typing import Any

logger = logging.getLogger("nbchalice.events")


@dataclass(frozen=True)
class AsyncEvent:
    """An event on its way to a function.

    ``error`` is what its last attempt said, ``condition`` why it is given up, and ``trace`` the id of what caused it.
    """

    arn: str
    payload: Any
    request_id: str
    attempt: int = 1
    accepted: float = field(default_factory=time.time)
    error: dict[str, Any] = field(default_factory=dict)
    condition: str = ""
    trace: str = ""


class Delivery(Enum):
    """How one attempt ended."""

    DONE = "done"
    FAILED = "failed"
    THROTTLED = "throttled"
    NO_FUNCTION = "no function"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Attempt:
    """How one attempt ended, with the error document of the function."""

    delivery: Delivery
    error: dict[str, Any] = field(default_factory=dict)


class AsyncEventQueue:
    """Runs asynchronous events, a few at a time for each function.

    Parameters
    ----------
    deliver : Callable[[AsyncEvent], Attempt]
        Runs the handler once.
    give_up : Callable[[AsyncEvent], None]
        Routes an event whose attempts are used up.
    limits : Callable[[str], tuple[int, float]]
        How often an event of this function is tried again after an error, and to what age in seconds.
    delays : tuple[float, ...]
        Seconds before the first, second, ... retry; the last one counts for all further ones.
    width : int
        How many events of one function run at the same time.
    """

    def __init__(
        self,
        deliver: Callable[[AsyncEvent], Attempt],
        give_up: Callable[[AsyncEvent], None],
        limits: Callable[[str], tuple[int, float]],
        delays: tuple[float, ...],
        width: int,
    ) -> None:
        self._deliver = deliver
        self._give_up = give_up
        self._limits = limits
        self._delays = delays
        self._width = width
        self._ready: dict[str, deque[AsyncEvent]] = {}
        self._running: dict[str, int] = {}
        self._in_flight: dict[int, AsyncEvent] = {}
        self._waiting: list[tuple[float, int, AsyncEvent]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._watch_clock, name="lambda-retries", daemon=True).start()

    def submit(self, event: AsyncEvent) -> None:
        """Accept an event; returns at once."""
        with self._changed:
            self._make_ready(event)

    def pending(self) -> list[dict[str, object]]:
        """Return the events not yet done with, as JSON-ready data."""
        with self._changed:
            queued = itertools.chain.from_iterable(self._ready.values())
            waiting = (entry[2] for entry in self._waiting)
            events = {event.request_id: event for event in itertools.chain(self._in_flight.values(), queued, waiting)}
            return [asdict(event) for event in events.values()]

    def restore(self, events: list[dict[str, Any]]) -> None:
        """Accept again what a stopped server had not done with."""
        for event in [AsyncEvent(**event) for event in events]:  # all or, where one is not as it should be, none
            self.submit(event)

    def clear(self) -> None:
        """Forget all events that are not running."""
        with self._changed:
            self._ready.clear()
            self._waiting.clear()

    def _make_ready(self, event: AsyncEvent) -> None:
        self._ready.setdefault(event.arn, deque()).append(event)
        if self._running.get(event.arn, 0) < self._width:
            self._running[event.arn] = self._running.get(event.arn, 0) + 1
            threading.Thread(target=self._run, args=(event.arn,), name="lambda-event", daemon=True).start()

    def _run(self, arn: str) -> None:
        ticket = next(self._order)
        while True:
            with self._changed:
                self._in_flight.pop(ticket, None)
                queue = self._ready.get(arn)
                if not queue:
                    self._ready.pop(arn, None)
                    self._running[arn] -= 1
                    return
                event = self._in_flight[ticket] = queue.popleft()
            self._attempt(event)

    def _attempt(self, event: AsyncEvent) -> None:
        try:
            attempt = self._deliver(event)
        except Exception as error:
            logger.exception("event %s for %s", event.request_id, event.arn)
            attempt = Attempt(Delivery.FAILED, {"errorMessage": str(error)})
        if attempt.delivery in (Delivery.DONE, Delivery.NO_FUNCTION):
            return
        event = replace(event, error=attempt.error or event.error)
        retries, max_age = self._limits(event.arn)
        age = time.time() - event.accepted
        throttled = attempt.delivery is Delivery.THROTTLED
        delay = min(5.0, max(0.2, age / 10)) if throttled else self._delays[min(event.attempt, len(self._delays)) - 1]
        if attempt.delivery is Delivery.STOPPED or (event.attempt > retries and not throttled):
            self._give_up(replace(event, condition="RetriesExhausted"))
        elif age + delay > max_age:
            self._give_up(replace(event, condition="EventAgeExceeded"))
        else:
            self._later(event if throttled else replace(event, attempt=event.attempt + 1), delay)

    def _later(self, event: AsyncEvent, delay: float) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + delay, next(self._order), event))
            self._changed.notify_all()

    def _watch_clock(self) -> None:
        with self._changed:
            while True:
                while self._waiting and self._waiting[0][0] <= time.monotonic():
                    self._make_ready(heapq.heappop(self._waiting)[2])
                timeout = self._waiting[0][0] - time.monotonic() if self._waiting else None
                self._changed.wait(timeout)
