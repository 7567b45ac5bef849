"""Invocations for people: plain text for terminals, HTML for notebooks. All foreign text is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import escape

from nbchalice.aws.refusals import MAY_BE_MISSING, allow_for, missing_in
from nbchalice.logs.folding import INDENT, Row, frame_rows
from nbchalice.logs.lacking import LACKING
from nbchalice.logs.memory import level_of, memory_line, memory_words
from nbchalice.logs.records import Frame, InvocationData, InvocationError, LogRecord
from nbchalice.logs.tracebacks import HEADER, logged
from nbchalice.logs.when import clock, moment
from nbchalice.runtime.names import HOMES
from nbchalice.text import counted

MOST_SHOWN = 200
MOST_IDS = 10
# Mixed with the page's text colour, a colour reads well on light and on dark.
WARNED_COLOR = "color-mix(in srgb, #d08700 65%, currentColor)"
FAILED_COLOR = "color-mix(in srgb, #e5484d 65%, currentColor)"
STATUS_COLORS = {
    "ok": "color-mix(in srgb, #2da44e 65%, currentColor)",
    "running": "color-mix(in srgb, currentColor 60%, transparent)",
    "partial": WARNED_COLOR,
    "ignored": WARNED_COLOR,
}
MEMORY_COLORS = {"near": WARNED_COLOR, "over": FAILED_COLOR}
IGNORED = (
    "the function reported failed records, but its trigger does not ask for them (a queue's does with "
    "--report-failures): Lambda takes the whole batch for handled, and none comes back"
)
LEVEL_COLORS = {"ERROR": FAILED_COLOR, "CRITICAL": FAILED_COLOR, "WARNING": WARNED_COLOR, "WARN": WARNED_COLOR}
NO_MODULE = re.compile(r"^(?:Runtime\.ImportModuleError|ModuleNotFoundError)\b.*No module named '([\w.]+)'", re.S)
NO_JSON = re.compile(r"Object of type (\w+) is not JSON serializable")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PRE = "margin:0;padding:0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;line-height:1.5;background:none"


def printable(text: str) -> str:
    """Return text whose control characters are spelled out, so that it cannot steer a terminal."""
    return CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def headline(invocation: InvocationData) -> str:
    """Return status, durations and memory in one line; `dated` tells the time, too."""
    return " · ".join(word for word, _ in _words(invocation))


def dated(invocation: InvocationData) -> str:
    """Return the headline with the time at which the invocation began, where it is known."""
    return " · ".join(word for word, _ in _dated_words(invocation))


def _dated_words(invocation: InvocationData) -> list[tuple[str, str]]:
    first, *rest = _words(invocation)
    return [first, *([(moment(invocation.started), "")] if invocation.started else []), *rest]


def _words(invocation: InvocationData) -> list[tuple[str, str]]:
    """Return the parts of the headline, each with its colour or an empty text."""
    took = "" if invocation.duration_ms is None else f" in {milliseconds(invocation.duration_ms)}"
    words = [(status_word(invocation) + took, "")]
    if (invocation.attempt or 1) > 1:
        words.append((f"attempt {invocation.attempt}", ""))
    if invocation.init_ms is not None:
        words.append((f"cold start {milliseconds(invocation.init_ms)}", ""))
    if memory := memory_words(invocation):
        words.append((memory, MEMORY_COLORS.get(level_of(invocation), "")))
    if invocation.failed_ids:
        words.append((f"{len(invocation.failed_ids)} of {_batch(invocation)} failed", ""))
    if invocation.ignored_ids:
        words.append(
            (f"{len(invocation.ignored_ids)} of {len(invocation.ids) + invocation.ids_cut} reported in vain", "")
        )
    return [*words, (f"request {printable(invocation.request_id)}", "")]


def status_word(invocation: InvocationData) -> str:
    """Return the status, which is no longer ``partial`` to a person where every record of the batch failed."""
    known = set(invocation.ids) and not invocation.ids_cut
    failed = known and set(invocation.ids) <= set(invocation.failed_ids)
    return "failed" if invocation.status == "partial" and failed else invocation.status


def _batch(invocation: InvocationData) -> str:
    known = set(invocation.failed_ids) <= set(invocation.ids)
    return str(len(invocation.ids) + invocation.ids_cut) if known else "the batch"


def failed_line(invocation: InvocationData) -> str:
    """Return which records of a batch failed, or that nobody asked for them, or an empty text."""
    if invocation.status == "ignored":
        return IGNORED
    ids = invocation.failed_ids[:MOST_IDS]
    more = len(invocation.failed_ids) - len(ids)
    return printable(f"failed: {', '.join(ids)}" + (f" and {more} more" if more else "")) if ids else ""


def milliseconds(value: float) -> str:
    """Return a duration as a person reads it."""
    if value < 10:
        return f"{value:.1f} ms"
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


def error_rows(error: InvocationError, function: str = "") -> Iterator[Row]:
    """Yield the lines of an error and its frames, the innermost last; frames of libraries are folded.

    Parameters
    ----------
    error : InvocationError
        The error.
    function : str
        The name of the function that failed, where it is known.
    """
    yield Row(str(error))
    yield from frame_rows(error.frames)
    if allow := allow_for(str(error)):
        yield Row(f"{INDENT}fix: {_allowing(allow, function, may_be_missing=bool(MAY_BE_MISSING.search(str(error))))}")
    elif how := missing_in(str(error)) or _as_json(error.message) or _as_import(str(error)):
        yield Row(f"{INDENT}fix: {how}")


def _as_import(error: str) -> str | None:
    """Return how a module comes along that the package of the function lacks."""
    found = NO_MODULE.search(error)
    if found is None:
        return None
    how = f"write import {found[1]} within the handler, so that it comes along, and deploy"
    return f"{how}; %pip install it first where it is not installed"


def _allowing(allow: str, function: str, *, may_be_missing: bool) -> str:
    """Return what lets a function do what its role was refused: the notebook may have it already."""
    there = LACKING.is_in_notebook(function, allow)
    if may_be_missing:
        why = "the object is missing, which S3 tells only to who may list the bucket"
        return f"{why}: correct the key, or {f'deploy: {allow} is in the handler' if there else f'add {allow}'}"
    more = LACKING.beside(function, allow)
    if not there:
        lacks = "this, and more that its code needs" if more else "this"
        return f"the function's role lacks {lacks}; add {' '.join([allow, *more])} to the handler, and deploy"
    besides = f"add {' '.join(more)} besides, and deploy" if more else "deploy it"
    return f"{allow} is in the handler: {besides}; where it is deployed, a policy that is not the role's refuses it"


def _as_json(message: str) -> str | None:
    """Return how an event becomes JSON, where somebody took it for a dictionary."""
    found = NO_JSON.match(message)
    return "write json.dumps(event.to_dict()): it is the event as AWS sends it" if found and found[1] in HOMES else None


def error_lines(error: InvocationError, function: str = "") -> list[str]:
    """Return an error and its frames as lines of text."""
    return [row.text for row in error_rows(error, function)]


def cell_mark(frame: Frame) -> dict[str, str]:
    """Return what the page finds the cell of a frame by, to jump there."""
    return {
        "cell": frame.cell or "",
        "line": str(frame.line),
        "function": frame.function,
        "source": frame.source or "",
    }


def as_text(invocation: InvocationData) -> str:
    """Return an invocation as plain text."""
    lines = [dated(invocation)]
    records, hidden = _shown(invocation)
    lines += [f"  {line}" for line in (failed_line(invocation), memory_line(invocation)) if line]
    if hidden:
        lines.append(f"  ({counted(hidden, 'earlier record')} not shown)")
    for record in records:
        first, *rest = printable(record.message).splitlines() or [""]
        lines += [f"  {clock(record.timestamp)} {record.level or 'print':<7} {first}"]
        lines += [f"{'':23}{line}" for line in rest]
    if invocation.error:
        for text in error_lines(invocation.error, invocation.function):
            lines += [f"  {printable(line)}" for line in text.splitlines()]
    if invocation.result is not None:
        lines.append(f"  returned {printable(repr(invocation.result))}")
    return "\n".join(lines)


def _shown(invocation: InvocationData) -> tuple[list[LogRecord], int]:
    records = [_without_error(record, invocation.error) for record in invocation.records[-MOST_SHOWN:]]
    return records, len(invocation.records) - len(records) + invocation.records_cut


def _without_error(record: LogRecord, error: InvocationError | None) -> LogRecord:
    """Return a record without the traceback that is shown as the invocation's error, with its cells."""
    head, header, _ = record.message.rpartition(HEADER)
    same = logged(record.message) if header and error else None
    if same and error and (same.type, same.message, same.frames) == (error.type, error.message, error.frames):
        return replace(record, message=head.rstrip() or str(error))
    return record


