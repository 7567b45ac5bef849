"""Notifications that S3 and SNS push to a handler."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from .events import JSON, Event, RecordsEvent, parse_json, shorten


class S3Record(Event):
    """One object's event; AWS: "Event message structure" of S3 event notifications."""

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return str(self._event_dict["s3"]["bucket"]["name"])

    @property
    def key(self) -> str:
        """Key of the object, unquoted: as boto3 takes it."""
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

    def _object(self) -> JSON:
        entry: JSON = self._event_dict["s3"]["object"]
        return entry

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
    def message_attributes(self) -> JSON:
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
    def message_attributes(self) -> JSON:
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
