"""What loading a handler's code costs at each cold start, as the proof measured it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.model import Kind
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
        slowest = sorted(statements, key=lambda one: -one[2])
        self._seconds = sum(spent for _, _, spent in slowest)
        steps = effects.timeline.steps
        found = [(position_of(piece, steps, cell, line), spent) for cell, line, spent in slowest]
        self._steps = [(steps[position], spent) for position, spent in found if position is not None]

    def too_slow(self) -> CaptureError | None:
        """Return the error of a slice that takes longer to load than Lambda allows."""
        if not self._steps or self._seconds <= LAMBDA_SECONDS:
            return None
        step, spent = self._steps[0]
        is_import = step.statement.kind is Kind.IMPORT
        bundle = f"bundle the value with %chalice bundle {self._bundled(step) or 'NAME'}"
        return CaptureError(
            f"the handler's code takes {_text(self._seconds)} to load, and Lambda allows {_text(LAMBDA_SECONDS)}: "
            f"{_text(spent)} of it is this statement",
            "import less, or import it within the function that needs it" if is_import else bundle,
            step.location(),
            code="slow-import" if is_import else "needs-bundle",
        )

    @property
    def note(self) -> str:
        """What loading it costs at each cold start, in a line, if that is worth telling."""
        if self._seconds < WORTH_TELLING:
            return ""
        shares = [share for share in (self._imports(), self._slowest()) if share]
        of_that = ", ".join(shares).replace(" for", " of that for", 1)
        return ", ".join([f"each cold start takes {_text(self._seconds)} to load it", *([of_that] if of_that else [])])

    def _imports(self) -> str:
        """Say what the imports take, and which of them takes longest, if that is worth telling."""
        imports = [(step, spent) for step, spent in self._steps if step.statement.kind is Kind.IMPORT]
        seconds = sum(spent for _, spent in imports)
        if not imports or seconds < WORTH_TELLING:
            return ""
        step = imports[0][0]
        modules = ", ".join(dict.fromkeys(alias.module for alias in step.statement.imports))
        place = f"{step.cell.label}, line {step.statement.line}"
        return f"{_text(seconds)} for imports ({place}: {modules})"

    def _slowest(self) -> str:
        """Say which statement takes longest of those that are no imports, and how long, if that is worth telling."""
        for step, spent in self._steps:
            if step.statement.kind in DATA and spent >= WORTH_TELLING:
                name = self._bundled(step)
                less = f"; %chalice bundle {name} saves that" if name else ""
                return f"{_text(spent)} for {step.location().place}{less}"
        return ""

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
