"""A view of the files in which /tmp is a private folder and all else can only be read, where the system allows it."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from nbchalice.notebook.sandbox.linux import mount, syscall, unshare

_NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_MOUNT_SETATTR, _AT_FDCWD, _AT_RECURSIVE, _READ_ONLY = 442, -100, 0x8000, 1


def make_private_tmp(folder: Path, keep: Iterable[Path]) -> bool:
    """Let this process alone see a folder as /tmp, and everything else read-only.

    Parameters
    ----------
    folder : Path
        An empty folder.
    keep : Iterable[Path]
        Files and folders that have to be seen, of which some may be below /tmp.

    Returns
    -------
    bool: False if the system does not allow it; nothing has changed then.

    Raises
    ------
    OSError
        It was allowed to begin and could not end.
    """
    tmp = Path("/tmp").resolve()  # noqa: S108 - Lambda's one writable folder
    below = _outermost(path for path in keep if path.is_relative_to(tmp))
    if tmp in below or not _leave():
        return False
    seen = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in below if path.exists()]
    mount(str(folder), str(tmp), _BIND)
    for path, place in seen:
        _make_like(path, place)
        mount(f"/proc/self/fd/{place}", str(path), _BIND | _RECURSIVE)
        os.close(place)
    _set_attributes("/", _AT_RECURSIVE, on=_READ_ONLY)
    _set_attributes(str(tmp), 0, off=_READ_ONLY)
    return True


def _outermost(paths: Iterable[Path]) -> list[Path]:
    found: list[Path] = []
    for path in sorted(paths):
        if not found or not path.is_relative_to(found[-1]):
            found.append(path)
    return found


def _leave() -> bool:
    """Leave the mounts of other processes: as root, or as root of a user namespace of one's own."""
    user, group = os.getuid(), os.getgid()
    try:
        try:
            unshare(_NEW_MOUNTS)
        except PermissionError:
            unshare(_NEW_MOUNTS | _NEW_USER)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        mount("none", "/", _RECURSIVE | _PRIVATE)
    except OSError:
        return False
    return True


def _make_like(path: Path, place: int) -> None:
    """Make what something can be mounted on."""
    if stat.S_ISDIR(os.fstat(place).st_mode):
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _set_attributes(path: str, flags: int, *, on: int = 0, off: int = 0) -> None:
    attributes = struct.pack("=4Q", on, off, 0, 0)
    syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, ctypes.c_char_p(attributes), len(attributes))
