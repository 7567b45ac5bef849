"""Calls a handler in this process, as it is defined now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbchalice.events.invoke import invoke_here
from nbchalice.logs.records import Invocation

if TYPE_CHECKING:
    from nbchalice.ui.command import Frontend


def call_here(ui: Frontend, handler: str, event: Any) -> Invocation:
    """Call a handler with an event; a traceback names the kernel's cells.

    Parameters
    ----------
    ui: the notebook or the shell; its project is read anew, so that an edited cell counts.
    handler: the handler's name.
    event: a raw event.
    """
    project = ui.project()
    found = project.handler(handler)
    settings = {"timeout": found.setting("timeout"), "memory": found.setting("memory")}
    return invoke_here(project.function(found), event, cell_of_file=cell_namer(ui), **settings)


def cell_namer(ui: Frontend) -> Any:
    """Return what tells the cell of a file name that IPython made up for it."""
    compiler = getattr(getattr(ui, "shell", None), "compile", None)
    numbers: dict[str, int] = getattr(compiler, "_filename_map", {})
    return lambda file: f"cell {numbers[file]}" if file in numbers else None
