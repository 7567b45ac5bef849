"""When a bundle was taken: a value that holds a later change already must not be changed by it again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.history import END

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step


def makers(effects: Effects, name: str, moment: int) -> list[str]:
    """Return what made the value that a name has at a moment: its last definition and all changes since, as hashes.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    name : str
        The variable.
    moment : int
        A position.
    """
    timeline = effects.timeline
    events = [event for event in timeline.events.get(name, ()) if event.position < moment]
    definitions: list[int] = []
    for event in reversed(events):
        if not _takes(timeline.steps[event.position], name):
            definitions.append(event.position)
            if event.definite:
                break
    first = min(definitions, default=0)
    values = [event.position for event in events if event.position >= first]
    changes: set[int] = set()
    for value in values:
        changes |= {at for at in effects.of((name, value)) if at < moment}
    return [_hash(timeline.steps[at]) for at in sorted({*definitions, *changes})]


def makers_now(effects: Effects, name: str) -> list[str]:
    """Return what made the value that ``%chalice bundle NAME`` takes, which may be running; see ``makers``."""
    lines = [step.position for step in lines_of(effects, name)]
    last = effects.timeline.cells[-1] if effects.timeline.cells else None
    running = [at for at in lines if effects.timeline.steps[at].cell is last]
    return makers(effects, name, running[-1] if running else END)


def used_before(effects: Effects, name: str) -> list[Step]:
    """Return the steps that took a value before its last ``%chalice bundle NAME``, which they do not load.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    name : str
        The variable.
    """
    moment = lines_of(effects, name)[-1].position if lines_of(effects, name) else END
    steps = effects.timeline.steps
    made = [at for at in effects.timeline.standing(name, moment)[0] if not _takes(steps[at], name)]
    return [step for step in steps if made and max(made) < step.position < moment and name in step.statement.now.uses]


def require_taken_in_order(effects: Effects, name: str, made_by: Sequence[str]) -> None:
    """Refuse a bundle that was taken elsewhere than its line stands, where the rest would be done to it again.

    Parameters
    ----------
    effects : Effects
        The notebook's file, followed from top to bottom.
    name : str
        The bundled variable.
    made_by : Sequence[str]
        What had made the value when it was taken.

    Raises
    ------
    CaptureError
        Names the first statement after the line that changes the value.
    """
    for line in lines_of(effects, name)[-1:]:
        after = _later(effects, name, line.position)
        if after and list(made_by) != makers(effects, name, line.position):
            step = effects.timeline.steps[after[0]]
            raise CaptureError(
                f"the bundle {name} was not taken where its line stands ({line.cell.label}), and this statement, which "
                f"comes later, may be in it already",
                f"move %chalice bundle {name} below it and run it there; or run all cells from the top, in Jupyter or "
                "with --execute",
                step.location(),
                code="bundle-out-of-order",
            )


def _later(effects: Effects, name: str, moment: int) -> list[int]:
    events = effects.timeline.events.get(name, ())
    changes = set(effects.of((name, moment))) | {event.position for event in events}
    return sorted(at for at in changes if at > moment)


def lines_of(effects: Effects, name: str) -> list[Step]:
    """Return the steps that ``%chalice bundle NAME`` is, in the order in which they ran.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    name : str
        The variable.
    """
    return [step for step in effects.timeline.steps if _takes(step, name)]


def _takes(step: Step, name: str) -> bool:
    """Tell whether a statement is the one that stands for ``%chalice bundle NAME``."""
    at = {line for line, bundled in step.split.body.bundles if bundled == name}
    return step.statement.head in at and name in step.statement.defines


def _hash(step: Step) -> str:
    return hashlib.sha256(step.statement.text.encode()).hexdigest()[:16]
