"""How a plan goes, while it goes: one output that is updated in the notebook, lines on stderr in a shell."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from nbchalice.deploy.execute import ChangeState
from nbchalice.deploy.plan import Change, Plan
from nbchalice.notebook.capture.ticking import ticking
from nbchalice.packaging.sizes import SizeTable
from nbchalice.steps import Step
from nbchalice.text import counted, readable
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

    def step(self, step: Step) -> None:
        """Show a step of what comes before the changes, as resolving what a layer needs."""

    def __call__(self, change: Change, state: ChangeState) -> None:
        """Show that a change started, is done or failed; called from several threads."""


@dataclass(frozen=True)
class Row:
    """A step or a change, as far as it is."""

    state: ChangeState
    what: str
    name: str
    since: float

    @property
    def is_under_way(self) -> bool:
        """Whether it goes on."""
        return self.state in {"started", "waiting"}

    @property
    def took(self) -> str:
        """For how long it goes on, once that is a second."""
        seconds = int(time.monotonic() - self.since) if self.is_under_way else 0
        return f"{seconds} s" if seconds else ""

    @property
    def text(self) -> str:
        """All of it in a line."""
        took = f" · {self.took}" if self.took else ""
        return f"{MARKS[self.state]} {self.what} {self.name}".rstrip() + took

    def cells(self) -> tuple[str, ...]:
        """Return the cells of a table."""
        mark = html.text(MARKS[self.state], KINDS[self.state])
        return mark, html.text(self.what), html.text(self.name), html.one_line(self.took, "muted")


def change_name(change: Change) -> str:
    """Return the name of what is changed, with the size of what is sent for it."""
    size = change.resource.upload_size if change.action != "delete" else 0
    return f"{change.resource.name} ({readable(size)})" if size else change.resource.name


class ProgressCard(Card):
    """What is done before, what is uploaded, and the changes so far, each with its state."""

    def __init__(  # noqa: PLR0917 - the parts of one card
        self,
        title: str,
        states: Mapping[str, Row],
        sizes: Mapping[str, SizeTable] | None = None,
        summary: bool = False,
        proof: str = "",
        steps: Iterable[Row] = (),
    ) -> None:
        done = sum(row.state == "done" for row in states.values())
        head = f"{title}: {done} of {counted(len(states), 'change')} made" if states else title
        before, rows = ([], []) if summary else ([*steps], [*states.values()])
        sizes_lines = [] if summary else sizes_text(sizes or {})  # The result below it tells them.
        proofs = [f"  {proof}"] if proof else []
        text = "\n".join([head, *proofs, *sizes_lines, *(f"  {row.text}" for row in (*before, *rows))])
        line = [html.tag("div", html.text(proof, "muted"))] if proof else []
        tables = [html.table((), [row.cells() for row in some]) for some in (before, rows) if some]
        parts = [*line, *sizes_html(sizes or {}), *tables]
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
    lazy : bool
        Whether nothing is shown until there is a step, a proof or a change to show.
    """

    def __init__(
        self, title: str, show: Callable[[ProgressCard], None], every: float = 0.0, lazy: bool = False
    ) -> None:
        self._title, self._show, self._every = title, show, every
        self._lock = threading.Lock()
        self._states: dict[str, Row] = {}
        self._steps: dict[int, Row] = {}
        self._sizes: Mapping[str, SizeTable] = {}
        self._last = 0.0
        self._proof = ""
        if not lazy:
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

    def step(self, step: Step) -> None:
        """Show a step of what comes before the changes."""
        with self._lock:
            since = self._steps[step.number].since if step.number in self._steps else time.monotonic()
            self._steps[step.number] = Row(step.state, step.text, step.detail, since)
            self.show()

    def __call__(self, change: Change, state: ChangeState) -> None:
        """Note a change's state."""
        with self._lock:
            since = self._states[change.key].since if change.key in self._states else time.monotonic()
            what = f"{change.action} {change.resource.kind}"
            self._states[change.key] = Row(state, what, change_name(change), since)
            if time.monotonic() - self._last > self._every:
                self.show()

    def move(self) -> None:
        """Show for how long what is under way has been so."""
        with self._lock:
            if any(row.is_under_way for row in (*self._steps.values(), *self._states.values())):
                self.show()

    def show(self, summary: bool = False) -> None:
        """Show what is known; the summary is one line."""
        self._last = time.monotonic()
        sizes = {} if summary else self._sizes
        steps = list(self._steps.values())
        self._show(ProgressCard(self._title, dict(self._states), sizes, summary, self._proof, steps))


