"""Sends a test event on its real way, and tells what became of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape

from nbchalice.aws.errors import explain
from nbchalice.deploy.desired import is_made
from nbchalice.errors import AWSError, Interrupted, LostAnswerError
from nbchalice.events.follow import Followed, Lookout, Progress, SendStatus, follow
from nbchalice.events.handled_in_process import HERE
from nbchalice.events.idle import why_idle
from nbchalice.events.leases import Lease
from nbchalice.events.outcome import batch_note, end_of
from nbchalice.events.preview import why_dropped
from nbchalice.events.triggers import Route
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.show import as_html, as_text, printable
from nbchalice.logs.when import moment
from nbchalice.resources.base import AWS, FunctionRef, or_missing
from nbchalice.runtime.event_kinds import KINDS
from nbchalice.sources.base import Sent, Source
from nbchalice.sources.invoking import send_event
from nbchalice.text import as_written
from nbchalice.typed import JSON, Values

DUPLICATES_SECONDS = 330.0  # SQS knows a deduplication id for 300
# In place of a message's id.
NOT_SENT = "not sent"
HINTS = {
    "queued": "it was not waited for; the logs of the function show what becomes of it",
    "failed before it began": "it failed before the handler began, as every invocation will until that is "
    "corrected and deployed again",
    "running": "the invocation still runs; the logs of the function show how it ends",
}


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
    at : int
        Milliseconds since 1970 when it was sent, or 0 where it was not.
    note : str
        That the notebook's code is not the one that handled it, or empty.
    """

    message_id: str
    invocation: Invocation | None
    sent: Sent = field(repr=False)
    status: SendStatus
    hint: str | None = None
    at: int = 0
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the message was handled."""
        return self.status == "done"

    @property
    def _when(self) -> str:
        return f" · sent {moment(self.at)}" if self.at else ""

    def to_dict(self) -> JSON:
        """Return JSON-ready data, as ``nbchalice send --json`` prints it."""
        return {
            "message_id": self.message_id,
            "status": self.status,
            "hint": self.hint,
            "note": self.note,
            "invocation": self.invocation.to_dict() if self.invocation else None,
        }

    def __str__(self) -> str:
        lines = [f"message {printable(self.message_id)}: {self.status}{self._when}"]
        if self.hint:
            lines.append(f"  {printable(self.hint)}")
        if self.note:
            lines.append(f"  note: {printable(self.note)}")
        if self.invocation:
            lines.append(as_text(self.invocation))
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Mapping[str, str]:
        name = escape(printable(self.message_id))
        head = f'<div style="font-size:12px">message {name}: <b>{escape(self.status)}</b>{self._when}</div>'
        hint = f'<div style="font-size:12px;opacity:.7">{escape(self.hint)}</div>' if self.hint else ""
        hint += f'<div style="font-size:12px">note: {escape(self.note)}</div>' if self.note else ""
        body = as_html(self.invocation) if self.invocation else ""
        return {"text/plain": str(self), "text/html": as_written(head + hint + body)}


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
    route, deployed = Route(source, options, function_ref), is_made(source, aws)
    dropped = why_dropped(source, options, values, function_ref)
    if dropped and (source.passes_by(options) or not deployed):
        return _not_sent(dropped, on_progress)
    with HERE.watch(function_ref.name) as in_process:
        lookout = Lookout(aws, route, values, in_process)
        duplicate = source.duplicate(options, values)
        earlier = lookout.standing(*[DUPLICATES_SECONDS] if duplicate else []) if wait > 0 else []
        at = int(time.time() * 1000)
        sent = _send(aws, route, values, through_service=deployed)
        if duplicate and any(end_of(one, sent.ids) == "done" for one in earlier if one.handles(sent.ids)):
            return _known_already(sent, at, duplicate, on_progress)
        event = Followed(sent, earlier, dropped, on_progress)
        try:
            event.look([])
            follow(event, lookout, time.monotonic() + wait, stop or threading.Event())
        except KeyboardInterrupt:
            state = "" if event.invocation is None else f" ({event.state})"
            text = f"message {sent.message_id} was sent; its invocation{state} was not waited for"
            raise Interrupted(text, f"the logs of {function_ref.handler} show what becomes of it") from None
    event.tell()
    if event.state == "queued":
        hint: str | None = _why_queued(aws, route, values, lookout, waited=wait > 0)
    else:
        hint = _hint(aws, route, event)
    return SendResult(sent.message_id, event.invocation, sent, event.state, hint, at)


def _send(aws: AWS, route: Route, values: Values, *, through_service: bool) -> Sent:
    """Send an event through its service, or to the function itself where a deploy does not make the trigger."""
    source, options, ref = route.source, route.options, route.ref
    try:
        if through_service:
            return source.send(aws, options, ref, **values)
        return send_event(aws, ref, source.sample(options, ref, **values))
    except LostAnswerError as error:
        look = f"%chalice logs {ref.handler} shows whether it arrived; send it again if it did not"
        raise LostAnswerError(f"sending to {route.label}", error.cause, look) from None
    except Exception as error:
        raise explain(error, f"sending to {route.label}", f"the event source {source.name}") from None


def _why_queued(aws: AWS, route: Route, values: Values, lookout: Lookout, *, waited: bool) -> str:
    """Return why nothing has taken up an event; where nobody waited for it, there is nothing to ask yet."""
    if not waited:
        return HINTS["queued"]
    if lookout.live_elsewhere:
        return _gone_elsewhere(lookout.live_elsewhere)
    return lookout.blocked or why_idle(aws, route, values)


def _hint(aws: AWS, route: Route, event: Followed) -> str | None:
    """Return what to do about an event that is neither done nor failed, or which other one made its batch fail."""
    source, options = route.source, route.options
    if event.taken:
        why = competing_consumers(aws, source, options, route.ref)
        return f"{event.taken} got the message" + (f": {why}" if why else "")
    if event.state == "dropped":
        return event.dropped
    hint = _why_ignored(source.unread(options)) if event.state == "ignored" else HINTS.get(event.situation)
    kind = KINDS[source.name]
    if event.invocation is not None and kind.batch_item and len(kind.ids) == 1:
        return hint or batch_note(event.invocation, event.ids)
    return hint


def _not_sent(why: str, on_progress: Callable[[Progress], None] | None) -> SendResult:
    """Return that the service would drop an event, which would reach the function on its way past the service."""
    if on_progress:
        on_progress(Progress("dropped", NOT_SENT, dropped=why))
    return SendResult(NOT_SENT, None, Sent(NOT_SENT, ()), "dropped", f"{why}, so that it was not sent")


def _known_already(sent: Sent, at: int, why: str, on_progress: Callable[[Progress], None] | None) -> SendResult:
    """Return that the service answered with a message that was handled before this one was sent."""
    hint = f"it is a duplicate of a message that was handled already: {why}"
    if on_progress:
        on_progress(Progress("dropped", sent.message_id, dropped=hint))
    return SendResult(sent.message_id, None, sent, "dropped", hint, at)


def _gone_elsewhere(lease: Lease) -> str:
    if lease.dead:
        return f"{lease}; %chalice status puts it back, and the function then gets this message"
    return f"{lease}, and that is where this message goes"


def _why_ignored(todo: str) -> str:
    text = "the message was deleted although the function reported it as failed"
    return f"{text}; {todo}, and deploy" if todo else f"{text}: the deployed trigger does not ask; deploy"


def competing_consumers(aws: AWS, source: Source, options: Values, function_ref: FunctionRef) -> str | None:
    """Return a warning where other functions take the trigger's events, or None, also where AWS does not tell."""
    try:
        return source.competing_consumers(aws, options, function_ref)
    except Exception:
        return None


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
