"""Typed, lazy views of the events that AWS sends to a handler.

The attributes are those of Chalice's event classes ("Lambda Event Sources" in its documentation) and more.
Nothing is copied: ``to_dict()`` is the very event that came in.
"""

from __future__ import annotations

import json
import re
from types import GenericAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import Any, ClassVar, Generic, TypeVar

    JSON = dict[str, Any]
    """An object of a raw event, as AWS sends it; what is in it was not looked at yet."""

    Record = TypeVar("Record", bound="Event")
    Value = TypeVar("Value")

    class _Of(Generic[Record]):
        """What ``RecordsEvent[SQSRecord]`` is of."""

else:
    # The same without typing, which would double what a cold start costs.
    JSON, Record = dict, object

    class _Of:
        __class_getitem__ = classmethod(GenericAlias)


def at(*path: str) -> Callable[[object], Any]:
    """Return what looks up the value at a path: ``at("Sns", "MessageId")``; it gives None where there is none."""

    def look(value: object) -> Any:
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return look


HAS = "it has attributes, and what AWS sends is in .to_dict()"


class Event:
    """Base of all events and records.

    Parameters
    ----------
    event_dict : JSON
        The event as AWS sends it.
    context : object
        The context object of the invocation, or None.
    """

    def __init__(self, event_dict: JSON, context: object = None) -> None:
        self._event_dict = event_dict
        self.context: Any = context

    def to_dict(self) -> JSON:
        """Return the event exactly as it came in."""
        return self._event_dict

    if TYPE_CHECKING:

        def _content(self) -> tuple[str, Any]:
            """Return how what the sender wrote is called in errors, and this: JSON as text, or a value of it.

            The classes of events without such a content do not have it.
            """

    def _handled(self, run: Callable[[Event], object], options: JSON, log: logging.Logger) -> object:
        """Return what a trigger with ``options`` makes of what ``run`` does with this event."""
        return run(self)

    def __getitem__(self, key: object) -> Any:
        use = f"[{key!r}]" if isinstance(key, str) else ""  # dict(event) and loops ask for 0
        raise TypeError(f"{type(self).__name__!r} object is no dictionary: {HAS}{use}")

    def __contains__(self, key: object) -> bool:
        raise TypeError(f"{type(self).__name__!r} object is no dictionary: {HAS}, as in {key!r} in event.to_dict()")

    def __getattr__(self, name: str) -> Any:
        use = f": {HAS}.{name}(...)" if name in {"get", "keys", "values", "items"} else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{use}")

    def __repr__(self) -> str:
        try:
            summary = self._summary()
        except Exception:  # of an event that somebody wrote by hand, and that lacks what no handler asks for
            summary = shorten(self._event_dict)
        return f"<{type(self).__name__} {summary}>"

    def _summary(self) -> str:
        return shorten(self._event_dict)

    def _known(self, *path: str) -> Any:
        """Return what stands at a path, or None."""
        return at(*path)(self._event_dict)

    def _at(self, read: Callable[[Any], Value], *path: str) -> Value:
        """Return what stands at a path; an event that somebody wrote by hand may lack what AWS always sends."""
        value = self._known(*path)
        try:
            if value is None:
                raise KeyError
            return read(value)
        except Exception:
            text = f"this {type(self).__name__} has no valid {'.'.join(path)}: {shorten(self._event_dict)}"
            raise KeyError(text) from None


class RecordsEvent(Event, _Of[Record]):
    """An event that holds records; iterate it for all of them."""

    record_class: ClassVar[type[Event]]

    def __iter__(self) -> Iterator[Record]:
        for record in self._records():
            yield self.record_class(record, self.context)  # type: ignore[misc]

    def __len__(self) -> int:
        return len(self._records())

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, key: object) -> Any:
        if isinstance(key, str):
            super().__getitem__(key)
        raise TypeError(f"{type(self).__name__!r} object is no list: list(event) has its records")

    def _records(self) -> list[JSON]:
        return self._at(_objects, "Records") if self._known("Records") else []

    def _first(self) -> Record:
        for record in self:
            return record
        raise ValueError(f"this {type(self).__name__} holds no record: {shorten(self._event_dict)}")

    def _summary(self) -> str:
        return counted(len(self), "record") + (f": {self._first()!r}" if len(self) else "")


def _objects(value: Any) -> list[JSON]:
    if not all(isinstance(one, dict) for one in value):
        raise TypeError
    return list(value)


class LambdaFunctionEvent(Event):
    """Any event; what middleware sees for ``@app.lambda_function()``."""

    @property
    def event(self) -> JSON:
        """The event as it came in."""
        return self._event_dict

    def _content(self) -> tuple[str, object]:
        return "the event", self._event_dict


def parse_json(text: str | bytes, what: str) -> Any:
    """Parse ``text`` as JSON; the ValueError names ``what`` and shows how the text starts."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{what} is not JSON ({error}): {shorten(text)}") from None


def counted(number: int, noun: str) -> str:
    """Return a number of things, ``1 record`` or ``2 records``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def shorten(value: object, width: int = 60) -> str:
    """Return the repr of ``value``, cut to ``width`` characters."""
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def utc(seconds: float) -> datetime:
    """Return seconds since 1970 as a datetime in UTC without a time zone, as Chalice does."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def unquoted(text: str) -> str:
    """Return what stands for a key in S3's events as boto3 takes it, as ``urllib.parse.unquote_plus`` does."""
    plain = text.replace("+", " ").encode("utf-8", "surrogatepass")
    return re.sub(rb"%[0-9a-fA-F]{2}", lambda match: bytes([int(match[0][1:], 16)]), plain).decode("utf-8", "replace")
