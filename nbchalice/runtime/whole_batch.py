"""Calls a function with a batch, and returns what of it failed: the option ``report_failures``."""

from __future__ import annotations

from .answers import read_answer
from .batch import finished, log_failure, response
from .events import counted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging

    from .batch import Batch, Run


def report_failures(event: Batch, run: Run, log: logging.Logger) -> object:
    """Call ``run`` with the batch; what it raises fails the batch, but for the records that it called done.

    An answer that names failed records (``{"batchItemFailures": ...}``) is passed on, and so is a list, which Lambda
    takes for a failed batch: somebody forgot the rest. Any other one means that all records are done.
    """
    try:
        result = finished(run(event))
    except Exception as error:
        failed = event.unfinished()
        if len(failed) == len(event):
            raise
        log_failure(log, f"{len(failed)} of {counted(len(event), event._noun)} failed", error)
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
