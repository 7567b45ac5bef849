"""How near an invocation came to the limit of its memory, and which size to set."""

from __future__ import annotations

from typing import Literal

from nbchalice.handlers.memory import LARGEST, NEAR, size_for
from nbchalice.logs.records import InvocationData

MemoryLevel = Literal["", "near", "over"]


def memory_level(used: int | None, limit: int | None) -> MemoryLevel:
    """Return ``near`` from 90 % of the limit on, ``over`` above it, else an empty text.

    Parameters
    ----------
    used, limit : int or None
        Megabytes; None where the log does not tell.
    """
    if not used or not limit or used < NEAR * limit:
        return ""
    return "over" if used > limit else "near"


def level_of(invocation: InvocationData) -> MemoryLevel:
    """Return how near an invocation came; one that Lambda ended for its memory was over the limit."""
    if _was_ended(invocation):
        return "over"
    return memory_level(invocation.max_memory_mb, invocation.memory_mb)


def memory_words(invocation: InvocationData) -> str:
    """Return what was used of what, or an empty text where the log does not tell."""
    used, limit = invocation.max_memory_mb, invocation.memory_mb
    return "" if used is None or limit is None else f"{used} of {limit} MB"


def memory_line(invocation: InvocationData) -> str:
    """Return in one line what to set where memory was short, or an empty text."""
    used, limit, level = invocation.max_memory_mb, invocation.memory_mb, level_of(invocation)
    if not level or not used or not limit:
        return ""
    if _was_ended(invocation):
        return f"memory: Lambda ended the function at {limit} MB; {_to_set(2 * limit)}"
    if level == "over":
        return f"memory: {used} MB were used and {limit} are set, where Lambda ends a function; {_to_set(used)}"
    return f"memory: {used * 100 // limit} % of {limit} MB were used; {_to_set(used)}"


def _to_set(used: int) -> str:
    if used > LARGEST:
        return f"no function gets more than {LARGEST} MB, so let it hold less at once"
    return f"set --memory {size_for(used)}"


def _was_ended(invocation: InvocationData) -> bool:
    """Whether Lambda ended it for its memory; a process may also have been killed for another reason."""
    text = str(invocation.error or "")
    killed = "signal: killed" in text and memory_level(invocation.max_memory_mb, invocation.memory_mb) != ""
    return killed or "Runtime.OutOfMemory" in text
