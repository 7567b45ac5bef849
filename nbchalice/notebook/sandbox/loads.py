"""Packages that code loads by a call, with no import that names them; and how it goes where they are not there."""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from itertools import chain
from types import FrameType, ModuleType
from typing import Any

_IMPORT = dis.opmap["IMPORT_NAME"]


class Loads:
    """Notes what a block loads by a call, as ``import_module(NAME)``, or a library that wants the driver of an address.

    What is imported by name, and what a library imports as it is itself imported, is not among it.

    Parameters
    ----------
    notebook : str
        The notebook; its code has this name before a ``#``.
    folders : Iterable[str]
        Folders of local modules.
    """

    def __init__(self, notebook: str, folders: Iterable[str]) -> None:
        self._own = (f"{notebook}#", *(f"{folder}/" for folder in folders))
        self._names: list[str] = []

    def __enter__(self) -> Loads:
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.meta_path[:] = [one for one in sys.meta_path if one is not self]

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> None:
        """Note a package or module that is looked for; others find it."""
        parent = sys.modules.get(name.rpartition(".")[0])
        # google.cloud.storage is as much a package of its own as numpy is: google and google.cloud are no files.
        if getattr(parent, "__file__", None) is None and not self._is_imported(sys._getframe(1)):
            self._names.append(name)

    def _is_imported(self, frame: FrameType | None) -> bool:
        """Tell whether the notebook's code, or a local module's, is at an import."""
        while frame is not None and not frame.f_code.co_filename.startswith(self._own):
            frame = frame.f_back
        return frame is None or frame.f_code.co_code[frame.f_lasti] == _IMPORT

    def found(self) -> list[str]:
        """Return the modules that were loaded so, or looked for and found, without those of Python itself."""
        names = (name for name in self._names if name.partition(".")[0] not in sys.stdlib_module_names)
        return [name for name in dict.fromkeys(names) if _file_of(name)]


def _file_of(name: str) -> str | None:
    """Return the file of a module; None of one that is not there, and of a namespace."""
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None)
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return None
    return spec.origin if spec is not None and spec.has_location else None


class Hidden:
    """Stands before all finders of modules, and finds some names not: as where they are not installed.

    Parameters
    ----------
    names : Iterable[str]
        Modules.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._finders = list(sys.meta_path)
        sys.meta_path[:] = [self]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module that is not hidden."""
        if name in self._names:
            return None
        specs = (finder.find_spec(name, path, target) for finder in self._finders)
        return next((spec for spec in specs if spec is not None), None)

    def find_distributions(self, *context: Any) -> Iterable[Any]:
        """Find what is installed, for ``importlib.metadata``."""
        finders = (getattr(finder, "find_distributions", None) for finder in self._finders)
        return chain.from_iterable(find(*context) for find in finders if find is not None)
