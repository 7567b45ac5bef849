"""What comes out otherwise when the same code runs again does not count: it is of chance, place or process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbchalice.notebook.capture.divergence import find_difference
from nbchalice.notebook.capture.set_orders import may_have_set, seeds_for
from nbchalice.notebook.sandbox.helper import FIRST_SEED
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
    anew: Callable[..., dict[str, Node]],
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
    anew : Callable[..., dict[str, Node]]
        Runs the slice in another process, of which the seed of its hashes may be given.
    """
    values = _in_other_orders(piece, here, values, anew)
    differs = find_difference(piece, here, values) is not None
    if not differs and not piece.places:
        return values
    # Is it of the code, or of the place and the moment? Run elsewhere, only the code is the same.
    others: dict[str, Node] = elsewhere().get("values", {})
    if not differs:
        return others if find_difference(piece, here, others) else values
    values = settle(piece, values, others)
    if find_difference(piece, here, values) is not None and _is_of_libraries(piece, here, values):
        # A library may keep the hash of a text, as SQLAlchemy's symbols do: that is another one in each process.
        values = settle(piece, values, anew())
    return settle_orders(piece, here, values, anew)


def _is_of_libraries(piece: Slice, here: Mapping[str, Node], values: Mapping[str, Node]) -> bool:
    """Tell whether nothing differs but what objects of libraries hold."""
    return find_difference(piece, here, settle(piece, values, here)) is None


def _in_other_orders(
    piece: Slice, here: Mapping[str, Node], values: dict[str, Node], anew: Callable[..., dict[str, Node]]
) -> dict[str, Node]:
    """Return the values as they come out where sets have another order, if they are not the notebook's there."""
    if find_difference(piece, here, values) is not None or not may_have_set(piece.module):
        return values
    for seed in seeds_for(piece.module, here):
        others = anew(seed)
        if find_difference(piece, here, others) is not None:
            return others
    return values


def follows_order(piece: Slice, name: str, values: Mapping[str, Node], anew: Callable[..., Mapping[str, Node]]) -> bool:
    """Tell whether a variable is another one where sets have another order, or texts another hash.

    Parameters
    ----------
    piece : Slice
        The slice.
    name : str
        The variable.
    values : Mapping[str, Node]
        The slice's values.
    anew : Callable[..., Mapping[str, Node]]
        As for ``settled_in_places``.
    """
    if name not in values or name in piece.marked or not may_have_set(piece.module):
        return False
    others = map(anew, [FIRST_SEED, *seeds_for(piece.module, values)])
    return any(differ(values[name], other.get(name, values[name])) for other in others)


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
