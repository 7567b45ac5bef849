"""Where two descriptions differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbchalice.notebook.sandbox.values.nodes import Node, is_whole, text
from nbchalice.notebook.sandbox.values.rounding import is_rounding

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNCOMPARED = ("opaque", "quiet")
_ORDERED = ("dict", "OrderedDict")
LAST_DIGITS = "the last digits of its numbers"
"""What is said of a value whose numbers are rounded otherwise in the clean process, as they may be on Lambda."""
ITS_ORDER = " (its order)"
BY_CHANCE = "by chance"
"""Stands last in the description of a dictionary whose order is another one in each process: it is made of a set."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place in which two values differ.

    Parameters
    ----------
    path : str
        The way to it from the value, for example ``['x'].y``.
    here, there : Node or None
        What stands there in the one and in the other; None where there is nothing.
    reordered : bool
        Whether the two values are sequences with the same elements in another order.
    """

    path: str
    here: Node | None
    there: Node | None
    reordered: bool = False


def differ(one: Node, two: Node) -> bool:
    """Tell whether two descriptions contradict each other; what cannot be compared does not.

    Parameters
    ----------
    one, two : Node
        Descriptions made by ``describe``.
    """
    return difference(one, two) is not None


def difference(one: Node, two: Node) -> Difference | None:
    """Find what differs in two descriptions; what cannot be compared does not differ.

    Parameters
    ----------
    one, two : Node
        Descriptions made by ``describe``.

    Returns
    -------
    Difference | None: small values are given as they are, of others the part that differs.
    """
    found = _difference(one, two, "")
    if found is not None and is_whole(one) and is_whole(two):
        here, there = text(one), text(two)
        if here != there and not here.endswith("...") and not there.endswith("..."):
            found = Difference("", one, two)
    return replace(found, reordered=_is_reordered(one, two)) if found is not None else None


def is_order_of_keys(one: Node, two: Node) -> bool:
    """Tell whether the first thing in which two descriptions differ is the order of a dictionary."""
    found = _difference(one, two, "")
    return found is not None and found.path.endswith(ITS_ORDER)


def _difference(one: Node, two: Node, path: str) -> Difference | None:
    if one[0] in _UNCOMPARED or two[0] in _UNCOMPARED:
        return None
    if "again" in (one[0], two[0]):
        # [a, a] and [a, b] are unlike even if a equals b: what is done to one part is done to both, or is not.
        first = one[1] if one[0] == "again" else ""
        second = two[1] if two[0] == "again" else ""
        free = first is None or second is None or first == second
        return None if free else Difference(path, one, two)
    if one[:2] != two[:2]:
        return Difference(path, one, two)
    if one[0] == "leaf":
        return None if one[2] == two[2] or _is_rounding(one, two) else Difference(path, one, two)
    if one[0] == "kept":
        others = dict(two[2])
        found = (_difference(node, others[label], path + label) for label, node in one[2] if label in others)
        return next((difference for difference in found if difference is not None), None)
    return _items(one, two, path) if one[0] == "items" else _parts(one, two, path)


def _is_rounding(one: Node, two: Node) -> bool:
    return len(one) == len(two) == 5 and is_rounding(one[4], two[4])


def differ_in_rounding(one: Node, two: Node) -> bool:
    """Tell whether numbers in two descriptions differ in their last digits, where nothing else differs.

    Parameters
    ----------
    one, two : Node
        The descriptions.
    """
    if one == two or one[:2] != two[:2]:
        return False
    if one[0] == "leaf":
        return _is_rounding(one, two)
    if one[0] == "items":
        return any(map(differ_in_rounding, one[2], two[2]))
    if one[0] not in ("parts", "kept"):
        return False
    others = dict(two[2])
    return any(differ_in_rounding(node, others[label]) for label, node in one[2] if label in others)


def _is_reordered(one: Node, two: Node) -> bool:
    return one[0] == "items" and one[:2] == two[:2] and sorted(map(str, one[2])) == sorted(map(str, two[2]))


def _items(one: Node, two: Node, path: str) -> Difference | None:
    code = one[1] == "code"
    if len(one[2]) != len(two[2]) and not code:
        return Difference(path, one, two)
    for index, (first, second) in enumerate(zip(one[2], two[2], strict=False)):
        found = _difference(first, second, path if code else f"{path}[{index}]")
        if found is not None:
            return found
    if len(one[2]) != len(two[2]):
        longer, shorter = max(one[2], two[2], key=len), min(one[2], two[2], key=len)
        more = longer[len(shorter)]
        return Difference(path, more, None) if longer is one[2] else Difference(path, None, more)
    return None


def _parts(one: Node, two: Node, path: str) -> Difference | None:
    mine, others, library = dict(one[2]), dict(two[2]), one[3]
    # What somebody gave a name first: settings.report_to says more than settings.__pydantic_fields_set__.
    for label in sorted(dict.fromkeys([*mine, *others]), key=_is_pydantics):
        here, there = mine.get(label), others.get(label)
        if _lazy(label, library, here) or _lazy(label, library, there):
            continue
        if here is not None and there is not None:
            found = _difference(here, there, path + label)
        else:
            compared = all(node is None or node[0] not in _UNCOMPARED for node in (here, there))
            found = Difference(path + label, here, there) if compared else None
        if found is not None:
            return found
    by_chance = BY_CHANCE in (*one[4:], *two[4:])
    if list(mine) != list(others) and one[1] in _ORDERED and not by_chance:
        return Difference(f"{path}{ITS_ORDER}", _labels(one), _labels(two))
    return None


def _is_pydantics(label: str) -> bool:
    return label.startswith(".__pydantic_")


def _lazy(label: str, library: bool, node: Node | None) -> bool:
    """Tell whether a library's object keeps here, for itself, what it makes when it is first needed, or that it has."""
    return library and label.startswith("._") and (node is None or node[1] in ("NoneType", "bool"))


