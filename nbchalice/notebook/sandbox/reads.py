"""Which environment variables code reads while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

ALL = "*"
"""Stands for the whole environment, read as one."""
OF_THIS_COMPUTER = ", a file of this computer"
"""How the reason ends why a statement is not known that reads one."""

_current: list[dict[str, str | None]] = []


class _Recorded(os._Environ):  # type: ignore[type-arg] # generic in annotations only
    def __getitem__(self, key: str) -> str:
        value: str | None = None
        try:
            value = super().__getitem__(key)
            return value
        finally:
            _note(key, value)

    def __iter__(self) -> Iterator[str]:
        _note(ALL, None)
        return super().__iter__()

    def copy(self) -> dict[str, str]:
        _note(ALL, None)
        return super().copy()


def _note(key: str, value: str | None) -> None:
    for found in _current:
        if isinstance(key, str):
            found.setdefault(key, value)


@contextmanager
def reads() -> Iterator[dict[str, str | None]]:
    """Give a dictionary that is filled with what is read of ``os.environ``; None for what is not set."""
    os.environ.__class__ = _Recorded
    found: dict[str, str | None] = {}
    _current.append(found)
    try:
        yield found
    finally:
        # By identity: two equal dictionaries are two readers.
        _current[:] = [one for one in _current if one is not found]
