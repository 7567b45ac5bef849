"""The live session: every cell as it was executed, told by IPython's own hooks."""

from __future__ import annotations

import ast
import linecache
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.cells import Cell
from nbchalice.notebook.sandbox.values import kept  # noqa: F401 - notes the settings before cells change them
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ARROW = re.compile(r"^-+> (\d+) (.*)$", re.M)
MADE_UP = "exec-"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def is_made_up(identity: str) -> bool:
    """Tell whether a front end gave no id for a cell: then each run of it has another one."""
    return identity.startswith(MADE_UP)


class Session:
    """Keeps the executed cells of an IPython shell.

    Running a cell again is another execution: all are kept, since a later one may depend on an earlier one's effect.

    Parameters
    ----------
    shell : Any
        An IPython ``InteractiveShell``.
    saved : Callable[[], object]
        Tells the state of the notebook's file. Default: nothing is known of it.
    """

    def __init__(self, shell: Any, saved: Callable[[], object] = lambda: None) -> None:
        self.shell = shell
        self._saved = saved
        self._cells: list[Cell] = []
        self._stack: list[tuple[Cell, float]] = []
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
        return [replace(cell, order=self._next_order()) for cell, _ in self._stack[:1]]

    def _before(self) -> list[Cell]:
        """Take the cells executed before from the history; before IPython 9 it does not tell how they ended."""
        history = self.shell.history_manager
        errors: dict[int, JSON] = getattr(history, "exceptions", {})
        cells = []
        for number, raw in enumerate(history.input_hist_raw):
            if number and raw.strip():
                cell = Cell(f"{MADE_UP}{number}", f"cell {number}", raw, number - 1, ok=_compiles(self.shell, raw))
                error = errors.get(number) if cell.ok else None
                line = printed_line(error["traceback"], raw) if error else None
                cells.append(replace(cell, ok=False, failed_line=line) if error else cell)
        return cells

    def _started(self, info: Any) -> None:
        # The input is stored in the history, and counted, only after this hook; hence the number of the next one.
        number = len(self.shell.history_manager.input_hist_raw)
        identity = getattr(info, "cell_id", None) or f"{MADE_UP}{number}"
        cell = Cell(identity, f"cell {number}", info.raw_cell, 0, saved=self._saved())
        self._stack.append((cell, time.perf_counter()))

    def _ended(self, result: Any) -> None:
        if not self._stack:
            self._attached_in(result)
            return
        cell, start = self._stack.pop()
        seconds = time.perf_counter() - start
        # Only the outermost: %run of a notebook executes cells within a cell.
        if not self._stack and cell.source.strip():
            self._cells.append(_with_outcome(replace(cell, order=self._next_order(), seconds=seconds), result))

    def _attached_in(self, result: Any) -> None:
        """The cell that attached this session began before it; now its outcome is known."""
        info = getattr(result, "info", None)
        if self._cells and info is not None and self._cells[-1].source == info.raw_cell:
            identity = getattr(info, "cell_id", None) or self._cells[-1].id
            self._cells[-1] = _with_outcome(replace(self._cells[-1], id=identity, ok=True, saved=self._saved()), result)

    def _next_order(self) -> int:
        return self._cells[-1].order + 1 if self._cells else 0


def _with_outcome(cell: Cell, result: Any) -> Cell:
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return cell
    line = None if result.error_before_exec else failed_line(error, cell.source)
    return replace(cell, ok=False, failed_line=line)


def _compiles(shell: Any, raw: str) -> bool:
    try:
        compile(shell.transform_cell(raw), "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError):
        return False
    return True


def failed_line(error: BaseException, raw: str) -> int | None:
    """Find the raw line of a cell at which an error left it.

    Parameters
    ----------
    error : BaseException
        What the cell raised, with its traceback.
    raw : str
        The cell as typed.

    Returns
    -------
    int | None: None if it is unknown, and then nothing of the cell may count.
    """
    lines = raw.split("\n")
    first = next((index for index, text in enumerate(lines) if text.strip()), 0)
    number: int | None = None
    trace = error.__traceback__
    while trace is not None:
        code, line = trace.tb_frame.f_code, trace.tb_lineno
        if code.co_filename == "<timed exec>" and code.co_name == "<module>":
            # The body of %%time is compiled by itself; its first line stands below the magic.
            return line + 1 + _magic_line(lines)
        if code.co_name == "<module>" or code.co_name.startswith("<cell line"):
            number = _raw_line(code.co_filename, line, lines, first) or number
        trace = trace.tb_next
    return number


def printed_line(traceback: Sequence[str], raw: str) -> int | None:
    """Find the raw line of a cell at which an error left it, in a traceback as IPython prints and keeps it.

    Parameters
    ----------
    traceback : Sequence[str]
        The printed frames, the cell's own first.
    raw : str
        The cell as typed.

    Returns
    -------
    int | None: None if it is unknown, and then nothing of the cell may count.
    """
    arrow = _ARROW.search(_COLOURS.sub("", "\n".join(traceback)))
    if arrow is None:
        return None
    lines = raw.split("\n")
    first = next((index for index, text in enumerate(lines) if text.strip()), 0)
    return _line_of(arrow.group(2), int(arrow.group(1)), lines, first)


def _magic_line(lines: list[str]) -> int:
    return next((index for index, text in enumerate(lines) if text.startswith("%%")), 0)


def _raw_line(filename: str, line: int, lines: list[str], first: int) -> int | None:
    """Map a line of compiled code to the raw cell: IPython strips blank lines from a cell's top."""
    source = linecache.getlines(filename)
    return _line_of(source[line - 1] if 0 < line <= len(source) else "", line, lines, first)


def _line_of(text: str, line: int, lines: list[str], first: int) -> int | None:
    for guess in (line + first, line):
        if 0 < guess <= len(lines) and text.strip() and lines[guess - 1].strip() == text.strip():
            return guess
    # What was typed as %magic is get_ipython().run_line_magic(...) in the compiled cell.
    if "get_ipython()" in text:
        return line + first
    return None
