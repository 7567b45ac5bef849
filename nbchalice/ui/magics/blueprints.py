"""Which cells a handler of a blueprint comes from: the one that defines its function, and the one that registers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from nbchalice.runtime.blueprint import Blueprint
from nbchalice.runtime.function import LambdaFunction
from nbchalice.typed import Values

if TYPE_CHECKING:
    from nbchalice.notebook.cells import Cell


class Blueprints:
    """The blueprints of a live session.

    Parameters
    ----------
    names : Values
        The session's variables.
    """

    def __init__(self, names: Values) -> None:
        self._names = names
        self._homes: WeakKeyDictionary[LambdaFunction, Cell] = WeakKeyDictionary()
        self._adders: dict[str, str] = {}

    def note(self, function: LambdaFunction, cell: Cell | None) -> None:
        """Note the cell in which a function is decorated, or its blueprint registered."""
        if cell is None:
            return
        if isinstance(function.app, Blueprint):
            # What a module that the cell imports decorates stands in no cell.
            if getattr(function.function, "__module__", None) == self._names.get("__name__"):
                self._homes[function] = cell
        elif function.original is not None and self.home(function, cell).id != cell.id:
            self._adders[function.name] = cell.id

    def home(self, function: LambdaFunction | None, running: Cell) -> Cell:
        """Return the cell that a handler belongs to: where its function stands, else the one that runs."""
        original = function.original if function is not None else None
        return running if original is None else self._homes.get(original, running)

    def added_by(self, cell: str) -> set[str]:
        """Return the handlers whose blueprint a cell registered when it ran last."""
        return {name for name, adder in self._adders.items() if adder == cell}

    def forget_earlier(self, running: Cell) -> None:
        """Forget what an earlier execution of a cell decorated."""
        for blueprint in self._blueprints():
            for name, function in list(blueprint.handlers.items()):
                home = self._homes.get(function)
                if home is not None and home.id == running.id and home.order != running.order:
                    del blueprint.handlers[name]

    def dropped(self, function: LambdaFunction, cell: str) -> None:
        """Take a handler off its blueprint, or the blueprint off its app where it was a cell's that registered it."""
        original = function.original
        if original is None or not isinstance(original.app, Blueprint):
            return
        if self._adders.get(function.name) == cell:
            original.app.withdraw(function.app, function.name.removesuffix(original.name))
        elif original.app.handlers.get(original.name) is original:
            del original.app.handlers[original.name]
        self._adders.pop(function.name, None)

    def unregistered(self) -> Iterator[str]:
        """Yield what is decorated with a blueprint that no app has."""
        for name, value in list(self._names.items()):
            if isinstance(value, Blueprint) and value.app_name is None:
                for function in value.handlers:
                    yield f"{function} is not deployed: write app.register_blueprint({name})"

    def _blueprints(self) -> list[Blueprint]:
        return [value for value in list(self._names.values()) if isinstance(value, Blueprint)]
