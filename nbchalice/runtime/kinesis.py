"""Records of Kinesis streams, which Lambda reads in batches."""

from __future__ import annotations

from binascii import a2b_base64

from .events import parse_json, shorten, utc
from .streams import StreamEvent, StreamRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any


class KinesisRecord(StreamRecord):
    """One record of a Kinesis stream."""

    @property
    def data(self) -> bytes:
        """The payload, decoded from base64."""
        return self._at(a2b_base64, "kinesis", "data")

    @property
    def sequence_number(self) -> str:
        """Place of the record in its shard."""
        return self._at(str, "kinesis", "sequenceNumber")

    @property
    def partition_key(self) -> str:
        """The key that chose the shard."""
        return self._at(str, "kinesis", "partitionKey")

    @property
    def schema_version(self) -> str:
        """Version of the record format."""
        return self._at(str, "kinesis", "kinesisSchemaVersion")

    @property
    def timestamp(self) -> datetime:
        """When the record arrived, in UTC, without a time zone."""
        return self._at(utc, "kinesis", "approximateArrivalTimestamp")

    def json(self) -> Any:
        """Return the payload parsed as JSON; raises ValueError that names the record and shows its payload."""
        return parse_json(self.data, f"the data of record {self._item}")

    def _content(self) -> tuple[str, bytes]:
        return f"the data of record {self.sequence_number}", self.data

    def _summary(self) -> str:
        return f"{self.partition_key} {shorten(self.data)}"


class KinesisEvent(StreamEvent[KinesisRecord]):
    """A batch of a Kinesis stream; iterate it for the ``KinesisRecord`` of each."""

    record_class = KinesisRecord
