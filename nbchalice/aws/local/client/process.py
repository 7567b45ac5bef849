"""Looks at and ends the server's process, and no other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from nbchalice.polling import Pace, poll

KILLED_WITHIN = 5.0
_children: dict[int, subprocess.Popen[bytes]] = {}


def remember_child(process: subprocess.Popen[bytes]) -> None:
    """Keep a child, so that its end is noticed by this process."""
    _children[process.pid] = process


def process_exists(pid: int) -> bool:
    """Whether a process runs; one that ended but was not waited for does not."""
    if pid <= 0:
        return False
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not is_zombie(pid)


def is_ours(pid: int, instance: str) -> bool:
    """Whether a process is the server with this instance id; numbers are used again."""
    return process_exists(pid) and f"--instance {instance}" in command_line(pid)


def end_process(pid: int) -> None:
    """Kill a server and its process group at once, and wait for its end."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)
    wait_for_end(pid, KILLED_WITHIN)


def wait_for_end(pid: int, seconds: float) -> None:
    """Wait until a process is gone, or the time is up."""
    poll(lambda: not process_exists(pid), time.monotonic() + seconds, Pace(0.005, 0.05))


def servers_in(root: Path) -> list[int]:
    """Return the server processes of a folder, for when no record tells them."""
    if Path("/proc/self/cmdline").exists():
        lines = [(int(entry.name), command_line(int(entry.name))) for entry in Path("/proc").glob("[0-9]*")]
    else:
        rows = [line.split(maxsplit=1) for line in _ps("-ax", "-o", "pid=,command=").splitlines()]
        lines = [(int(pid), command) for pid, command in (row for row in rows if len(row) == 2)]
    return [pid for pid, line in lines if "launcher.py --instance " in line and line.strip().endswith(f"--home {root}")]


def command_line(pid: int) -> str:
    """Return the words of a process's command, separated by blanks."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    return ps(pid, "command")


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits to be noticed by its parent."""
    with contextlib.suppress(OSError, IndexError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        threads = list(Path(f"/proc/{pid}/task").iterdir())  # others may still be closing its sockets
        return state == "Z" and len(threads) <= 1
    return ps(pid, "state").strip().startswith("Z")


def ps(pid: int, column: str) -> str:
    """Ask ``ps`` where there is no ``/proc``."""
    return _ps("-o", f"{column}=", "-p", str(pid))


def _ps(*options: str) -> str:
    try:
        done = subprocess.run(["ps", "-ww", *options], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout
