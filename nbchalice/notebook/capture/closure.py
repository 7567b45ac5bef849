"""The closure of a handler: from its function to every statement that it needs, until nothing is missing."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING

from nbchalice.errors import NbChaliceError
from nbchalice.notebook.analysis.builtin_names import lambda_builtins
from nbchalice.notebook.analysis.history import END, Step, Timeline
from nbchalice.notebook.analysis.known_calls import is_handler_decorator
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.capture.explain import by_magic, deleted, unresolved
from nbchalice.notebook.errors import UnresolvedNamesError
from nbchalice.notebook.modules import is_module
from nbchalice.typed import Values

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from nbchalice.notebook.analysis.effects import Effects

_MODULE_NAMES = frozenset({"__name__", "__file__", "__doc__", "__builtins__", "__spec__", "__package__", "__loader__"})


class Closure:
    """Grows from the handler until everything needed is in.

    Parameters
    ----------
    timeline : Timeline
        The executed statements.
    effects : Effects
        Who changes what.
    namespace : Values or None
        The kernel's variables, or None.
    until : int
        Position after which nothing counts; with it, functions are followed only as far as they are called before.
    fixed : str or None
        A name whose changes do not count.
    without : Container[int]
        Positions of statements that are not taken in for what they change.
    """

    def __init__(
        self,
        timeline: Timeline,
        effects: Effects,
        namespace: Values | None = None,
        *,
        until: int = END,
        fixed: str | None = None,
        without: Container[int] = frozenset(),
    ) -> None:
        self.timeline, self.effects, self.namespace = timeline, effects, namespace
        self.until, self.fixed, self.without = until, fixed, without
        self.known = lambda_builtins() | _MODULE_NAMES
        self.wanted: dict[int, set[str]] = defaultdict(set)
        self.resolved: set[tuple[str, int]] = set()
        self.missing: dict[str, tuple[Step, bool]] = {}
        self.final: set[str] = set()
        self.queue: deque[tuple[Step, int]] = deque()
        self.needed: set[int] = set()
        """Positions of the statements that bind what is needed; the others are there for what they change."""
        self.doubtful: list[tuple[str, int]] = []
        self.visited: set[tuple[int, int]] = set()
        self.grouped: set[tuple[str, int]] = set()

    def copy(self) -> Closure:
        """Return one that can grow without this one."""
        until, fixed, without = self.until, self.fixed, self.without
        made = Closure(self.timeline, self.effects, self.namespace, until=until, fixed=fixed, without=without)
        for position, names in self.wanted.items():
            made.wanted[position] = set(names)
        made.resolved, made.missing, made.final = set(self.resolved), dict(self.missing), set(self.final)
        made.doubtful, made.visited, made.grouped = list(self.doubtful), set(self.visited), set(self.grouped)
        made.needed = set(self.needed)
        return made

    def add(self, step: Step, moment: int, names: Iterable[str]) -> None:
        """Take a statement in, needed at a moment for the names it binds."""
        self.wanted[step.position].update(names)
        if (step.position, moment) not in self.visited:
            self.visited.add((step.position, moment))
            self.queue.append((step, moment))
        for name in names:
            self._changes_of(name, step)
        for position in self.effects.draws_before(step.position) if self.effects.generators else ():
            if position not in self.wanted and position not in self.without:
                self.add(self.timeline.steps[position], position, [])

    def want(self, name: str, moment: int, user: Step) -> None:
        """Take in what a name stands for at a moment, which a text of a statement names."""
        self._need(name, moment, user, now=moment < END)

    def finish(self) -> None:
        """Follow everything that was taken in.

        Raises
        ------
        CaptureError
            A name cannot be resolved.
        """
        while self.queue:
            step, moment = self.queue.popleft()
            statement = step.statement
            for name in sorted(statement.now.uses):
                self._need(name, step.position, step, now=True)
            # def price(x): return x * RATE reads RATE whenever it is called: on Lambda when all has run, and while the
            # slice runs at the moments at which one of its statements calls it. Each may find another RATE.
            for name in sorted(statement.uses_later):
                if self.until == END:
                    self._need(name, END, step, now=False)
                if moment < END:
                    self._need(name, moment, step, now=False)
                if self._runs_its_functions(step):
                    self._need(name, step.position, step, now=False)
            for name in statement.bases if statement.kind is Kind.CLASS else ():
                self._need(name, step.position, step, now=True)
            self._submodules(step)
        self._require_all()

    def with_doubts(self) -> Closure:
        """Return one that also has the statements that may change what is needed, as far as they can be taken in."""
        closure = self
        for position in self.doubts():
            grown = closure.copy()
            try:
                grown.add(self.timeline.steps[position], position, self.timeline.steps[position].statement.binds)
                grown.finish()
            except NbChaliceError:
                continue
            closure = grown
        return closure

    def _require_all(self) -> None:
        """Refuse a name that nothing provides.

        Raises
        ------
        CaptureError
            Names it, or all of them, and where they are used.
        """
        # What nothing at the top binds may be made by a call: def connect(): global CLIENT; CLIENT = ...
        assigned: set[str] = set()
        for position in self.wanted:
            for block in self.timeline.steps[position].statement.later:
                assigned |= block.assigns
        wrong: list[NbChaliceError] = [
            unresolved(name, step, self.timeline, self.namespace, now=now)
            for name, (step, now) in self.missing.items()
            if name not in assigned
        ]
        if len(wrong) > 1:
            raise UnresolvedNamesError(wrong)
        if wrong:
            raise wrong[0]

    def _runs_its_functions(self, step: Step) -> bool:
        """Tell whether a statement may call, while it runs, the functions written in it."""
        statement = step.statement
        if statement.kind not in (Kind.FUNCTION, Kind.CLASS):
            return bool(statement.now.calls)
        roots = {str(root) for root, path in statement.decorators if not is_handler_decorator(path)} | statement.bases
        return any(self.effects.qualified(root, (), step.position) is None for root in roots)

    def _need(self, name: str, moment: int, user: Step, *, now: bool) -> None:
        if (name, moment) in self.resolved:
            return
        positions, gone = self.timeline.standing(name, moment)
        statement = user.statement
        own = now and (name in statement.may_define or (statement.kind is Kind.COMPOUND and name in statement.binds))
        stars = [star for star in self.timeline.stars if star.position < moment]
        defined = own or name in self.known or name in statement.guarded
        if gone is not None and not defined and (moment == END or now):
            raise deleted(name, gone, user)
        if not positions and not own and name not in self.known and not stars:
            if (moment == END or now) and name not in statement.guarded:
                self.missing.setdefault(name, (user, now))
            return
        self.resolved.add((name, moment))
        for position in positions:
            step = self.timeline.steps[position]
            if step.statement.kind is Kind.MAGIC:
                raise by_magic(name, step, user)
            self.needed.add(position)
            self.add(step, moment, [name])
        if moment == END and positions:
            self.final.add(name)
        # Nobody knows what from x import * binds: one after the last certain binding may bind the name again.
        for star in stars:
            if not positions or star.position > positions[0]:
                self.add(star, moment, ["*"])

    def _submodules(self, step: Step) -> None:
        """Take in what loads the submodules that a statement uses as attributes of their package."""
        statement, last = step.statement, len(self.timeline.steps) - 1
        uses = [(path, step.position) for path in statement.now.dotted]
        for block in statement.later:
            uses += [(path, min(self.until, last)) for path in block.dotted]
        for path, moment in uses:
            name, *parts = path.split(".")
            if name not in self.timeline.events:
                continue
            module = self.effects.qualified(name, (), moment)
            for count in range(1, len(parts) + 1):
                dotted = ".".join((module or "", *parts[:count]))
                position, bound = self.timeline.submodules.get(dotted, (END, ""))
                if position <= moment and position not in self.wanted and is_module(dotted):
                    self.add(self.timeline.steps[position], position, [bound])

    def _changes_of(self, name: str, step: Step) -> None:
        value = (name, step.position)
        if value in self.grouped or value in self.effects.immutable or name == self.fixed:
            return
        self.grouped.add(value)
        for position, certain in sorted(self.effects.of(value).items()):
            if position >= self.until or position in self.without:
                continue
            if not certain:
                if step.statement.kind not in (Kind.IMPORT, Kind.STAR):  # of a module, only settings matter
                    self.doubtful.append((name, position))
            elif position not in self.wanted:
                self.add(self.timeline.steps[position], position, [])
                self.wanted[position].add(name)

    # -- what came out -------------------------------------------------------------------------------------------

    def doubts(self) -> dict[int, frozenset[str]]:
        """Return the statements that were not taken in and of which the analysis cannot tell whether they change what
        was, with the names of that.
        """
        found: dict[int, set[str]] = defaultdict(set)
        for name, position in self.doubtful:
            if position not in self.wanted:
                found[position].add(name)
        return {position: frozenset(names) for position, names in sorted(found.items())}

    def steps(self) -> list[Step]:
        """Return the statements taken in, in order of execution, with the ``__future__`` imports before them."""
        chosen = [self.timeline.steps[position] for position in sorted(self.wanted)]
        futures = [
            step
            for step in self.timeline.steps
            if step.statement.kind is Kind.FUTURE and chosen and step.position < chosen[-1].position
        ]
        return futures[:1] + [step for step in chosen if step.statement.kind is not Kind.FUTURE]

    def names_used(self) -> frozenset[str]:
        """Return every global name that the statements taken in read, bind or change."""
        names: set[str] = set()
        for position, wanted in self.wanted.items():
            statement = self.timeline.steps[position].statement
            names |= statement.now.uses | statement.uses_later | wanted
        return frozenset(names)

    def taken_from_others(self, handler: Step) -> dict[str, str]:
        """Return the names that come from other cells than the handler's."""
        taken: dict[str, str] = {}
        used = self.names_used()
        for position in sorted(self.wanted):
            step = self.timeline.steps[position]
            if step.cell.order != handler.cell.order:
                for name in sorted((self.wanted[position] | step.statement.defines) - {"*"}):
                    if name in used and name in step.statement.binds:
                        taken[name] = step.cell.label
        return taken

    def final_values(self) -> dict[str, tuple[str, ...]]:
        """Return the names whose last binding is in the slice, with the cells that made and changed them.

        What the user answers for may differ from the kernel's and is left out: ``exclude``, and ``include`` unless
        other statements may have changed it since.
        """
        free: set[str] = set()
        for step in self.timeline.excluded:
            free |= step.statement.binds | step.statement.now.uses
        found = {}
        for name in sorted(self.final - free):
            steps = self._makers(name)
            marked = any(step.statement.mark is not None for step in steps)
            if not marked or self._is_looked_at(name, steps[0].position):
                found[name] = tuple(dict.fromkeys(step.cell.label for step in steps))
        return found

    def marked(self, names: Iterable[str]) -> frozenset[str]:
        """Return the names that a statement marked ``include`` made or changed."""
        return frozenset(name for name in names if any(step.statement.mark is not None for step in self._makers(name)))

    def _makers(self, name: str) -> list[Step]:
        """Return the statements that made and certainly changed what a name stands for at the end."""
        bindings, _ = self.timeline.standing(name, END)
        positions = set(bindings)
        for binding in bindings:
            positions |= {at for at, sure in self.effects.of((name, binding)).items() if sure}
        return [self.timeline.steps[position] for position in sorted(positions)]

    def _is_looked_at(self, name: str, since: int) -> bool:
        """Tell whether a statement that is not in the slice has used a name since a moment."""
        later = self.timeline.steps[since + 1 :]
        return any(step.position not in self.wanted and name in step.statement.now.uses for step in later)

    def read_when_called(self) -> frozenset[str]:
        """Return the names that the functions of the slice need when they are called."""
        needed: set[str] = set()
        optional: set[str] = set()
        for position in self.wanted:
            statement = self.timeline.steps[position].statement
            needed |= statement.uses_later - statement.guarded
            if statement.kind is Kind.COMPOUND and statement.text.lstrip().startswith("try"):
                optional |= {alias.name for alias in statement.imports}  # a library that may be missing
        return frozenset(needed - optional - self.known)
