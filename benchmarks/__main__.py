"""Run every benchmark of this folder, or those named; write docs/benchmarks.json and what is made of it.

python -m benchmarks [NAME ...]      python -m benchmarks --render
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from typing import Any

from benchmarks import NAMES, results
from benchmarks.page import render
from benchmarks.rows import Row, failed


def load(name: str) -> Any:
    """Return the module of a benchmark."""
    return importlib.import_module(f"benchmarks.{name}")


def measure(name: str) -> int:
    """Run one benchmark, print and keep its rows; return 1 where something failed."""
    print(f"== {name}", flush=True)
    begun, rows = time.perf_counter(), list[Row]()
    try:
        for row in load(name).rows():
            print(f"  {row.what} · {row.name}: {row.shown() or row.note} {row.range()}", flush=True)
            rows.append(row)
    except Exception as error:  # noqa: BLE001 - whatever it was, it stands in the table
        rows.append(failed(name, "the benchmark itself", f"{type(error).__name__}: {error}"))
        print(f"  {rows[-1].note}", file=sys.stderr)
    render(results.merge(name, rows, time.perf_counter() - begun))
    return int(any(row.failed for row in rows))


def measure_each(names: list[str]) -> int:
    """Run each benchmark in a process of its own, so that none finds what another one left there."""
    broken = []
    for name in names:
        code = subprocess.run([sys.executable, "-m", "benchmarks", name], check=False).returncode
        if code < 0:
            render(results.merge(name, [failed(name, "the benchmark itself", f"it was ended by signal {-code}")], 0))
        if code:
            broken.append(name)
    if broken:
        print(f"failed: {', '.join(broken)}", file=sys.stderr)
    return int(bool(broken))


def main(words: list[str]) -> int:
    """Return the exit status."""
    # What one process has compiled, the next need not: else each start would be measured with its compiling.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if words == ["--render"]:
        render(results.read())
        return 0
    if unknown := [name for name in words if name not in NAMES]:
        print(f"there is no benchmark {unknown[0]}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    return measure(words[0]) if len(words) == 1 else measure_each(words or list(NAMES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
