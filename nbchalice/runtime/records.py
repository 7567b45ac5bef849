"""Records that Lambda reads in batches, and that come again when they are not handled: of queues and of streams."""

from __future__ import annotations

from .events import Event, Record, RecordsEvent

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterator
    from typing import Any

    from .events import JSON


class BatchRecord(Event):
    """One record of a batch.

    Parameters
    ----------
    event_dict, context : JSON or object
        As of ``Event``.
    finished : set[str] or None
        Takes what stands for a record that is done; default: nobody asks.
    """

    def __init__(self, event_dict: JSON, context: object = None, finished: set[str] | None = None) -> None:
        super().__init__(event_dict, context)
        self._finished = set() if finished is None else finished

    def done(self) -> None:
        """Say that this record is handled: it does not come back when the function fails with others of its batch.

        It counts where the trigger has ``report_failures`` or ``per_record``.
        """
        self._finished.add(self._item)

    @property
    def is_done(self) -> bool:
        """Whether the function has called it done."""
        return self._item in self._finished

    @property
    def _item(self) -> str:
        """What an answer calls it (``itemIdentifier``); a number where somebody wrote the record without."""
        return str(id(self._event_dict))

    @property
    def _id(self) -> str:
        """What the sender knows it by, and logs name."""
        return self._item


class BatchEvent(RecordsEvent[Record]):
    """A batch; iterate it for its records."""

    _noun = "record"
    if TYPE_CHECKING:

        def unfinished(self) -> list[Any]:
            """Return the records that come back when the function fails: those it has not called done."""

        def _each(self, run: Callable[[Event], object], options: JSON, log: logging.Logger) -> object:
            """Call ``run`` with each record."""

    def __init__(self, event_dict: JSON, context: object = None) -> None:
        super().__init__(event_dict, context)
        self._finished: set[str] = set()
        self.reached: str | None = None

    def __iter__(self) -> Iterator[Record]:
        for record in self._all():
            self.reached = record._id  # A loop that an exception ends leaves it there.
            yield record
        self.reached = None

    def _all(self) -> Iterator[Any]:
        kind: Any = self.record_class
        return (kind(raw, self.context, self._finished) for raw in self._records())

    def _handled(self, run: Callable[[Event], object], options: JSON, log: logging.Logger) -> object:
        if options.get("per_record"):
            return self._each(run, options, log)
        if options.get("report_failures"):
            from .whole_batch import report_failures

            return report_failures(self, run, log)
        try:
            return run(self)
        except Exception:
            if len(self.unfinished()) < len(self):
                log.warning("record.done() needs report_failures: the whole batch comes back")
            raise
