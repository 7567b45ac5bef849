"""The part of nbchalice that ships with every function: the modules its code imports, cut to what Lambda needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from types import MappingProxyType

from nbchalice.packaging.cache import cache_folder, write_whole
from nbchalice.packaging.errors import CacheError
from nbchalice.packaging.imports import Import, find_imports
from nbchalice.packaging.shrink import strip_source
from nbchalice.packaging.zipping import zip_bytes

ARCHIVE = "nbchalice.zip"
_ENTRY = "nbchalice.runtime.entry"
# What the package looks for only when it is asked.
_SCHEDULES = "nbchalice.runtime.schedules"
_LATE = {f"nbchalice.{name}": _SCHEDULES for name in ("At", "Cron", "Rate", "ScheduleExpression", "*")}
_LATE.update({f"nbchalice.app.{name}": _SCHEDULES for name in ("Cron", "Rate", "ScheduleExpression", "*")})


@cache
def runtime_archive(modules: frozenset[str]) -> bytes:
    """Return the archive of nbchalice's modules, for `sys.path`; made once per process.

    Parameters
    ----------
    modules : frozenset[str]
        Dotted names, as of `needed_modules`.
    """
    files = _files()
    return zip_bytes({path: files[path][0].encode() for path in files if _module(path) in modules}, level=0)


def needed_modules(sources: Iterable[str]) -> frozenset[str]:
    """Return nbchalice's modules that Lambda's entry point and some sources import, directly or not.

    A module that nbchalice itself can do without (imported in a function, or where an ImportError is caught) does
    not ship, unless the sources import it.

    Parameters
    ----------
    sources : Iterable[str]
        Texts of modules; those that cannot be parsed count as importing nothing.
    """
    needed: set[str] = set()
    todo = [_ENTRY, *_imported(tuple(source for source in sources if "nbchalice" in source))]
    graph = _graph()
    while todo:
        name = todo.pop()
        if name in graph and name not in needed:
            needed.add(name)
            todo += [name.rpartition(".")[0], *graph[name]]
    return frozenset(needed)


def _imported(sources: tuple[str, ...]) -> list[str]:
    names: list[str] = []
    for source in sources:
        try:
            names += _names(find_imports(source))
        except (SyntaxError, ValueError):
            continue
    return names


def _names(imports: Iterable[Import]) -> list[str]:
    names = []
    for statement in imports:
        # "from nbchalice import Chalice" needs nbchalice and nbchalice.Chalice, "import nbchalice" any of its names.
        names += [statement.module, *(f"{statement.module}.{name}" for name in statement.names or ("*",))]
    return [_LATE.get(name, name) for name in names]


@cache
def _graph() -> Mapping[str, list[str]]:
    """Return what each module that may ship imports at once."""
    return MappingProxyType({_module(path): imports for path, (_, imports) in _files().items()})


@cache
def _files() -> Mapping[str, tuple[str, list[str]]]:
    """Return shrunk source and imports of all that may ship, by path in the archive.

    Shrinking takes a quarter of a second, so it is kept on disk under the hash of all that goes into it.
    """
    package = resources.files("nbchalice")
    files = {f"nbchalice/{name}": package / name for name in ("__init__.py", "app.py", "errors.py")}
    files.update(_python_files(package / "runtime", "nbchalice/runtime"))
    sources = {path: files[path].read_text(encoding="utf-8") for path in sorted(files)}
    tools = [(package / "packaging" / name).read_text(encoding="utf-8") for name in ("shrink.py", "imports.py")]
    path = cache_folder() / "runtime" / f"{hashlib.sha256(json.dumps([sources, tools]).encode()).hexdigest()}.json"
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {name: (strip_source(source), _at_once(name, source)) for name, source in sources.items()}
        with suppress(CacheError):
            write_whole(path, json.dumps(kept).encode())
    return MappingProxyType({name: (text, imports) for name, (text, imports) in kept.items()})


def _at_once(path: str, source: str) -> list[str]:
    module = _module(path)
    package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
    return _names(i for i in find_imports(source, package) if i.required and not i.later)


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _python_files(folder: Traversable, prefix: str) -> dict[str, Traversable]:
    files: dict[str, Traversable] = {}
    for entry in folder.iterdir():
        path = f"{prefix}/{entry.name}"
        if entry.is_dir():
            files.update(_python_files(entry, path))
        elif entry.name.endswith(".py"):
            files[path] = entry
    return files
