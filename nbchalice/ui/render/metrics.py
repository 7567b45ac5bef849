"""The metrics strip: numbers of a handler's invocations, and each of them drawn as a bar."""

from __future__ import annotations

from nbchalice.logs.metrics import Metrics, Point
from nbchalice.logs.show import milliseconds
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card

WIDTH, HEIGHT, LEAST = 480, 56, 2.0
MOST_BARS = 240
FILLS = {False: html.COLOURS["busy"], True: html.COLOURS["bad"]}


class MetricsCard(Card):
    """Invocations, errors and durations of a time. Attribute: ``metrics``.

    Parameters
    ----------
    handler : str
        The handler's name.
    metrics : Metrics
        The numbers.
    since : str
        The time, as it was asked for.
    """

    def __init__(self, handler: str, metrics: Metrics, since: str) -> None:
        self.metrics = metrics
        values = [
            ("invocations", str(metrics.invocations), ""),
            ("errors", str(metrics.errors), "bad" if metrics.errors else ""),
            ("cold starts", str(metrics.cold_starts), ""),
            ("p50", "none" if metrics.p50_ms is None else milliseconds(metrics.p50_ms), ""),
            ("p95", "none" if metrics.p95_ms is None else milliseconds(metrics.p95_ms), ""),
        ]
        title = f"{handler}: last {since}" if since[:1].isdigit() and since[-1:] in "smhdw" else f"{handler}: {since}"
        text = "\n".join([title, "  " + ", ".join(f"{name} {value}" for name, value, _ in values)])
        cells = [html.text(name, "muted") + " " + html.tag("b", html.text(value, kind)) for name, value, kind in values]
        numbers = html.tag("div", *(html.tag("span", cell, style="margin-right:1.5em") for cell in cells))
        super().__init__(text, html.card(title, numbers, bars(metrics)), {"handler": handler, **metrics.to_dict()})


def bars(numbers: Metrics) -> str:
    """Return a drawing of the last invocations: the height is the duration, the colour says whether it failed."""
    points = numbers.points[-MOST_BARS:]
    if not points:
        return html.tag("div", html.text("no invocations in this time", "muted"))
    longest = max((point.duration_ms or 0 for point in points), default=0) or 1
    first, last = points[0].time, points[-1].time
    width = max(2.0, min(12.0, WIDTH / (len(points) * 1.5)))
    drawn = [_bar(point, first, last, longest, width) for point in points]
    line = "" if numbers.p95_ms is None else _line(numbers.p95_ms, longest)
    count = counted(numbers.invocations, "invocation")
    label = f"{count}, {numbers.errors} failed; bars as high as they took, up to {milliseconds(longest)}"
    style = "display:block;width:100%;max-width:40em;height:auto;margin-top:4px"
    box = f"0 0 {WIDTH} {HEIGHT}"
    return html.tag("svg", *drawn, line, viewBox=box, role="img", style=style, **{"aria-label": label})


def _bar(point: Point, first: int, last: int, longest: float, width: float) -> str:
    place = (point.time - first) / (last - first) if last > first else 0.0
    height = max(LEAST, (point.duration_ms or 0) / longest * (HEIGHT - 4))
    took = "" if point.duration_ms is None else f" in {milliseconds(point.duration_ms)}"
    return html.tag(
        "rect",
        html.tag("title", html.text(f"{'failed' if point.failed else 'done'}{took}")),
        x=f"{place * (WIDTH - width):.1f}",
        y=f"{HEIGHT - height:.1f}",
        width=f"{width:.1f}",
        height=f"{height:.1f}",
        style=f"fill:{FILLS[point.failed]}",
    )


def _line(value: float, longest: float) -> str:
    y = f"{HEIGHT - value / longest * (HEIGHT - 4):.1f}"
    style = "stroke:currentColor;stroke-dasharray:4 3;opacity:.6"
    return html.tag("line", x1="0", x2=str(WIDTH), y1=y, y2=y, style=style)
