"""The commands around a deployed handler: numbers, dead letters, and live mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from nbchalice.ui.commands.base import TAKE_OVER, command, flag, option
from nbchalice.ui.frontend import Frontend, deployed, some
from nbchalice.ui.views import LiveView, View

if TYPE_CHECKING:
    from nbchalice.ui.render.cards import Result


@command(
    "metrics",
    option("--since", "how far back: 10m, 2h, 1d or a time", default="1h", show_default=True),
    handler="required",
)
def metrics(ui: Frontend, handler: str, since: str) -> Result:
    """Show how often a handler ran and failed, how long it took, and what that cost.

    The cost is memory-seconds at the price of AWS Lambda's pricing page for region and processor, with the date of the
    table; requests and the free tier are not counted. On AWS, what Lambda turned away (throttles) is counted, too.
    """
    from nbchalice.events.send import require_deployed
    from nbchalice.logs import tail
    from nbchalice.logs.metrics import metrics as count
    from nbchalice.logs.numbers import look
    from nbchalice.ui.render.metrics import MetricsCard

    project, name = deployed(ui, handler)
    aws = ui.connect()
    ref = project.app.ref(aws, name)
    recent = tail.recent(aws, ref.name, since=since)
    if not recent:
        require_deployed(aws, ref)
    seen = look(aws, ref, since)
    return MetricsCard(name, count(recent, seen.price, seen.throttles), since, seen.notes)


@command(
    "dlq",
    option("--most", "messages to show", type=click.IntRange(1, 100), default=10, show_default=True),
    option("--replay", "handle this message here; it stays in the queue", metavar="MESSAGE_ID"),
    flag("--redrive", "let the function try all messages again"),
    handler="required",
)
def dlq(ui: Frontend, handler: str, most: int, replay: str | None, redrive: bool) -> Result:
    """Look into a handler's dead-letter queue, without taking anything out of it."""
    from nbchalice.events.deadletter import dead_letters_of
    from nbchalice.ui.in_process import call_here
    from nbchalice.ui.render.cards import TextCard
    from nbchalice.ui.render.dead_letters import DeadLetterCard
    from nbchalice.ui.whose import require_own_runs

    project, registered = some(ui, handler)
    aws = ui.connect()
    if redrive:
        require_own_runs(project, aws, registered.name)
    queue = dead_letters_of(aws, registered, project.app.ref(aws, registered.name))
    if replay:
        return call_here(ui, registered.name, queue.event_of(queue.find(replay)))
    if redrive:
        count = queue.redrive()
        return TextCard("dead letters", f"{count} put back: the function tries them again", {"redriven": count})
    letters = queue.peek(most)
    return DeadLetterCard(registered.name, queue.name, max(queue.depth(), len(letters)), letters, str(aws.target))


@command(
    "live",
    option("--source", "only this one of several sources: a queue, topic, bucket or kind", metavar="SOURCE"),
    flag("--stop", "put the deployed triggers back"),
    flag("--as-role", "let the handler call AWS with the rights of its function's role, as it does there"),
    TAKE_OVER,
    handler="required",
)
def live(  # noqa: PLR0917 - one parameter an option
    ui: Frontend, handler: str, source: str | None, stop: bool, as_role: bool = False, take_over: bool = False
) -> Result | View | Iterator[Result]:
    """Handle the real events of a handler here, with the function as it is defined now, until it is stopped.

    What the handler itself does to AWS it does with your credentials, or with `--as-role` with those of its function's
    role, so that a permission that is missing is missing here, too; the role must trust you (`--trust ARN`).
    A loop, in which the handler causes its own events, goes on until then, too: nothing ends it after 16 rounds.
    """
    from nbchalice.ui import live_mode
    from nbchalice.ui.whose import require_own_events

    project, chosen = some(ui, handler)
    if stop:
        return live_mode.stop(ui, handler)
    project.takes_over = take_over
    require_own_events(project, ui.connect(), chosen.name)
    if ui.interactive or not ui.patient:
        return LiveView(handler, source, as_role)
    return live_mode.live_stream(ui, handler, source, as_role=as_role)
