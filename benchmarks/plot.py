"""The plot: how long a deploy takes, by tool, as an SVG that follows the reader's light or dark."""

from __future__ import annotations

import math
from html import escape

from benchmarks.results import Results, rows_of
from benchmarks.rows import Row

WIDTH, LEFT, RIGHT, BAR, GAP, TITLE = 860, 300, 90, 16, 5, 34
PANELS = [
    f"{what}, 4 handlers, {latency} ms a call"
    for latency in (0, 50)
    for what in ("first deploy", "one handler edited", "nothing changed")
]
CAPTION = "Seconds on a logarithmic scale: medians, and lines from the least to the most"
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.quiet { fill: #59636e; font-size: 11px; }
.grid { stroke: #d1d9e0; }
.ours { fill: #0969da; }
.theirs { fill: #818b98; }
.range { stroke: #1f2328; stroke-width: 1.5; }
.ground { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .quiet { fill: #9198a1; }
  .grid { stroke: #3d444d; }
  .ours { fill: #4493f8; }
  .theirs { fill: #7d8590; }
  .range { stroke: #f0f6fc; }
  .ground { fill: #0d1117; }
}
"""


def plot(results: Results) -> str:
    """Return the plot; bars have a logarithmic scale, since the tools are far apart."""
    panels = [(title, _of(results, title)) for title in PANELS]
    panels = [(title, rows) for title, rows in panels if rows]
    values = [value for _, rows in panels for row in rows for value in (row.low, row.high, row.value) if value]
    low, high = (math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))) if values else (-1, 2)

    def x(seconds: float) -> float:
        part = (math.log10(max(seconds, 10**low)) - low) / (high - low)
        return round(LEFT + part * (WIDTH - LEFT - RIGHT), 1)

    parts, top = [f'<text class="quiet" x="12" y="20">{CAPTION}</text>'], 48
    for title, rows in panels:
        parts.append(f'<text class="title" x="12" y="{top}">{escape(title)}</text>')
        top += 12
        for row in rows:
            parts += _bar(row, top, x)
            top += BAR + GAP
        top += TITLE
    grid = [
        f'<line class="grid" x1="{x(10**power)}" x2="{x(10**power)}" y1="54" y2="{top - 24}"/>'
        f'<text class="quiet" x="{x(10**power)}" y="{top - 8}" text-anchor="middle">{10**power:g} s</text>'
        for power in range(low, high + 1)
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img">'
    told = "<title>How long a deploy takes, by tool</title>"
    ground = f'<rect class="ground" width="{WIDTH}" height="{top}"/>'
    return "\n".join([head, told, f"<style>{STYLE}</style>", ground, *grid, *parts, "</svg>"]) + "\n"


def _of(results: Results, title: str) -> list[Row]:
    return [row for row in rows_of(results, "deploy") if row.what == title and row.value]


def _bar(row: Row, top: int, x: object) -> list[str]:
    """Return name, bar, range and number of one row."""
    assert callable(x)
    end, middle = x(row.value), top + BAR / 2
    kind = "ours" if row.name.startswith("nbchalice") else "theirs"
    parts = [
        f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(row.name.replace("`", ""))}</text>',
        f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{max(end - LEFT, 1):.1f}" height="{BAR}" rx="2"/>',
    ]
    if row.range():
        parts.append(f'<line class="range" x1="{x(row.low)}" x2="{x(row.high)}" y1="{middle}" y2="{middle}"/>')
    right = max(end, x(row.high)) if row.range() else end
    return [*parts, f'<text x="{right + 6:.1f}" y="{top + 13}">{escape(row.shown())}</text>']
