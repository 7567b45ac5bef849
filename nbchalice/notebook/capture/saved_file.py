"""A notebook's file as it was saved last, beside what its kernel has run."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from nbchalice.errors import InvalidInputError, Location, NbChaliceError, ProblemsError
from nbchalice.handlers import Handler, Standing
from nbchalice.notebook.capture.discover import handlers_in_text
from nbchalice.notebook.cells import Cell, read_notebook


@dataclass(frozen=True)
class SavedFile:
    """What a notebook's file says.

    Parameters
    ----------
    path : Path
        The file.
    cells : Sequence[Cell]
        None where there is no file, or where it cannot be read.
    problem : str or None
        Why the file cannot be read, or None.
    handlers : tuple[Standing, ...]
        Which handlers stand in it, or may stand in it.
    """

    path: Path
    cells: Sequence[Cell] = ()
    problem: str | None = None
    handlers: tuple[Standing, ...] = ()

    @classmethod
    def read(cls, path: Path) -> SavedFile:
        """Return what the file says; where it cannot be read, anything may stand in it."""
        if not path.is_file():
            return cls(path)
        try:
            # A kernel's cell 5 is the fifth that it ran, the file's is the fifth that stands in it.
            cells = [replace(cell, label=f"{cell.label} of the file") for cell in read_notebook(path)]
            return cls(path, cells, handlers=tuple(handlers_in_text(cells, str(path))))
        except InvalidInputError as error:
            anything = Standing("", None, Location(path.name), "", readable=False)
            return cls(path, problem=error.message, handlers=(anything,))

    def notes(self) -> list[str]:
        """Return what to say of a file that cannot be read."""
        return [f"{self.problem}; what was edited or removed in it is not known"] if self.problem else []

    def unrun(self, ran: Iterable[Cell]) -> list[Cell]:
        """Return the cells of the file of which no run is known."""
        texts = {cell.source.strip() for cell in ran}
        return [cell for cell in self.cells if cell.source.strip() not in texts]

    def not_run(self, registered: Collection[str], ran: Sequence[Cell]) -> tuple[Standing, ...]:
        """Return what stands in the file and is not registered in a kernel.

        Parameters
        ----------
        registered : Collection[str]
            Names of the handlers that are.
        ran : Sequence[Cell]
            The cells that the kernel has run. One that ran as it is written registered all it has.
        """
        texts = {cell.source.strip() for cell in ran if cell.ok}
        left = [one for one in self.handlers if not one.is_one_of(registered)]
        return tuple(one for one in left if one.names is not None or one.text.strip() not in texts)

    def lacks(self, name: str) -> bool:
        """Whether it is certain that no handler of a name stands in the file."""
        return bool(self.cells) and not any(one.may_be(name) for one in self.handlers)

    def gone(self, handlers: Iterable[Handler], ran: Iterable[Cell], saved: object) -> list[str]:
        """Return what to say of handlers whose cells are in the file no more.

        Parameters
        ----------
        handlers : Iterable[Handler]
            Those that a kernel has registered.
        ran : Iterable[Cell]
            The cells that it has run.
        saved : object
            The state of the file now: one that was not saved since a cell ran need not have it yet.
        """
        before = {cell.label: cell.saved for cell in ran}
        notes = []
        for handler in handlers:
            state = before.get(handler.location.cell) if handler.location and handler.location.cell else None
            if state not in (None, saved) and self.lacks(handler.name):
                text = f"{handler.name} stands in no cell of the saved notebook, and is still registered here"
                notes.append(f"{text}; del {handler.function} takes it back")
        return notes

    @contextmanager
    def telling_what_is_gone(self, handlers: Iterable[Handler]) -> Iterator[None]:
        """Let the error of a handler whose cell was deleted say how to take it back.

        Parameters
        ----------
        handlers : Iterable[Handler]
            Those that a kernel has registered.
        """
        try:
            yield
        except NbChaliceError as error:
            gone = [handler for handler in handlers if self.lacks(handler.name)]
            for one in error.problems if isinstance(error, ProblemsError) else [error]:
                ways = [_way_back(handler) for handler in gone if _concerns(one, handler)]
                one.hint = "; ".join([*([one.hint] if one.hint else []), *ways]) or None
            raise


def _concerns(error: NbChaliceError, handler: Handler) -> bool:
    same_cell = error.location and handler.location and error.location.cell == handler.location.cell
    return bool(same_cell) or re.search(rf"\b{re.escape(handler.name)}\b", error.message) is not None


def _way_back(handler: Handler) -> str:
    return f"if you deleted the cell of {handler.name}, del {handler.function} takes the handler back"
