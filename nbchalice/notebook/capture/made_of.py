"""What a value of a slice is made of: the statements between it and the notebook's beginning."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.history import END
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.capture.closure import Closure
from nbchalice.notebook.capture.origins import unsteady_in_functions

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.slice import Slice

DATA = frozenset({Kind.ASSIGN, Kind.COMPOUND, Kind.EXPRESSION})
_WATCHED = 12


def makers(step: Step, effects: Effects, without: Container[int]) -> dict[int, set[str]]:
    """Return the positions of the statements that a statement needs, each with the names; itself among them.

    Parameters
    ----------
    step : Step
        The statement.
    effects : Effects
        The followed notebook.
    without : Container[int]
        Positions of statements that are not to run for what they change.
    """
    closure = Closure(effects.timeline, effects, without=without)
    closure.add(step, step.position, step.statement.binds)
    try:
        closure.finish()
    except CaptureError:
        return {}
    return closure.wanted


def made_by_chance(name: str, effects: Effects, without: Container[int]) -> CaptureError | None:
    """Return the error of a variable that differs and is made with a function that draws, or asks for the moment.

    Parameters
    ----------
    name : str
        The variable.
    effects : Effects
        The followed notebook.
    without : Container[int]
        As for ``makers``.
    """
    for position in effects.timeline.standing(name, END)[0]:
        for maker, names in sorted(makers(effects.timeline.steps[position], effects, without).items()):
            refusal = unsteady_in_functions(effects.timeline.steps[maker], effects, ", ".join(sorted(names)) or name)
            if refusal is not None:
                return refusal
    return None


def nearest(piece: Slice, failed: int, effects: Effects, without: Container[int]) -> Iterator[str]:
    """Yield the variables that cannot be made without a statement, the one nearest to the handler first.

    Parameters
    ----------
    piece : Slice
        The slice.
    failed : int
        Position of the statement.
    effects, without : Effects or Container[int]
        As for ``makers``.
    """
    for position in piece.positions:
        step = effects.timeline.steps[position]
        names = sorted(step.statement.binds & piece.values.keys()) or sorted(step.statement.binds)
        if step.statement.kind in DATA and names and failed in makers(step, effects, without):
            yield names[0]


def changing(
    variable: str,
    effects: Effects,
    without: Container[int],
    run: Callable[[Iterable[str]], Mapping[str, Iterable[int]]],
) -> dict[int, frozenset[str]]:
    """Return the statements that change a variable, or what it is made of before it is: ``v = f(x)`` after a hidden
    change of ``x``.

    Parameters
    ----------
    variable : str
        The variable.
    effects, without : Effects or Container[int]
        As for ``makers``.
    run : Callable[[Iterable[str]], Mapping[str, Iterable[int]]]
        Runs the notebook, and returns after which statements each of some names is another.
    """
    timeline = effects.timeline
    made = timeline.standing(variable, END)[0]
    needs: dict[str, None] = {}  # the nearest first
    for position in made:
        for names in makers(timeline.steps[position], effects, without).values():
            needs |= dict.fromkeys(sorted(names))
    found: dict[int, set[str]] = defaultdict(set)
    for name, positions in run([variable, *(name for name in needs if name != variable)][:_WATCHED]).items():
        for position in positions:
            if name == variable or position < max(made):
                found[position].add(name)
    return {position: frozenset(names) for position, names in sorted(found.items())}
