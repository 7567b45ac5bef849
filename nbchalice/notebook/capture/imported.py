"""Local modules as the kernel imported them: whether the file that would be deployed is still what runs here."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.capture.source_map import location_of
from nbchalice.notebook.sandbox.values.patched import is_local
from nbchalice.runtime.cells import Segment
from nbchalice.typed import Values


class _Seen(NamedTuple):
    """A module's spec, when %autoreload loaded it, and the hash of its file at that time."""

    spec: Any
    loaded: float | None
    digest: str | None


class Imported:
    """Remembers the text of each local module at the time when it was imported, or imported again."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}
        self._again: set[str] = set()
        self._library: set[str] = set()

    def note(self, _result: object = None) -> None:
        """Look at the modules that were imported since the last time; called after each cell."""
        watched = _watched()
        for name in [name for name in list(sys.modules) if name not in self._library]:
            spec, known = _spec(sys.modules.get(name)), self._seen.get(name)
            if not is_local(sys.modules.get(name)):
                self._library.add(name)
                continue
            # importlib.reload finds the spec anew; %autoreload may patch a module and note the time of its file.
            if known and known.spec is spec and known.loaded == watched.get(name):
                continue
            if known and known.spec is not spec and not watched:
                self._again.add(name)
            begun = known and known.spec is spec and known.loaded is None  # it looks at a file only from now on
            self._seen[name] = _Seen(spec, watched.get(name), known.digest if known and begun else _digest(spec.origin))

    def digest(self, name: str) -> str | None:
        """Return the hash of the text that a module was made of, or None where that is not known."""
        return self._seen[name].digest if name in self._seen and name in sys.modules else None

    def again(self, name: str) -> bool:
        """Tell whether a module was imported more than once, without %autoreload, which mends the names in cells."""
        return name in self._again


IMPORTED = Imported()


def require_current(
    module: str,
    segments: Sequence[Segment],
    vendored: Sequence[tuple[str, bytes]],
    namespace: Values,
    imported: Imported = IMPORTED,
) -> None:
    """Refuse local modules whose file is not what the kernel runs.

    Parameters
    ----------
    module : str
        The text of the slice.
    segments : Sequence[Segment]
        Which lines of it are which lines of which cell.
    vendored : Sequence[tuple[str, bytes]]
        Pairs of path and content of the local modules that come along.
    namespace : Values
        The kernel's variables.
    imported : Imported
        What is known of the kernel's modules.

    Raises
    ------
    CaptureError
        A file was edited after it was imported, or a name is still the one of before it was reloaded.
    """
    imported.note()
    names = {_module_name(path): (path, content) for path, content in vendored if path.endswith(".py")}
    for name, (path, content) in names.items():
        digest = imported.digest(name)
        if digest is not None and digest != hashlib.sha256(content).hexdigest():
            raise CaptureError(
                f"{path} was edited after the kernel imported it",
                f"restart the kernel and run the cells again, or run importlib.reload({name}); %autoreload 2 does so "
                "by itself",
                Location(path),
                code="stale-module",
            )
    for line, name, taken, bound in _taken(module):
        if name in names and imported.again(name) and bound in namespace:
            current = getattr(sys.modules.get(name), taken, namespace[bound])
            if current is not namespace[bound] and not _equal(current, namespace[bound]):
                raise CaptureError(
                    f"{bound} is still the one from before {name} was reloaded",
                    "run the cell that imports it again",
                    location_of(segments, module, line),
                    code="stale-module",
                )


def _watched() -> Mapping[str, float]:
    """Return the modules that %autoreload watches, with the time of the file that it loaded; none without it."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    magics = shell.magics_manager.registry.get("AutoreloadMagics") if shell else None
    reloader = getattr(magics, "_reloader", None)
    return getattr(reloader, "modules_mtimes", {}) if getattr(reloader, "enabled", False) else {}


def _spec(module: object) -> Any:
    """Return a module's spec without waking one that loads what it is asked for."""
    return getattr(module, "__dict__", {}).get("__spec__")


def _digest(origin: str) -> str | None:
    try:
        return hashlib.sha256(Path(origin).read_bytes()).hexdigest()
    except OSError:
        return None


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _taken(module: str) -> Iterator[tuple[int, str, str, str]]:
    """Yield line, module, name there and name here of each `from ... import` of the module."""
    for node in ast.parse(module).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.lineno, str(node.module), alias.name, alias.asname or alias.name


def _equal(one: object, other: object) -> bool:
    """Tell whether two values are plain data and equal."""
    plain = (str, bytes, int, float, bool, type(None), tuple, list, dict, set, frozenset)
    return type(one) is type(other) and isinstance(one, plain) and bool(one == other)
