"""Which statements of a slice may run again on Lambda, and the error of one that may not."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.capture.origins import require_no_local_files, require_steady, unsteady

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step, Timeline


def require_replayable(step: Step, effects: Effects, wanted: set[str], *, by_run: bool = False) -> None:
    """Refuse a statement that cannot run again on Lambda, or must not.

    Parameters
    ----------
    step : Step
        A statement of the slice.
    effects : Effects
        The followed notebook.
    wanted : set[str]
        The names that the slice needs of it.
    by_run : bool
        Whether a run decides where the place matters. Default: no.

    Raises
    ------
    CaptureError
        It failed, awaits, contains a magic, or asks for what is different on Lambda or each time.
    """
    statement = step.statement
    names = ", ".join(sorted(wanted) or sorted(statement.binds) or ["this value"])
    if step.failed:
        raise CaptureError(
            f"{names} may have been changed by a statement that failed part way",
            f"run the cell that defines {names} again, and then this one without the error",
            step.location(step.cell.failed_line),
            code="failed-cell",
        )
    if statement.awaits:
        raise CaptureError(
            "the handler needs a statement that awaits outside a function",
            "use asyncio.run(...) inside the handler, or bundle the value",
            step.location(),
            code="top-level-await",
        )
    if statement.repeats:
        raise CaptureError(
            f"%timeit may have changed {names}, as often as it ran this statement",
            f"time a copy, and run the cell that makes {names} again",
            step.location(),
            code="magic-in-statement",
        )
    for line in step.split.body.magics:
        if statement.head <= line <= statement.end:
            raise CaptureError(
                "the handler needs a statement that contains a magic or shell line, which cannot run on Lambda",
                "write it in plain Python",
                step.location(line),
                code="magic-in-statement",
            )
    if not by_run:
        require_steady(step, effects, names)
    elif refusal := unsteady(step, effects, names, of_place=False):
        raise refusal
    require_no_local_files(step, effects)


def require_unwritten(steps: Sequence[Step], timeline: Timeline) -> None:
    """Refuse a module whose file a cell wrote again after it was imported: Python still has the first one.

    Parameters
    ----------
    steps : Sequence[Step]
        The statements of a slice.
    timeline : Timeline
        The executed statements.

    Raises
    ------
    CaptureError
        Names the module and the cell.
    """
    for module, (position, cell) in timeline.rewritten.items():
        early, late = timeline.steps[:position], timeline.steps[position:]
        calls = chain.from_iterable(step.statement.now.calls.values() for step in late)
        reloaded = any(call.text.endswith("reload") for call in calls)
        if reloaded or any("%autoreload" in other.source for other in timeline.cells):
            continue
        if _imports(steps, module) and _imports(early, module):
            raise CaptureError(
                f"{module}.py is written again in {cell.label}, after it was imported",
                f"write it once, or run importlib.reload({module}) after it",
                cell.location(1),
                code="stale-module",
            )


def _imports(steps: Sequence[Step], module: str) -> bool:
    aliases = chain.from_iterable(step.statement.imports for step in steps)
    return any(alias.module == module for alias in aliases)
