"""An event as rules see it: only its leaves count, each at its path, and what is in one list belongs together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, product

from nbchalice.patterns.operators import Rule

# Which element of which list a value is in: {(3, 0)} for the first element of the list that was met third.
Places = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Leaf:
    """A value that is neither an object nor a list, and the elements of lists it is in."""

    value: object
    places: Places


def fields_of(event: Mapping[str, object]) -> dict[str, list[Leaf]]:
    """Return the leaves of an event by path: ``{"a": {"b": 1}}`` and ``{"a.b": 1}`` have the same."""
    fields: dict[str, list[Leaf]] = {}
    lists = count()
    waiting: list[tuple[str, object, Places]] = [("", event, frozenset())]
    while waiting:
        path, value, places = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [(f"{path}.{name}" if path else str(name), one, places) for name, one in value.items()]
        elif isinstance(value, list):
            waiting += _elements(path, value, places, next(lists))
        else:
            fields.setdefault(path, []).append(Leaf(value, places))
    return fields


def _elements(path: str, values: list[object], places: Places, number: int) -> Iterator[tuple[str, object, Places]]:
    for index, value in enumerate(values):
        nested = isinstance(value, Mapping | list)
        yield path, value, places | {(number, index)} if nested else places


def passes_all(rules: Mapping[str, tuple[Rule, ...]], fields: Mapping[str, list[Leaf]]) -> bool:
    """Whether each of the paths has a leaf that passes, all in the same elements of lists.

    ``{"a": {"x": [1], "y": [2]}}`` does not match ``{"a": [{"x": 1}, {"y": 2}]}``.
    """
    together: set[Places] = {frozenset()}
    for path, alternatives in rules.items():
        leaves = fields.get(path, [])
        if not leaves and any(rule.absent for rule in alternatives):
            continue
        passing = {leaf.places for leaf in leaves if any(rule.passes(leaf.value) for rule in alternatives)}
        joined = (_joined(sofar, places) for sofar, places in product(together, passing))
        together = {places for places in joined if places is not None}
    return bool(together)


def _joined(some: Places, others: Places) -> Places | None:
    """Return two sets of places as one, or None if they contradict each other."""
    both = some | others
    return both if len(both) == len({number for number, _ in both}) else None
