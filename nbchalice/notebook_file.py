"""The project that a notebook's file describes, read without a kernel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nbchalice.config import named_by_config, read_config, variables_for
from nbchalice.errors import InvalidInputError
from nbchalice.handlers import Handler, tidy_settings
from nbchalice.handlers.variables import REGION
from nbchalice.names import DEFAULT_STAGE, app_name_of
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.analysis.magic import set_by_magics
from nbchalice.notebook.analysis.naming import Naming, namings
from nbchalice.notebook.capture.discover import discover, handlers_in_text, unreadable
from nbchalice.notebook.cells import Cell, read_notebook
from nbchalice.project import Project
from nbchalice.runtime.app import Trigger


def read_text(path: Path, stage: str | None = None, region: str = REGION) -> Project:
    """Read from a notebook's file what its text says of handlers: neither cells nor decorators' arguments are run.

    Parameters
    ----------
    path : Path
        The ``.ipynb``.
    stage : str or None
        Default: ``dev``.
    region : str
        Where the functions are to run.

    Returns
    -------
    Project: the handlers without their sources and settings; ``computed`` tells which names the text does not say.

    Raises
    ------
    InvalidInputError
        The file cannot be read.
    """
    cells = read_notebook(path)
    by_label = {cell.label: cell for cell in cells}
    handlers, computed = {}, []
    unread = unreadable(Timeline(cells, str(path)))
    lost = {one.error.location for one in unread}
    # What runs the cells would not find those either.
    for one in (handler for handler in handlers_in_text(cells, str(path)) if handler.location not in lost):
        given = set(one.names or ()) - {one.function}
        if not one.function or one.names is None or len(given) > 1:
            computed.append(f"{one.function or 'a handler'} ({one.location.place})")
        if one.function:
            name = given.pop() if len(given) == 1 else one.function
            order = by_label[str(one.location.cell)].order
            handlers[name] = Handler(name, one.function, (), {}, one.location, order=order)
    last = _last_naming(cells, path)
    by_magic = last.name if last is not None and last.by_magic else None
    named = by_magic or named_by_config(path.parent) or (last.name if last is not None else None)
    if named is None and handlers:
        computed.append("the app")
    return Project(
        named or app_name_of(path.name),
        stage or DEFAULT_STAGE,
        path,
        cells,
        tuple(handlers.values()),
        region=region,
        unread=tuple(unread),
        computed=tuple(computed),
        is_named=bool(by_magic) or named_by_config(path.parent) is not None or (last is not None and _is_given(last)),
    )


def _last_naming(cells: Sequence[Cell], path: Path) -> Naming | None:
    """Return the line that names the app in the end."""
    return next(reversed(_namings(cells, path)), None)


def _namings(cells: Sequence[Cell], path: Path) -> list[Naming]:
    return namings(Timeline(cells, path.name))


def _is_given(naming: Naming) -> bool:
    """Whether a person named the app there: where there is none, a cell magic makes one that is called as the file."""
    return not (naming.location.source or "").lstrip().startswith("%%")


def read_project(path: Path, stage: str | None = None, region: str = REGION) -> Project:
    """Read a notebook's file, without executing it, as Restart & Run All would.

    Parameters
    ----------
    path : Path
        The ``.ipynb``.
    stage : str or None
        Default: ``dev``.
    region : str
        Where the functions are to run, for decorators that ask.

    Raises
    ------
    InvalidInputError
        The file cannot be read, or has several apps. What is wrong with single handlers is told by the project.
    """
    cells = read_notebook(path)
    environment = {**os.environ, **set_by_magics(cells)}
    last = _last_naming(cells, path)
    surely = last.name if last is not None and last.by_magic else named_by_config(path.parent)
    variables = variables_for(read_config(path.parent), surely, stage or DEFAULT_STAGE, region=region, here=environment)
    read = discover(cells, str(path), variables)
    registrations = read.handlers
    handlers = tuple(
        Handler(
            one.name,
            one.function,
            tuple(Trigger(source, options) for source, options in one.triggers),
            tidy_settings(one.settings),
            one.location,
            order=one.cell.order,
        )
        for one in registrations
    )
    names = list(dict.fromkeys(one.app for one in registrations if one.app))
    if len(names) > 1:
        raise InvalidInputError(f"{path.name} has several apps: {', '.join(names)}", "one notebook is one app")
    return Project(
        surely or next(iter(names), app_name_of(path.name)),
        stage or DEFAULT_STAGE,
        path,
        cells,
        handlers,
        region=region,
        problems=tuple(read.problems),
        unread=tuple(read.unread),
        notes=tuple(read.notes),
        is_named=bool(surely) or any(_is_given(name) for name in _namings(cells, path)),
    )
