"""A list of the system calls that a process may make: the kernel refuses all others (seccomp).

Landlock decides about files; it knows nothing of ``chmod``, of sockets, of new processes and, in older kernels, of
signals. So these are not on the list, or only with arguments that concern the process itself.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from typing import NamedTuple

from nbchalice.confinement.linux import prctl
from nbchalice.notebook.sandbox import syscalls

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER_MODE = 38, 22, 2
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_EVERY_BIT = 0xFFFFFFFF

_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1031, 1032, 1033, 1034)
"""Copies, flags and locks of files, sizes of pipes, seals: not F_SETOWN, which lets the kernel signal others."""

_IOCTL = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""Whether it is a terminal, its size, bytes that wait, not to block, to close when another program starts."""

_PRCTL = (15, 16, 0x53564D41)
"""A thread's name, and the name of a piece of memory."""

_CLONE_THREAD = 0x10000
_AF_UNIX, _SOCK_STREAM = 1, 1


class _Rule(NamedTuple):
    """A call that is allowed if ``arguments[at] & mask`` is one of the values."""

    at: int
    mask: int
    values: tuple[int, ...]


def machine() -> str | None:
    """Return this machine's name if its system calls are known, else None."""
    name = platform.machine()
    known = name in syscalls.MACHINES and struct.calcsize("P") == 8 and platform.system() == "Linux"
    return name if known else None


def restrict(pid: int, *, modes: bool, truncate: bool) -> None:
    """Allow this process no more than what is listed, for ever.

    Parameters
    ----------
    pid : int
        This process's id.
    modes : bool
        Whether modes, owners and times of files may be changed, where all files but its own are read-only.
    truncate : bool
        Whether files may be truncated by name, where something else decides which.

    Raises
    ------
    OSError
        The kernel does not know seccomp.
    """
    name = machine()
    if name is None:
        raise OSError(errno.ENOSYS, "the system calls of this machine are not known")
    code = b"".join(_program(name, pid, modes=modes, truncate=truncate))
    buffer = ctypes.create_string_buffer(code)

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))

    program = Program(len(code) // 8, ctypes.addressof(buffer))
    prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program))


def _program(name: str, pid: int, *, modes: bool, truncate: bool) -> list[bytes]:
    """Write the filter: architecture, then call after call, each with what it answers."""
    allowed = {**syscalls.MEMORY, **syscalls.FILES, **syscalls.WAITING, **syscalls.ITSELF, **syscalls.PAIR}
    if modes:
        allowed |= syscalls.MODES
    if truncate:
        allowed["truncate"] = syscalls.ASKED["truncate"]
    allowed["setrlimit"] = syscalls.ASKED["setrlimit"]
    which = syscalls.MACHINES[name]
    program = [
        _line(_LOAD, _ARCHITECTURE_AT),
        _line(_EQUAL, _ARCHITECTURES[name], yes=1),
        _line(_RETURN, _REFUSE | errno.EPERM),
        _line(_LOAD, _NUMBER_AT),
    ]
    for numbers in allowed.values():
        if (number := numbers[which]) is not None:
            program += [_line(_EQUAL, number, no=1), _line(_RETURN, _ALLOW)]
    for call, rule in _rules(pid).items():
        number = syscalls.ASKED[call][which]
        assert number is not None
        program += _asked(number, rule)
    # The C library starts threads with clone, and does without newer calls, where it hears that there are none.
    newer = syscalls.ASKED["clone3"][which]
    assert newer is not None
    unknown = _line(_RETURN, _REFUSE | errno.ENOSYS)
    program += [_line(_EQUAL, newer, no=1), unknown, _line(_AT_LEAST, syscalls.NEWEST, no=1), unknown]
    return [*program, _line(_RETURN, _REFUSE | errno.EPERM)]


def _rules(pid: int) -> dict[str, list[_Rule]]:
    itself = [_Rule(0, _EVERY_BIT, (pid,))]
    itself_or_0 = [_Rule(0, _EVERY_BIT, (0, pid))]
    return {
        "clone": [_Rule(0, _CLONE_THREAD, (_CLONE_THREAD,))],
        "fcntl": [_Rule(1, _EVERY_BIT, _FCNTL)],
        "ioctl": [_Rule(1, _EVERY_BIT, _IOCTL)],
        "kill": itself,
        "prctl": [_Rule(0, _EVERY_BIT, _PRCTL)],
        "prlimit64": itself_or_0,
        "sched_setaffinity": itself_or_0,
        # A pair of datagram sockets could send to others.
        "socketpair": [_Rule(0, _EVERY_BIT, (_AF_UNIX,)), _Rule(1, 0xF, (_SOCK_STREAM,))],
        "tgkill": itself,
        "tkill": itself,
    }


def _asked(number: int, rules: list[_Rule]) -> list[bytes]:
    """Return the lines for a call that is allowed if all rules hold."""
    lines = []
    for rule in rules:
        lines += [_line(_LOAD, _ARGUMENTS_AT + 8 * rule.at), _line(_AND, rule.mask)]
        count = len(rule.values)
        lines += [_line(_EQUAL, value, yes=count - index) for index, value in enumerate(rule.values)]
        lines.append(_line(_RETURN, _REFUSE | errno.EPERM))
    lines.append(_line(_RETURN, _ALLOW))
    return [_line(_EQUAL, number, no=len(lines)), *lines]


def _line(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)
