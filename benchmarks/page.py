"""docs/benchmarks.md, the plot, and README's table of speeds, all from docs/benchmarks.json."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks import NAMES
from benchmarks.plot import plot
from benchmarks.results import PATH, Results, find, rows_of
from benchmarks.rows import Row

ROOT = PATH.parents[1]
PAGE, PLOT, README = PATH.with_name("benchmarks.md"), PATH.parent / "images" / "benchmarks.svg", ROOT / "README.md"
BLOCK = re.compile(r"(<!-- begin speed -->\n).*?(<!-- end speed -->)", re.DOTALL)
HEAD = """# Measured

`make bench` runs every benchmark, `python -m benchmarks deploy` one, and both write this page, its plot and the table
in README from [benchmarks.json](benchmarks.json). What stands side by side was measured by turns in one run, at the
local endpoint: no number here is one of AWS. Another machine gives other numbers, and this one did other work
meanwhile (the load is the number of processes that wanted a processor): a ratio says more than a time, and grows
with the load, since who starts anew needs more of the processor than a kernel that runs. Given are medians and, of
several runs, the least and the most.

![How long a deploy takes, by tool](images/benchmarks.svg)

"""
OPERATIONS = ("first deploy", "one handler edited", "nothing changed")


def page(results: Results) -> str:
    """Return the page."""
    return f"{HEAD}{_where(results)}\n\n{_table(results)}\n"


def filled(text: str, results: Results) -> str:
    """Return README with its table written anew."""
    return BLOCK.sub(lambda match: f"{match[1]}{speeds(results)}\n{match[2]}", text)


def render(results: Results) -> None:
    """Write the page, the plot and README's table."""
    PAGE.write_text(page(results))
    PLOT.write_text(plot(results))
    README.write_text(filled(README.read_text(), results))


def texts(results: Results) -> dict[Path, str]:
    """Return what every file should say."""
    return {PAGE: page(results), PLOT: plot(results), README: filled(README.read_text(), results)}


def speeds(results: Results) -> str:
    """Return README's table: what a deploy of four handlers takes, by tool."""
    lines = ["| | first deploy | after one edit | nothing changed |", "|---|---|---|---|"]
    for name in tools(results):
        cells = [_with_range(find(results, "deploy", name, f"{one}, 4 handlers, 0 ms a call")) for one in OPERATIONS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def tools(results: Results) -> list[str]:
    """Return the tools that deployed, in their order."""
    return list(dict.fromkeys(row.name for row in rows_of(results, "deploy") if row.what.startswith(OPERATIONS)))


def _with_range(row: Row | None) -> str:
    if row is None or row.value is None:
        return "not measured"
    return f"{row.shown()} ({row.range()})" if row.range() else row.shown()


def _where(results: Results) -> str:
    """Return on what each benchmark was run; those that were run on the same are named together."""
    groups: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name in _known(results):
        about = {**results[name]["machine"], "day": results[name]["date"]}
        groups.setdefault(tuple(about.items()), []).append(name)
    lines = ["| benchmarks | processor | cores | memory | system | day |", "|---|---|---|---|---|---|"]
    for about, names in groups.items():
        told = "all" if len(groups) == 1 else ", ".join(names)
        lines.append(f"| {told} | {' | '.join(value for _, value in about)} |")
    versions: dict[str, dict[str, None]] = {}
    for name in _known(results):
        for tool, version in results[name]["versions"].items():
            versions.setdefault(tool, {})[version] = None
    told = ", ".join(f"{tool} {' and '.join(found)}" for tool, found in versions.items())
    return "\n".join([*lines, "", f"Versions: {told}."])


def _table(results: Results) -> str:
    """Return the one table, a part for each benchmark."""
    lines = ["| what | of | median | range | runs | note |", "|---|---|---|---|---|---|"]
    for name in _known(results):
        about = results[name]
        took = f"{about['seconds']} seconds in all, load {about['load']} at its end"
        lines.append(f"| **{NAMES[name]}** (`{name}`) | | | | | {took} |")
        for row in rows_of(results, name):
            cells = (row.what, row.name, row.shown() or "not measured", row.range(), str(row.runs), row.note)
            lines.append(f"| {' | '.join(map(_escaped, cells))} |")
    return "\n".join(lines)


def _known(results: Results) -> list[str]:
    return [name for name in NAMES if name in results]


def _escaped(cell: str) -> str:
    return cell.replace("|", "\\|")
