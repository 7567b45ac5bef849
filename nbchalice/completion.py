"""Completion in bash, zsh and fish: commands, their options and values, notebooks, and the handlers of one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem, shell_complete

from nbchalice.ui import commands

VARIABLE = "_NBCHALICE_COMPLETE"


class Commands(click.Group):
    """The command line as click knows it; each command's options are read when its words are completed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(commands.COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command."""
        chosen = commands.COMMANDS.get(cmd_name)
        if chosen is None:
            return None
        made = commands.click_command(chosen, cli=True)
        handler = click.Argument(["handler"], required=False, shell_complete=handlers)
        made.params = [handler if one.name == "handler" else one for one in made.params]
        return made


def handlers(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Return the handlers of the notebook that was typed before; nothing of it is run."""
    from nbchalice.errors import NbChaliceError
    from nbchalice.notebook_file import read_text

    notebook = context.params.get("notebook")
    if not isinstance(notebook, Path):
        return []
    with suppress(NbChaliceError, OSError):
        return [CompletionItem(one.name) for one in read_text(notebook, None).handlers if one.name.startswith(begun)]
    return []


def answer() -> int | None:
    """Answer a shell that asks what could come next, or for its script; None where none asks.

    Returns
    -------
    int or None
        The exit status.
    """
    instruction = os.environ.get(VARIABLE)
    return shell_complete(Commands(), {}, "nbchalice", VARIABLE, instruction) if instruction else None
