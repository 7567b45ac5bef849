"""The log viewer: a handler's invocations as they come, in a view that holds a bounded number of records."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import anywidget
import traitlets

from nbchalice.errors import NbChaliceError
from nbchalice.logs.buffer import Buffer
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tail import follow, recent
from nbchalice.typed import JSON, Values
from nbchalice.ui.render.cards import Card
from nbchalice.ui.render.reports import InvocationsCard
from nbchalice.ui.widgets.panel import Panel, static

if TYPE_CHECKING:
    from nbchalice.ui.frontend import Frontend

# Seconds between two messages to the view; it draws as often at the most.
EVERY = 0.1
KEEP_EVERY = 2.0
# A view says every 20 s that it is there: a closed browser must not cost calls of CloudWatch.
ALONE_AFTER = 90.0
RETRY_AFTER = 5.0
Read = Callable[["Feed"], None]


class LogView(anywidget.AnyWidget):
    """The view of a log; records reach it by custom messages, never as traits."""

    _esm = static("jump.js") + static("viewer.js")
    _css = static("panels.css") + static("viewer.css")
    title = traitlets.Unicode("").tag(sync=True)
    badge = traitlets.Unicode("").tag(sync=True)
    hides = traitlets.Unicode("").tag(sync=True)
    level = traitlets.Unicode("").tag(sync=True)
    since = traitlets.Unicode("").tag(sync=True)
    until = traitlets.Unicode("").tag(sync=True)
    following = traitlets.Bool(False).tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)
    controls = traitlets.Unicode("").tag(sync=True)
    ranges = traitlets.Bool(False).tag(sync=True)


class Feed:
    """One reading of a log: where it begins and ends, where the invocations go, and when to stop."""

    def __init__(self, viewer: Viewer, since: str | None, until: str | None) -> None:
        self.viewer, self.since, self.until = viewer, since, until
        self.stop = threading.Event()

    def add(self, invocation: Invocation) -> None:
        """Show an invocation, unless another reading has taken the place of this one."""
        with self.viewer.turn:
            if not self.stop.is_set():
                self.viewer.feed(invocation)

    def trouble(self, error: NbChaliceError | None) -> None:
        """Show that the log cannot be read for now, or that it can again."""
        with self.viewer.turn:
            if self.viewer.reads(self):
                self.viewer.show_trouble(error)


class Viewer(Panel):
    """A log that goes on. Attributes: ``records`` (list of dicts), ``view``.

    Parameters
    ----------
    title : str
        What the view is called.
    badge : str
        Where it reads.
    read : Read or None
        Reads the log into a `Feed` until its ``stop`` is set; None for a viewer that is only fed.
    since, until : str
        What the view begins with.
    level : str or None
        Only records of this level and above are shown at first.
    controls : str
        What the button says that begins and ends the reading, for example ``Follow|Pause``.
    ranges : bool
        Whether the view can be asked for another time.
    watched : bool
        Whether there is a front end that shows it; reading ends when no view of it is left there.
    fallback : Card or None
        What is shown where there are no widgets. Default: the invocations so far.
    """

    def __init__(
        self,
        title: str,
        badge: str = "",
        read: Read | None = None,
        *,
        since: str = "",
        until: str = "",
        level: str | None = None,
        controls: str = "",
        ranges: bool = False,
        watched: bool = True,
        fallback: Card | None = None,
    ) -> None:
        super().__init__(fallback or InvocationsCard(title, []), watched)
        self._title, self._read = title, read
        self._buffer = Buffer()
        self.turn = threading.RLock()  # held by who begins, ends or shows a reading
        self._sending = threading.Lock()  # What is taken first is sent first.
        self._feed: Feed | None = None
        self._thread: threading.Thread | None = None
        self._seen = time.monotonic()
        self._unkept = False
        self._views, self._left = 0, False
        self._awake = threading.Event()
        self._closed = threading.Event()
        self._view = LogView(
            title=title, badge=badge, hides=self._mark, level=level or "", since=since, until=until,
            controls=controls, ranges=ranges,
        )  # fmt: skip
        self._view.on_msg(self._on_message)
        threading.Thread(target=self._show, name="nbchalice-viewer", daemon=True).start()

    @property
    def view(self) -> LogView:
        """The widget."""
        return self._view

    @property
    def records(self) -> list[JSON]:
        """The records that are kept, the oldest first: ready for pandas."""
        return self._buffer.records()

    @property
    def invocations(self) -> list[Invocation]:
        """The last invocations."""
        return self._buffer.last()

    def feed(self, invocation: Invocation) -> None:
        """Show an invocation as it is now; one that is fed again is brought up to date."""
        self._buffer.feed(invocation)
        self._unkept = True
        self._awake.set()

    def reads(self, feed: Feed) -> bool:
        """Whether this is the reading that began last."""
        return self._feed is feed

    def show_trouble(self, error: NbChaliceError | None) -> None:
        """Show an error above the log, or take it away."""
        self._view.trouble = "" if error is None else f"{error}\n  it goes on by itself as soon as it can"

    def follow(self, since: str | None = None, until: str | None = None) -> None:
        """Read on; a reading that goes on is ended."""
        if self._read is None:
            return
        with self.turn:
            if self._feed is not None:
                self._feed.stop.set()
            feed = self._feed = Feed(self, since, until)
            self._seen = time.monotonic()
            self._view.following = True
            self._thread = threading.Thread(target=self._run, args=(feed,), name="nbchalice-follow", daemon=True)
            self._thread.start()

    def pause(self) -> None:
        """Stop reading, which may take a moment; what stands stays."""
        with self.turn:
            if self._feed is not None:
                self._feed.stop.set()

    def ended(self, seconds: float | None = None) -> bool:
        """Wait until the reading has ended; return whether it has."""
        if self._thread is not None:
            self._thread.join(seconds)
        return self._thread is None or not self._thread.is_alive()

    def close(self) -> None:
        """End the threads of this viewer, once what came last is shown and kept."""
        self.pause()
        self._closed.set()
        self._awake.set()

    def _run(self, feed: Feed) -> None:
        """Read until it ends; what ends it for good is shown, and tried again: a login may be renewed."""
        assert self._read is not None
        while not feed.stop.is_set():
            try:
                self._read(feed)
                break
            except NbChaliceError as error:
                feed.trouble(error)
                feed.stop.wait(RETRY_AFTER)
        with self.turn:
            if self._feed is feed:
                self._view.following = False

    def _on_message(self, _: object, content: Values, __: object) -> None:
        """Take what the view says; only state is set here."""
        self._seen = time.monotonic()
        kind = content.get("kind")
        if kind == "hello":
            self._views += 1
            self._send_all()
        if kind in {"hello", "alive"} and self._left:
            self._left = False
            self.follow(self._view.since or None)
        elif kind == "bye":
            self._views -= 1
            if self._views <= 0:
                self._leave()
        elif kind == "pause":
            self.pause()
        elif kind == "follow":
            self.follow(self._view.since or None)
        elif kind == "range":
            self.pause()
            self._view.since, self._view.until = str(content.get("since", "")), str(content.get("until", ""))
            self._buffer.clear()
            self._send_all()
            self.follow(self._view.since or None, self._view.until or None)

    def _leave(self) -> None:
        """Read no further while nobody looks."""
        if self._view.following:
            self._left = True
            self.pause()

    def _send_all(self) -> None:
        """Send what is there to a view that begins."""
        with self._sending:
            self._view.send(self._buffer.snapshot())

    def _send_new(self) -> None:
        with self._sending:
            if (message := self._buffer.take()) is not None:
                self._view.send(message)

    def _keep_last(self) -> None:
        """Keep what is there in the notebook's file, whether a view has it already or not."""
        if self._unkept:
            self._unkept = False
            self.keep(InvocationsCard(self._title, self._buffer.last()))

    def _show(self) -> None:
        """Send what is new to the view, a few times a second at the most."""
        kept_at = 0.0
        while not self._closed.is_set():
            self._awake.wait(KEEP_EVERY)
            self._awake.clear()
            self._send_new()
            now = time.monotonic()
            if self._watched and now - self._seen > ALONE_AFTER:
                self._leave()
            if now - kept_at > KEEP_EVERY:
                kept_at = now
                self._keep_last()
            self._closed.wait(EVERY)
        self._send_new()
        self._keep_last()


