"""A view of the files in which /tmp is a private folder and all else can only be read, where the system allows it."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

from nbchalice.confinement.linux import mount, syscall, unshare

NEW_MOUNTS, _NEW_USER = 0x00020000, 0x10000000
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000
_MOUNT_SETATTR, _AT_FDCWD, AT_RECURSIVE, READ_ONLY = 442, -100, 0x8000, 1


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
    mount(str(folder), str(tmp), BIND)
    for path, place in seen:
        _make_like(path, place)
        mount(f"/proc/self/fd/{place}", str(path), BIND | RECURSIVE)
        os.close(place)
    set_attributes("/", AT_RECURSIVE, on=READ_ONLY)
    set_attributes(str(tmp), 0, off=READ_ONLY)
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
            unshare(NEW_MOUNTS)
        except PermissionError:
            become_user(NEW_MOUNTS, user, group)
        mount("none", "/", RECURSIVE | PRIVATE)
    except OSError:
        return False
    return True


def become_user(namespaces: int, user: int, group: int) -> None:
    """Leave namespaces for those of a user namespace, in which this process's user has another number.

    It may do there what it needs for mounting, until it runs another program.
    """
    mine, my_group = os.getuid(), os.getgid()
    unshare(namespaces | _NEW_USER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {mine} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {my_group} 1")


def _make_like(path: Path, place: int) -> None:
    """Make what something can be mounted on."""
    if stat.S_ISDIR(os.fstat(place).st_mode):
        path.mkdir(parents=True, exist_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def set_attributes(path: str, flags: int, *, on: int = 0, off: int = 0) -> None:
    """Change how something is mounted, with all that is mounted below it if the flags say so."""
    attributes = struct.pack("=4Q", on, off, 0, 0)
    syscall(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(path), flags, ctypes.c_char_p(attributes), len(attributes))
