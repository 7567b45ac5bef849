"""How long it takes from a click on Send to the log line: in the kernel, and on the screen of a browser."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row, failed, number, scratch

CLICKS = 40
LIMIT_MS = 1000
WHAT = "from a click on Send to the log line"
CELLS = (
    "%load_ext nbchalice",
    "%chalice app bench",
    "%%on_sqs_message bench-orders\ndef price(event):\n    for r in event:\n        app.log.info('got %s', r.body)",
    "%chalice deploy",
)


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[max(0, round(part * len(values)) - 1)]


def in_kernel() -> list[float]:
    """Click the form's button from Python; milliseconds until the panel holds the log line."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.io import capture_output

    from nbchalice.ui.widgets.sender import Sender

    shell = InteractiveShell.instance()
    with capture_output():
        for cell in CELLS:
            shell.run_cell(cell, store_history=True).raise_error()
    sender = Sender(shell._nbchalice.pinned(), "price")
    times = []
    for click in range(CLICKS + 1):
        sender.event.form.inputs["message"].write(f"message {click}")
        begun = time.perf_counter()
        sender.send_button.click()
        sender.wait(60)
        assert f"got message {click}" in sender._result.value, sender._status.value
        times.append((time.perf_counter() - begun) * 1000)
    return times[1:]  # the first is a cold start


def rows() -> Iterator[Row]:
    """Yield both; the browser's numbers come from its test."""
    with scratch() as folder, contextlib.chdir(folder):
        times = in_kernel()
    yield row("in the kernel", percentile(times, 0.5), percentile(times, 0.95), len(times))
    done = run_browser_test("tests/browser/test_latency.py")
    found = re.search(r"p50 (\d+) ms, p95 (\d+) ms of (\d+)", done)
    if found is None:
        yield failed("on the screen of a browser", WHAT, done)
    else:
        p50, p95, runs = map(int, found.groups())
        yield row("on the screen of a browser", p50, p95, runs)


def row(name: str, p50: float, p95: float, runs: int) -> Row:
    aim = "hit" if p95 < LIMIT_MS else "missed"
    note = f"95th percentile {number(p95)} ms; aim: that within {LIMIT_MS / 1000:.0f} s: {aim}"
    return Row(name, WHAT, p50, "ms", runs=runs, note=note)


def run_browser_test(*words: str, **variables: str) -> str:
    """Run a test in a browser; return what it printed, and how it ended."""
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--no-header", *words]
    root, environment = Path(__file__).parent.parent, {**os.environ, **variables}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
