"""Python's own guard: it says at the line what Lambda would not allow, and is the only guard where the kernel has none.

It sees what Python's functions are asked for, not what compiled code does. So where nothing else confines the process
it allows what is listed here, and nothing that may lead past it, such as ``ctypes``.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nbchalice.notebook.analysis.known_calls import words

SYSTEM = (
    *("/usr/", "/lib/", "/lib32/", "/lib64/", "/bin/", "/etc/", "/dev/", "/proc/", "/sys/", "/opt/", "/nix/"),
    *("/System/", "/Library/", "/var/task/"),
)
NO_PRIVATE_TMP = "this system has no private /tmp for a run that only checks"
_CODE = (".py", ".pyc", ".so", ".pth", ".dylib", ".pyd")
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

# Which arguments of an event are paths that it makes, and which ones it changes; the last one is a folder's descriptor.
_MAKES = {"os.mkdir": (0,), "os.symlink": (1,), "os.link": (1,), "os.rename": (1,)}
_CHANGES = {
    **dict.fromkeys(("os.remove", "os.rmdir", "os.truncate", "os.chmod", "os.chown", "os.utime"), (0,)),
    **dict.fromkeys(("os.setxattr", "os.removexattr", "os.chflags", "os.lockf"), (0,)),
    **dict.fromkeys(("os.rename", "os.link"), (0,)),
}
_DESCRIPTORS = {
    **dict.fromkeys(("os.mkdir", "os.symlink"), (2,)),
    **dict.fromkeys(("os.remove", "os.rmdir"), (1,)),
    **dict.fromkeys(("os.rename", "os.link"), (2, 3)),
    **{"os.chmod": (2,), "os.chown": (3,), "os.utime": (3,)},
}
_PROGRAMS = ("subprocess.", "os.system", "os.posix_spawn", "os.exec", "os.spawn", "os.fork", "pty.", "webbrowser.")
_NETWORK = ("socket.", "http.", "ftplib.", "smtplib.", "imaplib.", "poplib.", "nntplib.", "telnetlib.", "urllib.")
_SIGNALS = ("os.kill", "signal.")
_HARMLESS = tuple(
    words("""
    import exec compile code. function. object. builtins. gc. marshal. pickle. array. mmap. glob. pathlib. tempfile.
    shutil. time. _thread. cpython.PyInterpreterState cpython._PySys sys._ sys.add sys.set sys.unraisable
    sys.excepthook sys.monitoring os.listdir os.scandir os.walk os.fwalk os.putenv os.unsetenv os.getxattr os.listxattr
    sqlite3.connect/handle urllib.Request socket.gethostname
    """)
)

_OF_PROCESSES = (
    "chroot mkfifo mknod openpty posix_openpt sched_setaffinity sched_setparam sched_setscheduler setpriority"
)
_UNSEEN = {
    "os": _OF_PROCESSES,
    "posix": _OF_PROCESSES,
    "signal": "pidfd_send_signal",
    "_posixshmem": "shm_open shm_unlink",
}
"""Functions that change what is outside and tell no audit hook of it."""

DENIED: list[str] = []
"""What was refused to the statement that is running, in words: ``reads data.csv``."""

_UNSEEN_MODULES = frozenset({"_dbm", "_gdbm", "readline", "termios"})
"""Modules that do."""


class Guard:
    """What a module may do while it is imported, as far as Python tells.

    Parameters
    ----------
    library : Iterable[Path]
        Folders of Python and of what is installed, and files and folders that come along.
    own : Iterable[Path]
        Folders of local code, whose data is not on Lambda.
    local : Iterable[Path]
        Those of them of which code, and imported packages with all they hold, may be read.
    scratch : Path
        The folder that may be written.
    private : bool
        Whether that folder is seen as /tmp.
    alone : bool
        Whether nothing else confines the process, so that what is not known is refused.
    """

    def __init__(
        self,
        library: Iterable[Path],
        own: Iterable[Path],
        local: Iterable[Path],
        scratch: Path,
        *,
        private: bool,
        alone: bool,
    ) -> None:
        along = {_folder(path) for path in library}
        self._local = {_folder(path) for path in local} - along
        beside = {_folder(path) for path in own}
        self._refused = beside - self._local - along
        # The nearest folder decides: libraries may lie below the notebook's folder, or it below theirs.
        self._known = sorted(along | beside | self._local, key=len, reverse=True)
        self._scratch = _folder(scratch)
        self._tmp = _folder(Path("/tmp"))  # noqa: S108 - Lambda's one writable folder has this very name
        self._private, self._alone, self._pid = private, alone, os.getpid()
        self.decides = False
        """Whether it is looking itself at what is asked for: then it must see what is there."""

    def install(self) -> None:
        """Guard this process from now on; it cannot be undone."""
        if self._alone:
            for module, names in _UNSEEN.items():
                for name in names.split():
                    vars(importlib.import_module(module))[name] = _refuse
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        before, self.decides = self.decides, True
        try:
            self._decide(event, arguments)
        finally:
            self.decides = before

    def _decide(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Raise what a Lambda function would get, or what says why it is not tried here."""
        if event == "open":
            self._open(arguments[0], arguments[2])
        elif event == "import" and self._alone and arguments[0] in _UNSEEN_MODULES:
            raise ImportError(f"{arguments[0]} is not used while the module is imported", name=arguments[0])
        elif event in _MAKES or event in _CHANGES:
            self._change(event, arguments)
        elif event == "sqlite3.connect":
            self._connect(arguments[0])
        elif event.startswith(_HARMLESS):
            return
        elif event.startswith(_PROGRAMS):
            DENIED.append(f"starts {_program(arguments)}")
            raise PermissionError("no other program is run while the module is imported")
        elif event.startswith(_NETWORK) and not _is_of_a_pair(event, arguments):
            DENIED.append(f"asks {_host(arguments)}")
            raise ConnectionError("the network is not used while the module is imported")
        elif event.startswith(_SIGNALS):
            if event != "os.kill" or arguments[0] != self._pid:
                DENIED.append("sends a signal")
                raise PermissionError("no signals are sent while the module is imported")
        elif self._alone and not event.startswith("socket."):
            raise PermissionError(f"{event} is not allowed while the module is imported")

    def _open(self, path: object, flags: int) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        if flags & _WRITES:
            self._write(path)
            return
        name = os.path.realpath(os.fsdecode(path))
        if not self._comes_along(name) and not name.startswith((self._scratch, *SYSTEM)) and Path(name).exists():
            DENIED.append(f"reads {os.fsdecode(path)}")
            raise FileNotFoundError(errno.ENOENT, "this file is not on Lambda", os.fsdecode(path))

    def is_hidden(self, name: str) -> bool:
        """Tell whether a real path is one of this computer, which is not on Lambda."""
        seen = (self._scratch, *SYSTEM)
        nearest = max((one for one in (*self._known, *seen) if f"{name}/".startswith(one)), key=len, default=None)
        if nearest is None:
            above = os.path.join(name, "")  # noqa: PTH118 - what leads to a folder that is seen
            return not any(folder.startswith(above) for folder in (*self._known, *seen))
        return nearest not in (*seen, f"{name}/") and not self._comes_along(name)

    def _comes_along(self, name: str) -> bool:
        nearest = next((folder for folder in self._known if f"{name}/".startswith(folder)), None)
        if nearest is None or nearest in self._refused:
            return False
        package = name.removeprefix(nearest).partition(os.sep)[0]
        return nearest not in self._local or name.endswith(_CODE) or package in sys.modules

    def _connect(self, database: Any) -> None:
        """Decide about a file of SQLite, which can also be read where it cannot be written."""
        if self._alone:  # Its statements open other files, and no hook is told.
            raise PermissionError("no database is opened while the module is imported")
        if database in {":memory:", b":memory:", ""}:
            return
        name = os.fsdecode(database)
        if name.startswith("file:"):
            return  # The kernel decides.
        if Path(name).exists():
            self._open(name, os.O_RDONLY)
        else:
            self._write(name)

    def _change(self, event: str, arguments: tuple[Any, ...]) -> None:
        relative = any(arguments[at] not in {None, -1} for at in _DESCRIPTORS.get(event, ()) if at < len(arguments))
        if relative:  # The kernel knows which folder it is, and whether it may be changed.
            if self._alone:
                raise PermissionError(f"{event} in an opened folder is not allowed while the module is imported")
            return
        for at in _CHANGES.get(event, ()):
            path = arguments[at]
            if isinstance(path, str | bytes | os.PathLike):
                os.lstat(path)  # What there is not cannot be changed, on Lambda neither.
                self._write(path)
        for at in _MAKES.get(event, ()):
            self._write(arguments[at])

    def _write(self, path: Any) -> None:
        given = os.fsdecode(path)
        # A link itself is renamed or removed, not what it leads to.
        name = os.path.join(os.path.realpath(os.path.dirname(given) or "."), os.path.basename(given))  # noqa: PTH118, PTH119, PTH120
        real = os.path.realpath(name)
        if all(f"{one}/".startswith(self._scratch) for one in (name, real)) or real.startswith("/dev/"):
            return
        if real.startswith(self._tmp) and not self._private:
            raise PermissionError(errno.EACCES, NO_PRIVATE_TMP, given)
        DENIED.append(f"writes {given}")
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), given)


def _refuse(*_: object, **__: object) -> None:
    raise PermissionError("this is not done while the module is imported")


def _program(arguments: tuple[Any, ...]) -> str:
    """Return the name of a program, from the arguments of an event that starts one."""
    first = arguments[0] if arguments else ""
    if not first and len(arguments) > 1 and arguments[1]:
        first = arguments[1][0]
    words_of = os.fsdecode(first).split() if isinstance(first, str | bytes | os.PathLike) else []
    return words_of[0] if words_of else "another program"


def _host(arguments: tuple[Any, ...]) -> str:
    """Return what an event of the network is about: ``socket.getaddrinfo`` has a name, ``socket.connect`` a pair."""
    for argument in arguments:
        host = argument[0] if isinstance(argument, tuple) and argument else argument
        if isinstance(host, str | bytes) and host:
            return os.fsdecode(host)
    return "the network"


def _is_of_a_pair(event: str, arguments: tuple[Any, ...]) -> bool:
    """Tell whether a socket is made that may be one of a pair, such as an event loop has."""
    return event == "socket.__new__" and arguments[1] == 1


def _folder(path: Path) -> str:
    return os.path.join(os.path.realpath(path), "")  # noqa: PTH118 - as realpath
