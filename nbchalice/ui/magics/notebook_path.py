"""Where the live notebook's file is, and whether it was saved since a cell ran."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

UNNAMED = "notebook.ipynb"


class NotebookPath:
    """The notebook's place, as the front end tells it; what a cell does with the current folder does not move it.

    Parameters
    ----------
    shell : InteractiveShell
        The IPython shell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._folder = Path.cwd()
        self._found = self.path.is_file()

    @property
    def path(self) -> Path:
        """The notebook's file; a made-up name in the right folder where its name is unknown."""
        names = self._shell.user_ns
        name = names.get("__vsc_ipynb_file__") or names.get("__session__") or os.environ.get("JPY_SESSION_NAME") or ""
        path = self._folder / str(name)
        if not path.is_file() and (self._folder / path.name).is_file():
            path = self._folder / path.name  # Told from the server's root, which is not the kernel's folder.
        # A kernel on another machine is told of a folder that it does not have.
        folder = path.parent if name and path.parent.is_dir() else self._folder
        return folder / (path.name if path.name.endswith(".ipynb") else UNNAMED)

    def saved(self) -> object:
        """Return what changes when the file is saved; no clock is asked, for a file server may have another one."""
        try:
            state = self.path.stat()
        except OSError:
            return None
        self._found = True
        return state.st_mtime_ns, state.st_size, state.st_ino

    def notes(self) -> list[str]:
        """Return what to say of a file that was there and is not any more."""
        if not self._found or self.path.is_file():
            return []
        return [f"{self.path.name} is not there any more; its name and settings count until the kernel is restarted"]
