"""What became of one event that was handled in a batch with others: its own attempt, its own end, its own error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from nbchalice.logs.invocation import Invocation
from nbchalice.logs.records import InvocationError
from nbchalice.logs.tracebacks import logged
from nbchalice.text import counted

End = Literal["running", "done", "failed", "ignored"]

FAILED = {"error", "timeout"}
MOST_NAMED = 3


def end_of(invocation: Invocation, ids: Sequence[str]) -> End:
    """Return ``running``, ``done``, ``failed`` or ``ignored``, as the event that goes by these ids ended."""
    if not invocation.finished:
        return "running"
    own = set(ids)
    if invocation.status in FAILED or not own.isdisjoint(invocation.failed_ids):
        return "failed"
    return "done" if own.isdisjoint(invocation.ignored_ids) else "ignored"


def as_own(invocation: Invocation, ids: Sequence[str]) -> Invocation:
    """Return an invocation with the attempt and the error of one of its events, where they differ from the batch's.

    Parameters
    ----------
    invocation : Invocation
        What handled the batch.
    ids : Sequence[str]
        What the event goes by.
    """
    attempts = [count for name, count in zip(invocation.ids, invocation.attempts, strict=False) if name in ids]
    if attempts:
        invocation = replace(invocation, attempt=attempts[0])
    if invocation.status != "partial" and invocation.status not in FAILED:
        return invocation
    if end_of(invocation, ids) == "done":
        return replace(invocation, error=None)
    return replace(invocation, error=_own_error(invocation, ids) or invocation.error)


def batch_note(invocation: Invocation, ids: Sequence[str]) -> str | None:
    """Return what to say where it was not this event, or not for sure, that made its batch fail.

    Parameters
    ----------
    invocation : Invocation
        What handled the batch: of a source that gives each record one id.
    ids : Sequence[str]
        What the event goes by.
    """
    others = [name for name in invocation.ids if name not in ids]
    invoked_with_it = invocation.request_id in ids  # Its records may have ids of their own, as an email has.
    if invoked_with_it or not (others or invocation.ids_cut) or not invocation.finished:
        return None
    state = end_of(invocation, ids)
    if state == "done" and invocation.failed_ids:
        which = "another message" if len(invocation.failed_ids) == 1 else "other messages"
        return f"this message was handled; {which} of its batch failed (id {_named(invocation.failed_ids)})"
    if state != "failed" or invocation.reached in ids or _own_error(invocation, ids):
        return None
    if invocation.reached:
        return (
            f"the batch failed because of another message (id {invocation.reached}); this one will be delivered again"
        )
    if invocation.status in FAILED:
        count = len(invocation.ids) + invocation.ids_cut
        return f"the batch of {counted(count, 'message')} failed as a whole, and all of them will be delivered again"
    return None


def _own_error(invocation: Invocation, ids: Sequence[str]) -> InvocationError | None:
    """Return the error that `per_record` logged for one record."""
    heads = (*(f"message {name} failed" for name in ids), *(f"record {name} failed" for name in ids))
    errors = [logged(record.message) for record in invocation.records if record.message.startswith(heads)]
    return errors[-1] if errors else None


def _named(ids: Sequence[str]) -> str:
    more = len(ids) - MOST_NAMED
    return ", ".join(ids[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
