"""The live session: every cell as it was executed, told by IPython's own hooks."""

from __future__ import annotations

import linecache
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.cells import Cell

if TYPE_CHECKING:
    from types import TracebackType


class Session:
    """Keeps the executed cells of an IPython shell.

    Running a cell again is another execution: all are kept, since a later one may depend on an earlier one's effect.

    Parameters
    ----------
    shell: an IPython ``InteractiveShell``.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._cells: list[Cell] = []
        self._stack: list[tuple[str, str, int, float]] = []
        self._attached = False

    def attach(self) -> Session:
        """Start to listen, and take over the cells executed before; return the session."""
        if not self._attached:
            self._attached = True
            self._cells = self._before()
            self.shell.events.register("pre_run_cell", self._started)
            self.shell.events.register("post_run_cell", self._ended)
        return self

    def detach(self) -> None:
        """Stop to listen."""
        if self._attached:
            self._attached = False
            self.shell.events.unregister("pre_run_cell", self._started)
            self.shell.events.unregister("post_run_cell", self._ended)

    def cells(self) -> list[Cell]:
        """Return all executions so far, in their order; the cell that is running counts as run to its end."""
        return [*self._cells, *self.running()]

    def running(self) -> list[Cell]:
        """Return the cell that is executed at this moment, if any."""
        return [
            Cell(identity, f"cell {number}", raw, len(self._cells) + depth)
            for depth, (identity, raw, number, _) in enumerate(self._stack[:1])
        ]

    def _before(self) -> list[Cell]:
        """Take the cells executed before from the history; of a failed one only the text is known."""
        history = list(self.shell.history_manager.input_hist_raw)
        current = self._current_number()
        failed = _failed_before(self.shell)
        return [
            Cell(f"exec-{number}", f"cell {number}", raw, number - 1, ok=number not in failed)
            for number, raw in enumerate(history[:current])
            if number and raw.strip()
        ]

    def _current_number(self) -> int:
        """Return the number of the cell being executed: it is the last one of the history."""
        return max(1, len(self.shell.history_manager.input_hist_raw) - 1)

    def _started(self, info: Any) -> None:
        # The input is stored in the history, and counted, only after this hook; hence the number of the next one.
        number = len(self.shell.history_manager.input_hist_raw)
        identity = getattr(info, "cell_id", None) or f"exec-{number}"
        self._stack.append((identity, info.raw_cell, number, time.perf_counter()))

    def _ended(self, result: Any) -> None:
        if not self._stack:
            return  # The cell that attached this session: it began before.
        identity, raw, number, start = self._stack.pop()
        seconds = time.perf_counter() - start
        info = getattr(result, "info", None)
        if self._stack or not raw.strip() or (info is not None and not info.store_history):
            return
        error = result.error_before_exec or result.error_in_exec
        cell = Cell(identity, f"cell {number}", raw, len(self._cells), seconds=seconds)
        if error is not None:
            line = None if result.error_before_exec else failed_line(error, raw)
            cell = replace(cell, ok=False, failed_line=line)
        self._cells.append(cell)


def failed_line(error: BaseException, raw: str) -> int | None:
    """Find the raw line of a cell at which an error left it.

    Parameters
    ----------
    error: what the cell raised, with its traceback.
    raw: the cell as typed.

    Returns
    -------
    int | None: None if it is unknown, and then nothing of the cell may count.
    """
    if isinstance(error, SyntaxError) and error.__traceback__ is None:
        return None
    top = _cell_frame(error.__traceback__)
    if top is None:
        return None
    frame, line = top
    lines = raw.split("\n")
    blank = next((index for index, text in enumerate(lines) if text.strip()), 0)
    # IPython strips blank lines from the top of a cell before it compiles it, and magics renumber their bodies.
    source = linecache.getlines(frame.f_code.co_filename)
    text = source[line - 1].strip() if 0 < line <= len(source) else ""
    guesses = [line + blank, line, *range(1, len(lines) + 1)]
    for guess in guesses:
        if 0 < guess <= len(lines) and text and lines[guess - 1].strip() == text:
            return guess
    return line + blank if line + blank <= len(lines) else None


def _cell_frame(trace: TracebackType | None) -> tuple[Any, int] | None:
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_name in {"<module>", "<cell line: 1>"} or code.co_name.startswith("<cell line"):
            return trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next
    return None


def _failed_before(shell: Any) -> frozenset[int]:
    """Tell which earlier cells failed, as far as their text does not compile."""
    numbers = set()
    for number, raw in enumerate(shell.history_manager.input_hist_raw):
        try:
            compile(shell.transform_cell(raw), "<cell>", "exec", flags=0x2000)  # top-level await allowed
        except (SyntaxError, ValueError):
            numbers.add(number)
    return frozenset(numbers)
