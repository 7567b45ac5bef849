"""The commands that work on an app: deploy, plan, send, logs and the like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nbchalice.errors import InvalidInputError
from nbchalice.ui.cards import Result
from nbchalice.ui.command import Frontend, command, flag, option, pairs, registered, some

if TYPE_CHECKING:
    from nbchalice.ui.reports import StatusCard


@command("deploy", flag("--prune", "remove deployed handlers that the notebook no longer has"))
def deploy(ui: Frontend, prune: bool) -> Result:
    """Bring AWS to what the notebook says."""
    from nbchalice.ui.live_mode import settle
    from nbchalice.ui.reports import DeployCard

    project = registered(ui)
    aws = ui.connect()
    settle(project, aws, end_own=True)
    with ui.progress(f"deploying {project.name} ({project.stage}) to {aws.target}") as watch:
        return DeployCard(project.deploy(aws, prune=prune, progress=watch, announce=watch.planned), "deployed")


@command("plan", flag("--prune", "include the removal of handlers that the notebook no longer has"))
def plan(ui: Frontend, prune: bool) -> Result:
    """Print what a deploy would do, and do nothing."""
    from nbchalice.ui.reports import PlanCard

    project = registered(ui)
    aws = ui.connect()
    return PlanCard(project.plan(aws, prune=prune), aws.target, f"plan for {project.name} ({project.stage})")


@command("status")
def status(ui: Frontend) -> Result:
    """Show how each handler stands: registered, changed, deployed or orphaned, drift, and who is live.

    A trigger that a dead live mode left paused is put back.
    """
    card = status_card(ui)
    if ui.interactive:
        from nbchalice.ui.panels_status import StatusPanel

        return StatusPanel(ui.pinned(), card)
    return card


def status_card(ui: Frontend) -> StatusCard:
    """Return how each handler stands; what a dead live mode left behind is mended."""
    from nbchalice.ui.live_mode import settle
    from nbchalice.ui.reports import StatusCard

    project = ui.project()
    aws = ui.connect()
    notes = settle(project, aws)
    return StatusCard(project.status(aws), notes)


@command("rollback", handler="required")
def rollback(ui: Frontend, handler: str) -> Result:
    """Go back to the version of a function that was deployed before; the next deploy goes forward again."""
    from nbchalice.ui.reports import RollbackCard

    project, found = some(ui, handler)
    aws = ui.connect()
    return RollbackCard(project.rollback(aws, found.name))


@command("delete", flag("--yes", "do not ask"))
def delete(ui: Frontend, yes: bool) -> Result:
    """Remove all that the app owns at this stage, and nothing else."""
    from nbchalice.ui.live_mode import settle
    from nbchalice.ui.reports import DeployCard

    project = ui.project()
    aws = ui.connect()
    if not yes:
        ui.confirm(f"remove all functions of {project.name} ({project.stage}) from {aws.target}?")
    settle(project, aws, end_own=True)
    with ui.progress(f"deleting {project.name} ({project.stage}) from {aws.target}") as watch:
        return DeployCard(project.delete(aws, progress=watch), "deleted")


@command(
    "send",
    option("--message", "body of the message, or content of the object"),
    option("--subject", "subject (SNS)"),
    option(
        "--attribute", "message attribute; may repeat (SQS, SNS)", metavar="NAME=VALUE", multiple=True, callback=pairs
    ),
    option("--group-id", "message group (FIFO queues)"),
    option("--dedup-id", "deduplication id (FIFO queues)"),
    option("--delay", "seconds before the message can be received (SQS)", type=click.IntRange(0, 900)),
    option("--key", "key of the object (S3)"),
    option("--file", "file to upload (S3)", type=click.Path(exists=True, dir_okay=False)),
    option("--detail", "detail of the event, as JSON (schedule)"),
    option("--saved", "event saved in .nbchalice/events; the other options change it", metavar="NAME"),
    option("--wait", "seconds to wait for the invocation", type=float, default=30.0, show_default=True),
    handler="required",
)
def send(ui: Frontend, handler: str, wait: float, saved: str | None, **values: Any) -> Result:
    """Send a test event to the real queue, topic, bucket or schedule, and follow it to its invocation.

    In a notebook, without any option for the event, it shows a form.
    """
    from nbchalice.events.saved import SavedEvents
    from nbchalice.events.send import send as send_event

    project, found = some(ui, handler)
    aws = ui.connect()
    source, options = found.sources()[0]
    known = {form.name for form in source.fields}
    given = {name: value for name, value in values.items() if value not in (None, {}, ())}
    if ui.interactive and not given and saved is None:
        from nbchalice.ui.sender import Sender

        return Sender(ui.pinned(), found.name)
    if saved is not None:
        given = {**SavedEvents(project.notebook.parent, found.name).load(saved), **given}
    if foreign := [name for name in given if name not in known]:
        flags = ", ".join("--" + name.replace("_", "-") for name in foreign)
        allowed = ", ".join("--" + form.name.replace("_", "-") for form in source.fields)
        raise InvalidInputError(f"{flags} is not for {source.title} events", f"there are {allowed}")
    return send_event(aws, source, options, project.app.ref(aws, found.name), wait=wait, **given)


@command(
    "invoke",
    option("--event", "file with the event (JSON); default: a sample", type=click.Path(exists=True, dir_okay=False)),
    flag("--sample", "use a sample event (the default)"),
    flag("--here", "run in this kernel instead of on Lambda"),
    handler="required",
)
def invoke(ui: Frontend, handler: str, event: str | None, sample: bool, here: bool) -> Result:
    """Invoke a function directly with an event, past its queue, topic, bucket or schedule."""
    import json

    from nbchalice.events.invoke import invoke as invoke_event
    from nbchalice.ui.here import call_here

    project, found = some(ui, handler)
    aws = ui.connect()
    ref = project.app.ref(aws, found.name)
    source, options = found.sources()[0]
    raw = json.loads(Path(event).read_text()) if event else source.sample(options, ref)
    if here:
        return call_here(ui, found.name, raw)
    return invoke_event(aws, ref, raw)


@command(
    "logs",
    option("--since", "how far back: 10m, 2h, 1d or a time", default="10m", show_default=True),
    flag("--follow", "go on as new invocations come"),
    option("--request-id", "only this invocation"),
    option("--level", "only records of this level and above", type=click.Choice(["debug", "info", "warning", "error"])),
    handler="required",
)
def logs(  # noqa: PLR0917 - one parameter an option
    ui: Frontend, handler: str, since: str, follow: bool, request_id: str | None, level: str | None
) -> Result | Iterator[Result]:
    """Show recent invocations with their log records."""
    from nbchalice.logs import tail
    from nbchalice.ui.reports import InvocationsCard

    project, found = some(ui, handler)
    aws = ui.connect()
    name = project.app.ref(aws, found.name).name
    if follow and ui.interactive:
        from nbchalice.ui.viewer import log_viewer

        return log_viewer(ui.pinned(), found.name, since=since, level=level, request_id=request_id)
    if follow and ui.patient:
        return tail.follow(aws, name, since=since, request_id=request_id, level=level)
    return InvocationsCard(found.name, tail.recent(aws, name, since=since, request_id=request_id, level=level))


@command("show", handler="optional", aws=False)
def show(ui: Frontend, handler: str | None) -> Result:
    """Print the exact module that is deployed for a handler, with the cell and line that each part comes from."""
    from nbchalice.ui.cards import ModuleCard

    project = ui.project()
    chosen = [project.handler(handler)] if handler else list(registered(ui).handlers)
    return ModuleCard({one.name: project.slice(one) for one in chosen})


@command(
    "package",
    option("--out", "folder for the zips", type=click.Path(file_okay=False), default="build", show_default=True),
    aws=False,
)
def package(ui: Frontend, out: str) -> Result:
    """Write <handler>.zip for each handler."""
    from nbchalice.ui.reports import FilesCard

    return FilesCard(registered(ui).write_packages(Path(out)))


@command(
    "bundle",
    click.Argument(["name"]),
    option(
        "--format",
        "how it is stored",
        type=click.Choice(["auto", "json", "npy", "parquet", "pickle", "joblib"]),
        default="auto",
        show_default=True,
    ),
    aws=False,
)
def bundle(ui: Frontend, name: str, format: str) -> Result:
    """Let a value travel to Lambda as a file, instead of the statements that made it."""
    from nbchalice.ui.reports import BundleCard

    return BundleCard(ui.project().bundle(name, format))


@command(
    "local",
    click.Argument(["action"], type=click.Choice(["start", "status", "stop", "reset", "env", "create"])),
    click.Argument(["kind"], required=False, type=click.Choice(["queue", "topic", "bucket"])),
    click.Argument(["name"], required=False),
    notebook=False,
)
def local(ui: Frontend, action: str, kind: str | None, name: str | None) -> Result:
    """Start, stop or reset the embedded local AWS, or create a queue, topic or bucket to play with."""
    from nbchalice.ui import local_commands

    return local_commands.run(action, kind, name)