def as_html(invocation: InvocationData) -> str:
    """Return an invocation as HTML that takes text colour and background from the page."""
    color = _color(invocation)
    records, hidden = _shown(invocation)
    *words, request = [_colored(word, color) for word, color in _dated_words(invocation)]
    words.append(f'<span style="white-space:nowrap">{request}</span>')
    parts = [f'<div style="font-size:12px;line-height:1.5"><b style="color:{color}">●</b> {" · ".join(words)}</div>']
    if failed := failed_line(invocation):
        parts.append(f'<div style="font-size:12px">{escape(failed)}</div>')
    if memory := memory_line(invocation):
        parts.append(f'<div style="font-size:12px">{_colored(memory, MEMORY_COLORS[level_of(invocation)])}</div>')
    if hidden:
        parts.append(f'<div style="font-size:12px;opacity:.7">{counted(hidden, "earlier record")} not shown</div>')
    if records:
        parts.append(f'<pre style="{PRE}">{chr(10).join(_record_html(record) for record in records)}</pre>')
    if invocation.error:
        parts.append(_error_html(invocation.error, invocation.function))
    if invocation.result is not None:
        parts.append(f'<pre style="{PRE}">returned {escape(printable(repr(invocation.result)))}</pre>')
    style = f"border-left:3px solid {color};padding:2px 0 2px 10px;margin:4px 0"
    return f'<div class="nbchalice-invocation" style="{style}">{"".join(parts)}</div>'


