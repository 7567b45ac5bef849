"""Where a line of a captured module stands in the notebook."""

from __future__ import annotations

from collections.abc import Sequence

from nbchalice.errors import Location
from nbchalice.notebook.secrets.find import shown_line
from nbchalice.runtime.cells import Segment


def location_of(segments: Sequence[Segment], module: str, line: int) -> Location | None:
    """Return the cell, line and text of a line of a captured module, or None for a line that no cell has.

    Parameters
    ----------
    segments : Sequence[Segment]
        Which lines of the module are which lines of which cell, as of `Slice`.
    module : str
        The module's text.
    line : int
        Its line, counted from 1.
    """
    for segment in segments:
        if segment.line <= line < segment.line + segment.count:
            text = shown_line(module.split("\n")[line - 1])
            return Location(segment.cell, segment.cell_line + line - segment.line, text)
    return None
