"""Messages of SQS queues, which Lambda reads in batches."""

from __future__ import annotations

from .events import parse_json, shorten
from .records import BatchEvent, BatchRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import Any

    from .events import JSON, Event


class SQSRecord(BatchRecord):
    """One message of a queue; AWS: "Using Lambda with Amazon SQS"."""

    @property
    def body(self) -> str:
        """The message's text."""
        return self._at(str, "body")

    @property
    def receipt_handle(self) -> str:
        """Handle with which ``delete_message`` takes this message off the queue."""
        return self._at(str, "receiptHandle")

    @property
    def message_id(self) -> str:
        """The id that ``send_message`` returned."""
        return self._at(str, "messageId")

    @property
    def attributes(self) -> dict[str, str]:
        """What SQS says about the message: ``ApproximateReceiveCount``, ``MessageGroupId``, ..."""
        return self._event_dict.get("attributes") or {}

    @property
    def message_attributes(self) -> JSON:
        """Message attributes as AWS sends them: ``{name: {"stringValue": ..., "dataType": ...}}``."""
        return self._event_dict.get("messageAttributes") or {}

    @property
    def event_source_arn(self) -> str:
        """ARN of the queue."""
        return self._at(str, "eventSourceARN")

    @property
    def queue_name(self) -> str:
        """Name of the queue."""
        return self.event_source_arn.rpartition(":")[2]

    @property
    def fifo(self) -> bool:
        """Whether the queue keeps the order of its messages."""
        return str(self._event_dict.get("eventSourceARN")).endswith(".fifo")

    @property
    def receive_count(self) -> int:
        """How often this message was received, this time included."""
        path = ("attributes", "ApproximateReceiveCount")
        return 1 if self._known(*path) is None else self._at(int, *path)

    @property
    def message_group_id(self) -> str | None:
        """Group of a FIFO queue's message, else None."""
        group: str | None = self._known("attributes", "MessageGroupId")
        return group

    def json(self) -> Any:
        """Return the body parsed as JSON; raises ValueError that names the message and shows its body."""
        return parse_json(self.body, f"the body of message {self._item}")

    def _content(self) -> tuple[str, str]:
        return f"the body of message {self.message_id}", self.body

    @property
    def _item(self) -> str:
        return str(self._event_dict.get("messageId") or super()._item)

    def _summary(self) -> str:
        return f"{self.message_id} {shorten(self.body)}"


class SQSEvent(BatchEvent[SQSRecord]):
    """A batch of messages; iterate it for the ``SQSRecord`` of each."""

    record_class = SQSRecord
    _noun = "message"

    def _each(self, run: Callable[[Event], object], options: JSON, log: logging.Logger) -> object:
        from .each_record import per_record

        return per_record(self, run, log, skip_failed_groups=bool(options.get("skip_failed_groups")))

    def unfinished(self) -> list[SQSRecord]:
        """Return the records that come back when the function fails: those it has not called done.

        In a FIFO queue also those done after one of their group that is not: they must not overtake it.
        """
        coming_back: list[SQSRecord] = []
        waiting: set[str | None] = set()
        for record in self._all():
            group = record.message_group_id
            if not record.is_done or group in waiting:
                coming_back.append(record)
                if record.fifo:
                    waiting.add(group)
        return coming_back
