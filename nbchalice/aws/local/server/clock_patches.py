"""A clock that is set: what waits for a time must not wait as much longer, a message or a schedule for an hour.

What was before must not be of the future, nor a message that a handler has be another's because the computer slept.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, MutableMapping
from typing import Any

from ministack.services import cloudwatch_logs, eventbridge, lambda_svc, scheduler, sqs

from .queue_patches import queues_lock

LEAST_SECONDS = 60.0  # that count: less is a correction, or what another computer's disk calls now
JUST_SECONDS = 60.0
OF_MESSAGES = ("sent_at", "visible_at", "first_receive_at", "enqueued_at")
OF_LOG_STREAMS = ("creationTime", "firstEventTimestamp", "lastEventTimestamp", "lastIngestionTime")


class Clock:
    """Notices that the clock was set, whoever looks at it first, and moves times along before anybody goes on.

    Parameters
    ----------
    set_back : Callable[[float], None]
        Called with the seconds when it was set back. Default: nothing is told.
    """

    def __init__(self, set_back: Callable[[float], None] = lambda _: None) -> None:
        self._offset = time.time() - time.monotonic()
        self._set_back, self._set_at = set_back, -JUST_SECONDS
        self._lock = threading.Lock()

    def follow(self) -> None:
        """Move the times that are kept, if the clock was set since the last look; a sleep sets it forward."""
        with self._lock:
            ahead = self.seconds_ahead()
            if ahead:
                self._set_at = time.monotonic()
            if ahead < 0:
                move_back(-ahead)
                self._set_back(-ahead)
            elif ahead:
                hold_received(ahead)

    def was_set(self) -> bool:
        """Whether it was set a moment ago: what was signed before is still on its way."""
        return time.monotonic() - self._set_at < JUST_SECONDS

    def now(self) -> float:
        """Return the seconds since 1970."""
        self.follow()
        return time.time()

    def seconds_ahead(self) -> float:
        """Return by how much it was set since the last look, below 0 if back; 0 if that is a correction only."""
        before, self._offset = self._offset, time.time() - time.monotonic()
        ahead = self._offset - before
        return ahead if abs(ahead) > LEAST_SECONDS else 0.0


def move_back(seconds: float) -> None:
    """Move the times that something waits for, or is reckoned from, to where the clock is now; and those of logs."""
    with queues_lock:
        for queue in list(sqs._queues._data.values()):
            for message in queue["messages"]:
                reckon(message, seconds, *OF_MESSAGES)
            for sent in queue["dedup_cache"].values():
                reckon(sent, seconds, "expire")
    for times in (eventbridge._rule_last_fired, scheduler._schedule_last_fired, lambda_svc._esm_backoff_until):
        reckon(times, seconds, *list(times))
    for rule in list(eventbridge._rules._data.values()):
        reckon(rule, seconds, "CreationTime")
    for schedule in list(scheduler._schedules._data.values()):
        reckon(schedule, seconds, "CreationDate")
    with cloudwatch_logs._log_events_lock:
        for group in list(cloudwatch_logs._log_groups._data.values()):
            for stream in list(group["streams"].values()):
                reckon(stream, round(seconds * 1000), *OF_LOG_STREAMS)
                for event in stream["events"]:
                    reckon(event, round(seconds * 1000), "timestamp", "ingestionTime")


def hold_received(seconds: float) -> None:
    """Leave messages with those who received them for as long as before the clock was set forward."""
    asleep = time.time() - seconds
    with queues_lock:
        for queue in list(sqs._queues._data.values()):
            for message in queue["messages"]:
                if message.get("receive_count") and message["visible_at"] > asleep:
                    reckon(message, -seconds, "visible_at")


def reckon(times: MutableMapping[Any, Any], seconds: float, *names: object) -> None:
    """Move some times back, where they are known."""
    for name in names:
        if isinstance(times.get(name), int | float):
            times[name] -= seconds


def told(seconds: float) -> str:
    """Return what the next command says of it."""
    what = "the times of messages, schedules and logs in the local AWS were moved along"
    return f"the clock of this computer was set back by {seconds:.0f} s: {what}"
