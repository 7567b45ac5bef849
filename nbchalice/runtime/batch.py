"""Partial batch responses; AWS: "Handling errors for an SQS event source in Lambda"."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from types import TracebackType

from .events import Event, counted, shorten
from .queues import SQSEvent, SQSRecord

HERE = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would double the import time
KEY = "batchItemFailures"


def per_record(
    event: SQSEvent, run: Callable[[Event], object], log: logging.Logger, *, skip_failed_groups: bool = False
) -> dict[str, list[dict[str, str]]]:
    """Call ``run`` with each record; log what fails and return it. Where all fail the call fails, as Lambda counts it.

    In a FIFO queue the first failure ends the batch, and the records after it are returned too, so that their order is
    kept; with ``skip_failed_groups`` it ends only its message group.
    """
    failed: list[SQSRecord] = []
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
                _log(log, f"message {record.message_id} failed", error)
    if len({record.message_group_id for record in failed if record.fifo}) == 1:
        event.reached = failed[0].message_id
    if failed and len(failed) == len(event):
        raise errors[0] if len(event) == 1 else RuntimeError(f"none of {len(event)} messages could be handled")
    return response(failed)


def _failure(run: Callable[[Event], object], record: SQSRecord) -> Exception | None:
    """Return what is wrong with a record after ``run``; None where it is done."""
    try:
        result = _finished(run(record))
    except Exception as error:
        return None if record.is_done else error
    named = isinstance(result, dict) and any(read_answer(result, [record.message_id]))
    return RuntimeError(f"the function names the message as failed: {shorten(result)}") if named else None


def report_failures(event: SQSEvent, run: Callable[[Event], object], log: logging.Logger) -> object:
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
        _log(log, f"{len(failed)} of {counted(len(event), 'message')} failed", error)
        return response(failed)
    return result if any(read_answer(result, [record.message_id for record in event])) else response([])


def response(failed: list[SQSRecord]) -> dict[str, list[dict[str, str]]]:
    """Return what tells Lambda that only ``failed`` are to be delivered again."""
    return {KEY: [{"itemIdentifier": record.message_id} for record in failed]}


def read_answer(answer: object, ids: Iterable[str]) -> tuple[list[str], str]:
    """Return which records an answer reports as failed, and the part that is malformed, for which it is all of them.

    AWS: "Success and failure conditions" of partial batch responses.

    Parameters
    ----------
    answer : object
        What a function returned.
    ids : Iterable[str]
        The item identifiers of the batch.
    """
    known = dict.fromkeys(ids)
    if isinstance(answer, list) and answer:
        return list(known), shorten(answer)
    failures = answer.get(KEY) if isinstance(answer, dict) else None
    if failures is None:
        return [], ""
    if not isinstance(failures, list | tuple):
        return list(known), shorten(failures)
    names = []
    for item in failures:
        name = item.get("itemIdentifier") if isinstance(item, dict) else None
        if not isinstance(name, str) or name not in known:
            return list(known), shorten(item)
        names.append(name)
    return list(dict.fromkeys(names)), ""


def without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return ``traceback`` without the leading frames of this package, or as it is where there are no others."""
    inner = traceback
    while inner is not None and inner.tb_frame.f_code.co_filename.startswith(HERE):
        inner = inner.tb_next
    return inner or traceback


def _finished(result: object) -> object:
    """Return a result; a function with ``async`` or ``yield`` has done nothing when it returns."""
    kind = type(result).__name__
    if kind in {"coroutine", "generator", "async_generator"}:
        raise TypeError(f"the function returned a {kind}, which nobody runs")
    return result


def _log(log: logging.Logger, text: str, error: Exception) -> None:
    log.error(text, exc_info=(type(error), error, without_own_frames(error.__traceback__)))
