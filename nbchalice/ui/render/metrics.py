"""The metrics strip: numbers of a handler's invocations, what they cost, and each of them drawn as a bar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nbchalice.logs.memory import level_of, memory_line, memory_words
from nbchalice.logs.metrics import Metrics
from nbchalice.logs.show import milliseconds
from nbchalice.logs.when import now
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card
from nbchalice.ui.render.chart import bars

MEMORY_KINDS = {"": "", "near": "warn", "over": "bad"}


class MetricsCard(Card):
    """Invocations, errors, durations and cost of a time. Attribute: ``metrics``.

    Parameters
    ----------
    handler : str
        The handler's name.
    metrics : Metrics
        The numbers.
    since : str
        The time, as it was asked for.
    notes : Sequence[str]
        What a person has to know of the numbers.
    """

    def __init__(self, handler: str, metrics: Metrics, since: str, notes: Sequence[str] = ()) -> None:
        self.metrics = metrics
        values = list(_values(metrics))
        title = f"{handler}: last {since}" if since[:1].isdigit() and since[-1:] in "smhdw" else f"{handler}: {since}"
        title = f"{title} · {now()}"
        below = list(_below(metrics, notes if metrics.points else ()))
        text = "\n".join([title, "  " + ", ".join(value for value, _ in values), *(f"  {line}" for line, _ in below)])
        spans = (html.tag("span", html.text(value, kind), style="margin-right:1.5em") + " " for value, kind in values)
        foot = (html.tag("div", html.text(line, kind)) for line, kind in below)
        whole = html.card(title, html.tag("div", *spans), bars(metrics), *foot)
        super().__init__(text, whole, {"handler": handler, **metrics.to_dict()})


def _values(metrics: Metrics) -> Iterator[tuple[str, str]]:
    """Yield the numbers, each with the colour's kind."""
    yield counted(metrics.invocations, "invocation"), ""
    yield counted(metrics.errors, "error"), "bad" if metrics.errors else ""
    if metrics.throttles is not None:
        yield counted(metrics.throttles, "throttle"), "bad" if metrics.throttles else ""
    yield counted(metrics.cold_starts, "cold start"), ""
    yield f"p50 {_took(metrics.p50_ms)}", ""
    yield f"p95 {_took(metrics.p95_ms)}", ""
    if metrics.fullest:
        yield f"up to {memory_words(metrics.fullest)}", MEMORY_KINDS[level_of(metrics.fullest)]


def _below(metrics: Metrics, notes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the lines below the numbers: advice on memory, the cost and what it is made of, notes."""
    if metrics.fullest and (advice := memory_line(metrics.fullest)):
        yield advice, MEMORY_KINDS[level_of(metrics.fullest)]
    if metrics.cost:
        of = "" if metrics.cost.invocations == metrics.invocations else f" of {metrics.cost.invocations} of them"
        yield f"cost{of}: {metrics.cost}", ""
        if metrics.cost.price:
            yield f"{metrics.cost.price}; requests and the free tier are not counted", "muted"
    for note in notes:
        yield note, "muted"


def _took(duration: float | None) -> str:
    return "none" if duration is None else milliseconds(duration)