def log_viewer(
    ui: Frontend,
    handler: str,
    *,
    since: str = "10m",
    until: str | None = None,
    level: str | None = None,
    request_id: str | None = None,
) -> Viewer:
    """Return a viewer that follows a handler's log.

    Parameters
    ----------
    ui : Frontend
        The notebook, at the stage and target of this viewer.
    handler : str
        The handler's name.
    since, until : str or str or None
        As in `logs.tail.recent`.
    level : str or None
        What the view shows at first. Default: all.
    request_id : str or None
        Only this invocation. Default: all.
    """
    from nbchalice.ui.frontend import deployed

    project, known = deployed(ui, handler)
    aws = ui.connect()
    name = project.app.ref(aws, known).name

    def read(feed: Feed) -> None:
        aws = ui.connect()
        if feed.until:
            for each in recent(aws, name, feed.since or "10m", feed.until, request_id=request_id):
                feed.add(each)
            feed.trouble(None)
            return
        feed.trouble(None)
        for each in follow(
            aws, name, feed.since, request_id=request_id, running=True, stop=feed.stop, on_trouble=feed.trouble
        ):
            feed.add(each)

    viewer = Viewer(
        f"{handler}: log",
        str(aws.target),
        read,
        since=since,
        until=until or "",
        level=level,
        controls="Follow|Pause",
        ranges=True,
    )
    viewer.follow(since, until)
    return viewer
