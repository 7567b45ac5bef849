"""Cells that were run again unchanged: what they set is set once, if a run shows that once is enough."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.slice import Slice

RUN_AGAIN = ""
"""Why such a statement is left out: nothing is to be said of it, for it is there once."""


def run_again(piece: Slice, steps: Sequence[Step]) -> list[int]:
    """Return the statements of a slice that set something, as the same statement of the same cell did before or since.

    Parameters
    ----------
    piece : Slice
        The slice.
    steps : Sequence[Step]
        The notebook's statements.
    """
    runs: dict[tuple[str, str, str, int, int], list[int]] = defaultdict(list)
    acting = [position for position in sorted(piece.positions) if _acts(piece, steps[position])]
    before: Counter[tuple[int, str, int]] = Counter()
    for position in sorted(piece.positions):
        step = steps[position]
        here = id(step.cell), step.statement.text, step.statement.line  # "f(); f()" is two statements of one run
        runs[step.cell.id, step.cell.source, *here[1:], before[here]].append(position)
        before[here] += 1
    found: list[int] = []
    for positions in runs.values():
        cell = steps[positions[0]].cell.id
        between = [at for at in acting if positions[0] < at < positions[-1] and steps[at].cell.id != cell]
        binds = any(steps[at].cell.id == cell and not _acts(piece, steps[at]) for at in piece.positions)
        # The last run counts, but where nothing was set since the first, that one stands where it always stood.
        found += positions[:-1] if between or binds else positions[1:]
    # What the handler changes is not compared once it ran here: no run can show that once is enough.
    return [at for at in sorted(set(found) & set(acting)) if not _names(steps[at]) & piece.changed]


def _names(step: Step) -> frozenset[str]:
    return frozenset(step.statement.now.uses) | step.statement.binds


def _acts(piece: Slice, step: Step) -> bool:
    return not step.statement.binds or step.position in piece.optional
