"""What is done on AWS with a notebook's handlers: plan, deploy, delete, roll back, look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.deploy.engine import Deployment, Status
    from nbchalice.deploy.execute import Progress
    from nbchalice.deploy.notebooks import Prune
    from nbchalice.deploy.package import Package
    from nbchalice.deploy.plan import Plan
    from nbchalice.deploy.results import Rollback
    from nbchalice.project import Project


def plan(project: Project, aws: Connection, *, prune: Prune = False) -> Plan:
    """Return what a deploy would do."""
    from nbchalice.deploy import engine

    with project.telling_what_is_gone():
        made = engine.plan(project.app, project.verified_packages, aws, prune=prune)
    return replace(made, notes=(*project.told(), *made.notes, *project.proven.notes(), *suggestions(project, aws)))


def suggestions(project: Project, aws: Connection) -> list[str]:
    """Return what the handlers' own roles lack for the calls of boto3 in their code; nothing is applied."""
    from nbchalice.deploy.desired import statements
    from nbchalice.deploy.suggest import note, suggested

    notes = []
    for handler in project.handlers:
        if handler.setting("role") is None:
            ref = project.app.ref(aws, handler.name)
            given = [source.event_values(options) for source, options in handler.sources()]
            known = given[0] if given and all(values == given[0] for values in given) else {}
            lacking = suggested(project.slice(handler).module, ref, statements(handler, project.app, ref), known)
            notes += [note(handler.name, lacking)] if lacking else []
    return notes


def deploy(
    project: Project,
    aws: Connection,
    *,
    prune: Prune = False,
    progress: Progress | None = None,
    announce: Callable[[Plan], None] = lambda plan: None,
) -> Deployment:
    """Bring AWS to what the notebook says.

    Parameters
    ----------
    project : Project
        The notebook's handlers.
    aws : Connection
        Where.
    prune : Prune
        Whether handlers that stand and are not in the notebook are removed: all, or only some, by name.
    progress, announce : Progress or None or Callable[[Plan], None]
        As for `engine.deploy`.
    """
    from nbchalice.deploy import engine, execute
    from nbchalice.deploy import local_layers as here

    told: list[str] = []

    def packages() -> dict[str, Package]:
        made = project.verified_packages()
        if aws.local:
            told.extend(here.prepare(made))
        return made

    told_of = progress or execute.quiet
    with project.telling_what_is_gone():
        done = engine.deploy(project.app, packages, aws, prune=prune, progress=told_of, announce=announce)
    notes = (*project.told(), *done.plan.notes, *told, *project.proven.notes(), *suggestions(project, aws))
    return replace(done, plan=replace(done.plan, notes=notes))


def delete(
    project: Project, aws: Connection, handler: str | None = None, *, progress: Progress | None = None
) -> Deployment:
    """Remove all that the app owns, or what belongs to one handler."""
    from nbchalice.deploy import engine, execute

    name = next((one.name for one in project.handlers if handler in {one.name, one.function}), handler)
    return engine.delete(project.app, aws, name, progress=progress or execute.quiet)


def rollback(project: Project, aws: Connection, handler: str) -> Rollback:
    """Go back to the version of a handler's function that was deployed before."""
    from nbchalice.deploy import engine

    return engine.rollback(project.app, handler, aws)


def status(project: Project, aws: Connection) -> Status:
    """Return how each handler stands; one that cannot be packaged does not hide the others."""
    from nbchalice.deploy import engine

    if project.namespace is not None:
        project.proves = False  # What was proven last is remembered; from a file, the statements have to be run.
    packages, broken = project.build(verified=False)
    stands = engine.status(project.app, lambda: packages, aws, broken)
    return replace(stands, notes=(*project.told(), *stands.notes))
