"""Numbers over invocations: how many, how many failed, how long they took, what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nbchalice.logs.cost import Cost, Price, cost_of
from nbchalice.logs.invocation import Invocation
from nbchalice.typed import JSON

FAILED = {"error", "timeout", "partial"}


@dataclass(frozen=True)
class Point:
    """One finished invocation.

    Parameters
    ----------
    time : int
        Milliseconds since 1970.
    duration_ms : float or None
        Milliseconds, or None where the log tells none.
    failed : bool
        Whether it failed, or a part of its batch did.
    """

    time: int
    duration_ms: float | None
    failed: bool


@dataclass(frozen=True)
class Metrics:
    """What the invocations of a time say.

    Parameters
    ----------
    invocations, errors, cold_starts : int
        How many.
    p50_ms, p95_ms : float or None
        Durations that half, and 95 of 100, do not exceed; None without invocations.
    fullest : Invocation or None
        The one that came nearest to its memory's limit, of those since it has the limit of the last one; None where the
        log tells no memory.
    points : tuple[Point, ...]
        The finished invocations, the first started first.
    cost : Cost or None
        What they cost; None where the log does not tell.
    throttles : int or None
        How many events Lambda turned away for want of concurrency; None where that is not known.
    """

    invocations: int
    errors: int
    cold_starts: int
    p50_ms: float | None
    p95_ms: float | None
    points: tuple[Point, ...]
    fullest: Invocation | None = None
    cost: Cost | None = None
    throttles: int | None = None

    def to_dict(self) -> JSON:
        """Return the numbers as JSON-ready data."""
        numbers = {name: value for name, value in vars(self).items() if name not in {"points", "fullest", "cost"}}
        used, limit = (self.fullest.max_memory_mb, self.fullest.memory_mb) if self.fullest else (None, None)
        cost = self.cost.to_dict() if self.cost else None
        return {**numbers, "max_memory_mb": used, "memory_mb": limit, "cost": cost}


def metrics(invocations: Iterable[Invocation], price: Price | None = None, throttles: int | None = None) -> Metrics:
    """Return the numbers of the invocations that have ended (Lambda: REPORT lines).

    Parameters
    ----------
    invocations : Iterable[Invocation]
        All of the time.
    price : Price or None
        What a memory-second costs, where it is known.
    throttles : int or None
        How many events Lambda turned away, where it is known.
    """
    ended = sorted((i for i in invocations if i.finished), key=lambda i: i.started or 0)
    points = tuple(Point(i.started or 0, i.duration_ms, i.status in FAILED) for i in ended)
    durations = sorted(point.duration_ms for point in points if point.duration_ms is not None)
    return Metrics(
        len(points),
        sum(point.failed for point in points),
        sum(i.cold for i in ended),
        percentile(durations, 0.5),
        percentile(durations, 0.95),
        points,
        max(_of_the_last_size(ended), key=_fullness, default=None),
        cost_of(ended, price),
        throttles,
    )


def _of_the_last_size(ended: Sequence[Invocation]) -> list[Invocation]:
    known = [i for i in ended if i.max_memory_mb and i.memory_mb]
    return [i for i in known if i.memory_mb == known[-1].memory_mb]


def _fullness(invocation: Invocation) -> float:
    return (invocation.max_memory_mb or 0) / (invocation.memory_mb or 1)


def percentile(ordered: Sequence[float], part: float) -> float | None:
    """Return the smallest value that a part of the ordered values does not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else None
