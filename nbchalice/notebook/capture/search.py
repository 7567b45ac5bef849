"""The search for the slice that a run proves: the smallest first, then with what may matter, and of that the fewest.

The analysis proposes: it says which statements a handler needs, and of which it cannot tell whether they matter. A run
decides: a judge runs what would be deployed, and compares its values with those of the notebook.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.history import END
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.capture.choices import NOTHING, Choice, chosen, remember
from nbchalice.notebook.capture.cost import Cost, position_of
from nbchalice.notebook.capture.judged import Findings
from nbchalice.notebook.capture.made_of import changing, made_by_chance, makers, nearest
from nbchalice.notebook.capture.repeats import RUN_AGAIN, run_again
from nbchalice.notebook.capture.ticking import ticking
from nbchalice.notebook.capture.tries import Tries
from nbchalice.notebook.capture.what_to_bundle import name_what_to_bundle
from nbchalice.notebook.errors import DivergedError, StatementFailedError
from nbchalice.notebook.sandbox.values import LAST_DIGITS
from nbchalice.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.judged import Cut, Judge
    from nbchalice.notebook.capture.slice import Slice

_ROUNDS = 16
_SECONDS = 60.0
_TRIES = 12
_SHOWN = 6


@dataclass(frozen=True)
class Compared:
    """What a kernel that executed the notebook's file found out about a handler.

    Parameters
    ----------
    choice : Choice
        What travels besides what the analysis finds.
    notes : tuple[str, ...]
        What is to be said: what could not be compared, what came along, what loading costs.
    """

    choice: Choice
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proof:
    """A slice, and how far it is proven.

    Parameters
    ----------
    piece : Slice
        The slice.
    taken : tuple[tuple[Step, frozenset[str]], ...]
        The statements that came along because a run showed that they change values, each with the values' names.
    error : CaptureError or None
        What is wrong with it all the same.
    findings : Findings
        What could not be compared, and how long its statements take.
    cost : str
        What loading it costs at each cold start, in a line, if that is worth telling.
    choice : Choice
        What was decided beside the analysis.
    """

    piece: Slice
    taken: tuple[tuple[Step, frozenset[str]], ...] = ()
    error: CaptureError | None = None
    findings: Findings = field(default_factory=Findings)
    cost: str = ""
    choice: Choice = NOTHING

    @property
    def left(self) -> str:
        """What could not be compared with a run of the notebook, as one line; empty if there is nothing."""
        left = self.findings.not_compared
        shown = [f"{name} ({reason})" for name, reason in left[:_SHOWN]]
        more = len(left) - len(shown)
        text = self.findings.missing or ", ".join(shown) + (f" and {more} more" if more > 0 else "")
        return f"not compared with a run of the notebook: {text}" if text else ""

    @property
    def along(self) -> list[str]:
        """Which statements came along, a line each."""
        return [
            f"{step.location()} comes along: a run shows that it changes {', '.join(sorted(names))}"
            for step, names in self.taken
        ]


class Search:
    """Looks for the smallest slice that is proven.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    cut : Cut
        Cuts the handler out.
    judge : Judge
        Runs slices.
    handler : str
        The handler's name, by which it is remembered what was decided.
    tell : Callable[[str], None]
        Takes a line of progress each second, and an empty text at the end.
    can_be_bundled : Callable[[str], bool]
        Whether the value of a variable can travel as a bundle.
    """

    def __init__(
        self,
        effects: Effects,
        cut: Cut,
        judge: Judge,
        handler: str,
        tell: Callable[[str], None] = lambda text: None,
        *,
        can_be_bundled: Callable[[str], bool] = lambda name: True,
    ) -> None:
        self.effects, self.steps = effects, effects.timeline.steps
        self._cut_out, self._judge = cut, judge
        self._tries = Tries(effects)
        self._changed: set[str] = set()
        self._handler, self._tell, self._can_bundle = handler, tell, can_be_bundled
        self._runs = 0
        self._also: dict[int, frozenset[str]] = {}
        self._without: dict[int, str] = {}
        self._tried: set[int] = set()

    def prove(self) -> Proof:
        """Cut, run and compare until nothing differs, or nothing is left to try.

        Raises
        ------
        CaptureError
            The slice as the analysis finds it cannot be cut.
        """
        self._smallest = self._cut((), {})
        with ticking(self._going_on, self._tell):
            return self._proven()

    def _cut(self, also: Iterable[int], without: Mapping[int, str]) -> Slice:
        """Cut, and count what the handler changes when it is tried here among what it changes."""
        piece = self._cut_out(also, without)
        return replace(piece, changed=piece.changed | (self._changed & piece.values.keys()))

    def _going_on(self) -> str:
        tried = f", {counted(len(self._tried), 'statement')} tried" if self._tried else ""
        return f"{self._handler}: looking for the statements that it needs, run {max(1, self._runs)}{tried}"

    def _judged(self, piece: Slice) -> Findings:
        self._runs += 1
        return self._judge.judge(piece)

    def _proven(self) -> Proof:
        known = chosen(self.effects, self._handler, self._smallest)
        if known is not None:
            self._also, self._without = dict(known.also), dict(known.without)
            proof = self._searched()
            if proof.error is None:
                return proof
            self._also, self._without, self._tried = {}, {}, set()
        return self._searched()

    def _searched(self) -> Proof:
        end = time.monotonic() + _SECONDS
        for left in reversed(range(_ROUNDS)):
            piece = self._cut(sorted(self._also), self._without)
            try:
                findings = self._judged(piece)
            except StatementFailedError as error:
                last: CaptureError = error
                if not self._completed(piece, error) and not self._does_without(piece, error):
                    return Proof(piece, error=self._named(piece, error))
            except DivergedError as error:
                last = error
                if not self._widened(piece, error.variable):
                    return Proof(piece, error=self._with_doubts(piece, error))
            except CaptureError as error:
                return Proof(piece, error=error)
            else:
                if not left or time.monotonic() > end or not self._sets_more(piece, findings):
                    return self._fewest(piece, findings, end)
                continue
            if time.monotonic() > end:
                break
        return Proof(piece, error=last)

    # -- another slice -------------------------------------------------------------------------------------------

    def _does_without(self, piece: Slice, error: StatementFailedError) -> bool:
        """Leave out a statement that failed, if it is there only for what it changes."""
        position = self._position(piece, error)
        if position is None or position not in piece.optional:
            return False
        self._also.pop(position, None)
        self._without[position] = error.reason
        return True

    def _completed(self, piece: Slice, error: StatementFailedError) -> bool:
        """Take along what the analysis doubts, if it ran before what failed: ``db.executescript(SCHEMA)``."""
        failed = self._position(piece, error)
        doubts = self._untried(piece)
        return self._taken({at: names for at, names in doubts.items() if failed is not None and at < failed})

    def _widened(self, piece: Slice, variable: str) -> bool:
        """Take along what may change a variable that differs: what the analysis doubts, or what a run shows."""
        doubts = self._untried(piece)
        if not doubts:
            shown = changing(variable, self.effects, self._without, self._judge.changing)
            known = {*piece.positions, *self._without, *self._tried}
            doubts = {position: names for position, names in shown.items() if position not in known}
        tries: set[int] = set()
        if not self._keeps_results(variable):
            tries = {position for position in doubts if self._tries.a_handler(self.steps[position])}
        self._tried |= tries
        is_news = bool(tries) and variable not in self._changed
        self._changed |= {variable} if tries else set()
        return self._taken({position: doubts[position] for position in doubts.keys() - tries}) or is_news

    def _keeps_results(self, name: str) -> bool:
        """Whether a variable is a function or class of the notebook: a try may have filled what it keeps of results."""
        positions, _ = self.effects.timeline.standing(name, END)
        return any(self.steps[position].statement.kind in {Kind.FUNCTION, Kind.CLASS} for position in positions)

    def _untried(self, piece: Slice) -> dict[int, frozenset[str]]:
        return {position: names for position, names in piece.doubts.items() if position not in self._tried}

    def _taken(self, doubts: Mapping[int, frozenset[str]]) -> bool:
        """Take along those statements that can run on Lambda; tell whether there are any."""
        self._tried |= doubts.keys()
        taken = {position: names for position, names in doubts.items() if self._can_be_cut(position)}
        self._also |= taken
        return bool(taken)

    def _sets_more(self, piece: Slice, findings: Findings) -> bool:
        """Take along what may set what modules keep for the whole process, where it differs."""
        others = [step.statement for step in self.steps if step.position not in piece.positions]
        text = "\n".join(statement.text for statement in others if statement.kind is not Kind.IMPORT)
        for name in findings.settings:
            words = {name, *(module.partition(".")[0] for module, _ in piece.imported.get(name, ()))}
            if any(word in text for word in words) and self._widened(piece, name):
                return True
        return False

    def _can_be_cut(self, position: int) -> bool:
        try:
            self._cut(sorted({*self._also, position}), self._without)
        except CaptureError as refused:
            self._without[position] = refused.message
            return False
        return True

    def _fewest(self, piece: Slice, findings: Findings, end: float) -> Proof:
        """Leave out again what came along and is not needed, as far as tries and time go."""
        for position in sorted(self._also)[:_TRIES] if len(self._also) > 1 else ():
            if time.monotonic() > end:
                break
            fewer = sorted(self._also.keys() - {position})
            try:
                smaller = self._cut(fewer, self._without)
                found = self._judged(smaller)
            except CaptureError:
                continue
            if set(found.settings) - set(findings.settings):
                continue
            del self._also[position]
            piece, findings = smaller, found
        piece, findings = self._once(piece, findings, end)
        taken = tuple((self.steps[position], self._also[position]) for position in sorted(self._also))
        cost = Cost(piece, self.effects, self._without, findings.statements, self._can_bundle)
        error = self._undecided(piece, findings) or cost.too_slow()
        choice = Choice(dict(self._also), dict(self._without))
        if error is None:
            remember(self.effects, self._handler, self._smallest, choice)
        return Proof(piece, taken, error, findings, cost.note, choice)

    def _once(self, piece: Slice, findings: Findings, end: float) -> tuple[Slice, Findings]:
        """Leave out what a cell set that was run again since, if that is enough: all of it, else one by one."""
        repeated = run_again(piece, self.steps)
        for some in [repeated, *([position] for position in repeated[:_TRIES] if len(repeated) > 1)]:
            without = {**self._without, **dict.fromkeys(some, RUN_AGAIN)}
            also = {position: names for position, names in self._also.items() if position not in some}
            if not set(some) <= set(piece.positions) or not some or time.monotonic() > end:
                continue
            try:
                smaller = self._cut(sorted(also), without)
                found = self._judged(smaller)
            except CaptureError:
                continue
            if not set(found.settings) - set(findings.settings):
                piece, findings, self._also, self._without = smaller, found, also, without
        return piece, findings

    # -- what to say ---------------------------------------------------------------------------------------------

    def _position(self, piece: Slice, error: StatementFailedError) -> int | None:
        cell, line = error.statement or ("", 0)
        return position_of(piece, self.steps, cell, line)

    def _named(self, piece: Slice, error: StatementFailedError) -> CaptureError:
        """Name the variable that is to be bundled instead: the one nearest to the handler that can be."""
        position = self._position(piece, error)
        if position is not None:
            names = list(dict.fromkeys(nearest(piece, position, self.effects, self._without)))
            name_what_to_bundle(
                error, piece, self.steps[position], names, self.effects, can_be_bundled=self._can_bundle
            )
        return error

    def _of_place(self, piece: Slice, names: Collection[str]) -> CaptureError | None:
        """Return the error of a statement that asks where it runs, and that some values are made of."""
        for name in sorted(names):
            for position in self.effects.timeline.standing(name, END)[0] if piece.places else ():
                for maker in makers(self.steps[position], self.effects, self._without):
                    if maker in piece.places:
                        return piece.places[maker]
        return None

    def _with_doubts(self, piece: Slice, error: DivergedError) -> CaptureError:
        """Add which statements may matter, and were tried; of a value that is of this computer, say that."""
        known = self._of_place(piece, {error.variable})
        known = known or made_by_chance(error.variable, self.effects, self._without)
        if known is not None:
            return known
        tried = [self.steps[position] for position in sorted(self._tried)]
        if tried:
            error.message += f"; with and without {_listed(tried)}"
            error.hint = f"{error.hint}; {_MARKS}"
        return error

    def _undecided(self, piece: Slice, findings: Findings) -> CaptureError | None:
        """Ask about the statements that may change what could not be compared, or make it another one elsewhere."""
        left = [re.match(r"\w+", name) for name, reason in findings.not_compared if reason != LAST_DIGITS]
        blind = {match[0] for match in left if match is not None}
        of_place = self._of_place(piece, piece.values if findings.missing else blind)
        if of_place is not None:
            return of_place
        asked = [position for position, names in piece.doubts.items() if names & blind]
        if not asked:
            return None
        names = sorted(set[str]().union(*(piece.doubts[position] for position in asked)) & blind)
        steps = [self.steps[position] for position in asked]
        what = f"{', '.join(names)}, which the handler needs and no run can compare"
        text = f"it cannot be told whether this statement changes {what}"
        if len(steps) > 1:
            text = f"it cannot be told whether these statements change {what}: {_listed(steps)}"
        return CaptureError(text, _MARKS, steps[0].location(), code="ambiguous-mutation")


def _listed(steps: list[Step]) -> str:
    shown = [step.location().place for step in steps[:_SHOWN]]
    more = [f"{len(steps) - _SHOWN} more"] if len(steps) > _SHOWN else []
    return "; ".join([*shown, *more])


_MARKS = "write '# nbchalice: include' on the line above what must run on Lambda too, '# nbchalice: exclude' if not"
