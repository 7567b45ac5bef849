"""Print, from what ``coverage json`` wrote, one line for each room: how much of its lines and branches the tests ran.

Usage: print_coverage.py [coverage.json]
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

PACKAGE = "nbchalice"


def rooms(report: dict) -> dict[str, dict[str, int]]:
    """Return the counts of each folder of the package, added up over its files."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for path, file in report["files"].items():
        parts = Path(path).parts
        room = "/".join(parts[parts.index(PACKAGE) : -1])
        for name, count in file["summary"].items():
            if isinstance(count, int):
                found[room][name] += count
    return found


def line(room: str, counts: dict[str, int]) -> str:
    """Return the line of a room: of its lines and branches together, and of each, how many were run."""
    lines, branches = counts["num_statements"], counts["num_branches"]
    run, taken = counts["covered_lines"], counts["covered_branches"]
    percent = 100 * (run + taken) / max(lines + branches, 1)
    return f"{room:32} {percent:5.1f} %   lines {run:5} of {lines:5}   branches {taken:5} of {branches:5}"


def main() -> None:
    """Print all rooms, and their sum."""
    report = json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else "coverage.json").read_text(encoding="utf-8"))
    for room, counts in sorted(rooms(report).items()):
        print(line(room, counts))
    print(line("all", report["totals"]))


if __name__ == "__main__":
    main()
