"""Starts the processes of handlers by way of the spawner, and looks at them: whether they run, what they use."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from .lambda_files import NAMESPACES
from .messages import packed, read_bytes, read_message

_LAUNCHER = Path(__file__).with_name("launcher.py")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MEGABYTE = 1 << 20
T = TypeVar("T")


class Process:
    """One that the spawner started, confined; its end is told through a pipe.

    Parameters
    ----------
    pid : int
        Of the process that waits for the handler's, and of their group.
    status : int
        The reading end of the pipe.
    levels : int
        How many processes only wait: the handler's is their child.
    """

    def __init__(self, pid: int, status: int, levels: int) -> None:
        self.pid = pid
        self.failure = ""
        self.returncode: int | None = None
        self._status, self._levels = status, levels
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Return how the handler's process ended, or None while it runs."""
        return self._look(0)

    def wait(self) -> None:
        """Wait for the end."""
        self._look(None)

    def kill(self) -> None:
        """End it, with all that it started."""
        if self.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self.pid, signal.SIGKILL)

    def kill_left(self) -> None:
        """End what it left behind."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def uses_more_than(self, megabytes: int) -> bool:
        """Whether the handler's processes have more memory than that; what they share counts once."""
        limit = megabytes * _MEGABYTE
        members = self._members()
        resident = sum(resident_bytes(pid) for pid in members)
        return resident > limit and sum(proportional_bytes(pid) for pid in members) > limit

    def _members(self) -> list[int]:
        level = [self.pid]
        for _ in range(self._levels):
            level = list(chain.from_iterable(map(children, level)))
        found: list[int] = []
        while level:
            found += level
            level = list(chain.from_iterable(map(children, level)))
        return found

    def _look(self, milliseconds: int | None) -> int | None:
        with self._lock:
            if self.returncode is None and _readable(self._status, milliseconds):
                told = os.read(self._status, 4096)
                os.close(self._status)
                self.returncode = -signal.SIGKILL  # it was killed before it could tell
                if told.startswith(b"="):
                    (self.returncode,) = struct.unpack("=i", told[1:5])
                elif told:
                    self.failure, self.returncode = told[1:].partition(b"\n")[0].decode("utf-8", "replace"), 127
            return self.returncode


class Spawner:
    """The process that starts the others, and what confines them on this machine.

    Parameters
    ----------
    most : str
        The strongest means that is tried.
    folder : Path
        A folder for what is tried.
    """

    def __init__(self, most: str, folder: Path) -> None:
        self._most, self._folder = most, folder
        self._lock = threading.Lock()
        self._link: socket.socket | None = None
        self._means = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._begin()

    @property
    def means(self) -> str:
        """What confines handlers: ``namespaces``, ``landlock`` or ``none``."""
        with self._lock:
            return self._twice(self._ask_means)

    def start(self, request: dict[str, Any], descriptors: list[int]) -> Process:
        """Start a process.

        Parameters
        ----------
        request : dict[str, Any]
            ``command``, ``environment``, ``cwd``, ``files`` (see ``lambda_files.files_of``) and ``setup``.
        descriptors : list[int]
            Where its output goes, its channel, and its lifeline.
        """
        status, status_end = os.pipe()
        try:
            with self._lock:
                pid = self._twice(lambda: self._send(request, [*descriptors, status_end]))
                levels = 2 if self._means == NAMESPACES else 1
        except BaseException:
            os.close(status)
            raise
        finally:
            os.close(status_end)
        return Process(pid, status, levels)

    def _twice(self, ask: Callable[[], T]) -> T:
        """Ask the process; where it has ended, for example because somebody killed it, a new one."""
        try:
            return ask()
        except OSError:
            self._begin()
            return ask()

    def _begin(self) -> None:
        if self._link is not None:
            self._link.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._link, other_end = socket.socketpair()
        command = [sys.executable, "-I", str(_LAUNCHER), "--spawner"]
        command += [str(other_end.fileno()), self._most, str(self._folder)]
        with other_end:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=(other_end.fileno(),))
        self._means = ""

    def _ask_means(self) -> str:
        assert self._link is not None
        if not self._means:
            answer = read_message(self._link)
            if answer is None:
                raise OSError("the process that starts handlers has ended")
            self._means = answer["means"]
        return self._means

    def _send(self, request: dict[str, Any], descriptors: list[int]) -> int:
        self._ask_means()
        assert self._link is not None
        message = packed(request)
        socket.send_fds(self._link, [message[:4]], descriptors)
        self._link.sendall(message[4:])
        answer = read_bytes(self._link, 4)
        if not answer:
            raise OSError("the process that starts handlers has ended")
        (pid,) = struct.unpack("=i", answer)
        return int(pid)


def _readable(descriptor: int, milliseconds: int | None) -> bool:
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(milliseconds))


def children(pid: int) -> list[int]:
    """Return the children of a process, of all its threads."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with contextlib.suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    return found


def resident_bytes(pid: int) -> int:
    """Return the memory that a process has, 0 if it has ended."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0


def proportional_bytes(pid: int) -> int:
    """Return its memory, of what it shares with others only its part."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return resident_bytes(pid)
