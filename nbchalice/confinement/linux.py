"""Calls of Linux that Python does not offer, through the C library."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from contextlib import suppress

_MOVE = 0x2000
_DROP_CAPABILITY, _CAPABILITIES = 24, 64
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


def drop_capabilities() -> None:
    """Let the next program have none of root's powers, also where this user is root."""
    for number in range(_CAPABILITIES):
        with suppress(OSError):
            prctl(_DROP_CAPABILITY, number, 0, 0, 0)


def unshare(flags: int) -> None:
    """Leave namespaces that are shared with other processes."""
    _checked(_LIBC.unshare(flags))


def mount(source: str, target: str, flags: int, kind: str | None = None, options: str | None = None) -> None:
    """Mount something, or change how it is mounted."""
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    _checked(_LIBC.mount(*texts[:3], ctypes.c_ulong(flags), texts[3]))


def change_root(folder: str) -> None:
    """Make a mounted folder the root: it is mounted over the one before, which only who may unmount it sees again.

    To unmount that one, as with ``pivot_root``, takes until all processors have noted it: 10 ms under load.
    """
    os.chdir(folder)
    mount(".", "/", _MOVE)
    os.chroot(".")
    os.chdir("/")


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
