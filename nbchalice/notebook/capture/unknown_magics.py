"""Cells under a magic that is not known here: a typing error, or one of a package that is not installed.

What stands there may be a handler that was deployed before, so nothing that it may be is removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.analysis.magic import PYTHON_BODIES
from nbchalice.notebook.capture.mentions import TEXTS
from nbchalice.notebook.cells import Cell
from nbchalice.runtime.entry_points import source_names
from nbchalice.text import nearest

_MAGIC = re.compile(r"%%(\w+)(.*)")
_FUNCTION = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(\w+)", re.M)
_NAME = re.compile(r"--name[ =](\S+)")


@dataclass(frozen=True)
class UnknownMagic:
    """A cell that may hold a handler, under a magic that is not known here.

    Parameters
    ----------
    magic : str
        The magic's name.
    names : frozenset[str]
        What the handler may be called.
    location : Location
        The magic's line.
    meant : str or None
        The magic of ours that was probably meant.
    """

    magic: str
    names: frozenset[str]
    location: Location
    meant: str | None

    @property
    def is_ours(self) -> bool:
        """Whether it reads like an event source's."""
        kin = {name.partition("_")[0] for name in source_names()}
        return self.meant is not None or self.magic.partition("_")[0] in kin

    @property
    def error(self) -> CaptureError:
        """What is wrong, and the fix."""
        install = f"install the package that provides %%{self.magic}, and load it"
        meant = f"did you mean %%{self.meant}? Or {install}" if self.meant else install
        text = f"there is no cell magic %%{self.magic} here, so its handler is not deployed, and not removed"
        return CaptureError(text, meant, self.location, code="unknown-magic")


def unknown_magics(cells: Iterable[Cell]) -> Iterator[UnknownMagic]:
    """Find the cells that begin with a magic that is not known here, and define a function.

    Parameters
    ----------
    cells : Iterable[Cell]
        The notebook's cells.
    """
    ours = source_names()
    for cell in cells:
        lines = cell.source.split("\n")
        first = next((n for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")), 1)
        magic = _MAGIC.match(lines[first - 1])
        if magic is None or magic[1] in ours or magic[1] in PYTHON_BODIES or magic[1] in TEXTS:
            continue
        names = {*_FUNCTION.findall(cell.source), *_NAME.findall(magic[2])}
        if names:
            yield UnknownMagic(magic[1], frozenset(names), cell.location(first), nearest(magic[1], ours))
