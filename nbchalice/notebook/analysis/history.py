"""What was executed, statement by statement, and what each name meant at every moment."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from nbchalice.names import app_name_of
from nbchalice.notebook.analysis.model import Alias, Kind, Mark, Statement
from nbchalice.notebook.analysis.own_magics import OwnMagics
from nbchalice.notebook.analysis.scripts import names_of_script
from nbchalice.notebook.analysis.statements import (
    Split,
    app_statements,
    assigning_statement,
    bundle_statements,
    magic_statement,
    split_cell,
)
from nbchalice.runtime.event_kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from nbchalice.errors import Location
    from nbchalice.notebook.cells import Cell

_DEFAULT = re.compile(r"_os\.environ\.setdefault\(('\w+'), (.*)\)$")
END = 1 << 60
"""The moment after everything."""


@dataclass(frozen=True, slots=True)
class Step:
    """One executed statement.

    Parameters
    ----------
    position : int
        Place in the order of execution of all statements.
    cell : Cell
        The execution it belongs to.
    split : Split
        The split cell.
    statement : Statement
        What it is.
    failed : bool
        Whether it failed part way.
    """

    position: int
    cell: Cell
    split: Split
    statement: Statement
    failed: bool = False

    def location(self, line: int | None = None) -> Location:
        """Return its place in the notebook, or that of one of its raw lines."""
        return self.cell.location(line or self.statement.head)


@dataclass(frozen=True, slots=True)
class Event:
    """A binding (certain or possible) or a deletion of a name."""

    position: int
    definite: bool
    deletes: bool = False


class Timeline:
    """The executed statements with, for every name, its bindings in time.

    Parameters
    ----------
    cells : Sequence[Cell]
        The executed cells, in any order.
    notebook : str
        The notebook's file name; its stem names the app if nothing else does.
    bundles : Mapping[str, Iterable[str]]
        The variables that are bundled, each with the names of the notebook that loading it needs.
    folder : Path or None
        The notebook's folder, where ``%run`` finds scripts; None: no file is read.
    unrun : Sequence[Cell]
        Cells that stand in the notebook's file and that the kernel has not run; for better errors only.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        notebook: str,
        bundles: Mapping[str, Iterable[str]] = MappingProxyType({}),
        folder: Path | None = None,
        unrun: Sequence[Cell] = (),
    ) -> None:
        self.notebook, self.folder, self.unrun = notebook, folder, unrun
        self.bundles = bundles
        self.cells = sorted(cells, key=lambda cell: cell.order)
        self.steps: list[Step] = []
        self.lost: list[Step] = []
        """Statements that failed or were not reached."""
        self.excluded: list[Step] = []
        self.splits: list[tuple[Cell, Split]] = []
        self.events: dict[str, list[Event]] = defaultdict(list)
        self.stars: list[Step] = []
        self.packages: dict[str, dict[str, int]] = defaultdict(dict)
        """For each name of a package, the submodules that imports add to it, each with the first position."""
        self.submodules: dict[str, tuple[int, str]] = {}
        """The submodules that imports of any form load, each with the first position and the name it binds."""
        self.written: dict[str, str] = {}
        self.rewritten: dict[str, tuple[int, Cell]] = {}
        """Modules whose file ``%%writefile`` wrote again, in what cell, and the position it had."""
        self._app: str | None = None
        self._app_name: str | None = None
        """How the app in the variable ``app`` is called, as far as magics tell."""
        self._has_app = False
        """Whether the variable ``app`` holds an app."""
        self._defaults: dict[str, str] = {}
        """What `%env` set last, by name."""
        lazy, magics = False, OwnMagics(self._text_of)
        for cell in self.cells:
            split = split_cell(magics.written_out(cell.source), lazy)
            self.splits.append((cell, split))
            # IPython keeps a from __future__ import annotations on for all cells that run after it.
            lazy = lazy or any(map(_makes_annotations_lazy, split.statements))
            self._add_cell(cell, split)

    def _text_of(self, number: int) -> str | None:
        """Return the text of the cell that ran last with a number, as ``%macro`` and ``In`` know it."""
        return next((cell.source for cell in reversed(self.cells) if cell.label == f"cell {number}"), None)

    def _add_cell(self, cell: Cell, split: Split) -> None:
        failed_at = None if cell.ok else cell.failed_line or 0
        for name, content in split.body.written:
            # Only other text matters: a notebook that runs %%writefile again with the same one changes nothing.
            if self.written.get(name, content) != content and name.endswith(".py"):
                self.rewritten[PurePath(name).stem] = (len(self.steps), cell)
            self.written[name] = content
        if split.handler is not None and self._app is None and failed_at != 0:
            for statement in app_statements(app_name_of(self.notebook), split.body.magic_line):
                self._add(cell, split, statement)
        for statement in self._with_magics(split, END if failed_at is None else failed_at):
            if failed_at is not None and statement.end >= failed_at:
                self.lost.append(Step(len(self.steps), cell, split, statement))
                if statement.head <= failed_at:
                    self._add(cell, split, _begun(statement), failed=True)
                continue
            self._add(cell, split, statement)

    def _with_magics(self, split: Split, failed_at: int) -> Sequence[Statement]:
        """Return the statements, also those of ``%chalice bundle``, ``%run``, ``%reset``; failed ones did nothing."""
        magic: list[Statement] = []
        for line, name in split.body.bundles:
            if line < failed_at:
                magic += bundle_statements(name, self.bundles.get(name, ()), line)
        for line, arguments in split.body.runs:
            names = names_of_script(arguments, self.written, self.folder) if line < failed_at else frozenset()
            magic += [magic_statement(name, f"%run {arguments}", line) for name in sorted(names)]
        for line, pattern in split.body.removes:
            before = [one for one in split.statements if one.head < line]
            names = self._standing_after(before) if line < failed_at else frozenset()
            magic += [assigning_statement(f"del {one}", line) for one in sorted(names) if re.search(pattern, one)]
        return sorted([*split.statements, *magic], key=lambda statement: statement.head) if magic else split.statements

    def _standing_after(self, statements: Iterable[Statement]) -> frozenset[str]:
        """Return the names that stand after statements of the cell that is read, but for the app."""
        names = {name for name in self.events if self.standing(name, END)[0]}
        for statement in statements:
            names = (names | statement.binds) - statement.deletes
        return frozenset(names - {self.app})

    def _add(self, cell: Cell, split: Split, statement: Statement, *, failed: bool = False) -> None:
        if failed and statement.kind in (Kind.IMPORT, Kind.STAR, Kind.FUTURE, Kind.NOTHING):
            return
        if statement.mark is Mark.EXCLUDE:
            self.excluded.append(Step(len(self.steps), cell, split, statement))
            return
        named = next((name for line, name in split.body.apps if line == statement.head), None)
        if named is not None and self._has_app:
            if statement.kind is Kind.IMPORT or named == self._app_name:
                return  # The app that stands keeps its handlers; the same name again changes nothing.
            statement = assigning_statement(f"app.app_name = {named!r}", statement.head)
        statement = self._set_again(statement)
        if statement.handler:
            now = replace(statement.now, uses=statement.now.uses | {self.app})
            decorators = ((self.app, (split.body.magic or "",)), *statement.decorators)
            statement = replace(statement, now=now, decorators=decorators)
        step = Step(len(self.steps), cell, split, statement, failed)
        self.steps.append(step)
        for name in statement.deletes:
            self.events[name].append(Event(step.position, True, deletes=True))
        for name in statement.defines:
            self.events[name].append(Event(step.position, True))
        for name in statement.may_define:
            self.bind_maybe(name, step.position)
        if any(alias.name == "*" for alias in statement.imports):
            self.stars.append(step)
        for alias in statement.imports:
            for module in submodules(alias):
                self.submodules.setdefault(module, (step.position, alias.name))
            if binds_package(alias) and "." in alias.module:
                self.packages[alias.name].setdefault(alias.module, step.position)
        self._note_app(statement, named)

    def _set_again(self, statement: Statement) -> Statement:
        """Return a statement, or the assignment that a second ``%env NAME=VALUE`` with another value stands for."""
        setting = _DEFAULT.match(statement.text)
        if setting is None or self._defaults.setdefault(setting[1], setting[2]) == setting[2]:
            return statement
        self._defaults[setting[1]] = setting[2]
        return assigning_statement(f"_os.environ[{setting[1]}] = {setting[2]}", statement.head)

    @property
    def app(self) -> str:
        """The variable that holds the app."""
        return self._app or "app"

    def _note_app(self, statement: Statement, named: str | None) -> None:
        calls = statement.now.calls.values()
        makes_app = any(call.root == "Chalice" or call.path[-1:] == ("Chalice",) for call in calls)
        if "app" in statement.binds:
            self._app, self._has_app, self._app_name = "app", makes_app, None
        elif makes_app and self._app is None and statement.kind is Kind.ASSIGN and len(statement.defines) == 1:
            self._app = next(iter(statement.defines))
        if any(root == "app" and path[0] in KINDS for root, path in statement.decorators if path):
            self._has_app = True  # However it was made: it registers handlers.
        if "app" in statement.deletes:
            self._has_app = False
        if named is not None and statement.kind is not Kind.IMPORT:
            self._app_name = named

    def bind_maybe(self, name: str, position: int) -> None:
        """Note that the statement at a position may bind a name (found out while following calls, too)."""
        events = self.events[name]
        index = bisect_right(events, position, key=lambda event: event.position)
        if not index or events[index - 1].position != position:
            events.insert(index, Event(position, False))

    def standing(self, name: str, moment: int) -> tuple[list[int], Step | None]:
        """Find the bindings a name may stand for just before a moment.

        Parameters
        ----------
        name : str
            The global name.
        moment : int
            A position, or ``END``.

        Returns
        -------
        tuple[list[int], Step | None]: positions of the binding statements, the latest first, and the statement that
        deleted the name if it does not exist at that moment.
        """
        events = self.events.get(name)
        if not events:
            return [], None
        positions: list[int] = []
        index = len(events) if moment >= END else bisect_left(events, moment, key=lambda event: event.position)
        for event in reversed(events[:index]):
            if event.deletes:
                return positions, (None if positions else self.steps[event.position])
            positions.append(event.position)
            # x = 1 hides all before it. if flag: x = 2 does not: both may stand.
            if event.definite:
                break
        return (self._with_submodules(name, positions, moment) if name in self.packages else positions), None

    def _with_submodules(self, name: str, positions: list[int], moment: int) -> list[int]:
        """Add the earlier imports of a package's submodules to one of the package: Python keeps them all."""
        # import a.x, then import a.y: the second binds a again, and a.x stays where it is.
        imported: set[str] = set()
        for position in positions:
            aliases = self.steps[position].statement.imports
            imported |= {alias.module for alias in aliases if alias.name == name and binds_package(alias)}
        more = [at for module, at in self.packages[name].items() if imported and module not in imported and at < moment]
        return sorted({*positions, *more}, reverse=True)

    def first(self, name: str, after: int) -> Step | None:
        """Find the first statement at or after a position that binds a name."""
        for event in self.events.get(name, ()):
            if event.position >= after and not event.deletes:
                return self.steps[event.position]
        return None


def binds_package(alias: Alias) -> bool:
    """Tell whether an import binds a package under its own name: ``import a`` or ``import a.b``."""
    return alias.attribute is None and alias.text == alias.module


def submodules(alias: Alias) -> list[str]:
    """Return the dotted modules that an import loads, or may load: ``from a.b import c`` has ``a.b`` and ``a.b.c``."""
    parts = alias.module.split(".")
    whole = [*parts, alias.attribute] if alias.attribute not in (None, "*") else parts
    return [".".join(whole[:count]) for count in range(2, len(whole) + 1)] if parts[0] else []


def _makes_annotations_lazy(statement: Statement) -> bool:
    return statement.kind is Kind.FUTURE and any(alias.attribute == "annotations" for alias in statement.imports)


def _begun(statement: Statement) -> Statement:
    """Return what a statement that failed may have done: an assignment to one name has not happened."""
    whole = statement.kind is not Kind.COMPOUND and len(statement.defines) < 2
    may = statement.may_define if whole else statement.binds
    return replace(statement, defines=frozenset(), may_define=may, deletes=frozenset(), imports=())
