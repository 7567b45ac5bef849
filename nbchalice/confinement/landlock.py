"""The files that a process may read and write, and whom it may reach: Landlock, in Linux since 5.13."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from nbchalice.confinement.linux import prctl, syscall

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH, NO_NEW_PRIVILEGES = 1, 1, 38
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_FILES = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""The rights that each version of Landlock knows first: 13 of them; to move between folders; to truncate; devices."""

_TRUNCATE = 1 << 14
_KEPT_FROM_ALL = 1 << 0 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 15
"""To run programs, to make devices and sockets, to control devices."""

_FOR_PROGRAMS = 1 << 0 | 1 << 9
"""Of these, what a program needs in a folder of its own: to run programs, to make sockets."""

TRUNCATES_SINCE = 3
_RUN = 1 << 0
_TCP, _SCOPES = (1 << 2) - 1, (1 << 2) - 1
_ABSTRACT_SOCKETS = 1 << 0
_TCP_SINCE, _SCOPES_SINCE = 4, 6


def version() -> int:
    """Return the version of Landlock that this kernel has, or 0."""
    try:
        return syscall(_CREATE, None, 0, _ASK_VERSION)
    except (OSError, AttributeError):
        return 0


def restrict(
    reads: Iterable[Path],
    lists: Iterable[Path],
    writes: Iterable[Path],
    devices: Iterable[Path],
    abi: int,
    *,
    programs: bool = False,
    network: bool = False,
) -> None:
    """Let this process read and write nothing else, for ever.

    Signals and abstract sockets of others are out of reach where the kernel's Landlock knows of them.

    Parameters
    ----------
    reads : Iterable[Path]
        Folders and files that may be read, with all below them.
    lists : Iterable[Path]
        Folders of which only the names of what they hold may be read.
    writes : Iterable[Path]
        Folders in which everything may be done.
    devices : Iterable[Path]
        Files that may be read and written, as they are.
    abi : int
        Landlock's version.
    programs : bool
        Whether what may be read may also be run. Default: no.
    network : bool
        Whether TCP ports may be reached. Default: no, where the kernel's Landlock knows of them.

    Raises
    ------
    OSError
        The kernel refused.
    """
    known = sum(rights for since, rights in _FILES.items() if since <= abi)
    rules = _rules(known, 0 if network else _TCP, _SCOPES, abi)
    run = _RUN if programs else 0
    try:
        for path in reads:
            _allow(rules, path, known & (_READ_FILE | _READ_DIR | run))
        for path in lists:
            _allow(rules, path, known & _READ_DIR)
        for path in devices:
            _allow(rules, path, known & (_READ_FILE | _WRITE_FILE | _TRUNCATE))
        for path in writes:
            _allow(rules, path, known & ~(_KEPT_FROM_ALL & ~_FOR_PROGRAMS if programs else _KEPT_FROM_ALL))
        _begin(rules)
    finally:
        os.close(rules)


def keep_from_abstract_sockets(abi: int) -> None:
    """Keep this process from the sockets without a file that others listen on, where Landlock knows of them."""
    if abi >= _SCOPES_SINCE:
        rules = _rules(0, 0, _ABSTRACT_SOCKETS, abi)
        try:
            _begin(rules)
        finally:
            os.close(rules)


def _rules(files: int, tcp: int, scopes: int, abi: int) -> int:
    attributes = struct.pack("=Q", files)
    attributes += struct.pack("=Q", tcp) if abi >= _TCP_SINCE else b""
    attributes += struct.pack("=Q", scopes) if abi >= _SCOPES_SINCE else b""
    return syscall(_CREATE, ctypes.c_char_p(attributes), len(attributes), 0)


def _begin(rules: int) -> None:
    prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    syscall(_RESTRICT, rules, 0)


def _allow(rules: int, path: Path, rights: int) -> None:
    """Add a rule for what there is; what there is not may not be made either."""
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _READ_FILE | _WRITE_FILE | _TRUNCATE
        syscall(_ADD_RULE, rules, _PATH_BENEATH, ctypes.c_char_p(struct.pack("=Qi", rights, place)), 0)
    finally:
        os.close(place)
