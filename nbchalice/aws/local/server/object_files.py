"""Objects whose files could not be written: they stand in memory, are told, and are tried again at each save."""

from __future__ import annotations

from typing import Any

from ministack.services import s3


class ObjectFiles:
    """The files of S3's objects, which MiniStack writes when an object is put, and of whose failure it tells nobody."""

    def __init__(self) -> None:
        self.unsaved: dict[tuple[str, str], dict[str, Any]] = {}
        self._stock_persist = s3._persist_object

    def apply(self) -> None:
        """Put the changed part in place."""
        s3._persist_object = self.persist

    def persist(self, bucket: str, key: str, record: Any) -> None:
        """Write the file of an object, and remember where that failed (``_persist_object``)."""
        self._stock_persist(bucket, key, record)
        self.unsaved.pop((bucket, key), None)
        if isinstance(record, dict) and record.get("body") is not None:  # what is on disk is not kept in memory
            self.unsaved[bucket, key] = record

    def save(self) -> list[str]:
        """Try again; return which objects would be lost in a stop."""
        for (bucket, key), record in list(self.unsaved.items()):
            if s3._buckets.get(bucket, {}).get("objects", {}).get(key) is record:
                self.persist(bucket, key, record)
            else:
                self.unsaved.pop((bucket, key), None)  # it was deleted, or put anew
        return [f"s3: object {key} of bucket {bucket} could not be written" for bucket, key in self.unsaved]
