"""Typed, lazy views of the events that AWS sends to a handler.

The attributes are those of Chalice's event classes ("Lambda Event Sources" in its documentation) and more.
Nothing is copied: ``to_dict()`` is the very event that came in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar

JSON = dict[str, Any]
"""An object of a raw event, as AWS sends it; what is in it was not looked at yet."""

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

    def __getitem__(self, key: object) -> Any:
        raise TypeError(f"{type(self).__name__!r} object is no dictionary: {HAS}[{key!r}]")

    def __getattr__(self, name: str) -> Any:
        use = f": {HAS}.{name}(...)" if name in {"get", "keys", "values", "items"} else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{use}")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._summary()}>"

    def _summary(self) -> str:
        return shorten(self._event_dict)


Record = TypeVar("Record", bound=Event)


class RecordsEvent(Event, Generic[Record]):
    """An event that holds records; iterate it for all of them."""

    record_class: ClassVar[type[Event]]

    def __iter__(self) -> Iterator[Record]:
        for record in self._records():
            yield self.record_class(record, self.context)  # type: ignore[misc]

    def __len__(self) -> int:
        return len(self._records())

    def __bool__(self) -> bool:
        return True

    def _records(self) -> list[JSON]:
        records: list[JSON] = self._event_dict.get("Records", [])
        return records

    def _first(self) -> Record:
        for record in self:
            return record
        raise ValueError(f"this {type(self).__name__} holds no record: {shorten(self._event_dict)}")

    def _summary(self) -> str:
        return counted(len(self), "record") + (f": {self._first()!r}" if len(self) else "")


class LambdaFunctionEvent(Event):
    """Any event; what middleware sees for ``@app.lambda_function()``."""

    @property
    def event(self) -> JSON:
        """The event as it came in."""
        return self._event_dict


class CloudWatchEvent(Event):
    """An EventBridge (CloudWatch Events) event: a schedule's tick, or one that matched a pattern.

    A schedule with an input of its own sends only that input: what it lacks reads as empty, ``to_dict()`` has it all.
    """

    @property
    def version(self) -> str:
        """Version of the event format."""
        return self._text("version")

    @property
    def account(self) -> str:
        """Twelve-digit account number of the sender."""
        return self._text("account")

    @property
    def region(self) -> str:
        """Region of the sender."""
        return self._text("region")

    @property
    def detail(self) -> JSON:
        """What happened, as a dict; EventBridge Scheduler's JSON text is parsed."""
        detail = self._get("detail", {})
        return json.loads(detail) if isinstance(detail, str) and detail.startswith("{") else detail  # type: ignore[no-any-return]

    @property
    def detail_type(self) -> str:
        """Kind of event, for example ``Scheduled Event``."""
        return self._text("detail-type")

    @property
    def source(self) -> str:
        """Service that sent it, for example ``aws.events``."""
        return self._text("source")

    @property
    def time(self) -> str:
        """When it happened: UTC, ISO 8601."""
        return self._text("time")

    @property
    def event_id(self) -> str:
        """Id of the event."""
        return self._text("id")

    @property
    def resources(self) -> list[str]:
        """ARNs of the resources involved, for a schedule that of its rule."""
        resources: list[str] = self._get("resources", [])
        return resources

    def _get(self, key: str, default: object) -> Any:
        # A schedule's own input may be any JSON, a list or a number too.
        return self._event_dict.get(key, default) if isinstance(self._event_dict, dict) else default

    def _text(self, key: str) -> str:
        return str(self._get(key, ""))

    def _summary(self) -> str:
        known = [self.detail_type, f"from {self.source}" if self.source else "", self.time]
        return " ".join(word for word in known if word) or super()._summary()


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
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
