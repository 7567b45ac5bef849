"""Brings a form's event to its handler, and says in words how it goes: what the sender does, without its widgets."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbchalice.errors import NbChaliceError
from nbchalice.events.attempts import later_attempts
from nbchalice.events.invoke import invoke
from nbchalice.events.preview import preview
from nbchalice.events.send import Progress, SendResult, send
from nbchalice.events.triggers import Route
from nbchalice.handlers import Handler
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.show import as_html, as_text
from nbchalice.sources.base import Note
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection

WAIT = 30.0
RETRIES_FOR = 150.0
AT_ONCE = 8
MOST_SHOWN = 3
DUPLICATE = "the second is a duplicate of the first for the FIFO queue, which drops it"


Outcome = SendResult | Invocation | NbChaliceError


@dataclass(frozen=True)
class Way:
    """How events reach a handler.

    Parameters
    ----------
    aws: where.
    route: the trigger and the function.
    direct: whether the function is invoked directly, past its queue, topic, bucket or schedule.
    wait: seconds to wait for the invocation. Default: 30.
    """

    aws: Connection
    route: Route
    direct: bool = False
    wait: float = WAIT

    def _sample(self, values: Mapping[str, Any]) -> Any:
        return self.route.source.sample(self.route.options, self.route.ref, **values)

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
        source, options, ref = self.route.source, self.route.options, self.route.ref
        if self.direct:
            return invoke(self.aws, ref, self._sample(values))
        return send(self.aws, source, options, ref, wait=self.wait, on_progress=on_progress, stop=stop, **values)

    def twice(self, values: Mapping[str, Any]) -> Iterator[SendResult | Invocation]:
        """Deliver the same event two times, to see whether the handler can stand it."""
        if self.direct:
            event = self._sample(values)
            for _ in range(2):
                yield invoke(self.aws, self.route.ref, event)
            return
        values = self.route.source.repeated(values)
        first = self.deliver(values)
        yield first
        known, stop = getattr(first, "message_id", None), threading.Event()

        def look(progress: Progress) -> None:
            if progress.message_id == known:
                stop.set()

        second = self.deliver(values, look, stop)
        if isinstance(second, SendResult) and second.message_id == known:
            second = replace(second, status="dropped", invocation=None, hint=DUPLICATE)
        yield second

    def many(self, values: Mapping[str, Any], count: int) -> Iterator[Outcome]:
        """Deliver an event a number of times at once; yields what became of each, in the order they end."""
        from concurrent.futures import as_completed

        # Each its own message, also on a FIFO queue.
        single = self.route.source.distinct(values)
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


def outcome(result: Outcome) -> str:
    """Return ``done``, ``failed``, or how far it came."""
    if isinstance(result, SendResult):
        return result.status
    if isinstance(result, Invocation):
        return "done" if result.status == "ok" else "failed"
    return "failed"


def invocation_of(result: Outcome) -> Invocation | None:
    """Return the invocation that handled it, or None."""
    return result.invocation if isinstance(result, SendResult) else result if isinstance(result, Invocation) else None


def summary(results: Sequence[Outcome], count: int) -> str:
    """Return how many of a number of events came how far."""
    states = Counter(outcome(result) for result in results)
    invocations = len({i.key for result in results if (i := invocation_of(result))})
    told = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    runs = f"{invocations} invocation{'' if invocations == 1 else 's'}"
    return f"{len(results)} of {count}: {told or 'on their way'}; {runs}"


class SendsCard(Card):
    """What became of several events. Attributes: ``results``, ``ok``, ``body`` (HTML without the summary).

    Parameters
    ----------
    results: what became of each.
    count: how many were sent.
    """

    def __init__(self, results: Sequence[Outcome], count: int) -> None:
        self.results = list(results)
        self.ok = all(outcome(result) == "done" for result in results)
        head = summary(results, count)
        wrong = [one for one in results if outcome(one) != "done"]
        shown = list({getattr(invocation_of(one), "key", str(one)): one for one in wrong or results}.values())
        hidden = len(shown) - MOST_SHOWN
        more = [f"{hidden} more are not shown"] if hidden > 0 else []
        text = "\n".join([head, *map(_text, shown[:MOST_SHOWN]), *more])
        kind = "good" if self.ok else "bad"
        self.body = "".join([*map(result_html, shown[:MOST_SHOWN]), *map(html.text, more)])
        whole = html.tag("div", html.tag("b", html.text(head, kind)), self.body)
        super().__init__(text, whole, [_plain(result) for result in results])


def result_html(result: Outcome) -> str:
    """Return the invocation that handled an event, or why there is none."""
    found = invocation_of(result)
    if found:
        return as_html(found)
    words = str(result) if isinstance(result, NbChaliceError) else getattr(result, "hint", None) or ""
    return html.tag("div", html.text(words, "muted"), style="line-height:1.5")


def _text(result: Outcome) -> str:
    found = invocation_of(result)
    return as_text(found) if found else f"  {getattr(result, 'hint', None) or result}"


def _plain(result: Outcome) -> Any:
    return {"error": str(result)} if isinstance(result, NbChaliceError) else result.to_dict()


class PreviewCard(Card):
    """What the service would do with an event. Attribute: ``notes``."""

    def __init__(self, route: Route, values: Mapping[str, Any], handlers: Sequence[Handler]) -> None:
        self.notes = preview(route.source, route.options, values, handlers, route.ref)
        notes = self.notes or [
            Note(f"{route.source.describe(route.options)}: {route.ref.handler} gets every event", True)
        ]
        data = [{"note": note.text, "passes": note.passes} for note in notes]
        super().__init__("\n".join(map(str, notes)), notes_html(notes), data)


def notes_html(notes: Sequence[Note]) -> str:
    """Return the notes of a preview, a line each."""
    kinds = {True: "good", False: "warn", None: "muted"}
    lines = (html.tag("div", html.text(str(note), kinds[note.passes])) for note in notes)
    return html.tag("div", *lines, style="line-height:1.6")
