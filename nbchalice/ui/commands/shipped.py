"""The commands around what is shipped, and the local AWS: show, package, bundle, local."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from nbchalice.ui.commands.base import NO_VERIFY, command, flag, option
from nbchalice.ui.frontend import Frontend, progress, registered

if TYPE_CHECKING:
    from nbchalice.ui.render.cards import Result


@command("show", handler="optional", aws=False, reads="text")
def show(ui: Frontend, handler: str | None) -> Result:
    """Print the exact module that is deployed for a handler, with the cell and line that each part comes from.

    Nothing is run for it: in a shell, it is what the analysis finds; what more comes along is named by `plan`.
    """
    from nbchalice.notebook.capture.companions import told
    from nbchalice.ui.render.cards import ModuleCard

    project = ui.project()
    handlers = [project.handler(handler)] if handler else list(registered(ui).handlers)
    proposals = {shown.name: project.proven.proposal(shown) for shown in handlers}
    pieces = {name: piece for name, (piece, _) in proposals.items()}
    notes = told(pieces.values())
    notes += [note for _, note in proposals.values() if note]
    notes += [f"{one.error.location.place}: {one.error.message}" for one in project.unread if one.error.location]
    notes += [f"the text does not say the name of {what}, and nothing was run" for what in project.computed]
    return ModuleCard(pieces, list(dict.fromkeys(notes)))


@command(
    "package",
    option("--out", "folder for what is written", type=click.Path(file_okay=False), default="build", show_default=True),
    option(
        "--format",
        "zips alone, or a template that makes what deploy makes, and its code",
        type=click.Choice(["zip", "cloudformation", "sam", "terraform"]),
        default="zip",
        show_default=True,
    ),
    NO_VERIFY,
    aws=False,
)
def package(
    ui: Frontend, out: str, format: Literal["zip", "cloudformation", "sam", "terraform"], no_verify: bool = False
) -> Result:
    """Write <handler>.zip for each handler, proven as before a deploy; or a template for teams that deploy by one."""
    from nbchalice.operations import write_packages, write_template
    from nbchalice.ui.render.reports import FilesCard

    project = registered(ui, proves=not no_verify)
    with progress(ui, project, f"packaging {project.name} ({project.stage})", lazy=True):
        if format == "zip":
            return FilesCard(write_packages(project, Path(out)))
        return FilesCard(write_template(project, Path(out), format))


@command(
    "import",
    click.Argument(["app"], type=click.Path(path_type=Path)),
    option("--out", "the notebook; default: named after the app, beside app.py", type=click.Path(path_type=Path)),
    notebook=False,
    aws=False,
)
def import_app(ui: Frontend, app: Path, out: Path | None) -> Result:
    """Write a notebook of a Chalice app: a cell for each handler; what is left out is named."""
    from nbchalice import moving
    from nbchalice.ui.render.reports import FilesCard

    return FilesCard(moving.import_app(app, out), "made of a Chalice app")


@command(
    "export",
    option("--format", "what for", type=click.Choice(["chalice"]), default="chalice", show_default=True),
    option(
        "--out",
        "the project's folder; default: named after the app, beside the notebook",
        type=click.Path(path_type=Path),
    ),
    flag("--force", "replace files that are there"),
    NO_VERIFY,
    aws=False,
)
def export(ui: Frontend, format: Literal["chalice"], out: Path | None, force: bool, no_verify: bool = False) -> Result:
    """Write a Chalice project of the handlers: app.py, configuration, requirements; what Chalice has not is named."""
    from nbchalice.export.project import export_project
    from nbchalice.ui.render.reports import FilesCard

    project = registered(ui, proves=not no_verify)
    with progress(ui, project, f"exporting {project.name} ({project.stage})", lazy=True):
        return FilesCard(export_project(project, out, force=force), f"exported for {format.title()}")


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
    flag("--trust", "accept the bundle that came with the notebook, although loading a pickle can run any code"),
    flag("--allow-secret", "bundle it although it holds what looks like a credential"),
    aws=False,
)
def bundle(ui: Frontend, name: str, format: str, trust: bool, allow_secret: bool) -> Result:
    """Let a value travel to Lambda as a file, instead of the statements that made it."""
    from nbchalice.notebook.capture.bundle_order import used_before
    from nbchalice.packaging.bundle_store import trust_bundle
    from nbchalice.ui.render.reports import BundleCard

    project = ui.project()
    if trust:
        return BundleCard(trust_bundle(project.notebook, name))
    made = project.bundle(name, format, allow_secret=allow_secret)
    return BundleCard(made, [step.location().place for step in used_before(project.effects, name)])


@command(
    "local",
    click.Argument(["action"], type=click.Choice(["start", "status", "stop", "reset", "env", "create"])),
    click.Argument(["kind"], required=False, type=click.Choice(["queue", "topic", "bucket"])),
    click.Argument(["name"], required=False),
    flag("--yes", "do not ask before all of it is forgotten"),
    notebook=False,
)
def local(ui: Frontend, action: str, kind: str | None, name: str | None, yes: bool = False) -> Result:
    """Start, stop or reset the embedded local AWS, or create a queue, topic or bucket to play with."""
    from nbchalice.ui.commands import local as local_commands

    if action == "reset" and not yes:
        ui.confirm("forget all functions, queues, topics, buckets, objects and logs of the local AWS?")
    return local_commands.run(action, kind, name)
