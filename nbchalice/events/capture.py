"""Collects what a function logs and prints, of one thread, while others go on as they did."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from nbchalice.logs.records import LogRecord


class _Handler(logging.Handler):
    """Stands in for a logger's handlers: takes the records of one thread and gives those of others to the handlers.

    Parameters
    ----------
    records : list[LogRecord] or None
        Where to keep this thread's records; None drops them, since another handler keeps them.
    request_id : str
        For the records.
    logger : logging.Logger
        The logger, with its handlers and level as they were.
    """

    def __init__(self, records: list[LogRecord] | None, request_id: str, logger: logging.Logger) -> None:
        super().__init__()
        self._records = records
        self._request_id = request_id
        self._level = logger.level
        self._others = logger.handlers
        self._thread = threading.get_ident()
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record, with its traceback, or pass it on."""
        if record.thread != self._thread:
            for handler in self._others:
                if record.levelno >= max(handler.level, self._level):
                    handler.handle(record)
        elif self._records is not None:
            try:
                text = self.format(record)
            except Exception:
                self.handleError(record)
                return
            created = int(record.created * 1000)
            self._records.append(LogRecord(created, record.levelname, text, self._request_id, "here", record.name))


class _Output(io.TextIOBase):
    """Stands in for stdout or stderr: lines that one thread writes become records."""

    encoding = "utf-8"

    def __init__(self, records: list[LogRecord], request_id: str, original: Any) -> None:
        super().__init__()
        self._records = records
        self._request_id = request_id
        self._original = original
        self._thread = threading.get_ident()
        self._rest = ""

    def write(self, text: str) -> int:
        """Keep the text, line by line."""
        if threading.get_ident() != self._thread:
            return int(self._original.write(text) or 0)
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._keep(line)
        return len(text)

    def flush(self) -> None:
        """Flush the real stream; a line that is not ended stays open."""
        if threading.get_ident() != self._thread:
            self._original.flush()

    def writable(self) -> bool:
        """Return True."""
        return True

    def finish(self) -> None:
        """Keep what stands after the last line end."""
        if self._rest:
            self._keep(self._rest)
            self._rest = ""

    def _keep(self, line: str) -> None:
        self._records.append(LogRecord(int(time.time() * 1000), "", line, self._request_id, "here"))


@contextlib.contextmanager
def capture(app_log: logging.Logger, request_id: str) -> Iterator[list[LogRecord]]:
    """Collect what this thread logs and prints in the block; nothing of it reaches the screen.

    Parameters
    ----------
    app_log : logging.Logger
        The app's logger, which need not pass on to the root logger.
    request_id : str
        For the records.

    Yields
    ------
    The list of records; it is complete after the block.
    """
    records: list[LogRecord] = []
    with contextlib.ExitStack() as stack:
        for logger in dict.fromkeys([logging.getLogger(), app_log]):
            stack.enter_context(_instead_of(logger, records, request_id))
        for name in ("stdout", "stderr"):
            original = getattr(sys, name)
            output = _Output(records, request_id, original)
            stack.callback(output.finish)
            stack.callback(setattr, sys, name, original)
            setattr(sys, name, output)
        yield records


@contextlib.contextmanager
def _instead_of(logger: logging.Logger, records: list[LogRecord], request_id: str) -> Iterator[None]:
    """Put our handler in the place of a logger's own; the root logger takes INFO, and botocore's not, as on Lambda."""
    botocore = logging.getLogger("botocore")
    handlers, level, botocores_level = logger.handlers, logger.level, botocore.level
    root = logger.parent is None
    logger.handlers = [_Handler(records if root or not logger.propagate else None, request_id, logger)]
    if root and level == logging.WARNING:
        logger.setLevel(logging.INFO)
        botocore.setLevel(botocores_level or logging.WARNING)
    try:
        yield
    finally:
        logger.handlers = handlers
        logger.setLevel(level)
        botocore.setLevel(botocores_level)
