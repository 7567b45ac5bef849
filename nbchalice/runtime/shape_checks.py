"""Whether a handler's annotation goes with its trigger; looked at in the notebook only."""

from __future__ import annotations

from .annotations import annotation_of, shape_of
from .convert import name_of, unread
from .event_kinds import KINDS
from .events import Event, RecordsEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .function import LambdaFunction, Trigger


def check(handler: LambdaFunction, trigger: Trigger) -> None:
    """Raise TypeError where the function's annotation cannot be what it gets.

    Parameters
    ----------
    handler : LambdaFunction
        The function.
    trigger : Trigger
        What it is about to get.
    """
    name, given = handler.name, KINDS[trigger.source].event_class
    shape = shape_of(handler.function)
    if shape is None:
        _check_event(handler, trigger)
        return
    record, per_record = name_of(shape.record), bool(trigger.options.get("per_record"))
    in_batches = "per_record" in trigger.options and hasattr(getattr(given, "record_class", None), "_content")
    if not in_batches and not hasattr(given, "_content"):
        raise TypeError(
            f"{name} wants {shape!r}, but a trigger of {trigger.source} has no content of that kind: "
            f"write event: {given.__name__}, and make the {record} in the function"
        )
    if shape.many and not in_batches:
        raise TypeError(f"{name} wants {shape!r}, but the events of {trigger.source} come one by one: write {record}")
    if shape.many and per_record:
        raise TypeError(f"{name} wants {shape!r}, but per_record gives it one at a time: write {record}")
    if in_batches and not shape.many and not per_record:
        raise TypeError(f"{name} wants {shape!r}, but gets batches: add per_record, or write list[{record}]")
    if problem := unread(shape.record):
        raise TypeError(f"{name} wants {shape!r}: {problem}")


def _check_event(handler: LambdaFunction, trigger: Trigger) -> None:
    """Refuse the event class of another trigger; a function with several triggers has one annotation for all."""
    said, given = annotation_of(handler.function), KINDS[trigger.source].event_class
    if trigger.options.get("per_record") and issubclass(given, RecordsEvent):
        given = given.record_class
    if not isinstance(said, type) or not issubclass(said, Event) or issubclass(given, said) or handler.triggers:
        return
    records = getattr(KINDS[trigger.source].event_class, "record_class", None)
    one_by_one = records is not None and issubclass(records, said) and "per_record" in trigger.options
    way = "add per_record, or " if one_by_one else ""
    raise TypeError(f"{handler.name} wants {said.__name__}, but gets {given.__name__}: {way}write {given.__name__}")
