"""Calls a function with each record of a batch: the option ``per_record``."""

from __future__ import annotations

from .answers import read_answer
from .batch import finished, log_failure, response
from .events import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging

    from .batch import Batch, Item, Message, Run


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
                log_failure(log, f"message {record._id} failed", error)
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
            log_failure(log, f"record {record._id} failed", error)
            return response([record])
    return response([])


def _failure(run: Run, record: Item) -> Exception | None:
    """Return what is wrong with a record after ``run``; None where it is done."""
    try:
        result = finished(run(record))
    except Exception as error:
        return None if record.is_done else error
    named = isinstance(result, dict) and any(read_answer(result, [record._item]))
    return RuntimeError(f"the function names the record as failed: {shorten(result)}") if named else None
