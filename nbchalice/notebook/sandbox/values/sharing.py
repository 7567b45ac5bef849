"""Which variables hold the same object: a bundle has a copy of its own, and a change of one is none of the other."""

from __future__ import annotations

import warnings
from collections import deque
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

from nbchalice.notebook.sandbox.values.describe import Walk
from nbchalice.notebook.sandbox.values.nodes import OWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Shared: TypeAlias = "list[str]"
"""Two variables, and where in each the object stands: ``["a", "b", "", "['x']"]``."""
_CHANGEABLE = (list, dict, set, bytearray, deque)
_OF_LIBRARIES = frozenset({"numpy", "pandas"})


def sharing(values: Mapping[str, Any], bundled: Iterable[str]) -> list[Shared]:
    """Return which variables hold an object that can be changed, and that another one holds, too.

    Parameters
    ----------
    values : Mapping[str, Any]
        The variables.
    bundled : Iterable[str]
        Those of them that are bundled: of two, one must be.
    """
    places = {name: _places(value) for name, value in values.items()}
    of_bundles, found = set(bundled), []
    for one, other in combinations(sorted(places), 2):
        both = [key for key in places[one] if key in places[other]]
        if both and {one, other} & of_bundles:
            found.append([one, other, places[one][both[0]], places[other][both[0]]])
    return found


def _places(value: Any) -> dict[int, str]:
    """Return what can be changed in a value, by identity, with where it stands; the outermost first."""
    walk = Walk()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            walk.describe(value)
    except Exception:
        return {}
    return {id(_owner(item)): path for item, path in walk.passed() if path is not None and _can_be_changed(item)}


def _can_be_changed(item: object) -> bool:
    kind = type(item)
    if isinstance(item, type):
        return False
    return isinstance(item, _CHANGEABLE) or kind.__module__ in OWN or kind.__module__.partition(".")[0] in _OF_LIBRARIES


def _owner(item: Any) -> Any:
    """Return the array that holds the elements of a view, or the object itself."""
    while type(item).__name__ == "ndarray" and item.base is not None:
        item = item.base
    return item
