"""Files of the user's: where they are kept between sessions, and how they are written.

The local AWS has its own in ``aws.local.shared.home``: its server runs where there is no nbchalice.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nbchalice.errors import NbChaliceError

_MOST_KEPT = 64
_CLOCKS_APART = 60.0  # seconds by which two clocks may differ, that of another computer's disk, too


def user_cache() -> Path:
    """Return the user's cache folder for nbchalice, which may not exist yet; what is in it can be made again."""
    import platformdirs  # not at the top: code is captured and zipped where there is the standard library only, too

    return platformdirs.user_cache_path("nbchalice", appauthor=False)


def cache_folder() -> Path:
    """Return where packages, and what takes long to make, are kept: `NBCHALICE_CACHE` if set, else the user's cache."""
    chosen = os.environ.get("NBCHALICE_CACHE")
    return Path(chosen) if chosen else user_cache()


def kept(kind: str, question: Iterable[str], make: Callable[[], bytes]) -> bytes:
    """Return what an earlier process made of the same question, or make it and keep it for the next one.

    Parameters
    ----------
    kind : str
        The folder within the cache; the last 64 answers stay in it.
    question : Iterable[str]
        All that decides about the answer, the texts of the code that makes it included.
    make : Callable[[], bytes]
        Makes it, where it is not there, damaged, or cannot be read.

    Returns
    -------
    bytes: the same whether it was kept or not; where nothing can be kept, it is made each time.
    """
    key = hashlib.sha256("\0".join(question).encode()).hexdigest()
    try:
        path = cache_folder() / kind / key
    except ImportError:  # where there is the standard library only
        return make()
    with suppress(OSError):
        digest, content = (stored := path.read_bytes())[:32], stored[32:]
        if hashlib.sha256(content).digest() == digest:
            return content
    made = make()
    with suppress(OSError):
        replace_file(path, hashlib.sha256(made).digest() + made, 0o600)
        answers = sorted(path.parent.iterdir(), key=lambda one: order_of(one.stat().st_mtime))
        for old in answers[:-_MOST_KEPT]:
            old.unlink(missing_ok=True)
    return made


def order_of(moment: float) -> tuple[bool, float]:
    """Return what times of the past sort by: one that is still to come is of before the clock was set back.

    Parameters
    ----------
    moment : float
        Seconds since 1970.
    """
    return moment <= time.time() + _CLOCKS_APART, moment


def is_file(path: str | Path) -> bool:
    """Whether there is a file; what cannot name one, as a text that is too long, names none."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):  # Python 3.14 does so itself.
        return False


def is_folder(path: str | Path) -> bool:
    """Whether there is a folder, as ``is_file``."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def no_fault_of_ours(error: OSError, doing: str) -> NbChaliceError | None:
    """Return what a person is told where this machine refused a file; None of an error that nobody foresaw.

    Parameters
    ----------
    error : OSError
        Of what was done with a file.
    doing : str
        What was being done, for example ``%chalice deploy``.
    """
    named = error.filename if isinstance(error.filename, str | bytes) else None
    place = None if named is None else Path(os.fsdecode(named)).absolute()
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        full = f"no space is left in {place.parent}" if place else "no space is left on the disk"
        why = f"{doing} could not write {place}" if place else f"{doing} could not write a file"
        return NbChaliceError(f"{full}: {why}", "free some space there, and run it again", code="no-space")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        refused = f"{doing} may not use {place or 'a file'}: {error.strerror}"
        return NbChaliceError(refused, "change who may read and write there")
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return NbChaliceError(f"{doing}: {error.strerror}", "raise the limit of open files (ulimit -n)")
    return None


def unwritable(path: Path, error: OSError, doing: str) -> NbChaliceError:
    """Return what a person is told of a file that could not be written.

    Parameters
    ----------
    path : Path
        The file.
    error : OSError
        Why.
    doing : str
        What was being done.
    """
    named = OSError(error.errno, error.strerror or str(error), str(path))
    return no_fault_of_ours(named, doing) or NbChaliceError(f"{path} cannot be written: {error}", "give another place")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of writing name the file: one of a full disk does not."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def replace_file(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Write a file in one step: others see all of it or what stood there, also after a crash; its folder is made.

    Parameters
    ----------
    path : Path
        The file.
    content : bytes
        All that it is to hold.
    mode : int
        Who may read it, from its beginning. Default: whoever the process lets read a new file.

    Raises
    ------
    OSError
        It cannot be written; what stood there stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with (
            naming(path),
            os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file,
        ):
            file.write(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
