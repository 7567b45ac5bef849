"""What was decided beside the analysis about a handler's slice, and what was decided before."""

from __future__ import annotations

from collections import Counter, OrderedDict
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.capture.slice import Slice


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


class _Remembered(NamedTuple):
    """A choice by what its statements say: where they stand changes with every cell that is run."""

    also: list[tuple[tuple[str, int], frozenset[str]]]
    without: list[tuple[tuple[str, int], str]]


NOTHING = Choice()
_REMEMBERED = 256
_choices: OrderedDict[tuple[str, str, str], _Remembered] = OrderedDict()
"""What was decided before, for a notebook's handler whose smallest module said the same."""


def chosen(effects: Effects, handler: str, smallest: Slice) -> Choice | None:
    """Return what a search for a handler's slice decided when its smallest slice said the same, or None."""
    known = _choices.get(_key(effects, handler, smallest))
    if known is None:
        return None
    positions = {said: position for position, said in enumerate(_said(effects))}
    also = {positions[said]: names for said, names in known.also if said in positions}
    return Choice(also, {positions[said]: why for said, why in known.without if said in positions})


def remember(effects: Effects, handler: str, smallest: Slice, choice: Choice) -> None:
    """Keep what was decided for a handler."""
    said = _said(effects)
    also = [(said[position], names) for position, names in choice.also.items()]
    without = [(said[position], why) for position, why in choice.without.items()]
    _choices[_key(effects, handler, smallest)] = _Remembered(also, without)
    while len(_choices) > _REMEMBERED:
        _choices.popitem(last=False)


def _key(effects: Effects, handler: str, smallest: Slice) -> tuple[str, str, str]:
    return effects.timeline.notebook, handler, smallest.module


def _said(effects: Effects) -> list[tuple[str, int]]:
    """Return what each statement says, with how many before it say the same."""
    counts: Counter[str] = Counter()
    said: list[tuple[str, int]] = []
    for step in effects.timeline.steps:
        said.append((step.statement.text, counts[step.statement.text]))
        counts[step.statement.text] += 1
    return said
