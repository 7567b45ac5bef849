"""What the shell's command costs, beside a script that imports boto3 and makes one call, by turns in one run.

Processor time (user and system, of child processes, too), because a machine with other work makes the clock wrong.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, local_connection, measured, scratch

RUNS, AIM, AIM_MS = 11, 2, 100
CALL = "import boto3; boto3.client('lambda').list_functions()"
CELLS = (
    "%chalice app bench",
    "RATE = 1.2",
    "%%on_sqs_message bench-orders\ndef price(event):\n    for record in event:\n"
    "        app.log.info('%.2f', float(record.body) * RATE)",
)
PROGRAM = (sys.executable, "-m", "nbchalice")
BOTO3 = "a script that imports boto3 and makes one call"
COMPLETION = {"_NBCHALICE_COMPLETE": "bash_complete", "COMP_WORDS": "nbchalice de", "COMP_CWORD": "1"}
WHAT = {
    BOTO3: ((sys.executable, "-c", CALL), {}),
    "`nbchalice deploy`, nothing changed": ((*PROGRAM, "deploy", "bench.ipynb"), {}),
    "`nbchalice status`": ((*PROGRAM, "status", "bench.ipynb"), {}),
    "`nbchalice --help`": ((*PROGRAM, "--help"), {}),
    "`nbchalice deploy --help`": ((*PROGRAM, "deploy", "--help"), {}),
    "completion of `nbchalice de`": (PROGRAM, COMPLETION),
}
SHORT = ("--help`", "completion")


def write(folder: Path) -> None:
    """Write the notebook."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell(cell, id=f"c{number}") for number, cell in enumerate(CELLS)]
    nbformat.write(new_notebook(cells=cells), folder / "bench.ipynb")


def used() -> float:
    """Return the processor time of the processes that this one started and that ended."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def once(command: tuple[str, ...], folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Run a command; return milliseconds of the processor, and by the clock."""
    before, begun = used(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begun
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
    return (used() - before) * 1000, seconds * 1000


def rows() -> Iterator[Row]:
    """Yield what each costs, and how many times what one call costs a deploy costs."""
    from nbchalice.aws.local.client import server

    with scratch() as folder:
        write(folder)
        local_connection()
        subprocess.run([*PROGRAM, "deploy", "bench.ipynb"], cwd=folder, check=True, capture_output=True)
        environment = {**os.environ, **server.ensure_running().env()}
        taken: dict[str, list[tuple[float, float]]] = {what: [] for what in WHAT}
        for _ in range(RUNS):
            for what, (command, variables) in WHAT.items():
                taken[what].append(once(command, folder, {**environment, **variables}))
    for what, found in taken.items():
        of_processor = [one[0] for one in found]
        row = measured("in a shell", f"{what}, of the processor", of_processor, "ms")
        aim = ""
        if any(word in what for word in SHORT):
            assert row.value is not None
            aim = f"aim: under {AIM_MS} ms: {'hit' if row.value < AIM_MS else 'missed'}"
        yield measured("in a shell", row.what, of_processor, "ms", aim)
        yield measured("in a shell", f"{what}, by the clock", [one[1] for one in found], "ms")
        if "deploy`, nothing" in what:
            ratios = [mine[0] / one[0] for mine, one in zip(found, taken[BOTO3], strict=True)]
            aim = "hit" if sorted(ratios)[len(ratios) // 2] <= AIM else "missed"
            note = f"processor time, run by run; aim: at most {AIM} times: {aim}"
            yield measured("in a shell", f"{what}, beside that script", ratios, "times", note)
