"""Which objects a statement changes in place, aliases and calls of the notebook's own functions included."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.aliases import Aliases, Value
from nbchalice.notebook.analysis.known_calls import ITERATORS, OWN_GENERATORS
from nbchalice.notebook.analysis.model import Kind, Mark, Origin
from nbchalice.notebook.analysis.replay import Run, all_or_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.analysis.history import Step, Timeline


class Effects(Aliases):
    """Follows every statement once, in order; then tells which statements change a given value.

    Parameters
    ----------
    timeline : Timeline
        The executed statements; bindings made by calls (``global``) are added to it.
    """

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self.changes: list[tuple[int, Value, bool]] = []
        self.draws: list[tuple[int, Value]] = []
        self.registers: dict[tuple[int, frozenset[str]], bool] = {}
        """What is known by now of whether statements may call a method of some names, by position."""
        self.generators: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        """For each module with a random generator, where it is seeded and drawn from."""
        for step in timeline.steps:
            self._follow(step)
        self.drawn: dict[Value, dict[int, bool]] = defaultdict(dict)
        for position, value in self.draws:
            self.drawn[self.find(value)][position] = True
        self.by_group: dict[Value, dict[int, bool]] = defaultdict(dict)
        for position, value, certain in self.changes:
            group = self.by_group[self.find(value)]
            group[position] = group.get(position, False) or certain

    def of(self, value: Value) -> dict[int, bool]:
        """Return the positions that change a value or something it shares, each with whether that is certain."""
        changes = self.by_group.get(self.find(value), {})
        return {**changes, **self.drawn.get(self.find(value), {})} if value in self.once else changes

    def draws_before(self, position: int, modules: Iterable[str] | None = None) -> list[int]:
        """Return where the random generators that a statement draws from were seeded and drawn from before.

        Parameters
        ----------
        position : int
            The statement.
        modules : Iterable[str] or None
            The generators' modules. Default: those that it draws from.
        """
        draws: list[int] = []
        drawn = [module for module, places in self.generators.items() if any(at == position for at, _ in places)]
        for module in drawn if modules is None else modules:
            before = [(at, seeds) for at, seeds in self.generators[module] if at < position]
            # From the last seed on: what was drawn before it does not matter. Without a seed the same numbers cannot
            # come again, so nothing is taken along for them.
            seeded = max((index for index, (_, seeds) in enumerate(before) if seeds), default=len(before))
            draws += [at for at, _ in before[seeded:]]
        return draws

    def generators_of(self, handler: Step) -> list[str]:
        """Return the modules from whose random generator a handler draws when it is called."""
        if not self.generators:
            return []
        run, before = Run(self, len(self.timeline.steps) - 1), dict(self.parent)
        for block in handler.statement.later:
            run.block(block, {})
        self.parent = before
        return [module for module, seeds in run.generators.items() if not seeds and module in self.generators]

    def changed_by(self, handler: Step) -> set[str]:
        """Return the names whose values a handler itself changes, or rebinds, when it is called."""
        run, before = Run(self, len(self.timeline.steps) - 1), dict(self.parent)
        for block in handler.statement.later:
            run.block(block, {})
        groups = {self.find(value) for value in run.touched | run.unsure | run.drawn if value not in self.immutable}
        names = {value[0] for value in self.parent if self.find(value) in groups}
        self.parent = before  # What a call would share is not shared until it is made.
        return names | {value[0] for value in groups} | run.defined

    # -- one statement -------------------------------------------------------------------------------------------

    def _follow(self, step: Step) -> None:
        statement, position = step.statement, step.position
        # import matplotlib and from matplotlib import rcParams lead to one thing: a change through one shows in both.
        for alias in statement.imports:
            if alias.name != "*":
                self.share([(alias.name, position), (f"module:{alias.module.split('.')[0]}", -1)])
        if statement.kind in (Kind.IMPORT, Kind.STAR, Kind.FUTURE, Kind.NOTHING):
            return
        for name, needs in statement.shallow.items():
            if all(self._is_immutable(need, name, position) for need in needs):
                self.immutable.add((name, position))
        if statement.origin is not None and self._is_read_once(statement.origin, position):
            self.once.add((statement.origin.name, position))
        run = Run(self, position, lenient=step.failed and all_or_nothing(statement))
        run.block(statement.now, {})
        for name, values in run.bound:
            self.share([(name, position), *values])
        if statement.kind is Kind.CLASS:
            run.hooks(statement)
        for block in statement.later:
            if block.owner is not None:
                self.methods[block.name].append(block)
        for name in run.defined - statement.binds:
            self.timeline.bind_maybe(name, position)
        self._record(step, run)

    def _record(self, step: Step, run: Run) -> None:
        unsure = set() if step.statement.repeats else run.unsure  # what is timed is not meant to change anything
        for values, certain in ((run.touched, True), (unsure - run.touched, False)):
            sure = certain or step.statement.mark is Mark.INCLUDE
            self.changes += [(step.position, value, sure) for value in values if value not in self.immutable]
        self.draws += [(step.position, value) for value in run.drawn]
        for module, seeds in run.generators.items():
            self.generators[module].append((step.position, seeds))
        # client.prepare(model)  # nbchalice: include: the user says that it changes what it names.
        if step.statement.mark is Mark.INCLUDE and step.statement.kind is Kind.EXPRESSION:
            for name in step.statement.now.uses:
                self.changes += [(step.position, value, True) for value in self.values(name, step.position)]

    def _is_read_once(self, origin: Origin, position: int) -> bool:
        """Tell whether an assignment binds an iterator, or a random generator."""
        if not origin.root:
            return True
        values = {(name, at) for name, at in self.values(origin.root, position) if at != position}
        if not origin.is_call:
            return not origin.path and bool(values & self.once)
        known = self.qualified(origin.root, origin.path, position)
        if known is not None:
            return known in ITERATORS or known in OWN_GENERATORS
        if origin.path:
            return False
        # rows = read() where def read(): ... yield ...
        for definition in map(self.statement, values):
            if definition is None or definition.kind is not Kind.FUNCTION:
                continue
            if any(block.yields and block.name == origin.root for block in definition.later):
                return True
        return False

    def _is_immutable(self, need: str, name: str, position: int) -> bool:
        if need.startswith("builtin:"):
            return not self.timeline.standing(need[8:], position)[0]
        values, _ = self.timeline.standing(need, position)
        return bool(values) and all((need, at) in self.immutable for at in values)
