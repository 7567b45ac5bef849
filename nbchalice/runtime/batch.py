"""Partial batch responses; AWS: "Handling errors for an SQS event source in Lambda"."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Container, Iterable
from types import TracebackType
from typing import Any

from .events import Event
from .queues import SQSEvent, SQSRecord

Response = dict[str, list[dict[str, str]]]
HERE = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would double the import time
KEY = "batchItemFailures"


def per_record(event: SQSEvent, run: Callable[[Event], Any], log: logging.Logger) -> Response:
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
            found, wrong = read_answer(_finished(run(record)), [record.message_id])
        except Exception as error:
            _log(log, f"message {record.message_id} failed", error)
            if not record.is_done:
                failed.append(record)
            continue
        if found or wrong:
            failed.append(record)
    return response(failed)


def report_failures(event: SQSEvent, run: Callable[[Event], Any], log: logging.Logger) -> Any:
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
        _log(log, f"{len(failed)} of {len(event)} messages failed", error)
        return response(failed)
    names_failures = KEY in result if isinstance(result, dict) else isinstance(result, list | tuple) and result
    return result if names_failures else response([])


def response(failed: list[SQSRecord]) -> Response:
    """Return what tells Lambda that only ``failed`` are to be delivered again."""
    return {KEY: [{"itemIdentifier": record.message_id} for record in failed]}


def read_answer(answer: Any, ids: Iterable[str]) -> tuple[list[str], str]:
    """Return which records an answer reports as failed, and, where that is all because it is malformed, what is wrong.

    AWS: "Success and failure conditions" of partial batch responses.

    Parameters
    ----------
    answer: what a function returned.
    ids: the item identifiers of the batch.
    """
    known = dict.fromkeys(ids)
    if isinstance(answer, list | tuple) and answer:
        return list(known), f"it is a list, and no object with {KEY}"
    failures = answer.get(KEY) if isinstance(answer, dict) else None
    if failures is None:
        return [], ""
    if not isinstance(failures, list | tuple):
        return list(known), f"{KEY} is no list"
    wrong = next((text for item in failures if (text := _wrong(item, known))), "")
    found = known if wrong else dict.fromkeys(item["itemIdentifier"] for item in failures)
    return list(found), wrong


def _wrong(item: Any, known: Container[str]) -> str:
    """Return why an entry names no record of the batch, or an empty text."""
    if not isinstance(item, dict) or "itemIdentifier" not in item:
        return f'an entry of {KEY} is not {{"itemIdentifier": ...}}'
    name = item["itemIdentifier"]
    if not isinstance(name, str) or not name:
        return "an itemIdentifier is no text, or empty"
    return "" if name in known else "an itemIdentifier is none of the batch's"


def without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return ``traceback`` without the leading frames of this package, or as it is where there are no others."""
    found = traceback
    while found is not None and found.tb_frame.f_code.co_filename.startswith(HERE):
        found = found.tb_next
    return found or traceback


def _finished(result: Any) -> Any:
    """Return a result; a function with ``async`` or ``yield`` has done nothing when it returns."""
    kind = type(result).__name__
    if kind in {"coroutine", "generator", "async_generator"}:
        raise TypeError(f"the function returned a {kind}, which nobody runs: it has done nothing")
    return result


def _log(log: logging.Logger, text: str, error: Exception) -> None:
    log.error(text, exc_info=(type(error), error, without_own_frames(error.__traceback__)))
