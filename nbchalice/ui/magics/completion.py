"""Tab completion of the magics' lines: options, their choices, commands and handlers, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbchalice.runtime.entry_points import source_names
from nbchalice.typed import JSON
from nbchalice.ui.magics.notebook import Notebook

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext

CELL_LINE = re.compile(r"%%(\w+)[ \t]")
COMMAND_LINE = re.compile(r"%chalice[ \t]+")


def matcher(notebook: Notebook) -> object:
    """Return a matcher for `Completer.custom_matchers` (IPython: Completer, Matcher API version 2)."""

    def complete(context: CompletionContext) -> JSON:
        text = context.line_with_cursor[: context.cursor_position]
        words = candidates(notebook, text)
        if words is None:
            return {"completions": []}
        from IPython.core.completer import SimpleCompletion

        fragment = text.split()[-1] if text and not text[-1].isspace() else ""
        fitting = [SimpleCompletion(word, type="magic") for word in words if word.startswith(fragment)]
        return {"completions": fitting, "matched_fragment": fragment, "suppress": True, "ordered": True}

    complete.matcher_api_version = 2  # type: ignore[attr-defined]
    complete.matcher_identifier = "nbchalice"  # type: ignore[attr-defined]
    return complete


def candidates(notebook: Notebook, text: str) -> list[str] | None:
    """Return what may stand at the end of a magic's line; None where the line is not one of ours."""
    words = text.split()
    before = words[:-1] if text and not text[-1].isspace() else words
    if (cell := CELL_LINE.match(text)) and cell[1] in source_names():
        return _cell_options(cell[1], before)
    if COMMAND_LINE.match(text):
        return _command_words(notebook, before)
    return None


def _cell_options(magic: str, before: list[str]) -> list[str]:
    from nbchalice.handlers import META, SETTINGS
    from nbchalice.sources import SOURCES

    source = SOURCES.get(magic)
    own = source.options if source else ()
    options = {option.flag: option for option in (*own, *SETTINGS, *META)}
    last = options.get(before[-1])
    if last is not None and last.choices:
        return list(last.choices)
    return [flag for flag, option in options.items() if option.repeats or flag not in before] + ["--help"]


def _command_words(notebook: Notebook, before: list[str]) -> list[str]:
    import click

    from nbchalice.ui import commands

    if len(before) == 1:
        return ["app", *commands.COMMANDS]
    command = commands.APP if before[1] == "app" else commands.COMMANDS.get(before[1])
    if command is None:
        return []
    params = commands.click_command(command, cli=False).params
    options: dict[str, click.Option] = {}
    for param in params:
        if isinstance(param, click.Option):
            options |= dict.fromkeys(param.opts, param)
    last = options.get(before[-1])
    if last is not None and isinstance(last.type, click.Choice):
        return list(map(str, last.type.choices))
    handlers = list(notebook.registry) if command.handler != "no" and len(before) == 2 else []
    # Of `%chalice local st` the line before has two words, %chalice and local: the first argument is next.
    arguments = [param for param in params if isinstance(param, click.Argument)]
    choices: list[str] = []
    for argument in arguments[len(before) - 2 : len(before) - 1]:
        if isinstance(argument.type, click.Choice):
            choices += map(str, argument.type.choices)
    return [*handlers, *choices, *(flag for flag in options if flag not in before), "--help"]
