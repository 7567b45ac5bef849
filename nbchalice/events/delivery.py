"""Brings a form's or a command's events to their handler: once, twice, or many at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from nbchalice.errors import NbChaliceError
from nbchalice.events.attempts import later_attempts
from nbchalice.events.follow import Progress, SendStatus
from nbchalice.events.history import History
from nbchalice.events.invoke import invoke
from nbchalice.events.received import sent_event
from nbchalice.events.send import NOT_SENT, SendResult, send
from nbchalice.events.triggers import Route
from nbchalice.logs.invocation import Invocation
from nbchalice.typed import Values

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection

WAIT = 30.0
RETRIES_FOR = 150.0
AT_ONCE = 8


Sending = TypeVar("Sending", SendResult, Invocation)
Outcome = SendResult | Invocation | NbChaliceError


@dataclass(frozen=True)
class Way:
    """How events reach a handler.

    Parameters
    ----------
    aws : Connection
        where.
    route : Route
        The trigger and the function.
    direct : bool
        Whether the function is invoked directly, past its queue, topic, bucket or schedule.
    wait : float
        Seconds to wait for the invocation. Default: 30.
    history : History or None
        Keeps the events that were sent. Default: nothing does.
    """

    aws: Connection
    route: Route
    direct: bool = False
    wait: float = WAIT
    history: History | None = None

    def _sample(self, values: Values) -> object:
        return self.route.source.sample(self.route.options, self.route.ref, **values)

    def deliver(
        self,
        values: Values,
        on_progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> SendResult | Invocation:
        """Send one event, or invoke the function with it.

        Raises
        ------
        NbChaliceError
            AWS refused it, or the values cannot be used.
        """
        source, options, ref = self.route.source, self.route.options, self.route.ref
        if self.direct:
            event = self._sample(values)
            return self._kept(invoke(self.aws, ref, event), values, event)
        result = send(self.aws, source, options, ref, wait=self.wait, on_progress=on_progress, stop=stop, **values)
        return self._kept(result, values, None if result.message_id == NOT_SENT else self._sample(values))

    def _kept(self, result: Sending, values: Values, event: object) -> Sending:
        if self.history is not None and event is not None:
            self.history.keep(sent_event(self.route, values, result, event))
        return result

    def twice(self, values: Values) -> Iterator[SendResult | Invocation]:
        """Deliver the same event two times, to see whether the handler can stand it."""
        if self.direct:
            event = self._sample(values)
            for _ in range(2):
                yield self._kept(invoke(self.aws, self.route.ref, event), values, event)
            return
        values = self.route.source.repeated(self.route.options, values)
        first = self.deliver(values)
        yield first
        known, stop = getattr(first, "message_id", None), threading.Event()

        def look(progress: Progress) -> None:
            if progress.message_id == known:
                stop.set()

        second = self.deliver(values, look, stop)
        if isinstance(second, SendResult) and second.message_id == known and second.sent.ids:
            hint = f"the second is a duplicate of the first for {self.route.label}, which drops it"
            second = replace(second, status="dropped", invocation=None, hint=hint)
        yield second

    def many(self, values: Values, count: int) -> Iterator[Outcome]:
        """Deliver an event a number of times at once; yields what became of each, in the order they end."""
        from concurrent.futures import as_completed

        # Each its own event: a message of its own, also on a FIFO queue.
        single = self.route.source.distinct(self.route.options, values)
        with ThreadPoolExecutor(AT_ONCE, "nbchalice-send") as pool:
            for future in as_completed([pool.submit(self.deliver, single) for _ in range(count)]):
                try:
                    yield future.result()
                except NbChaliceError as error:
                    yield error

    def retries(self, result: SendResult, stop: threading.Event) -> Iterator[Invocation]:
        """Yield what the service's further attempts make of an event that failed."""
        first = result.invocation
        if result.status == "failed" and first is not None:
            yield from later_attempts(self.aws, first, result.sent.ids, stop, RETRIES_FOR)


def outcome(result: Outcome) -> SendStatus:
    """Return ``done``, ``failed``, or how far it came."""
    if isinstance(result, SendResult):
        return result.status
    if isinstance(result, Invocation):
        return "done" if result.status == "ok" else "failed"
    return "failed"


def invocation_of(result: Outcome) -> Invocation | None:
    """Return the invocation that handled it, or None."""
    return result.invocation if isinstance(result, SendResult) else result if isinstance(result, Invocation) else None
