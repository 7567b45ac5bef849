"""The end of a log that Invoke returns as one text -> log events."""

from __future__ import annotations

import itertools
import re
from datetime import datetime

from nbchalice.logs.lines import EXIT, RECORD, read_line
from nbchalice.logs.records import LogEvent
from nbchalice.logs.tracebacks import HEADER

STAMP = re.compile(r"\[[A-Z]+\]\t(\S+Z)\t|(\S+Z) \S+ Task timed out|\{\"time(?:stamp)?\": ?\"([^\"]+)\"")
GROUP = f"  + Exception Group {HEADER}"
BETWEEN_TRACEBACKS = (
    "",
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
LAST_OF_TRACEBACK = re.compile(r"[\w.]+(: .*)?$")


def events_of(text: str, now: int) -> list[LogEvent]:
    """Split the text into events (Lambda: Invoke, ``LogResult``: the last 4 KB of the log).

    Parameters
    ----------
    text : str
        The log, decoded.
    now : int
        Milliseconds since 1970, for lines without a time before the first one with.
    """
    events: list[LogEvent] = []
    for message in _messages(text.replace("\r\n", "\n").replace("\r", "\n").splitlines()):
        # A line without a time is as late as the one before it; a print may show an earlier time than its neighbours.
        before = events[-1].timestamp if events else 0
        events.append(LogEvent(max(_time_of(message) or 0, before), message))
    first = next((event.timestamp for event in events if event.timestamp), now)
    return [LogEvent(event.timestamp or first, event.message) for event in events]


def tells_all(text: str) -> bool:
    """Whether the text is the whole log, and leaves no doubt where each message of it ends.

    Parameters
    ----------
    text : str
        The log, decoded.
    """
    if not text.startswith(("START RequestId: ", "INIT_START ", '{"time')):
        return False
    kinds = [read_line(line).kind for line in text.splitlines()]
    return not any(one in {"record", "error"} and other == "print" for one, other in itertools.pairwise(kinds))


def _messages(lines: list[str]) -> list[str]:
    """Put the lines of each traceback together; every other line stands for itself."""
    messages: list[str] = []
    inside = grouped = ended = False
    at = 0
    while at < len(lines):
        if end := _end_of_error(lines, at):
            messages.append("\n".join(lines[at:end]))
            at, inside, grouped, ended = end, False, False, False
            continue
        line, at = lines[at], at + 1
        if at < len(lines) and EXIT.match(whole := f"{line}\n{lines[at]}"):
            line, at = whole, at + 1
        head = line.startswith((HEADER, GROUP))
        joins = (head and (inside or _takes_traceback(messages))) or (
            inside and not head and (line[0].isspace() if line else not grouped)
        )
        ends = inside and not joins and not grouped and not messages[-1].startswith("[ERROR] ")
        ends = ends and LAST_OF_TRACEBACK.match(line) is not None
        goes_on = ended and line in BETWEEN_TRACEBACKS
        if joins or ends or goes_on:
            messages[-1] += f"\n{line}"
        else:
            messages.append(line)
        grouped = line.startswith(GROUP) or (grouped and joins)
        inside, ended = joins or head, ends or goes_on
    return messages


def _takes_traceback(messages: list[str]) -> bool:
    """Whether a traceback that begins now is part of the last message: a logged one's, or an error's."""
    return bool(messages) and (RECORD.match(messages[-1]) is not None or messages[-1].startswith("[ERROR] "))


def _end_of_error(lines: list[str], at: int) -> int:
    """Return where the uncaught exception that begins here ends, or 0; Lambda logs it last, in one event."""
    if not lines[at].startswith("[ERROR] "):
        return 0
    end = next((n for n in range(at + 1, len(lines)) if read_line(lines[n]).kind != "print"), len(lines))
    if end < len(lines) and read_line(lines[end]).kind not in {"end", "report"}:
        return 0
    return end if HEADER in lines[at + 1 : end] else 0


def _time_of(message: str) -> int | None:
    match = STAMP.match(message)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(next(group for group in match.groups() if group))
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
