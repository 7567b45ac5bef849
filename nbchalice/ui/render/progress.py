"""How a plan goes, while it goes: one output that is updated in the notebook, lines on stderr in a shell."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from nbchalice.deploy.execute import ChangeState
from nbchalice.deploy.plan import Change, Plan
from nbchalice.packaging.sizes import SizeTable
from nbchalice.text import counted
from nbchalice.ui.render import html
from nbchalice.ui.render.cards import Card
from nbchalice.ui.render.sizes import sizes_html, sizes_text

EVERY = 0.1
CLEAR = "\x1b[K"
"""Clears the rest of a terminal's line (ECMA-48, "EL")."""
MARKS = {"started": "…", "waiting": "…", "done": "✓", "failed": "✗"}
KINDS = {"started": "busy", "waiting": "busy", "done": "good", "failed": "bad"}


class Watch(Protocol):
    """Is told how a plan goes, and shows it."""

    def planned(self, plan: Plan) -> None:
        """Show what is going to be uploaded; called before the first change."""

    def searching(self, text: str) -> None:
        """Show how a proof goes that takes long, until there is none: an empty text; called from several threads."""

    def __call__(self, change: Change, state: ChangeState) -> None:
        """Show that a change started, is done or failed; called from several threads."""


class ProgressCard(Card):
    """What is uploaded, and the changes so far, each with its state."""

    def __init__(
        self,
        title: str,
        states: Mapping[str, tuple[Change, ChangeState]],
        sizes: Mapping[str, SizeTable] | None = None,
        summary: bool = False,
        proof: str = "",
    ) -> None:
        done = sum(state == "done" for _, state in states.values())
        head = f"{title}: {done} of {counted(len(states), 'change')} made" if states else title
        rows = [
            (MARKS[s], f"{c.action} {c.resource.kind}", c.resource.name, KINDS[s])
            for c, s in states.values()
            if not summary
        ]
        sizes_lines = [] if summary else sizes_text(sizes or {})  # The result below it tells them.
        proofs = [f"  {proof}"] if proof else []
        text = "\n".join([head, *proofs, *sizes_lines, *(f"  {mark} {what} {name}" for mark, what, name, _ in rows)])
        cells = [(html.text(mark, kind), html.text(what), html.text(name)) for mark, what, name, kind in rows]
        line = [html.tag("div", html.text(proof, "muted"))] if proof else []
        parts = [*line, *sizes_html(sizes or {}), html.table((), cells)]
        body = html.tag("div", html.text(head, "muted")) if summary else html.card(head, *parts)
        super().__init__(text, body)


class CardWatch:
    """Shows a card again when something changed, but not too often.

    Parameters
    ----------
    title : str
        What is going on.
    show : Callable[[ProgressCard], None]
        Shows a card.
    every : float
        Seconds between two showings.
    """

    def __init__(self, title: str, show: Callable[[ProgressCard], None], every: float = 0.0) -> None:
        self._title, self._show, self._every = title, show, every
        self._lock = threading.Lock()
        self._states: dict[str, tuple[Change, ChangeState]] = {}
        self._sizes: Mapping[str, SizeTable] = {}
        self._last = 0.0
        self._proof = ""
        show(ProgressCard(title, {}))

    def planned(self, plan: Plan) -> None:
        """Show how large what is uploaded is."""
        with self._lock:
            self._sizes = plan.sizes
            self.show()

    def searching(self, text: str) -> None:
        """Show how a proof goes that takes long; an empty text takes the line away."""
        with self._lock:
            self._proof = text
            self.show()

    def __call__(self, change: Change, state: ChangeState) -> None:
        """Note a change's state."""
        with self._lock:
            self._states[change.key] = (change, state)
            if time.monotonic() - self._last > self._every:
                self.show()

    def show(self, summary: bool = False) -> None:
        """Show what is known; the summary is one line."""
        self._last = time.monotonic()
        sizes = {} if summary else self._sizes
        self._show(ProgressCard(self._title, dict(self._states), sizes, summary, self._proof))


@contextmanager
def notebook_progress(title: str) -> Iterator[Watch]:
    """Show progress in an output of its own; at the end one line of it stays, above the report."""
    from IPython.display import display

    handle: Any = display(Card(title, ""), display_id=True)
    watch = CardWatch(title, handle.update if handle is not None else lambda card: None, EVERY)
    try:
        yield watch
    except BaseException:
        watch.show()
        raise
    watch.show(summary=True)


class ShellWatch:
    """Writes to stderr.

    Parameters
    ----------
    title : str
        The first line.
    """

    def __init__(self, title: str) -> None:
        self._lock = threading.Lock()
        print(title, file=sys.stderr)

    def planned(self, plan: Plan) -> None:
        """Write how large what is uploaded is."""
        for line in sizes_text(plan.sizes):
            print(f"  {line}", file=sys.stderr, flush=True)

    def searching(self, text: str) -> None:
        """Write how a proof goes that takes long over the line before, where a terminal can take it away again."""
        if sys.stderr.isatty():
            print(f"\r{text}{CLEAR}" + ("" if text else "\r"), end="", file=sys.stderr, flush=True)

    def __call__(self, change: Change, state: ChangeState) -> None:
        """Write a line when a change is done or failed, or when AWS goes on making it."""
        if state != "started":
            with self._lock:
                line = f"  {MARKS[state]} {change.action} {change.resource.kind} {change.resource.name}"
                line += ": AWS is making it" if state == "waiting" else ""
                print(line, file=sys.stderr, flush=True)


@contextmanager
def shell_progress(title: str) -> Iterator[Watch]:
    """Write a line for each change to stderr."""
    yield ShellWatch(title)
