"""Sends a test event on its real way and follows it to the invocation that handled it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from nbchalice.aws.errors import explain
from nbchalice.deploy.desired import is_made
from nbchalice.errors import AWSError, Interrupted, LostAnswerError, NbChaliceError
from nbchalice.events.handled_in_process import HERE
from nbchalice.events.leases import Lease, leases
from nbchalice.events.outcome import as_own, batch_note, end_of
from nbchalice.events.preview import why_dropped
from nbchalice.events.triggers import Route
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.show import as_html, as_text, milliseconds, printable
from nbchalice.logs.tail import Tail, pace_of, passes
from nbchalice.polling import Pace, poll
from nbchalice.resources.base import AWS, FunctionRef, or_missing
from nbchalice.runtime.event_kinds import KINDS
from nbchalice.sources.base import Sent, Source
from nbchalice.sources.invoking import send_event
from nbchalice.typed import JSON, Values

MARGIN_SECONDS = 10.0
REPORT_SECONDS = 2.0
# What the notebook says of the trigger need not be deployed yet: a message that it drops may arrive all the same.
DROPPED_SECONDS = 3.0
# How long to wait before asking whether another process handles the events live.
LIVE_SECONDS = 1.0
SendStatus = Literal["queued", "dropped", "running", "retrying", "done", "failed", "ignored", "taken"]

# In place of a message's id.
NOT_SENT = "not sent"
ENDED = {"done", "failed", "ignored"}
HINTS = {
    "queued": "no invocation has taken it up yet; look later with the logs of the function, "
    "or check that the trigger is deployed and its filter lets the message through",
    "failed before it began": "it failed before the handler began, as every invocation will until that is "
    "corrected and deployed again",
    "running": "the invocation still runs; the logs of the function show how it ends",
}


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


@dataclass(frozen=True)
class SendResult:
    """A test event and what became of it.

    Parameters
    ----------
    message_id : str
        The id under which AWS accepted it.
    invocation : Invocation or None
        The first finished attempt to handle it, or what is known of the running one, or None.
    sent : Sent
        The ids by which the invocation was recognised.
    status : SendStatus
        ``queued``, ``dropped``, ``running``, ``retrying``, ``done``, ``failed``, ``ignored`` or ``taken``.
    hint : str or None
        What to do where it is neither done nor failed, or which other message of its batch failed; else None.
    """

    message_id: str
    invocation: Invocation | None
    sent: Sent = field(repr=False)
    status: SendStatus
    hint: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the message was handled."""
        return self.status == "done"

    def to_dict(self) -> JSON:
        """Return JSON-ready data, as ``nbchalice send --json`` prints it."""
        return {
            "message_id": self.message_id,
            "status": self.status,
            "hint": self.hint,
            "invocation": self.invocation.to_dict() if self.invocation else None,
        }

    def __str__(self) -> str:
        lines = [f"message {printable(self.message_id)}: {self.status}"]
        if self.hint:
            lines.append(f"  {printable(self.hint)}")
        if self.invocation:
            lines.append(as_text(self.invocation))
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        name = escape(printable(self.message_id))
        head = f'<div style="font-size:12px">message {name}: <b>{escape(self.status)}</b></div>'
        hint = f'<div style="font-size:12px;opacity:.7">{escape(self.hint)}</div>' if self.hint else ""
        body = as_html(self.invocation) if self.invocation else ""
        return {"text/plain": str(self), "text/html": head + hint + body}


