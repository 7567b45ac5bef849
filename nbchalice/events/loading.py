"""The module of a handler of a notebook's file, loaded in this process as its function would load it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nbchalice.errors import Location
from nbchalice.events.context import environment
from nbchalice.logs.tracebacks import from_exception
from nbchalice.notebook.errors import StatementFailedError
from nbchalice.runtime.cells import load_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from types import ModuleType

    from nbchalice.handlers import Handler
    from nbchalice.notebook.capture.slice import Slice


def load_here(piece: Slice, handler: Handler, load: Callable[[str], Any], folders: Iterable[Path]) -> ModuleType:
    """Run the module of a handler with the environment of its function; local modules are found from then on.

    Parameters
    ----------
    piece : Slice
        The slice.
    handler : Handler
        The handler.
    load : Callable[[str], Any]
        Loads a bundle by its name.
    folders : Iterable[Path]
        Where the notebook finds local modules.

    Raises
    ------
    StatementFailedError
        It does not run here.
    """
    sys.path += [one for one in map(str, folders) if one not in sys.path]
    try:
        with environment(handler.setting("env") or {}):
            return load_module(piece.module, piece.segments, piece.notebook, "notebook_code", load)
    except Exception as error:  # the notebook's code may raise anything
        frame = from_exception(error).frame
        place = Location(frame.cell, frame.line, frame.source) if frame and frame.cell else handler.location
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise StatementFailedError(
            f"the code of {handler.name} does not run here: {what}",
            "what it imports must be installed here, and what it reads of the environment be set for the function",
            place,
            code="import-failed",
            statement=None,
            reason=what,
        ) from error
