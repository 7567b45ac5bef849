"""Calls a handler in this process, as it is defined now."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from nbchalice.errors import Interrupted, Location
from nbchalice.events.context import environment
from nbchalice.events.invoke import invoke_here
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tracebacks import from_exception
from nbchalice.notebook.capture.stale_types import require_current_types

if TYPE_CHECKING:
    from nbchalice.ui.frontend import Frontend

# A call takes over this process's output, loggers and environment; a handler may call another one.
ONE_AT_A_TIME = threading.RLock()


def call_here(
    ui: Frontend, handler: str, event: object, within: AbstractContextManager[object] | None = None
) -> Invocation:
    """Call a handler with an event and its environment variables; a traceback names the kernel's cells.

    Parameters
    ----------
    ui : Frontend
        The notebook or the shell; its project is read anew, so that an edited cell counts.
    handler : str
        The handler's name.
    event : object
        A raw event.
    within : AbstractContextManager or None
        Entered for the call alone. Default: nothing.

    Raises
    ------
    CaptureError
        The handler takes a record's type as it was before an edit.
    Interrupted
        The user stopped it; names the line that ran.
    """
    project = ui.project()
    registered = project.handler(handler)
    require_current_types(registered, project.cells)
    settings = {"timeout": registered.setting("timeout"), "memory": registered.setting("memory")}
    function, cells = project.function(registered), ui.cell_of_file
    try:
        with ONE_AT_A_TIME, environment(registered.setting("env") or {}), within or nullcontext():
            return invoke_here(function, event, cell_of_file=cells, **settings)
    except KeyboardInterrupt as stopped:
        frame = from_exception(stopped, cells).frame
        place = Location(frame.cell, frame.line, frame.source) if frame and frame.cell else None
        raise Interrupted(f"{handler} was stopped while it ran here", location=place) from None
