"""Which values of a notebook may share objects, and what a name stands for at a moment."""

from __future__ import annotations

import builtins
from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from nbchalice.notebook.analysis.model import LAMBDA, Block, Kind, Statement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.analysis.history import Timeline

Value: TypeAlias = tuple[str, int]
"""The object bound to a name by the statement at a position; ``("module:os", -1)`` for a module."""

Values: TypeAlias = frozenset[Value]
_AWS = frozenset({"boto3", "botocore", "aioboto3", "aiobotocore"})


class Aliases:
    """The values of the executed statements, in groups of those that may share objects.

    Parameters
    ----------
    timeline : Timeline
        The executed statements.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.parent: dict[Value, Value] = {}
        self.immutable: set[Value] = set()
        self.once: set[Value] = set()
        """Iterators and generators: reading them, or drawing from them, changes them."""
        self.methods: dict[str, list[Block]] = defaultdict(list)
        """The methods of the notebook's classes by name."""

    def find(self, value: Value) -> Value:
        """Return the representative of a value's group."""
        while (above := self.parent.get(value, value)) != value:
            self.parent[value] = self.parent.get(above, above)
            value = above
        return value

    def share(self, values: Iterable[Value]) -> None:
        """Note that values may share objects."""
        # After n = m of two numbers nothing that happens to n shows in m: what cannot change is in no group.
        live = [value for value in values if value not in self.immutable]
        for value in live[1:]:
            group, other = self.find(live[0]), self.find(value)
            if group != other:
                self.parent[other] = group

    def values(self, name: str, moment: int) -> Values:
        """Return the values a name may stand for while the statement at a moment runs."""
        if name == LAMBDA:
            return frozenset({(name, moment)})
        positions, _ = self.timeline.standing(name, moment)
        statement = self.timeline.steps[moment].statement
        # rows = clean(rows) reads what rows was before; a loop that binds rows may also read what it bound itself.
        if name in statement.binds and (statement.kind is not Kind.ASSIGN or name in statement.may_define):
            positions = [*positions, moment]
        return frozenset((name, position) for position in positions)

    def statement(self, value: Value) -> Statement | None:
        """Return the statement that bound a value, or None for a module."""
        return self.timeline.steps[value[1]].statement if value[1] >= 0 else None

    def qualified(self, name: str, path: tuple[str, ...], moment: int) -> str | None:
        """Return the full dotted name of an imported or builtin function, or None if the notebook made it."""
        if name == LAMBDA:
            return None
        positions, _ = self.timeline.standing(name, moment + 1)
        if not positions:
            # After from numpy import *, log is numpy's; print is taken to be Python's own.
            stars = [] if hasattr(builtins, name) else [star for star in self.timeline.stars if star.position < moment]
            brought = [alias.module for alias in stars[-1].statement.imports if alias.name == "*"][-1:] if stars else []
            return ".".join((*brought, name, *path))
        for position in positions:
            for alias in self.timeline.steps[position].statement.imports:
                if alias.name == name:
                    whole = alias.module if alias.attribute is None else f"{alias.module}.{alias.attribute}"
                    # import a.b binds a, and a use says a.b.f itself; import a.b as c binds a.b.
                    if alias.attribute is None and "as" not in alias.text.split():
                        whole = name
                    return ".".join((whole, *path))
        return None

    def reachable(self, value: Value, moment: int) -> list[Block]:
        """Return the functions that calling a value may run: those of its statement and of all names used there."""
        return Reach(self.timeline, moment).blocks([value])

    def from_aws(self, value: Value, depth: int = 0) -> bool:
        """Tell whether a value came from boto3: calls of its methods are requests, not changes of the object."""
        statement = self.statement(value)
        if statement is None or depth > 5:
            return value[0].removeprefix("module:") in _AWS
        if any(alias.module.split(".")[0] in _AWS for alias in statement.imports):
            return True
        # table = dynamodb.Table("t"), dynamodb = session.resource("dynamodb"), ...: back to the import of boto3.
        for call in statement.now.calls.values():
            if isinstance(call.root, str):
                positions, _ = self.timeline.standing(call.root, value[1])
                if any(self.from_aws((call.root, position), depth + 1) for position in positions):
                    return True
        return False

    def is_app(self, value: Value) -> bool:
        """Tell whether a value was made by ``Chalice(...)``."""
        statement = self.statement(value)
        calls = statement.now.calls.values() if statement is not None else ()
        return any((call.path[-1] if call.path else call.root) == "Chalice" for call in calls)


class Reach:
    """What calling a value may run at a moment.

    Parameters
    ----------
    timeline : Timeline
        The executed statements.
    moment : int
        The position of the statement that runs.
    """

    def __init__(self, timeline: Timeline, moment: int) -> None:
        self.timeline, self.moment = timeline, moment
        self.next: dict[int, list[int]] = {}
        self.known: dict[tuple[int, ...], list[Block]] = {}

    def blocks(self, values: Iterable[Value]) -> list[Block]:
        """Return the functions of the values' statements and of all names used there."""
        start = tuple(sorted({position for _, position in values}))
        if start not in self.known:
            self.known[start] = self._later_of(list(start))
        return self.known[start]

    def _later_of(self, queue: list[int]) -> list[Block]:
        later: list[Block] = []
        seen: set[int] = set()
        while queue:
            position = queue.pop()
            if position in seen or position < 0:
                continue
            seen.add(position)
            later += self.timeline.steps[position].statement.later
            queue += self._after(position)
        return later

    def _after(self, position: int) -> list[int]:
        """Return the statements that bind the names which a statement uses."""
        if position not in self.next:
            statement = self.timeline.steps[position].statement
            used = sorted(statement.now.uses | statement.uses_later)
            standing = [self.timeline.standing(name, self.moment + 1)[0] for name in used]
            self.next[position] = list(chain.from_iterable(standing))
        return self.next[position]
