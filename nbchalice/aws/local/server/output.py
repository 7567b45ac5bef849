"""Turns the output of an execution environment into log events while the handler runs."""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Callable, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Protocol

MAX_EVENT = 256 * 1024 - 26  # bytes of one CloudWatch Logs event


ANOTHER_CLOCK_MS = 30_000
TAIL_CHARACTERS = 8192  # kept of an invocation for ``LogType=Tail``


class EventWriter(Protocol):
    """Takes log events, oldest first."""

    def __call__(self, messages: list[str], timestamp: int | None = None) -> None:
        """Write events, stamped now unless told otherwise (milliseconds since the epoch)."""


class LogStream:
    """A log stream of one execution environment, and the last lines of the running invocation.

    Parameters
    ----------
    store : Callable[[list[tuple[int, str]]], None]
        Adds events (timestamp in milliseconds, message) to CloudWatch Logs.
    now : Callable[[], float]
        The clock, in seconds since 1970.
    """

    def __init__(self, store: Callable[[list[tuple[int, str]]], None], now: Callable[[], float] = time.time) -> None:
        self._store, self._now = store, now
        self._tail: list[str] = []
        self._tail_size = 0
        self._last = 0
        self._closed = False
        self._lock = threading.Lock()

    def __call__(self, messages: list[str], timestamp: int | None = None) -> None:
        """Write events, stamped now unless told otherwise (milliseconds since the epoch)."""
        now = int(self._now() * 1000)
        stamp = now if timestamp is None else timestamp
        with self._lock:
            if self._closed:
                return
            # CloudWatch Logs orders by time, and so must keep our order. What is far ahead is of another clock.
            last = self._last if self._last < now + ANOTHER_CLOCK_MS else 0
            stamp = self._last = max(last, stamp)
            self._store([(stamp, piece) for piece in chain.from_iterable(map(pieces, messages))])
            for message in messages:
                self._tail.append(message)
                self._tail_size += len(message) + 1
            while self._tail_size > TAIL_CHARACTERS and len(self._tail) > 1:
                self._tail_size -= len(self._tail.pop(0)) + 1

    def close(self) -> None:
        """Drop all further events."""
        with self._lock:
            self._closed = True

    def take_tail(self) -> str:
        """Return the last lines since the last call."""
        with self._lock:
            lines, self._tail, self._tail_size = self._tail, [], 0
        return "\n".join(lines)


class OutputReader:
    """Reads the output pipe of one process until its end.

    Parameters
    ----------
    fd : int
        Reading end of the pipe; closed at the end.
    marker : str
        Announces, on a line of its own after a zero byte, a message on the channel.
    on_marker : Callable[[], object]
        Reads that message.
    writer : EventWriter
        Takes the lines.
    folders : Mapping[str, str]
        Folders of this computer, each with its name on Lambda, as which tracebacks show it.
    """

    def __init__(
        self,
        fd: int,
        marker: str,
        on_marker: Callable[[], object],
        writer: EventWriter,
        folders: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._folders = folders
        self._fd = fd
        self._marker = b"\0" + marker.encode() + b"\n"
        self._on_marker = on_marker
        self._writer = writer
        self._thread: threading.Thread | None = None

    def start(self, context: contextvars.Context) -> None:
        """Read in a thread of its own."""
        self._thread = threading.Thread(target=context.run, args=(self._run,), name="lambda-output", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait a moment for the rest of the output."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        pending = b""
        try:
            while chunk := os.read(self._fd, 65536):
                pending = self._consume(pending + chunk)
            self._emit(pending, partial=True)
        except OSError:
            pass
        finally:
            os.close(self._fd)

    def _consume(self, data: bytes) -> bytes:
        """Emit what is complete and return the rest."""
        while (at := data.find(self._marker)) >= 0:
            self._emit(data[:at], partial=True)
            self._on_marker()
            data = data[at + len(self._marker) :]
        kept = self._marker_prefix(data)
        cut = data.rfind(b"\n", 0, len(data) - kept) + 1
        if cut == 0 and len(data) > MAX_EVENT:
            cut = between_characters(data, MAX_EVENT)
        self._emit(data[:cut], partial=False)
        return data[cut:]

    def _marker_prefix(self, data: bytes) -> int:
        """Return how many bytes at the end may be the start of a marker."""
        at = data.rfind(b"\0")
        if at >= 0 and self._marker.startswith(data[at:]):
            return len(data) - at
        return 0

    def _emit(self, data: bytes, *, partial: bool) -> None:
        if not data:
            return
        whole = data.decode("utf-8", "replace")
        for folder, name in self._folders.items():
            whole = whole.replace(f'File "{folder}/', f'File "{name}/')
        lines = whole.split("\n")
        if lines[-1] == "":
            lines.pop()
        self._writer([line.rstrip("\r") for line in lines])


def pieces(message: str) -> list[str]:
    """Divide what is too long for one event, between characters."""
    if len(message) * 4 <= MAX_EVENT:  # the longest character has four bytes
        return [message]
    data, found = message.encode("utf-8", "replace"), []
    while len(data) > MAX_EVENT:
        at = between_characters(data, MAX_EVENT)
        found.append(data[:at].decode())
        data = data[at:]
    return [*found, data.decode()]


def between_characters(data: bytes, most: int) -> int:
    """Return where a text in UTF-8 can be divided, at most so far from its beginning."""
    return next((at for at in range(most, most - 4, -1) if data[at] & 0xC0 != 0x80), most)
