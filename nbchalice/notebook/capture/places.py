"""Where a line of deployed code stands in the notebook as it is now.

A frame says what its cell was called when the code was deployed. Since then the cell may have been run again, edited,
moved or deleted, and another one may be called so.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nbchalice.notebook.cells import Cell

KEY = r"@[0-9a-f]{8}"
# What stands for the id of a cell that has none tells no cell from another.
MADE_UP = re.compile(r"(exec|cell)-\d*$|$")
DEFINITION = re.compile(r"\s*(async\s+)?def\s+(\w+)")


def frame_key(identity: str) -> str:
    """Return what a frame's file name bears after the label, to know the cell by; nothing where its id is made up."""
    return "" if MADE_UP.match(identity) else f"@{zlib.crc32(identity.encode()):08x}"


@dataclass(frozen=True)
class DeployedLine:
    """A line of a cell as a traceback of deployed code names it.

    Parameters
    ----------
    label : str
        What the cell was called then.
    key : str
        As `frame_key` gives it, or an empty text.
    line : int
        The line then.
    function : str
        The function it is in, or an empty text.
    source : str
        The line's text, or an empty text.
    """

    label: str
    key: str
    line: int
    function: str = ""
    source: str = ""

    def lines_in(self, cell: Cell) -> list[int]:
        """Return the lines of a cell that have its text, in a function of its name."""
        texts = cell.source.split("\n")
        same = [number for number, text in enumerate(texts, 1) if _is_same(self.source, text)]
        return [number for number in same if _is_in(self.function, texts, number)]

    def line_in(self, cell: Cell) -> int | None:
        """Return the nearest of these lines, or None."""
        return min(self.lines_in(cell), key=lambda line: abs(line - self.line), default=None)


def _is_same(source: str, text: str) -> bool:
    """Whether a line of a cell is what a traceback shows: of ``a = 1; b = 2`` the package may have one part only."""
    parts = source.strip().split("; ")
    return source.strip() == text.strip() or (";" in text and all(part in text for part in parts))


def _is_in(function: str, texts: Sequence[str], number: int) -> bool:
    if not function or (function.startswith("<") and function != "<module>"):
        return True  # A lambda or a comprehension.
    inside = texts[number - 1]
    indent = len(inside) - len(inside.lstrip())
    for text in reversed(texts[: number - 1]):
        depth = len(text) - len(text.lstrip())
        if text.strip() and depth < indent:
            if found := DEFINITION.match(text):
                return found[2] == function
            indent = depth
    return function == "<module>"


class Present:
    """The cells of a notebook as they are now.

    Parameters
    ----------
    notebook : str
        The notebook's file name.
    ran : Sequence[Cell]
        The executed cells of a kernel, in their order; or those of a file, where there is no kernel.
    written : Callable[[], Sequence[Cell]]
        Reads the cells of the file, for those that a kernel has not run.
    """

    def __init__(self, notebook: str, ran: Sequence[Cell], written: Callable[[], Sequence[Cell]]) -> None:
        self.notebook = notebook
        self._ran = _last(ran)
        self._written = written

    def find(self, notebook: str, deployed: DeployedLine) -> tuple[str, int]:
        """Return what a cell is called now, and the line in it; where that is not certain the name says so.

        Parameters
        ----------
        notebook : str
            The file name of the notebook that the frame names.
        deployed : DeployedLine
            The line.
        """
        cells = self._ran
        own = [cell for cell in cells if deployed.key and frame_key(cell.id) == deployed.key]
        if not own:
            cells = [*self._ran, *self._not_run()]
            own = [cell for cell in cells if deployed.key and frame_key(cell.id) == deployed.key]
        if not own and notebook != self.notebook:
            return f"{deployed.label} of {notebook}", deployed.line
        if len(own) == 1:
            line = deployed.line_in(own[0]) if deployed.source else deployed.line
            if line is not None:
                return own[0].label, line
        if not deployed.key and not deployed.source:
            return deployed.label, deployed.line
        found = [(cell.label, line) for cell in cells if deployed.source and (line := deployed.line_in(cell))]
        if len(found) == 1 or (found and len({line for _, line in found}) == 1):
            return " or ".join(label for label, _ in found), found[0][1]
        if len(own) == 1:
            return f"{own[0].label} (as deployed)", deployed.line
        return f"former {deployed.label}", deployed.line

    def _not_run(self) -> list[Cell]:
        ids, texts = {cell.id for cell in self._ran}, {cell.source.strip() for cell in self._ran}
        return [cell for cell in self._written() if cell.id not in ids and cell.source.strip() not in texts]


def _last(cells: Sequence[Cell]) -> list[Cell]:
    """Return the last execution of each cell; where front ends give no ids, of each text."""
    last = {cell.id: cell for cell in cells}
    texts = {cell.source.strip(): cell for cell in last.values() if MADE_UP.match(cell.id)}
    return [cell for cell in last.values() if not MADE_UP.match(cell.id)] + list(texts.values())
