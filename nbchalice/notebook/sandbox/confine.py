"""Confines the process that imports a captured module, for ever.

On Linux the kernel does: Landlock says which files may be read and written, seccomp which system calls may be made,
and, where the system allows it, a view of the files in which /tmp is a private folder and all else is read-only.
Elsewhere Python's own guard is all there is.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path

from nbchalice.confinement import landlock
from nbchalice.confinement.mounts import make_private_tmp
from nbchalice.notebook.sandbox import seccomp
from nbchalice.notebook.sandbox.guard import SYSTEM, Guard
from nbchalice.notebook.sandbox.hidden import Hidden

KERNEL, PYTHON = "kernel", "python"
_BESIDE = os.environ.get("LD_LIBRARY_PATH", "").split(":")  # read before a handler's own variables are set
_PACKAGE = Path(__file__).resolve().parents[2]
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_CODE = (".py", ".pyc", ".so")
_LOOKED_AT = 1000  # entries of a folder, which may hold any number of others
_LARGEST_FILE = 512 << 20  # what Lambda's /tmp holds
_MEMORY = (2 << 30, 10 << 30)  # the limit is this machine's memory, within these bounds


def confine(
    scratch: Path,
    own: Iterable[Path],
    local: Iterable[Path],
    packed: Iterable[Path],
    *,
    kernel: bool = True,
    private: bool = True,
    notebook: Path | None = None,
) -> str:
    """Let this process change nothing but a folder of its own, start nothing, reach nothing and signal nobody.

    Parameters
    ----------
    scratch : Path
        An empty folder; the module sees it as /tmp where the system allows it.
    own : Iterable[Path]
        Folders of local code, whose data is not on Lambda.
    local : Iterable[Path]
        Those of them whose code may be imported.
    packed : Iterable[Path]
        Files and folders that come along, with all they hold.
    kernel : bool
        Whether the kernel is asked. Default: yes.
    private : bool
        Whether a private /tmp is tried. Default: yes.
    notebook : Path or None
        The folder of the notebook that is to run. Default: it is a handler's module.

    Returns
    -------
    str: what confines, ``kernel`` or ``python``.

    Raises
    ------
    OSError
        The kernel confines processes and refused this one; nothing may be run in it.
    """
    own, local = [path.resolve() for path in own], [path.resolve() for path in local]
    library = [path.resolve() for path in [*_library(own), *packed]]
    by_kernel = kernel and _kernel_can()
    seen_as_tmp = by_kernel and private and make_private_tmp(scratch, [*library, *local])
    where = Path("/tmp" if seen_as_tmp else scratch).resolve()  # noqa: S108
    tempfile.tempdir = None if seen_as_tmp else str(where)
    _limit(memory=by_kernel)
    if by_kernel:
        reads = [*library, *chain.from_iterable(map(_local_code, local))]
        _by_kernel(reads, [*local, _PACKAGE.parent], where, private=seen_as_tmp)
    guard = Guard(library, own, local, where, private=seen_as_tmp, alone=not by_kernel)
    Hidden(guard, notebook).install()
    guard.install()
    return KERNEL if by_kernel else PYTHON


def _kernel_can() -> bool:
    return bool(seccomp.machine() and landlock.version())


def _by_kernel(reads: Iterable[Path], lists: Iterable[Path], where: Path, *, private: bool) -> None:
    version = landlock.version()
    system = [Path(one) for one in SYSTEM if one != "/dev/"]
    landlock.restrict([*reads, *system], lists, [where], map(Path, _DEVICES), version)
    seccomp.restrict(os.getpid(), modes=private, truncate=private or version >= landlock.TRUNCATES_SINCE)


def _library(own: Iterable[Path]) -> list[Path]:
    """Return the folders of Python, of what is installed, and of nbchalice itself."""
    paths = [Path(path).resolve() for path in (*sys.path, *_BESIDE) if path]
    always = [_PACKAGE, *(Path(path) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix))]
    return [*always, *(path for path in paths if path not in own)]


def _local_code(folder: Path) -> list[Path]:
    """Return the modules and packages of a folder: not the folder, which may be somebody's home."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return []
    return [entry.resolve() for entry in entries if entry.suffix in _CODE or _is_package(entry)]


def _is_package(entry: Path) -> bool:
    if not entry.name.isidentifier() or not entry.is_dir():
        return False
    try:
        with os.scandir(entry) as found:
            return any(name.name.endswith(_CODE) for name in islice(found, _LOOKED_AT))
    except OSError:
        return False


def _limit(*, memory: bool) -> None:
    """Keep one run from filling disk and memory."""
    limits = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: _LARGEST_FILE}
    if memory:
        least, most = _MEMORY
        limits[resource.RLIMIT_DATA] = max(least, min(most, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")))
    for limit, value in limits.items():
        _, hard = resource.getrlimit(limit)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (wanted, wanted))
