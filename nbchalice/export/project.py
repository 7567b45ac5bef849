"""A Chalice project of a notebook's handlers, in a folder."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import InvalidInputError
from nbchalice.export.chalice import NOT_PACKAGED, VERSION
from nbchalice.export.lacking import lacking
from nbchalice.export.module import app_text, together
from nbchalice.export.rewrite import for_chalice
from nbchalice.export.settings import EXPORTED, settings_of
from nbchalice.export.usage import Trouble, troubles
from nbchalice.files import replace_file
from nbchalice.notebook.capture.source_map import location_of
from nbchalice.operations import with_record
from nbchalice.packaging.handler import Written
from nbchalice.text import joined

if TYPE_CHECKING:
    from nbchalice.handlers import Handler
    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.packaging.requirements import Dependencies
    from nbchalice.project import Project

# Chalice packs this folder as it is, and what is in `vendor` as if it stood beside app.py.
LIBRARY, VENDOR = "chalicelib", "vendor"


@dataclass(frozen=True)
class Part:
    """A handler that can be exported, with its code."""

    handler: Handler
    piece: Slice
    needs: Dependencies


@dataclass
class Chosen:
    """The handlers that can be exported, and what is to be told.

    Parameters
    ----------
    parts : list[Part]
        They.
    notes : list[str]
        Which are left out, and what they have that Chalice has not.
    """

    parts: list[Part] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def export_project(project: Project, out: Path | None, *, force: bool = False) -> Written:
    """Write a Chalice project of the handlers that Chalice can have.

    Parameters
    ----------
    project : Project
        The notebook's handlers.
    out : Path or None
        The folder; it is made. Default: named after the app, beside the notebook.
    force : bool
        Whether files that are there are replaced. Default: no.

    Raises
    ------
    NbChaliceError
        A handler's code cannot be captured, none can be exported, or a file is there; nothing is written.
    """
    folder = out or project.notebook.parent / project.name
    chosen = _choose(project)
    if not chosen.parts:
        said = "; ".join(chosen.notes) or "there are none"
        raise InvalidInputError(f"no handler of {project.notebook.name} can be exported for Chalice: {said}", _MEND)
    files, notes = _files(project, chosen.parts)
    _require_free(folder, files, force=force)
    for name, content in files.items():
        replace_file(folder / name, content)
    told = (*chosen.notes, *notes, *project.notes, *project.proven.notes(), *_next_steps(folder, project, chosen.parts))
    return Written(tuple(folder / name for name in files), {}, tuple(dict.fromkeys(told)))


_MEND = "change them as it says, or go on with nbchalice"


def _choose(project: Project) -> Chosen:
    """Look at each handler, proven as for a deploy."""
    from nbchalice.deploy.check import problems, raise_all

    raise_all([*project.wrong, *problems(project.app)])
    chosen = Chosen()
    for handler in project.handlers:
        needs, piece = project.needs(handler), project.proven.proof(handler).piece
        project.verify(handler, needs)
        stops, lost = _found(project, handler, piece, needs)
        chosen.notes += [f"{handler.name} is left out: it {text}" for text in stops]
        if not stops:
            chosen.notes += [f"{handler.name}: {text}" for text in lost]
            chosen.parts.append(Part(handler, piece, needs))
    return chosen


def _found(project: Project, handler: Handler, piece: Slice, needs: Dependencies) -> tuple[list[str], list[str]]:
    """Return why a handler is left out, and what of it is not exported, each with what to do."""
    found = list(lacking(handler, piece.module, EXPORTED))
    stops = [f"{one.text}: {one.fix}" for one in found if one.stops]
    lost = [f"{one.text}: {one.fix}" for one in found if not one.stops]
    if hiding := _hiding(piece.module, handler.function):
        fix = f"put @functools.wraps(...) above the function that {hiding} makes"
        stops.append(f"loses its name by its decorator {hiding}, and Chalice goes by that: {fix}")
    if piece.bundles:
        stops.append(f"uses the bundle {joined(piece.bundles)}: load it from a file in {LIBRARY}, or from S3")
    if record := with_record(project, handler).record:
        stops.append(f"takes {record.text}, and Chalice gives it the event: make that of each record's text in it")
    stops += [_placed(one, piece) for one in troubles(piece.module)]
    for path, text in _modules(needs.vendored):
        stops += [f"{one.text} ({path}, line {one.line}): {one.fix}" for one in troubles(text)]
    return list(dict.fromkeys(stops)), lost


def _hiding(module: str, function: str) -> str:
    """Return the decorator of the notebook that gives a function's name to none of what it makes."""
    defined = {node.name: node for node in ast.parse(module).body if isinstance(node, ast.FunctionDef)}
    for decorator in defined[function].decorator_list if function in defined else ():
        made_by = decorator.func if isinstance(decorator, ast.Call) else decorator
        maker = defined.get(made_by.id) if isinstance(made_by, ast.Name) else None
        makes = maker is not None and any(isinstance(node, ast.FunctionDef) for node in maker.body)
        if maker is not None and makes and "wraps(" not in ast.unparse(maker):
            return maker.name
    return ""


