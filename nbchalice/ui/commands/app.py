"""The commands that work on an app: deploy, plan, status, rollback, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nbchalice import operations
from nbchalice.text import by_text
from nbchalice.ui.commands.base import NO_VERIFY, TAKE_OVER, command, flag
from nbchalice.ui.frontend import Frontend, deployed, progress, registered

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.deploy.notebooks import Prune
    from nbchalice.deploy.plan import Plan
    from nbchalice.project import Project
    from nbchalice.ui.render.cards import Result
    from nbchalice.ui.render.reports import PlanCard


@command(
    "deploy",
    flag("--prune", "remove deployed handlers that the notebook no longer has; names them and asks"),
    flag("--yes", "do not ask"),
    flag("--check", "change nothing; tell what would be changed, and fail if anything would"),
    NO_VERIFY,
    TAKE_OVER,
)
def deploy(  # noqa: PLR0917 - one parameter an option
    ui: Frontend,
    prune: Prune,
    yes: bool = False,
    check: bool = False,
    no_verify: bool = False,
    take_over: bool = False,
) -> Result:
    """Bring AWS to what the notebook says."""
    from nbchalice.ui.live_mode import beside, settle
    from nbchalice.ui.render.reports import DeployCard

    project = registered(ui, proves=not no_verify)
    project.takes_over = take_over
    aws = ui.connect()
    if check:
        planned = _planned(ui, project, aws, prune, "check of")
        planned.ok = not planned.changes
        return planned
    if prune and not yes:
        prune = ask_to_prune(ui, operations.plan(project, aws, prune=True), str(aws.target))
    settle(project, aws, end_own=True)
    with progress(ui, project, f"deploying {project.name} ({project.stage}) to {aws.target}") as watch:
        done = operations.deploy(project, aws, prune=prune, progress=watch, announce=watch.planned)
    notes = (*done.plan.notes, *beside(project, aws), *_taken_by_orphans(project, aws, done.plan))
    return DeployCard(replace(done, plan=replace(done.plan, notes=notes)), "deployed")


def _taken_by_orphans(project: Project, aws: Connection, planned: Plan) -> list[str]:
    """Say which handlers that the notebook no longer has take messages of those that it has."""
    from nbchalice.deploy.left_over import shared_with

    notes: list[str] = []
    for name in planned.orphans:
        texts = shared_with(project.app, aws, name)
        notes += [f"{name} is not in the notebook any more; {text}" for text in texts]
    return notes


def ask_to_prune(ui: Frontend, planned: Plan, target: str) -> Prune:
    """Name the handlers that go, and ask; return their names. With none there is nothing to ask."""
    if planned.pruned:
        doubts = [f"{doubt}." for doubt in by_text(planned.doubts)]
        why = " ".join(["They are deployed, and not in the notebook.", *doubts])
        ui.confirm(f"remove {', '.join(planned.pruned)} from {target}? {why}")
    return frozenset(planned.pruned)


@command(
    "plan",
    flag("--prune", "include the removal of handlers that the notebook no longer has"),
    NO_VERIFY,
    TAKE_OVER,
)
def plan(ui: Frontend, prune: bool, no_verify: bool = False, take_over: bool = False) -> Result:
    """Print what a deploy would do, and do nothing."""
    project = registered(ui, proves=not no_verify)
    project.takes_over = take_over
    return _planned(ui, project, ui.connect(), prune, "plan for")


def _planned(ui: Frontend, project: Project, aws: Connection, prune: Prune, what: str) -> PlanCard:
    """Return what a deploy would do."""
    from nbchalice.ui.live_mode import explain_paused
    from nbchalice.ui.render.reports import PlanCard

    with progress(ui, project, f"planning {project.name} ({project.stage})", lazy=True):
        planned = operations.plan(project, aws, prune=prune)
    planned = explain_paused(planned, project, aws)
    return PlanCard(planned, aws.target, f"{what} {project.name} ({project.stage})")


@command("status")
def status(ui: Frontend) -> Result:
    """Show how each handler stands: registered, changed, deployed or orphaned, what differs, and who is live.

    Of a changed handler it tells which cells and files of its code are others, and which settings; of each, which
    version stands.

    A trigger that a dead live mode left paused is put back.
    """
    from nbchalice.ui.live_mode import settle
    from nbchalice.ui.render.reports import StatusCard

    project = ui.project()
    aws = ui.connect()
    notes, live = settle(project, aws)
    with progress(ui, project, f"looking at {project.name} ({project.stage})", lazy=True):
        return StatusCard(operations.status(project, aws), notes, live)


@command("rollback", TAKE_OVER, handler="required")
def rollback(ui: Frontend, handler: str, take_over: bool = False) -> Result:
    """Go back to the version of a function that was deployed before; the next deploy goes forward again."""
    from nbchalice.ui.render.reports import RollbackCard

    project, name = deployed(ui, handler)
    project.takes_over = take_over
    return RollbackCard(operations.rollback(project, ui.connect(), name))


@command("delete", flag("--yes", "do not ask"), TAKE_OVER, handler="optional")
def delete(ui: Frontend, handler: str | None, yes: bool, take_over: bool = False) -> Result:
    """Remove all that the app owns at this stage, and nothing else; or what belongs to one handler.

    The handler may be one that the notebook no longer has. It asks first; where nobody can be asked, as in a
    notebook that a program runs, it removes nothing and names --yes.
    """
    from nbchalice.deploy.deletion import plan_delete
    from nbchalice.ui.live_mode import settle
    from nbchalice.ui.render.reports import DeployCard

    project = ui.project()
    project.takes_over = take_over
    aws = ui.connect()
    if not yes:
        what = handler or "all functions"
        if handler:
            plan_delete(project.app, aws, handler)  # Nobody is asked about a handler that there is not.
        ui.confirm(f"remove {what} of {project.name} ({project.stage}) from {aws.target}?")
    settle(project, aws, end_own=True)
    with ui.progress(f"deleting {project.name} ({project.stage}) from {aws.target}") as watch:
        title = f"deleted {handler} of" if handler else "deleted"
        return DeployCard(operations.delete(project, aws, handler, progress=watch), title)
