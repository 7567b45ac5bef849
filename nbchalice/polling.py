"""Waiting for what others bring about: look, pause, look again, until it is there or the time is up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Pace:
    """How long to pause between two looks: short at first, then ever longer.

    Parameters
    ----------
    shortest : float
        Seconds of the first pause. CloudWatch allows few requests a second, the local AWS any number.
    longest : float
        Seconds that no pause exceeds.
    growth : float
        How many times as long as the pause before the next one is.
    """

    shortest: float = 0.05
    longest: float = 1.0
    growth: float = 1.5
    _last: float = 0.0

    def pause(self) -> float:
        """Return the next pause, in seconds."""
        self._last = min(self._last * self.growth, self.longest) if self._last else self.shortest
        return self._last

    def restart(self) -> None:
        """Begin with the shortest pause again, because something happened."""
        self._last = 0.0


def pause_about(seconds: float) -> None:
    """Pause for about so many seconds: those who were refused together shall not ask together again."""
    time.sleep(seconds * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret


def poll(
    until: Callable[[], T], deadline: float, pace: Pace | None = None, wait: Callable[[float], object] = time.sleep
) -> T:
    """Look until what is waited for is there, and return it.

    Parameters
    ----------
    until : callable
        Looks, and returns something true when it is there.
    deadline : float
        When to give up, by ``time.monotonic()``. There is a last look at that moment, and always a first one.
    pace : Pace, optional
        The pauses between the looks.
    wait : callable, optional
        Pauses for some seconds. When it returns something true, as ``threading.Event.wait`` does for an event that is
        set, nobody looks again.

    Returns
    -------
    object
        What the last look returned: something false if the time is up, or nobody waits any more.
    """
    pace = pace or Pace()
    while True:
        answer = until()
        left = deadline - time.monotonic()
        if answer or left <= 0 or wait(min(pace.pause(), left)):
            return answer
