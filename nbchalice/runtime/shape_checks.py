"""Whether a handler's annotation goes with its trigger; looked at in the notebook only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeVar

from .annotations import annotation_of, bare_types, read_annotation, shape_of
from .convert import name_of, unread
from .event_kinds import KINDS
from .events import Event, LambdaFunctionEvent, RecordsEvent

if TYPE_CHECKING:
    from .function import LambdaFunction, Trigger
    from .shapes import Shape

PER_RECORD = "add --per-record (per_record=True)"
# What an annotation may say of anything, and of what is read as a dictionary.
HINTS = [None, type(None), Any, object, dict, Mapping, MutableMapping]


class AnnotationError(TypeError):
    """A handler's annotation cannot be what its trigger gives.

    Parameters
    ----------
    message : str
        What is wrong.
    fix : str
        What to write.
    """

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(f"{message}: {fix}" if fix else message)
        self.message, self.fix = message, fix


# Makes the error that a notebook shows; without one, Python shows the above.
SHOWN: list[Callable[[LambdaFunction, AnnotationError], Exception]] = []


def check(handler: LambdaFunction, trigger: Trigger) -> None:
    """Raise AnnotationError where the function's annotation cannot be what it gets.

    Parameters
    ----------
    handler : LambdaFunction
        The function.
    trigger : Trigger
        What it is about to get.
    """
    __tracebackhide__ = True
    try:
        shape = shape_of(handler.function)
        if shape is None:
            _check_event(handler, trigger)
        else:
            _check_shape(handler.name, shape, trigger)
    except AnnotationError as error:
        for shown in SHOWN[-1:]:
            raise shown(handler, error) from None
        raise


def _check_shape(name: str, shape: Shape, trigger: Trigger) -> None:
    """Refuse the type of a record where the trigger gives no such record, or several, or one."""
    given = KINDS[trigger.source].event_class
    wants, per_record = f"{name} wants {shape!r}", bool(trigger.options.get("per_record"))
    record = " | ".join("None" if one is type(None) else name_of(one) for one in bare_types(shape.record))
    in_batches = "per_record" in trigger.options and hasattr(getattr(given, "record_class", None), "_content")
    if not in_batches and not hasattr(given, "_content"):
        raise AnnotationError(
            f"{wants}, but a trigger of {trigger.source} has no content of that kind",
            f"write event: {given.__name__}, and make the {record} in the function",
        )
    if shape.many and not in_batches:
        raise AnnotationError(f"{wants}, but the events of {trigger.source} come one by one", f"write {record}")
    if shape.many and per_record:
        raise AnnotationError(f"{wants}, but per_record gives it one at a time", f"write {record}")
    if in_batches and not shape.many and not per_record:
        raise AnnotationError(f"{wants}, but gets batches", f"{PER_RECORD}, or write list[{record}]")
    problem, _, fix = unread(shape.record).partition("; ")
    if problem:
        raise AnnotationError(f"{wants}: {problem}", fix)


def _check_event(handler: LambdaFunction, trigger: Trigger) -> None:
    """Refuse the event class of another trigger; a function with several triggers has one annotation for all."""
    said, given = annotation_of(handler.function), _given(trigger)
    if not isinstance(said, type) or not issubclass(said, Event) or issubclass(given, said) or handler.triggers:
        return
    records = getattr(KINDS[trigger.source].event_class, "record_class", None)
    one_by_one = records is not None and issubclass(records, said) and "per_record" in trigger.options
    way = f"{PER_RECORD}, or " if one_by_one else ""
    raise AnnotationError(
        f"{handler.name} wants {said.__name__}, but gets {given.__name__}", f"{way}write {given.__name__}"
    )


def unheeded(function: Callable[..., object], triggers: Iterable[Trigger]) -> str:
    """Return that a function's annotation says nothing of what it gets; empty where it does, or is harmless.

    Parameters
    ----------
    function : Callable[..., object]
        The user's function.
    triggers : Iterable[Trigger]
        What it gets.
    """
    # What is invoked gets any JSON as it is, and its annotation is a hint.
    given = {kind.__name__: kind for kind in map(_given, triggers) if kind is not LambdaFunctionEvent}
    if not given or shape_of(function) is not None:
        return ""
    gets = f"it gets {' or '.join(given)}"
    try:
        said = read_annotation(function)
    except Exception as error:  # of the user's own
        return f"the annotation of its argument cannot be read ({error}): {gets}"
    if all(map(_is_harmless, bare_types(said))):
        return ""
    types = "the type of a record is a dataclass, TypedDict, Pydantic model or msgspec struct"
    return f"the annotation {_text_of(said)} changes nothing, {gets}: {types}"


def _is_harmless(said: Any) -> bool:
    """Whether an annotation is true of an event, which can be read as a dictionary, or says nothing at all."""
    if _is_hint(said) or isinstance(said, TypeVar) or getattr(said, "_is_protocol", False):
        return True
    origin = getattr(said, "__origin__", said)
    if _is_hint(origin):
        return all(_is_hint(one) or one is str for one in said.__args__)
    return isinstance(origin, type) and issubclass(origin, Event)


def _is_hint(said: Any) -> bool:
    return any(said is one for one in HINTS)


def _text_of(said: Any) -> str:
    if isinstance(said, type) and not getattr(said, "__args__", ()):
        return said.__name__
    return str(said).replace("typing.", "").replace("__main__.", "")


def _given(trigger: Trigger) -> type[Event]:
    """Return the class of what a trigger gives the function."""
    given = KINDS[trigger.source].event_class
    return given.record_class if trigger.options.get("per_record") and issubclass(given, RecordsEvent) else given
