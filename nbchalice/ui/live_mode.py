"""`%chalice live`: begins and ends live mode, and mends what a dead process left behind."""

from __future__ import annotations

import atexit
import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nbchalice.errors import AWSError, InvalidInputError, NbChaliceError
from nbchalice.events.live import Live, leases, repair
from nbchalice.logs.records import Invocation
from nbchalice.ui import html
from nbchalice.ui.cards import Card, TextCard
from nbchalice.ui.here import call_here

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.project import Project
    from nbchalice.ui.command import Frontend
    from nbchalice.ui.viewer import Feed, Viewer

STOP_WITHIN = 60.0


class Running:
    """The handlers that are live in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._viewers: dict[str, Viewer] = {}
        self._asked = False

    def add(self, arn: str, viewer: Viewer) -> None:
        """Keep a live handler; the earlier one of the same function ends."""
        self.stop(arn)
        with self._lock:
            self._viewers[arn] = viewer
            if not self._asked:
                self._asked = True
                atexit.register(self.stop_all)

    def stop(self, arn: str) -> bool:
        """End live mode of a function; return whether it was live.

        Raises
        ------
        AWSError: its trigger is not put back yet.
        """
        with self._lock:
            viewer = self._viewers.pop(arn, None)
        if viewer is None:
            return False
        viewer.pause()
        if not viewer.ended(STOP_WITHIN):
            raise AWSError(f"{arn} is still live", "wait, then run %chalice status: it repairs the trigger")
        viewer.close()
        return True

    def stop_all(self) -> None:
        """End live mode of all, as the process ends."""
        for arn in list(self._viewers):
            try:
                self.stop(arn)
            except NbChaliceError:
                continue  # A later status or deploy repairs it.


RUNNING = Running()


def _live(ui: Frontend, handler: str, on_invocation: Any, on_trouble: Any) -> Live:
    project, aws = ui.project(), ui.connect()
    found = project.handler(handler)
    source, options = found.sources()[0]
    ref = project.app.ref(aws, found.name)
    return Live(aws, source, options, ref, lambda event: call_here(ui, found.name, event), on_invocation, on_trouble)


def _ignore(_: object) -> None:
    """Take what nobody asked for."""


def live_panel(ui: Frontend, handler: str) -> Viewer:
    """Go live; return the view of what the events do here."""
    from nbchalice.ui.viewer import Viewer

    ref = _live(ui, handler, _ignore, _ignore).ref  # What cannot be live is told at once, by the command.
    started = threading.Event()
    wrong: list[NbChaliceError] = []
    one_at_a_time = threading.Lock()

    def read(feed: Feed) -> None:
        with one_at_a_time:
            live = _live(ui, handler, feed.add, feed.trouble)
            try:
                live.start()
            except NbChaliceError as error:
                wrong.append(error)
                raise
            finally:
                started.set()
            feed.trouble(None)
            feed.stop.wait()
            live.stop()

    viewer = Viewer(
        f"{handler}: live in this kernel",
        str(ui.connect().target),
        read,
        controls="Go live|Stop",
        watched=ui.interactive,
        fallback=live_card(handler, str(ui.connect().target)),
    )
    RUNNING.add(ref.arn, viewer)
    viewer.follow()
    started.wait()
    if wrong:
        RUNNING.stop(ref.arn)
        raise wrong[0]
    return viewer


def live_card(handler: str, target: str) -> Card:
    """Return what tells that a handler is live."""
    words = f"its real events are handled here, by the function as it is defined now; %chalice live {handler} --stop"
    body = html.tag("div", html.text(words))
    return Card(f"{handler} is live on {target}: {words}", html.card(f"{handler} is live", body, badge=target))


def live_stream(ui: Frontend, handler: str) -> Iterator[Invocation]:
    """Handle events in this process until it is interrupted; yields what became of each."""
    seen: queue.Queue[Invocation | NbChaliceError | None] = queue.Queue()
    live = _live(ui, handler, seen.put, seen.put)
    live.start()
    try:
        while True:
            found = seen.get()
            if isinstance(found, Invocation):
                yield found
            elif found is not None:
                raise found
    finally:
        live.stop()


def stop(ui: Frontend, handler: str) -> Card:
    """End live mode of a handler of this kernel."""
    project, aws = ui.project(), ui.connect()
    found = project.handler(handler)
    if not RUNNING.stop(project.app.ref(aws, found.name).arn):
        raise InvalidInputError(f"{handler} is not live in this kernel", "%chalice status repairs what a dead one left")
    return TextCard("live mode", f"{handler} is no longer live; its deployed trigger is back")


def settle(project: Project, aws: Connection, *, end_own: bool = False) -> list[str]:
    """Repair the triggers that a dead live process left paused; return who is live.

    Parameters
    ----------
    project: the notebook's project.
    aws: where.
    end_own: whether live mode of this process ends, as before a deploy.

    Raises
    ------
    AWSError: a trigger could not be put back.
    """
    app = project.app
    if end_own:
        for handler in app.handlers:
            RUNNING.stop(app.ref(aws, handler.name).arn)
    found = leases(aws, app.name, app.stage)
    dead = [lease for lease in found if lease.dead]
    triggers = {h.name: (*h.sources()[0], app.ref(aws, h.name)) for h in app.handlers}
    repair(aws, triggers, dead)
    mended = [f"{lease.handler}: its trigger was paused by a live mode that died; it is put back" for lease in dead]
    return [*mended, *(str(lease) for lease in found if not lease.dead)]
