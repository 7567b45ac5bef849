"""How long it takes to prove a handler in a kernel after its cell was edited and run again: wall clock and processor.

The whole of it: reading the notebook, finding what the handler needs, running it in the confined process, comparing.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, measured, number
from benchmarks.slicing import notebook as long_notebook
from nbchalice.notebook.sandbox.helper import HELPER, RERUNS
from nbchalice.operations import verified_packages

EDITS = 20
PURE = "%%lambda_function\ndef h(event):\n    return [event, {edit}]"
SHORT = ["RATE = 1.2", "def price(amount):\n    return amount * RATE", PURE.replace("event,", "price(1),")]
_TICK = os.sysconf("SC_CLK_TCK")


def processor_seconds() -> float:
    """Return what this process and its helper processes, with the forks of theirs that ended, have used."""
    used = time.process_time()
    for helper in (HELPER, RERUNS):
        process = helper._process
        stat = Path(f"/proc/{process.pid}/stat") if process is not None else None
        if stat is not None and stat.exists():
            used += sum(map(int, stat.read_text().rpartition(")")[2].split()[11:15])) / _TICK
    return used


def measure(cells: list[str]) -> dict[str, tuple[list[float], float]]:
    """Return the milliseconds of each proof by wall clock, and of the processor on average: edited, and once more."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(config=config)

    def run(cell: str) -> None:
        with capture_output():
            shell.run_cell(cell, store_history=True).raise_error()

    for cell in ["%load_ext nbchalice", "%chalice app bench", *cells[:-1]]:
        run(cell)
    times: dict[str, list[float]] = {"after an edit": [], "unchanged": []}
    used = dict.fromkeys(times, 0.0)
    for edit in range(EDITS + 1):
        run(cells[-1].replace("{edit}", str(edit)))
        for kind, taken in times.items():
            before, start = processor_seconds(), time.perf_counter()
            verified_packages(shell._nbchalice.project())
            if edit:  # the first starts the processes
                taken.append((time.perf_counter() - start) * 1000)
                used[kind] += (processor_seconds() - before) * 1000 / EDITS
    return {kind: (times[kind], used[kind]) for kind in times}


def rows() -> Iterator[Row]:
    """Yield what a proof takes in three notebooks, by the clock and of the processor."""
    long = [cell.source for cell in long_notebook(100)[:-1]]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, cells in {
            "a handler alone": [PURE],
            "with a function and a constant": SHORT,
            "at the end of 100 cells": [*long, PURE],
        }.items():
            for kind, (times, used) in measure(cells).items():
                yield measured(name, f"proven, {kind}", times, "ms", f"{number(used)} ms of the processor each")
