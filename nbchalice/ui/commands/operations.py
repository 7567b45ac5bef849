"""The commands behind the panels: numbers, dead letters, and live mode."""

from __future__ import annotations

from collections.abc import Iterator

import click

from nbchalice.ui.commands.base import Frontend, command, deployed, flag, option, some
from nbchalice.ui.render.cards import Result


@command(
    "metrics",
    option("--since", "how far back: 10m, 2h, 1d or a time", default="1h", show_default=True),
    handler="required",
)
def metrics(ui: Frontend, handler: str, since: str) -> Result:
    """Show how often a handler ran, failed, and how long it took."""
    from nbchalice.logs import tail
    from nbchalice.logs.metrics import metrics as count
    from nbchalice.ui.render.metrics import MetricsCard

    project, name = deployed(ui, handler)
    aws = ui.connect()
    return MetricsCard(name, count(tail.recent(aws, project.app.ref(aws, name).name, since=since)), since)


@command(
    "dlq",
    option("--most", "messages to show", type=click.IntRange(1, 100), default=10, show_default=True),
    option("--replay", "handle this message here; it stays in the queue", metavar="MESSAGE_ID"),
    flag("--redrive", "let the function try all messages again"),
    handler="required",
)
def dlq(ui: Frontend, handler: str, most: int, replay: str | None, redrive: bool) -> Result:
    """Look into a handler's dead-letter queue, without taking anything out of it."""
    from nbchalice.ui.render.cards import TextCard
    from nbchalice.ui.widgets import dead_letters as panels

    _, found = some(ui, handler)
    if replay:
        return panels.replay(ui, found.name, replay)
    if redrive:
        count = panels.open_queue(ui, found.name).redrive()
        return TextCard("dead letters", f"{count} put back: the function tries them again", {"redriven": count})
    card = panels.look(ui, found.name, most)
    return panels.DeadLetterPanel(ui.pinned(), card) if ui.interactive else card


@command(
    "live",
    option("--source", "only this one of several sources: a queue, topic, bucket or kind", metavar="SOURCE"),
    flag("--stop", "put the deployed triggers back"),
    handler="required",
)
def live(ui: Frontend, handler: str, source: str | None, stop: bool) -> Result | Iterator[Result]:
    """Handle the real events of a handler here, with the function as it is defined now, until it is stopped."""
    from nbchalice.ui.widgets import live_mode

    some(ui, handler)
    if stop:
        return live_mode.stop(ui, handler)
    if ui.interactive or not ui.patient:
        return live_mode.live_panel(ui.pinned(), handler, source)
    return live_mode.live_stream(ui, handler, source)
