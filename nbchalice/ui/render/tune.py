"""What an event took and cost at several sizes of memory: a table with bars."""

from __future__ import annotations

from collections.abc import Sequence

from nbchalice.events.tune import AtSize
from nbchalice.logs.cost import dollars, plain
from nbchalice.logs.show import milliseconds, printable
from nbchalice.logs.when import now
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card

HEADS = ("memory", "duration", "cost", "cold start", "used", "note")
WIDEST = 7.0  # em
LONGEST = 100


class TuneCard(Card):
    """Duration and cost at each size. Attributes: ``sizes``, ``fastest``, ``cheapest`` (each an `AtSize`, or None).

    Parameters
    ----------
    handler : str
        The handler's name.
    sizes : Sequence[AtSize]
        What became of the event at each.
    runs : int
        How often it was handled at each.
    event : str
        What a person calls the event.
    standing : int
        The size that the deployed function has.
    notes : Sequence[str]
        What a person has to know.
    """

    def __init__(
        self, handler: str, sizes: Sequence[AtSize], *, runs: int, event: str, standing: int, notes: Sequence[str] = ()
    ) -> None:
        self.sizes = tuple(sizes)
        good = [one for one in sizes if one.ok]
        self.fastest = min((one for one in good if one.duration_ms is not None), key=_duration, default=None)
        self.cheapest = min((one for one in good if one.cost), key=_memory_seconds, default=None)
        title = f"{handler}: {event}, {counted(runs, 'run')} at each of {counted(len(sizes), 'size')} · {now()}"
        lines = list(self._below(handler, standing, notes))
        rows = [(*_cells(one), self._mark(one, standing)) for one in sizes]
        text = "\n".join([title, html.text_table(HEADS, rows), *lines])
        longest = max((one.duration_ms or 0 for one in sizes), default=0) or 1
        dearest = max((_memory_seconds(one) for one in sizes if one.cost), default=0) or 1
        drawn = [
            [
                html.one_line(row[0]),
                _bar((one.duration_ms or 0) / longest, row[1], "busy"),
                _bar(_memory_seconds(one) / dearest if one.cost else 0, row[2], "warn"),
                *map(html.one_line, row[3:5]),
                html.text(row[5], "good" if one.ok else "bad"),
            ]
            for one, row in zip(sizes, rows, strict=True)
        ]
        foot = [html.tag("div", html.text(line, "muted")) for line in lines]
        data = {
            "handler": handler,
            "event": event,
            "memory_mb": standing,
            "sizes": [one.to_dict() for one in sizes],
            "fastest_mb": self.fastest and self.fastest.memory_mb,
            "cheapest_mb": self.cheapest and self.cheapest.memory_mb,
            "notes": list(notes),
        }
        table = html.tag("div", html.table(HEADS, drawn), style="overflow-x:auto")
        super().__init__(text, html.card(title, table, *foot), data)

    def _mark(self, one: AtSize, standing: int) -> str:
        if one.error:
            return f"failed: {printable(one.error[:LONGEST])}"
        several = len(self.sizes) > 1
        marks = [("fastest", several and one is self.fastest), ("cheapest", several and one is self.cheapest)]
        return ", ".join([name for name, holds in [*marks, ("deployed", one.memory_mb == standing)] if holds])

    def _below(self, handler: str, standing: int, notes: Sequence[str]) -> list[str]:
        """Return the lines below the table: what is set, what the costs are made of, notes."""
        lines = [f"nothing was set: {handler} has {standing} MB; --memory on the handler, and a deploy, change that"]
        price = next((one.price for one in self.sizes if one.price), None)
        if price:
            lines.append(f"cost: of a million such invocations, {price}; requests and the free tier are not counted")
        else:
            lines.append("cost: GB-seconds of one invocation; the price is not known here")
        return [*lines, *notes]


def _duration(one: AtSize) -> float:
    return one.duration_ms or 0.0


def _memory_seconds(one: AtSize) -> float:
    return one.cost.gb_seconds / one.cost.invocations if one.cost else 0.0


def _cells(one: AtSize) -> tuple[str, str, str, str, str]:
    took = "" if one.duration_ms is None else milliseconds(one.duration_ms)
    init = "" if one.init_ms is None else milliseconds(one.init_ms)
    return f"{one.memory_mb} MB", took, _cost(one), init, "" if one.used_mb is None else f"{one.used_mb} MB"


def _cost(one: AtSize) -> str:
    if one.cost is None:
        return ""
    usd = one.cost.usd_per_million
    return f"{plain(_memory_seconds(one))} GB-s" if usd is None else dollars(usd)


def _bar(part: float, text: str, kind: str) -> str:
    """Return a number with a bar below it."""
    style = f"width:{max(part, 0.01) * WIDEST:.2f}em;height:6px;background:{html.COLOURS[kind]};margin:1px 0 4px"
    bar = html.tag("div", style=style, **{"aria-hidden": "true"}) if text else ""
    return html.text(text) + bar
