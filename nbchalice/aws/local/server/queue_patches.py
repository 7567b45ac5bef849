"""Queues that several threads change at once: calls, the poller of mappings, and its batches as they end.

MiniStack makes a queue's list of messages anew wherever one is removed. Two threads that do so at the same time undo
each other's work: what was sent meanwhile is gone, what was deleted comes back, and a dead letter is there twice. It
locks two of these places.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ministack.services import sqs

P = ParamSpec("P")
T = TypeVar("T")

# One that the thread which holds it may take again: receiving sweeps and collects.
queues_lock = threading.RLock()


def apply_queues() -> None:
    """Put the lock around all that makes a queue's messages anew."""
    sqs._queues_lock = queues_lock
    sqs._expire_retained = alone(sqs._expire_retained)
    sqs._dlq_sweep = alone(sqs._dlq_sweep)
    sqs._collect_msgs = alone(sqs._collect_msgs)
    for name in ("DeleteMessage", "DeleteMessageBatch", "PurgeQueue"):
        sqs._HANDLERS[name] = alone(sqs._HANDLERS[name])


def alone(change: Callable[P, T]) -> Callable[P, T]:
    """Let nobody else change queues meanwhile."""

    @wraps(change)
    def locked(*arguments: P.args, **options: P.kwargs) -> T:
        with queues_lock:
            return change(*arguments, **options)

    return locked
