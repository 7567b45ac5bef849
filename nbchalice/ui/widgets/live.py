"""The view of a handler that is live in this kernel."""

from __future__ import annotations

import threading

from nbchalice.errors import NbChaliceError
from nbchalice.ui.frontend import Frontend
from nbchalice.ui.live_mode import RUNNING, LiveHandler, live_card, stale_here
from nbchalice.ui.widgets.viewer import Feed, Viewer


def live_viewer(ui: Frontend, handler: str, source: str | None = None, *, as_role: bool = False) -> Viewer:
    """Go live; return the view of what the events do here."""
    first = LiveHandler(ui, handler, source, as_role=as_role)  # What cannot be live is told at once, by the command.
    stale = stale_here(ui, handler)
    note = f"{stale.message}; {stale.hint}" if stale else ""
    started = threading.Event()
    wrong: list[NbChaliceError] = []
    one_at_a_time = threading.Lock()

    def read(feed: Feed) -> None:
        with one_at_a_time:
            live = LiveHandler(ui, handler, source, feed.add, feed.trouble, as_role)
            try:
                live.start()
            except NbChaliceError as error:
                wrong.append(error)
                raise
            finally:
                started.set()
            feed.trouble(stale)
            feed.stop.wait()
            live.stop()

    viewer = Viewer(
        f"{handler}: live in this kernel" + (", with the rights of its role" if as_role else ""),
        str(ui.connect().target),
        read,
        controls="Go live|Stop",
        watched=ui.interactive,
        fallback=live_card(handler, str(ui.connect().target), note, first.role),
    )
    RUNNING.add(first.ref.arn, viewer)
    viewer.follow()
    try:
        started.wait()
    except KeyboardInterrupt:
        RUNNING.stop(first.ref.arn)
        raise
    if wrong:
        RUNNING.stop(first.ref.arn)
        raise wrong[0]
    return viewer
