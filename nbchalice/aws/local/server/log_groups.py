"""Writes the log of functions into MiniStack's log groups, and keeps these small."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from ministack.services import cloudwatch_logs

from .function_records import function_record

MAX_LOG_EVENTS = 50_000  # kept of each log group


def log_store(group_name: str, stream_name: str, arn: str) -> Callable[[list[tuple[int, str]]], None]:
    """Return a function that adds events to a log stream, making group and stream where they are missing.

    What a function still writes when it was deleted makes no group: nobody would ever remove it.
    """

    def store(events: list[tuple[int, str]]) -> None:
        now = int(time.time() * 1000)
        groups = cloudwatch_logs._log_groups
        if group_name not in groups:
            if function_record(arn) is None:
                return
            groups[group_name] = {
                "arn": cloudwatch_logs._make_group_arn(group_name),
                "creationTime": now,
                "retentionInDays": None,
                "tags": {},
                "subscriptionFilters": {},
                "streams": {},
            }
        streams = groups[group_name]["streams"]
        if stream_name not in streams:
            streams[stream_name] = {
                "events": [],
                "uploadSequenceToken": "1",
                "creationTime": now,
                "firstEventTimestamp": None,
                "lastEventTimestamp": None,
                "lastIngestionTime": None,
            }
        # Without an id of its own, a line could not be told from the same one in the same millisecond.
        new = [
            {"timestamp": stamp, "message": text, "ingestionTime": now, "eventId": uuid.uuid4().hex}
            for stamp, text in events
        ]
        cloudwatch_logs._append_log_events(streams[stream_name], new)
        if groups[group_name].get("subscriptionFilters"):
            cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, new)

    return store


def trim_logs() -> None:
    """Drop the oldest log streams of groups that grew too long: nobody sets a retention on a local log."""
    for group in list(cloudwatch_logs._log_groups._data.values()):
        streams = group["streams"]
        total = sum(len(stream["events"]) for stream in list(streams.values()))
        names = list(streams)  # handlers add streams meanwhile
        oldest = sorted(names, key=lambda name: streams[name]["lastEventTimestamp"] or 0)
        for name in oldest[:-1]:
            if total <= MAX_LOG_EVENTS:
                break
            total -= len(streams[name]["events"])
            del streams[name]
        if total > MAX_LOG_EVENTS:
            del streams[oldest[-1]]["events"][: total - MAX_LOG_EVENTS]
