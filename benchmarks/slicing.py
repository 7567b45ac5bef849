"""How long it takes to slice notebooks of 50 to 500 cells: cold, after an edit of the handler, and for ten handlers."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.rows import Row, measured
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.analysis.statements import _split_cell
from nbchalice.notebook.capture.slice import cut, slice_handler
from nbchalice.notebook.cells import Cell

RUNS = 5
CELL = """import json, math
# constants of step {n}
RATE_{n} = 1.5 + RATE_{p}
CONFIG_{n} = {{"name": "step {n}", "factors": [RATE_{n}, {n}], "tags": ["a", "b"]}}
CONFIG_{n}["total"] = sum(CONFIG_{n}["factors"])

class Step{n}:
    rate = RATE_{n}

    def __init__(self, name, config=None):
        self.name = name
        self.config = config or CONFIG_{n}

    def run(self, rows):
        return [self.rate * row["amount"] for row in rows if row["kind"] == self.name]

def price_{n}(rows, factor=RATE_{n}):
    total = 0
    for row in rows:
        total += math.floor(row["amount"] * factor * CONFIG_{n}["total"])
    return price_{p}(rows) + total if total else json.dumps(CONFIG_{p})
"""
EXPLORING = """# a look at step {n}
sample_{n} = [{{"amount": n, "kind": "x"}} for n in range({n})]
print(len(sample_{n}), sample_{n}[:3])
"""
CHANGING = """CONFIG_{p}["seen"] = {n}
CONFIG_{p}["tags"].append("cell {n}")
"""
START = "RATE_0 = 1\nCONFIG_0 = {}\ndef price_0(rows):\n    return 0\n"


def notebook(count: int, edit: int = 0) -> list[Cell]:
    """Make a notebook of which the handler needs most: of four cells two define, one looks, one changes."""
    sources, last = [START], 0
    for n in range(1, count - 1):
        if n % 4 == 3:
            sources.append(EXPLORING.format(n=n))
        elif n % 4 == 0:
            sources.append(CHANGING.format(n=n, p=last))
        else:
            sources.append(CELL.format(n=n, p=last))
            last = n
    sources.append(f"def handler(event):\n    # edit {edit}\n    return price_{last}(event)")
    return [Cell(f"c{order}", f"cell {order + 1}", source, order) for order, source in enumerate(sources)]


def measure(count: int) -> tuple[float, float, float, int]:
    """Return the CPU seconds of a first slice, of one after an edit, of ten, and the lines of the module."""
    _split_cell.cache_clear()
    start = time.process_time()
    piece = slice_handler(notebook(count), "handler", notebook="big.ipynb")
    cold = time.process_time() - start
    edited = notebook(count, edit=1)
    start = time.process_time()
    slice_handler(edited, "handler", notebook="big.ipynb")
    warm = time.process_time() - start
    start = time.process_time()
    effects = Effects(Timeline(edited, "big.ipynb"))
    for _ in range(10):
        cut(effects, "handler")
    return cold, warm, time.process_time() - start, piece.module.count("\n")


def rows() -> Iterator[Row]:
    """Yield what each took of the processor."""
    for count in (50, 100, 250, 500):
        runs = [measure(count) for _ in range(RUNS)]
        size = f"{count} cells"
        note = f"a module of {runs[0][3]:,} lines" if count == 500 else ""
        for column, what in enumerate(("sliced first", "sliced after an edit", "ten handlers sliced")):
            yield measured(size, what, [run[column] * 1000 for run in runs], "ms", note)
