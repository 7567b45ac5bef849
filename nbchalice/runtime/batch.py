"""Partial batch responses; AWS: "Handling errors for an SQS event source in Lambda"."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .events import Event
from .queues import SQSEvent, SQSRecord

Response = dict[str, list[dict[str, str]]]
HERE = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would double the import time


def per_record(event: SQSEvent, run: Callable[[Event], Any], log: logging.Logger) -> Response:
    """Call ``run`` with each record; log what fails and return it.

    In a FIFO queue the first failure ends the batch, and the records after it are returned too, so that their order is
    kept.
    """
    failed: list[SQSRecord] = []
    for record in event:
        if failed and _is_fifo(record):
            failed.append(record)
            continue
        try:
            run(record)
        except Exception as error:
            _log(log, error, record)
            failed.append(record)
    return response(failed)


def report_failures(event: SQSEvent, run: Callable[[Event], Any], log: logging.Logger) -> Any:
    """Call ``run`` with the batch; when its loop over the records breaks off, return the records not done.

    Done are those that the loop has left behind (see ``SQSEvent.unfinished``). An exception outside of such a loop
    fails the whole batch: it is raised. A ``{"batchItemFailures": ...}`` that the function returns is passed on.
    """
    try:
        result = run(event)
    except Exception as error:
        first = event.unfinished()
        if first is None:
            raise
        records = list(event)
        _log(log, error, records[first])
        return response(records[first:])
    return result if isinstance(result, dict) and "batchItemFailures" in result else response([])


def response(failed: list[SQSRecord]) -> Response:
    """Return what tells Lambda that only ``failed`` are to be delivered again."""
    return {"batchItemFailures": [{"itemIdentifier": record.message_id} for record in failed]}


def without_own_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return ``traceback`` without the leading frames of this package, or as it is where there are no others."""
    found = traceback
    while found is not None and found.tb_frame.f_code.co_filename.startswith(HERE):
        found = found.tb_next
    return found or traceback


def _is_fifo(record: SQSRecord) -> bool:
    return record.event_source_arn.endswith(".fifo")


def _log(log: logging.Logger, error: Exception, record: SQSRecord) -> None:
    traceback = without_own_frames(error.__traceback__)
    log.error("message %s failed", record.message_id, exc_info=(type(error), error, traceback))