def _color(invocation: InvocationData) -> str:
    """Return the colour of the status, or that of the memory where an invocation ended well."""
    if invocation.status == "ok" and (level := level_of(invocation)):
        return MEMORY_COLORS[level]
    return STATUS_COLORS.get(status_word(invocation), FAILED_COLOR)


def _colored(text: str, color: str) -> str:
    return f'<span style="color:{color};font-weight:600">{escape(text)}</span>' if color else escape(text)


def _record_html(record: LogRecord) -> str:
    level = record.level or "print"
    color = LEVEL_COLORS.get(level)
    style = f"color:{color};font-weight:600" if color else "opacity:.7"
    time = f'<span style="opacity:.7">{clock(record.timestamp)}</span>'
    return f'{time} <span style="{style}">{escape(f"{level:<8}")}</span>{escape(printable(record.message))}'


def _error_html(error: InvocationError, function: str) -> str:
    first, *rest = error_rows(error, function)
    title = f'<b style="color:{FAILED_COLOR}">{escape(printable(first.text))}</b>\n'
    return f'<pre style="{PRE}">{title}{"".join(map(_row_html, rest))}</pre>'


def _row_html(row: Row) -> str:
    """Return a line of an error, which ends with its line break; what can be unfolded is a block without one."""
    if row.folded:
        lines = escape(printable("\n".join(row.folded)))
        return f'<details><summary style="cursor:pointer">{escape(printable(row.text))}</summary>{lines}</details>'
    return (_frame_html(row.frame) if row.frame else escape(printable(row.text))) + "\n"


def _frame_html(frame: Frame) -> str:
    """Return a frame whose cell a page with a panel makes a link of."""
    marks = "".join(f' data-{name}="{escape(printable(value))}"' for name, value in cell_mark(frame).items())
    cell, rest = str(frame.cell), str(frame).removeprefix(str(frame.cell))
    return f'{INDENT}<span class="nbchalice-cell"{marks}>{escape(printable(cell))}</span>{escape(printable(rest))}'
