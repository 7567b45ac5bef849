"""What messages say of commands, in the words of who runs them: those of a notebook become those of a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from nbchalice.ui.commands import COMMANDS

_COMMAND = re.compile(r"%chalice (\w+)\b(?![^;\n]*? in (?:the notebook|a cell)\b)")
QUOTING = frozenset({"dlq", "events", "invoke", "live", "logs", "replay", "send", "show", "tune"})
"""Commands whose results show messages, events, logs and code of other people's, which stay as they are."""
_IN_CELLS = {"bundle"}  # What it takes along is a line of the notebook.


def for_shell(text: str, notebook: Path | None, options: Mapping[str, str | None]) -> str:
    """Return a text in which each ``%chalice COMMAND`` is the command of a shell, on the same notebook.

    Parameters
    ----------
    text : str
        For example ``%chalice deploy makes it``. What is to be done in the notebook stays as it is.
    notebook : Path or None
        The notebook's file, or None where the command has none.
    options : Mapping[str, str or None]
        Options that belong to each command on it, for example ``{"--stage": "prod", "--target": None}``.

    Returns
    -------
    str
        For example ``nbchalice deploy orders.ipynb --stage prod makes it``.
    """
    given = [f"{name} {shlex.quote(value)}" for name, value in options.items() if value is not None]

    def words(found: re.Match[str]) -> str:
        command = COMMANDS.get(found[1])
        if command is None or command.name in _IN_CELLS:
            return found[0]
        on = [] if not command.notebook else [shlex.quote(str(notebook)) if notebook else "NOTEBOOK", *given]
        return " ".join(["nbchalice", command.name, *on])

    return _COMMAND.sub(words, text)
