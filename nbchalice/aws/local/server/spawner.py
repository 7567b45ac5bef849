"""A small process that starts the processes of handlers: it forks, confines the fork, and runs the interpreter in it.

The server cannot do that itself: it has threads, and much memory. What is done between fork and exec is not seen by
the handler, and asks nothing of the handler's Python.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from nbchalice.confinement import landlock
from nbchalice.confinement.linux import drop_capabilities, prctl

from .lambda_files import LANDLOCK, NAMESPACES, NOTHING, enter_landlock, enter_namespaces, leave_others
from .messages import Message, packed, read_bytes

_STATUS = struct.Struct("=i")
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGCHLD)


def main() -> None:
    """Say what confines handlers here, then start one after the other until the server goes."""
    link = socket.socket(fileno=int(sys.argv[2]))
    means = strongest_means(sys.argv[3], sys.argv[4])
    link.sendall(packed({"means": means}))
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_IGN if number == signal.SIGCHLD else signal.SIG_DFL)
    gc.freeze()
    while True:
        head, descriptors, _, _ = socket.recv_fds(link, 4, 4)
        if not head:
            return
        request: Message = json.loads(read_bytes(link, struct.unpack(">I", head)[0]))
        pid = os.fork()
        if pid == 0:
            link.close()
            _start(request, means, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(OSError):
            os.setpgid(pid, pid)
        link.sendall(_STATUS.pack(pid))


def strongest_means(most: str, folder: str) -> str:
    """Return what confines handlers on this machine, by trying it: ``namespaces``, ``landlock`` or ``none``.

    Parameters
    ----------
    most : str
        The strongest that is tried.
    folder : str
        A folder for what is tried.
    """
    if sys.platform != "linux" or most == NOTHING:
        return NOTHING
    if most == NAMESPACES and _works(folder):
        return NAMESPACES
    return LANDLOCK if landlock.version() else NOTHING


def _works(folder: str) -> bool:
    """Whether a process may have a root of its own."""
    scratch = mkdtemp(dir=folder)
    files = {"scratch": scratch, "storage_mb": 1, "code": scratch, "layers": "", "packages": scratch, "python": []}
    trial = os.fork()
    if trial == 0:
        try:
            leave_others()
            if child := os.fork():
                os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
            enter_namespaces(files)
            os._exit(0)
        finally:
            os._exit(1)
    works = os.waitpid(trial, 0)[1] == 0
    Path(scratch).rmdir()
    return works


def _start(request: Message, means: str, descriptors: list[int]) -> None:
    """Become the process that waits for a handler's, in a process group of its own; in namespaces, with a parent."""
    status = descriptors[-1]
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if means == NAMESPACES:
            leave_others()
            if first := os.fork():  # whose end is the end of all others in there
                _close(descriptors)
                os.waitpid(first, 0)
                os._exit(0)
            enter_namespaces(request["files"])
        worker = os.fork()
        if worker == 0:
            _become_worker(request, means, descriptors)
        _close(descriptors[:-1])
        os.write(status, b"=" + _STATUS.pack(_wait_for(worker)))
        os._exit(0)
    except BaseException as error:
        os.write(status, f"!{error}\n".encode())
    finally:
        os._exit(1)


def _wait_for(worker: int) -> int:
    """Wait for a child, and for those that were left to this process meanwhile; return how the child ended."""
    while True:
        pid, status = os.wait()
        if pid == worker:
            return os.waitstatus_to_exitcode(status)


def _become_worker(request: Message, means: str, descriptors: list[int]) -> None:
    """Run the handler's interpreter; tell on the status pipe if that fails."""
    output, channel, lifeline, status = descriptors
    try:
        nothing = os.open("/dev/null", os.O_RDONLY)
        for number, descriptor in enumerate((nothing, output, output)):
            os.dup2(descriptor, number)
        for descriptor in (channel, lifeline):
            os.set_inheritable(descriptor, True)
        os.set_inheritable(status, False)
        if means == NAMESPACES:
            os.setpgid(0, 0)
            prctl(landlock.NO_NEW_PRIVILEGES, 1, 0, 0, 0)
            landlock.keep_from_abstract_sockets(landlock.version())
        elif means == LANDLOCK:
            drop_capabilities()
            enter_landlock(request["files"])
        os.chdir(request["cwd"])
        command, environment = request["command"], request["environment"]
        environment["_NBCHALICE_WORKER"] = json.dumps({**request["setup"], "channel": channel, "lifeline": lifeline})
        os.execve(command[0], command, environment)  # noqa: S606 - runs no shell
    except BaseException as error:
        os.write(status, f"!{error}\n".encode())
    finally:
        os._exit(127)


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
