"""Folders that are made once, whoever asks first, and kept: environments of Python, and packages for them."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from nbchalice.resources.locks import locked

COMPLETE = ".complete"


def ensure(folder: Path, build: Callable[[Path], None], needed: str = COMPLETE) -> Path:
    """Build a folder once, whoever asks first; a broken build leaves nothing behind.

    Parameters
    ----------
    folder : Path
        The folder.
    build : Callable[[Path], None]
        Makes it under another name.
    needed : str
        Without this it is built anew: an interpreter that is a link goes when its Python is removed.

    Raises
    ------
    OSError
        It cannot be written.
    """

    def is_built() -> bool:
        return (folder / COMPLETE).exists() and (folder / needed).exists()

    if is_built():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(f"folder {folder}"):
        if not is_built():
            build_aside(folder, build)
    return folder


def build_aside(folder: Path, build: Callable[[Path], None]) -> None:
    """Build in a temporary folder and move it into place when it is complete."""
    shutil.rmtree(folder, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        build(aside / "new")
        (aside / "new" / COMPLETE).touch()
        (aside / "new").rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def base_interpreter() -> str:
    """Return the interpreter behind the running one's virtual environment."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)
