"""Records of streams, which come in order."""

from __future__ import annotations

from .events import Record
from .records import BatchEvent, BatchRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import Any

    from .events import JSON, Event


class StreamRecord(BatchRecord):
    """One record of a stream: they come in order, and again from the first one on that is not handled."""

    if TYPE_CHECKING:

        @property
        def sequence_number(self) -> str:
            """Place of the record in its shard."""

    def done(self) -> None:
        """Say that this record is handled, and with it all before it that are: a batch that fails is tried from there.

        It counts where the trigger has ``report_failures`` or ``per_record``.
        """
        super().done()

    @property
    def _item(self) -> str:
        try:
            return self.sequence_number
        except (KeyError, TypeError):
            return super()._item

    @property
    def _id(self) -> str:
        return str(self._event_dict.get("eventID") or self._item)


class StreamEvent(BatchEvent[Record]):
    """A batch of a stream."""

    def unfinished(self) -> list[Any]:
        """Return the records that come back when the function fails: from the first that is not done on."""
        records = list(self._all())
        first = next((place for place, record in enumerate(records) if not record.is_done), len(records))
        return records[first:]

    def _each(self, run: Callable[[Event], object], options: JSON, log: logging.Logger) -> object:
        from .each_record import in_order

        return in_order(self, run, log)


def from_the_first_on(ids: list[str], failed: list[str]) -> list[str]:
    """Return the ids of what comes back when some records of a batch fail."""
    return ids[min(map(ids.index, failed)) :]
