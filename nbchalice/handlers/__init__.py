"""Handlers and the settings of their functions, from cell magics and decorators alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import chain, combinations
from typing import Any

from nbchalice.errors import InvalidInputError, Location, NbChaliceError
from nbchalice.handlers.line import CellMagic, HelpShown, magic_command, parse_cell_magic, trigger_problems
from nbchalice.handlers.records import Record, record_of
from nbchalice.handlers.settings import META, SETTINGS, name_problems, settings_notes, settings_problems, tidy_settings
from nbchalice.runtime.app import Trigger
from nbchalice.runtime.shape_checks import unheeded
from nbchalice.sources import SOURCES
from nbchalice.sources.base import Source
from nbchalice.typed import JSON, Values

__all__ = [
    "META",
    "SETTINGS",
    "CellMagic",
    "Handler",
    "HelpShown",
    "Standing",
    "Unread",
    "clashes",
    "magic_command",
    "parse_cell_magic",
    "same_name",
    "tidy_settings",
]


DEFAULTS = {option.name: option.default for option in SETTINGS}


@dataclass(frozen=True)
class Handler:
    """A function of the notebook that handles events.

    Parameters
    ----------
    name : str
        Its name on AWS, within app and stage.
    function : str
        The name of the Python function.
    triggers : tuple[Trigger, ...]
        What invokes it.
    settings : Values
        The settings that were given, by name.
    location : Location or None
        Where it stands in the notebook.
    order : int or None
        Position of the execution of the cell that defines it, or None for the last definition.
    python : Callable[..., object] or None
        The function itself, in a kernel.
    told : Record or None
        The type of its records, where there is no kernel and its module was asked.
    """

    name: str
    function: str
    triggers: tuple[Trigger, ...]
    settings: Values = field(default_factory=dict)
    location: Location | None = None
    order: int | None = field(default=None, compare=False)
    python: Callable[..., object] | None = field(default=None, compare=False, repr=False)
    told: Record | None = field(default=None, compare=False, repr=False)

    @property
    def record(self) -> Record | None:
        """The type of the records that it wants, where its annotation says one and that is known."""
        return record_of(self.python) if self.python is not None else self.told

    def setting(self, name: str) -> Any:
        """Return a setting of the function, or its default."""
        given = self.settings.get(name)
        return DEFAULTS[name] if given is None else given

    def sources(self) -> list[tuple[Source, JSON]]:
        """Return each trigger's source and options."""
        return [(SOURCES[trigger.source], trigger.options) for trigger in self.triggers]

    def describe(self) -> str:
        """Return the triggers in a few words."""
        return "; ".join(source.describe(options) for source, options in self.sources())

    def notes(self) -> list[str]:
        """Return what a person should know of the triggers, without asking AWS."""
        notes = chain.from_iterable(source.notes(options, self.settings) for source, options in self.sources())
        heard = unheeded(self.python, self.triggers) if self.python is not None else ""
        notes = chain(notes, [heard] if heard else [])
        return list(dict.fromkeys([*notes, *self._notes_on_records(), *settings_notes(self.settings)]))

    def _notes_on_records(self) -> list[str]:
        """Return that one record that does not fit costs the others a further try."""
        record = self.record
        options = [trigger.options for trigger in self.triggers]
        whole = any((one.get("batch_size") or 1) > 1 and one.get("report_failures") is False for one in options)
        if record is None or not whole:
            return []
        return [f"a record that does not fit {record.text} brings its whole batch back; add --report-failures"]

    def problems(self) -> list[InvalidInputError]:
        """Return what is wrong with the handler, without asking AWS; names are those of the decorator's parameters."""
        texts = name_problems(self.name) + settings_problems(self.settings)
        for source, options in self.sources():
            texts += [f"@app.{source.name}: {text}" for text in source.problems(options)]
        if not texts:
            texts = trigger_problems(
                [(trigger.source, trigger.options) for trigger in self.triggers], dict(self.settings)
            )
        words = [_as_parameters(text) for text in texts]
        hint = "correct the decorator of the function, or .chalice/config.json"
        return [InvalidInputError(f"handler {self.name}: {text}", hint, self.location) for text in words]


@dataclass(frozen=True)
class Standing:
    """A handler that stands in the notebook's file, as far as its text tells.

    Parameters
    ----------
    function : str
        The name of the Python function, or empty.
    names : frozenset[str] or None
        What the handler may be called, or None where the text does not tell.
    location : Location
        Where it stands in the file.
    text : str
        The text of its cell.
    readable : bool
        Whether its cell can be read.
    """

    function: str
    names: frozenset[str] | None
    location: Location
    text: str = ""
    readable: bool = True

    def may_be(self, name: str) -> bool:
        """Tell whether this may be the handler of a name."""
        return self.names is None or name in self.names

    def is_one_of(self, names: Collection[str]) -> bool:
        """Tell whether this is the handler of one of some names."""
        return self.names is not None and not self.names.isdisjoint(names)

    @property
    def why(self) -> str:
        """Why it is not registered in the kernel, in words."""
        if not self.readable:
            return f"it may stand in {self.location.cell}, which cannot be read"
        if self.names is None:
            return f"it may be registered by {self.location.cell}, which was not run in this kernel"
        return f"not run in this kernel ({self.location.cell})"

    def not_run(self, name: str) -> InvalidInputError:
        """Return the error for a command that wants it, under one of its names."""
        hint = f"run {self.location.cell}, which defines it"
        return InvalidInputError(f"{name} was not run in this kernel", hint, self.location, code="handler-not-run")


@dataclass(frozen=True)
class Unread:
    """What stands in the notebook like a handler and could not be read.

    Parameters
    ----------
    error : NbChaliceError
        why.
    names : frozenset[str] or None
        What the handler may be called, or None where it may have any name.
    stops : bool
        Whether nothing is deployed before it can be read; else it is only told, and nothing that it may be removed.
    """

    error: NbChaliceError
    names: frozenset[str] | None = None
    stops: bool = True

    def may_be(self, name: str) -> bool:
        """Tell whether this may be the handler of a name."""
        return self.names is None or name in self.names


def same_name(name: str, first: Location | None, second: Location | None, hint: str) -> InvalidInputError:
    """Return the error for two functions that would be one handler, naming both places."""
    unknown = "a cell run before nbchalice was loaded"
    places = f"{first.place if first else unknown} and {second.place if second else unknown}"
    return InvalidInputError(f"two handlers are named {name}: {places}", hint, second, code="duplicate-handler")


def _as_parameters(text: str) -> str:
    """Call options as the decorators do; those of other commands keep their dashes."""
    options = [*SETTINGS, *META]
    for source in SOURCES.values():
        options += source.options
    names = {option.flag: option.name for option in options}
    return re.sub(r"--[a-z][a-z-]*", lambda match: names.get(match[0], match[0]), text)


def clashes(handlers: Iterable[Handler]) -> list[InvalidInputError]:
    """Return which triggers of different handlers AWS would refuse beside each other, naming both."""
    errors = []
    for one, other in combinations(handlers, 2):
        for source, options in one.sources():
            for same, others in other.sources():
                wrong = source.clash(options, others, same_function=False) if same is source else None
                if wrong:
                    hint = "let one of them match less, or let one handler do both"
                    text = f"handlers {one.name} and {other.name}: {wrong}"
                    errors.append(InvalidInputError(text, hint, other.location))
    return errors
