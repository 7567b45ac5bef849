"""Where a line of a captured module stands in the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbchalice.errors import Location


def place_of(segments: Sequence[Mapping[str, Any]], module: str, line: int) -> Location | None:
    """Return the cell, line and text of a line of a captured module, or None for a line that no cell has.

    Parameters
    ----------
    segments: which lines of the module are which lines of which cell, as of `Slice`.
    module: the module's text.
    line: its line, counted from 1.
    """
    for segment in segments:
        if segment["line"] <= line < segment["line"] + segment["count"]:
            text = module.split("\n")[line - 1]
            return Location(segment["cell"], segment["cell_line"] + line - segment["line"], text)
    return None
