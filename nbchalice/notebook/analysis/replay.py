"""The simulated execution of one statement: what it, and the functions it calls, touch and bind."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nbchalice.names import COMMANDS
from nbchalice.notebook.analysis.aliases import Reach
from nbchalice.notebook.analysis.known_calls import (
    ARGUMENT_MUTATORS,
    CONFIGURES,
    GENERATORS,
    LOOKS,
    MUTATORS,
    PURE_CALLS,
    PURE_METHODS,
    PURE_MODULES,
    RUNS_SQL,
    SEEDS,
    SHARING,
    STREAM_KEYWORDS,
    TRAINS,
    is_handler_decorator,
)
from nbchalice.notebook.analysis.model import LAMBDA, Block, Call, Kind, Root, Roots, Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbchalice.notebook.analysis.aliases import Aliases, Value, Values

NOTHING: Values = frozenset()
_CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "__call__"})
_CLASS_HOOKS = frozenset({"__init_subclass__", "__new__", "__init__", "__prepare__", "__set_name__"})
_DEPTH = 40
_CALLS = 8


class Run:
    """The simulated execution of one statement: what it and the functions it calls touch and bind.

    Parameters
    ----------
    aliases : Aliases
        The values of the notebook; what comes to share objects is noted there.
    position : int
        The statement's position.
    lenient : bool
        Whether only the functions it calls count, not the statement itself, which failed.
    """

    def __init__(self, aliases: Aliases, position: int, *, lenient: bool = False) -> None:
        self.aliases, self.position, self.lenient = aliases, position, lenient
        self.touched: set[Value] = set()
        self.unsure: set[Value] = set()
        self.drawn: set[Value] = set()
        self.generators: dict[str, bool] = {}
        """The modules from whose random generator it draws, each with whether it seeds it first."""
        self.defined: set[str] = set()
        self.bound: list[tuple[str, Values]] = []
        self.active: set[int] = set()
        self.known: dict[tuple[int, frozenset[tuple[str, Values]]], Values] = {}
        self.widest: dict[int, dict[str, Values]] = {}
        self.count: Counter[int] = Counter()
        self.shared: set[Values] = set()
        self.named: dict[str, Values] = {}
        self.reach = Reach(aliases.timeline, position)

    def block(self, block: Block, bindings: dict[str, Values]) -> Values:
        """Run a statement or a function's body with its parameters bound; return the values it returns."""
        number = id(block)
        # A function that calls itself may return any of its arguments, or what is made of them.
        if number in self.active:
            return NOTHING.union(*bindings.values())
        bindings = self._widened(number, bindings)
        key = (number, frozenset(bindings.items()))
        if key in self.known:
            return self.known[key]
        if len(self.active) > _DEPTH:
            return self._summarily(block, NOTHING.union(*bindings.values()))
        self.count[number] += 1
        self.active.add(number)
        results: dict[int, Values] = {}

        def values(roots: Roots) -> Values:
            return NOTHING.union(*(self._root(root, bindings, results) for root in roots))

        for index, call in block.calls.items():
            results[index] = self._call(call, values)
        self._touch(values(block.touches))
        self._draw(values(block.consumes))
        for where, what in block.stores:
            self._share(values(where) | values(what))
        for name, roots in block.flows:
            self.bound.append((name, values(roots)))
        self.defined |= block.assigns
        returned = self.known[key] = values(block.returns)
        self.active.discard(number)
        return returned

    def _widened(self, number: int, bindings: dict[str, Values]) -> dict[str, Values]:
        """Return what a function's parameters are bound to: from its eighth call on, to what any call has given them.

        Functions that call one another hand on ever more combinations of the same values; so there are few of them.
        """
        if self.count[number] < _CALLS:
            return bindings
        widest = self.widest.setdefault(number, {})
        for name, values in bindings.items():
            widest[name] = widest.get(name, NOTHING) | values
        return dict(widest)

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
                self._touch(self.aliases.values(root, self.position) if isinstance(root, str) else everything)
            if any(not isinstance(root, str) for root in one.touches):
                self._touch(everything)
            self.defined |= one.assigns
            for name in one.uses:
                for value in self.aliases.values(name, self.position):
                    statement = self.aliases.statement(value)
                    queue += statement.later if statement is not None else ()
        return everything

    def _share(self, values: Values) -> None:
        if values not in self.shared:
            self.shared.add(values)
            self.aliases.share(sorted(values))

    def _touch(self, values: Values, *, certain: bool = True) -> None:
        if not self.lenient or len(self.active) > 1:
            (self.touched if certain else self.unsure).update(values)

    def _draw(self, values: Values) -> None:
        """Read of iterators and generators, which changes them, and nothing of what they read from."""
        if not self.lenient or len(self.active) > 1:
            self.drawn.update(values & self.aliases.once)

    def _root(self, root: Root, bindings: dict[str, Values], results: dict[int, Values]) -> Values:
        if isinstance(root, str):
            if root not in self.named:
                self.named[root] = self.aliases.values(root, self.position)
            return self.named[root]
        if isinstance(root, int):
            return results.get(root, NOTHING)
        # A parameter that is not given has its default, which the function carries with it.
        return bindings.get(root[1], bindings.get("", NOTHING))

    def _call(self, call: Call, values: Callable[[Roots], Values]) -> Values:
        """Call whatever a call's function may be."""
        results = self._called(call, values)
        for root in call.others:
            results |= self._called(replace(call, root=root, others=()), values)
        return results

    def _called(self, call: Call, values: Callable[[Roots], Values]) -> Values:
        args = [values(roots) for roots in call.args]
        keywords = {key: values(roots) for key, roots in call.keywords}
        everything = NOTHING.union(*args, *keywords.values())
        # A method of a literal: ", ".join(names) is a new text.
        if call.root is None:
            return NOTHING if call.path[-1:] in {("join",), ("format",), ("encode",)} else everything
        owners = values(frozenset((call.root,)))
        name = call.root if isinstance(call.root, str) else None
        if name is not None:
            known = self.aliases.qualified(name, call.path, self.position)
            if known is not None:
                return self._external(known, call, owners, args, keywords)
        if is_handler_decorator(call.path) and call.definition:
            return NOTHING
        if len(call.path) == 1 and call.path[0] in COMMANDS and owners and all(map(self.aliases.is_app, owners)):
            return NOTHING  # app.send("price") is a command
        if call.path:
            return self._method(call, owners, args, keywords)
        results = everything if not owners else NOTHING
        others: set[Value] = set()
        for value in sorted(owners):
            result = self._invoke(value, call, args, keywords)
            if result is None:
                others.add(value)
            else:
                results |= result
        return results | self._invoke_any(frozenset(others), everything) if others else results

    def _invoke(self, value: Value, call: Call, args: list[Values], keywords: dict[str, Values]) -> Values | None:
        """Call a value of the notebook itself: a function or a class; None for whatever else may hold one."""
        statement = self.aliases.statement(value)
        if statement is None:
            return NOTHING
        if any(is_handler_decorator(path) for _, path in statement.decorators):
            return NOTHING  # Trying a handler out in a cell is not part of what the module is.
        everything = NOTHING.union(*args, *keywords.values())
        plain = not statement.decorators
        if statement.kind is Kind.FUNCTION and plain and value[0] in statement.defines:
            own = [block for block in statement.later if block.name == value[0] and block.owner is None]
            results: Values = NOTHING
            for block in own[-1:]:
                results = self.block(block, _bind(block, frozenset({value}), args, keywords, call.exact))
            return results
        if statement.kind is Kind.CLASS and value[0] != LAMBDA:
            # An object may hold what it was made of, and a list that all instances of its class share.
            held = everything | (frozenset({value}) if statement.shares else NOTHING)
            for block in self.reach.blocks([value]):
                if block.name in _CONSTRUCTORS and block.owner is not None:
                    held |= self.block(block, _bind(block, frozenset({value}), [held, *args], keywords, call.exact))
            return held
        origin = statement.origin
        if origin is not None and origin.path and not origin.is_call:  # a method under another name
            method = replace(call, root=origin.root, path=origin.path)
            if self.aliases.qualified(origin.root, origin.path, value[1]) is None:
                return self._method(method, self.aliases.values(origin.root, value[1]), args, keywords)
        return None

    def _invoke_any(self, owners: Values, everything: Values) -> Values:
        """Call values that hold functions, nobody knows which: any that their statements can reach."""
        results = everything
        for block in self.reach.blocks(owners):
            results |= self.block(block, {"": owners, **dict.fromkeys(block.params, everything | owners)})
        return results

    def _method(self, call: Call, owners: Values, args: list[Values], keywords: dict[str, Values]) -> Values:
        name = call.path[-1]
        everything = NOTHING.union(*args, *keywords.values())
        results = owners
        self._draw(owners | everything)
        # rng.shuffle(rows), rng made in the notebook, changes rows as random.shuffle(rows) does.
        if name == "shuffle" and args and owners & self.aliases.once:
            self._touch(args[0])
        self._write_into(name, args, keywords, everything)
        if "inplace" in keywords:
            self._touch(owners)
        own = self.aliases.methods.get(name, ())
        for block in own:
            results |= self.block(block, _bind(block, owners, [owners, *args], keywords, call.exact))
        if name in MUTATORS:
            self._touch(owners)
            self._share(owners | everything)
        elif not own and name not in PURE_METHODS and call.dropped:
            # As statements, model.fit(X) and axes.set_title("x") surely change what they are methods of. Whether
            # queue.turn() changes queue, only the user knows.
            if name.startswith(CONFIGURES) or name in TRAINS | RUNS_SQL:
                self._touch(owners)
                self._share(owners | everything)
            elif not call.definition:
                self._touch(frozenset(v for v in owners if not self.aliases.from_aws(v)), certain=False)
        elif not own and (name in TRAINS | RUNS_SQL or (call.definition and call.dropped)):
            self._touch(owners)
        if not own:
            self._callbacks(call, everything)
        return results

    def _write_into(self, name: str, args: list[Values], keywords: dict[str, Values], everything: Values) -> None:
        """Change what a function is told to write into: ``print(file=f)``, ``dump(x, f)``, ``readinto(buffer)``."""
        for keyword in STREAM_KEYWORDS & keywords.keys():
            self._touch(keywords[keyword])
        if name == "dump" and len(args) > 1:
            self._touch(args[1])
        if name.endswith("into"):
            self._touch(everything)

    def _external(
        self, known: str, call: Call, owners: Values, args: list[Values], keywords: dict[str, Values]
    ) -> Values:
        """Call a function of a library or a builtin."""
        everything = NOTHING.union(*args, *keywords.values())
        last = known.rpartition(".")[2]
        module = known.rpartition(".")[0]
        if module in GENERATORS and last[:1].islower():
            self.generators.setdefault(module, last in SEEDS)
        if known not in LOOKS:
            self._draw(everything)
        self._write_into(last, args, keywords, everything)
        if known in ARGUMENT_MUTATORS or ".".join(known.split(".")[-2:]) in ARGUMENT_MUTATORS:
            self._touch(args[0] if args else NOTHING)
            self._share(everything)
        elif call.path and owners:
            configures = call.dropped and not call.definition and last.startswith(CONFIGURES)
            if configures or (len(call.path) > 1 and last in MUTATORS):
                self._touch(owners)
        if call.dropped and owners and _may_change(known):
            # @event.listens_for(engine, "connect") registers with the engine, in a way that comparing need not see.
            self._touch(everything, certain=call.definition)
        self._callbacks(call, everything)
        shares = known in SHARING or ".".join(known.split(".")[-2:]) in SHARING or last[:1].isupper()
        return everything if shares or call.definition else NOTHING

    def _callbacks(self, call: Call, everything: Values) -> None:
        """A function of the notebook that is handed to a library may be called with the other arguments."""
        if call.definition:
            return
        for value in sorted(everything):
            statement = self.aliases.statement(value)
            if statement is not None and (value[0] == LAMBDA or statement.kind in (Kind.FUNCTION, Kind.ASSIGN)):
                for block in statement.later:
                    self.block(block, _everywhere(block, everything, value))

    def hooks(self, statement: Statement) -> None:
        """Run what a class statement runs of its bases and metaclass."""
        own: Values = frozenset((name, self.position) for name in statement.defines)
        for base in statement.bases:
            for value in sorted(self.aliases.values(base, self.position)):
                for block in self.reach.blocks([value]):
                    if block.owner is not None and block.name in _CLASS_HOOKS:
                        self.block(block, _everywhere(block, own | {value}, value))


def all_or_nothing(statement: Statement) -> bool:
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
    top, _, last = known.rpartition(".")
    if top.split(".")[0] in PURE_MODULES:
        return False
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
        # What is not a parameter goes to **options, the last one.
        for name in [key] if key in block.params else block.params[-1:]:
            bindings[name] = bindings.get(name, NOTHING) | values
    return bindings
