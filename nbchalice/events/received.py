"""Which events came to a handler: from what was sent and handled live here, dead letters, what it recorded, its log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain

from nbchalice.aws.errors import explain
from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.events.attempts import last_answer
from nbchalice.events.deadletter import dead_letters_of
from nbchalice.events.history import History
from nbchalice.events.past import Answer, PastEvent
from nbchalice.events.send import SendResult
from nbchalice.events.triggers import Route
from nbchalice.files import order_of
from nbchalice.handlers import Handler
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tail import Moment, recent
from nbchalice.logs.when import parse_time, to_ms
from nbchalice.resources.base import AWS, FunctionRef, is_denied
from nbchalice.resources.recorded_events import RecordedEvents
from nbchalice.runtime.event_kinds import KINDS, ids_of
from nbchalice.text import readable
from nbchalice.typed import Values

MOST_LETTERS = 100
ONLY_IDS = "the log has only its ids"
LOG_SINCE = "1h"


def sent_event(route: Route, values: Values, result: SendResult | Invocation, event: object) -> PastEvent:
    """Return the event that was sent, as the function got it: with the sample's form, and the ids under which it went.

    Parameters
    ----------
    route : Route
        The way that it took.
    values : Values
        What it was made of.
    result : SendResult or Invocation
        What became of it.
    event : object
        What the function was invoked with, or the sample of what was sent.
    """
    if isinstance(result, Invocation):
        answer = replace(Answer.of(result, "deployed"), has_result=result.ok)
        at = result.started or 0
        return PastEvent(_name(event, result), at, "send", route.ref.arn, event, values=dict(values), answer=answer)
    event = _with_id(event, result)
    state = {"done": "ok", "failed": "error"}.get(result.status, result.status)
    name, ids = result.message_id, result.sent.ids
    answer = Answer.of_one(result.invocation, ids) if result.invocation else Answer(state)
    return PastEvent(name, result.at, "send", route.ref.arn, event, values=dict(values), answer=answer, ids=ids)


def _with_id(event: object, result: SendResult) -> object:
    """Return a sample with the id under which the event went, where both have just one."""
    made = ids_of(event)
    if len(made) != 1 or len(result.sent.ids) != 1:
        return event
    text = json.dumps(event)
    return json.loads(text.replace(json.dumps(made[0]), json.dumps(result.message_id)))


def live_event(ref: FunctionRef, event: object, invocation: Invocation) -> PastEvent:
    """Return an event that live mode was given, and what the function made of it here."""
    at, answer = invocation.started or 0, Answer.of(invocation, "here")
    return PastEvent(_name(event, invocation), at, "live", ref.arn, event, answer=answer)


def _name(event: object, invocation: Invocation) -> str:
    return next(iter(ids_of(event)), invocation.request_id)


@dataclass(frozen=True)
class Received:
    """The events that came to a handler.

    Parameters
    ----------
    events : tuple[PastEvent, ...]
        The events, the oldest first.
    notes : tuple[str, ...]
        What could not be looked at or kept.
    """

    events: tuple[PastEvent, ...]
    notes: tuple[str, ...] = ()

    def find(self, part: str) -> PastEvent:
        """Return the event whose id begins or ends so.

        Raises
        ------
        InvalidInputError
            There is none, or there are several.
        """
        part = part.strip("…")  # as it was copied from the table
        found = [one for one in self.events if one.id.startswith(part) or one.id.endswith(part)]
        if len(found) != 1:
            many = "no event has" if not found else f"{len(found)} events have"
            raise InvalidInputError(
                f"{many} an id that begins or ends with {part!r}", "%chalice events HANDLER lists them"
            )
        return found[0]


def received(
    aws: AWS, handler: Handler | None, ref: FunctionRef, history: History, since: Moment | None = None
) -> Received:
    """Return the events that came to a handler.

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    handler, ref : Handler or None or FunctionRef
        The handler, where it is registered, and its function.
    history : History
        What was kept of them.
    since : Moment or None
        Only those since then. Default: all that is kept, and `LOG_SINCE` of the log.
    """
    events = {one.id: one for one in history.events(ref.arn)}
    notes = [f"events are not kept: {why}"] if (why := history.off or History.trouble) else []
    if handler is None:
        notes.append(f"{ref.handler} is not registered here: its dead-letter queue was not looked for")
    recorded: dict[str, str] = {}
    batches = handler is not None and any(KINDS[one.source].batch_item for one in handler.triggers)
    for what, look in {
        "the dead-letter queue": lambda: _dead_letters(aws, handler, ref) if handler else iter(()),
        "what was recorded": lambda: _recorded(aws, handler, ref, events, recorded, batches),
        "the log": lambda: _logged(recent(aws, ref.name, since or LOG_SINCE), ref, events, recorded, batches),
    }.items():
        found, note = _looked(what, look)
        notes += note
        for one in found:
            known = events.get(one.id)
            if known is None or not known.is_known or known.origin == one.origin:
                events[one.id] = one
    earliest = to_ms(parse_time(since)) if since is not None else 0
    chosen = [one for one in events.values() if one.at >= earliest]
    return Received(tuple(sorted(chosen, key=lambda one: order_of(one.at / 1000))), tuple(notes))


def _looked(what: str, look: Callable[[], Iterator[PastEvent]]) -> tuple[list[PastEvent], list[str]]:
    try:
        return list(look()), []
    except InvalidInputError:
        raise
    except NbChaliceError as error:
        return [], [f"{what} could not be looked at: {error.message}"]
    except Exception as error:
        return [], [f"{what} could not be looked at: {explain(error).message}"]


def _dead_letters(aws: AWS, handler: Handler, ref: FunctionRef) -> Iterator[PastEvent]:
    try:
        queue = dead_letters_of(aws, handler, ref)
    except InvalidInputError:  # there is none
        return
    for letter in queue.peek(MOST_LETTERS):
        answer = Answer("error", error=letter.error)
        try:
            event = queue.event_of(letter)
        except InvalidInputError as error:
            missing = f"{error.message}: {error.hint}"
            yield PastEvent(letter.message_id, letter.sent, "dead letter", ref.arn, missing=missing, answer=answer)
            continue
        name = next(iter(ids_of(event)), letter.message_id)
        yield PastEvent(name, letter.sent, "dead letter", ref.arn, event, answer=answer)


def _names(events: Iterable[PastEvent]) -> set[str]:
    """Return all ids by which some events are known."""
    return set(chain.from_iterable(one.names() for one in events))


def _recorded(  # noqa: PLR0917 - what is known, and what to note
    aws: AWS,
    handler: Handler | None,
    ref: FunctionRef,
    events: Mapping[str, PastEvent],
    recorded: dict[str, str],
    batches: bool,
) -> Iterator[PastEvent]:
    """Yield what the function recorded and is not known yet; note of each invocation the name of its event."""
    try:
        contents = list(RecordedEvents(ref).contents(aws))
    except Exception as error:
        if is_denied(error) and (handler is None or handler.setting("record") is None):
            return  # whoever deploys nothing that records need not be allowed to look
        raise
    known = _names(one for one in events.values() if one.is_known)
    for content in contents:
        event, request_id = content.get("event"), content["request_id"]
        ids = ids_of(event) or [request_id]
        new = [name for name in ids if name not in known]
        recorded[request_id] = (new or ids)[0]
        if new == ids or (new and batches):
            missing = f"it was not recorded: it has {readable(content['size'])}" if "size" in content else ""
            yield PastEvent(new[0], content["at"], "recorded", ref.arn, event, missing)


def _logged(
    invocations: list[Invocation],
    ref: FunctionRef,
    events: Mapping[str, PastEvent],
    recorded: Mapping[str, str],
    batches: bool,
) -> Iterator[PastEvent]:
    """Yield all events of which more is known now, then those of further runs that failed."""
    for one in invocations:
        found = events.get(recorded.get(one.request_id, ""))
        if found is not None and found.origin == "recorded":
            yield replace(found, answer=Answer.of(one, "deployed"))
    for known in events.values():
        if known.origin != "recorded" and (answer := last_answer(known, invocations)):
            yield replace(known, answer=answer)
    others = [one for one in invocations if one.request_id not in recorded]
    for failed in _failed(others, ref, _names(events.values()), batches):
        yield replace(failed, answer=last_answer(failed, invocations) or failed.answer)


def _failed(invocations: list[Invocation], ref: FunctionRef, known: set[str], batches: bool) -> Iterator[PastEvent]:
    """Yield the events of runs that failed: their content is not in the log.

    Of a batch each id is a message; else all are names of the one event.
    """
    for one in invocations:
        ids = one.failed_ids or one.ids or (one.request_id,)
        names = [name for name in ids if name not in known]
        if not batches and len(names) < len(ids):
            continue  # it was tried again
        if one.ok or not one.finished or not names or one.request_id in known:
            continue
        name, answer = names[0], Answer.of(one, "deployed")
        yield PastEvent(name, one.started or 0, "log", ref.arn, missing=ONLY_IDS, answer=answer, ids=(name,))
