"""Typed, lazy views of the events that AWS sends to a handler.

The attributes are those of Chalice's event classes ("Lambda Event Sources" in its documentation) and more.
Nothing is copied: ``to_dict()`` is the very event that came in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, TypeVar


class Event:
    """Base of all events and records.

    Parameters
    ----------
    event_dict: the event as AWS sends it.
    context: the context object of the invocation, or None.
    """

    def __init__(self, event_dict: dict[str, Any], context: Any = None) -> None:
        self._event_dict = event_dict
        self.context = context

    def to_dict(self) -> dict[str, Any]:
        """Return the event exactly as it came in."""
        return self._event_dict

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

    def _records(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = self._event_dict.get("Records", [])
        return records

    def _first(self) -> Record:
        for record in self:
            return record
        raise ValueError(f"this {type(self).__name__} holds no record: {shorten(self._event_dict)}")

    def _summary(self) -> str:
        count = len(self)
        return f"{count} record{'' if count == 1 else 's'}" + (f": {self._first()!r}" if count else "")


class LambdaFunctionEvent(Event):
    """Any event; what middleware sees for ``@app.lambda_function()``."""

    @property
    def event(self) -> dict[str, Any]:
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
    def detail(self) -> dict[str, Any]:
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

    def _get(self, key: str, default: Any) -> Any:
        # A schedule's own input may be any JSON, a list or a number too.
        return self._event_dict.get(key, default) if isinstance(self._event_dict, dict) else default

    def _text(self, key: str) -> str:
        return str(self._get(key, ""))

    def _summary(self) -> str:
        known = [self.detail_type, f"from {self.source}" if self.source else "", self.time]
        return " ".join(word for word in known if word) or super()._summary()


class S3Record(Event):
    """One object's event; AWS: "Event message structure" of S3 event notifications."""

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return str(self._event_dict["s3"]["bucket"]["name"])

    @property
    def key(self) -> str:
        """Key of the object, unquoted: as boto3 takes it."""
        from urllib.parse import unquote_plus

        return unquote_plus(self._event_dict["s3"]["object"]["key"])

    @property
    def event_name(self) -> str:
        """What happened, for example ``ObjectCreated:Put``."""
        return str(self._event_dict["eventName"])

    @property
    def event_time(self) -> str:
        """When it happened: UTC, ISO 8601."""
        return str(self._event_dict["eventTime"])

    @property
    def size(self) -> int | None:
        """Size of the object in bytes; None for a removed object."""
        return self._object().get("size")

    @property
    def etag(self) -> str | None:
        """ETag of the object; None for a removed object."""
        return self._object().get("eTag")

    @property
    def version_id(self) -> str | None:
        """Version of the object; None in a bucket without versions."""
        return self._object().get("versionId")

    def _object(self) -> dict[str, Any]:
        found: dict[str, Any] = self._event_dict["s3"]["object"]
        return found

    def _summary(self) -> str:
        return f"{self.event_name} s3://{self.bucket}/{self.key}"


class S3Event(RecordsEvent[S3Record]):
    """An S3 notification; the attributes are those of its first record, iterate it for all.

    S3's own test event (sent to queues and topics) holds no record: ``is_test`` tells, ``bucket`` still works.
    """

    record_class = S3Record

    @property
    def is_test(self) -> bool:
        """True for the event by which S3 tries out a new notification."""
        return self._event_dict.get("Event") == "s3:TestEvent"

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return str(self._event_dict["Bucket"]) if self.is_test else self._first().bucket

    @property
    def key(self) -> str:
        """Key of the first object, unquoted."""
        return self._first().key

    @property
    def event_name(self) -> str:
        """What happened to the first object, for example ``ObjectCreated:Put``."""
        return self._first().event_name

    @property
    def size(self) -> int | None:
        """Size of the first object in bytes; None for a removed object."""
        return self._first().size

    @property
    def etag(self) -> str | None:
        """ETag of the first object; None for a removed object."""
        return self._first().etag

    @property
    def version_id(self) -> str | None:
        """Version of the first object; None in a bucket without versions."""
        return self._first().version_id


class SNSRecord(Event):
    """One notification; AWS: "Using Lambda with Amazon SNS"."""

    @property
    def message(self) -> str:
        """The message's text."""
        return str(self._event_dict["Sns"]["Message"])

    @property
    def subject(self) -> str | None:
        """The subject, or None when it was published without."""
        subject: str | None = self._event_dict["Sns"].get("Subject")
        return subject

    @property
    def message_attributes(self) -> dict[str, Any]:
        """Message attributes as AWS sends them: ``{name: {"Type": ..., "Value": ...}}``."""
        return self._event_dict["Sns"].get("MessageAttributes") or {}

    @property
    def message_id(self) -> str:
        """The id that ``publish`` returned."""
        return str(self._event_dict["Sns"]["MessageId"])

    @property
    def topic_arn(self) -> str:
        """ARN of the topic."""
        return str(self._event_dict["Sns"]["TopicArn"])

    @property
    def timestamp(self) -> str:
        """When it was published: UTC, ISO 8601."""
        return str(self._event_dict["Sns"]["Timestamp"])

    def json(self) -> Any:
        """Return the message parsed as JSON; raises ValueError that shows the message."""
        return parse_json(self.message, f"message {self.message_id}")

    def _summary(self) -> str:
        return f"{self.subject or ''} {shorten(self.message)}".strip()


class SNSEvent(RecordsEvent[SNSRecord]):
    """A notification; the attributes are those of its first record (SNS sends one), iterate it for all."""

    record_class = SNSRecord

    @property
    def message(self) -> str:
        """The message's text."""
        return self._first().message

    @property
    def subject(self) -> str | None:
        """The subject, or None when it was published without."""
        return self._first().subject

    @property
    def message_attributes(self) -> dict[str, Any]:
        """Message attributes as AWS sends them: ``{name: {"Type": ..., "Value": ...}}``."""
        return self._first().message_attributes

    @property
    def message_id(self) -> str:
        """The id that ``publish`` returned."""
        return self._first().message_id

    @property
    def topic_arn(self) -> str:
        """ARN of the topic."""
        return self._first().topic_arn

    @property
    def timestamp(self) -> str:
        """When it was published: UTC, ISO 8601."""
        return self._first().timestamp

    def json(self) -> Any:
        """Return the message parsed as JSON; raises ValueError that shows the message."""
        return self._first().json()


def parse_json(text: str | bytes, what: str) -> Any:
    """Parse ``text`` as JSON; the ValueError names ``what`` and shows how the text starts."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{what} is not JSON ({error}): {shorten(text)}") from None


def shorten(value: Any, width: int = 60) -> str:
    """Return the repr of ``value``, cut to ``width`` characters."""
    text = repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def utc(seconds: float) -> datetime:
    """Return seconds since 1970 as a datetime in UTC without a time zone, as Chalice does."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
