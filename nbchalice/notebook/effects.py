"""Which objects a statement changes in place, aliases and calls of the notebook's own functions included."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from nbchalice.notebook.facts import LAMBDA, Block, Call, Kind, Mark, Root, Roots, Statement
from nbchalice.notebook.knowledge import (
    ARGUMENT_MUTATORS,
    CONFIGURES,
    MUTATORS,
    PURE_CALLS,
    PURE_METHODS,
    SHARING,
    TRAINS,
    is_handler_decorator,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nbchalice.notebook.history import Step, Timeline

Value: TypeAlias = tuple[str, int]
"""The object bound to a name by the statement at a position; ``("module:os", -1)`` for a module."""

Values: TypeAlias = frozenset[Value]
NOTHING: Values = frozenset()
_CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "__call__"})
_CLASS_HOOKS = frozenset({"__init_subclass__", "__new__", "__init__", "__prepare__", "__set_name__"})
_DEPTH = 40
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
        self.methods: dict[str, list[Block]] = defaultdict(list)
        self.changes: list[tuple[int, Value, bool]] = []
        for step in timeline.steps:
            self._follow(step)
        self.by_group: dict[Value, dict[int, bool]] = defaultdict(dict)
        for position, value, certain in self.changes:
            group = self.by_group[self.find(value)]
            group[position] = group.get(position, False) or certain

    def of(self, value: Value) -> dict[int, bool]:
        """Return the positions that change a value or something it shares, each with whether that is certain."""
        return self.by_group.get(self.find(value), {})

    def changed_by(self, handler: Step) -> set[str]:
        """Return the names whose values a handler itself changes, or rebinds, when it is called."""
        run = Run(self, len(self.timeline.steps) - 1)
        for block in handler.statement.later:
            run.block(block, {})
        groups = {self.find(value) for value in run.touched | run.unsure if value not in self.immutable}
        names = {value[0] for value in self.parent if self.find(value) in groups}
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
        run = Run(self, position, lenient=step.failed and _all_or_nothing(statement))
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
        for values, certain in ((run.touched, True), (run.unsure - run.touched, False)):
            sure = certain or step.statement.mark is Mark.INCLUDE
            self.changes += [(step.position, value, sure) for value in values if value not in self.immutable]
        if step.statement.mark is Mark.INCLUDE and step.statement.kind is Kind.EXPRESSION:
            for name in step.statement.now.uses:
                self.changes += [(step.position, value, True) for value in self.values(name, step.position)]

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
            return ".".join((name, *path))
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


class Run:
    """The simulated execution of one statement: what it and the functions it calls touch and bind.

    Parameters
    ----------
    effects: the followed notebook.
    position: the statement's position.
    lenient: whether only the functions it calls count, not the statement itself, which failed.
    """

    def __init__(self, effects: Effects, position: int, *, lenient: bool = False) -> None:
        self.effects, self.position, self.lenient = effects, position, lenient
        self.touched: set[Value] = set()
        self.unsure: set[Value] = set()
        self.defined: set[str] = set()
        self.bound: list[tuple[str, Values]] = []
        self.active: set[int] = set()
        self.known: dict[tuple[int, frozenset[tuple[str, Values]]], Values] = {}

    def block(self, block: Block, bindings: dict[str, Values]) -> Values:
        """Run a statement or a function's body with its parameters bound; return the values it returns."""
        if id(block) in self.active:
            return NOTHING.union(*bindings.values())
        key = (id(block), frozenset(bindings.items()))
        if key in self.known:
            return self.known[key]
        if len(self.active) > _DEPTH:
            return self._summarily(block, NOTHING.union(*bindings.values()))
        self.active.add(id(block))
        results: dict[int, Values] = {}

        def values(roots: Roots) -> Values:
            return NOTHING.union(*(self._root(root, bindings, results) for root in roots))

        for number, call in block.calls.items():
            results[number] = self._call(call, values, block)
        self._touch(values(block.touches))
        for where, what in block.stores:
            self.effects.share([*values(where), *values(what)])
        for name, roots in block.flows:
            self.bound.append((name, values(roots)))
        self.defined |= block.assigns
        returned = self.known[key] = values(block.returns)
        self.active.discard(id(block))
        return returned

    def _summarily(self, block: Block, everything: Values) -> Values:
        """Far down a chain of calls, assume the worst of the functions still ahead instead of following them."""
        queue, seen = [block], set()
        while queue:
            one = queue.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            changed = {root for root in one.touches if isinstance(root, str)} | {
                call.root for call in one.calls.values() if call.path[-1:] and call.path[-1] in MUTATORS
            }
            for root in changed:
                self._touch(self.effects.values(root, self.position) if isinstance(root, str) else everything)
            if any(not isinstance(root, str) for root in one.touches):
                self._touch(everything)
            self.defined |= one.assigns
            for name in one.uses:
                for value in self.effects.values(name, self.position):
                    statement = self.effects.statement(value)
                    queue += statement.later if statement is not None else ()
        return everything

    def _touch(self, values: Values, *, certain: bool = True) -> None:
        if not self.lenient or len(self.active) > 1:
            (self.touched if certain else self.unsure).update(values)

    def _root(self, root: Root, bindings: dict[str, Values], results: dict[int, Values]) -> Values:
        if isinstance(root, str):
            return self.effects.values(root, self.position)
        if isinstance(root, int):
            return results.get(root, NOTHING)
        # A parameter that is not given has its default, which the function carries with it.
        return bindings.get(root[1], bindings.get("", NOTHING))

    def _call(self, call: Call, values: Callable[[Roots], Values], block: Block) -> Values:
        args = [values(roots) for roots in call.args]
        keywords = {key: values(roots) for key, roots in call.keywords}
        everything = NOTHING.union(*args, *keywords.values())
        if call.root is None:
            return NOTHING if call.path[-1:] in {("join",), ("format",), ("encode",)} else everything
        owners = values(frozenset((call.root,)))
        name = call.root if isinstance(call.root, str) else None
        if name is not None:
            known = self.effects.qualified(name, call.path, self.position)
            if known is not None:
                return self._external(known, call, owners, args, everything)
        if is_handler_decorator(call.path) and call.definition:
            return NOTHING
        if call.path:
            return self._method(call, owners, args, keywords)
        results: Values = NOTHING
        for value in owners:
            results |= self._invoke(value, call, args, keywords)
        return results | (everything if not owners else NOTHING)

    def _invoke(self, value: Value, call: Call, args: list[Values], keywords: dict[str, Values]) -> Values:
        """Call a value of the notebook itself: a function, a class, or whatever holds one."""
        statement = self.effects.statement(value)
        if statement is None:
            return NOTHING
        if any(is_handler_decorator(path) for _, path in statement.decorators):
            return NOTHING  # Trying a handler out in a cell is not part of what the module is.
        everything = NOTHING.union(*args, *keywords.values())
        plain = not statement.decorators
        if statement.kind is Kind.FUNCTION and plain and value[0] in statement.defines:
            own = [block for block in statement.later if block.name == value[0] and block.owner is None]
            bound = [_bind(block, frozenset({value}), args, keywords, call.exact) for block in own[-1:]]
            return NOTHING.union(*(self.block(block, one) for block, one in zip(own[-1:], bound, strict=True)))
        if statement.kind is Kind.CLASS and value[0] != LAMBDA:
            made = everything | (frozenset({value}) if statement.shares else NOTHING)
            for block in self.effects.reachable(value, self.position):
                if block.name in _CONSTRUCTORS and block.owner is not None:
                    made |= self.block(block, _bind(block, frozenset({value}), [made, *args], keywords, call.exact))
            return made
        return NOTHING.union(
            everything,
            *(
                self.block(block, _everywhere(block, everything | {value}, value))
                for block in self.effects.reachable(value, self.position)
            ),
        )

    def _method(self, call: Call, owners: Values, args: list[Values], keywords: dict[str, Values]) -> Values:
        name = call.path[-1]
        everything = NOTHING.union(*args, *keywords.values())
        results = owners
        own = self.effects.methods.get(name, ())
        for block in own:
            results |= self.block(block, _bind(block, owners, [owners, *args], keywords, call.exact))
        if name in MUTATORS:
            self._touch(owners)
            self.effects.share([*owners, *everything])
        elif not own and name not in PURE_METHODS and call.dropped:
            if name.startswith(CONFIGURES) or name in TRAINS:
                self._touch(owners)
                self.effects.share([*owners, *everything])
            elif not call.definition:
                self._touch(frozenset(v for v in owners if not self.effects.from_aws(v)), certain=False)
        elif not own and (name in TRAINS or (call.definition and call.dropped)):
            self._touch(owners)
        if not own:
            self._callbacks(call, everything)
        return results

    def _external(self, known: str, call: Call, owners: Values, args: list[Values], everything: Values) -> Values:
        """Call a function of a library or a builtin."""
        last = known.rpartition(".")[2]
        if known in ARGUMENT_MUTATORS or ".".join(known.split(".")[-2:]) in ARGUMENT_MUTATORS:
            self._touch(args[0] if args else NOTHING)
            self.effects.share(everything)
        elif call.path and owners:
            configures = call.dropped and not call.definition and last.startswith(CONFIGURES)
            if configures or (len(call.path) > 1 and last in MUTATORS):
                self._touch(owners)
        if call.dropped and not call.definition and owners and _may_change(known):
            self._touch(everything, certain=False)
        self._callbacks(call, everything)
        shares = known in SHARING or ".".join(known.split(".")[-2:]) in SHARING or last[:1].isupper()
        return everything if shares or call.definition else NOTHING

    def _callbacks(self, call: Call, everything: Values) -> None:
        """A function of the notebook that is handed to a library may be called with the other arguments."""
        if call.definition:
            return
        for value in everything:
            statement = self.effects.statement(value)
            if statement is not None and (value[0] == LAMBDA or statement.kind in (Kind.FUNCTION, Kind.ASSIGN)):
                for block in statement.later:
                    self.block(block, _everywhere(block, everything, value))

    def hooks(self, statement: Statement) -> None:
        """Run what a class statement runs of its bases and metaclass."""
        own: Values = frozenset((name, self.position) for name in statement.defines)
        for base in statement.bases:
            for value in self.effects.values(base, self.position):
                for block in self.effects.reachable(value, self.position):
                    if block.owner is not None and block.name in _CLASS_HOOKS:
                        self.block(block, _everywhere(block, own | {value}, value))


