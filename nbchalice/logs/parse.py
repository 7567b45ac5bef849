"""Log events -> invocations. Pure: no clock, no network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nbchalice.logs.lines import Line, read_line
from nbchalice.logs.records import Invocation, InvocationError, LogEvent, LogRecord
from nbchalice.logs.tracebacks import HEADER, from_payload, last_logged, uncaught

KEPT_WHEN_FORGETTING = 100
MOST_PENDING = 1000
NUMBERS = ("duration_ms", "billed_ms", "memory_mb", "max_memory_mb", "init_ms")


def parse(events: Iterable[LogEvent], function: str = "") -> list[Invocation]:
    """Read log events into invocations, the first started first.

    Parameters
    ----------
    events: events of any number of log streams, in any order; events of equal time are taken as they come.
    function: name of the function. Default: an empty text.

    Returns
    -------
    The invocations. Lines that tell no request id belong to the invocation open in their stream, else to the next one.
    """
    assembler = Assembler(function)
    assembler.feed(events)
    return assembler.invocations()


@dataclass(eq=False)
class _Draft:
    """An invocation of which not all is known yet."""

    request_id: str
    run: int
    stream: str
    records: deque[LogRecord]
    began: bool = False
    started: int | None = None
    report: dict[str, Any] | None = None
    error: InvocationError | None = None
    timed_out: bool = False
    head: str | None = None
    attempt: int | None = None
    ids: tuple[str, ...] = ()
    failed_ids: tuple[str, ...] = ()
    ids_cut: int = 0
    records_cut: int = 0

    def add(self, event: LogEvent, line: Line) -> None:
        """Take in one line that belongs to this invocation."""
        if line.kind == "start" or self.started is None:
            self.started = event.timestamp
        if line.kind == "print" and self._continues(line.message):
            return
        self.head = line.message if line.kind == "head" else None
        if line.kind in {"record", "print", "head"}:
            self._add_record(event, line)
        elif line.kind == "report":
            self.report = dict(line.data)
        elif line.kind == "marker":
            self._mark(line.data)
        elif line.kind == "error":
            self.error = from_payload(line.data) if line.data else uncaught(line.message)
        elif line.kind == "exit":
            self.error = self.error or from_payload(line.data)
        elif line.kind == "timeout":
            self.timed_out = True
            self.error = InvocationError("Sandbox.Timedout", line.message, text=line.message)

    def _add_record(self, event: LogEvent, line: Line) -> None:
        if len(self.records) == self.records.maxlen:
            self.records_cut += 1
        data = line.data or None
        self.records.append(
            LogRecord(event.timestamp, line.level, line.message, self.request_id, event.stream, line.logger, data)
        )

    def _continues(self, text: str) -> bool:
        """Take a line of the traceback whose head came as an event of its own."""
        if self.head is None:
            return False
        first = HEADER not in self.head
        if not (text.startswith(HEADER) if first else text[:1].isspace()):
            return False
        if first and self.records:
            self.records.pop()
        self.head += f"\n{text}"
        self.error = uncaught(self.head)
        return True

    def _mark(self, data: Any) -> None:
        attempt, more = data.get("attempt"), data.get("more")
        self.attempt = attempt if isinstance(attempt, int) else self.attempt
        self.ids_cut = more if isinstance(more, int) else self.ids_cut
        self.ids = _texts(data.get("ids")) or self.ids
        self.failed_ids = _texts(data.get("failed")) or self.failed_ids

    def freeze(self, function: str) -> Invocation:
        """Return what is known now."""
        report = self.report or {}
        status = self._status()
        return Invocation(
            self.request_id,
            function,
            status,
            self.attempt or self.run,
            **{name: report.get(name) for name in NUMBERS},
            started=self.started,
            records=tuple(sorted(self.records, key=lambda record: record.timestamp)),
            error=self._error(status),
            ids=self.ids,
            failed_ids=self.failed_ids,
            run=self.run,
            ids_cut=self.ids_cut,
            records_cut=self.records_cut,
            never_began=self.began and not self.ids and status in {"error", "timeout"},
        )

    def _status(self) -> str:
        told = (self.report or {}).get("status")
        if self.timed_out or told == "timeout":
            return "timeout"
        if self.error or told in {"error", "failure"}:
            return "error"
        if self.report is None:
            return "running"
        return "partial" if self.failed_ids else "ok"

    def _error(self, status: str) -> InvocationError | None:
        if self.error or status in {"ok", "running"}:
            return self.error
        if status == "partial":
            return last_logged(record.message for record in self.records if record.level == "ERROR")
        kind = (self.report or {}).get("error_type") or ("Sandbox.Timedout" if status == "timeout" else "Error")
        return InvocationError(kind, "", text=kind)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


@dataclass(eq=False)
class _Stream:
    """One log stream: the invocation open in it, and lines that wait for the next one."""

    open: _Draft | None = None
    pending: deque[tuple[LogEvent, Line]] = field(default_factory=lambda: deque(maxlen=MOST_PENDING))


class Assembler:
    """Puts invocations together from log events that come bit by bit.

    Parameters
    ----------
    function: name of the function.
    most_records: how many records to keep for each invocation; the oldest go first. Default: all.
    """

    def __init__(self, function: str = "", most_records: int | None = None) -> None:
        self._function = function
        self._most = most_records
        self._streams: dict[str, _Stream] = {}
        self._runs: dict[str, list[_Draft]] = {}

    def feed(self, events: Iterable[LogEvent]) -> list[Invocation]:
        """Take in events and return the invocations that they changed, in the order of the changes."""
        changed: dict[_Draft, None] = {}
        for event in sorted(events, key=lambda event: event.timestamp):
            draft = self._place(event, read_line(event.message))
            if draft is not None:
                changed[draft] = None
        return [draft.freeze(self._function) for draft in changed]

    def invocations(self) -> list[Invocation]:
        """Return all invocations so far, the first started first."""
        drafts = [draft for runs in self._runs.values() for draft in runs]
        return [draft.freeze(self._function) for draft in sorted(drafts, key=lambda draft: draft.started or 0)]

    def forget(self, keep: int = KEPT_WHEN_FORGETTING) -> None:
        """Drop the oldest finished invocations but for the last ``keep``, and streams without an open one."""
        done = [name for name, runs in self._runs.items() if all(run.report is not None for run in runs)]
        for name in done[: max(0, len(done) - keep)]:
            del self._runs[name]
        idle = [name for name, stream in self._streams.items() if stream.open is None and not stream.pending]
        for name in idle:
            del self._streams[name]

    def _place(self, event: LogEvent, line: Line) -> _Draft | None:
        """Give a line to its invocation; None where that is not known yet."""
        stream = self._streams.setdefault(event.stream, _Stream())
        if line.kind == "platform":
            return None
        if line.request_id and not self._is_foreign(line, event.stream, stream.open):
            draft = self._draft(line, event.stream)
            self._open_or_close(stream, draft, line)
        elif stream.open is None:
            stream.pending.append((event, line))
            return None
        else:
            draft = stream.open
        draft.add(event, line)
        return draft

    def _is_foreign(self, line: Line, name: str, running: _Draft | None) -> bool:
        """Whether the id is not Lambda's but one that a function logs of its own."""
        if running is None or line.kind in {"start", "end", "report"}:
            return False
        return all(run.stream != name for run in self._runs.get(line.request_id, ()))

    def _draft(self, line: Line, stream: str) -> _Draft:
        """Return the run that a line with a request id belongs to."""
        runs = self._runs.setdefault(line.request_id, [])
        here = [run for run in runs if run.stream == stream]
        latest = here[-1] if here else None
        if latest is None or (line.kind == "start" and latest.began):
            latest = _Draft(line.request_id, len(runs) + 1, stream, deque(maxlen=self._most))
            runs.append(latest)
        return latest

    def _open_or_close(self, stream: _Stream, draft: _Draft, line: Line) -> None:
        if line.kind == "start":
            draft.began = True
        if draft.report is None and stream.open is not draft:
            stream.open = draft
            while stream.pending:
                draft.add(*stream.pending.popleft())
        if line.kind in {"end", "report"} and stream.open is draft:
            stream.open = None
