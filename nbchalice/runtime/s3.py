"""Events of S3 buckets."""

from __future__ import annotations

from .events import Event, RecordsEvent, unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
        return self._at(str, self._place, "bucket", "name")

    @property
    def key(self) -> str:
        """Key of the object, unquoted: as boto3 takes it."""
        key = self._at(str, self._place, "object", "key")
        return unquoted(key) if self._place == "s3" else key

    @property
    def event_name(self) -> str:
        """What happened, for example ``ObjectCreated:Put``."""
        if self._known("detail-type") is None:
            return self._at(str, "eventName")
        kind, reason = self._at(str, "detail-type"), self._known("detail", "reason")
        what = str(self._known("detail", "deletion-type") or reason or "")
        family = "LifecycleExpiration" if reason == "Lifecycle Expiration" else FAMILIES.get(kind)
        return f"{family}:{ACTIONS.get(what, what)}" if family else kind

    @property
    def event_time(self) -> str:
        """When it happened: UTC, ISO 8601."""
        return self._at(str, "eventTime" if self._place == "s3" else "time")

    @property
    def size(self) -> int | None:
        """Size of the object in bytes; None for a removed object."""
        size: int | None = self._of_object("size")
        return size

    @property
    def etag(self) -> str | None:
        """ETag of the object; None for a removed object."""
        etag: str | None = self._of_object("eTag") or self._of_object("etag")
        return etag

    @property
    def version_id(self) -> str | None:
        """Version of the object; None in a bucket without versions."""
        version: str | None = self._of_object("versionId") or self._of_object("version-id")
        return version

    @property
    def _place(self) -> str:
        """Where bucket and object stand: an event of EventBridge has them in its detail."""
        return "detail" if "detail" in self._event_dict else "s3"

    def _of_object(self, name: str) -> Any:
        return self._known(self._place, "object", name)

    def _summary(self) -> str:
        return f"{self.event_name} s3://{self.bucket}/{self.key}"


class S3Event(RecordsEvent[S3Record]):
    """An S3 notification; the attributes are those of its first record, iterate it for all.

    S3's own test event (sent to queues and topics) holds no record: ``is_test`` tells, ``bucket`` still works. An
    event that came through EventBridge is its own one record.
    """

    record_class = S3Record

    def _records(self) -> list[JSON]:
        return [self._event_dict] if self._known("detail") is not None else super()._records()

    @property
    def is_test(self) -> bool:
        """True for the event by which S3 tries out a new notification."""
        return bool(self._known("Event") == "s3:TestEvent")

    @property
    def bucket(self) -> str:
        """Name of the bucket."""
        return self._at(str, "Bucket") if self.is_test else self._first().bucket

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
