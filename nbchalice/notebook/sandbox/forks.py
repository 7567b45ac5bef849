"""A fork for each request: how its answer, and how far it came, reach the process that asked."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

from nbchalice.notebook.sandbox.unpatched import UNPATCHED
from nbchalice.polling import Pace, poll

_HIGHEST = 1023
_CUT_OFF = 79
"""With which status a fork ends that cannot answer."""
_WRITE, _EXIT = os.write, os._exit


class Channel:
    """The fork's end: written to with nothing that the notebook can replace, and out of the way of what it opens.

    Parameters
    ----------
    write : int
        The descriptor of the pipe. All others are closed.
    """

    def __init__(self, write: int) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._end = _HIGHEST if soft == resource.RLIM_INFINITY else min(soft - 1, _HIGHEST)
        null = os.open(os.devnull, os.O_RDWR)
        for number, kept in ((0, null), (1, null), (2, null), (self._end, write)):
            os.dup2(kept, number)
        os.closerange(3, self._end)
        os.closerange(self._end + 1, os.sysconf("SC_OPEN_MAX"))

    def reached(self, code: CodeType, cell: str) -> tuple[str, int]:
        """Tell which statement runs now; return its cell and its line there."""
        first = 0
        for _, _, line in code.co_lines():
            if line and (not first or line < first):
                first = line
        self._write(f'["{cell.translate(_ESCAPES)}", {first or 1}]\n'.encode())
        return cell, first or 1

    def answer(self, answer: dict[str, Any]) -> NoReturn:
        """Give the answer, and end this process."""
        UNPATCHED.restore()
        self._write(json.dumps(answer).encode())
        _EXIT(0)

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[_WRITE(self._end, data) :]
        except OSError:
            _EXIT(_CUT_OFF)


_ESCAPES = {number: f"\\u{number:04x}" for number in (*range(32), ord('"'), ord("\\"))}


def ask_fork(request: dict[str, Any], act: Callable[[dict[str, Any], Channel, Path], dict[str, Any]]) -> Any:
    """Let a fork of this process act on a request; return what it answers, or why there is no answer.

    Parameters
    ----------
    request : dict[str, Any]
        The request; ``timeout`` is in seconds.
    act : Callable[[dict[str, Any], Channel, Path], dict[str, Any]]
        Is given the request, the fork's channel, and an empty folder.
    """
    with tempfile.TemporaryDirectory(prefix="nbchalice-", ignore_cleanup_errors=True) as scratch:
        read, write = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.setsid()
                channel = Channel(write)
                channel.answer(_acted(request, act, channel, Path(scratch)))
            finally:
                _EXIT(1)
        os.close(write)
        return _answer(child, read, request["timeout"])


def _acted(request: dict[str, Any], act: Callable[..., dict[str, Any]], channel: Channel, scratch: Path) -> Any:
    try:
        return act(request, channel, scratch)
    except BaseException as error:  # whatever it is, the parent must hear of it
        UNPATCHED.restore()
        return {"error": "unreadable", "text": f"{type(error).__name__}: {error}"}


def _answer(child: int, read: int, seconds: float) -> Any:
    """Read what a fork answers, and end it with all that it started."""
    deadline = time.monotonic() + seconds
    *progress, last = _read(read, deadline).split(b"\n")
    answer = told if isinstance(told := _parsed(last), dict) else None
    status = None if answer else _ended(child, deadline)
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    if status is None:
        os.waitpid(child, 0)
    if answer:
        return answer
    reached = {"statement": place} if progress and isinstance(place := _parsed(progress[-1]), list) else {}
    if status is None:
        return {"error": "timeout", **reached}
    return {"error": "crash", "text": _how(status), **reached}


def _read(read: int, deadline: float) -> bytes:
    """Read until the other end is closed, or the time is over."""
    parts = []
    while select.select([read], [], [], max(0.0, deadline - time.monotonic()))[0]:
        part = os.read(read, 1 << 16)
        if not part:
            break
        parts.append(part)
    os.close(read)
    return b"".join(parts)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _ended(child: int, deadline: float) -> int | None:
    """Wait for a fork that gave no answer; return its status, or None if the time is over."""

    def look() -> tuple[int, ...]:
        done, status = os.waitpid(child, os.WNOHANG)
        return (status,) if done else ()

    ended = poll(look, deadline, Pace(0.005, 0.005))
    return ended[0] if ended else None


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code == _CUT_OFF:
        return "it closed the file descriptors of its process, with os.close or os.closerange"
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
