"""Calls of Linux that Python does not offer, through the C library."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

_LIBC = ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *arguments: object) -> int:
    """Make a system call; numbers are passed as whole registers.

    Raises
    ------
    OSError
        The kernel refused.
    """
    return _checked(_LIBC.syscall(ctypes.c_long(number), *_widened(arguments, ctypes.c_long)))


def prctl(option: int, *arguments: object) -> int:
    """Change what a process may do; see ``syscall``."""
    return _checked(_LIBC.prctl(option, *_widened(arguments, ctypes.c_ulong)))


def _widened(arguments: tuple[object, ...], kind: Callable[[int], object]) -> list[object]:
    # ctypes passes a number as 32 bits; what stands in the register's other half is then left to chance.
    widened: list[object] = []
    for argument in arguments:
        widened.append(kind(argument) if isinstance(argument, int) else argument)
    return widened


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
