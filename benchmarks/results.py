"""docs/benchmarks.json: what was measured last, by benchmark. Table, plot, README and tests read it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import load, machine, versions
from benchmarks.rows import Row

PATH = Path(__file__).parents[1] / "docs" / "benchmarks.json"
Results = dict[str, Any]


def read() -> Results:
    """Return what was measured, by the benchmark's name; nothing where there is none."""
    return dict(json.loads(PATH.read_text())) if PATH.is_file() else {}


def rows_of(results: Results, benchmark: str) -> list[Row]:
    """Return the rows of a benchmark; none where it was not run."""
    return [Row(**one) for one in results.get(benchmark, {}).get("rows", [])]


def find(results: Results, benchmark: str, name: str, what: str) -> Row | None:
    """Return one row, or None."""
    return next((row for row in rows_of(results, benchmark) if (row.name, row.what) == (name, what)), None)


def merge(benchmark: str, rows: list[Row], seconds: float) -> Results:
    """Put a benchmark's rows in the place of its former ones; return all.

    Parameters
    ----------
    benchmark : str
        Its name.
    rows : list of Row
        What it measured.
    seconds : float
        How long the benchmark took.
    """
    results = read()
    results[benchmark] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seconds": round(seconds),
        "load": load(),
        "machine": machine(),
        "versions": {**versions(), **_tools(rows)},
        "rows": [{**asdict(row), "value": _rounded(row.value), "low": _rounded(row.low), "high": _rounded(row.high)}
                 for row in rows],
    }  # fmt: skip
    PATH.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
    return results


def _tools(rows: list[Row]) -> dict[str, str]:
    """Return the versions that stand in the names of rows: `SAM CLI 1.170`."""
    found = {}
    for row in rows:
        tool, _, version = row.name.partition(",")[0].rpartition(" ")
        if tool and version[:1].isdigit() and "." in version:
            found[tool] = version
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
