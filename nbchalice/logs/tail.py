"""A function's invocations from CloudWatch Logs: the recent ones, and those to come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from nbchalice.aws.errors import explain
from nbchalice.aws.passing import is_transient
from nbchalice.errors import AWSError, InvalidInputError, NbChaliceError
from nbchalice.logs.fetch import Reader
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.parse import Assembler, parse
from nbchalice.logs.records import LEVELS
from nbchalice.logs.when import parse_time, to_ms
from nbchalice.polling import Pace
from nbchalice.resources.base import AWS

Moment = str | float | datetime | timedelta
MOST_RECORDS = 10_000
# How far CloudWatch may lag behind with a stream (milliseconds); the local AWS writes at once.
LAG_MS, LOCAL_LAG_MS = 10_000, 1_000
# What is less is no clock that was set, but answers of two machines of AWS.
CLOCK_SET_MS = 30_000


def pace_of(aws: AWS) -> Pace:
    """Return how often a log can be read."""
    return Pace(0.05 if aws.local else 0.25)


class Tail:
    """Reads on in a function's log, call by call; an error of one call leaves it usable.

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    function_name : str
        Name of the function on AWS.
    since : Moment or None
        Where to begin (see `parse_time`). Default: now, by AWS's clock.
    most_records : int or None
        Records to keep for each invocation; the oldest go first. Default: 10,000.
    """

    def __init__(
        self, aws: AWS, function_name: str, since: Moment | None = None, *, most_records: int | None = MOST_RECORDS
    ) -> None:
        self.function_name = function_name
        self._reader = Reader(aws, function_name)
        self._assembler = Assembler(function_name, most_records)
        self._lag = LOCAL_LAG_MS if aws.local else LAG_MS
        self._start = None if since is None else to_ms(parse_time(since))
        self._offset: float | None = None  # of AWS's clock to one that nobody sets

    def poll(self) -> list[Invocation]:
        """Return the invocations that changed since the last call, as they are now.

        Raises
        ------
        AWSError
            AWS refused or could not be reached; call again later.
        """
        try:
            if self._start is None:
                self._start = self._now()
            events = list(self._reader.read(self._start))
            if back := self._set_back():
                self._start = max(0, self._start - back)
                self._assembler.move_back(back)
                events += self._reader.read(self._start)
        except Exception as error:
            raise explain(error, f"reading the log of {self.function_name}") from error
        if events:
            self._start = max(self._start, max(event.timestamp for event in events) - self._lag)
        changed = self._assembler.feed(events)
        self._assembler.forget()
        return changed

    def _set_back(self) -> int:
        """Return by how many milliseconds the clock was set back since the last look: that of the local AWS may be."""
        before, self._offset = self._offset, (self._reader.clock_ms or 0) - time.monotonic() * 1000
        back = 0.0 if before is None else before - self._offset
        return int(back) + 1000 if back > CLOCK_SET_MS else 0  # AWS tells whole seconds

    @property
    def missing(self) -> bool:
        """Whether there was no log group at the last look."""
        return self._reader.missing

    @property
    def group(self) -> str:
        """The log group that it reads."""
        return self._reader.group

    def begin(self, margin: float) -> list[Invocation]:
        """Look at what stands in the log already, from ``margin`` seconds before AWS's present, and return it.

        Raises
        ------
        AWSError
            AWS refused or could not be reached.
        """
        try:
            self._start = self._now() - int(margin * 1000)
        except Exception as error:
            raise explain(error, f"reading the log of {self.function_name}") from error
        return self.poll()

    def _now(self) -> int:
        now = int(time.time() * 1000)
        for _ in self._reader.read(now + LAG_MS):
            pass
        return (self._reader.clock_ms or now) - 1000  # AWS tells whole seconds


def recent(
    aws: AWS,
    function_name: str,
    since: Moment = "10m",
    until: Moment | None = None,
    limit: int | None = None,
    *,
    level: str | None = None,
    request_id: str | None = None,
) -> list[Invocation]:
    """Return a function's recent invocations, the first started first (CloudWatch Logs: FilterLogEvents).

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    function_name : str
        Name of the function on AWS.
    since, until : Moment or Moment or None
        ``10m``, ``2h``, ``1d``, ISO 8601, a `datetime` or `timedelta`. Default: ten minutes ago, now.
    limit : int or None
        At most so many, the last ones. Default: all.
    level : str or None
        Only records of this level and above, and invocations that have some. Default: all.
    request_id : str or None
        Only this invocation. Default: all.

    Returns
    -------
    The invocations; none where the function was never invoked or does not exist.

    Raises
    ------
    InvalidInputError
        A time or level that is none.
    AWSError
        AWS refused or could not be reached.
    """
    start, end = to_ms(parse_time(since)), None if until is None else to_ms(parse_time(until))
    level = _known_level(level)
    try:
        events = list(Reader(aws, function_name).read(start, end))
    except Exception as error:
        raise explain(error, f"reading the log of {function_name}") from None
    invocations = [i for each in parse(events, function_name) if (i := _selected(each, level, request_id))]
    return invocations[-limit:] if limit else invocations


def follow(
    aws: AWS,
    function_name: str,
    since: Moment | None = None,
    *,
    level: str | None = None,
    request_id: str | None = None,
    running: bool = False,
    stop: threading.Event | None = None,
    on_trouble: Callable[[NbChaliceError | None], None] | None = None,
) -> Iterator[Invocation]:
    """Yield a function's invocations as they end, without end; a lost network or throttling only delays them.

    Parameters
    ----------
    aws : AWS
        Where the function stands; it need not have been invoked yet.
    function_name : str
        Name of the function on AWS.
    since : Moment or None
        Where to begin, as in `recent`. Default: now.
    level, request_id : str or None
        As in `recent`.
    running : bool
        Yield an invocation at each change, also while it runs; `Invocation.key` tells which it is. Default: False.
    stop : threading.Event or None
        Ends the iterator when set. Default: none.
    on_trouble : Callable[[NbChaliceError or None], None] or None
        Called with the error when AWS cannot be read for now, or there is no log group yet, and with None when that is
        over. Default: none.

    Raises
    ------
    InvalidInputError
        A time or level that is none.
    AWSError
        AWS refused for good (no permission, expired credentials).
    """
    tail, pace, stop = Tail(aws, function_name, since), pace_of(aws), stop or threading.Event()
    level = _known_level(level)
    trouble: NbChaliceError | None = None
    while not stop.is_set():
        changed: list[Invocation] = []
        before = trouble
        try:
            changed = tail.poll()
            trouble = _no_group(tail.group) if tail.missing else None
        except NbChaliceError as error:
            if not passes(error):
                raise
            trouble = error
        if on_trouble is not None and str(trouble) != str(before):
            on_trouble(trouble)
        for each in changed:
            if (running or each.finished) and (chosen := _selected(each, level, request_id)):
                yield chosen
        if changed:
            pace.restart()
        stop.wait(pace.pause())


def _no_group(name: str) -> NbChaliceError:
    """Return what tells that there is no log group: a deploy makes it."""
    return AWSError(f"there is no log group {name} yet", "deploy the handler", code="not-deployed")


def passes(error: NbChaliceError) -> bool:
    """Whether what `Tail.poll` raised may be gone at the next call: throttling, a lost network."""
    cause = error.__cause__
    return cause is not None and (is_transient(cause) or type(cause).__name__.endswith("TimeoutError"))


def _known_level(level: str | None) -> str | None:
    if level is not None and level.upper() not in LEVELS:
        raise InvalidInputError(f"there is no log level {level!r}", f"use one of {', '.join(LEVELS)}")
    return level


def _selected(invocation: Invocation, level: str | None, request_id: str | None) -> Invocation | None:
    if request_id is not None and invocation.request_id != request_id:
        return None
    if level is None:
        return invocation
    return invocation.at_level(level) if invocation.level >= LEVELS[level.upper()] else None
