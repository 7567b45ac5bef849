"""The status with buttons, and the buttons below a handler's card: each asks for what a command does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from nbchalice.errors import NbChaliceError
from nbchalice.ui.cards import Card
from nbchalice.ui.panels import Busy, Panel, Worker, area, button, error_html, row, status_html
from nbchalice.ui.progress import CardWatch, ProgressCard, Watch

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.project import Project
    from nbchalice.ui.command import Frontend


class InPanel:
    """Where a command runs that a button asked for: its progress is shown in the panel.

    Parameters
    ----------
    ui: the notebook.
    place: where progress is shown.
    """

    interactive = False
    patient = False

    def __init__(self, ui: Frontend, place: widgets.HTML) -> None:
        self._ui, self._place = ui, place

    def pinned(self) -> InPanel:
        """Return itself."""
        return self

    def project(self) -> Project:
        """Return the notebook's project."""
        return self._ui.project()

    def connect(self) -> Connection:
        """Return the connection to the notebook's target."""
        return self._ui.connect()

    @contextmanager
    def progress(self, title: str) -> Iterator[Watch]:
        """Show the changes in the panel."""

        def show(card: ProgressCard) -> None:
            self._place.value = card.html

        yield CardWatch(title, show)

    def confirm(self, question: str) -> None:
        """Nothing: the button has asked already."""


class Buttons(Panel):
    """A card with buttons below it, and below them what they brought up.

    The card's attributes are the panel's, too.

    Parameters
    ----------
    ui: the notebook, at the stage and target of this panel.
    card: what is shown above the buttons, and alone where there are no widgets.
    """

    def __init__(self, ui: Frontend, card: Card) -> None:
        super().__init__(card)
        self._ui = ui
        self._card = widgets.HTML(card.html)
        self._note, self._result, self._more = area(), area(), widgets.VBox()
        self._worker = Worker(self._show_error)
        self._asked = ""
        self._view = widgets.VBox(
            [self._card, row(*self.buttons()), self._note, self._result, self._more, *self.helpers()]
        )
        self._view.add_class("nbchalice-panel")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name == "fallback":
            raise AttributeError(name)
        return getattr(self.fallback, name)

    @property
    def view(self) -> widgets.Widget:
        """The card and its buttons."""
        return self._view

    def buttons(self) -> list[widgets.Widget]:
        """Return the buttons."""
        return []

    def wait(self, seconds: float | None = None) -> None:
        """Wait for what a button began."""
        self._worker.wait(seconds)

    def _show_error(self, error: NbChaliceError) -> None:
        self._note.value = error_html(error)

    def _work(self, pressed: widgets.Button, text: str, job: Any) -> None:
        """Do a job in a thread, with busy text on its button."""

        def work() -> None:
            self._note.value = self._result.value = ""
            job()

        self._worker.start(work, Busy(pressed, text))

    def _send(self, handler: str) -> None:
        from nbchalice.ui.sender import Sender

        self._more.children = [Sender(self._ui, handler).view]

    def _logs(self, handler: str) -> None:
        from nbchalice.ui.viewer import log_viewer

        self._more.children = [log_viewer(self._ui, handler, since="10m", level=None, request_id=None).view]


class HandlerPanel(Buttons):
    """A handler's card with *Send* and *Logs*."""

    def buttons(self) -> list[widgets.Widget]:
        """Return the buttons."""
        name = self.fallback.data["name"]
        send = button(
            "Send…", lambda: self._work(send, "Opening…", lambda: self._send(name)), "a form for a test event"
        )
        logs = button(
            "Logs", lambda: self._work(logs, "Opening…", lambda: self._logs(name)), "follow the handler's log"
        )
        return [send, logs]


class StatusPanel(Buttons):
    """The status with buttons. Attributes as of its card."""

    def buttons(self) -> list[widgets.Widget]:
        """Return the buttons."""
        self._handler = widgets.Dropdown(
            description="Handler", options=self._names(self.fallback), layout=widgets.Layout(width="20em")
        )
        act: dict[str, widgets.Button] = {}

        def add(text: str, busy: str, job: Any, help: str, kind: str = "") -> None:
            act[text] = button(text, lambda: self._work(act[text], busy, job), help, kind)

        add("Refresh", "Looking…", self._refresh, "look at AWS again")
        add(
            "Deploy",
            "Deploying…",
            lambda: self._run("deploy", prune=False),
            "bring AWS to what the notebook says",
            "primary",
        )
        add("Send…", "Opening…", lambda: self._send(self._handler.value), "a form for a test event")
        add("Logs", "Opening…", lambda: self._logs(self._handler.value), "follow the handler's log")
        add("Delete", "Deleting…", self._delete, "remove all that the app owns; asks first")
        return [self._handler, *act.values()]

    def _names(self, card: Any) -> list[str]:
        return [handler.name for handler in card.handlers]

    def _run(self, name: str, **values: Any) -> None:
        """Run a command as it is, and look at AWS again."""
        from nbchalice.ui.commands import COMMANDS

        found: Any = COMMANDS[name].run(InPanel(self._ui, self._result), **values)
        self._result.value = found.html
        self.keep(found)
        self._refresh()

    def _delete(self) -> None:
        if self._asked != "delete":
            self._asked = "delete"
            text = f"this removes all that the app owns from {self._ui.connect().target}"
            self._note.value = status_html(text, "warn", "press Delete again to remove it")
            return
        self._asked = ""
        self._run("delete", yes=True)

    def _refresh(self) -> None:
        from nbchalice.ui.app_commands import status_card

        card = status_card(self._ui)
        self._card.value = card.html
        self._handler.options = self._names(card)