def _placed(one: Trouble, piece: Slice) -> str:
    at = location_of(piece.segments, piece.module, one.line)
    return f"{one.text}{f' ({at.place})' if at else ''}: {one.fix}"


def _modules(vendored: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, str]]:
    for path, content in vendored:
        if path.endswith(".py"):
            yield path, content.decode()


def _files(project: Project, parts: Sequence[Part]) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return the files of the project, and what was left out of its configuration."""
    whole = together([part.piece for part in parts], project.effects.timeline)
    vendored = _vendored(parts)
    for part in parts if project.proves else ():
        own = replace(part.piece, module=whole.module, segments=whole.segments)
        project.comparison(part.handler).of(own, vendored)
    beside = {path: for_chalice(text).encode() for path, text in _modules(vendored)}
    settings = settings_of(project.app, [part.handler for part in parts])
    text = app_text(whole, [content.decode() for content in beside.values()])
    pins: set[str] = set()
    for part in parts:
        pins |= set(part.needs.requirements)
    files = {"app.py": text.encode(), "requirements.txt": "".join(f"{pin}\n" for pin in sorted(pins)).encode()}
    for path, content in {**dict(vendored), **beside}.items():
        files[path if path.startswith(f"{LIBRARY}/") else f"{VENDOR}/{path}"] = content
    return {**files, **settings.files}, settings.notes


def _vendored(parts: Sequence[Part]) -> list[tuple[str, bytes]]:
    found: dict[str, bytes] = {}
    for part in parts:
        found |= dict(part.needs.vendored)
    return sorted(found.items())


def _require_free(folder: Path, files: Mapping[str, bytes], *, force: bool) -> None:
    """Refuse to replace what is there, but for what is the same already."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"{folder} is a file", "give a folder with --out")
    there = [name for name, content in files.items() if _differs(folder / name, content)]
    if there := [name for name in there if not force or (folder / name).is_dir()]:
        text = f"{folder} has {joined(there)} already, and not as they would be written"
        raise InvalidInputError(text, "give another folder with --out, or --force to replace them")


def _differs(path: Path, content: bytes) -> bool:
    return path.exists() and (not path.is_file() or path.read_bytes() != content)


def _next_steps(folder: Path, project: Project, parts: Sequence[Part]) -> Iterator[str]:
    apart = [part.handler.name for part in parts if NOT_PACKAGED in {one.source for one in part.handler.triggers}]
    if apart:
        yield f"chalice package refuses the notifications of a bucket ({joined(apart)}), chalice deploy makes them"
    install = f"pip install -r requirements.txt chalice=={VERSION}.0"
    yield f"deploy it with: cd {folder} && {install} && chalice deploy --stage {project.stage}"