def _labels(node: Node) -> Node:
    return ["items", "list", [["leaf", "key", label[1:-1], label[1:-1]] for label, _ in node[2]]]


def settled(one: Node, two: Node, *, library: bool = False) -> Node:
    """Return the description of a value made twice, without what a library makes otherwise each time.

    Parameters
    ----------
    one, two : Node
        The descriptions of the value as it was made first and again, at another place.
    library : bool
        Whether it belongs to a library's object.
    """
    if one == two:
        return one
    if one[0] == two[0] == "items" and one[1] == two[1] and len(one[2]) == len(two[2]):
        return [*one[:2], [settled(a, b, library=library) for a, b in zip(one[2], two[2], strict=True)]]
    if one[0] == two[0] == "parts" and one[1] == two[1] and [label for label, _ in one[2]] == [k for k, _ in two[2]]:
        inside = library or one[3]
        pairs = zip(one[2], two[2], strict=True)
        return [*one[:2], [[label, settled(a, b, library=inside)] for (label, a), (_, b) in pairs], *one[3:]]
    if one[:2] == two[:2] and one[1] in _ORDERED and one[0] == "parts" and dict(one[2]).keys() == dict(two[2]).keys():
        others = dict(two[2])
        items = [[label, settled(item, others[label], library=library)] for label, item in one[2]]
        return [*one[:2], items, one[3], BY_CHANCE]
    if one[0] == two[0] == "kept":
        others = dict(two[2])
        # A function that is called may ask for the moment, as it will on Lambda.
        return [*one[:2], [[key, settled(item, others.get(key, item), library=True)] for key, item in one[2]], one[3]]
    return ["opaque", one[1]] if library or (one[0] == "parts" and one[3]) else one


def not_compared(one: Node, two: Node, path: str = "") -> Iterator[tuple[str, str]]:
    """Give path and type of everything that cannot be compared in two descriptions without a difference.

    Parameters
    ----------
    one, two : Node
        The descriptions.
    path : str
        The way to them.
    """
    if "quiet" in (one[0], two[0]):
        return
    for node in (one, two):
        if node[0] == "opaque":
            yield path, str(node[1])
            return
    if one[0] == two[0] == "items":
        for index, (first, second) in enumerate(zip(one[2], two[2], strict=False)):
            yield from not_compared(first, second, f"{path}[{index}]")
    elif one[0] == two[0] == "kept":
        yield from _answers_not_compared(one, two, path)
    elif one[0] == two[0] == "parts":
        others: dict[str, Node] = dict(two[2])
        inside: list[tuple[str, str]] = []
        for label, mine in one[2]:
            if label in others:
                inside += not_compared(mine, others[label], path + label)
        if BY_CHANCE in two[4:] and not two[3]:
            inside.append((path + ITS_ORDER, "another one in each process, as a set's"))
        # Where in a library's object it is says nothing to those who did not write the library.
        yield from [(path, f"{one[1]}, in part")] if one[3] and inside else inside


def _answers_not_compared(one: Node, two: Node, path: str) -> Iterator[tuple[str, str]]:
    """Give which answers of a memoized function were not compared."""
    mine, others = dict(one[2]), dict(two[2])
    for label in mine.keys() & others.keys():
        yield from not_compared(mine[label], others[label], path + label)
    apart = one[3] + len(mine.keys() ^ others.keys())
    if apart:
        yield path, f"memoized: {apart} answer{'s' if apart > 1 else ''} it keeps here"
