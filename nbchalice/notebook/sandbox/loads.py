"""What code loads of packages, and asks of what is installed, and how it goes where they are not there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from itertools import chain
from types import FrameType, ModuleType
from typing import Any

METADATA = ".dist-info"
"""What a package's name ends with where it stands for what is known of it as installed: its version, its plugins."""
PROVIDED = ("boto3", "botocore", "jmespath", "s3transfer")
"""What Lambda brings itself: what these take here where it is there, as botocore certifi, is no matter of the code."""
_MACHINERY = frozenset({"importlib", "_frozen_importlib", "_frozen_importlib_external", "nbchalice"})
_PROGRAMS = frozenset({"console_scripts", "gui_scripts"})


class Loads:
    """Notes what a block loads and looks for: by an import, a call as ``import_module(NAME)``, a library's own imports.

    Of ``importlib.metadata`` it notes which packages are asked for; where all of them are, those that have plugins.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._asks_for_all = False

    def __enter__(self) -> Loads:
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *_: object) -> None:
        sys.meta_path[:] = [one for one in sys.meta_path if one is not self]

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> None:
        """Note a package or module that is looked for; others find it."""
        parent = sys.modules.get(name.rpartition(".")[0])
        # google.cloud.storage is as much a package of its own as numpy is: google and google.cloud are no files.
        if getattr(parent, "__file__", None) is None and _importer(sys._getframe(1)) not in PROVIDED:
            self._names.append(name)

    def find_distributions(self, context: metadata.DistributionFinder.Context) -> Iterable[metadata.Distribution]:
        """Note a package of which is asked what is known; others find it."""
        if context.name is None:
            self._asks_for_all = True
        else:
            self._names.append(_key(context.name))
        return ()

    def found(self) -> list[str]:
        """Return the modules that were loaded, or looked for and found, without those of Python itself; and packages.

        A package that was asked for ends with ``METADATA``.
        """
        names = list(dict.fromkeys(self._names))
        found = [name for name in names if name.partition(".")[0] not in sys.stdlib_module_names and _is_here(name)]
        plugins = map(_key_of, filter(_has_plugins, metadata.distributions())) if self._asks_for_all else ()
        return [*dict.fromkeys([*found, *plugins])]


def _importer(frame: FrameType | None) -> str:
    """Return the top of the module that an import stands in."""
    top = "importlib"
    while frame is not None and top in _MACHINERY:
        top = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        frame = frame.f_back
    return top


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower() + METADATA


def _key_of(distribution: metadata.Distribution) -> str:
    return _key(distribution.metadata["Name"] or "")


def _has_plugins(distribution: metadata.Distribution) -> bool:
    return any(point.group not in _PROGRAMS for point in distribution.entry_points)


def _is_here(name: str) -> bool:
    """Tell whether a package is installed, or a module has a file: a namespace has none."""
    if name.endswith(METADATA):
        return any(True for _ in metadata.Distribution.discover(name=name.removesuffix(METADATA)))
    if name in sys.modules:
        return getattr(sys.modules[name], "__file__", None) is not None
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and bool(spec.has_location and spec.origin)


class Hidden:
    """Stands before all finders of modules, and finds some names not: as where they are not installed.

    Parameters
    ----------
    names : Iterable[str]
        Modules, and packages whose names end with ``METADATA``.
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

    def find_distributions(self, *context: Any) -> Iterable[metadata.Distribution]:
        """Find what is installed and not hidden, for ``importlib.metadata``."""
        finders = (getattr(finder, "find_distributions", None) for finder in self._finders)
        found = chain.from_iterable(find(*context) for find in finders if find is not None)
        return (one for one in found if _key_of(one) not in self._names)
