"""The events that came to a handler, as a table that becomes a DataFrame."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from nbchalice.errors import InvalidInputError
from nbchalice.events.past import PastEvent
from nbchalice.events.received import Received
from nbchalice.logs.show import milliseconds, printable
from nbchalice.logs.when import moment, now
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card

MOST_SHOWN = 20
LONGEST = 60
HEADS = ["time", "event", "from", "content", "ended", "took", "error"]
KINDS = {"ok": "good", "error": "bad", "timeout": "bad", "partial": "warn", "ignored": "warn"}


class EventsCard(Card):
    """The events that came to a handler: a sequence of `PastEvent`. Attributes: ``events``, ``notes``.

    Parameters
    ----------
    handler : str
        The handler's name.
    received : Received
        The events, the oldest first.
    badge : str
        Where the function stands.
    """

    def __init__(self, handler: str, received: Received, badge: str) -> None:
        self.handler, self.events, self.notes = handler, list(received.events), list(received.notes)
        title = f"{handler}: {counted(len(self.events), 'event') if self.events else 'no event is known'}"
        shown, asked = self.events[-MOST_SHOWN:], now()
        rows = [_row(one) for one in shown]
        heads = HEADS if any(row[-1] for row in rows) else HEADS[:-1]
        rows = [row[: len(heads)] for row in rows]
        more = len(self.events) - len(shown)
        notes = list(self.notes)
        if more:
            notes.insert(0, f"{counted(more, 'earlier one is', 'earlier ones are')} not shown; .events has all")
        if not self.events:
            notes.append(
                "what %chalice send and live mode bring is kept here; what else comes, where the handler has --record N"
            )
        table = [html.text_table(heads, rows)] if rows else []
        text = "\n".join([f"{title} · {asked}", *table, *(f"note: {note}" for note in notes)])
        body = html.table(heads, [_html_row(row, one) for row, one in zip(rows, shown, strict=True)]) if rows else ""
        foot = [html.tag("div", html.text(note, "muted")) for note in notes]
        data = {"handler": handler, "events": [one.to_dict() for one in self.events], "notes": self.notes}
        super().__init__(text, html.card(title, body, *foot, badge=f"{badge} · {asked}"), data)

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[PastEvent]:
        return iter(self.events)

    def __getitem__(self, index: int) -> PastEvent:
        return self.events[index]

    def to_dataframe(self) -> Any:
        """Return a row for each event; pandas must be installed.

        Raises
        ------
        InvalidInputError
            It is not.
        """
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise InvalidInputError("a DataFrame needs pandas, which is not installed", "%pip install pandas") from None
        rows = [
            {
                "at": datetime.fromtimestamp(one.at / 1000, UTC),
                "id": one.id,
                "origin": one.origin,
                "content": _content(one),
                "status": one.answer.status,
                "attempt": one.answer.attempt,
                "duration_ms": one.answer.duration_ms,
                "error": one.answer.error,
                "event": one.event,
                "result": one.answer.result,
            }
            for one in self.events
        ]
        return pandas.DataFrame(rows, columns=list(rows[0]) if rows else COLUMNS)


COLUMNS = ["at", "id", "origin", "content", "status", "attempt", "duration_ms", "error", "event", "result"]


def _content(one: PastEvent) -> str:
    return "\n".join(one.texts()) if one.is_known else ""


def short(text: str, most: int = LONGEST) -> str:
    """Return the beginning of a text, on one line."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= most else f"{line[:most]}…"


def content_of(one: PastEvent) -> str:
    """Return what a person knows an event by, on one line; of one that is not known, why it is not."""
    if not one.is_known:
        return f"({one.missing})"
    texts = list(one.texts())
    first = short(texts[0]) if texts else ""
    return f"{first} and {len(texts) - 1} more" if len(texts) > 1 else first


def _row(one: PastEvent) -> list[str]:
    answer = one.answer
    took = "" if answer.duration_ms is None else milliseconds(answer.duration_ms)
    where = answer.status if answer.where == "deployed" else f"{answer.status} here"
    if (answer.attempt or 1) > 1:
        where += f" (attempt {answer.attempt})"
    error = short(answer.error or "")
    return [moment(one.at), printable(one.short_id), one.origin, content_of(one), where, took, error]


def _html_row(row: list[str], one: PastEvent) -> list[str]:
    kinds = ["", "", "", "" if one.is_known else "muted", KINDS.get(one.answer.status, "muted"), "", "bad"]
    cells = [html.one_line(cell, kind) for cell, kind in zip(row, kinds, strict=False)]
    cells[1] = html.tag("code", html.text(row[1]), title=one.id)
    return cells
