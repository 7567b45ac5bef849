"""How a plan goes, while it goes: one output that is updated in the notebook, lines on stderr in a shell."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nbchalice.deploy.execute import Progress
from nbchalice.deploy.plan import Change
from nbchalice.ui import html
from nbchalice.ui.cards import Card

EVERY = 0.1
MARKS = {"started": "…", "done": "✓", "failed": "✗"}
KINDS = {"started": "busy", "done": "good", "failed": "bad"}


class ProgressCard(Card):
    """The changes so far, each with its state."""

    def __init__(self, title: str, states: dict[str, tuple[Change, str]], summary: bool = False) -> None:
        done = sum(state == "done" for _, state in states.values())
        head = f"{title}: {done} of {len(states)} changes made" if states else title
        rows = [
            (MARKS[s], f"{c.action} {c.resource.kind}", c.resource.name, KINDS[s])
            for c, s in states.values()
            if not summary
        ]
        text = "\n".join([head, *(f"  {mark} {what} {name}" for mark, what, name, _ in rows)])
        cells = [(html.text(mark, kind), html.text(what), html.text(name)) for mark, what, name, kind in rows]
        body = html.tag("div", html.text(head, "muted")) if summary else html.card(head, html.table((), cells))
        super().__init__(text, body)


@contextmanager
def notebook_progress(title: str) -> Iterator[Progress]:
    """Show progress in an output of its own; at the end one line of it stays, above the report."""
    from IPython.display import display

    lock = threading.Lock()
    states: dict[str, tuple[Change, str]] = {}
    last = 0.0
    handle: Any = display(ProgressCard(title, {}), display_id=True)

    def update(change: Change, state: str) -> None:
        nonlocal last
        with lock:
            states[change.key] = (change, state)
            now = time.monotonic()
            if handle is not None and now - last > EVERY:
                last = now
                handle.update(ProgressCard(title, dict(states)))

    try:
        yield update
    except BaseException:
        if handle is not None:
            handle.update(ProgressCard(title, states))
        raise
    if handle is not None:
        handle.update(ProgressCard(title, states, summary=True))


@contextmanager
def shell_progress(title: str) -> Iterator[Progress]:
    """Write a line for each change to stderr."""
    lock = threading.Lock()
    print(title, file=sys.stderr)

    def update(change: Change, state: str) -> None:
        if state != "started":
            with lock:
                line = f"  {MARKS[state]} {change.action} {change.resource.kind} {change.resource.name}"
                print(line, file=sys.stderr, flush=True)

    yield update