@contextmanager
def moving(watch: CardWatch) -> Iterator[CardWatch]:
    """Let a card show each second for how long things take."""
    with ticking(str, lambda _: watch.move()):
        yield watch


class Output:
    """An output of its own, from the first card that is shown in it."""

    def __init__(self) -> None:
        self._handle: Any = None
        self.is_shown = False

    def show(self, card: Card) -> None:
        """Show a card in place of the one before."""
        from IPython.display import display

        if not self.is_shown:
            self.is_shown = True
            self._handle = display(card, display_id=True)
        elif self._handle is not None:
            self._handle.update(card)


@contextmanager
def notebook_progress(title: str, *, lazy: bool = False, moves: bool = False) -> Iterator[Watch]:
    """Show progress in an output of its own; at the end one line of it stays above the report, or nothing if lazy.

    Parameters
    ----------
    title : str
        What is going on.
    lazy : bool
        Whether nothing is shown until there is something to tell.
    moves : bool
        Whether the output can be changed in place: it then tells each second how long things take.
    """
    output = Output()
    watch = CardWatch(title, output.show, EVERY, lazy)
    try:
        with moving(watch) if moves else nullcontext():
            yield watch
    except BaseException:
        if output.is_shown:
            watch.show()
        raise
    if output.is_shown and lazy:
        output.show(Card("", ""))
    elif output.is_shown:
        watch.show(summary=True)


class ShellWatch:
    """Writes to stderr.

    Parameters
    ----------
    title : str
        The first line.
    lazy : bool
        Whether it is written only before something else is.
    """

    def __init__(self, title: str, lazy: bool = False) -> None:
        self._lock = threading.Lock()
        self._title = title
        if not lazy:
            self._begin()

    def _begin(self) -> None:
        if self._title:
            print(self._title, file=sys.stderr)
            self._title = ""

    def planned(self, plan: Plan) -> None:
        """Write how large what is uploaded is."""
        for line in sizes_text(plan.sizes):
            print(f"  {line}", file=sys.stderr, flush=True)

    def searching(self, text: str) -> None:
        """Write how a proof goes that takes long over the line before, where a terminal can take it away again."""
        if sys.stderr.isatty():
            print(f"\r{text}{CLEAR}" + ("" if text else "\r"), end="", file=sys.stderr, flush=True)

    def step(self, step: Step) -> None:
        """Write a step when it begins and when it is done; how far it is, where a terminal can take that away."""
        with self._lock:
            self._begin()
            if sys.stderr.isatty():
                end = "" if step.state == "started" else "\n"
                print(f"\r  {MARKS[step.state]} {step.words}{CLEAR}", end=end, file=sys.stderr, flush=True)
            elif step.state != "started" or not step.detail:
                print(f"  {MARKS[step.state]} {step.words}", file=sys.stderr, flush=True)

    def __call__(self, change: Change, state: ChangeState) -> None:
        """Write a line when a change is done or failed, or when AWS goes on making it; of an upload also its begin."""
        if state != "started" or change.resource.upload_size:
            with self._lock:
                line = f"  {MARKS[state]} {change.action} {change.resource.kind} {change_name(change)}"
                line += ": AWS is making it" if state == "waiting" else ""
                print(line, file=sys.stderr, flush=True)


@contextmanager
def shell_progress(title: str, *, lazy: bool = False) -> Iterator[Watch]:
    """Write a line for each step and change to stderr."""
    yield ShellWatch(title, lazy)
