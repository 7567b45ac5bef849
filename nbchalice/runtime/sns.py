"""Messages of SNS topics."""

from __future__ import annotations

from .events import Event, RecordsEvent, parse_json, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .events import JSON


class SNSRecord(Event):
    """One notification; AWS: "Using Lambda with Amazon SNS"."""

    @property
    def message(self) -> str:
        """The message's text."""
        return self._at(str, "Sns", "Message")

    @property
    def subject(self) -> str | None:
        """The subject, or None when it was published without."""
        subject: str | None = self._known("Sns", "Subject")
        return subject

    @property
    def message_attributes(self) -> JSON:
        """Message attributes as AWS sends them: ``{name: {"Type": ..., "Value": ...}}``."""
        return self._known("Sns", "MessageAttributes") or {}

    @property
    def message_id(self) -> str:
        """The id that ``publish`` returned."""
        return self._at(str, "Sns", "MessageId")

    @property
    def topic_arn(self) -> str:
        """ARN of the topic."""
        return self._at(str, "Sns", "TopicArn")

    @property
    def timestamp(self) -> str:
        """When it was published: UTC, ISO 8601."""
        return self._at(str, "Sns", "Timestamp")

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

    def _content(self) -> tuple[str, str]:
        return f"message {self.message_id}", self.message
