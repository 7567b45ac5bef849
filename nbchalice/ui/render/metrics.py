"""The metrics strip: numbers of a handler's invocations, and each of them drawn as a bar."""

from __future__ import annotations

from nbchalice.logs.memory import level_of, memory_line, memory_words
from nbchalice.logs.metrics import Metrics, Point
from nbchalice.logs.show import milliseconds
from nbchalice.logs.when import moment, now
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card

WIDTH, HEIGHT, LEAST = 480, 56, 2.0
MOST_BARS = 240
MEMORY_KINDS = {"": "", "near": "warn", "over": "bad"}
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
        counts = [
            (metrics.invocations, "invocation", ""),
            (metrics.errors, "error", "bad" if metrics.errors else ""),
            (metrics.cold_starts, "cold start", ""),
        ]
        values = [(counted(number, noun), kind) for number, noun, kind in counts]
        values += [(f"p50 {_took(metrics.p50_ms)}", ""), (f"p95 {_took(metrics.p95_ms)}", "")]
        advice = ""
        if metrics.fullest:
            kind, advice = MEMORY_KINDS[level_of(metrics.fullest)], memory_line(metrics.fullest)
            values.append((f"up to {memory_words(metrics.fullest)}", kind))
        title = f"{handler}: last {since}" if since[:1].isdigit() and since[-1:] in "smhdw" else f"{handler}: {since}"
        title = f"{title} · {now()}"
        text = "\n".join([title, "  " + ", ".join(value for value, _ in values), *([f"  {advice}"] if advice else [])])
        spans = (html.tag("span", html.text(value, kind), style="margin-right:1.5em") for value, kind in values)
        foot = html.tag("div", html.text(advice, kind)) if advice else ""
        whole = html.card(title, html.tag("div", *spans), bars(metrics), foot)
        super().__init__(text, whole, {"handler": handler, **metrics.to_dict()})


def _took(duration: float | None) -> str:
    return "none" if duration is None else milliseconds(duration)


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
    label = f"{count}, {numbers.errors} failed"
    style = "display:block;width:100%;max-width:40em;height:auto;margin-top:4px"
    box = f"0 0 {WIDTH} {HEIGHT}"
    drawing = html.tag("svg", *drawn, line, viewBox=box, role="img", style=style, **{"aria-label": label})
    span = f"{moment(first)} to {moment(last)}" if last > first else moment(first)
    caption = f"{span}; bars as high as they took, up to {milliseconds(longest)}; the dashed line is p95"
    return drawing + html.tag("div", html.text(caption, "muted"))


def _bar(point: Point, first: int, last: int, longest: float, width: float) -> str:
    place = (point.time - first) / (last - first) if last > first else 0.0
    height = max(LEAST, (point.duration_ms or 0) / longest * (HEIGHT - 4))
    took = "" if point.duration_ms is None else f" in {milliseconds(point.duration_ms)}"
    return html.tag(
        "rect",
        html.tag("title", html.text(f"{'failed' if point.failed else 'done'}{took}, {moment(point.time)}")),
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
