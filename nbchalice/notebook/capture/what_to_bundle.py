"""What to bundle instead of a statement that fails on Lambda: a value that can be, from where it counts."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.known_calls import READS_FILES
from nbchalice.notebook.capture.bundle_order import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nbchalice.errors import CaptureError
    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.slice import Slice

_ANY = "%chalice bundle NAME"
_NAMED = re.compile(r"%chalice bundle (\w+)")
_ONE_WAY = re.compile(r"(?:bundle its value|take its value along) with (?:%chalice bundle \w+(?:, | and )?)+")


def name_what_to_bundle(
    error: CaptureError,
    piece: Slice,
    failed: Step,
    names: Sequence[str],
    effects: Effects,
    *,
    can_be_bundled: Callable[[str], bool],
) -> None:
    """Put into the fix of an error what can be bundled, and into its message which bundle does not count and why.

    Parameters
    ----------
    error : CaptureError
        The error of a statement; its fix may say ``%chalice bundle NAME``.
    piece : Slice
        The slice that the statement is in.
    failed : Step
        The statement.
    names : Sequence[str]
        The variables that cannot be made without it, the nearest to the handler first.
    effects : Effects
        The followed notebook.
    can_be_bundled : Callable[[str], bool]
        Whether the value of a variable can travel as a bundle.
    """
    if _ANY not in (error.hint or ""):
        return
    for name in names:
        late = [line for line in lines_of(effects, name) if line.position > failed.position]
        if late:
            error.message += f"; %chalice bundle {name} ({late[-1].cell.label}) counts only for what runs after it"
            break
    name = next(filter(can_be_bundled, names), "")
    error.hint = (error.hint or "").replace(_ANY, _way(name, piece, effects) if name else _by_part(failed, names))


def without_refused(error: CaptureError, can_be_bundled: Callable[[str], bool]) -> CaptureError:
    """Return an error whose fix names no bundle that would be refused.

    Parameters
    ----------
    error : CaptureError
        The error; its fix may say to bundle a value, among other ways.
    can_be_bundled : Callable[[str], bool]
        Whether the value of a variable can travel as a bundle.
    """

    def kept(found: re.Match[str]) -> str:
        return found[0] if all(map(can_be_bundled, _NAMED.findall(found[0]))) else ""

    # run cell 3 again; if that changes nothing, [take its value along with %chalice bundle x, or] mark the statement
    error.hint = _ONE_WAY.sub(kept, error.hint or "").replace("nothing, or mark", "nothing, mark") or None
    return error


def _way(name: str, piece: Slice, effects: Effects) -> str:
    """Say where to bundle a variable: anywhere, if only the handler takes it; else before the first that takes it."""
    steps = effects.timeline.steps
    used = [position for position in piece.positions if name in steps[position].statement.now.uses]
    made = [at for at in piece.positions if name in steps[at].statement.binds and at < min(used, default=0)]
    if not used or not made:
        return f"%chalice bundle {name}"
    end = steps[max(made)].location(steps[max(made)].statement.end)
    user = steps[min(used)].location()
    return f"%chalice bundle {name} on the line below {end.place}, before {user.place} uses it, and run the cells again"


def _by_part(failed: Step, names: Sequence[str]) -> str:
    """Say that the part which is read needs a name of its own, as what is made of it cannot travel."""
    read = _what_is_read(failed.statement.text)
    refused = f" ({', '.join(names)} cannot be bundled)" if names else ""
    return (
        f"%chalice bundle TEXT{refused}: in a cell above, write TEXT = {read or '... (what it needs)'} and, on the "
        f"line below, %chalice bundle TEXT; then use TEXT {'in its place' if read else 'here'} and run the cells again"
    )


def _what_is_read(text: str) -> str:
    """Return the call in a statement that reads a file, as it is written there; empty if none is known."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            last = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if last in READS_FILES - {"open"}:
                return ast.unparse(node)
    return ""