def _all_or_nothing(statement: Statement) -> bool:
    """Tell whether a statement that failed has changed nothing itself: its one change would have come last."""
    changing = [
        call
        for call in statement.now.calls.values()
        if not call.path or call.path[-1] in MUTATORS or ".".join(call.path) in ARGUMENT_MUTATORS
        if call.path or str(call.root) in ARGUMENT_MUTATORS
    ]
    last = all(call.dropped for call in changing)
    return statement.kind is not Kind.COMPOUND and not statement.now.loops and last


def _may_change(known: str) -> bool:
    """Tell whether a library's function whose result is dropped may be called to change its arguments."""
    last = known.rpartition(".")[2]
    return not last.startswith(CONFIGURES) and known not in PURE_CALLS and not last[:1].isupper()


def _everywhere(block: Block, values: Values, function: Value) -> dict[str, Values]:
    """Bind every parameter to the same values, and what the function carries to the function."""
    return {"": frozenset({function}), **dict.fromkeys(block.params, values)}


def _bind(
    block: Block, carried: Values, args: list[Values], keywords: dict[str, Values], exact: bool
) -> dict[str, Values]:
    """Bind arguments to parameters; with ``*`` or ``**`` every parameter may get every argument."""
    if not exact or len(args) > len(block.params):
        return {"": carried, **dict.fromkeys(block.params, carried.union(*args, *keywords.values()))}
    bindings = {"": carried, **dict(zip(block.params, args, strict=False))}
    for key, values in keywords.items():
        for name in [key] if key in block.params else block.params[-1:]:
            bindings[name] = bindings.get(name, NOTHING) | values
    return bindings
