"""The sender: a form for test events, and below it what became of the event that was sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import ipywidgets as widgets

from nbchalice.errors import NbChaliceError
from nbchalice.events.delivery import Outcome, Way, invocation_of, outcome
from nbchalice.events.follow import Progress
from nbchalice.events.history import History
from nbchalice.events.outcome import end_of
from nbchalice.events.send import SendResult
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.show import as_html
from nbchalice.typed import JSON, Values
from nbchalice.ui.live_mode import undeployed_here
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card
from nbchalice.ui.render.sends import SendsCard, result_html, summary
from nbchalice.ui.whose import require_own_runs
from nbchalice.ui.widgets.buttons import InPanel
from nbchalice.ui.widgets.event_form import EventForm
from nbchalice.ui.widgets.forms import INDENT, label
from nbchalice.ui.widgets.panel import Busy, Panel, Worker, area, button, error_html, frame, row, status_html, title

if TYPE_CHECKING:
    from nbchalice.ui.frontend import Frontend

STATE_KINDS = {
    "done": "good",
    "failed": "bad",
    "retrying": "warn",
    "dropped": "warn",
    "ignored": "warn",
    "taken": "warn",
}
KINDS = {True: "good", False: "bad"}
MOST = 100


class Sender(Panel):
    """A form that sends test events to one handler and follows each to its invocation.

    Attributes: ``results`` (what became of what was sent, the newest last), ``event`` (the form of the event).

    Parameters
    ----------
    ui : Frontend
        The notebook, at the stage and target of this form.
    handler : str
        The handler's name.
    source : str or None
        Which of several sources is shown first. Default: the first.
    """

    def __init__(self, ui: Frontend, handler: str, source: str | None = None) -> None:
        project, aws = ui.project(), ui.connect()
        registered = project.handler(handler)
        self._ui, self._name, self._target = ui, registered.name, aws.target
        super().__init__(_fallback(registered.name, registered.describe(), str(self._target)))
        self.results: list[SendResult | Invocation] = []
        self._confirmed = aws.local
        self._stop = threading.Event()
        self._worker = Worker(self._show_error)
        self.event = EventForm(ui, registered.name, source)
        self.event.save_button.on_click(lambda _: self.save())
        self._build()

    def _build(self) -> None:
        self._way = widgets.ToggleButtons(
            options=self._ways(),
            tooltips=["as real events come", "past the service: the function is called with a sample event"],
            style={"button_width": "auto"},
        )
        self.event.source.observe(lambda _: self._show_ways(), names="value")
        self._count = widgets.BoundedIntText(
            1,
            1,
            MOST,
            description="Times",
            style={"description_width": "initial"},
            layout={"width": "8em", "margin": "2px 2px 2px 8px"},
        )
        self.send_button = button("Send", self.send, "send this event and follow it", "primary")
        self._twice = button("Send twice", self.send_twice, "the same event two times, as it may happen on AWS")
        self._status, self._result, self._changed = area(), area(), area()
        self.deploy_button = button("Deploy", self.deploy, "bring the notebook's code there", "primary")
        self._undeployed = row(self._changed, self.deploy_button, margin=f"0 0 0 {INDENT}")
        self._undeployed.layout.display = "none"
        threading.Thread(target=self._look_for_changes, name="nbchalice-changes", daemon=True).start()
        self._view = frame(
            title(f"Send to {self._name}", str(self._target)),
            self.event.widget,
            row(label("Way"), self._way),
            row(self.send_button, self._count, self._twice, margin=f"4px 0 0 {INDENT}"),
            self._undeployed,
            self._status,
            self._result,
            *self.helpers(),
        )

    def _ways(self) -> list[tuple[str, bool]]:
        return [(self.event.way, False), ("invoke directly", True)]

    def _show_ways(self) -> None:
        chosen = self._way.value
        self._way.options = self._ways()
        self._way.value = chosen

    @property
    def view(self) -> widgets.Widget:
        """The form."""
        return self._view

    def send(self) -> None:
        """Send what the form holds, as often as it says; ignored while an event is on its way."""
        count = int(self._count.value)
        if count == 1:
            self._start(self._one)
        else:
            self._start(lambda way, values: self._several(way.many(values, count), count))

    def send_twice(self) -> None:
        """Send the same event two times."""
        self._start(lambda way, values: self._several(way.twice(values), 2, twice=True))

    def deploy(self) -> None:
        """Deploy the notebook, whose code is not what stands."""
        self._worker.start(self._deploy, Busy(self.deploy_button, "Deploying…"))

    def save(self) -> None:
        """Keep the form's values under the name that was typed."""
        self._worker.start(self._save)

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the event that is on its way."""
        self._worker.wait(seconds)

    def _start(self, job: Callable[[Way, JSON], None]) -> None:
        if self._worker.busy:
            return
        self._stop.set()
        self._stop = threading.Event()

        def work() -> None:
            values = self.event.read()
            if not self._ask_first():
                return
            self._result.value = ""
            self._status.value = status_html("sending")
            way = self._make_way()
            self.event.remember(values)
            job(way, values)
            self._look_for_changes()

        self._worker.start(work, Busy(self.send_button, "Sending…"))

    def _look_for_changes(self) -> None:
        """Say that the notebook's code is not what handles the events, with a button that deploys it."""
        text = ""
        with suppress(NbChaliceError):  # What is wrong with the notebook is told by what the form does.
            text = undeployed_here(self._ui.project(), self._ui.connect(), self._name)
        self._changed.value = html.text(text, "warn")
        self._undeployed.layout.display = None if text else "none"

    def _deploy(self) -> None:
        card = self._ui.command("deploy")(InPanel(self._ui, self._result), prune=False)
        self._status.value = status_html("deployed", "good")
        self._result.value = card.html
        self.keep(card)
        self._look_for_changes()

    def _make_way(self) -> Way:
        project, aws, direct = self._ui.project(), self._ui.connect(), bool(self._way.value)
        route = self.event.route(project)
        if direct:
            require_own_runs(project, aws, route.ref.handler)
        name = route.ref.handler
        history = History(project.notebook.parent, name, project.handler(name).setting("redact") or ())
        return Way(aws, route, direct, history=history)

    def _ask_first(self) -> bool:
        """Return whether to send; on real AWS the first click only asks."""
        if not self._confirmed:
            self._confirmed = True
            self._status.value = status_html(f"this goes to {self._target}", "warn", "press Send again to send it")
            return False
        return True

    def _one(self, way: Way, values: Values) -> None:
        stop = self._stop
        result = way.deliver(values, self._show_progress, stop)
        self._keep([result])
        self._show_result(result)
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
                state = {"running": "retrying", "ignored": "failed"}.get(end := end_of(each, result.sent.ids), end)
                words = f"{state} (attempt {each.attempt or len(attempts) + 1})"
                self._status.value = status_html(words, STATE_KINDS[state])
                self._result.value = result_html(result) + "".join(map(result_html, attempts.values()))
        except NbChaliceError as error:
            if not stop.is_set():
                self._result.value += error_html(error)

    def _several(self, results: Iterator[Outcome], count: int, *, twice: bool = False) -> None:
        """Show what becomes of several events while it goes on, then all of it."""
        done: list[Outcome] = []
        self._status.value = status_html(summary(done, count))
        for result in results:
            done.append(result)
            self._status.value = status_html(summary(done, count))
        self._keep([one for one in done if not isinstance(one, NbChaliceError)])
        card = SendsCard(done, count, twice=twice)
        self._status.value = status_html(summary(done, count), KINDS[card.ok])
        self._result.value = card.body
        self.keep(card)

    def _keep(self, results: list[SendResult | Invocation]) -> None:
        self.results = [*self.results, *results][-MOST:]

    def _show_progress(self, progress: Progress) -> None:
        state = progress.state
        details = f"message {progress.message_id}" + (f" · {progress.dropped}" if state == "dropped" else "")
        self._status.value = status_html(str(progress), STATE_KINDS.get(state, "busy"), details)
        if progress.invocation is not None and state != "queued":
            self._result.value = as_html(progress.invocation)

    def _show_result(self, result: SendResult | Invocation) -> None:
        self._result.value = result_html(result)
        state = outcome(result)
        details = f"message {result.message_id}" if isinstance(result, SendResult) else "invoked directly"
        words = str(Progress(state, "", None, invocation_of(result)))
        self._status.value = status_html(words, STATE_KINDS.get(state, "warn"), details)
        self.keep(result)

    def _show_error(self, error: NbChaliceError) -> None:
        self._status.value = error_html(error)

    def _save(self) -> None:
        folder, _, name = self.event.save().rpartition("/")
        self._status.value = status_html(f"saved as {name}", "good", folder)


def _fallback(name: str, trigger: str, target: str) -> Card:
    command = f"%chalice send {name} --help"
    words = f"a form stands here while the notebook runs; in words: {command}"
    body = html.tag("div", html.text("a form stands here while the notebook runs; in words: "), html.code(command))
    text = f"send to {name} ({trigger}) on {target}\n  {words}"
    return Card(text, html.card(f"Send to {name}", html.tag("div", html.text(trigger, "muted")), body, badge=target))
