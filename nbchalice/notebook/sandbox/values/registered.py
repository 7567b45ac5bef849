"""Codecs and error handlers for codecs, which a name in a text stands for."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def unregistered(named: Iterable[Iterable[str]]) -> list[tuple[str, str]]:
    """Return those of some codecs and error handlers that are not registered in this process.

    Parameters
    ----------
    named : Iterable[Iterable[str]]
        Pairs of ``encoding`` or ``errors`` and the name.
    """
    return [(kind, name) for kind, name in named if not _is_registered(kind, name)]


def _is_registered(kind: str, name: str) -> bool:
    try:
        (codecs.lookup if kind == "encoding" else codecs.lookup_error)(name)
    except (LookupError, ValueError):  # ValueError: a text that can be no name
        return False
    return True
