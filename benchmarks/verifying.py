"""How long it takes to verify a handler after an edit, with the helper process already there."""

from __future__ import annotations

import time

from nbchalice.notebook.capture.slice import slice_handler
from nbchalice.notebook.capture.verify import verify
from nbchalice.notebook.cells import Cell

EDITS = 20


def main() -> None:
    """Print the median and the slowest of a number of edits, in milliseconds."""
    times = []
    for edit in range(EDITS + 1):
        cells = [Cell("a", "cell 1", "A = 1", 0), Cell("b", "cell 2", f"def h(event):\n    return A + {edit}", 1)]
        piece = slice_handler(cells, "h", notebook="shop.ipynb")
        start = time.perf_counter()
        verify(piece, namespace={"A": 1})
        times.append((time.perf_counter() - start) * 1000)
    ordered = sorted(times[1:])  # The first starts the process.
    print(f"verified after an edit: {ordered[len(ordered) // 2]:.0f} ms, at most {ordered[-1]:.0f} ms")


if __name__ == "__main__":
    main()
