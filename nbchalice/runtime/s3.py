"""Events of S3 buckets."""

from __future__ import annotations

from .events import Event, RecordsEvent, unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .events import JSON


# What EventBridge calls what happened.
FAMILIES = {"Object Created": "ObjectCreated", "Object Deleted": "ObjectRemoved"}
ACTIONS = {
    "PutObject": "Put", "POST Object": "Post", "CopyObject": "Copy", "Permanently Deleted": "Delete",
    "Delete Marker Created": "DeleteMarkerCreated",
}  # fmt: skip


class S3Record(Event):
    """One object's event; AWS: "Event message structure" of S3 event notifications, and of those of EventBridge."""

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return str(self._place()["bucket"]["name"])

    @property
    def key(self) -> str:
        """Key of the object, unquoted: as boto3 takes it."""
        key = self._object()["key"]
        return unquoted(key) if "s3" in self._event_dict else str(key)

    @property
    def event_name(self) -> str:
        """What happened, for example ``ObjectCreated:Put``."""
        event = self._event_dict
        if "eventName" in event:
            return str(event["eventName"])
        kind, detail = str(event["detail-type"]), event["detail"]
        what = detail.get("deletion-type") or detail.get("reason", "")
        family = "LifecycleExpiration" if detail.get("reason") == "Lifecycle Expiration" else FAMILIES.get(kind)
        return f"{family}:{ACTIONS.get(what, what)}" if family else kind

    @property
    def event_time(self) -> str:
        """When it happened: UTC, ISO 8601."""
        return str(self._event_dict.get("eventTime") or self._event_dict["time"])

    @property
    def size(self) -> int | None:
        """Size of the object in bytes; None for a removed object."""
        return self._object().get("size")

    @property
    def etag(self) -> str | None:
        """ETag of the object; None for a removed object."""
        return self._object().get("eTag") or self._object().get("etag")

    @property
    def version_id(self) -> str | None:
        """Version of the object; None in a bucket without versions."""
        return self._object().get("versionId") or self._object().get("version-id")

    def _place(self) -> JSON:
        place: JSON = self._event_dict.get("s3") or self._event_dict["detail"]
        return place

    def _object(self) -> JSON:
        entry: JSON = self._place()["object"]
        return entry

    def _summary(self) -> str:
        return f"{self.event_name} s3://{self.bucket}/{self.key}"


class S3Event(RecordsEvent[S3Record]):
    """An S3 notification; the attributes are those of its first record, iterate it for all.

    S3's own test event (sent to queues and topics) holds no record: ``is_test`` tells, ``bucket`` still works. An
    event that came through EventBridge is its own one record.
    """

    record_class = S3Record

    def _records(self) -> list[JSON]:
        return [self._event_dict] if "detail" in self._event_dict else super()._records()

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
