"""Reads log events from CloudWatch Logs, whole."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from nbchalice.logs.records import LogEvent
from nbchalice.resources.base import AWS, is_missing
from nbchalice.typed import JSON

PAGE = 10_000
MOST_SEEN = 100_000


class Reader:
    """Reads one log group from a point in time on; each event comes once, however often it is asked for.

    Attributes: ``missing`` (whether the log group did not exist when it was read last), ``clock_ms`` (AWS's time then).

    Parameters
    ----------
    aws : AWS
        Where the log group is.
    group : str
        Name of the log group.
    """

    def __init__(self, aws: AWS, group: str) -> None:
        self._client = aws.client("logs")
        self._group = group
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
        arguments: JSON = {"logGroupName": self._group, "startTime": start, "limit": PAGE}
        if end is not None:
            arguments["endTime"] = end
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
