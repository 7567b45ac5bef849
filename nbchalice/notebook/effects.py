"""Which objects a statement changes in place, aliases and calls of the notebook's own functions included."""

from __future__ import annotations

import builtins
from collections import defaultdict
from typing import TYPE_CHECKING

from nbchalice.notebook.facts import LAMBDA, Block, Kind, Mark, Origin, Statement
from nbchalice.notebook.knowledge import ITERATORS, OWN_GENERATORS
from nbchalice.notebook.replay import Run, Value, Values, all_or_nothing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.history import Step, Timeline

_AWS = frozenset({"boto3", "botocore", "aioboto3", "aiobotocore"})


class Effects:
    """Follows every statement once, in order; then tells which statements change a given value.

    Parameters
    ----------
    timeline: the executed statements; bindings made by calls (``global``) are added to it.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.parent: dict[Value, Value] = {}
        self.immutable: set[Value] = set()
        self.once: set[Value] = set()
        """Iterators and generators: reading them, or drawing from them, changes them."""
        self.methods: dict[str, list[Block]] = defaultdict(list)
        self.changes: list[tuple[int, Value, bool]] = []
        self.draws: list[tuple[int, Value]] = []
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
        position: the statement.
        modules: the generators' modules. Default: those that it draws from.
        """
        found: list[int] = []
        drawn = [module for module, places in self.generators.items() if any(at == position for at, _ in places)]
        for module in drawn if modules is None else modules:
            before = [(at, seeds) for at, seeds in self.generators[module] if at < position]
            seeded = max((index for index, (_, seeds) in enumerate(before) if seeds), default=len(before))
            found += [at for at, _ in before[seeded:]]
        return found

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

    # -- groups of values that may share objects -----------------------------------------------------------------

    def find(self, value: Value) -> Value:
        """Return the representative of a value's group."""
        while (above := self.parent.get(value, value)) != value:
            self.parent[value] = self.parent.get(above, above)
            value = above
        return value

    def share(self, values: Iterable[Value]) -> None:
        """Note that values may share objects."""
        live = [value for value in values if value not in self.immutable]
        for value in live[1:]:
            one, two = self.find(live[0]), self.find(value)
            if one != two:
                self.parent[two] = one

    def values(self, name: str, moment: int) -> Values:
        """Return the values a name may stand for while the statement at a moment runs."""
        if name == LAMBDA:
            return frozenset({(name, moment)})
        positions, _ = self.timeline.standing(name, moment)
        statement = self.timeline.steps[moment].statement
        if name in statement.binds and (statement.kind is not Kind.ASSIGN or name in statement.may_define):
            positions = [*positions, moment]
        return frozenset((name, position) for position in positions)

    # -- one statement -------------------------------------------------------------------------------------------

    def _follow(self, step: Step) -> None:
        statement, position = step.statement, step.position
        for alias in statement.imports:
            if statement.kind is not Kind.STAR:
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
        made = [statement for value in values if (statement := self.statement(value)) is not None]
        blocks = [block for one in made if one.kind is Kind.FUNCTION for block in one.later]
        return not origin.path and any(block.yields and block.name == origin.root for block in blocks)

    def _is_immutable(self, need: str, name: str, position: int) -> bool:
        if need.startswith("builtin:"):
            return not self.timeline.standing(need[8:], position)[0]
        values, _ = self.timeline.standing(need, position)
        return bool(values) and all((need, at) in self.immutable for at in values)

    def statement(self, value: Value) -> Statement | None:
        """Return the statement that bound a value, or None for a module."""
        return self.timeline.steps[value[1]].statement if value[1] >= 0 else None

    def qualified(self, name: str, path: tuple[str, ...], moment: int) -> str | None:
        """Return the full dotted name of an imported or builtin function, or None if the notebook made it."""
        if name == LAMBDA:
            return None
        positions, _ = self.timeline.standing(name, moment + 1)
        if not positions:
            stars = [] if hasattr(builtins, name) else [star for star in self.timeline.stars if star.position < moment]
            brought = [stars[-1].statement.imports[0].module] if stars else []
            return ".".join((*brought, name, *path))
        for position in positions:
            for alias in self.timeline.steps[position].statement.imports:
                if alias.name == name:
                    whole = alias.module if alias.attribute is None else f"{alias.module}.{alias.attribute}"
                    if alias.attribute is None and "as" not in alias.text.split():
                        whole = name
                    return ".".join((whole, *path))
        return None

    def reachable(self, value: Value, moment: int) -> list[Block]:
        """Return the functions that calling a value may run: those of its statement and of all names used there."""
        found: list[Block] = []
        queue, seen = [value[1]], set()
        while queue:
            position = queue.pop()
            if position in seen or position < 0:
                continue
            seen.add(position)
            statement = self.timeline.steps[position].statement
            found += statement.later
            for name in statement.now.uses | statement.uses_later:
                queue += self.timeline.standing(name, moment + 1)[0]
        return found

    def from_aws(self, value: Value, depth: int = 0) -> bool:
        """Tell whether a value came from boto3: calls of its methods are requests, not changes of the object."""
        statement = self.statement(value)
        if statement is None or depth > 5:
            return value[0].removeprefix("module:") in _AWS
        if any(alias.module.split(".")[0] in _AWS for alias in statement.imports):
            return True
        roots = [call.root for call in statement.now.calls.values() if isinstance(call.root, str)]
        return any(
            self.from_aws((root, position), depth + 1)
            for root in roots
            for position in self.timeline.standing(root, value[1])[0]
        )
