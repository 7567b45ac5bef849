"""Scopes and blocks: where a name belongs, and what was found in one piece of code that runs at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.model import CARRIED, Block, Call, Root, Roots

if TYPE_CHECKING:
    from collections.abc import Iterable


class Gatherer:
    """Collects what happens in one block while it is walked."""

    def __init__(self, number: int, name: str = "", owner: str | None = None, params: tuple[str, ...] = ()) -> None:
        self.number, self.name, self.owner, self.params = number, name, owner, params
        self.uses: set[str] = set()
        self.assigns: set[str] = set()
        self.touches: set[Root] = set()
        self.stores: list[tuple[Roots, Roots]] = []
        self.flows: list[tuple[Root, Roots]] = []
        self.calls: dict[int, Call] = {}
        self.returns: set[Root] = set()
        self.loops = False
        self.dotted: set[str] = set()
        self.consumes: set[Root] = set()
        self.yields = False

    def block(self) -> Block:
        """Express everything in globals, own parameters and calls, by following the other locals."""
        sources: dict[Root, set[Root]] = {}
        for target, roots in self.flows:
            sources.setdefault(target, set()).update(roots)

        # Binding a variable of an enclosing function changes the state that this function carries.
        outer = [target for target, _ in self.flows if isinstance(target, tuple) and target[0] < self.number]

        def follow(roots: Iterable[Root]) -> Roots:
            if not _has_local(roots):
                return frozenset(roots)
            reached: set[Root] = set()
            queue, seen = list(roots), set()
            while queue:
                root = queue.pop()
                if root in seen:
                    continue
                seen.add(root)
                if not isinstance(root, tuple):
                    reached.add(root)
                    continue
                if root[0] == self.number and root[1] in self.params:
                    reached.add((0, root[1]))
                elif root[0] < self.number:
                    reached.add(CARRIED)
                queue += sources.get(root, ())
            return frozenset(reached)

        def call(item: Call) -> Call:
            root = item.root
            if not (isinstance(root, tuple) or _has_local(item.others) or _has_local(item.everything())):
                return item
            others = item.others
            if isinstance(root, tuple) or _has_local(others):
                # Names and parameters before the results of calls.
                close = sorted(follow([*([] if root is None else [root]), *others]), key=_by_kind)
                # rows = [] ... rows.append(x): what the function has just made is nobody else's.
                fresh = None if item.path else root
                root, others = (close[0], tuple(close[1:])) if close else (fresh, ())
            args = tuple(follow(roots) for roots in item.args)
            keywords = tuple((key, follow(roots)) for key, roots in item.keywords)
            more = (item.exact, item.dropped, item.definition, item.line, item.text, item.literal, others)
            return Call(root, item.path, args, keywords, *more)  # dataclasses.replace takes five times as long

        return Block(
            uses=frozenset(self.uses),
            assigns=frozenset(self.assigns),
            touches=follow([*self.touches, *outer]),
            stores=tuple((follow(a), follow(b)) for a, b in self.stores),
            flows=tuple((target, follow(roots)) for target, roots in self.flows if isinstance(target, str)),
            calls={number: call(item) for number, item in self.calls.items()},
            returns=follow(self.returns),
            name=self.name,
            owner=self.owner,
            params=self.params,
            loops=self.loops,
            dotted=frozenset(self.dotted),
            consumes=follow(self.consumes),
            yields=self.yields,
        )


def _by_kind(root: Root) -> tuple[bool, str]:
    return isinstance(root, int), str(root)


def _has_local(roots: Iterable[Root]) -> bool:
    for root in roots:  # noqa: SIM110 - a generator takes twice as long, and this is asked most often of all
        if isinstance(root, tuple):
            return True
    return False


class Scope:
    """The names of one lexical scope."""

    def __init__(self, number: int, kind: str, bound: set[str], declared: set[str], above: Scope | None) -> None:
        self.number, self.kind, self.bound, self.declared, self.above = number, kind, bound, declared, above

    def resolve(self, name: str) -> Root:
        """Find what a name means here: a global, or a local of this scope or one around it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.declared:
                return name
            if name in scope.bound and (scope is self or scope.kind != "class"):
                return (scope.number, name)
            scope = scope.above
        return name


class ClassScope(Scope):
    """A class body: a name is local from where it was bound on, and never seen by the methods."""

    def __init__(self, number: int, name: str, above: Scope) -> None:
        super().__init__(number, "class", set(), set(), above)
        self.name = name
