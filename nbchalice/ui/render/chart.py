"""The chart of a handler's invocations: each a bar over its time, as high as it took."""

from __future__ import annotations

from nbchalice.logs.metrics import Metrics, Point
from nbchalice.logs.show import milliseconds
from nbchalice.logs.when import clock, moment
from nbchalice.text import counted
from nbchalice.ui.render import html

WIDTH, HEIGHT, LEAST = 480, 84, 2.0
# Where the bars are: beside and above the axes' numbers.
LEFT, TOP, BOTTOM = 52, 8, 66
MOST_BARS = 240
DAY, SECONDS = 86_400_000, 4000
DONE, FAILED = html.COLOURS["busy"], html.COLOURS["bad"]
FAINT, DASHED = "stroke:currentColor;opacity:.25", "stroke:currentColor;stroke-dasharray:4 3;opacity:.6"


def bars(numbers: Metrics) -> str:
    """Return a drawing of the last invocations: the height is the duration, the colour says whether it failed."""
    points = numbers.points[-MOST_BARS:]
    if not points:
        return html.tag("div", html.text("no invocations in this time", "muted"))
    top = _above(max((point.duration_ms or 0 for point in points), default=0))
    first, last = points[0].time, points[-1].time
    width = max(2.0, min(12.0, (WIDTH - LEFT) / (len(points) * 1.5)))
    line = "" if numbers.p95_ms is None else _level(numbers.p95_ms, top, DASHED)
    label = f"{counted(numbers.invocations, 'invocation')}, {numbers.errors} failed"
    drawing = html.tag(
        "svg",
        *_durations(top),
        *_times(first, last),
        *(_bar(point, first, last, top, width) for point in points),
        line,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        style="display:block;width:100%;max-width:40em;height:auto;margin-top:4px",
        **{"aria-label": f"{label}; durations up to {milliseconds(top)}, {_span(first, last)}"},
    )
    cut = f" · the last {MOST_BARS}" if len(numbers.points) > MOST_BARS else ""
    return (
        drawing + _legend(points, with_p95=bool(line)) + html.tag("div", html.text(_span(first, last) + cut, "muted"))
    )


def _above(longest: float) -> float:
    """Return where the axis of durations ends: the next of 1, 2, 4, 6, 8 and 10 times a power of ten."""
    power = 0.1
    while power * 10 < longest:
        power *= 10
    return next((power * step for step in (1, 2, 4, 6, 8, 10) if power * step >= longest), power * 10)


def _span(first: int, last: int) -> str:
    begin, end = moment(first), moment(last)
    return f"{begin} to {end}" if begin != end else begin


def _y(value: float, top: float) -> float:
    return BOTTOM - value / top * (BOTTOM - TOP)


def _durations(top: float) -> list[str]:
    """Return the axis of durations: a line and a number for none, the half and all."""
    drawn: list[str] = []
    for value in (0.0, top / 2, top):
        told = milliseconds(value) if value else "0"
        drawn.append(_level(value, top, FAINT))
        drawn.append(_words(told, LEFT - 4, _y(value, top) + 3, "end"))
    return drawn


def _times(first: int, last: int) -> list[str]:
    """Return the axis of times, in UTC: begin, middle and end; one where all came at once."""
    places = [(0.0, first, "start"), (0.5, (first + last) // 2, "middle"), (1.0, last, "end")]
    marks = places if last > first else places[:1]
    return [
        _words(_short(time, last - first), LEFT + place * (WIDTH - LEFT), HEIGHT - 4, anchor)
        for place, time, anchor in marks
    ]


def _short(time: int, span: int) -> str:
    """Return a time as the span wants it: ``09:00:00``, ``01-31 09:00`` over days, ``09:00:00.250`` within seconds."""
    if 0 < span < SECONDS:
        return clock(time)
    told = moment(time)
    return told[5:16] if span > DAY else told[11:19]


def _words(text: str, x: float, y: float, anchor: str) -> str:
    style = f"fill:currentColor;opacity:.8;font-size:10px;text-anchor:{anchor}"
    return html.tag("text", html.text(text), x=f"{x:.1f}", y=f"{y:.1f}", style=style)


def _legend(points: tuple[Point, ...], *, with_p95: bool) -> str:
    failed = {point.failed for point in points}
    marks = [("\N{BLACK SQUARE}", DONE, "done")] if False in failed else []
    marks += [("\N{BLACK SQUARE}", FAILED, "failed")] if True in failed else []
    marks += [("\N{BOX DRAWINGS LIGHT DOUBLE DASH HORIZONTAL}" * 2, "", "p95")] if with_p95 else []
    shown = [
        html.tag(
            "span",
            html.tag("span", mark, style=f"color:{colour or 'inherit'}", **{"aria-hidden": "true"}),
            html.text(f" {name}"),
            style="margin-right:1em",
        )
        for mark, colour, name in marks
    ]
    return html.tag("div", " ".join(shown), " ", html.text("height: duration · across: start, UTC", "muted"))


def _bar(point: Point, first: int, last: int, top: float, width: float) -> str:
    place = (point.time - first) / (last - first) if last > first else 0.0
    height = max(LEAST, BOTTOM - _y(point.duration_ms or 0, top))
    took = "" if point.duration_ms is None else f" in {milliseconds(point.duration_ms)}"
    return html.tag(
        "rect",
        html.tag("title", html.text(f"{'failed' if point.failed else 'done'}{took}, {moment(point.time)}")),
        x=f"{LEFT + place * (WIDTH - LEFT - width):.1f}",
        y=f"{BOTTOM - height:.1f}",
        width=f"{width:.1f}",
        height=f"{height:.1f}",
        style=f"fill:{FAILED if point.failed else DONE}",
    )


def _level(value: float, top: float, style: str) -> str:
    y = f"{_y(value, top):.1f}"
    return html.tag("line", x1=str(LEFT), x2=str(WIDTH), y1=y, y2=y, style=style)
