"""Dead letters: a card for the command, and a panel with buttons that look again, redrive, and replay one here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from nbchalice.events.deadletter import DeadLetter, DeadLetterQueue, dead_letters_of
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.show import as_html, printable
from nbchalice.ui.in_process import call_here
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card
from nbchalice.ui.widgets.buttons import Buttons
from nbchalice.ui.widgets.panel import status_html

if TYPE_CHECKING:
    from nbchalice.ui.commands.base import Frontend

LONGEST = 120
LABELLED = 40
MOST = 10


class DeadLetterCard(Card):
    """What is in a dead-letter queue. Attributes: ``letters``, ``depth``."""

    def __init__(self, handler: str, queue: str, depth: int, letters: Sequence[DeadLetter], badge: str) -> None:
        self.letters, self.depth, self.handler = list(letters), depth, handler
        count = f"{depth} message{'' if depth == 1 else 's'}"
        title = f"{handler}: {count} in dead-letter queue {queue}"
        rows = [[one.message_id, _when(one.sent), str(one.received), _short(one), one.error or ""] for one in letters]
        heads = ["message", "sent", "received", "body", "error"]
        if not any(one.error for one in letters):
            heads, rows = heads[:-1], [cells[:-1] for cells in rows]
        text = "\n".join([title, html.text_table(heads, rows)] if rows else [title])
        more = f"{depth - len(rows)} more are not shown" if depth > len(rows) else ""
        table = html.table(heads, [_html_row(*cells) for cells in rows]) if rows else ""
        foot = html.tag("div", html.text(more, "muted")) if more and rows else ""
        data = {"queue": queue, "depth": depth, "messages": [one.to_dict() for one in letters]}
        super().__init__(text, html.card(title, table, foot, badge=badge), data)


def _html_row(message_id: str, sent: str, received: str, *texts: str) -> tuple[str, ...]:
    short = (html.tag("span", html.text(cell), style="white-space:nowrap") for cell in (message_id, sent, received))
    return (*short, *map(html.text, texts))


def _when(milliseconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(milliseconds / 1000)) if milliseconds else ""


def _short(letter: DeadLetter) -> str:
    text = printable(" ".join(letter.body.split()))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def open_queue(ui: Frontend, handler: str) -> DeadLetterQueue:
    """Return the dead-letter queue of a handler."""
    project, aws = ui.project(), ui.connect()
    found = project.handler(handler)
    return dead_letters_of(aws, found, project.app.ref(aws, found.name))


def look(ui: Frontend, handler: str, most: int = MOST) -> DeadLetterCard:
    """Return what is in a handler's dead-letter queue; everything stays there."""
    queue = open_queue(ui, handler)
    letters = queue.peek(most)
    return DeadLetterCard(handler, queue.name, max(queue.depth(), len(letters)), letters, str(ui.connect().target))


def replay(ui: Frontend, handler: str, message_id: str) -> Invocation:
    """Handle a dead letter in this process; it stays in its queue."""
    queue = open_queue(ui, handler)
    return call_here(ui, handler, queue.event_of(queue.find(message_id)))


class DeadLetterPanel(Buttons):
    """Dead letters with buttons. Attributes as of its card."""

    def buttons(self) -> list[widgets.Widget]:
        """Return the buttons."""
        card: Any = self.fallback
        self._name = card.handler
        self._letter = widgets.Dropdown(
            description="Message", options=self._choices(card), layout=widgets.Layout(width="34em")
        )
        look = self._button("Look again", "Looking…", self._look, "see what is in the queue; everything stays there")
        redrive = self._button(
            "Redrive all",
            "Redriving…",
            self._redrive,
            "let the function try all of them again; real AWS asks first",
        )
        replay = self._button(
            "Replay here", "Running…", self._replay, "handle this message in the kernel; it stays in the queue"
        )
        return [look, redrive, self._letter, replay]

    def _choices(self, card: Any) -> list[tuple[str, str]]:
        return [(f"{one.message_id[:8]} {_short(one)[:LABELLED]}", one.message_id) for one in card.letters]

    def _look(self) -> None:
        card = look(self._ui, self._name)
        self._card.value = card.html
        self._letter.options = self._choices(card)

    def _redrive(self) -> None:
        aws = self._ui.connect()
        if not aws.local and not self._ask("Redrive all", f"this goes to {aws.target}"):
            return
        count = open_queue(self._ui, self._name).redrive()
        self._note.value = status_html(f"{count} put back", "good", "the function tries them again")
        self._look()

    def _replay(self) -> None:
        if not self._letter.value:
            self._note.value = status_html("there is no message to replay", "muted")
            return
        found = replay(self._ui, self._name, self._letter.value)
        self._result.value = as_html(found)
        self.keep(found)
