"""What live mode of this process makes of events, for whoever sent one and follows it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from nbchalice.logs.invocation import Invocation


class HandledInProcess:
    """Hands the invocations of live mode to those who want to see them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watching: dict[str, list[deque[Invocation]]] = {}

    def add(self, function: str, invocation: Invocation) -> None:
        """Tell those who watch a function what became of an event."""
        with self._lock:
            for seen in self._watching.get(function, []):
                seen.append(invocation)

    @contextmanager
    def watch(self, function: str) -> Iterator[deque[Invocation]]:
        """Give what fills with the function's invocations here, for the reader to take out."""
        seen: deque[Invocation] = deque()
        with self._lock:
            self._watching.setdefault(function, []).append(seen)
        try:
            yield seen
        finally:
            with self._lock:
                self._watching[function] = [one for one in self._watching[function] if one is not seen]


HERE = HandledInProcess()
