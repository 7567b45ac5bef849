"""Records of a type: JSON as a dataclass, a TypedDict, a Pydantic model or a msgspec struct.

It is loaded when the first event comes to a handler whose annotation names such a type.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, is_typeddict

from .answers import read_answer
from .convert import ExactFloat, bare, convert, decoded, name_of, validated
from .events import counted, shorten
from .shape_error import ShapeError

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import Any

    from .events import JSON, Event
    from .function import LambdaFunction
    from .records import BatchEvent

__all__ = ["Shape", "ShapeError"]


class Shape:
    """What a handler's function wants for the records of its events.

    Parameters
    ----------
    record : type or union of types
        The annotation.
    many : bool
        Whether it takes a list of them.
    kinds : tuple[type, ...]
        The types of the union, or the one; null is in the annotation only.
    """

    def __init__(self, record: Any, many: bool, kinds: tuple[Any, ...]) -> None:
        self.record, self.many, self.kinds = record, many, kinds

    def __repr__(self) -> str:
        return f"list[{name_of(self.record)}]" if self.many else name_of(self.record)

    def made(self, value: object) -> bool:
        """Whether a value is what the function takes, as where a notebook calls ``price(Order(...))``."""
        every = value if self.many and isinstance(value, list) else [value]
        kinds = tuple(one for one in self.kinds if not is_typeddict(one))
        return self.many is isinstance(value, list) and all(isinstance(one, kinds) for one in every)

    def handle(self, event: Event, handler: LambdaFunction, options: JSON, log: logging.Logger) -> object:
        """Return what a trigger with ``options`` makes of the function's answers.

        Parameters
        ----------
        event : Event
            The event as it came.
        handler : LambdaFunction
            Has the user's function.
        options : JSON
            The trigger's.
        log : logging.Logger
            Takes what does not fit.
        """

        def call(argument: object, context: object) -> object:
            return handler.function(argument, context) if handler.takes_context else handler.function(argument)

        if self.made(event.to_dict()):
            return call(event.to_dict(), event.context)
        if self.many and hasattr(event, "unfinished"):
            return event._handled(lambda batch: self._batch(batch, call, options, log), options, log)
        return event._handled(lambda one: call(self.read(one), one.context), options, log)

    def read(self, event: Event) -> Any:
        """Return a record's content as what the function wants; raises ShapeError that names record and field."""
        what, content = event._content()
        is_text = isinstance(content, str | bytes)
        if not is_text and all(map(is_typeddict, self.kinds)):
            return content  # A dictionary already: types of AWS's own events name fields that not all of them have.
        make = parse if is_text else convert
        try:
            return make(content, self.record)
        except ShapeError as error:
            raise ShapeError(f"{what} is no {name_of(self.record)}: {error}") from error.__cause__

    def _batch(self, batch: Event, call: Callable[[Any, Any], object], options: JSON, log: logging.Logger) -> object:
        """Call the function with the records that fit; the others fail, and those that must not overtake them."""
        event: BatchEvent[Any] = batch  # type: ignore[assignment]
        records = {record._item: record for record in event._all()}
        fitting, errors = {}, []
        for name, record in records.items():
            try:
                fitting[name] = self.read(record)
                record.done()
            except ShapeError as error:
                errors.append(error)
                if len(records) > 1:
                    log.error("%s %s failed: %s", event._noun, record._id, error)
        back = {record._item for record in event.unfinished()}
        event._finished.clear()
        taken = {name: value for name, value in fitting.items() if name not in back}
        if errors and (not taken or not options.get("report_failures")):
            raise _summary(errors, len(records), event._noun)
        result = call(list(taken.values()), event.context)
        if not errors:
            return result
        from .batch import finished

        named, _ = read_answer(finished(result), records)
        event._finished.update(name for name in taken if name not in named)
        raise _summary(errors, len(records), event._noun)


def parse(content: str | bytes, wanted: Any) -> Any:
    """Return JSON text as a value of a type; raises ShapeError with the field and the reason where it does not fit.

    Parameters
    ----------
    content : str or bytes
        The text.
    wanted : type or union of types
        As an annotation has it.
    """
    kind = bare(wanted)
    if hasattr(kind, "__pydantic_validator__"):
        return validated(lambda: kind.__pydantic_validator__.validate_json(content))
    if hasattr(kind, "__struct_fields__"):
        return decoded(lambda msgspec: msgspec.json.decode(content, type=kind))
    try:
        value = json.loads(content, parse_float=ExactFloat, parse_constant=_refuse)
    except ValueError as error:
        raise ShapeError(f"it is not JSON ({error}): {shorten(content)}") from None
    return convert(value, wanted)


def _refuse(constant: str) -> None:
    """Refuse NaN, Infinity and -Infinity, which Python reads beside what JSON has."""
    raise ValueError(f"JSON has no {constant}")


def _summary(errors: list[ShapeError], count: int, noun: str) -> ShapeError:
    """Return what fails the batch: the one error, or how many there are, as each was logged."""
    if count == 1 or len(errors) == 1:
        return errors[0]
    return ShapeError(f"{len(errors)} of {counted(count, noun)} do not fit; the log has each")
