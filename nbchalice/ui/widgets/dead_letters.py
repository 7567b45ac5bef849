"""Dead letters with buttons that look again, redrive, and replay one here."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from nbchalice.logs.show import as_html
from nbchalice.ui.render.dead_letters import DeadLetterCard, short
from nbchalice.ui.widgets.buttons import Buttons
from nbchalice.ui.widgets.panel import status_html

LABELLED = 40
MOST = 10


class DeadLetterPanel(Buttons):
    """Dead letters with buttons. Attributes as of its card."""

    def buttons(self) -> list[widgets.Widget]:
        """Return the buttons."""
        card = self.fallback
        assert isinstance(card, DeadLetterCard)
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

    def _choices(self, card: DeadLetterCard) -> list[tuple[str, str]]:
        return [(f"{one.message_id[:8]} {short(one)[:LABELLED]}", one.message_id) for one in card.letters]

    def _dlq(self, replay: str | None = None, redrive: bool = False) -> Any:
        """Run the command, as a button asks for it."""
        return self.run("dlq", handler=self._name, most=MOST, replay=replay, redrive=redrive)

    def _look(self) -> None:
        card = self._dlq()
        self._card.value = card.html
        self._letter.options = self._choices(card)

    def _redrive(self) -> None:
        aws = self._ui.connect()
        if not aws.local and not self._ask("Redrive all", f"this goes to {aws.target}"):
            return
        count = self._dlq(redrive=True).data["redriven"]
        self._note.value = status_html(f"{count} put back", "good", "the function tries them again")
        self._look()

    def _replay(self) -> None:
        if not self._letter.value:
            self._note.value = status_html("there is no message to replay", "muted")
            return
        invocation = self._dlq(replay=self._letter.value)
        self._result.value = as_html(invocation)
        self.keep(invocation)
