"""A root of its own for a process and its children: only what is shown there can be seen, and only read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping

from nbchalice.confinement.linux import change_root, mount
from nbchalice.confinement.mounts import (
    AT_RECURSIVE,
    BIND,
    NEW_MOUNTS,
    PRIVATE,
    READ_ONLY,
    RECURSIVE,
    become_user,
    set_attributes,
)

_NEW_PROCESSES, _NEW_IPC = 0x20000000, 0x08000000
_NO_SETUID, _NO_DEVICES, _NO_PROGRAMS = 2, 4, 8


def leave(user: int, group: int) -> None:
    """Leave the files, processes and shared memory of others; the next child is the first process of its own kind.

    Raises
    ------
    OSError
        The system does not allow it.
    """
    become_user(NEW_MOUNTS | _NEW_PROCESSES | _NEW_IPC, user, group)
    mount("none", "/", RECURSIVE | PRIVATE)


class OwnRoot:
    """A root that is put together from files and folders of this computer.

    Parameters
    ----------
    place : str
        An empty folder, on which it is mounted; nobody else sees it there.
    """

    def __init__(self, place: str) -> None:
        mount("none", place, _NO_SETUID | _NO_DEVICES, "tmpfs", "mode=0755,size=4m")
        self._place = place
        self._writable: list[str] = []

    def show(self, source: str, seen_as: str | None = None) -> None:
        """Show a file, a folder with all it holds, or a link, under its own name or another; what is not there is not.

        Parameters
        ----------
        source : str
            Where it is.
        seen_as : str or None
            The name under which it is seen. Default: its own.
        """
        target = self._place + (seen_as or source)
        try:
            mode = os.lstat(source).st_mode
        except OSError:
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)  # noqa: PTH103, PTH120 - a Path costs time at each start
        if stat.S_ISLNK(mode) and seen_as is None:
            os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211
            return
        if os.path.isdir(source):  # noqa: PTH112
            os.makedirs(target, exist_ok=True)  # noqa: PTH103
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
        mount(source, target, BIND | RECURSIVE)

    def make(self, folders: Iterable[str] = (), links: Mapping[str, str] | None = None) -> None:
        """Make empty folders, and links with what they lead to."""
        for folder in folders:
            os.makedirs(self._place + folder, exist_ok=True)  # noqa: PTH103
        for name, target in (links or {}).items():
            os.symlink(target, self._place + name)  # noqa: PTH211

    def write(self, name: str, text: str) -> None:
        """Write a small file."""
        with open(self._place + name, "w") as file:  # noqa: PTH123
            file.write(text)

    def make_writable(self, name: str, megabytes: int) -> None:
        """Make an empty folder in which everything may be done, of no more than a size."""
        self.make([name])
        options = f"mode=1777,size={megabytes}m"
        mount("none", self._place + name, _NO_SETUID | _NO_DEVICES, "tmpfs", options)
        self._writable.append(name)

    def show_processes(self) -> None:
        """Show the processes that this one's namespace has, and no other, under ``/proc``."""
        self.make(["/proc"])
        mount("none", f"{self._place}/proc", _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS, "proc")

    def enter(self) -> None:
        """Make it this process's root, for ever."""
        set_attributes(self._place, AT_RECURSIVE, on=READ_ONLY | _NO_SETUID)
        for name in self._writable:
            set_attributes(self._place + name, 0, off=READ_ONLY)
        change_root(self._place)
