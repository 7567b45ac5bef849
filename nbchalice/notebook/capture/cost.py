"""What loading a handler's code costs at each cold start, as the proof measured it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.capture.made_of import DATA, nearest

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.slice import Slice

LAMBDA_SECONDS = 10.0
"""How long a function's code may load (AWS Lambda, "Lambda execution environment lifecycle", Init phase)."""
WORTH_TELLING = 0.5


class Cost:
    """What the statements of a slice cost.

    Parameters
    ----------
    piece : Slice
        The slice.
    effects : Effects
        The followed notebook.
    without : Container[int]
        Positions of statements that are not to run for what they change.
    statements : Iterable[tuple[str, int, float]]
        Cell, raw line, and seconds of processor time of the statements that take any worth telling.
    """

    def __init__(
        self, piece: Slice, effects: Effects, without: Container[int], statements: Iterable[tuple[str, int, float]]
    ) -> None:
        self._piece, self._effects, self._without = piece, effects, without
        self._statements = sorted(statements, key=lambda one: -one[2])
        self._seconds = sum(spent for _, _, spent in self._statements)

    def too_slow(self) -> CaptureError | None:
        """Return the error of a slice that takes longer to load than Lambda allows."""
        slowest = self._slowest()
        if slowest is None or self._seconds <= LAMBDA_SECONDS:
            return None
        step, spent = slowest
        return CaptureError(
            f"the handler's code takes {_text(self._seconds)} to load, and Lambda allows {_text(LAMBDA_SECONDS)}: "
            f"{_text(spent)} of it is this statement",
            f"bundle the value with %chalice bundle {self._bundled(step) or 'NAME'}",
            step.location(),
            code="needs-bundle",
        )

    @property
    def note(self) -> str:
        """What loading it costs at each cold start, in a line, if that is worth telling."""
        slowest = self._slowest()
        if slowest is None or slowest[1] < WORTH_TELLING:
            return ""
        step, spent = slowest
        name = self._bundled(step)
        less = f"; %chalice bundle {name} saves that" if name else ""
        return (
            f"each cold start takes {_text(self._seconds)} to load it, {_text(spent)} of that for "
            f"{step.location().place}{less}"
        )

    def _slowest(self) -> tuple[Step, float] | None:
        """Return the statement that takes longest of those that are no imports, and how long."""
        for cell, line, spent in self._statements:
            position = position_of(self._piece, self._effects.timeline.steps, cell, line)
            if position is not None and self._effects.timeline.steps[position].statement.kind in DATA:
                return self._effects.timeline.steps[position], spent
        return None

    def _bundled(self, step: Step) -> str | None:
        return next(nearest(self._piece, step.position, self._effects, self._without), None)


def position_of(piece: Slice, steps: list[Step], cell: str, line: int) -> int | None:
    """Return the position of the statement of a slice that has a raw line of a cell.

    Parameters
    ----------
    piece : Slice
        The slice.
    steps : list[Step]
        The notebook's statements.
    cell : str
        The cell's label.
    line : int
        The line.
    """
    for position in piece.positions:
        step = steps[position]
        if step.cell.label == cell and step.statement.line <= line <= step.statement.end:
            return position
    return None


def _text(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < LAMBDA_SECONDS else f"{seconds:.0f} s"
