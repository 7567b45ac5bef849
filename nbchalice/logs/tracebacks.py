"""Errors as they stand in a log or an answer, read into type, message and frames that name notebook cells."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable

from nbchalice.logs.records import Frame, InvocationError
from nbchalice.notebook.capture.places import KEY

HEADER = "Traceback (most recent call last):"
FRAME = re.compile(r'\s*File "(?P<file>[^"\n]+)",? [lL]ine (?P<line>\d{1,9})(?:, in (?P<function>.*))?$')
MARKS = re.compile(r"[\s^~]+$")
CELL_KEY = re.compile(f"{KEY}$")
GENERATED = "generated"


def cell_of(file: str) -> str | None:
    """Return the cell that a frame's file name names (``shop.ipynb#cell 4``), or None for a library's file.

    A key of the cell's id may follow, by which `logs.places` finds the cell.
    """
    name, separator, cell = file.rpartition("#")
    if not separator or name.startswith(("/", "<")):
        return None
    cell = CELL_KEY.sub("", cell.removeprefix("cell="))
    return cell if cell and cell != GENERATED else None


def frames_of(lines: Iterable[str]) -> tuple[Frame, ...]:
    """Return the frames among the lines of a traceback, outermost first."""
    frames: list[Frame] = []
    waiting: re.Match[str] | None = None
    for line in lines:
        match = FRAME.match(line)
        if waiting and not match and MARKS.match(line):
            continue
        if waiting:
            frames.append(_frame(waiting, None if match or not line[:1].isspace() else line.strip()))
        waiting = match
    return (*frames, *([_frame(waiting, None)] if waiting else []))


def _frame(match: re.Match[str], source: str | None) -> Frame:
    file, function = match["file"], (match["function"] or "").strip()
    return Frame(cell_of(file), int(match["line"]), function, source, file)


def uncaught(text: str) -> InvocationError:
    """Read what Lambda's runtime logs for an exception that left the handler (``[ERROR] Type: message``)."""
    text = _plain_indents(text.removeprefix("[ERROR] "))
    head, _, trace = text.partition(f"\n{HEADER}")
    kind, _, message = head.partition(": ")
    return InvocationError(kind.strip(), message.strip(), frames_of(trace.splitlines()), text)


def logged(text: str) -> InvocationError | None:
    """Read the last traceback that a logged message holds, or None where it holds none."""
    _, separator, trace = _plain_indents(text).rpartition(HEADER)
    if not separator:
        return None
    lines = trace.splitlines()
    last = next((number for number, line in enumerate(lines) if line and not line[0].isspace()), len(lines))
    kind, _, message = "\n".join(lines[last:]).partition(": ")
    return InvocationError(kind.strip(), message.strip(), frames_of(lines[:last]), HEADER + trace)


def from_payload(payload: object) -> InvocationError:
    """Read Lambda's error document (Lambda: "Function errors"): errorType, errorMessage, stackTrace."""
    document = payload if isinstance(payload, dict) else {"errorMessage": str(payload)}
    kind, message = str(document.get("errorType") or "Error"), str(document.get("errorMessage") or "")
    stack = document.get("stackTrace")
    entries = [str(entry).rstrip("\n") for entry in stack] if isinstance(stack, list) else []
    text = "\n".join([f"{kind}: {message}", *([HEADER, *entries] if entries else [])])
    return InvocationError(kind, message, frames_of("\n".join(entries).splitlines()), text)


def from_exception(
    error: BaseException, cell_of_file: Callable[[str], str | None] | None = None, hidden: Iterable[str] = ()
) -> InvocationError:
    """Read an exception of this process.

    Parameters
    ----------
    error : BaseException
        The exception.
    cell_of_file : Callable[[str], str or None] or None
        Tells the cell of a file name that a kernel made up. Default: none has one.
    hidden : Iterable[str]
        Folders and files whose frames at the start are left out. Default: none.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(tuple(hidden)):
        trace = trace.tb_next
    frames = tuple(
        Frame(
            (cell_of_file and cell_of_file(entry.filename)) or cell_of(entry.filename),
            entry.lineno or 0,
            entry.name,
            entry.line or None,
            entry.filename,
        )
        for entry in traceback.extract_tb(trace)
    )
    text = "".join(traceback.format_exception(type(error), error, trace)).rstrip("\n")
    return InvocationError(type(error).__name__, str(error), frames, text)


def last_logged(texts: Iterable[str]) -> InvocationError | None:
    """Return the last traceback in logged messages, or None."""
    errors = [error for text in texts if (error := logged(text))]
    return errors[-1] if errors else None


def _plain_indents(text: str) -> str:
    # AWS indents with no-break spaces, so that CloudWatch keeps them.
    return text.replace("\u00a0", " ")
