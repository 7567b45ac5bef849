"""What a notebook asks to install and no code imports: it does not travel, and a driver or an engine may be needed."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from nbchalice.errors import Location
from nbchalice.notebook.analysis.search_path import added_folders
from nbchalice.notebook.analysis.statements import split_cell
from nbchalice.notebook.cells import Cell
from nbchalice.notebook.sandbox.loads import PROVIDED
from nbchalice.packaging.errors import RequirementsFileError
from nbchalice.packaging.installed import with_required
from nbchalice.packaging.lock import requirement_name
from nbchalice.packaging.requested import RequestedRequirement, read_requirements, requested_requirements
from nbchalice.packaging.requirements import imported_by
from nbchalice.text import joined

_OURS = "nbchalice"
_LIST = "requirements.txt"


def unused_note(cells: Sequence[Cell], folder: Path, handlers: Container[int | None], travelling: Iterable[str]) -> str:
    """Return a line that names the packages that are asked for and stay here; empty where there are none.

    Of what a cell without a handler imports, nobody wonders why it stays: it is for that cell, as for a plot.

    Parameters
    ----------
    cells : Sequence[Cell]
        The notebook's cells.
    folder : Path
        Its folder.
    handlers : Container[int or None]
        The places of the cells that have handlers, as their ``order``.
    travelling : Iterable[str]
        The requirements of the handlers.
    """
    places = {requirement_name(one.text): str(one.location and one.location.place) for one in _asked(cells, folder)}
    if not places:
        return ""
    texts: list[str] = []
    for cell in (one for one in cells if one.order not in handlers):
        texts += [statement.text for statement in split_cell(cell.source).statements]
    imported = imported_by(texts, folder, added_folders(cells, folder))
    used = with_required([*imported, *travelling, *PROVIDED, _OURS])
    unused = [f"{name} ({place})" for name, place in places.items() if name not in used]
    if not unused:
        return ""
    does, it = ("does", "it") if len(unused) == 1 else ("do", "them")
    why = f"{joined(unused)} {does} not travel, as no code that does imports {it}"
    return f"{why}: import {it} within a handler that needs {it}"


def _asked(cells: Sequence[Cell], folder: Path) -> list[RequestedRequirement]:
    """Return what `%pip` lines ask for and, in a project of Chalice, what its list has: Chalice ships all of it."""
    asked = requested_requirements(cells, folder)
    if (folder / ".chalice").is_dir() and (folder / _LIST).is_file():
        with suppress(RequirementsFileError):  # It is told where it is used.
            asked = [*(RequestedRequirement(one, Location(_LIST)) for one in read_requirements(folder / _LIST)), *asked]
    return asked
