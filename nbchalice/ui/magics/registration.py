"""What a cell of the live notebook registered, and whether another one may take its name."""

from __future__ import annotations

import linecache
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbchalice.errors import InvalidInputError, Location
from nbchalice.notebook.session import is_made_up
from nbchalice.runtime.app import LambdaFunction
from nbchalice.typed import Values

if TYPE_CHECKING:
    from nbchalice.handlers import Handler
    from nbchalice.notebook.cells import Cell


@dataclass(frozen=True)
class Registered:
    """A handler and the execution of the cell that registered it.

    Parameters
    ----------
    function : LambdaFunction
        What the decorator made.
    cell : str
        Id of the cell.
    order : int or None
        Position of the execution, or None for one before the extension was loaded.
    location : Location or None
        The place of the cell.
    bound : bool
        Whether the function was a variable of the session.
    source : str
        The text of the cell.
    replaced : Registered or None
        What had the name before, where it cannot be told whether another cell registered that.
    """

    function: LambdaFunction
    cell: str
    order: int | None
    location: Location | None
    bound: bool = True
    source: str = ""
    replaced: Registered | None = None

    def handler(self) -> Handler:
        """Return the handler as plain data."""
        from nbchalice.handlers import Handler, tidy_settings

        function = self.function
        settings = tidy_settings(function.settings)
        return Handler(
            function.name,
            function.function.__name__,
            tuple(function.triggers),
            settings,
            self.location,
            order=self.order,
            python=function.function,
        )

    def stands(self, names: Values) -> bool:
        """Whether its function was not deleted by `del` since."""
        return not self.bound or self.function.function.__name__ in names

    def in_place_of(self, old: Registered) -> Registered:
        """Return it with what had the name before, as far as that may be another handler than this one."""
        same_text = old.source.strip() == self.source.strip() and old.order != self.order
        registered_again = old.function.original is not None and old.function.original is self.function.original
        if old.function is self.function or same_text or registered_again:
            return replace(self, replaced=old.replaced)
        if old.cell == self.cell and old.order != self.order:
            return self
        return replace(self, replaced=old)

    def excludes(self, cell: str) -> bool:
        """Whether it is certain that another cell registered it."""
        return self.cell != cell and not is_made_up(self.cell) and not is_made_up(cell)

    def notes(self) -> list[str]:
        """Return what to say of the handler that had the name before."""
        old = self.replaced
        if old is None or old.function.triggers == self.function.triggers:
            return []
        place = old.location.place if old.location else "a cell run before nbchalice was loaded"
        return [f"takes the place of {self.function.name} of {place} ({old.handler().describe()})"]

    def problem(self, written: Collection[str]) -> InvalidInputError | None:
        """Return that two cells of the saved notebook register handlers of this name.

        Parameters
        ----------
        written : Collection[str]
            The texts of its cells.
        """
        old = self.replaced
        while old is not None:
            both = {old.source.strip(), self.source.strip()}
            if old.excludes(self.cell) or old.order == self.order or (len(both) == 2 and both <= set(written)):
                return taken(self.function.name, old, self.location)
            old = old.replaced
        return None


def taken(name: str, old: Registered, here: Location | None) -> InvalidInputError:
    """Return the error for a name that another cell's handler has."""
    from nbchalice.handlers import same_name

    way = f"; or run del {old.function.function.__name__}, then this cell again" if old.bound else ""
    return same_name(name, old.location, here, f"give one of them another name (--name, name=...){way}")


def twice(old: LambdaFunction, new: LambdaFunction, cell: Cell) -> InvalidInputError:
    """Return the error for a name that two functions of one cell would have."""
    from nbchalice.handlers import same_name

    return same_name(new.name, place_in(cell, old), place_in(cell, new), "give one of them another name")


def not_deployed(what: str) -> str:
    """Say that something of Chalice's is left out."""
    return f"{what} is not deployed: it belongs to no event source"


def place_in(cell: Cell, function: LambdaFunction | None) -> Location:
    """Return the place of a function in its cell, with the line where the code tells it."""
    code = getattr(getattr(function, "function", None), "__code__", None)
    place = cell.location(code.co_firstlineno if code is not None else None)
    return place if (place.source or "").lstrip().startswith(("@", "def ")) else cell.location()


def text_of(function: LambdaFunction) -> str:
    """Return the text of the cell that a function was defined in, as far as it is kept."""
    code = getattr(function.function, "__code__", None)
    return "".join(linecache.getlines(code.co_filename)) if code is not None else ""
