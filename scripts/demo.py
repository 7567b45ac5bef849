"""`make demo`: the four handlers of notebooks/quickstart.ipynb, each with an event that it really handles.

Works on a local AWS of its own in a temporary folder, so that nothing of the user's is in the way or is changed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import platformdirs

from nbchalice import operations
from nbchalice.aws.local.client import server
from nbchalice.aws.target import Connection, connect
from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.events.send import SendResult, send
from nbchalice.handlers import Handler
from nbchalice.logs.show import as_text, milliseconds, printable
from nbchalice.notebook_file import read_project
from nbchalice.project import Project

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "quickstart.ipynb"
STAGE = "demo"
EVENTS: dict[str, dict[str, Any]] = {
    "on_sqs_message": {"message": '{"item": "coffee", "net": 4}'},
    "on_sns_message": {"subject": "Opening", "message": "We open at nine"},
    "on_s3_event": {"key": "in/monday.csv", "message": "a,b,c"},
    "schedule": {},
}


@contextmanager
def own_local_aws() -> Iterator[Connection]:
    """Run a local AWS in a temporary folder; it is gone afterwards."""
    before = os.environ.get("NBCHALICE_LOCAL_HOME")
    with tempfile.TemporaryDirectory(prefix="nbchalice-demo-") as folder:
        os.environ["NBCHALICE_LOCAL_HOME"] = folder
        try:
            yield connect("local")
        finally:
            server.stop()
            if before is None:
                del os.environ["NBCHALICE_LOCAL_HOME"]
            else:
                os.environ["NBCHALICE_LOCAL_HOME"] = before


def read(path: Path) -> Project:
    """Read the notebook and see that it has a handler for each of the four sources.

    Raises
    ------
    InvalidInputError: it is not there, or lacks one.
    """
    if not path.exists():
        raise InvalidInputError(f"{path} is missing", "git checkout notebooks")
    project = read_project(path, STAGE)
    lacking = set(EVENTS) - {trigger.source for handler in project.handlers for trigger in handler.triggers}
    if lacking:
        raise InvalidInputError(f"{path.name} has no handler of {', '.join(sorted(lacking))}")
    return project


def send_one(project: Project, aws: Connection, handler: Handler) -> SendResult:
    """Send a handler its event and follow it."""
    source, options = handler.sources()[0]
    return send(aws, source, options, project.app.ref(aws, handler.name), **EVENTS[source.name])


def log_lines(result: SendResult) -> list[str]:
    """Return what the handler itself wrote."""
    return [printable(record.message) for record in result.invocation.records] if result.invocation else []


def handled(result: SendResult) -> bool:
    """Whether the event was handled and the handler wrote a line about it."""
    return result.ok and result.invocation is not None and result.invocation.status == "ok" and bool(log_lines(result))


def summary(rows: Sequence[tuple[Handler, SendResult]]) -> str:
    """Return what became of each event: a line for the handler, one for its log, one for the ids."""
    lines = [f"{sum(handled(result) for _, result in rows)} of {len(rows)} events handled"]
    for handler, result in rows:
        found = result.invocation
        duration = "-" if found is None or found.duration_ms is None else milliseconds(found.duration_ms)
        source = handler.sources()[0][0].title
        lines += ["", f"{handler.name:<12}{source:<10}{duration:>8}"]
        lines += [f"  {text}" for text in log_lines(result)]
        lines += [f"  message {result.message_id}", f"  request {found.request_id if found else '-'}"]
    return "\n".join(lines)


def demonstrate(path: Path = NOTEBOOK) -> int:
    """Deploy, send, show and delete; return the exit status."""
    project = read(path)
    click.echo(f"read {path.name}: {len(project.handlers)} handlers; starting a local AWS ...")
    with own_local_aws() as aws:
        deployed = operations.deploy(project, aws)
        click.echo(f"deployed {project.name} ({STAGE}): {len(deployed.changes)} changes in {deployed.seconds:.1f} s")
        try:
            rows = [(handler, send_one(project, aws, handler)) for handler in project.handlers]
        finally:
            deleted = operations.delete(project, aws)
        click.echo(f"deleted all of it: {len(deleted.changes)} changes in {deleted.seconds:.1f} s\n")
    wrong = [(handler, result) for handler, result in rows if not handled(result)]
    for handler, result in wrong:
        what = result.status if not result.ok else "handled, but not with status ok and a log line"
        text = as_text(result.invocation) if result.invocation else result.hint or ""
        click.secho(f"{handler.name}: {what}\n{text}\n", fg="red")
    click.echo(summary(rows))
    return 1 if wrong else 0


def keep_downloads_somewhere() -> None:
    """Use a folder of the repository where the user's cache folder cannot be written."""
    try:
        platformdirs.user_cache_path("nbchalice").mkdir(parents=True, exist_ok=True)
    except OSError:
        os.environ["XDG_CACHE_HOME"] = str(NOTEBOOK.parent.parent / ".cache")
        click.echo(f"the cache folder cannot be written; downloads are kept in {os.environ['XDG_CACHE_HOME']}")


def main() -> None:
    """Run the demonstration and leave with its exit status."""
    keep_downloads_somewhere()
    try:
        status = demonstrate()
    except NbChaliceError as error:
        print(f"error: {error}", file=sys.stderr)
        status = error.exit_code
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    main()
