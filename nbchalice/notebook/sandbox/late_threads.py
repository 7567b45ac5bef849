"""Threads that begin as late as they may: what nobody waits for is not done yet when a module has been imported.

On Lambda a thread may be slow. Were it quick here, ``thread.start()`` without its ``thread.join()`` would be proven.
"""

from __future__ import annotations

import threading
import time
from itertools import count
from sys import settrace
from threading import Event, main_thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import types

_QUIET = 0.02
"""Seconds in which the main thread does nothing when it waits for another one."""
_MOST = 25
"""How many threads begin late: a loop may start, and wait for, thousands."""
_begun = count()


def hold_threads() -> None:
    """Let the threads that are started from now on begin when the main thread waits; without effect on macOS."""
    if hasattr(time, "pthread_getcpuclockid"):
        threading.settrace(_begin)


def _begin(frame: types.FrameType, event: str, argument: object) -> None:
    settrace(None)
    if next(_begun) >= _MOST:
        return
    clock = time.pthread_getcpuclockid(main_thread().ident or 0)
    gate, before = Event(), -1.0
    while (now := time.clock_gettime(clock)) != before:
        before = now
        gate.wait(_QUIET)
