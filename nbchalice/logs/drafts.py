"""One invocation while its log comes in: what was said, and how it ended as far as that is certain."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace

from nbchalice.logs.invocation import Invocation
from nbchalice.logs.lines import Line
from nbchalice.logs.records import InvocationError, InvocationStatus, LogEvent, LogRecord
from nbchalice.logs.tracebacks import HEADER, from_payload, last_logged, uncaught
from nbchalice.typed import JSON

NUMBERS = ("duration_ms", "billed_ms", "memory_mb", "max_memory_mb", "init_ms")
# What Lambda logs without a traceback, for example "Runtime.ImportModuleError: Unable to import module ...".
LAMBDAS_OWN = re.compile(r"(Runtime|Extension|Function|Sandbox)\.\w+: ")
FAILED = {"error", "failure"}
ENDED = {"exit", "timeout"}
MALFORMED = "MalformedBatchResponse"


@dataclass(frozen=True)
class Said:
    """One line and its place among all that came.

    Parameters
    ----------
    number : int
        Counts the lines.
    event : LogEvent
        The log event.
    line : Line
        What it says, if it is believed.
    """

    number: int
    event: LogEvent
    line: Line


@dataclass(eq=False)
class Draft:
    """An invocation of which not all is known yet.

    A handler may print anything, also what Lambda prints: a line of Lambda's form is kept as something said until it is
    known to be Lambda's. With nbchalice's runtime, markers tell where the handler begins and how it ended; their nonce
    cannot be printed by accident.

    Parameters
    ----------
    request_id, run, stream : str or int
        Which invocation it is.
    said : deque[Said]
        What was written, but for what is known to be Lambda's own.
    sure : bool
        Whether the log is known to be that of this invocation alone.
    began, closed : bool
        Whether Lambda has started and ended it.
    absorbed : bool
        Whether it was printed by another one.
    started : int or None
        Milliseconds since 1970 of the first line.
    platform : dict[str, Said]
        What Lambda and the runtime said, by kind: ``start``, ``opening`` and ``closing`` (the markers), ...
    idle : list[Said]
        Lambda's lines of no interest.
    cut : int
        How many lines were dropped to save memory.
    """

    request_id: str
    run: int
    stream: str
    said: deque[Said]
    sure: bool = False
    began: bool = False
    closed: bool = False
    absorbed: bool = False
    started: int | None = None
    platform: dict[str, Said] = field(default_factory=dict)
    idle: list[Said] = field(default_factory=list)
    cut: int = 0

    @property
    def opening(self) -> JSON | None:
        """The marker at the start of the handler."""
        return self._content("opening")

    @property
    def closing(self) -> JSON | None:
        """The marker at its end."""
        return self._content("closing")

    @property
    def nonce(self) -> str | None:
        """What the marker of its end will bear; None where there is no such marker to come."""
        return (self.opening or {}).get("nonce")

    @property
    def end(self) -> str | None:
        """``returned``, ``raised``, ``unsure``, or None where no marker told (yet)."""
        return (self.closing or {}).get("end")

    @property
    def awaits_end(self) -> bool:
        """Whether the handler runs, as far as its markers tell."""
        return self.nonce is not None and self.end is None

    @property
    def report(self) -> JSON | None:
        """The numbers of the REPORT line."""
        return self._content("report")

    def _content(self, kind: str) -> JSON | None:
        return dict(self.platform[kind].line.data) if kind in self.platform else None

    @property
    def over(self) -> bool:
        """Whether Lambda has certainly ended it: an END that only the handler's output holds does not count."""
        ended = bool(self.platform.keys() & {"end", "report"})
        return ended and (self.certain or self._last(ENDED) is not None)

    @property
    def certain(self) -> bool:
        """Whether an END now cannot be the handler's."""
        return not self.awaits_end or (self.report or {}).get("status") in {"timeout", *FAILED}

    def say(self, said: Said) -> None:
        """Take in a line that the function wrote."""
        if self.started is None:
            self.started = said.event.timestamp
        if len(self.said) == self.said.maxlen:
            self.cut += 1
        self.said.append(said)

    def tell(self, said: Said) -> None:
        """Take in a line of Lambda's; an earlier one of its kind was the function's then."""
        kind = said.line.kind
        if kind == "start" or self.started is None:
            self.started = said.event.timestamp
        if kind == "start":
            self.began = True
        self._take_back(kind)
        self.platform[kind] = said

    def absorb(self, other: Draft) -> None:
        """Take over what was taken for another invocation, but was printed by this one, or while it was imported."""
        other.absorbed = True
        self.cut += other.cut
        began = self.platform["start"].number if "start" in self.platform else 0
        idle = [said for said in other.idle if said.number > began]
        self._say_between([*other.said, *idle, *other.platform.values()])
        self.started = min(filter(None, (self.started, other.started)), default=None)

    def mark(self, said: Said) -> None:
        """Take in a marker of nbchalice's runtime."""
        content = said.line.data
        kind = "opening" if "ids" in content else "closing"
        self._take_back(kind)
        self.platform[kind] = said
        if content.get("end"):  # what seemed to be its end before was printed
            self._take_back("end", "report")

    def move_back(self, milliseconds: int) -> None:
        """Let all of it have been so much earlier: the clock was set back since."""
        self.said = deque((_earlier(one, milliseconds) for one in self.said), self.said.maxlen)
        self.platform = {kind: _earlier(one, milliseconds) for kind, one in self.platform.items()}
        self.idle = [_earlier(one, milliseconds) for one in self.idle]
        if self.started is not None:
            self.started -= milliseconds

    def _take_back(self, *kinds: str) -> None:
        self._say_between([self.platform.pop(kind) for kind in kinds if kind in self.platform])

    def _say_between(self, lines: list[Said]) -> None:
        if not lines:
            return
        both = sorted([*self.said, *lines], key=lambda said: said.number)
        most = self.said.maxlen
        self.cut += max(0, len(both) - most) if most is not None else 0
        self.said = deque(both, most)

    def freeze(self, function: str, *, final: bool = True) -> Invocation:
        """Return what is known now.

        Parameters
        ----------
        function : str
            The function's name.
        final : bool
            Whether nothing more is to come. Default: it is.
        """
        report = self.report or {}
        culprit = self._culprit()
        status = self._status(culprit, final=final)
        opening, closing = self.opening or {}, self._answer(culprit)
        records = [_record(said, self.request_id) for said in self.said if said is not culprit]
        ids = _texts(opening.get("ids"))
        return Invocation(
            self.request_id,
            function,
            status,
            _number(opening.get("attempt")) or self.run,
            **{name: report.get(name) for name in NUMBERS},
            started=self.started,
            records=tuple(sorted(records, key=lambda record: record.timestamp)),
            error=self._error(culprit, status, records),
            ids=ids,
            failed_ids=ids if closing.get("wrong") else _texts(closing.get("failed")),
            ignored_ids=_texts(closing.get("ignored")),
            run=self.run,
            ids_cut=_number(opening.get("more")) or 0,
            records_cut=self.cut,
            attempts=tuple(filter(None, map(_number, opening.get("attempts") or ()))),
            reached=str(closing.get("reached") or ""),
            never_began=self.began and self.opening is None and status in {"error", "timeout"},
        )

    def _answer(self, culprit: Said | None) -> JSON:
        """Return the marker of the end, or nothing where the process was ended before Lambda took its answer."""
        return (self.closing or {}) if culprit is None or culprit.line.kind not in ENDED else {}

    def _last(self, kinds: set[str]) -> Said | None:
        """Return the last line where it is of these kinds: nothing follows what Lambda says of an end."""
        return self.said[-1] if self.said and self._is_own(self.said[-1].line, kinds) else None

    def _is_own(self, line: Line, kinds: set[str]) -> bool:
        return line.kind in kinds and line.request_id in {"", self.request_id}

    def _culprit(self) -> Said | None:
        """Return the line that tells why it failed, of all that look so."""
        if self.end is not None:
            return self._after_end()
        if (self.awaits_end and not self.over) or (self.report or {}).get("status") == "success":
            return None
        last = self._last(ENDED)
        return last if last is not None or self.awaits_end else self._uncaught()

    def _after_end(self) -> Said | None:
        """Return what Lambda logged when the handler had ended."""
        if (self.report or {}).get("status") in {
            "timeout",
            *FAILED,
        }:  # So it tells of a process, never of an exception.
            last = self._last(ENDED)
            if last is not None and last.number > self.platform["closing"].number:
                return last
        if self.end == "raised":
            return self._raised(str((self.closing or {}).get("error")))
        return self._raised("Runtime.MarshalError") if self.end == "unsure" and self._last({"error"}) else None

    def _raised(self, kind: str) -> Said | None:
        """Return the last error of a type: Lambda logs it when the handler has ended."""
        errors = [said for said in self.said if self._is_own(said.line, {"error"}) and _type(said.line) == kind]
        return errors[-1] if errors else None

    def _uncaught(self) -> Said | None:
        """Return the last line where it is an uncaught exception, whole: so does Lambda's Python runtime log it."""
        last = self._last({"error"})
        if last is None:
            return None
        text = last.line.message
        return last if last.line.data or f"\n{HEADER}" in text or LAMBDAS_OWN.match(text) else None

    def _status(self, culprit: Said | None, *, final: bool) -> InvocationStatus:
        status = (self.report or {}).get("status")
        if status == "timeout" or (culprit and culprit.line.kind == "timeout"):
            return "timeout"
        if status in FAILED or culprit or self.end == "raised":
            return "error"
        if self.report is None or (self.awaits_end and not final):
            return "running"
        closing = self.closing or {}
        if closing.get("wrong"):
            return "error"
        if "ignored" in closing:
            return "ignored"
        return "partial" if closing.get("failed") else "ok"

    def _error(
        self, culprit: Said | None, status: InvocationStatus, records: list[LogRecord]
    ) -> InvocationError | None:
        if culprit is not None:
            return _error_of(culprit.line)
        if status in {"ok", "running", "ignored"}:
            return None
        if status == "partial":
            return last_logged(record.message for record in records if record.level == "ERROR")
        closing, report = self.closing or {}, self.report or {}
        if self.end == "raised":
            return InvocationError(str(closing.get("error")), "", text=str(closing.get("error")))
        if wrong := closing.get("wrong"):
            return malformed(str(wrong))
        kind = report.get("error_type") or ("Sandbox.Timedout" if status == "timeout" else "Error")
        return InvocationError(kind, "", text=kind)


def malformed(part: str) -> InvocationError:
    """Return what is wrong with an answer of which Lambda makes that the whole batch failed."""
    text = f"{part} in the function's answer names no record of the batch: Lambda takes the whole batch for failed"
    return InvocationError(MALFORMED, text, text=text)


def _earlier(said: Said, milliseconds: int) -> Said:
    return replace(said, event=replace(said.event, timestamp=said.event.timestamp - milliseconds))


def _record(said: Said, request_id: str) -> LogRecord:
    event, line = said.event, said.line
    if line.kind in {"record", "print"} or (line.kind == "error" and not line.data):
        data = line.data or None
        return LogRecord(event.timestamp, line.level, line.message, request_id, event.stream, line.logger, data)
    return LogRecord(event.timestamp, line.level, line.text, request_id, event.stream)


def _error_of(line: Line) -> InvocationError:
    if line.kind == "timeout":
        return InvocationError("Sandbox.Timedout", line.message, text=line.message)
    return from_payload(line.data) if line.data else uncaught(line.message)


def _type(line: Line) -> str:
    if line.data:
        return str(line.data.get("errorType"))
    return re.split(r": |\n|$", line.message, maxsplit=1)[0]


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
