"""What is in a dead-letter queue, as a card."""

from __future__ import annotations

from collections.abc import Sequence

from nbchalice.events.deadletter import DeadLetter
from nbchalice.logs.show import printable
from nbchalice.logs.when import moment, now
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card

LONGEST = 120


class DeadLetterCard(Card):
    """What is in a dead-letter queue. Attributes: ``letters``, ``depth``."""

    def __init__(self, handler: str, queue: str, depth: int, letters: Sequence[DeadLetter], badge: str) -> None:
        self.letters, self.depth, self.handler = list(letters), depth, handler
        title = f"{handler}: {counted(depth, 'message')} in dead-letter queue {queue}"
        rows = [
            [one.message_id, moment(one.sent) if one.sent else "", str(one.received), short(one), one.error or ""]
            for one in letters
        ]
        heads = ["message", "sent", "received", "body", "error"]
        if not any(one.error for one in letters):
            heads, rows = heads[:-1], [cells[:-1] for cells in rows]
        asked = now()
        first = f"{title} · {asked}"
        text = "\n".join([first, html.text_table(heads, rows)] if rows else [first])
        hidden = depth - len(rows)
        more = counted(hidden, "more is not shown", "more are not shown") if hidden > 0 else ""
        table = html.table(heads, [_html_row(*cells) for cells in rows]) if rows else ""
        foot = html.tag("div", html.text(more, "muted")) if more and rows else ""
        data = {"queue": queue, "depth": depth, "messages": [one.to_dict() for one in letters]}
        super().__init__(text, html.card(title, table, foot, badge=f"{badge} · {asked}"), data)


def _html_row(message_id: str, sent: str, received: str, *texts: str) -> tuple[str, ...]:
    short = (html.tag("span", html.text(cell), style="white-space:nowrap") for cell in (message_id, sent, received))
    return (*short, *map(html.text, texts))


def short(letter: DeadLetter) -> str:
    """Return the beginning of a dead letter's body, on one line."""
    text = printable(" ".join(letter.body.split()))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
