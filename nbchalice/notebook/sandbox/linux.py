"""Calls of Linux that Python does not offer, through the C library."""

from __future__ import annotations

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: object) -> int:
    """Make a system call; numbers are passed as whole registers.

    Raises
    ------
    OSError: the kernel refused.
    """
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return _checked(_LIBC.syscall(ctypes.c_long(number), *wide))


def prctl(option: int, *arguments: object) -> int:
    """Change what a process may do; see ``syscall``."""
    wide = [ctypes.c_ulong(one) if isinstance(one, int) else one for one in arguments]
    return _checked(_LIBC.prctl(option, *wide))


def unshare(flags: int) -> None:
    """Leave namespaces that are shared with other processes."""
    _checked(_LIBC.unshare(flags))


def mount(source: str, target: str, flags: int) -> None:
    """Mount something, or change how it is mounted."""
    _checked(_LIBC.mount(os.fsencode(source), os.fsencode(target), None, ctypes.c_ulong(flags), None))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
