"""Invocations for people: plain text for terminals, HTML for notebooks. All foreign text is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import escape

from nbchalice.aws.refusals import allow_for
from nbchalice.logs.records import Frame, InvocationData, InvocationError, LogRecord
from nbchalice.logs.tracebacks import HEADER, logged
from nbchalice.text import counted

MOST_SHOWN = 200
MOST_IDS = 10
INDENT = "  "
# Mixed with the page's text colour, a colour reads well on light and on dark.
WARNED_COLOR = "color-mix(in srgb, #d08700 65%, currentColor)"
FAILED_COLOR = "color-mix(in srgb, #e5484d 65%, currentColor)"
STATUS_COLORS = {
    "ok": "color-mix(in srgb, #2da44e 65%, currentColor)",
    "running": "color-mix(in srgb, currentColor 60%, transparent)",
    "partial": WARNED_COLOR,
    "ignored": WARNED_COLOR,
}
IGNORED = (
    "the function reported failed records, but its trigger does not ask for them (a queue's does with "
    "--report-failures): Lambda takes the whole batch for handled, and none comes back"
)
LEVEL_COLORS = {"ERROR": FAILED_COLOR, "CRITICAL": FAILED_COLOR, "WARNING": WARNED_COLOR, "WARN": WARNED_COLOR}
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
PRE = "margin:0;padding:0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px;line-height:1.5;background:none"


def printable(text: str) -> str:
    """Return text whose control characters are spelled out, so that it cannot steer a terminal."""
    return CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def headline(invocation: InvocationData) -> str:
    """Return status, durations and memory in one line."""
    words = [status_word(invocation)]
    if invocation.duration_ms is not None:
        words[0] += f" in {milliseconds(invocation.duration_ms)}"
    if (invocation.attempt or 1) > 1:
        words.append(f"attempt {invocation.attempt}")
    if invocation.init_ms is not None:
        words.append(f"cold start {milliseconds(invocation.init_ms)}")
    if invocation.max_memory_mb is not None and invocation.memory_mb is not None:
        words.append(f"{invocation.max_memory_mb} of {invocation.memory_mb} MB")
    if invocation.failed_ids:
        words.append(f"{len(invocation.failed_ids)} of {_batch(invocation)} failed")
    if invocation.ignored_ids:
        words.append(f"{len(invocation.ignored_ids)} of {len(invocation.ids) + invocation.ids_cut} reported in vain")
    return " · ".join([*words, f"request {printable(invocation.request_id)}"])


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


def error_rows(error: InvocationError) -> Iterator[tuple[str, Frame | None]]:
    """Yield the lines of an error and its frames, the innermost last; a line that names a cell with its frame."""
    yield str(error), None
    for frame in error.frames:
        yield f"{INDENT}{frame}", frame if frame.cell else None
        if frame.source:
            yield f"{INDENT * 2}{frame.source}", None
    if allow := allow_for(str(error)):
        yield f"{INDENT}fix: the function's role lacks this; add {allow} to the handler, and deploy", None


def error_lines(error: InvocationError) -> list[str]:
    """Return an error and its frames as lines of text."""
    return [line for line, _ in error_rows(error)]


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
    lines = [headline(invocation)]
    records, hidden = _shown(invocation)
    if failed := failed_line(invocation):
        lines.append(f"  {failed}")
    if hidden:
        lines.append(f"  ({counted(hidden, 'earlier record')} not shown)")
    for record in records:
        first, *rest = printable(record.message).splitlines() or [""]
        lines += [f"  {record.level or 'print':<7} {first}", *(f"          {line}" for line in rest)]
    if invocation.error:
        for text in error_lines(invocation.error):
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
    color = STATUS_COLORS.get(status_word(invocation), FAILED_COLOR)
    records, hidden = _shown(invocation)
    parts = [f'<div style="font-size:12px"><b style="color:{color}">●</b> {escape(headline(invocation))}</div>']
    if failed := failed_line(invocation):
        parts.append(f'<div style="font-size:12px">{escape(failed)}</div>')
    if hidden:
        parts.append(f'<div style="font-size:12px;opacity:.7">{counted(hidden, "earlier record")} not shown</div>')
    if records:
        parts.append(f'<pre style="{PRE}">{chr(10).join(_record_html(record) for record in records)}</pre>')
    if invocation.error:
        parts.append(_error_html(invocation.error))
    if invocation.result is not None:
        parts.append(f'<pre style="{PRE}">returned {escape(printable(repr(invocation.result)))}</pre>')
    style = f"border-left:3px solid {color};padding:2px 0 2px 10px;margin:4px 0"
    return f'<div class="nbchalice-invocation" style="{style}">{"".join(parts)}</div>'


def _record_html(record: LogRecord) -> str:
    level = record.level or "print"
    color = LEVEL_COLORS.get(level)
    style = f"color:{color};font-weight:600" if color else "opacity:.7"
    return f'<span style="{style}">{escape(f"{level:<8}")}</span>{escape(printable(record.message))}'


def _error_html(error: InvocationError) -> str:
    (first, _), *rest = error_rows(error)
    title = f'<b style="color:{FAILED_COLOR}">{escape(printable(first))}</b>'
    lines = [title]
    for text, frame in rest:
        lines.append(_frame_html(frame) if frame else escape(printable(text)))
    return f'<pre style="{PRE}">{chr(10).join(lines)}</pre>'


def _frame_html(frame: Frame) -> str:
    """Return a frame whose cell a page with a panel makes a link of."""
    marks = "".join(f' data-{name}="{escape(printable(value))}"' for name, value in cell_mark(frame).items())
    cell, rest = str(frame.cell), str(frame).removeprefix(str(frame.cell))
    return f'{INDENT}<span class="nbchalice-cell"{marks}>{escape(printable(cell))}</span>{escape(printable(rest))}'
