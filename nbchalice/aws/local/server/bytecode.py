"""Writes byte code of what handlers imported, as they cannot do it: they must not change what others import, too."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

_SECONDS = 300.0


class ByteCodeWriter:
    """Compiles in the background, one environment's modules after the other's; nothing of them is run."""

    def __init__(self) -> None:
        self._wanted: queue.Queue[tuple[str, list[str]]] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def add(self, python: str, folders: Mapping[str, str], names: Iterable[str]) -> None:
        """Let modules be compiled.

        Parameters
        ----------
        python : str
            The interpreter that imports them.
        folders : Mapping[str, str]
            Folders by the names under which the handler sees them.
        names : Iterable[str]
            The modules' files, as the handler sees them; those outside of the folders are left alone.
        """
        files = [file for name in names if (file := source_in(folders, name)) is not None]
        if not files:
            return
        self._wanted.put((python, files))
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="byte-code", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            python, files = self._wanted.get()
            # `-` reads the names from the standard input; what cannot be compiled is passed over.
            command = ["nice", "-n", "19", python, "-I", "-S", "-m", "py_compile", "-"]
            try:
                subprocess.run(command, input="\n".join(files), text=True, capture_output=True, timeout=_SECONDS)  # noqa: PLW1510
            except (OSError, subprocess.SubprocessError):
                pass  # the next environment compiles for itself, as this one did


def source_in(folders: Mapping[str, str], name: str) -> str | None:
    """Return the file of this computer that a handler sees under a name, if it and its byte code stay in the folder."""
    for seen, folder in folders.items():
        if not name.startswith(f"{seen}/") or not name.endswith(".py") or "\n" in name:
            continue
        file, place = Path(folder) / name[len(seen) + 1 :], Path(folder).resolve()
        written = (file.resolve(), (file.parent / "__pycache__").resolve())
        if all(path.is_relative_to(place) for path in written) and file.is_file():
            return str(file)
    return None
