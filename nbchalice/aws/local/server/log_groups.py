"""Writes the log of functions into MiniStack's log groups, and keeps these small."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch_logs

from .function_records import Record, function_record

MAX_LOG_EVENTS = 50_000  # kept of each log group
making_groups = threading.Lock()
stock_create_log_group = cloudwatch_logs._create_log_group


def log_store(group_name: str, stream_name: str, arn: str) -> Callable[[list[tuple[int, str]]], None]:
    """Return a function that adds events to a log stream, making group and stream where they are missing.

    What a function still writes when it was deleted makes no group: nobody would ever remove it.
    """

    def store(events: list[tuple[int, str]]) -> None:
        now = int(time.time() * 1000)
        group = group_of_function(group_name, arn, now)
        if group is None:
            return
        stream = group["streams"].setdefault(stream_name, new_stream(now))
        # Without an id of its own, a line could not be told from the same one in the same millisecond.
        new = [
            {"timestamp": stamp, "message": text, "ingestionTime": now, "eventId": uuid.uuid4().hex}
            for stamp, text in events
        ]
        cloudwatch_logs._append_log_events(stream, new)
        if group.get("subscriptionFilters"):
            cloudwatch_logs._fanout_to_subscription_filters(group_name, stream_name, new)

    return store


def group_of_function(name: str, arn: str, now: int) -> Record | None:
    """Return a function's log group, made now if there is none; None if there is no such function.

    Two environments that start together both find no group: the one that made it last would drop the other's lines.
    """
    groups = cloudwatch_logs._log_groups
    with making_groups:
        if name not in groups:
            if function_record(arn) is None:
                return None
            groups[name] = {
                "arn": cloudwatch_logs._make_group_arn(name),
                "creationTime": now,
                "retentionInDays": None,
                "tags": {},
                "subscriptionFilters": {},
                "streams": {},
            }
        group: Record = groups[name]
        return group


def new_stream(now: int) -> Record:
    """Return a log stream without events."""
    return {
        "events": [],
        "uploadSequenceToken": "1",
        "creationTime": now,
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
        "lastIngestionTime": None,
    }


def create_log_group(settings: Record) -> Any:
    """Make a log group, unless a function just made it (``_create_log_group``)."""
    with making_groups:
        return stock_create_log_group(settings)


def apply_log_groups() -> None:
    """Put the changed part in place."""
    cloudwatch_logs._create_log_group = create_log_group


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
