"""How long it takes to verify a handler after an edit, with the helper process already there."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.rows import Row, measured
from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.capture.verify import verify
from nbchalice.notebook.cells import Cell

EDITS = 20


def rows() -> Iterator[Row]:
    """Yield how long an edit takes."""
    times = []
    for edit in range(EDITS + 1):
        cells = [Cell("a", "cell 1", "A = 1", 0), Cell("b", "cell 2", f"def h(event):\n    return A + {edit}", 1)]
        piece = slice_handler(cells, "h", notebook="shop.ipynb")
        start = time.perf_counter()
        verify(piece, namespace={"A": 1})
        times.append((time.perf_counter() - start) * 1000)
    # The first starts the process.
    yield measured("two cells", "run in the confined process and compared", times[1:], "ms")