def send(
    aws: AWS,
    source: Source,
    options: Values,
    function_ref: FunctionRef,
    *,
    wait: float = 30.0,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    **values: object,
) -> SendResult:
    """Send a test event through its service and wait until an invocation has handled it.

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    source, options : Source or Values
        The trigger whose way the event takes.
    function_ref : FunctionRef
        The function that is to handle it.
    wait : float
        Seconds to wait for the invocation to end; 0 does not look. Default: 30.
    on_progress : Callable[[Progress], None] or None
        Called in this thread at each new state. Default: none.
    stop : threading.Event or None
        Ends the waiting when set. Default: none.
    values : object
        What the source's form asks for (``message``, ``attribute``, ``key``, ...).

    Returns
    -------
    The first finished attempt to handle the event; after ``wait`` seconds, or a few for an event that the trigger
    drops, what is known then.

    Raises
    ------
    LostAnswerError
        The event may have been sent, or not; it was not sent again.
    AWSError
        The function is not deployed, AWS refused the event, or its log cannot be read.
    Interrupted
        The user did not want to wait; says what was sent.
    """
    require_deployed(aws, function_ref)
    made, dropped = is_made(source, aws), why_dropped(source, options, values, function_ref)
    if dropped and (source.passes_by(options) or not made):
        return _not_sent(dropped, on_progress)
    with HERE.watch(function_ref.name) as here:
        lookout = _Lookout(aws, Route(source, options, function_ref), here)
        earlier = lookout.standing() if wait > 0 else set()
        try:
            if made:
                sent = source.send(aws, options, function_ref, **values)
            else:
                sent = send_event(aws, function_ref, source.sample(options, function_ref, **values))
        except LostAnswerError as error:
            look = f"%chalice logs {function_ref.handler} shows whether it arrived; send it again if it did not"
            raise LostAnswerError(f"sending to {source.describe(options)}", error.cause, look) from None
        except Exception as error:
            whose = f"the event source {source.name}"
            raise explain(error, f"sending to {source.describe(options)}", whose) from None
        watch = _Watch(sent, earlier, dropped, on_progress)
        try:
            watch.look([])
            _until_handled(watch, lookout, _pace(aws), time.monotonic() + wait, stop or threading.Event())
        except KeyboardInterrupt:
            state = "" if watch.found is None else f" ({watch.state})"
            text = f"message {sent.message_id} was sent; its invocation{state} was not waited for"
            raise Interrupted(text, f"the logs of {function_ref.handler} show what becomes of it") from None
    watch.tell()
    hint = watch.dropped if watch.state == "dropped" else HINTS.get(watch.situation)
    if watch.state == "ignored":
        hint = _why_ignored(source.unread(options))
    if watch.state == "queued" and lookout.live_elsewhere:
        hint = _gone_elsewhere(lookout.live_elsewhere)
    elif watch.taken:
        why = competing_consumers(aws, source, options, function_ref)
        hint = f"{watch.taken} got the message" + (f": {why}" if why else "")
    elif watch.state == "queued" and wait > 0 and (told := competing_consumers(aws, source, options, function_ref)):
        hint = told
    elif watch.found is not None and len(KINDS[source.name].ids) == 1:
        hint = hint or batch_note(watch.found, sent.ids)
    return SendResult(sent.message_id, watch.found, sent, watch.state, hint)


def _not_sent(why: str, on_progress: Callable[[Progress], None] | None) -> SendResult:
    """Return that the service would drop an event, which would reach the function on its way past the service."""
    if on_progress:
        on_progress(Progress("dropped", NOT_SENT, dropped=why))
    return SendResult(NOT_SENT, None, Sent(NOT_SENT, ()), "dropped", f"{why}, so that it was not sent")


def _gone_elsewhere(lease: Lease) -> str:
    if lease.dead:
        return f"{lease}; %chalice status puts it back, and the function then gets this message"
    return f"{lease}, and that is where this message goes"


def _why_ignored(todo: str) -> str:
    told = "the message was deleted although the function reported it as failed"
    return f"{told}; {todo}, and deploy" if todo else f"{told}: the deployed trigger does not ask; deploy"


def competing_consumers(aws: AWS, source: Source, options: Values, function_ref: FunctionRef) -> str | None:
    """Return a warning where other functions take the trigger's events, or None, also where AWS does not tell."""
    try:
        return source.competing_consumers(aws, options, function_ref)
    except Exception:
        return None


def _pace(aws: AWS) -> Pace:
    return Pace(0.05, 0.2) if aws.local else pace_of(aws)


def require_deployed(aws: AWS, function_ref: FunctionRef) -> None:
    """Raise AWSError unless the function stands: an event for it would wait for nobody."""
    with or_missing():
        aws.client("lambda").get_function_configuration(FunctionName=function_ref.name)
        return
    raise AWSError(
        f"{function_ref.handler} is not deployed ({function_ref.name} does not exist)",
        "deploy it first",
        code="not-deployed",
    )


