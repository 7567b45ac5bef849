"""Lets a run see of this computer's files those that Lambda has, too: ``os.path.exists("data")`` is False there."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbchalice.notebook.sandbox.guard import DENIED, Guard

ASKED: list[str] = []
"""For which files of this computer the notebook asked."""
_NOTEBOOK = ("__main__", "notebook_code")
_ASKS = ("stat", "lstat", "access")
_LISTS = ("listdir", "scandir")


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
        """Answer what this process asks from now on; it cannot be undone."""
        for name in _ASKS:
            setattr(os, name, self._answering(getattr(os, name)))
        for name in _LISTS if self._folder is not None else ():
            setattr(os, name, self._listing(getattr(os, name)))

    def _answering(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def answer(path: Any, *arguments: Any, **keywords: Any) -> Any:
            named = isinstance(path, str | bytes | os.PathLike) and keywords.get("dir_fd") is None
            if named and not self._guard.decides and self._is_hidden(os.fsdecode(path)):
                if ask.__name__ == "access":
                    return False
                raise FileNotFoundError(errno.ENOENT, "this file is not on Lambda", os.fsdecode(path))
            return ask(path, *arguments, **keywords)

        return answer

    def _listing(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def answer(path: Any = ".") -> Any:
            named = isinstance(path, str | bytes | os.PathLike) and not self._guard.decides
            if named and not os.path.isabs(os.fsdecode(path)) and _is_asked_by_notebook():  # noqa: PTH117 - also bytes
                ASKED.append(os.fsdecode(path))
            return ask(path)

        return answer

    def _is_hidden(self, path: str) -> bool:
        self._guard.decides = True
        try:
            there = os.path.lexists(path)
            beside = self._folder is not None and not there and (self._folder / path).exists()
            hidden = beside or (there and self._guard.is_hidden(os.path.realpath(path)))
        finally:
            self._guard.decides = False
        if hidden:
            DENIED.append(f"reads {path}")
        if hidden and _is_asked_by_notebook():
            ASKED.append(path)
        return hidden


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
