"""What changed and is not on disk yet. While that is too old, calls wait: a crash loses a second of them at most."""

from __future__ import annotations

import asyncio
import threading
import time

MOST_SECONDS = 0.7  # that a change may be unsaved before further calls wait
LOOK_SECONDS = 0.01


class Unsaved:
    """Since when there are changes that a crash would lose.

    Parameters
    ----------
    most_seconds : float
        How old they may be before calls wait.
    """

    def __init__(self, most_seconds: float = MOST_SECONDS) -> None:
        self._most_seconds = most_seconds
        self._lock = threading.Lock()
        self._since: float | None = None  # the oldest change that no save has begun to write
        self._writing: float | None = None  # the oldest one that a save writes now

    def note(self) -> None:
        """Something changes, or has changed."""
        with self._lock:
            if self._since is None:
                self._since = time.monotonic()

    def begin(self) -> None:
        """A save begins: it writes all that changed until now."""
        with self._lock:
            self._writing, self._since = self._since, None

    def end(self, *, failed: bool) -> None:
        """A save has ended; where it failed, that is told, and calls go on: nobody knows when it will work again."""
        with self._lock:
            self._writing = None
            if failed:
                self._since = time.monotonic()

    @property
    def any(self) -> bool:
        """Whether there are such changes."""
        with self._lock:
            return self._since is not None or self._writing is not None

    @property
    def waits(self) -> bool:
        """Whether there are some that no save has begun to write."""
        with self._lock:
            return self._since is not None

    def _too_old(self) -> bool:
        with self._lock:
            oldest = self._writing or self._since
        return oldest is not None and time.monotonic() - oldest > self._most_seconds

    async def room(self) -> None:
        """Wait until no change is too old."""
        while self._too_old():
            await asyncio.sleep(LOOK_SECONDS)
