"""The sender: a form for test events, and below it what became of the event that was sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from nbchalice.errors import NbChaliceError
from nbchalice.events.preview import preview
from nbchalice.events.saved import SavedEvents
from nbchalice.events.send import Progress, SendResult
from nbchalice.events.templates import templates
from nbchalice.logs.records import Invocation
from nbchalice.logs.show import as_html
from nbchalice.sources.base import Field
from nbchalice.ui import html
from nbchalice.ui.cards import Card
from nbchalice.ui.delivery import DUPLICATE, Way, fields_for, invocation_of, outcome, summary
from nbchalice.ui.forms import INDENT, LABEL, Form, label
from nbchalice.ui.panels import Busy, Panel, Worker, area, button, error_html, frame, row, status_html, title

if TYPE_CHECKING:
    from nbchalice.ui.command import Frontend

STATE_KINDS = {"done": "good", "failed": "bad", "retrying": "warn"}
HISTORY = 20
MOST = 100


class Sender(Panel):
    """A form that sends test events to one handler and follows each to its invocation.

    Attribute ``results``: what became of what was sent, the newest last.

    Parameters
    ----------
    ui: the notebook, at the stage and target of this form.
    handler: the handler's name.
    """

    def __init__(self, ui: Frontend, handler: str) -> None:
        project, aws = ui.project(), ui.connect()
        found = project.handler(handler)
        self._ui, self._name, self._target = ui, found.name, aws.target
        self._ref = project.app.ref(aws, found.name)
        self._trigger = found.sources()[0]
        source, options = self._trigger
        super().__init__(_fallback(found.name, found.describe(), str(self._target)))
        self.results: list[SendResult | Invocation] = []
        self._events = SavedEvents(project.notebook.parent, found.name)
        self._templates = templates(source, options, self._ref)
        self._history: list[tuple[str, dict[str, Any]]] = []
        self._confirmed = aws.local
        self._filling = False
        self._stop = threading.Event()
        self._worker = Worker(self._show_error)
        self._build(source.title, fields_for(source, options))
        self._fill("template", "sample")

    def _build(self, service: str, fields: Sequence[Field]) -> None:
        self._form = Form(fields, self._show_preview)
        wide = {"layout": widgets.Layout(width="24em"), "style": LABEL}
        self._pick = widgets.Dropdown(description="Event", options=self._choices(), **wide)
        self._pick.observe(lambda change: self._picked(change["new"]), names="value")
        self._save_name = widgets.Text(placeholder="name", tooltip="name for this event", layout={"width": "10em"})
        self._way = widgets.ToggleButtons(
            options=[(f"through {service}", False), ("invoke directly", True)],
            tooltips=["as real events come", "past the service: the function is called with a sample event"],
            style={"button_width": "auto"},
        )
        self._count = widgets.BoundedIntText(
            1, 1, MOST, description="Times", style={"description_width": "initial"}, layout={"width": "8em"}
        )
        self.send_button = button("Send", self.send, "send this event and follow it", "primary")
        self._twice = button("Send twice", self.send_twice, "the same event two times, as it may happen on AWS")
        self._preview, self._status, self._result = area(), area(), area()
        saving = row(self._save_name, button("Save event", self.save, "keep it in .nbchalice/events"))
        self._view = frame(
            title(f"Send to {self._name}", str(self._target)),
            row(self._pick, saving),
            self._form.widget,
            self._preview,
            row(label("Way"), self._way),
            row(self.send_button, self._count, self._twice, margin=f"0 0 0 {INDENT}"),
            self._status,
            self._result,
            *self.helpers(),
        )

    @property
    def view(self) -> widgets.Widget:
        """The form."""
        return self._view

    def send(self) -> None:
        """Send what the form holds, as often as it says; ignored while an event is on its way."""
        count = int(self._count.value)
        self._start(lambda way, values: self._many(way, values, count) if count > 1 else self._one(way, values))

    def send_twice(self) -> None:
        """Send the same event two times."""
        self._start(self._both)

    def save(self) -> None:
        """Keep the form's values under the name that was typed."""
        self._worker.start(self._save)

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the event that is on its way."""
        self._worker.wait(seconds)

    def _start(self, job: Any) -> None:
        if self._worker.busy:
            return
        self._stop.set()
        self._stop = threading.Event()

        def work() -> None:
            values = self._form.read()
            if not self._ask_first():
                return
            self._result.value = ""
            self._status.value = status_html("sending")
            way = self._make_way()
            self._remember(values)
            job(way, values)

        self._worker.start(work, Busy(self.send_button, "Sending…"))

    def _make_way(self) -> Way:
        project, aws = self._ui.project(), self._ui.connect()
        found = project.handler(self._name)
        source, options = next(
            (one for one in found.sources() if one[0].name == self._trigger[0].name), found.sources()[0]
        )
        return Way(aws, source, options, project.app.ref(aws, found.name), bool(self._way.value))

    def _ask_first(self) -> bool:
        """Return whether to send; on real AWS the first click only asks."""
        if not self._confirmed:
            self._confirmed = True
            self._status.value = status_html(f"this goes to {self._target}", "warn", "press Send again to send it")
            return False
        return True

    def _one(self, way: Way, values: Mapping[str, Any]) -> None:
        stop = self._stop
        result = way.deliver(values, self._show_progress, stop)
        self._keep([result])
        self._show_result([result])
        if isinstance(result, SendResult) and result.status == "failed":
            threading.Thread(target=self._follow_retries, args=(way, result, stop), daemon=True).start()

    def _follow_retries(self, way: Way, result: SendResult, stop: threading.Event) -> None:
        """Show the further attempts; the form can be used meanwhile."""
        attempts: dict[tuple[str, int], Invocation] = {}
        try:
            for each in way.retries(result, stop):
                attempts[each.key] = each
                if stop.is_set():
                    return
                state = {"running": "retrying", "ok": "done"}.get(each.status, "failed")
                words = f"{state} (attempt {each.attempt or len(attempts) + 1})"
                self._status.value = status_html(words, STATE_KINDS[state])
                self._result.value = "".join(_result_html(one) for one in [result, *attempts.values()])
        except NbChaliceError as error:
            if not stop.is_set():
                self._result.value += error_html(error)

    def _both(self, way: Way, values: Mapping[str, Any]) -> None:
        done: list[Any] = []
        for result in way.twice(values):
            done.append(result)
            self._status.value = status_html(summary(done, 2))
            self._result.value = "".join(_result_html(one) for one in done)
        self._keep(done)
        self._show_result(done)
        if len({one.message_id for one in done if isinstance(one, SendResult)}) == 1 and not way.direct:
            self._status.value += html.tag("div", html.text(f"the second was {DUPLICATE}", "muted"))

    def _many(self, way: Way, values: Mapping[str, Any], count: int) -> None:
        done: list[Any] = []
        self._status.value = status_html(summary(done, count))
        for result in way.many(values, count):
            done.append(result)
            self._status.value = status_html(summary(done, count))
        self._keep([one for one in done if not isinstance(one, NbChaliceError)])
        failed = [one for one in done if outcome(one) != "done"]
        self._result.value = "".join(_result_html(one) for one in _distinct(failed or done)[:3])

    def _keep(self, results: list[Any]) -> None:
        self.results = [*self.results, *results][-MOST:]

    def _show_progress(self, progress: Progress) -> None:
        state = progress.state
        told = f"message {progress.message_id}"
        self._status.value = status_html(str(progress), STATE_KINDS.get(state, "busy"), told)
        if progress.invocation is not None and state != "queued":
            self._result.value = as_html(progress.invocation)

    def _show_result(self, results: list[Any]) -> None:
        self._result.value = "".join(_result_html(one) for one in results)
        last = results[-1]
        state = outcome(last)
        invocation = invocation_of(last)
        told = f"message {last.message_id}" if isinstance(last, SendResult) else "invoked directly"
        words = str(Progress(state, "", None, invocation)) if len(results) == 1 else summary(results, len(results))
        self._status.value = status_html(words, STATE_KINDS.get(state, "warn"), told if len(results) == 1 else "")
        self.keep(last)

    def _show_error(self, error: NbChaliceError) -> None:
        self._status.value = error_html(error)

    def _show_preview(self) -> None:
        """Say what the service will do with what the form holds."""
        try:
            project = self._ui.project()
            source, options = self._trigger
            notes = preview(source, options, self._form.read(), project.handlers, self._ref)
        except NbChaliceError as error:
            self._preview.value = html.text(error.message, "bad")
            return
        kinds = {True: "good", False: "warn", None: "muted"}
        marks = {True: "✓ ", False: "✗ ", None: ""}
        lines = (html.tag("div", html.text(marks[n.passes] + n.text, kinds[n.passes])) for n in notes)
        self._preview.value = html.tag("div", *lines, style=f"margin-left:{INDENT};line-height:1.6")

    def _choices(self) -> list[tuple[str, tuple[str, str]]]:
        """Return what the form can be filled with: templates, saved events, and what was sent before."""
        sent = [(f"sent {text}", ("sent", text)) for text, _ in reversed(self._history)]
        saved = [(f"saved: {name}", ("saved", name)) for name in self._events.names()]
        return [*[(name, ("template", name)) for name in self._templates], *saved, *sent]

    def _picked(self, choice: tuple[str, str] | None) -> None:
        if choice is not None and not self._filling:
            self._fill(*choice)

    def _fill(self, kind: str, name: str) -> None:
        """Fill the form with a template, a saved event, or one that was sent before."""
        try:
            if kind == "template":
                self._form.write(self._templates[name])
            elif kind == "saved":
                self._form.write(self._events.load(name))
            else:
                self._form.write(dict(self._history)[name])
        except NbChaliceError as error:
            self._show_error(error)

    def _save(self) -> None:
        path = self._events.save(self._save_name.value.strip(), self._form.read())
        self._refresh_choices()
        self._status.value = status_html(f"saved as {path.name}", "good", str(path.parent))

    def _remember(self, values: Mapping[str, Any]) -> None:
        text = next((str(value) for value in values.values() if isinstance(value, str)), "")
        label = f"{time.strftime('%H:%M:%S')} {' '.join(text.split())[:40]}"
        others = [one for one in self._history if one[0] != label]
        self._history = [*others[-HISTORY:], (label, dict(values))]
        self._refresh_choices()

    def _refresh_choices(self) -> None:
        """Offer what is new; the choice stays, and so does what the form holds."""
        chosen = self._pick.value
        self._filling = True
        self._pick.options = self._choices()
        self._pick.value = chosen
        self._filling = False


def _result_html(result: Any) -> str:
    if isinstance(result, NbChaliceError):
        return error_html(result)
    if isinstance(result, SendResult) and result.invocation is None:
        return html.tag("div", html.text(result.hint or "", "muted"))
    found = invocation_of(result)
    return as_html(found) if found else ""


def _distinct(results: list[Any]) -> list[Any]:
    """Return one result for each invocation."""
    found = {getattr(invocation_of(result), "key", id(result)): result for result in results}
    return list(found.values())


def _fallback(name: str, trigger: str, target: str) -> Card:
    command = f"%chalice send {name} --help"
    words = f"a form stands here while the notebook runs; in words: {command}"
    body = html.tag("div", html.text("a form stands here while the notebook runs; in words: "), html.code(command))
    text = f"send to {name} ({trigger}) on {target}\n  {words}"
    return Card(text, html.card(f"Send to {name}", html.tag("div", html.text(trigger, "muted")), body, badge=target))
