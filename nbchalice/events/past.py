"""An event that came to a handler, and what became of it, as plain data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from nbchalice.events.outcome import as_own, end_of
from nbchalice.logs.invocation import Invocation
from nbchalice.runtime.event_kinds import ids_of, records_of
from nbchalice.sources import source_of
from nbchalice.typed import JSON

Origin = Literal["send", "live", "dead letter", "recorded", "log"]
UNKNOWN = "unknown"
MOST_LINES = 200
LONGEST_ID = 8
ENDED = {"ok", "error", "timeout", "partial", "ignored"}


@dataclass(frozen=True)
class Answer:
    """What a handler made of an event.

    Parameters
    ----------
    status : str
        ``ok``, ``error``, ``timeout``, ``partial`` or ``ignored``, as an invocation's; else how far it came
        (``queued``, ``running``, ``dropped``, ``taken``), or ``unknown``.
    where : str
        ``deployed`` or ``here``: which function handled it.
    duration_ms : float or None
        Milliseconds.
    error : str or None
        What it failed with, in a line.
    failed : tuple[str, ...]
        The records that it reported as failed.
    log : tuple[str, ...]
        What it logged, a record each, with the level before it.
    result : object
        What it returned, as JSON has it.
    has_result : bool
        Whether ``result`` is known: the answer to an event of a queue or the like is not.
    attempt : int or None
        Which attempt it is, counted from 1; None where that is not known.
    request_id : str
        The invocation's, or an empty text.
    """

    status: str = UNKNOWN
    where: str = "deployed"
    duration_ms: float | None = None
    error: str | None = None
    failed: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    result: object = None
    has_result: bool = False
    attempt: int | None = None
    request_id: str = ""

    @property
    def is_ended(self) -> bool:
        """Whether an invocation was seen to end."""
        return self.status in ENDED

    @property
    def has_log(self) -> bool:
        """Whether what was logged is known: a dead-letter queue tells the error alone."""
        return self.duration_ms is not None

    @classmethod
    def of(cls, invocation: Invocation, where: str) -> Answer:
        """Return what an invocation tells; what it returned is known of one that ran here."""
        return cls(
            invocation.status,
            where,
            invocation.duration_ms,
            str(invocation.error).split("\n")[0] if invocation.error else None,
            invocation.failed_ids,
            tuple(f"{one.level:5} {one.message}".strip() for one in invocation.records[-MOST_LINES:]),
            as_json(invocation.result),
            where == "here" and invocation.status != "error",
            invocation.attempt,
            invocation.request_id,
        )

    @classmethod
    def of_one(cls, invocation: Invocation, ids: Sequence[str]) -> Answer:
        """Return what the deployed function made of one event, which it was given in a batch with others."""
        answer = cls.of(as_own(invocation, ids), "deployed")
        status = "ok" if end_of(invocation, ids) == "done" else answer.status
        return replace(answer, status=status, failed=tuple(name for name in answer.failed if name in ids))

    @classmethod
    def from_dict(cls, data: JSON) -> Answer:
        """Return what `to_dict` made data of."""
        return cls(**{**data, "failed": tuple(data["failed"]), "log": tuple(data["log"])})

    def to_dict(self) -> JSON:
        """Return it as JSON-ready data."""
        return {**vars(self), "failed": list(self.failed), "log": list(self.log)}


@dataclass(frozen=True)
class PastEvent:
    """An event that came.

    Parameters
    ----------
    id : str
        The id of its first record, or of its invocation.
    at : int
        Milliseconds since 1970 when it was sent, or handled.
    origin : Origin
        Where it is known from: ``send``, ``live``, ``dead letter``, what the function ``recorded``, or its ``log``.
    function : str
        The ARN of the function that it was for.
    event : object
        The raw event, or None where it is not known.
    missing : str
        Why it is not, or an empty text.
    values : JSON
        What `send` made it of; empty where something else sent it.
    answer : Answer
        What became of it.
    ids : tuple[str, ...]
        What it goes by in an invocation, any one of them, where that is not what ``event`` tells.
    """

    id: str
    at: int
    origin: Origin
    function: str
    event: object = field(default=None, repr=False)
    missing: str = ""
    values: JSON = field(default_factory=dict)
    answer: Answer = field(default_factory=Answer)
    ids: tuple[str, ...] = ()

    @property
    def short_id(self) -> str:
        """What tells it from others in a table, and is enough to find it: the end of one that begins as all do."""
        if len(self.id) <= LONGEST_ID:
            return self.id
        return f"…{self.id[-LONGEST_ID:]}" if ":" in self.id else f"{self.id[:LONGEST_ID]}…"

    @property
    def is_known(self) -> bool:
        """Whether the event itself is known, so that it can be replayed."""
        return not self.missing

    def names(self) -> set[str]:
        """Return all that it is known by."""
        return {self.id, *(self.ids or ids_of(self.event))}

    def is_of(self, invocation: Invocation) -> bool:
        """Whether an invocation handled it, all that is in it."""
        if self.ids:
            return invocation.handles(self.ids)
        records = set(ids_of(self.event)) or {self.id}
        return records <= {invocation.request_id, *invocation.ids}

    def sent_as(self) -> list[JSON]:
        """Return the values with which `send` makes each of its records; none for a record that it cannot make."""
        if self.values:
            return [self.values]
        source = source_of(self.event)
        return [source.values_of(record) for record in records_of(self.event)]

    def texts(self) -> Iterator[str]:
        """Yield what a person knows each record by: the first field of the source's form, a message or a key."""
        names = [field.name for field in source_of(self.event).fields]
        for values in self.sent_as():
            told = next((values[name] for name in names if values.get(name)), "")
            yield told if isinstance(told, str) else _json(told)

    @classmethod
    def from_dict(cls, data: JSON) -> PastEvent:
        """Return what `to_dict` made data of."""
        return cls(**{**data, "answer": Answer.from_dict(data["answer"]), "ids": tuple(data.get("ids", ()))})

    def to_dict(self) -> JSON:
        """Return it as JSON-ready data."""
        return {**vars(self), "answer": self.answer.to_dict(), "ids": list(self.ids)}


def as_json(value: object) -> object:
    """Return a value as JSON has it; what JSON has not, as text."""
    try:
        return json.loads(json.dumps(value, default=str))
    except (TypeError, ValueError, RecursionError):  # a key that is none, a circle, too deep
        return repr(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
