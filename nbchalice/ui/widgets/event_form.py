"""What is to be sent: the choice of source and event, the source's fields, and what the service will do with them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import ipywidgets as widgets

from nbchalice.errors import NbChaliceError
from nbchalice.events.preview import preview, way_of
from nbchalice.events.saved import SavedEvents
from nbchalice.events.send import competing_consumers
from nbchalice.events.triggers import Route, labels, route_of, routes
from nbchalice.sources.base import Note
from nbchalice.typed import JSON, Values
from nbchalice.ui.render import html
from nbchalice.ui.render.sends import notes_html
from nbchalice.ui.widgets.forms import INDENT, LABEL, Form
from nbchalice.ui.widgets.panel import area, button, row
from nbchalice.ui.widgets.record_input import record_input

if TYPE_CHECKING:
    from nbchalice.project import Project
    from nbchalice.ui.frontend import Frontend

HISTORY = 20
SOURCE = "source"


class EventForm:
    """The form of one handler's events.

    Attributes: ``widget``, ``source`` (which of several), ``way`` (how its events come).

    Parameters
    ----------
    ui : Frontend
        The notebook, at the stage and target of this form.
    handler : str
        The handler's name.
    source : str or None
        Which of its sources is shown first. Default: the only one, or the first.
    """

    def __init__(self, ui: Frontend, handler: str, source: str | None) -> None:
        self._ui, self._name = ui, handler
        project, self._aws = ui.project(), ui.connect()
        routes = self._routes(project)
        self._label = route_of(project.handler(handler), routes[0].ref, source).label if source else routes[0].label
        self._events = SavedEvents(project.notebook.parent, handler)
        self._history: list[tuple[str, JSON]] = []
        self._filling = False
        self._warning = ""
        wide: dict[str, widgets.Layout | dict[str, str]] = {"layout": widgets.Layout(width="24em"), "style": LABEL}
        every = list(zip(labels(routes), (route.label for route in routes), strict=True))
        self.source = widgets.Dropdown(description="Source", options=every, value=self._label, **wide)
        self.pick = widgets.Dropdown(description="Event", **wide)
        self.save_name = widgets.Text(
            placeholder="save as", tooltip="name to save this event under", layout={"width": "10em"}
        )
        self._fields = widgets.VBox()
        self._preview = area()
        self.save_button = button("Save event", lambda: None, "keep it in .nbchalice/events, beside the notebook")
        picking = row(self.pick, row(self.save_name, self.save_button))
        self.widget = widgets.VBox([*([self.source] if len(routes) > 1 else []), picking, self._fields, self._preview])
        self._show_source(self.route(project))
        self.source.observe(lambda change: self._choose(change["new"]), names="value")
        self.pick.observe(lambda change: self._picked(change["new"]), names="value")

    def _routes(self, project: Project) -> list[Route]:
        # For the names alone; what is sent goes over a connection of its own.
        return routes(project.handler(self._name), project.app.ref(self._aws, self._name))

    def route(self, project: Project) -> Route:
        """Return the chosen source as the notebook defines it now."""
        routes = self._routes(project)
        same = [route for route in routes if route.label == self._label]
        return (same or [route for route in routes if route.source.name == self._kind] or routes)[0]

    def read(self) -> JSON:
        """Return what the fields hold.

        Raises
        ------
        InvalidInputError
            A value is not of its field's kind.
        """
        return self.form.read()

    def remember(self, values: Values) -> None:
        """Offer what is sent to be sent again."""
        text = next((str(value) for value in values.values() if isinstance(value, str)), "")
        name = f"{time.strftime('%H:%M:%S')} {' '.join(text.split())[:40]}"
        others = [one for one in self._history if one[0] != name]
        self._history = [*others[-HISTORY:], (name, self._with_source(values))]
        self._offer(self.pick.value)

    def save(self) -> str:
        """Keep what the fields hold under the name that was typed; return the file.

        Raises
        ------
        InvalidInputError
            The name cannot be a file's, or a value is not of its field's kind.
        """
        name = self.save_name.value.strip()
        path = self._events.save(name, self._with_source(self.read()))
        self._offer(("saved", name))
        return str(path)

    def _with_source(self, values: Values) -> JSON:
        return {**values, **({SOURCE: self._label} if len(self.source.options) > 1 else {})}

    def _show_source(self, route: Route) -> None:
        """Show the fields of a source, filled with its sample."""
        self._kind, self.way = route.source.name, way_of(self._aws, route.source)
        self._templates = route.templates()
        kinds = {"message": record_input(route.record)} if route.record and route.record.leaves else {}
        self.form = Form(route.source.form_fields(route.options), self._show_preview, kinds)
        self._fields.children = [self.form.widget]
        self._offer(("template", "sample"))
        self._fill("template", "sample")
        threading.Thread(
            target=self._look_for_consumers, args=(route,), name="nbchalice-consumers", daemon=True
        ).start()

    def _look_for_consumers(self, route: Route) -> None:
        """Ask who else takes the trigger's events; an answer about another source than the chosen one is late."""
        warning = competing_consumers(self._aws, route.source, route.options, route.ref) or ""
        if route.label == self._label and warning != self._warning:
            self._warning = warning
            self._show_preview()

    def _show_preview(self) -> None:
        """Say what the service will do with what the fields hold."""
        try:
            project = self._ui.project()
            route = self.route(project)
            notes = preview(route.source, route.options, self.form.read(), project.handlers, route.ref)
        except NbChaliceError as error:
            self._preview.value = html.text(error.message, "bad")
            return
        if self._warning:
            notes.append(Note(self._warning, False))
        self._preview.value = html.tag("div", notes_html(notes), style=f"margin-left:calc({INDENT} + 2px)")

    def _choices(self) -> list[tuple[str, tuple[str, str]]]:
        """Return what the form can be filled with: templates, saved events, and what was sent before."""
        sent = [(f"sent {text}", ("sent", text)) for text, _ in reversed(self._history)]
        saved = [(f"saved: {name}", ("saved", name)) for name in self._events.names()]
        return [*[(name, ("template", name)) for name in self._templates], *saved, *sent]

    def _choose(self, label: str) -> None:
        self._label = label
        try:
            self._show_source(self.route(self._ui.project()))
        except NbChaliceError as error:
            self._preview.value = html.text(str(error), "bad")

    def _picked(self, choice: tuple[str, str] | None) -> None:
        if choice is not None and not self._filling:
            self._fill(*choice)

    def _fill(self, kind: str, name: str) -> None:
        """Fill the fields with a template, a saved event, or one that was sent before."""
        if kind == "template":
            self.form.write(self._templates[name])
            return
        try:
            values = self._events.load(name) if kind == "saved" else dict(dict(self._history)[name])
        except NbChaliceError as error:
            self._preview.value = html.text(str(error), "bad")
            return
        label = values.pop(SOURCE, self._label)
        if label != self._label and label in (value for _, value in self.source.options):
            self.source.value = label
            self._offer((kind, name))
        self.form.write(values)

    def _offer(self, chosen: tuple[str, str]) -> None:
        """Offer what there is now, and show what is chosen; the fields stay."""
        self._filling = True
        self.pick.options = self._choices()
        self.pick.value = chosen
        self._filling = False
