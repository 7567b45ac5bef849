"""A card with buttons: each asks for what a command does."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from nbchalice.errors import NbChaliceError
from nbchalice.ui.render.cards import Card
from nbchalice.ui.render.progress import CardWatch, ProgressCard, Watch, moving
from nbchalice.ui.widgets.panel import Busy, Panel, Worker, area, button, error_html, row, status_html

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.project import Project
    from nbchalice.ui.frontend import Frontend


class InPanel:
    """Where a command runs that a button asked for: its progress is shown in the panel.

    Parameters
    ----------
    ui : Frontend
        The notebook.
    place : widgets.HTML
        Where progress is shown.
    """

    interactive = False
    patient = False
    has_notebook = True

    def __init__(self, ui: Frontend, place: widgets.HTML) -> None:
        self._ui, self._place = ui, place

    @property
    def chosen_target(self) -> str:
        """The panel's target."""
        return self._ui.chosen_target

    def pinned(self) -> InPanel:
        """Return itself."""
        return self

    def project(self) -> Project:
        """Return the notebook's project."""
        return self._ui.project()

    def connect(self) -> Connection:
        """Return the connection to the notebook's target."""
        return self._ui.connect()

    def cell_of_file(self, file: str) -> str | None:
        """Return which cell has a file name."""
        return self._ui.cell_of_file(file)

    def command(self, name: str) -> Callable[..., Any]:
        """Return what a command does."""
        return self._ui.command(name)

    @contextmanager
    def progress(self, title: str, *, lazy: bool = False) -> Iterator[Watch]:
        """Show the changes in the panel."""

        def show(card: ProgressCard) -> None:
            self._place.value = card.html

        with moving(CardWatch(title, show, lazy=lazy)) as watch:
            yield watch

    def confirm(self, question: str) -> None:
        """Nothing: the button has asked already."""


class Buttons(Panel):
    """A card with buttons below it, and below them what they brought up.

    The card's attributes are the panel's, too.

    Parameters
    ----------
    ui : Frontend
        The notebook, at the stage and target of this panel.
    card : Card
        What is shown above the buttons, and alone where there are no widgets.
    """

    def __init__(self, ui: Frontend, card: Card) -> None:
        super().__init__(card)
        self._ui = ui
        self._card = widgets.HTML(card.html)
        self._note, self._result, self._more = area(), area(), widgets.VBox()
        self._worker = Worker(self._show_error)
        self._before = self._asked = ""
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

    @property
    def frontend(self) -> Frontend:
        """The notebook, at the stage and target of this panel."""
        return self._ui

    @abstractmethod
    def buttons(self) -> list[widgets.Widget]:
        """Return the buttons."""

    def run(self, name: str, **values: object) -> Any:
        """Run a command with its progress in the panel; return its result."""
        place: Frontend = InPanel(self._ui, self._result)
        return self._ui.command(name)(place, **values)

    def wait(self, seconds: float | None = None) -> None:
        """Wait for what a button began."""
        self._worker.wait(seconds)

    def _show_error(self, error: NbChaliceError) -> None:
        self._note.value = error_html(error)

    def _button(self, text: str, busy: str, job: Callable[[], None], help: str, kind: str = "") -> widgets.Button:
        """Return a button that does a job in a thread, with busy text meanwhile."""
        widget = button(text, lambda: self._work(widget, busy, job), help, kind)
        return widget

    def _ask(self, what: str, text: str) -> bool:
        """Return whether the button before this one asked for it; ask otherwise."""
        if self._before == what:
            return True
        self._asked = what
        self._note.value = status_html(text, "warn", f"press {what} again to do it")
        return False

    def _work(self, pressed: widgets.Button, text: str, job: Callable[[], None]) -> None:
        """Do a job in a thread, with busy text on its button."""

        def work() -> None:
            self._note.value = self._result.value = ""
            self._before, self._asked = self._asked, ""
            job()

        self._worker.start(work, Busy(pressed, text))
