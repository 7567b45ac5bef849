"""Follows an event that was sent to the invocation that handles it, and tells how far it is."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from nbchalice.errors import NbChaliceError
from nbchalice.events.idle import blocked
from nbchalice.events.leases import Lease, leases
from nbchalice.events.outcome import as_own, end_of
from nbchalice.events.triggers import Route
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.show import milliseconds
from nbchalice.logs.tail import Tail, pace_of, passes
from nbchalice.polling import Pace, poll
from nbchalice.resources.base import AWS
from nbchalice.sources.base import Sent
from nbchalice.typed import Values

MARGIN_SECONDS = 10.0
REPORT_SECONDS = 2.0
# What the notebook says of the trigger need not be deployed yet: a message that it drops may arrive all the same.
DROPPED_SECONDS = 3.0
# How long to wait before asking whether another process handles the events live.
LIVE_SECONDS = 1.0
SendStatus = Literal["queued", "dropped", "running", "retrying", "done", "failed", "ignored", "taken"]
ENDED = {"done", "failed", "ignored"}


@dataclass(frozen=True)
class Progress:
    """How far a test event has come.

    Parameters
    ----------
    state : SendStatus
        ``queued``, ``dropped`` (the trigger lets it not through), ``running``, ``retrying`` (a later attempt runs),
        ``done``, ``failed``, ``ignored`` (reported as failed where nobody asked: Lambda takes it for handled), or
        ``taken`` (by another function that reads the same queue).
    message_id : str
        The id under which AWS accepted it.
    attempt : int or None
        Which attempt, counted from 1; None while it is queued.
    invocation : Invocation or None
        What is known of the invocation, or None.
    dropped : str or None
        Why the trigger does not let it through, or None.
    """

    state: SendStatus
    message_id: str
    attempt: int | None = None
    invocation: Invocation | None = None
    dropped: str | None = None

    def __str__(self) -> str:
        if self.state == "retrying":
            return f"retrying (attempt {self.attempt})"
        duration = self.invocation.duration_ms if self.invocation and self.state in ENDED else None
        return self.state if duration is None else f"{self.state} in {milliseconds(duration)}"


class Lookout:
    """Where an invocation may be seen: in the function's log, in live mode of this process, or in another's not at all.

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    route : Route
        The trigger and the function.
    values : Values
        What the event is made of.
    in_process : deque[Invocation]
        Fills with what live mode of this process makes of the function's events.
    """

    def __init__(self, aws: AWS, route: Route, values: Values, in_process: deque[Invocation]) -> None:
        self._aws, self._route, self._values, self._in_process = aws, route, values, in_process
        self._tail = Tail(aws, route.ref.name)
        self._since: float | None = None
        self._asked = False
        self._others: list[Tail] = []
        self.live_elsewhere: Lease | None = None
        self.blocked = ""

    def pace(self) -> Pace:
        """Return how often to look."""
        return Pace(0.05, 0.2) if self._aws.local else pace_of(self._aws)

    def standing(self, seconds: float = MARGIN_SECONDS) -> list[Invocation]:
        """Return the invocations that the log holds already: they handle what was sent before."""
        try:
            return self._tail.begin(seconds)
        except NbChaliceError as error:
            if not passes(error):
                raise
            return []

    def poll(self, message_id: str) -> list[Invocation]:
        """Return the invocations that are new or have changed."""
        invocations: list[Invocation] = []
        while self._in_process:
            invocations.append(self._in_process.popleft())
        try:
            invocations += self._tail.poll()
        except NbChaliceError as error:
            if not passes(error):
                raise type(error)(
                    f"message {message_id} was sent, but {error.message}", error.hint, code=error.code
                ) from None
        return invocations

    def sees_nothing(self) -> bool:
        """Whether another process has the events, or they cannot arrive as AWS stands; asked once, after a moment."""
        self._since = self._since or time.monotonic()
        if not self._asked and time.monotonic() - self._since > LIVE_SECONDS:
            self._asked = True
            try:
                standing = leases(self._aws, self._route.ref.app, self._route.ref.stage)
            except NbChaliceError:
                standing = []  # Who may not list queues is told no more than before.
            live = next((lease for lease in standing if lease.is_of(self._route)), None)
            self.live_elsewhere = live if live and not live.mine else None
            self._others = self._competing()
            if live is None and not self._others:  # another reader may tell that it got it
                self.blocked = blocked(self._aws, self._route, self._values)
        return bool(self.live_elsewhere or self.blocked)

    def _competing(self) -> list[Tail]:
        """Return the logs of the other functions that take the same events, as far as AWS tells."""
        route = self._route
        try:
            names = route.source.competing_functions(self._aws, route.options, route.ref)
        except Exception:  # Whoever may not list mappings is told no more than before.
            return []
        return [Tail(self._aws, name, MARGIN_SECONDS) for name in names]

    def taken_by(self, ids: tuple[str, ...]) -> str | None:
        """Return the other function that got the event; None while none of them tells."""
        for tail in list(self._others):
            try:
                if any(invocation.handles(ids) for invocation in tail.poll()):
                    return tail.function_name
            except NbChaliceError:
                self._others.remove(tail)
        return None


class Followed:
    """Picks the invocation that handled one event, and tells how far it is."""

    def __init__(
        self,
        sent: Sent,
        earlier: list[Invocation],
        dropped: str | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._sent = sent
        self.dropped = dropped
        self.message_id = sent.message_id
        self._earlier = {invocation.key for invocation in earlier}
        self._earlier_requests = {invocation.request_id for invocation in earlier}
        self._earlier_ids = set(chain.from_iterable(invocation.ids for invocation in earlier))
        self._tell = on_progress
        self._told: tuple[SendStatus, int | None] | None = None
        self.invocation: Invocation | None = None
        self.taken: str | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """What the event goes by."""
        return self._sent.ids

    @property
    def ended(self) -> bool:
        """Whether the attempt has ended."""
        return self.invocation is not None and self.invocation.finished

    @property
    def complete(self) -> bool:
        """Whether it has ended and its numbers are known."""
        return self.ended and self.invocation is not None and self.invocation.duration_ms is not None

    @property
    def state(self) -> SendStatus:
        """The state as `Progress` names it."""
        if self.invocation is None:
            return "dropped" if self.dropped else "taken" if self.taken else "queued"
        state = end_of(self.invocation, self._sent.ids)
        return "retrying" if state == "running" and (self.invocation.attempt or 1) > 1 else state

    @property
    def situation(self) -> str:
        """The state as `HINTS` names it."""
        if self.invocation is not None and self.invocation.never_began and not self.invocation.handles(self._sent.ids):
            return "failed before it began"
        return "running" if self.state == "retrying" else self.state

    def look(self, changed: list[Invocation]) -> None:
        """Take in changed invocations and tell the new state; the end only once its numbers are known."""
        for invocation in changed:
            if invocation.key in self._earlier or not self._may_be(invocation):
                continue
            if self.invocation is None or self.invocation.key == invocation.key:
                self.invocation = as_own(invocation, self._sent.ids)
        if self.complete or not self.ended:
            self.tell()

    def _may_be(self, invocation: Invocation) -> bool:
        """Whether an invocation handles the event; one that never began does not say what it was given."""
        if invocation.never_began and not invocation.ids:
            return invocation.request_id in self.ids or invocation.request_id not in self._earlier_requests
        another = self._sent.shared and self._earlier_ids.issuperset(invocation.ids)
        return invocation.handles(self._sent.ids) and not another

    def tell(self) -> None:
        """Tell the state when it is a new one."""
        attempt = self.invocation.attempt if self.invocation else None
        if self._tell and (self.state, attempt) != self._told:
            self._told = (self.state, attempt)
            self._tell(Progress(self.state, self._sent.message_id, attempt, self.invocation, self.dropped))


def follow(event: Followed, lookout: Lookout, deadline: float, stop: threading.Event) -> None:
    """Look until an invocation has handled an event, it cannot be seen from here, or the time is up."""
    report_until: float | None = None
    pace = lookout.pace()
    give_up = min(deadline, time.monotonic() + DROPPED_SECONDS) if event.dropped else deadline

    def over() -> bool:
        nonlocal report_until
        changed = lookout.poll(event.message_id)
        event.look(changed)
        if changed:
            pace.restart()
        if event.ended:  # its numbers follow within moments
            report_until = report_until or time.monotonic() + REPORT_SECONDS
            return event.complete or time.monotonic() > report_until
        if event.invocation is not None:
            return False
        if time.monotonic() > give_up or lookout.sees_nothing():
            return True
        event.taken = lookout.taken_by(event.ids)
        return event.taken is not None

    if deadline > time.monotonic() and not stop.is_set():
        poll(over, deadline, pace, stop.wait)
