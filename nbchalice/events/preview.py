"""What the service will do with a test event, told before it is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from nbchalice.deploy.desired import is_made
from nbchalice.handlers import Handler
from nbchalice.resources.base import AWS, FunctionRef
from nbchalice.sources.base import Note, Source
from nbchalice.typed import Values


def preview(
    source: Source,
    options: Values,
    values: Values,
    handlers: Sequence[Handler],
    ref: FunctionRef,
    *,
    now: datetime | None = None,
) -> list[Note]:
    """Return what will become of an event.

    Parameters
    ----------
    source, options : Source or Values
        The trigger whose way the event takes.
    values : Values
        What the form holds.
    handlers : Sequence[Handler]
        The app's handlers: one topic or bucket may have several.
    ref : FunctionRef
        The function that is to handle it.
    now : datetime or None
        Where to count a schedule's next runs from. Default: the present.
    """
    upcoming = source.upcoming(options, now or datetime.now(UTC))
    if upcoming:
        return upcoming
    values = source.settled(options, values)  # For example one key for all handlers of a bucket.
    verdicts = []
    for name, own in _reached(source, options, handlers, ref):
        verdicts.append(source.verdict(name, own, values, ref))
    return [note for note in verdicts if note is not None]


def way_of(aws: AWS, source: Source) -> str:
    """Return how a test event comes to the function, in a few words."""
    return (source.way or f"through {source.title}") if is_made(source, aws) else "invoke asynchronously"


def why_dropped(source: Source, options: Values, values: Values, ref: FunctionRef) -> str | None:
    """Return why a trigger does not let an event through, or None.

    Parameters
    ----------
    source, options : Source or Values
        The trigger.
    values : Values
        What the form holds.
    ref : FunctionRef
        The function.
    """
    note = source.verdict(ref.handler, options, values, ref)
    return note.text if note and note.passes is False else None


def doubt(source: Source, options: Values, values: Values, ref: FunctionRef) -> str | None:
    """Return what a trigger says of an event of which it cannot tell whether it passes, or None; as `why_dropped`."""
    note = source.verdict(ref.handler, options, values, ref)
    return note.text if note and note.passes is None else None


def _reached(
    source: Source, options: Values, handlers: Sequence[Handler], ref: FunctionRef
) -> Iterator[tuple[str, Values]]:
    """Yield the handlers that an event reaches, each with its options; where it reaches one only, the function's."""
    if not source.shares_events(options, options, ref):
        yield ref.handler, options
        return
    for handler in handlers:
        for other, own in handler.sources():
            if type(other) is type(source) and source.shares_events(own, options, ref):
                yield handler.name, own
