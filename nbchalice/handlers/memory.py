"""Which size of memory a function needs for what it uses."""

from __future__ import annotations

import math

NEAR = 0.9
"""The share of the limit from which on it is told."""
# The size to set leaves a fifth free, in steps of 64 MB; 10,240 MB is the most that there is (Lambda quotas).
FULL, STEP, LARGEST = 0.8, 64, 10_240
RUNTIME_MB = 40
"""What Lambda's Python takes before it loads a function's code, about."""


def size_for(used: int) -> int:
    """Return the size to set for what is used, both in MB."""
    return min(math.ceil(used / FULL / STEP) * STEP, LARGEST)


def memory_note(loaded: int, size: int) -> str:
    """Return what to say of code that needs most of its function's memory, or more, before the handler begins.

    Parameters
    ----------
    loaded : int
        Megabytes that a process took to load it; 0 where that is not known.
    size : int
        The function's memory in MB.
    """
    used = loaded + RUNTIME_MB
    if not loaded or used < NEAR * size:
        return ""
    end = ", where Lambda ends it before the handler begins" if used > size else ""
    return f"loading its code takes about {used} of {size} MB{end}; set --memory {size_for(used)}"
