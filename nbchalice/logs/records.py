"""What a log tells, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

from nbchalice.typed import JSON, Values

LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "CRITICAL": 50, "FATAL": 50}

InvocationStatus = Literal["running", "ok", "error", "timeout", "partial", "ignored"]

UNSAID = {"run", "ids_cut", "records_cut", "result", "never_began", "attempts", "reached"}


@dataclass(frozen=True)
class LogEvent:
    """One event of CloudWatch Logs as it comes (CloudWatch Logs: FilteredLogEvent).

    Parameters
    ----------
    timestamp : int
        Milliseconds since 1970.
    message : str
        The text.
    stream : str
        Name of the log stream.
    event_id : str
        CloudWatch's id of the event, or an empty text.
    """

    timestamp: int
    message: str
    stream: str = ""
    event_id: str = ""


@dataclass(frozen=True)
class LogRecord:
    """One record that a function wrote, by `logging`, `print` or the runtime.

    Parameters
    ----------
    timestamp : int
        Milliseconds since 1970.
    level : str
        ``DEBUG``, ``INFO``, ... ; empty for what was printed.
    message : str
        The text, without level, time and request id.
    request_id : str
        The invocation's.
    stream : str
        Name of the log stream.
    logger : str or None
        Name of the logger where the log tells it (JSON format), or None.
    fields : Values or None
        What else a JSON record holds, or None.
    """

    timestamp: int
    level: str
    message: str
    request_id: str
    stream: str = ""
    logger: str | None = None
    fields: Values | None = None

    def to_dict(self) -> JSON:
        """Return the record as JSON-ready data."""
        extra = {"fields": dict(self.fields)} if self.fields else {}
        return {**{name: value for name, value in vars(self).items() if name != "fields"}, **extra}

    @property
    def severity(self) -> int:
        """The level as a number, as in `logging`; print counts as INFO."""
        return LEVELS.get(self.level, 20)


@dataclass(frozen=True)
class Frame:
    """One frame of a traceback.

    Parameters
    ----------
    cell : str or None
        What a person calls the notebook cell, for example ``cell 4``; None for a frame of a library.
    line : int
        Line in the raw cell (or in the file), counted from 1.
    function : str
        Name of the function.
    source : str or None
        The text of the line, or None.
    file : str
        The file name that Python knows, for example ``shop.ipynb#cell 4``.
    """

    cell: str | None
    line: int
    function: str
    source: str | None = None
    file: str = ""

    def to_dict(self) -> JSON:
        """Return the frame as JSON-ready data."""
        return dict(vars(self))

    def __str__(self) -> str:
        return f"{self.cell or self.file}, line {self.line}, in {self.function}"


@dataclass(frozen=True)
class InvocationError:
    """Why an invocation failed.

    Parameters
    ----------
    type : str
        Name of the exception, or Lambda's name of the failure (``Sandbox.Timedout``, ``Runtime.ExitError``).
    message : str
        What it says.
    frames : tuple[Frame, ...]
        The traceback, outermost first.
    text : str
        The error as it stands in the log.
    """

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    text: str = ""

    def to_dict(self) -> JSON:
        """Return the error as JSON-ready data."""
        return {**vars(self), "frames": [frame.to_dict() for frame in self.frames]}

    @property
    def frame(self) -> Frame | None:
        """The innermost frame of the notebook, or None."""
        return next((frame for frame in reversed(self.frames) if frame.cell), None)

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True)
class InvocationData:
    """One run of a function, as plain data (Lambda: "Understanding the REPORT line" for the numbers).

    Parameters
    ----------
    request_id : str
        Lambda's id; the retries of an asynchronous event share it.
    function : str
        The function's name.
    status : InvocationStatus
        ``running``, ``ok``, ``error``, ``timeout``, ``partial`` where some records of a batch failed, or ``ignored``
        where the function reported some that Lambda takes for handled, because the trigger did not ask.
    attempt : int or None
        1 for the first time the event was handled; None where the log does not tell.
    duration_ms, billed_ms : float or None
        Milliseconds; None while it runs.
    memory_mb, max_memory_mb : int or None
        Megabytes set and used; None while it runs.
    init_ms : float or None
        Milliseconds of the cold start, or None for a warm one.
    started : int or None
        Milliseconds since 1970 of the first line, or None.
    records : tuple[LogRecord, ...]
        What was logged.
    error : InvocationError or None
        Why it failed, or None.
    ids : tuple[str, ...]
        What it handled: message ids and the like.
    failed_ids : tuple[str, ...]
        The ids of the records that the function reported as failed.
    ignored_ids : tuple[str, ...]
        The ids of those that it reported in vain.
    run : int
        Which start with this request id it is, counted from 1.
    ids_cut : int
        How many further ids the log leaves out.
    records_cut : int
        How many records were dropped to save memory, the oldest first.
    result : object
        What the function returned where that is known (direct invocations), else None.
    attempts : tuple[int, ...]
        For each of ``ids`` how often it was delivered, where they differ; ``attempt`` is then the highest.
    reached : str
        The id of the record that the function was at when it failed, or an empty text where it is not known.
    never_began : bool
        Whether it failed before nbchalice's runtime could write what it was given, mostly while importing.
    """

    request_id: str
    function: str
    status: InvocationStatus = "running"
    attempt: int | None = None
    duration_ms: float | None = None
    billed_ms: float | None = None
    memory_mb: int | None = None
    max_memory_mb: int | None = None
    init_ms: float | None = None
    started: int | None = None
    records: tuple[LogRecord, ...] = ()
    error: InvocationError | None = None
    ids: tuple[str, ...] = ()
    failed_ids: tuple[str, ...] = ()
    run: int = 1
    ids_cut: int = 0
    records_cut: int = 0
    result: object = None
    never_began: bool = False
    ignored_ids: tuple[str, ...] = ()
    attempts: tuple[int, ...] = ()
    reached: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """What tells it from all others: request id and run."""
        return self.request_id, self.run

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self.status != "running"

    @property
    def ok(self) -> bool:
        """Whether it handled its event."""
        return self.status == "ok"

    @property
    def cold(self) -> bool:
        """Whether it was a cold start."""
        return self.init_ms is not None

    @property
    def level(self) -> int:
        """The highest severity of its records, as a number; a failure counts as ERROR."""
        failed = [40] if self.status in {"error", "timeout", "partial", "ignored"} else []
        return max([*failed, *(record.severity for record in self.records)], default=0)

    def handles(self, ids: tuple[str, ...]) -> bool:
        """Whether it handled an event that goes by one of these ids."""
        return self.request_id in ids or not set(self.ids).isdisjoint(ids)

    def at_level(self, level: str) -> Self:
        """Return it with only the records of this level and above."""
        least = LEVELS.get(level.upper(), 0)
        return replace(self, records=tuple(record for record in self.records if record.severity >= least))

    def to_dict(self) -> JSON:
        """Return it as JSON-ready data."""
        plain = {name: value for name, value in vars(self).items() if name not in UNSAID}
        lists = {
            "records": [record.to_dict() for record in self.records],
            "error": self.error.to_dict() if self.error else None,
            "ids": list(self.ids),
            "failed_ids": list(self.failed_ids),
            "ignored_ids": list(self.ignored_ids),
        }
        return {**plain, **lists, **({} if self.result is None else {"result": self.result})}
