"""What was decided beside the analysis about a handler's slice, and what was decided before."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbchalice.notebook.effects import Effects


class Choice(NamedTuple):
    """What a search decided beside the analysis.

    Parameters
    ----------
    also : Mapping[int, frozenset[str]]
        Positions of the statements that came along, each with the names of what they change.
    without : Mapping[int, str]
        Positions of those that were left out, each with the reason.
    """

    also: Mapping[int, frozenset[str]] = MappingProxyType({})
    without: Mapping[int, str] = MappingProxyType({})


NOTHING = Choice()
_REMEMBERED = 256
_choices: OrderedDict[str, Choice] = OrderedDict()
"""What was decided before, by what the statements of the notebook say."""


def chosen(effects: Effects, handler: str) -> Choice | None:
    """Return what a search for a handler's slice decided when the notebook said the same, or None."""
    return _choices.get(_key(effects, handler))


def remember(effects: Effects, handler: str, choice: Choice) -> None:
    """Keep what was decided for a handler."""
    _choices[_key(effects, handler)] = choice
    while len(_choices) > _REMEMBERED:
        _choices.popitem(last=False)


def _key(effects: Effects, handler: str) -> str:
    said = [(step.cell.order, step.statement.head, step.statement.text) for step in effects.timeline.steps]
    return hashlib.sha256(json.dumps([effects.timeline.notebook, handler, said]).encode()).hexdigest()
