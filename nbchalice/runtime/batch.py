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


def per_record(event: SQSEvent, run: Callable[[Event], object], log: logging.Logger) -> dict[str, list[dict[str, str]]]:
    """Call ``run`` with each record; log what fails and return it.

    In a FIFO queue the first failure ends the batch, and the records after it are returned too, so that their order is
    kept.
    """
    failed: list[SQSRecord] = []
    for record in event:
        if failed and record.fifo:
            failed.append(record)
            continue
        try:
            result = _finished(run(record))
            bad = isinstance(result, dict) and any(read_answer(result, [record.message_id]))
        except Exception as error:
            _log(log, f"message {record.message_id} failed", error)
            bad = not record.is_done
        if bad:
            failed.append(record)
    if failed and failed[0].fifo:
        event.reached = failed[0].message_id
    return response(failed)


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
