"""`%chalice live`: begins and ends live mode, and mends what a dead process left behind."""

from __future__ import annotations

import atexit
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from nbchalice.errors import AWSError, CaptureError, InvalidInputError, NbChaliceError
from nbchalice.events.as_role import RoleRights
from nbchalice.events.history import History
from nbchalice.events.leases import Lease, leases_if_allowed, queue_name
from nbchalice.events.listeners import LIVE_LISTENERS
from nbchalice.events.live import Live, can_be_live, displaced_resources, repair
from nbchalice.events.received import live_event
from nbchalice.events.triggers import route_of, routes
from nbchalice.logs.invocation import Invocation
from nbchalice.ui.in_process import call_here
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card, TextCard

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.deploy.plan import Plan
    from nbchalice.project import Project
    from nbchalice.ui.frontend import Frontend

STOP_WITHIN = 60.0
LOOPS = "no loop is stopped here: events that the handler causes itself come back until you stop it"


class View(Protocol):
    """What shows a live handler, and ends it."""

    def pause(self) -> None:
        """Begin to end."""

    def ended(self, seconds: float) -> bool:
        """Wait for the end; return whether it came."""

    def close(self) -> None:
        """Take it from the screen."""


class Running:
    """The handlers that are live in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: dict[str, View] = {}
        self._asked = False

    def add(self, arn: str, view: View) -> None:
        """Keep a live handler; the earlier one of the same function ends."""
        self.stop(arn)
        with self._lock:
            self._views[arn] = view
            if not self._asked:
                self._asked = True
                atexit.register(self.stop_all)

    def has(self, arn: str) -> bool:
        """Whether a function is live here."""
        return arn in self._views

    def stop(self, arn: str) -> bool:
        """End live mode of a function; return whether it was live.

        Raises
        ------
        AWSError
            Its trigger is not put back yet.
        """
        with self._lock:
            view = self._views.pop(arn, None)
        if view is None:
            return False
        view.pause()
        if not view.ended(STOP_WITHIN):
            raise AWSError(f"{arn} is still live", "wait, then run %chalice status: it repairs the trigger")
        view.close()
        return True

    def stop_all(self) -> None:
        """End live mode of all, as the process ends."""
        for arn in list(self._views):
            try:
                self.stop(arn)
            except NbChaliceError:
                continue  # A later status or deploy repairs it.


RUNNING = Running()


def _nothing(told: object) -> None:
    """Tell nobody."""


class LiveHandler:
    """A handler whose triggers all lead here, from `start` to `stop`.

    Parameters
    ----------
    ui : Frontend
        The notebook or the shell.
    handler : str
        The handler's name.
    source : str or None
        Only this one of its sources. Default: all.
    on_invocation : Callable[[Invocation], object]
        As for `Live`. Default: nobody is told.
    on_trouble : Callable[[NbChaliceError or None], object]
        As for `Live`. Default: nobody is told.
    as_role : bool
        Whether the handler has the rights of the deployed function's role. Default: those of this process.

    Raises
    ------
    InvalidInputError
        There is no such handler or source, live mode is not for it, or the role may not be taken.
    """

    def __init__(  # noqa: PLR0917 - who is told, and how it runs
        self,
        ui: Frontend,
        handler: str,
        source: str | None,
        on_invocation: Callable[[Invocation], object] = _nothing,
        on_trouble: Callable[[NbChaliceError | None], object] = _nothing,
        as_role: bool = False,
    ) -> None:
        project, aws = ui.project(), ui.connect()
        registered = project.handler(handler)
        project.function(registered)  # What keeps it from running is told before its trigger leads here.
        self.ref = project.app.ref(aws, registered.name)
        chosen = [route_of(registered, self.ref, source)] if source else routes(registered, self.ref)
        history = History(project.notebook.parent, registered.name, registered.setting("redact") or ())
        rights = RoleRights(aws, self.ref) if as_role else None
        self.role = rights.role if rights else ""

        def handle(event: object) -> Invocation:
            invocation = call_here(ui, registered.name, event, rights.taken() if rights else None)
            history.keep(live_event(self.ref, event, invocation))
            return invocation

        self.lives = [
            Live(aws, route, handle, on_invocation, on_trouble)
            for route in {queue_name(route): route for route in chosen}.values()
        ]

    def start(self) -> None:
        """Begin with all; where one cannot, none is left behind."""
        try:
            for live in self.lives:
                live.start()
        except BaseException:
            self.stop()
            raise
        self._tell(True)

    def stop(self) -> None:
        """End all; where one trigger cannot be put back, the others are."""
        wrong: list[NbChaliceError] = []
        for live in self.lives:
            try:
                live.stop()
            except NbChaliceError as error:
                wrong.append(error)
        self._tell(False)
        if wrong:
            raise wrong[0]

    def _tell(self, begins: bool) -> None:
        for tell in LIVE_LISTENERS:
            tell(self.ref.arn, begins)


def stale_here(ui: Frontend, handler: str) -> CaptureError | None:
    """Return that a handler takes a record's type as it was before an edit: its events are refused until then."""
    from nbchalice.notebook.capture.stale_types import stale_type

    project = ui.project()
    return stale_type(project.handler(handler), project.cells) if project.namespace is not None else None


