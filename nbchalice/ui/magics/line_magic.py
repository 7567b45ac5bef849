"""What `%chalice COMMAND` does in the notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import click

from nbchalice.aws.errors import explain
from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.execute import executed_for_code, skipped
from nbchalice.files import no_fault_of_ours
from nbchalice.handlers.words import split_line
from nbchalice.names import NAME_RULE, is_name
from nbchalice.ui import commands
from nbchalice.ui.magics.notebook import Notebook
from nbchalice.ui.magics.shown import shown
from nbchalice.ui.render.cards import TextCard


def run_command(notebook: Notebook, line: str) -> object:
    """Run `%chalice COMMAND ...` and return what it shows; alone it shows the status."""
    __tracebackhide__ = True
    words = split_line(line, "%chalice")
    name, *rest = words or ["status"]
    if name in {"--help", "-h", "help"}:
        return TextCard("%chalice", commands.overview("%chalice"))
    if name == "app":
        return name_app(notebook, rest)
    command = commands.COMMANDS.get(name)
    if command is None:
        raise commands.no_such_command(name, "%chalice")
    return run_parsed(notebook, command, rest)


def run_parsed(notebook: Notebook, command: commands.Command, rest: list[str]) -> object:
    """Run a command with its words; streams are shown as they come."""
    __tracebackhide__ = True
    from IPython.display import display

    try:
        values = commands.parse(command, rest)
    except click.exceptions.Exit:
        return None
    if command.aws and executed_for_code():
        return skipped(command.name)
    notebook.choose(values.pop("stage", None), values.pop("target", None))
    try:
        commands.require_handler(notebook, command, values)
        result = notebook.command(command.name)(notebook, **values)
        if isinstance(result, Iterator):
            with suppress(KeyboardInterrupt):  # Stopping it is how a stream ends.
                for one in result:
                    display(one)
            return None
        return shown(notebook, result)
    except NbChaliceError:
        raise
    except Exception as error:
        if type(error).__module__.startswith(("botocore", "boto3", "urllib3")):
            raise explain(error, f"%chalice {command.name}") from None
        if isinstance(error, OSError) and (told := no_fault_of_ours(error, f"%chalice {command.name}")):
            raise told from None
        raise


def name_app(notebook: Notebook, words: list[str]) -> TextCard:
    """`%chalice app NAME [--stage STAGE] [--target local|aws]`."""
    values = commands.parse(commands.APP, words)
    name = values["name"]
    if not is_name(name):
        raise InvalidInputError(f"app name {name!r} {NAME_RULE}", "%chalice app NAME")
    moved = notebook.moved_by(name)
    notebook.named = notebook.name_app(name)
    notebook.stage = values["stage"] or notebook.stage
    notebook.target = values["target"] or notebook.target
    text = f"app {name}, stage {notebook.stage}, target {notebook.target}"
    text += f"\nnote: {moved}" if moved else ""
    data = {"app": name, "stage": notebook.stage, "target": notebook.target}
    return TextCard("nbchalice", text, data)
