"""The status with buttons, and the buttons below a handler's card."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ipywidgets as widgets

from nbchalice.errors import InvalidInputError
from nbchalice.text import by_text
from nbchalice.ui.render.cards import HandlerCard
from nbchalice.ui.render.reports import StatusCard
from nbchalice.ui.render.standing import Standing
from nbchalice.ui.widgets.buttons import Buttons
from nbchalice.ui.widgets.dead_letters import MOST, DeadLetterPanel
from nbchalice.ui.widgets.panel import row, status_html
from nbchalice.ui.widgets.sender import Sender
from nbchalice.ui.widgets.viewer import log_viewer


class Openers(Buttons):
    """A card with buttons that open a panel of a handler below."""

    def _openers(self, chosen: Callable[[], str | None], *names: str) -> list[widgets.Button]:
        """Return buttons that open a panel of the chosen handler below."""
        return [self._button(name, "Opening…", partial(self._open, chosen, name), OPENERS[name][1]) for name in names]

    def _open(self, chosen: Callable[[], str | None], name: str) -> None:
        handler = chosen()
        if handler is None:
            hint = "run a cell that begins with %%on_sqs_message or the like"
            raise InvalidInputError("there is no handler", hint, code="no-handlers")
        self._more.children = [OPENERS[name][0](self, handler)]


def _sender(panel: Openers, handler: str) -> widgets.Widget:
    return Sender(panel.frontend, handler).view


def _log(panel: Openers, handler: str) -> widgets.Widget:
    return log_viewer(panel.frontend, handler).view


def _metrics(panel: Openers, handler: str) -> widgets.Widget:
    return widgets.HTML(panel.run("metrics", handler=handler, since="1h").html)


def _dead_letters(panel: Openers, handler: str) -> widgets.Widget:
    card = panel.run("dlq", handler=handler, most=MOST, replay=None, redrive=False)
    return DeadLetterPanel(panel.frontend, card).view


OPENERS: dict[str, tuple[Callable[[Openers, str], widgets.Widget], str]] = {
    "Send…": (_sender, "a form for a test event"),
    "Logs": (_log, "follow the handler's log"),
    "Metrics": (_metrics, "invocations, errors and durations of the last hour"),
    "Dead letters": (_dead_letters, "what is in the handler's dead-letter queue"),
}


class HandlerPanel(Openers):
    """A handler's card with *Deploy*, *Send* and *Logs*; it follows its handler."""

    def buttons(self) -> list[widgets.Widget]:
        """Return the buttons."""
        assert isinstance(self.fallback, HandlerCard)
        name = self.fallback.handler.name
        self._deploy_button = self._button(
            "Deploy", "Deploying…", self._deploy, "bring AWS to what the notebook says", "primary"
        )
        self._show_deploy(self.fallback)
        return [self._deploy_button, *self._openers(lambda: name, "Send…", "Logs")]

    def follow(self, standing: Standing) -> None:
        """Show how the handler stands now."""
        assert isinstance(self.fallback, HandlerCard)
        self.fallback = self.fallback.at(standing)
        self._card.value = self.fallback.html
        self._show_deploy(self.fallback)
        self.keep(self.fallback)

    def _show_deploy(self, card: HandlerCard) -> None:
        self._deploy_button.layout.display = None if card.standing.is_to_deploy else "none"

    def _deploy(self) -> None:
        self._result.value = self.run("deploy", prune=False).html


class StatusPanel(Openers):
    """The status with buttons, for the app and for one of its handlers. Attributes as of its card."""

    def buttons(self) -> list[widgets.Widget]:
        """Return a row of buttons for the app, and one for a handler."""
        assert isinstance(self.fallback, StatusCard)
        self._handler = widgets.Dropdown(
            description="Handler",
            options=self._names(self.fallback),
            layout=widgets.Layout(width="16em"),
            style={"description_width": "initial"},
        )
        self._prune = self._button("Prune", "Pruning…", self._remove_orphans, "remove orphaned handlers; asks first")
        self._going: frozenset[str] = frozenset()
        self._show_prune(self.fallback)
        app = [
            self._button("Refresh", "Looking…", self._refresh, "look at AWS again"),
            self._button("Plan", "Planning…", self._plan, "what a deploy would do"),
            self._button("Deploy", "Deploying…", self._deploy, "bring AWS to what the notebook says", "primary"),
            self._prune,
            self._button("Delete", "Deleting…", self._delete, "remove all that the app owns; asks first"),
        ]
        handler = self._openers(lambda: self._handler.value, "Send…", "Logs", "Metrics", "Dead letters")
        return [widgets.VBox([row(*app), row(self._handler, *handler)])]

    def _names(self, card: StatusCard) -> list[str]:
        # Of those that are not in this notebook no trigger is known.
        return [handler.name for handler in card.handlers if handler.trigger]

    def _show_prune(self, card: StatusCard) -> None:
        self._prune.layout.display = None if _orphans(card) else "none"

    def _run(self, name: str, **values: object) -> None:
        """Run a command as it is, and look at AWS again."""
        card = self.run(name, **values)
        self._result.value = card.html
        self.keep(card)
        self._refresh()

    def _plan(self) -> None:
        self._run("plan", prune=False)

    def _deploy(self) -> None:
        self._run("deploy", prune=False)

    def _remove_orphans(self) -> None:
        """Remove what was named and is still an orphan; what became one since is named first."""
        card = self._look()
        orphans = _orphans(card)
        if not orphans:
            self._note.value = status_html("nothing is orphaned any more", "muted")
        elif self._before == "Prune" and orphans.keys() <= self._going:
            self._run("deploy", prune=frozenset(orphans), yes=True)
        else:
            self._before, self._going = "", frozenset(orphans)
            doubts = by_text({name: doubt for name, doubt in orphans.items() if doubt})
            text = f"this removes {', '.join(orphans)} (deployed, not in the notebook), and deploys the others"
            self._ask("Prune", "; ".join([text, *doubts]))

    def _delete(self) -> None:
        if self._ask("Delete", f"this removes all that the app owns from {self._ui.connect().target}"):
            self._run("delete", handler=None, yes=True)

    def _refresh(self) -> None:
        self._look()

    def _look(self) -> StatusCard:
        card: StatusCard = self.run("status")
        self._card.value = card.html
        self._handler.options = self._names(card)
        self._show_prune(card)
        return card


def _orphans(card: StatusCard) -> dict[str, str]:
    """Return the orphans that a status shows, each with what is said of it."""
    return {handler.name: "; ".join(handler.drift) for handler in card.handlers if handler.state == "orphaned"}
