"""Local code: modules beside the notebook and editable packages, which come along as they are."""

from __future__ import annotations

import ast
import glob
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.machinery import ModuleSpec
from pathlib import Path

from nbchalice.errors import Location, PackagingError
from nbchalice.notebook.secrets import require_no_secrets_in_file, shown_line
from nbchalice.packaging.imports import Import, find_imports

_COMPILED = frozenset({".so", ".pyd", ".dylib"})
# By what a module of one file finds the files beside it.
_BY_ITS_PLACE = re.compile(r"\b__file__\b|\bget_data\(|\bimportlib[.\s\w]*\bresources\b")
_NO_NAME = frozenset("\n\0*?[")
_SKIPPED = frozenset({"__pycache__", "node_modules"})


def collect_files(spec: ModuleSpec) -> dict[str, Path]:
    """Return the files of a local top-level module, by their path in the zip.

    Parameters
    ----------
    spec : ModuleSpec
        The module's spec. A package comes whole, with its data files, but without byte code and hidden files; a module
        of one file with the files beside it that its text names, if it looks for them by its own place.

    Raises
    ------
    PackagingError
        It holds an extension module.
    """
    if spec.submodule_search_locations is None:
        module = Path(str(spec.origin))
        files = {module.name: module, **_named_files(module)}
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


def _named_files(module: Path) -> dict[str, Path]:
    """Return the data files beside a module that its text names, by path in the zip.

    Those of ``Path(__file__).parent / "rates.json"``, the files of a folder that it names, and for
    ``join(HERE, name + ".txt")`` all that end so.
    """
    text = module.read_bytes().decode("utf-8", "replace")
    if not _BY_ITS_PLACE.search(text):
        return {}
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    files: dict[str, Path] = {}
    joined = _joined(tree)
    for node in ast.walk(tree):
        for path in _beside(module.parent, _pattern(node)):
            # row["data"] names no folder; HERE / "data" does.
            inside = path.rglob("*") if path.is_dir() and id(node) in joined else [path]
            files |= {one.relative_to(module.parent).as_posix(): one for one in inside if _is_data(one, module.parent)}
    return files


def _is_data(path: Path, folder: Path) -> bool:
    return path.is_file() and _wanted(path.relative_to(folder)) and path.suffix not in {".py", ".ipynb"}


def _joined(tree: ast.Module) -> set[int]:
    """Return the ids of the expressions that are parts of a path."""
    parts: list[ast.expr] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts += [node.left, node.right]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("join", "joinpath", "with_name")):
            parts += node.args
    return {id(part) for part in parts}


def _pattern(node: ast.AST) -> str:
    """Return the pattern of the file names that an expression may give; empty if it is no text that names files."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "" if set(node.value) & _NO_NAME else glob.escape(node.value)
    parts: list[ast.expr] = []
    if isinstance(node, ast.JoinedStr):
        parts = list(node.values)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [node.left, node.right]
    pattern = "".join(_pattern(part) or "*" for part in parts)
    # At least an ending such as ".txt" must be known.
    return pattern if re.search(r"\w", pattern) else ""


def _beside(folder: Path, pattern: str) -> list[Path]:
    """Return what a pattern matches within a folder, and not outside of it."""
    if not pattern or pattern.startswith("/") or ".." in Path(pattern).parts or not Path(pattern).parts:
        return []
    try:
        return [path for path in sorted(folder.glob(pattern)) if path.resolve().is_relative_to(folder.resolve())]
    except (OSError, ValueError, NotImplementedError):
        return []


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


def texts_beside(folder: Path, imports: Iterable[str]) -> dict[str, str]:
    """Return the texts of the modules beside a notebook that it imports, by name, as far as Python can read them.

    Parameters
    ----------
    folder : Path
        The notebook's folder.
    imports : Iterable[str]
        Names of top-level modules.
    """
    found = {}
    for top in imports:
        for path in [folder / f"{top}.py", *sorted((folder / top).rglob("*.py"))]:
            name = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
            try:
                text = path.read_text("utf-8-sig")
                ast.parse(text)
            except (OSError, ValueError, SyntaxError):
                continue
            found[name] = text
    return found


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
