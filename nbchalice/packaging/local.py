"""Local code: modules beside the notebook and editable packages, which come along as they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

from nbchalice.errors import Location, PackagingError
from nbchalice.notebook.secrets import require_no_secrets_in_file, shown_line
from nbchalice.packaging.imports import Import, find_imports

_COMPILED = frozenset({".so", ".pyd", ".dylib"})
_SKIPPED = frozenset({"__pycache__", "node_modules"})


def collect_files(spec: ModuleSpec) -> dict[str, Path]:
    """Return the files of a local top-level module, by their path in the zip.

    Parameters
    ----------
    spec : ModuleSpec
        The module's spec. A package comes whole, with its data files, but without byte code and hidden files.

    Raises
    ------
    PackagingError
        It holds an extension module.
    """
    if spec.submodule_search_locations is None:
        files = {Path(str(spec.origin)).name: Path(str(spec.origin))}
    else:
        files = {}
        # A namespace package may have several folders. Python takes a module from the first, so that is read last.
        for folder in map(Path, reversed(list(spec.submodule_search_locations))):
            for path in sorted(folder.rglob("*")):
                inside = path.relative_to(folder)
                if path.is_file() and _wanted(inside):
                    files[f"{spec.name}/{inside.as_posix()}"] = path
    for name, path in files.items():
        if path.suffix in _COMPILED:
            raise PackagingError(
                f"the local package {spec.name} cannot come along: {name} is compiled for this computer",
                f"publish {spec.name} as wheels for Lambda's platform, or import only pure Python in the handler",
                code="compiled-local-code",
            )
    return files


def reached_modules(wanted: Import, files: Mapping[str, Path]) -> Iterator[str]:
    """Yield the paths in the zip of the modules that an import runs.

    Parameters
    ----------
    wanted : Import
        The import.
    files : Mapping[str, Path]
        The files of the top-level module, by path in the zip.
    """
    names = [wanted.module, *(f"{wanted.module}.{name}" for name in wanted.names)]
    parts = wanted.module.split(".")
    names += [".".join(parts[:count]) for count in range(1, len(parts))]
    for name in dict.fromkeys(names):
        base = name.replace(".", "/")
        yield from (path for path in (f"{base}.py", f"{base}/__init__.py") if path in files)


def read_source(name: str, path: Path) -> str:
    """Return the text of a local module.

    Parameters
    ----------
    name : str
        Its path in the zip.
    path : Path
        Its file.

    Raises
    ------
    PackagingError
        It is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PackagingError(
            f"the local module {name} cannot be parsed: it is not UTF-8 text",
            "save it as UTF-8",
            Location(name),
            code="local-syntax",
        ) from None


def scan(name: str, source: str) -> tuple[Import, ...]:
    """Return the imports of a local module.

    Parameters
    ----------
    name : str
        Its path in the zip.
    source : str
        Its text.

    Raises
    ------
    PackagingError
        It cannot be parsed.
    CaptureError
        It contains a credential.
    """
    require_no_secrets_in_file(name, source)
    package = name.rpartition("/")[0].replace("/", ".")
    try:
        return find_imports(source, package)
    except (SyntaxError, ValueError) as error:
        message, line = getattr(error, "msg", str(error)), getattr(error, "lineno", None)
        raise PackagingError(
            f"the local module {name} cannot be parsed: {message}",
            "correct the file, then run it again",
            line_of(name, source, line) if line else Location(name),
            code="local-syntax",
        ) from None


def line_of(name: str, source: str, line: int) -> Location:
    """Return the place of a line of a local module, for errors.

    Parameters
    ----------
    name : str
        Its path in the zip.
    source : str
        Its text.
    line : int
        Counted from 1.
    """
    lines = source.splitlines()
    return Location(name, line, shown_line(lines[line - 1]) if 0 < line <= len(lines) else None)


def _wanted(path: Path) -> bool:
    hidden = any(part.startswith(".") or part in _SKIPPED or part.endswith(".egg-info") for part in path.parts)
    return not hidden and path.suffix != ".pyc"


def read_all(files: Iterable[tuple[str, Path]]) -> tuple[tuple[str, bytes], ...]:
    """Return path in the zip and content of files, sorted.

    Parameters
    ----------
    files : Iterable[tuple[str, Path]]
        Pairs of path in the zip and file.
    """
    return tuple((name, path.read_bytes()) for name, path in sorted(files))
