"""Calls a handler in this process, as it is defined now."""

from __future__ import annotations

import inspect
import threading
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

from nbchalice.errors import Interrupted, Location
from nbchalice.events.context import environment
from nbchalice.events.invoke import invoke_here
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tracebacks import from_exception
from nbchalice.notebook.capture.stale_types import require_current_types

if TYPE_CHECKING:
    from nbchalice.project import Project
    from nbchalice.ui.frontend import Frontend

# A call takes over this process's output, loggers and environment; a handler may call another one.
ONE_AT_A_TIME = threading.RLock()


def call_here(
    ui: Frontend, handler: str, event: object, within: AbstractContextManager[object] | None = None
) -> Invocation:
    """Call a handler with an event and its environment variables; a traceback names the kernel's cells.

    Where the target is the local AWS, the handler finds that one where it asks for AWS, whatever the process's own is.

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
    function, cells = project.function(registered), ui.cell_of_file
    names = inspect.unwrap(getattr(function, "function", function)).__globals__
    around = [
        _at_target(ui, project, names, sends=within is None),
        environment(registered.setting("env") or {}),
        within,
    ]
    require_current_types(registered, project.cells)
    settings = {"timeout": registered.setting("timeout"), "memory": registered.setting("memory")}
    try:
        with ONE_AT_A_TIME, ExitStack() as stack:
            for one in around:
                stack.enter_context(one or nullcontext())
            return invoke_here(function, event, cell_of_file=cells, **settings)
    except KeyboardInterrupt as stopped:
        frame = from_exception(stopped, cells).frame
        place = Location(frame.cell, frame.line, frame.source) if frame and frame.cell else None
        raise Interrupted(f"{handler} was stopped while it ran here", location=place) from None


def _at_target(
    ui: Frontend, project: Project, names: dict[str, Any], *, sends: bool
) -> AbstractContextManager[None] | None:
    """Return what lets a handler find the AWS of the command; None for the process's own.

    Parameters
    ----------
    names : dict[str, Any]
        The global names of the handler's function, clients that cells made among them.
    sends : bool
        Whether what the handler asks of AWS gets there.
    """
    from nbchalice.aws.local.client import server
    from nbchalice.events.on_local_aws import on_local_aws

    if ui.chosen_target != "local":
        return None
    local = server.status()
    if local is None and sends and any("boto" in cell.source for cell in project.cells):
        local = server.ensure_running()
    return None if local is None else on_local_aws(local, names)
