"""What a process of a function lacks as on Lambda, beside what the kernel keeps from it; loaded by ``bootstrap``.

Standard library only. The name is that of a module in the handler's process, where the handler's own have theirs.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Any


class NoSharedMemory:
    """A finder that lets what needs ``/dev/shm`` fail as on Lambda, which has none: ``multiprocessing.Queue()``."""

    CHANGED = {"_multiprocessing": "SemLock", "_posixshmem": "shm_open"}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Find one of the two modules by the other finders, and stand in for its loader."""
        if name not in self.CHANGED:
            return None
        found = (finder.find_spec(name, path, target) for finder in sys.meta_path if finder is not self)
        spec: Any = next((spec for spec in found if spec is not None), None)
        if spec is not None:
            self._loader = spec.loader
            spec.loader = self
        return spec

    def create_module(self, spec: Any) -> Any:
        """Let the module's own loader make it."""
        return self._loader.create_module(spec)

    def exec_module(self, module: Any) -> None:
        """Load it, and replace what would ask the kernel."""
        self._loader.exec_module(module)
        name = self.CHANGED[module.__name__]
        setattr(module, name, unavailable(getattr(module, name)))


def unavailable(what: Any) -> Any:
    """Return a function or class that says it is not implemented."""

    def refuse(*arguments: object, **keywords: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    constants = {name: getattr(what, name) for name in ("SEM_VALUE_MAX",) if hasattr(what, name)}
    return type(what.__name__, (), {"__new__": refuse, "_rebuild": refuse, **constants}) if constants else refuse


def imported_sources(folders: list[str]) -> list[str]:
    """Return the files of modules without byte code; this process cannot write any."""
    found: list[str] = []
    for module in list(sys.modules.values()):
        spec: Any = getattr(module, "__spec__", None)
        origin, cached = getattr(spec, "origin", None), getattr(spec, "cached", None)
        if not isinstance(origin, str) or not isinstance(cached, str) or not origin.startswith(tuple(folders)):
            continue
        if not os.path.exists(cached):  # noqa: PTH110 - starts fast
            found.append(origin)
    return found
