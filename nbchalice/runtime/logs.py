"""Logging that reaches CloudWatch, or the notebook, once."""

from __future__ import annotations

import logging
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    StreamHandler = logging.StreamHandler[TextIO]
else:
    StreamHandler = logging.StreamHandler

LAMBDA_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
NOTEBOOK_FORMAT = "%(name)s - %(levelname)s - %(message)s"


class StdoutHandler(StreamHandler):
    """Writes to whatever ``sys.stdout`` is at that moment: kernels and tests replace it."""

    def __init__(self, text_format: str, date_format: str | None = None) -> None:
        super().__init__(sys.stdout)
        formatter = logging.Formatter(text_format, date_format)
        formatter.converter = time.gmtime
        self.setFormatter(formatter)

    @property
    def stream(self) -> TextIO:
        """The current ``sys.stdout``."""
        return sys.stdout

    @stream.setter
    def stream(self, value: TextIO) -> None: ...


class RequestId(logging.Filter):
    """Puts the id of the running invocation on every record; marks the root handler of a Lambda process."""

    current = ""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, with its ``aws_request_id``."""
        if not getattr(record, "aws_request_id", ""):
            record.aws_request_id = RequestId.current
        return repair(record)


def repair(record: logging.LogRecord) -> bool:
    """Make a record with wrong ``%`` arguments printable, and let it pass.

    Lambda's handler would raise the formatting error into the user's function, and the event would fail for a log line.
    """
    try:
        record.getMessage()
    except Exception:
        record.msg, record.args = f"{record.msg} {record.args!r}", None
    return True


def start_invocation(context: object) -> None:
    """Remember the request id of ``context`` for the records that follow; None changes nothing."""
    if context is not None:
        RequestId.current = str(getattr(context, "aws_request_id", ""))


def configure_root() -> None:
    """Make the root logger write Lambda's format from INFO on.

    Where the process has a root handler (Lambda's own) it is kept. Lambda's default level, WARNING, becomes INFO unless
    ``AWS_LAMBDA_LOG_LEVEL`` says otherwise.
    """
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(StdoutHandler(LAMBDA_FORMAT, "%Y-%m-%dT%H:%M:%S"))
    if not _in_lambda():
        root.handlers[0].addFilter(RequestId())
    if root.level in (logging.NOTSET, logging.WARNING):
        root.setLevel(_wanted_level())
        # With the root at INFO, boto3 would tell of each client where its credentials come from.
        logging.getLogger("botocore").setLevel(max(_wanted_level(), logging.WARNING))


def configure_app(log: logging.Logger, debug: bool) -> None:
    """Let an app's logger write once: through the root logger on Lambda, to stdout in a notebook."""
    set_level(log, debug)
    log.addFilter(repair)
    if _in_lambda():
        return
    if not any(getattr(handler, "stream", None) is sys.stdout for handler in log.handlers):
        log.addHandler(StdoutHandler(NOTEBOOK_FORMAT))
    log.propagate = False


def set_level(log: logging.Logger, debug: bool) -> None:
    """Set DEBUG, or INFO (``AWS_LAMBDA_LOG_LEVEL`` where set) when not debugging."""
    log.setLevel(logging.DEBUG if debug else _wanted_level())


def _in_lambda() -> bool:
    for handler in logging.getLogger().handlers:
        if any(isinstance(filter, RequestId) for filter in handler.filters):
            return True
    return False


def _wanted_level() -> int:
    names = {**logging.getLevelNamesMapping(), "TRACE": logging.DEBUG}
    return names.get(os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper(), logging.INFO)
