"""Lets a run see of this computer's files those that Lambda has, too: ``os.path.exists("data")`` is False there."""

from __future__ import annotations

import errno
import glob
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbchalice.notebook.sandbox.guard import DENIED, Guard

ASKED: list[str] = []
"""Which files of this computer the notebook asked for, or opened, by itself or by way of a library."""
_NOTEBOOK = ("__main__", "notebook_code")
_ASKS = ("stat", "lstat", "access")
_OPENS = frozenset({"open", "sqlite3.connect"})
_LISTS = frozenset({"os.listdir", "os.scandir"})
_URI = "file:"


class Hidden:
    """What asks whether a file is there, for which the files of this computer are not.

    Parameters
    ----------
    guard : Guard
        Knows which files come along.
    folder : Path or None
        The notebook's folder, in a run of the notebook itself, which asks for the files in it by their names. Default:
        it is a handler's module that runs.
    """

    def __init__(self, guard: Guard, folder: Path | None = None) -> None:
        self._guard, self._folder = guard, folder

    def install(self) -> None:
        """Answer what this process asks from now on; it cannot be undone. Before the guard, which refuses."""
        if self._folder is not None:
            sys.addaudithook(self._heard)
        for name in _ASKS:
            setattr(os, name, self._answering(getattr(os, name)))
        if hasattr(
            getattr(glob, "_StringGlobber", None), "lstat"
        ):  # Python 3.13 keeps what was there when it was loaded
            glob._StringGlobber.lstat = staticmethod(os.lstat)  # type: ignore[attr-defined]

    def _answering(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def answer(path: Any, *arguments: Any, **keywords: Any) -> Any:
            named = isinstance(path, str | bytes | os.PathLike) and keywords.get("dir_fd") is None
            if named and not self._guard.decides and self._is_hidden(os.fsdecode(path)):
                if ask.__name__ == "access":
                    return False
                raise FileNotFoundError(errno.ENOENT, "this file is not on Lambda", os.fsdecode(path))
            return ask(path, *arguments, **keywords)

        return answer

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note a file that is opened here in vain, or a folder that is listed, whatever then becomes of the error."""
        if event not in _OPENS | _LISTS or self._guard.decides:
            return
        path = "." if arguments[0] is None else arguments[0]
        if not isinstance(path, str | bytes | os.PathLike):
            return
        name = os.fsdecode(path)
        if event in _LISTS:
            if not os.path.isabs(name) and _is_asked_by_notebook():  # noqa: PTH117 - also names of bytes
                ASKED.append(name)
        elif event != "open" or not (isinstance(arguments[2], int) and arguments[2] & os.O_CREAT):
            name = name.removeprefix(_URI).partition("?")[0] if name.startswith(_URI) else name
            if any(self._missing(name)):
                ASKED.append(name)

    def _is_hidden(self, path: str) -> bool:
        beside, elsewhere = self._missing(path)
        if beside or elsewhere:
            DENIED.append(f"reads {path}")
        # What stands beside the notebook is there for it; elsewhere a library looks for files of its own.
        if beside or (elsewhere and _is_asked_by_notebook()):
            ASKED.append(path)
        return beside or elsewhere

    def _missing(self, path: str) -> tuple[bool, bool]:
        """Tell whether a file is not to be seen: one beside the notebook, by its name, or one of this computer."""
        before, self._guard.decides = self._guard.decides, True
        try:
            if os.path.lexists(path):
                return False, self._guard.is_hidden(os.path.realpath(path))
            if self._folder is None:
                return False, False
            # find_dotenv() asks for the whole path, below what is the current folder in this run.
            name = os.path.relpath(path, tempfile.gettempdir()) if os.path.isabs(path) else path  # noqa: PTH117
            return not name.startswith(os.pardir) and (self._folder / name).exists(), False
        except (OSError, ValueError):  # too long, or with a null byte
            return False, False
        finally:
            self._guard.decides = before


def _is_asked_by_notebook() -> bool:
    """Tell whether the notebook's code asks, by way of the standard library; a library looks for its own files."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        module = str(frame.f_globals.get("__name__"))
        if module in _NOTEBOOK:
            return True
        if module != __name__ and module.partition(".")[0] not in sys.stdlib_module_names:
            return False
        frame = frame.f_back
    return False
