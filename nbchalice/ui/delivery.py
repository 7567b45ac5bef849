"""Brings a form's event to its handler, and says in words how it goes: what the sender does, without its widgets."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbchalice.errors import NbChaliceError
from nbchalice.events.attempts import later_attempts
from nbchalice.events.invoke import invoke
from nbchalice.events.send import Progress, SendResult, send
from nbchalice.logs.records import Invocation
from nbchalice.sources.base import Field, FunctionRef, Source

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection

WAIT = 30.0
RETRIES_FOR = 150.0
AT_ONCE = 8
DUPLICATE = "dropped as a duplicate of the first, as FIFO queues do"


def fields_for(source: Source, options: Mapping[str, Any]) -> list[Field]:
    """Return the fields of a trigger's form: only FIFO queues have groups and deduplication."""
    fifo = str(options.get("queue") or options.get("queue_arn") or "").endswith(".fifo")
    return [field for field in source.fields if fifo or field.name not in {"group_id", "dedup_id"}]


@dataclass(frozen=True)
class Way:
    """How events reach a handler.

    Parameters
    ----------
    aws: where.
    source, options: the trigger.
    ref: the function.
    direct: whether the function is invoked directly, past its queue, topic, bucket or schedule.
    """

    aws: Connection
    source: Source
    options: Mapping[str, Any]
    ref: FunctionRef
    direct: bool = False

    def deliver(
        self,
        values: Mapping[str, Any],
        on_progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
    ) -> SendResult | Invocation:
        """Send one event, or invoke the function with it.

        Raises
        ------
        NbChaliceError: AWS refused it, or the values cannot be used.
        """
        if self.direct:
            return invoke(self.aws, self.ref, self.source.sample(self.options, self.ref, **values))
        return send(
            self.aws, self.source, self.options, self.ref, wait=WAIT, on_progress=on_progress, stop=stop, **values
        )

    def twice(self, values: Mapping[str, Any]) -> Iterator[SendResult | Invocation]:
        """Deliver the same event two times, to see whether the handler can stand it."""
        if self.direct:
            event = self.source.sample(self.options, self.ref, **values)
            for _ in range(2):
                yield invoke(self.aws, self.ref, event)
            return
        if any(field.name == "dedup_id" for field in self.source.fields):
            values = {**values, "dedup_id": values.get("dedup_id") or str(uuid.uuid4())}
        for _ in range(2):
            yield self.deliver(values)

    def many(self, values: Mapping[str, Any], count: int) -> Iterator[SendResult | Invocation | NbChaliceError]:
        """Deliver an event a number of times at once; yields what became of each, in the order they end."""
        from concurrent.futures import as_completed

        # Each its own message, also on a FIFO queue.
        single = {name: value for name, value in values.items() if name != "dedup_id"}
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


def outcome(result: SendResult | Invocation | NbChaliceError) -> str:
    """Return ``done``, ``failed``, or how far it came."""
    if isinstance(result, SendResult):
        return result.status
    if isinstance(result, Invocation):
        return "done" if result.status == "ok" else "failed"
    return "failed"


def invocation_of(result: SendResult | Invocation | NbChaliceError) -> Invocation | None:
    """Return the invocation that handled it, or None."""
    return result.invocation if isinstance(result, SendResult) else result if isinstance(result, Invocation) else None


def summary(results: list[SendResult | Invocation | NbChaliceError], count: int) -> str:
    """Return how many of a number of events came how far."""
    states = Counter(outcome(result) for result in results)
    invocations = {i.key for result in results if (i := invocation_of(result))}
    told = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    return f"{len(results)} of {count}: {told or 'on their way'}; {len(invocations)} invocations"
