"""Keeps the newest log records of a stream of invocations, and says what is new since it was last asked."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import replace

from nbchalice.logs.invocation import Invocation
from nbchalice.logs.memory import level_of, memory_line, memory_words
from nbchalice.logs.records import LogRecord
from nbchalice.logs.show import MOST_SHOWN, cell_mark, error_rows, failed_line, headline, status_word
from nbchalice.text import counted
from nbchalice.typed import JSON

MOST_RECORDS = 20_000
MOST_INVOCATIONS = 2_000
MOST_AT_ONCE = 1_000
LONGEST_MESSAGE = 10_000
KEPT = 5


class Buffer:
    """A bounded buffer between a thread that reads a log and one that shows it.

    Parameters
    ----------
    most : int
        Records to keep; the oldest go first. Default: 20,000.
    """

    def __init__(self, most: int = MOST_RECORDS) -> None:
        self._lock = threading.Lock()
        self._rows: deque[tuple[str, LogRecord]] = deque(maxlen=most)
        self._heads: OrderedDict[str, JSON] = OrderedDict()
        self._counted: OrderedDict[str, int] = OrderedDict()
        self._last: OrderedDict[str, Invocation] = OrderedDict()
        self._new_rows: deque[tuple[str, LogRecord]] = deque(maxlen=MOST_AT_ONCE)
        self._new_heads: dict[str, JSON] = {}
        self._skipped = 0

    def feed(self, invocation: Invocation) -> None:
        """Take an invocation as it is now; of one that was fed before, only what is new counts."""
        key = f"{invocation.request_id}#{invocation.run}"
        with self._lock:
            total = len(invocation.records) + invocation.records_cut
            fresh = total - self._counted.get(key, 0)
            self._counted[key] = total
            self._counted.move_to_end(key)
            new = invocation.records[-fresh:] if fresh > 0 else ()
            self._rows.extend((key, record) for record in new)
            waiting = len(self._new_rows) + len(new)
            self._new_rows.extend((key, record) for record in new)
            self._skipped += waiting - len(self._new_rows)
            self._heads[key] = self._new_heads[key] = head_of(key, invocation)
            self._last[key] = replace(invocation, records=invocation.records[-MOST_SHOWN:])
            for kept, most in ((self._heads, MOST_INVOCATIONS), (self._counted, MOST_INVOCATIONS), (self._last, KEPT)):
                while len(kept) > most:
                    kept.popitem(last=False)
            while len(self._new_heads) > MOST_AT_ONCE:
                self._new_heads.pop(next(iter(self._new_heads)))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            for kept in (self._rows, self._heads, self._counted, self._last, self._new_rows, self._new_heads):
                kept.clear()
            self._skipped = 0

    def take(self) -> JSON | None:
        """Return what came since the last call, JSON-ready, or None; of very much only the newest."""
        with self._lock:
            if not self._new_heads:
                return None
            message = _message(self._new_heads, self._new_rows, self._skipped)
            self._new_rows.clear()
            self._new_heads.clear()
            self._skipped = 0
            return message

    def snapshot(self) -> JSON:
        """Return the newest of what is kept, for a view that begins; the next `take` returns what comes after."""
        with self._lock:
            rows = list(self._rows)[-MOST_AT_ONCE:]
            keys = {key for key, _ in rows} | set(list(self._heads)[-KEPT:])
            heads = {key: head for key, head in self._heads.items() if key in keys}
            self._new_rows.clear()
            self._new_heads.clear()
            self._skipped = 0
            return {**_message(heads, rows, len(self._rows) - len(rows)), "reset": True}

    def records(self) -> list[JSON]:
        """Return what is kept as dicts, the oldest first."""
        with self._lock:
            rows = list(self._rows)
        return [record.to_dict() for _, record in rows]

    def last(self) -> list[Invocation]:
        """Return the last invocations, each with its last records."""
        with self._lock:
            return list(self._last.values())


def head_of(key: str, invocation: Invocation) -> JSON:
    """Return what an invocation's headline shows; of its error each line, what is folded and where the cells are."""
    rows = list(error_rows(invocation.error, invocation.function)) if invocation.error else []
    return {
        "key": key,
        "headline": headline(invocation),
        "status": status_word(invocation),
        "started": invocation.started,
        "failed": failed_line(invocation),
        "memory": {"words": memory_words(invocation), "level": level_of(invocation), "line": memory_line(invocation)},
        "error": [row.text for row in rows],
        "folded": {str(number): list(row.folded) for number, row in enumerate(rows) if row.folded},
        "cells": {str(number): cell_mark(row.frame) for number, row in enumerate(rows) if row.frame},
    }


def _message(heads: dict[str, JSON], rows: Iterable[tuple[str, LogRecord]], skipped: int) -> JSON:
    return {
        "kind": "batch",
        "heads": list(heads.values()),
        "rows": [_row(key, record) for key, record in rows],
        "skipped": skipped,
    }


def _row(key: str, record: LogRecord) -> JSON:
    text = record.message
    if len(text) > LONGEST_MESSAGE:
        more = counted(len(text) - LONGEST_MESSAGE, "more character")
        text = f"{text[:LONGEST_MESSAGE]}… ({more} in .records)"
    row: JSON = {"key": key, "time": record.timestamp, "level": record.level, "text": text}
    if record.fields:
        row["fields"] = dict(record.fields)
    return row
