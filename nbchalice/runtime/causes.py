"""What Lambda's own report of an exception leaves out, for the log."""

from __future__ import annotations

import logging
import traceback

from .frames import without_own_frames


def log_causes(error: BaseException, whole: bool = False) -> None:
    """Log what led to an exception: Lambda reports the traceback of the last one alone, and nothing of a group.

    Parameters
    ----------
    error : BaseException
        The exception that leaves the function.
    whole : bool
        Whether Lambda reports nothing of its traceback. Default: it does.
    """
    shown, what = error, "in full:"
    if not whole and not isinstance(error, BaseExceptionGroup):
        cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if cause is None:
            return
        shown, what = cause, "what led to"
    trace = without_own_frames(shown)
    logging.getLogger().error("%s %s", what, type(error).__name__, exc_info=(type(shown), shown, trace))


def add_place(error: ImportError, notebook: str) -> None:
    """Add the cell and line to the message of an exception whose traceback Lambda does not report.

    Parameters
    ----------
    error : ImportError
        Raised while the module was imported.
    notebook : str
        File name of the notebook.
    """
    places = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(f"{notebook}#")]
    if places:
        error.msg = f"{error.msg} ({places[-1].filename}, line {places[-1].lineno})"
