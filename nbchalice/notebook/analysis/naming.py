"""How a notebook's app is called: by ``%chalice app NAME`` or ``app = Chalice("name")``; the last name counts."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.model import Kind

if TYPE_CHECKING:
    from nbchalice.errors import Location
    from nbchalice.notebook.analysis.history import Step, Timeline
    from nbchalice.notebook.cells import Cell


@dataclass(frozen=True)
class Naming:
    """A line that names the app.

    Parameters
    ----------
    name : str or None
        The name, or None where the text does not say it: ``app = Chalice(NAME)``.
    location : Location
        The line.
    by_magic : bool
        Whether it is ``%chalice app``, which counts more than the configuration file does.
    order : int
        ``order`` of its cell.
    """

    name: str | None
    location: Location
    by_magic: bool
    order: int

    def is_above(self, cell: Cell, place: Location | None) -> bool:
        """Tell whether it stands above a place in a cell.

        Parameters
        ----------
        cell : Cell
            The cell.
        place : Location or None
            The line in it.
        """
        line = place.line if place is not None else None
        return (self.order, self.location.line or 0) < (cell.order, line or 0)


def namings(timeline: Timeline) -> list[Naming]:
    """Return the lines that name the app, in the order in which they run."""
    lines: list[Naming] = []
    for cell, split in timeline.splits:
        lines += [Naming(name, cell.location(line), True, cell.order) for line, name in split.body.apps]
    for step in timeline.steps:
        named_by_magic = any(line == step.statement.head for line, _ in step.split.body.apps)
        if not named_by_magic and timeline.app in step.statement.defines and step.statement.kind is Kind.ASSIGN:
            lines += [Naming(name, step.location(), False, step.cell.order) for name in _given_names(step)]
    return sorted(lines, key=lambda naming: (naming.order, naming.location.line or 0))


def _given_names(step: Step) -> Iterator[str | None]:
    """Yield the name that an assignment gives the app, None if it is computed; nothing where it makes no app."""
    call = getattr(ast.parse(step.statement.text).body[0], "value", None)
    if not isinstance(call, ast.Call):
        return
    names = [*call.args[:1], *(keyword.value for keyword in call.keywords if keyword.arg == "app_name")]
    if names and isinstance(names[0], ast.Constant) and ast.unparse(call.func).split(".")[-1] == "Chalice":
        yield str(names[0].value)
    else:
        yield None


def moved(names: Iterable[str], last: Naming) -> str:
    """Say which handlers stand above the line that names their app.

    Parameters
    ----------
    names : Iterable[str]
        The handlers' names.
    last : Naming
        The line that counts.
    """
    listed = list(names)
    verb, whose = ("belongs", "its cell") if len(listed) == 1 else ("belong", "their cells")
    return (
        f"{', '.join(listed)} {verb} to app {last.name}: {last.location.place} names the app below {whose}, "
        "and one notebook is one app"
    )
