"""Partial batch responses; AWS: "Handling errors for an SQS event source in Lambda"."""

from __future__ import annotations

from .answers import KEY, read_answer
from .events import counted, shorten
from .frames import without_own_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Protocol

    Run = Callable[[Any], object]

    class Item(Protocol):
        """What a record of a batch must tell."""

        @property
        def _item(self) -> str: ...
        @property
        def _id(self) -> str: ...
        @property
        def is_done(self) -> bool: ...  # noqa: D102

    class Message(Item, Protocol):
        """What a message of a queue must tell besides, as ``SQSRecord`` does."""

        @property
        def message_group_id(self) -> str | None: ...  # noqa: D102
        @property
        def fifo(self) -> bool: ...  # noqa: D102

    class Batch(Protocol):
        """Records that were delivered together, as an ``SQSEvent``."""

        reached: str | None
        _noun: str

        def __len__(self) -> int: ...
        def __iter__(self) -> Iterator[Any]: ...
        def unfinished(self) -> list[Any]: ...  # noqa: D102


def per_record(
    event: Batch, run: Run, log: logging.Logger, *, skip_failed_groups: bool = False
) -> dict[str, list[dict[str, str]]]:
    """Call ``run`` with each record; log what fails and return it. Where all fail the call fails, as Lambda counts it.

    In a FIFO queue the first failure ends the batch, and the records after it are returned too, so that their order is
    kept; with ``skip_failed_groups`` it ends only its message group.
    """
    failed: list[Message] = []
    errors: list[Exception] = []
    for record in event:
        stopped = {other.message_group_id for other in failed} if record.fifo else set()
        if stopped and (record.message_group_id in stopped or not skip_failed_groups):
            failed.append(record)
            continue
        error = _failure(run, record)
        if error is not None:
            failed.append(record)
            errors.append(error)
            if len(event) > 1:
                _log(log, f"message {record._id} failed", error)
    if len({record.message_group_id for record in failed if record.fifo}) == 1:
        event.reached = failed[0]._id
    if failed and len(failed) == len(event):
        raise errors[0] if len(event) == 1 else RuntimeError(f"none of {len(event)} messages could be handled")
    return response(failed)


def in_order(event: Batch, run: Run, log: logging.Logger) -> dict[str, list[dict[str, str]]]:
    """Call ``run`` with each record of a stream until one fails, log that and return it: Lambda tries from there again.

    Where it is the first of all, nothing got on: the call fails, so that Lambda halves the batch where it is to.
    """
    for place, record in enumerate(event):
        error = _failure(run, record)
        if error is not None:
            if place == 0:
                raise error
            _log(log, f"record {record._id} failed", error)
            return response([record])
    return response([])


def _failure(run: Run, record: Item) -> Exception | None:
    """Return what is wrong with a record after ``run``; None where it is done."""
    try:
        result = _finished(run(record))
    except Exception as error:
        return None if record.is_done else error
    named = isinstance(result, dict) and any(read_answer(result, [record._item]))
    return RuntimeError(f"the function names the record as failed: {shorten(result)}") if named else None


def report_failures(event: Batch, run: Run, log: logging.Logger) -> object:
    """Call ``run`` with the batch; what it raises fails the batch, but for the records that it called done.

    An answer that names failed records (``{"batchItemFailures": ...}``) is passed on, and so is a list, which Lambda
    takes for a failed batch: somebody forgot the rest. Any other one means that all records are done.
    """
    try:
        result = _finished(run(event))
    except Exception as error:
        failed = event.unfinished()
        if len(failed) == len(event):
            raise
        _log(log, f"{len(failed)} of {counted(len(event), event._noun)} failed", error)
        return response(failed)
    named, wrong = read_answer(result, [record._item for record in event])
    if named and not wrong:
        _tell_overtaking(event, named, log)
    return result if named or wrong else response([])


def _tell_overtaking(event: Batch, failed: list[str], log: logging.Logger) -> None:
    """Log which messages an answer leaves done though one of their group before them comes back.

    AWS: of a FIFO queue "return all failed and unprocessed messages", from the first failure on.
    """
    groups: set[str | None] = set()
    for record in event:
        if not getattr(record, "fifo", False):
            return
        group = record.message_group_id
        if record._item in failed:
            groups.add(group)
        elif group in groups:
            text = "message %s counts as handled before one of its group %r that failed: name all after a failure"
            log.warning(text, record._item, group)


def response(failed: Iterable[Item]) -> dict[str, list[dict[str, str]]]:
    """Return what tells Lambda that only ``failed`` are to be delivered again."""
    return {KEY: [{"itemIdentifier": record._item} for record in failed]}


def _finished(result: object) -> object:
    """Return a result; a function with ``async`` or ``yield`` has done nothing when it returns."""
    kind = type(result).__name__
    if kind in {"coroutine", "generator", "async_generator"}:
        raise TypeError(f"the function returned a {kind}, which nobody runs")
    return result


def _log(log: logging.Logger, text: str, error: Exception) -> None:
    log.error(text, exc_info=(type(error), error, without_own_frames(error.__traceback__)))