def live_card(handler: str, target: str, note: str = "", role: str = "") -> Card:
    """Return what tells that a handler is live."""
    words = f"its real events are handled here, by the function as it is defined now; %chalice live {handler} --stop"
    body = html.tag("div", html.text(words)) + html.tag("div", html.text(LOOPS))
    text = f"{handler} is live on {target}: {words}\n  {LOOPS}"
    if role:
        rights = f"what it does on AWS it does with the rights of {role}"
        body += html.tag("div", html.text(rights))
        text += f"\n  {rights}"
    if note:
        body += html.tag("div", html.text(f"note: {note}", "warn"))
        text += f"\n  note: {note}"
    return Card(text, html.card(f"{handler} is live", body, badge=target))


def live_stream(
    ui: Frontend, handler: str, source: str | None = None, *, as_role: bool = False
) -> Iterator[Invocation]:
    """Handle events in this process until it is interrupted; yields what became of each."""
    seen: queue.Queue[Invocation | NbChaliceError | None] = queue.Queue()
    live = LiveHandler(ui, handler, source, seen.put, seen.put, as_role)
    try:
        live.start()
        told = (
            "its real events are handled here, its deployed trigger is paused; Ctrl-C ends it, and the trigger is back"
        )
        print(f"{handler} is live on {ui.connect().target}: {told}", file=sys.stderr)
        while True:
            event = seen.get()
            if isinstance(event, Invocation):
                yield event
            elif event is not None:
                raise event
    finally:
        live.stop()


def undeployed_here(project: Project, aws: Connection, handler: str) -> str:
    """Return that the code which handles the events is not the notebook's; a live handler's is."""
    from nbchalice.operations import undeployed

    return "" if RUNNING.has(project.app.ref(aws, handler).arn) else undeployed(project, aws, handler)


def stop(ui: Frontend, handler: str) -> Card:
    """End live mode of a handler of this kernel."""
    project, aws = ui.project(), ui.connect()
    registered = project.handler(handler)
    if not RUNNING.stop(project.app.ref(aws, registered.name).arn):
        raise InvalidInputError(
            f"{handler} is not live in this kernel", "%chalice status repairs what a dead one left", code="not-live"
        )
    return TextCard("live mode", f"{handler} is no longer live; its deployed trigger is back")


def settle(project: Project, aws: Connection, *, end_own: bool = False) -> tuple[list[str], dict[str, str]]:
    """Repair the triggers that a dead live process left paused; return what to say, and where each handler is live.

    Parameters
    ----------
    project : Project
        The notebook's project.
    aws : Connection
        where.
    end_own : bool
        Whether live mode of this process ends, as before a deploy.

    Raises
    ------
    AWSError
        A trigger could not be put back.
    """
    from nbchalice.deploy import check

    app = project.app
    refused = [*check.unnamed_problems(app, aws), *check.account_problems(app, aws)]
    if end_own:
        check.raise_all(refused)
    if refused:
        return [], {}
    if end_own:
        for handler in app.handlers:
            RUNNING.stop(app.ref(aws, handler.name).arn)
    every, unseen = _standing(project, aws)
    dead = [lease for lease in every if lease.dead]
    repair(aws, dead, {handler.name: routes(handler, app.ref(aws, handler.name)) for handler in app.handlers})
    mended = [f"{lease.handler}: its trigger was paused by a live mode that died; it is put back" for lease in dead]
    living = [lease for lease in every if not lease.dead]
    return list(dict.fromkeys([*mended, *map(str, living), *unseen])), {one.handler: one.where for one in living}


def _standing(project: Project, aws: Connection) -> tuple[list[Lease], list[str]]:
    """Return who is live, and what to say where AWS does not let that be asked; nothing where no handler can be."""
    app = project.app
    every, unseen = leases_if_allowed(aws, app.name, app.stage)
    own = chain.from_iterable(routes(handler, app.ref(aws, handler.name)) for handler in app.handlers)
    return every, [unseen] if unseen and any(map(can_be_live, own)) else []


def explain_paused(planned: Plan, project: Project, aws: Connection) -> Plan:
    """Return a plan that says which of its changes only undo what live mode does meanwhile.

    Parameters
    ----------
    planned : Plan
        The plan.
    project, aws : Project or Connection
        The notebook's project, and where.
    """
    app = project.app
    standing, unseen = _standing(project, aws)
    by_handler = {handler.name: routes(handler, app.ref(aws, handler.name)) for handler in app.handlers}
    keys = displaced_resources(standing, by_handler)
    notes = dict.fromkeys(unseen)
    for lease in standing:
        # Of this session the deploy ends live mode itself; of another's it only undoes the redirect.
        effect = "a deploy ends that, and puts it back" if lease.mine else "a deploy puts it back"
        notes[f"{lease}; {effect}"] = None
    return replace(planned.because(keys, "live mode paused it"), notes=(*planned.notes, *notes))


def beside(project: Project, aws: Connection) -> list[str]:
    """Return in which other processes handlers are live still, though their deployed triggers are back."""
    standing, unseen = _standing(project, aws)
    others = [lease for lease in standing if not (lease.mine or lease.dead)]
    texts = [
        f"{one.handler} is live {one.where}, too: it and the deployed function both take its events" for one in others
    ]
    return list(dict.fromkeys([*texts, *unseen]))
