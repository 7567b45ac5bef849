"""What the service will do with a test event, told before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nbchalice.events.matching import body_of, matches
from nbchalice.handlers import Handler
from nbchalice.sources.base import FunctionRef, Source
from nbchalice.sources.firings import next_firings
from nbchalice.sources.s3 import DEFAULT_EVENTS, key_of
from nbchalice.sources.sqs import patterns_of
from nbchalice.sources.topic import topic_arn

FIRINGS = 5


@dataclass(frozen=True)
class Note:
    """One thing to know before an event is sent.

    Parameters
    ----------
    text: the note.
    passes: whether the event reaches the handler it speaks of; None where it speaks of none.
    """

    text: str
    passes: bool | None = None

    def __str__(self) -> str:
        return {True: "✓ ", False: "✗ ", None: ""}[self.passes] + self.text


def preview(
    source: Source,
    options: Mapping[str, Any],
    values: Mapping[str, Any],
    handlers: Sequence[Handler],
    ref: FunctionRef,
    *,
    now: datetime | None = None,
) -> list[Note]:
    """Return what will become of an event.

    Parameters
    ----------
    source, options: the trigger whose way the event takes.
    values: what the form holds.
    handlers: the app's handlers: one topic or bucket may have several.
    ref: the function that is to handle it.
    now: where to count firings from. Default: the present.
    """
    if source.name == "schedule":
        return _firings(options, now or datetime.now(UTC))
    if source.name == "on_s3_event":
        values = {**values, "key": key_of(options, values)}  # The same object for all handlers.
    found = (_note(name, source, own, values, ref) for name, own in _sharing(source, options, handlers, ref))
    return [note for note in found if note]


def why_dropped(source: Source, options: Mapping[str, Any], values: Mapping[str, Any], ref: FunctionRef) -> str | None:
    """Return why a trigger does not let an event through, or None.

    Parameters
    ----------
    source, options: the trigger.
    values: what the form holds.
    ref: the function.
    """
    note = _note(ref.handler, source, options, values, ref)
    return note.text if note and note.passes is False else None


def _sharing(
    source: Source, options: Mapping[str, Any], handlers: Sequence[Handler], ref: FunctionRef
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the handlers that hear of an event, each with its options: a topic or bucket may have several."""
    if source.name not in {"on_sns_message", "on_s3_event"}:
        yield ref.handler, options
        return
    for handler in handlers:
        for same, own in handler.sources():
            if same.name == source.name and _place(source, own, ref) == _place(source, options, ref):
                yield handler.name, own


def _place(source: Source, options: Mapping[str, Any], ref: FunctionRef) -> str:
    return topic_arn(options["topic"], ref) if source.name == "on_sns_message" else source.subject(options)


def _note(
    handler: str, source: Source, options: Mapping[str, Any], values: Mapping[str, Any], ref: FunctionRef
) -> Note | None:
    """Return whether a handler's trigger lets an event through, or None where all pass."""
    if source.name == "on_sqs_message":
        return _queue(options, values)
    if source.name == "on_sns_message":
        return _topic(handler, options, values)
    if source.name == "on_s3_event":
        return _bucket(handler, options, key_of(options, values))
    if source.name == "on_cw_event":
        return _rule(handler, options, source.sample(options, ref, **values))
    return None


def _firings(options: Mapping[str, Any], now: datetime) -> list[Note]:
    if options.get("enabled") is False:
        return [Note("disabled: it does not fire by itself")]
    zone = options.get("timezone") or "UTC"
    moments = next_firings(str(options["expression"]), now, FIRINGS, zone)
    if not moments:
        return [Note("it does not fire again")]
    times = ", ".join(f"{moment:%a %d %b %H:%M}" for moment in moments)
    # AWS counts a rate from the moment when the rule was made.
    condition = ", if deployed now" if str(options["expression"]).strip().startswith("rate") else ""
    return [Note(f"next firings ({zone}{condition}): {times}")]


def _queue(options: Mapping[str, Any], values: Mapping[str, Any]) -> Note | None:
    patterns = patterns_of(options)
    if not patterns:
        return None
    attributes = {
        name: {"stringValue": value, "dataType": "String"}
        for name, value in dict(values.get("attribute") or {}).items()
    }
    record = {"body": body_of(values.get("message") or ""), "messageAttributes": attributes}
    passes = any(matches(pattern, record) for pattern in patterns)
    text = "the filter lets it through" if passes else "the filter drops it: Lambda deletes the message unhandled"
    return Note(text, passes)


def _topic(name: str, options: Mapping[str, Any], values: Mapping[str, Any]) -> Note:
    policy = options.get("filter_policy")
    if not policy:
        return Note(f"{name} gets every message of the topic", True)
    attributes = dict(values.get("attribute") or {})
    in_body = options.get("filter_scope") == "MessageBody"
    passes = matches(policy, body_of(values.get("message") or "") if in_body else attributes)
    return Note(f"{name}: its filter policy {'lets it through' if passes else 'does not match: SNS drops it'}", passes)


def _bucket(name: str, options: Mapping[str, Any], key: str) -> Note:
    wrong = []
    if not any("s3:ObjectCreated:Put".startswith(e.rstrip("*")) for e in options.get("events") or DEFAULT_EVENTS):
        wrong.append("it does not listen to created objects")
    if not key.startswith(options.get("prefix") or ""):
        wrong.append(f"the key does not begin with {options['prefix']}")
    if not key.endswith(options.get("suffix") or ""):
        wrong.append(f"the key does not end with {options['suffix']}")
    return Note(f"{name}: {'; '.join(wrong)}" if wrong else f"{name} gets {key}", not wrong)


def _rule(name: str, options: Mapping[str, Any], event: Mapping[str, Any]) -> Note | None:
    if str(event["source"]).startswith("aws."):
        return None  # Only AWS may put such events on the bus: the function is invoked directly.
    passes = matches(options["event_pattern"], event)
    return Note(f"{name}: its event pattern {'lets it through' if passes else 'does not match'}", passes)
