"""What comes out otherwise when the same code runs again does not count: it is of chance, place or process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbchalice.notebook.capture.divergence import find_difference
from nbchalice.notebook.sandbox.values import differ, is_order_of_keys, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.sandbox.values import Node

_PROCESSES = 6


def settled_in_places(
    piece: Slice,
    here: Mapping[str, Node],
    values: dict[str, Node],
    elsewhere: Callable[[], Mapping[str, Any]],
    anew: Callable[[], Mapping[str, Node]],
) -> dict[str, Node]:
    """Return the values without what is of chance, place or process; of a slice that asks for the place, both count.

    Parameters
    ----------
    piece : Slice
        The slice.
    here, values : Mapping[str, Node]
        The notebook's values, and those of the slice.
    elsewhere : Callable[[], Mapping[str, Any]]
        Runs the slice with other folders and in another region, and returns the answer.
    anew : Callable[[], Mapping[str, Node]]
        As ``ask`` of ``settle_orders``.
    """
    differs = find_difference(piece, here, values) is not None
    if not differs and not piece.places:
        return values
    # Is it of the code, or of the place and the moment? Run elsewhere, only the code is the same.
    others: dict[str, Node] = elsewhere().get("values", {})
    if not differs:
        return others if find_difference(piece, here, others) else values
    return settle_orders(piece, here, settle(piece, values, others), anew)


def settle(piece: Slice, one: Mapping[str, Node], two: Mapping[str, Node]) -> dict[str, Node]:
    """Return the values without what came out otherwise the second time; a marked one counts as a whole.

    Parameters
    ----------
    piece : Slice
        The slice.
    one, two : Mapping[str, Node]
        Descriptions of its values as they came out twice.
    """
    found = {}
    for name, node in one.items():
        other = two.get(name, node)
        chance = name in piece.marked and differ(node, other)
        found[name] = ["opaque", "by chance or place"] if chance else settled(node, other)
    return found


def settle_orders(
    piece: Slice, here: Mapping[str, Node], values: dict[str, Node], ask: Callable[[], Mapping[str, Node]]
) -> dict[str, Node]:
    """Return the values with the order of a dictionary free that is another one in each process.

    Parameters
    ----------
    piece : Slice
        The slice.
    here, values : Mapping[str, Node]
        The notebook's values, and those of the slice.
    ask : Callable[[], Mapping[str, Node]]
        Runs the slice in a new process, which puts the elements of a set in another order.
    """
    for _ in range(_PROCESSES):  # Two elements are in the same order in every second one.
        found = find_difference(piece, here, values)
        if found is None or not is_order_of_keys(here[found[0]], values[found[0]]):
            break
        values = settle(piece, values, ask())
    return values
