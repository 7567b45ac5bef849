"""How long it takes from a click on Send to the log line: in the kernel, and on the screen of a browser."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLICKS = 40
LIMIT_MS = 1000
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
    for number in range(CLICKS + 1):
        sender.event.form.inputs["message"].write(f"message {number}")
        begun = time.perf_counter()
        sender.send_button.click()
        sender.wait(60)
        assert f"got message {number}" in sender._result.value, sender._status.value
        times.append((time.perf_counter() - begun) * 1000)
    return times[1:]  # the first is a cold start


def main() -> None:
    """Print both; the browser's numbers come from its test."""
    from nbchalice.aws.local.client import server

    root = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as home:
        os.environ["NBCHALICE_LOCAL_HOME"] = str(Path(home) / "local-aws")
        os.chdir(home)
        try:
            times = in_kernel()
        finally:
            server.stop()
            os.chdir(root)
            del os.environ["NBCHALICE_LOCAL_HOME"]
    p50, p95 = percentile(times, 0.5), percentile(times, 0.95)
    print(f"click to log line in the kernel: p50 {p50:.0f} ms, p95 {p95:.0f} ms of {len(times)} (limit {LIMIT_MS} ms)")
    command = [sys.executable, "-m", "pytest", "-q", "-s", "--no-header", "tests/browser/test_latency.py"]
    subprocess.run(command, cwd=root, check=False)