class _Lookout:
    """Where an invocation may be seen: in the function's log, in live mode of this process, or in another's not at all.

    Parameters
    ----------
    aws : AWS
        where.
    route : Route
        The trigger and the function.
    here : deque[Invocation]
        Fills with what live mode of this process makes of the function's events.
    """

    def __init__(self, aws: AWS, route: Route, here: deque[Invocation]) -> None:
        self._aws, self._route, self._here = aws, route, here
        self._tail = Tail(aws, route.ref.name)
        self._since: float | None = None
        self._asked = False
        self._others: list[Tail] = []
        self.live_elsewhere: Lease | None = None

    def standing(self) -> set[tuple[str, int]]:
        """Return the invocations that the log holds already: an object put twice has the same name and content."""
        try:
            return {invocation.key for invocation in self._tail.begin(MARGIN_SECONDS)}
        except NbChaliceError as error:
            if not passes(error):
                raise
            return set()

    def poll(self, message_id: str) -> list[Invocation]:
        """Return the invocations that are new or have changed."""
        invocations: list[Invocation] = []
        while self._here:
            invocations.append(self._here.popleft())
        try:
            invocations += self._tail.poll()
        except NbChaliceError as error:
            if not passes(error):
                raise type(error)(
                    f"message {message_id} was sent, but {error.message}", error.hint, code=error.code
                ) from None
        return invocations

    def sees_nothing(self) -> bool:
        """Whether another process has the events, or had them when it died; asked once, after a moment."""
        self._since = self._since or time.monotonic()
        if not self._asked and time.monotonic() - self._since > LIVE_SECONDS:
            self._asked = True
            try:
                known = leases(self._aws, self._route.ref.app, self._route.ref.stage)
            except NbChaliceError:
                known = []  # Who may not list queues is told no more than before.
            self.live_elsewhere = next((one for one in known if one.is_of(self._route) and not one.mine), None)
            self._others = self._competing()
        return self.live_elsewhere is not None

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
                if any(one.handles(ids) for one in tail.poll()):
                    return tail.function_name
            except NbChaliceError:
                self._others.remove(tail)
        return None


def _until_handled(watch: _Watch, lookout: _Lookout, pace: Pace, deadline: float, stop: threading.Event) -> None:
    """Look until the watch is over, or the time is up."""
    report_until: float | None = None
    give_up = min(deadline, time.monotonic() + DROPPED_SECONDS) if watch.dropped else deadline

    def over() -> bool:
        nonlocal report_until
        changed = lookout.poll(watch.message_id)
        watch.look(changed)
        if changed:
            pace.restart()
        if watch.ended:  # its numbers follow within moments
            report_until = report_until or time.monotonic() + REPORT_SECONDS
            return watch.complete or time.monotonic() > report_until
        if watch.found is not None:
            return False
        if time.monotonic() > give_up or lookout.sees_nothing():
            return True
        watch.taken = lookout.taken_by(watch.ids)
        return watch.taken is not None

    if deadline > time.monotonic() and not stop.is_set():
        poll(over, deadline, pace, stop.wait)


class _Watch:
    """Picks the invocation that handled one event, and tells how far it is."""

    def __init__(
        self,
        sent: Sent,
        earlier: set[tuple[str, int]],
        dropped: str | None,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._sent = sent
        self.dropped = dropped
        self.message_id = sent.message_id
        self._earlier = earlier
        self._tell = on_progress
        self._told: tuple[SendStatus, int | None] | None = None
        self.found: Invocation | None = None
        self.taken: str | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """What the event goes by."""
        return self._sent.ids

    @property
    def ended(self) -> bool:
        """Whether the attempt has ended."""
        return self.found is not None and self.found.finished

    @property
    def complete(self) -> bool:
        """Whether it has ended and its numbers are known."""
        return self.ended and self.found is not None and self.found.duration_ms is not None

    @property
    def state(self) -> SendStatus:
        """The state as `Progress` names it."""
        if self.found is None:
            return "dropped" if self.dropped else "taken" if self.taken else "queued"
        state = end_of(self.found, self._sent.ids)
        return "retrying" if state == "running" and (self.found.attempt or 1) > 1 else state

    @property
    def situation(self) -> str:
        """The state as `HINTS` names it."""
        if self.found is not None and self.found.never_began and not self.found.handles(self._sent.ids):
            return "failed before it began"
        return "running" if self.state == "retrying" else self.state

    def look(self, changed: list[Invocation]) -> None:
        """Take in changed invocations and tell the new state; the end only once its numbers are known."""
        for invocation in changed:
            if invocation.key in self._earlier or not (invocation.handles(self._sent.ids) or invocation.never_began):
                continue
            if self.found is None or self.found.key == invocation.key:
                self.found = as_own(invocation, self._sent.ids)
        if self.complete or not self.ended:
            self.tell()

    def tell(self) -> None:
        """Tell the state when it is a new one."""
        attempt = self.found.attempt if self.found else None
        if self._tell and (self.state, attempt) != self._told:
            self._told = (self.state, attempt)
            self._tell(Progress(self.state, self._sent.message_id, attempt, self.found, self.dropped))
