"""Reads the log events of a function from CloudWatch Logs, whole."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from nbchalice.logs.records import LogEvent
from nbchalice.resources.base import AWS, is_denied, is_missing
from nbchalice.resources.log_group import log_group_name
from nbchalice.typed import JSON

PAGE = 10_000
MOST_SEEN = 100_000
# Of how many days the log streams are asked for one by one; of more, all functions' lines are read, and ours kept.
MOST_DAYS = 8
# After how many seconds it is asked again to which log group a function writes.
ASK_AGAIN = 60.0
CLOCKS_APART = timedelta(minutes=15)


@dataclass(frozen=True)
class Place:
    """Where a function's log events stand.

    Parameters
    ----------
    group : str
        Name of the log group.
    function : str
        Name of the function.
    """

    group: str
    function: str

    @property
    def is_shared(self) -> bool:
        """Whether other functions may write there, too."""
        return self.group != log_group_name(self.function)

    def has(self, stream: str) -> bool:
        """Whether a log stream is the function's (Lambda: "Configuring CloudWatch log groups", names of streams)."""
        return not self.is_shared or stream.split("[", maxsplit=1)[0].endswith(f"/{self.function}")

    def prefixes(self, start: int, end: int | None) -> list[str]:
        """Return what the names of its log streams begin with that have events of a span of time; "" for all.

        ``2026/11/29/shop-dev-price[``: the day is that on which an environment began, and it may outlive the day.
        """
        if not self.is_shared:
            return [""]
        until = datetime.now(UTC) + CLOCKS_APART if end is None else datetime.fromtimestamp(end / 1000, UTC)
        first, last = datetime.fromtimestamp(start / 1000, UTC).date() - timedelta(days=1), until.date()
        days = (last - first).days + 1
        if days > MOST_DAYS:
            return [""]
        return [f"{first + timedelta(days=day):%Y/%m/%d}/{self.function}[" for day in range(days)]


def place_of(aws: AWS, function_name: str) -> Place:
    """Return where a function's log stands, as Lambda has it; in a group of its own where Lambda does not tell."""
    group = ""
    try:
        configuration: JSON = dict(aws.client("lambda").get_function_configuration(FunctionName=function_name))
        group = (configuration.get("LoggingConfig") or {}).get("LogGroup") or ""
    except Exception as error:
        if not (is_missing(error) or is_denied(error)):
            raise
    return Place(group or log_group_name(function_name), function_name)


class Reader:
    """Reads a function's log from a point in time on; each event comes once, however often it is asked for.

    Attributes: ``missing`` (whether the log group did not exist when it was read last), ``clock_ms`` (AWS's time then).

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    function_name : str
        Name of the function.
    """

    def __init__(self, aws: AWS, function_name: str) -> None:
        self._aws = aws
        self._client = aws.client("logs")
        self._function = function_name
        self._place: Place | None = None
        self._asked = 0.0
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.clock_ms: int | None = None
        self.missing = False

    def read(self, start: int, end: int | None = None) -> Iterator[LogEvent]:
        """Yield the events that were not seen before, the oldest first; none where the log group does not exist.

        Parameters
        ----------
        start, end : int or int or None
            Milliseconds since 1970; default of the end: the present.
        """
        place = self._place = self._stands()
        for prefix in place.prefixes(start, end):
            arguments: JSON = {"logGroupName": place.group, "startTime": start, "limit": PAGE}
            if end is not None:
                arguments["endTime"] = end
            if prefix:
                arguments["logStreamNamePrefix"] = prefix
            yield from (event for event in self._pages(arguments) if place.has(event.stream))

    @property
    def group(self) -> str:
        """The log group that was read last."""
        return self._place.group if self._place else log_group_name(self._function)

    def _stands(self) -> Place:
        """Return where the log stands, asked again after a while, and where there was nothing: a deploy may move it."""
        if self._place and not self.missing and time.monotonic() - self._asked < ASK_AGAIN:
            return self._place
        self._asked = time.monotonic()
        return place_of(self._aws, self._function)

    def _pages(self, arguments: JSON) -> Iterator[LogEvent]:
        while (answer := self._ask(arguments)) is not None:
            events = answer.get("events", [])
            yield from self._new(events)
            if token := answer.get("nextToken"):
                arguments["nextToken"] = token
                continue
            arguments.pop("nextToken", None)
            if len(events) < PAGE:
                return
            # The local AWS stops here without a token: go on from the last event, or past it when all bear one time.
            last = int(events[-1]["timestamp"])
            arguments["startTime"] = max(last, arguments["startTime"] + 1)

    def _ask(self, arguments: JSON) -> JSON | None:
        try:
            answer: JSON = dict(self._client.filter_log_events(**arguments))
        except Exception as error:
            if not is_missing(error):
                raise
            self._note_time(getattr(error, "response", {}))
            self.missing = True
            return None
        self._note_time(answer)
        self.missing = False
        return answer

    def _note_time(self, answer: JSON) -> None:
        headers: JSON = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        try:
            self.clock_ms = int(parsedate_to_datetime(headers["date"]).timestamp() * 1000)
        except (KeyError, TypeError, ValueError):
            pass

    def _new(self, events: list[JSON]) -> Iterator[LogEvent]:
        for raw in events:
            event = LogEvent(
                int(raw["timestamp"]),
                str(raw.get("message", "")),
                str(raw.get("logStreamName", "")),
                str(raw.get("eventId", "")),
            )
            key = event.event_id or f"{event.timestamp} {event.stream} {event.message}"
            if key not in self._seen:
                self._seen[key] = None
                yield event
        while len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
