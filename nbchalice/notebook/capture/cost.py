"""What loading a handler's code costs at each cold start, as the proof measured it."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.capture.made_of import DATA, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

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
    can_be_bundled : Callable[[str], bool]
        Whether the value of a variable can travel as a bundle.
    """

    def __init__(
        self,
        piece: Slice,
        effects: Effects,
        without: Container[int],
        statements: Iterable[tuple[str, int, float]],
        can_be_bundled: Callable[[str], bool],
    ) -> None:
        self._piece, self._effects, self._without, self._can = piece, effects, without, can_be_bundled
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
        is_import = imports(step.statement.text)
        name = self._bundled(step)
        bundle = f"bundle the value with %chalice bundle {name}" if name else "make it within the handler"
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
        own = [(step, spent) for step, spent in self._steps if imports(step.statement.text)]
        seconds = sum(spent for _, spent in own)
        if not own or seconds < WORTH_TELLING:
            return ""
        step = own[0][0]
        modules = ", ".join(dict.fromkeys(alias.module for alias in step.statement.imports))
        place = f"{step.cell.label}, line {step.statement.line}"
        return f"{_text(seconds)} for imports ({place}: {modules})"

    def _slowest(self) -> str:
        """Say which statement takes longest of those that are no imports, and how long, if that is worth telling."""
        for step, spent in self._steps:
            if step.statement.kind in DATA and not imports(step.statement.text) and spent >= WORTH_TELLING:
                # Where it also imports, nobody knows what of it a bundle would save.
                name = self._bundled(step) if not step.statement.imports else None
                less = f"; %chalice bundle {name} saves that" if name else ""
                return f"{_text(spent)} for {step.location().place}{less}"
        return ""

    def _bundled(self, step: Step) -> str | None:
        return next(filter(self._can, nearest(self._piece, step.position, self._effects, self._without)), None)


@lru_cache(maxsize=2048)
def imports(text: str) -> bool:
    """Tell whether a statement only imports: also ``try: import orjson`` with what is done where there is none.

    Parameters
    ----------
    text : str
        The statement.
    """
    if "import" not in text:
        return False
    nodes = ast.parse(text).body
    return any(map(_has_import, nodes)) and not any(map(_does_more, nodes))


def _has_import(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Import | ast.ImportFrom) for part in ast.walk(node))


def _does_more(node: ast.AST) -> bool:
    """Tell whether a statement also calls or computes something; what is done if an import fails does not count."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Pass | ast.Raise | ast.ExceptHandler):
        return False
    if isinstance(node, ast.With):  # with warnings.catch_warnings(): import torch
        return any(map(_does_more, node.body))
    if isinstance(node, ast.Expr | ast.Assign):
        return any(isinstance(part, ast.Call | ast.BinOp | ast.comprehension) for part in ast.walk(node))
    if isinstance(node, ast.If | ast.Try):
        return any(_does_more(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
    return True


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
