"""Events that Lambda reads in batches: SQS queues, Kinesis streams, DynamoDB streams."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from .events import JSON, Event, RecordsEvent, parse_json, shorten, utc


class SQSRecord(Event):
    """One message of a queue; AWS: "Using Lambda with Amazon SQS".

    Parameters
    ----------
    event_dict, context : JSON or object
        As of ``Event``.
    finished : set[str] or None
        Takes the id of a message that is done; default: nobody asks.
    """

    def __init__(self, event_dict: JSON, context: object = None, finished: set[str] | None = None) -> None:
        super().__init__(event_dict, context)
        self._finished = set() if finished is None else finished

    def done(self) -> None:
        """Say that this message is handled: it does not come back when the function fails with others of its batch.

        It counts where the trigger has ``report_failures`` or ``per_record``.
        """
        self._finished.add(self.message_id)

    @property
    def is_done(self) -> bool:
        """Whether the function has called it done."""
        return self.message_id in self._finished

    @property
    def body(self) -> str:
        """The message's text."""
        return str(self._event_dict["body"])

    @property
    def receipt_handle(self) -> str:
        """Handle with which ``delete_message`` takes this message off the queue."""
        return str(self._event_dict["receiptHandle"])

    @property
    def message_id(self) -> str:
        """The id that ``send_message`` returned."""
        return str(self._event_dict["messageId"])

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
        return str(self._event_dict["eventSourceARN"])

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
        return int(self.attributes.get("ApproximateReceiveCount", 1))

    @property
    def message_group_id(self) -> str | None:
        """Group of a FIFO queue's message, else None."""
        return self.attributes.get("MessageGroupId")

    def json(self) -> Any:
        """Return the body parsed as JSON; raises ValueError that names the message and shows its body."""
        return parse_json(self.body, f"the body of message {self.message_id}")

    def _summary(self) -> str:
        return f"{self.message_id} {shorten(self.body)}"


class SQSEvent(RecordsEvent[SQSRecord]):
    """A batch of messages; iterate it for the ``SQSRecord`` of each."""

    record_class = SQSRecord

    def __init__(self, event_dict: JSON, context: object = None) -> None:
        super().__init__(event_dict, context)
        self._finished: set[str] = set()
        self.reached: str | None = None

    def __iter__(self) -> Iterator[SQSRecord]:
        for record in self._all():
            self.reached = record.message_id  # A loop that an exception ends leaves it there.
            yield record
        self.reached = None

    def _all(self) -> Iterator[SQSRecord]:
        return (SQSRecord(raw, self.context, self._finished) for raw in self._records())

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


class KinesisRecord(Event):
    """One record of a Kinesis stream."""

    @property
    def data(self) -> bytes:
        """The payload, decoded from base64."""
        return b64decode(self._event_dict["kinesis"]["data"])

    @property
    def sequence_number(self) -> str:
        """Place of the record in its shard."""
        return str(self._event_dict["kinesis"]["sequenceNumber"])

    @property
    def partition_key(self) -> str:
        """The key that chose the shard."""
        return str(self._event_dict["kinesis"]["partitionKey"])

    @property
    def schema_version(self) -> str:
        """Version of the record format."""
        return str(self._event_dict["kinesis"]["kinesisSchemaVersion"])

    @property
    def timestamp(self) -> datetime:
        """When the record arrived, in UTC, without a time zone."""
        return utc(self._event_dict["kinesis"]["approximateArrivalTimestamp"])

    def json(self) -> Any:
        """Return the payload parsed as JSON; raises ValueError that names the record and shows its payload."""
        return parse_json(self.data, f"the data of record {self.sequence_number}")

    def _summary(self) -> str:
        return f"{self.partition_key} {shorten(self.data)}"


class KinesisEvent(RecordsEvent[KinesisRecord]):
    """A batch of a Kinesis stream; iterate it for the ``KinesisRecord`` of each."""

    record_class = KinesisRecord


class DynamoDBRecord(Event):
    """One change of an item; keys and images are in DynamoDB's own form (``{"id": {"S": "1"}}``)."""

    @property
    def timestamp(self) -> datetime:
        """When the item was changed, in UTC, without a time zone."""
        return utc(self._event_dict["dynamodb"]["ApproximateCreationDateTime"])

    @property
    def keys(self) -> Any:
        """Key of the item."""
        return self._event_dict["dynamodb"].get("Keys")

    @property
    def new_image(self) -> Any:
        """The item after the change, or None."""
        return self._event_dict["dynamodb"].get("NewImage")

    @property
    def old_image(self) -> Any:
        """The item before the change, or None."""
        return self._event_dict["dynamodb"].get("OldImage")

    @property
    def sequence_number(self) -> str:
        """Place of the record in the stream."""
        return str(self._event_dict["dynamodb"]["SequenceNumber"])

    @property
    def size_bytes(self) -> int:
        """Size of the record in bytes."""
        return int(self._event_dict["dynamodb"]["SizeBytes"])

    @property
    def stream_view_type(self) -> str:
        """What the stream holds, for example ``NEW_AND_OLD_IMAGES``."""
        return str(self._event_dict["dynamodb"]["StreamViewType"])

    @property
    def aws_region(self) -> str:
        """Region of the table."""
        return str(self._event_dict["awsRegion"])

    @property
    def event_id(self) -> str:
        """Id of the record."""
        return str(self._event_dict["eventID"])

    @property
    def event_name(self) -> str:
        """``INSERT``, ``MODIFY`` or ``REMOVE``."""
        return str(self._event_dict["eventName"])

    @property
    def event_source_arn(self) -> str:
        """ARN of the stream."""
        return str(self._event_dict["eventSourceARN"])

    @property
    def table_name(self) -> str:
        """Name of the table, or an empty string where the stream's ARN has none."""
        return self.event_source_arn.split(":", 5)[-1].partition("/")[2].partition("/")[0]

    def _summary(self) -> str:
        return f"{self.event_name} {self.table_name} {shorten(self.keys)}"


class DynamoDBEvent(RecordsEvent[DynamoDBRecord]):
    """A batch of changes of a table; iterate it for the ``DynamoDBRecord`` of each."""

    record_class = DynamoDBRecord
