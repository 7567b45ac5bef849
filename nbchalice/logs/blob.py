"""The end of a log that Invoke returns as one text -> log events."""

from __future__ import annotations

import re
from datetime import datetime

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
    text: the log, decoded.
    now: milliseconds since 1970, for lines without a time before the first one with.
    """
    events: list[LogEvent] = []
    for message in _messages(text.replace("\r\n", "\n").replace("\r", "\n").splitlines()):
        found = _time_of(message)
        before = events[-1].timestamp if events else None
        events.append(LogEvent(max(found or 0, before or 0), message))
    known = next((event.timestamp for event in events if event.timestamp), now)
    return [event if event.timestamp else LogEvent(known, event.message) for event in events]


def _messages(lines: list[str]) -> list[str]:
    """Put the lines of each traceback together; every other line stands for itself."""
    messages: list[str] = []
    inside = grouped = ended = False
    for line in lines:
        head = line.startswith((HEADER, GROUP))
        joins = head or (inside and (line[0].isspace() if line else not grouped))
        ends = inside and not joins and not grouped and not messages[-1].startswith("[ERROR] ")
        ends = ends and LAST_OF_TRACEBACK.match(line) is not None
        goes_on = ended and line in BETWEEN_TRACEBACKS
        if messages and (joins or ends or goes_on):
            messages[-1] += f"\n{line}"
        else:
            messages.append(line)
        grouped = line.startswith(GROUP) or (grouped and joins)
        inside, ended = joins, ends or goes_on
    return messages


def _time_of(message: str) -> int | None:
    match = STAMP.match(message)
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(next(group for group in match.groups() if group))
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
