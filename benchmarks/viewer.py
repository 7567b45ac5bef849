"""The log viewer in a browser under 10,000 lines a second, for a minute."""

from __future__ import annotations

import re
from collections.abc import Iterator

from benchmarks.rows import Row, failed
from benchmarks.send import run_browser_test

SECONDS = 60
WHAT = "10,000 lines a second, for a minute"
SAID = re.compile(
    r"fed (\d+) in ([\d.]+) kept (\d+) heads (\d+); longest gap between frames (\d+) ms, (\d+) frames, "
    r"(\d+) rows and (\d+) heads drawn; (-?\d+) kB more"
)


def rows() -> Iterator[Row]:
    """Yield how long the page stood still at the most, and what page and kernel hold at the end; its test measures."""
    lines = str(SECONDS * 10_000)
    told = run_browser_test("tests/browser/test_viewer.py", "-k", "thousand", NBCHALICE_FLOOD_LINES=lines)
    found = SAID.search(told)
    if found is None or " passed" not in told:
        yield failed("JupyterLab in Chromium", WHAT, told)
        return
    fed, seconds, kept, heads, gap, frames, drawn, shown, more = map(float, found.groups())
    page = f"{frames:,.0f} frames drawn; filters, search and buttons answered meanwhile"
    yield Row("JupyterLab in Chromium", f"{WHAT}: the longest gap between two frames", gap, "ms", note=page)
    yield Row("JupyterLab in Chromium", f"{WHAT}: lines a second", fed / seconds, "", note=f"{fed:,.0f} lines")
    held = f"kept {kept:,.0f} records and {heads:,.0f} headlines; drawn {drawn:,.0f} rows of {shown:,.0f} invocations"
    yield Row("the kernel", f"{WHAT}: more memory at the end", more / 1024, "MB", note=held)
