"""Which packages are on Lambda, and which of those that are installed here only the code cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class OnLambda:
    """The packages that a function has.

    Parameters
    ----------
    packages : frozenset[str]
        Their names. Default: none.
    lacking : Callable[[Sequence[str]], Mapping[str, Sequence[str]]]
        Gives, of what was loaded (`sandbox.loads`), what is of other packages, each with all that comes along with it.
        Default: nothing.
    state : object
        What changes when something is installed here. Default: nothing.
    """

    packages: frozenset[str] = frozenset()
    lacking: Callable[[Sequence[str]], Mapping[str, Sequence[str]]] = lambda loaded: {}
    state: object = None


def indispensable(names: Sequence[str], differs: Callable[[Sequence[str]], bool]) -> list[str]:
    """Return a few of some names, with which alone all is as with every one of them.

    Parameters
    ----------
    names : Sequence[str]
        The names. Of several of which one will do, it is the first.
    differs : Callable[[Sequence[str]], bool]
        Tells whether something is otherwise without some names.
    """
    found: list[str] = []
    rest = list(names)
    while rest and differs(rest):
        found += _within(rest, (), differs)
        rest = [name for name in names if name not in found]
    return [name for name in names if name in found]


def _within(names: Sequence[str], without: Sequence[str], differs: Callable[[Sequence[str]], bool]) -> list[str]:
    """Return the names that are needed, where others are gone and it is known that one of these is."""
    if len(names) == 1:
        return list(names)
    half = len(names) // 2
    left, right = names[:half], names[half:]
    in_left, in_right = differs([*without, *left]), differs([*without, *right])
    if not in_left and not in_right:
        return _within(left, [*without, *right], differs)
    return [
        *(_within(left, without, differs) if in_left else ()),
        *(_within(right, without, differs) if in_right else ()),
    ]
