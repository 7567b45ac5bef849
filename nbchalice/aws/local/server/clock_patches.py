"""A clock that is set back: what waits for a time must not wait as much longer, a message or a schedule for an hour."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any

from ministack.services import eventbridge, lambda_svc, scheduler, sqs

from .queue_patches import queues_lock

LEAST_SECONDS = 60.0  # that count: less is a correction, or what another computer's disk calls now
OF_MESSAGES = ("sent_at", "visible_at", "first_receive_at", "enqueued_at")


class Clock:
    """Tells how far the clock was set back since it was last asked; a computer's sleep sets it forward."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def seconds_back(self) -> float:
        """Return by how much, or 0."""
        before, self._offset = self._offset, time.time() - time.monotonic()
        return before - self._offset if before - self._offset > LEAST_SECONDS else 0.0


def move_back(seconds: float) -> None:
    """Move the times that something waits for, or is reckoned from, to where the clock is now."""
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


def reckon(times: MutableMapping[Any, Any], seconds: float, *names: object) -> None:
    """Move some times back, where they are known."""
    for name in names:
        if isinstance(times.get(name), int | float):
            times[name] -= seconds


def told(seconds: float) -> str:
    """Return what the next command says of it."""
    what = "the times of messages and schedules in the local AWS were moved along"
    return f"the clock of this computer was set back by {seconds:.0f} s: {what}; logs of before bear later times"
