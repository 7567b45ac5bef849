"""Modules of other packages that register event kinds.

They come along as files: as a requirement their package would bring nbchalice itself into the layer, with all it needs
in a notebook.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nbchalice.packaging.errors import PackagingError
from nbchalice.packaging.imports import Import
from nbchalice.packaging.local import line_of
from nbchalice.runtime.event_kinds import KINDS
from nbchalice.runtime.registered_kinds import RegisteredKind

_SHIPS = "nbchalice.runtime"


@dataclass(frozen=True)
class KindPackage:
    """A package that registers an event kind.

    Parameters
    ----------
    name : str
        Its dotted name, for example ``acme_ses``.
    files : Mapping[str, Path]
        Its modules, by path in the zip.
    """

    name: str
    files: Mapping[str, Path]

    def check(self, file: str, source: str, wanted: Import) -> None:
        """Refuse an import that fails on Lambda, where there is the standard library and what ships of nbchalice.

        Parameters
        ----------
        file : str
            The path in the zip of the module that imports.
        source : str
            Its text.
        wanted : Import
            What it imports.

        Raises
        ------
        PackagingError
            It is something else, and the module cannot do without.
        """
        ships = wanted.top in sys.stdlib_module_names or _within(wanted.module, self.name)
        ships = ships or wanted.module == "nbchalice" or _within(wanted.module, _SHIPS)
        if not ships and wanted.required and not wanted.later:
            raise PackagingError(
                f"{file} ships with each function that handles its events, but imports {wanted.module}, which does not",
                f"what registers an event kind may import the standard library and {_SHIPS}; tell who made {self.name}",
                line_of(file, source, wanted.line),
                code="unusable-source",
            )


def find_kind_package(module: str) -> KindPackage | None:
    """Return the package that registers an event kind and that a module is part of, or None.

    Parameters
    ----------
    module : str
        The module's dotted name.
    """
    for kind in KINDS.values():
        if isinstance(kind, RegisteredKind) and (home := _home(kind.module)) and _within(module, home):
            return KindPackage(home, _files(home))
    return None


def _home(module: str) -> str:
    """Return the outermost package of a module that is no namespace package, or the module."""
    parts = module.split(".")
    names = [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
    return next((name for name in names if getattr(sys.modules.get(name), "__file__", None)), "")


def _files(home: str) -> dict[str, Path]:
    path = Path(str(sys.modules[home].__file__))
    base = home.replace(".", "/")
    if path.name != "__init__.py":
        return {f"{base}.py": path}
    return {f"{base}/{file.relative_to(path.parent).as_posix()}": file for file in path.parent.rglob("*.py")}


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
