"""Cells that were edited after they were run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.capture.stale_types import require_current_types
from nbchalice.notebook.secrets.find import shown_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbchalice.handlers import Handler
    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.cells import Cell


def require_as_run(
    handler: Handler, piece: Slice, executed: Sequence[Cell], written: Sequence[Cell], saved: object = None
) -> None:
    """Refuse a handler of a kernel where what the notebook says is not what was run: a record's type, or a cell.

    Parameters
    ----------
    handler : Handler
        The handler.
    piece, executed, written, saved : Slice or Sequence[Cell] or object
        As for `require_fresh`.

    Raises
    ------
    CaptureError
        Names the cells to run again.
    """
    require_current_types(handler, executed)
    require_fresh(piece, executed, written, saved)


def require_fresh(piece: Slice, executed: Sequence[Cell], written: Sequence[Cell], saved: object = None) -> None:
    """Refuse a slice with a cell whose text in the saved document is not what was run.

    A document that was saved before the cell ran says nothing: edit, run, deploy, and save some time later.

    Parameters
    ----------
    piece : Slice
        The slice.
    executed : Sequence[Cell]
        The cells of the live session.
    written : Sequence[Cell]
        The cells of the saved notebook; those whose id the session does not know are not compared.
    saved : object
        The state of the saved notebook.

    Raises
    ------
    CaptureError
        Names the cell and its first line that differs.
    """
    document = {cell.id: cell for cell in written}
    last = {cell.id: cell for cell in executed}
    for segment in piece.segments:
        ran, stands = last.get(segment.id), document.get(segment.id)
        if ran is None or stands is None or ran.source.strip() == stands.source.strip():
            continue
        if saved is not None and ran.saved == saved:
            continue
        old, new = ran.source.split("\n"), stands.source.split("\n")
        common = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
        place = Location(ran.label, common + 1, shown_line(new[common]) if common < len(new) else "(removed)")
        hint = "run it again, or undo the edit and save the notebook"
        raise CaptureError(f"{ran.label} was edited after it was run", hint, place, code="stale-cell")
