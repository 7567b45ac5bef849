"""Changes of DynamoDB tables, which Lambda reads in batches."""

from __future__ import annotations

from .events import shorten, utc
from .streams import StreamEvent, StreamRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any


class DynamoDBRecord(StreamRecord):
    """One change of an item; keys and images are in DynamoDB's own form (``{"id": {"S": "1"}}``)."""

    @property
    def timestamp(self) -> datetime | None:
        """When the item was changed, in UTC, without a time zone; None where the record does not tell."""
        path = ("dynamodb", "ApproximateCreationDateTime")
        return None if self._known(*path) is None else self._at(utc, *path)

    @property
    def keys(self) -> Any:
        """Key of the item."""
        return self._known("dynamodb", "Keys")

    @property
    def new_image(self) -> Any:
        """The item after the change, or None."""
        return self._known("dynamodb", "NewImage")

    @property
    def old_image(self) -> Any:
        """The item before the change, or None."""
        return self._known("dynamodb", "OldImage")

    @property
    def sequence_number(self) -> str:
        """Place of the record in the stream."""
        return self._at(str, "dynamodb", "SequenceNumber")

    @property
    def size_bytes(self) -> int:
        """Size of the record in bytes."""
        return self._at(int, "dynamodb", "SizeBytes")

    @property
    def stream_view_type(self) -> str:
        """What the stream holds, for example ``NEW_AND_OLD_IMAGES``."""
        return self._at(str, "dynamodb", "StreamViewType")

    @property
    def aws_region(self) -> str:
        """Region of the table."""
        return self._at(str, "awsRegion")

    @property
    def event_id(self) -> str:
        """Id of the record."""
        return self._at(str, "eventID")

    @property
    def event_name(self) -> str:
        """``INSERT``, ``MODIFY`` or ``REMOVE``."""
        return self._at(str, "eventName")

    @property
    def event_source_arn(self) -> str:
        """ARN of the stream."""
        return self._at(str, "eventSourceARN")

    @property
    def table_name(self) -> str:
        """Name of the table, or an empty string where the stream's ARN has none."""
        return self.event_source_arn.split(":", 5)[-1].partition("/")[2].partition("/")[0]

    def _summary(self) -> str:
        return f"{self.event_name} {self.table_name} {shorten(self.keys)}"


class DynamoDBEvent(StreamEvent[DynamoDBRecord]):
    """A batch of changes of a table; iterate it for the ``DynamoDBRecord`` of each."""

    record_class = DynamoDBRecord
