"""Types of records that were edited after the handler's cell ran: its annotation holds the class of then."""

from __future__ import annotations

import enum
import re
import sys
import typing
from typing import TYPE_CHECKING, Any

from nbchalice.errors import CaptureError
from nbchalice.handlers.records import members
from nbchalice.notebook.sandbox.values import describe, difference
from nbchalice.runtime.annotations import MARKS, shape_of
from nbchalice.runtime.convert import Member, bare, name_of
from nbchalice.text import joined

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbchalice.handlers import Handler
    from nbchalice.notebook.cells import Cell


def stale_type(handler: Handler, cells: Sequence[Cell]) -> CaptureError | None:
    """Return that a handler still takes a record's type as it was, and the cells that mend it; None where it does not.

    Parameters
    ----------
    handler : Handler
        Of a kernel; of a file nothing was run, and nothing can be old.
    cells : Sequence[Cell]
        The executed cells.
    """
    function: Any = handler.python
    shape = shape_of(function) if function is not None else None
    if shape is None:
        return None
    names = function.__globals__
    for way in _classes(shape.record, ()):
        old = way[-1]
        new = _standing(old, names)
        if new is None or new is old or _is_same(old, new):
            continue
        return _stale(handler, way, cells, names)
    return None


def require_current_types(handler: Handler, cells: Sequence[Cell]) -> None:
    """Refuse a handler that takes a record's type as it was.

    Parameters
    ----------
    handler, cells : Handler or Sequence[Cell]
        As for `stale_type`.

    Raises
    ------
    CaptureError
        Names the cells to run again.
    """
    if error := stale_type(handler, cells):
        raise error


def _stale(handler: Handler, way: tuple[Any, ...], cells: Sequence[Cell], names: Mapping[str, Any]) -> CaptureError:
    """Return the error for the last class of a way, which leads through those that hold it."""
    *around, old = way
    name = old.__name__
    here = old.__module__ == names.get("__name__")
    since = f"{_maker(name, cells) or 'its cell'} was run again" if here else f"{old.__module__} was reloaded"
    inside = "".join(f" (in {one.__name__})" for one in around[-1:])
    # Who imported it by name has to do so once more.
    imported = [name] if not around and not here and names.get(name) is old else []
    holding = [one.__name__ for one in reversed(around) if _standing(one, names) is one]
    again = [_maker(one, cells) for one in (*imported, *holding)]
    own = handler.location.cell if handler.location else f"the cell of {handler.name}"
    return CaptureError(
        f"{handler.name} still takes {name}{inside} as it was before {since}",
        f"run {joined(dict.fromkeys([*filter(None, again), own]))} again",
        handler.location,
        code="stale-cell",
    )


def _classes(wanted: Any, within: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Give the classes that a type is made of, each with those that it is in."""
    wanted = bare(wanted)
    for one in typing.get_args(wanted):
        yield from _classes(one, within)
    if not isinstance(wanted, type) or wanted in within or typing.get_args(wanted):
        return
    if any(hasattr(wanted, mark) for mark in MARKS):
        yield (*within, wanted)
        for member in _members(wanted):
            yield from _classes(member.type, (*within, wanted))
        for base in wanted.__bases__:
            yield from _classes(base, (*within, wanted))
    elif issubclass(wanted, enum.Enum):
        yield (*within, wanted)


def _members(kind: Any) -> Sequence[Member]:
    try:
        return members(kind)
    except Exception:  # the classes that libraries derive theirs from have none, and types may be missing
        return []


def _standing(kind: Any, names: Mapping[str, Any]) -> Any:
    """Return the class that has a class's name now, or None."""
    module = kind.__module__
    found: Any = names if module == names.get("__name__") else vars(sys.modules.get(module, object))
    for part in kind.__qualname__.split("."):
        found = (found if hasattr(found, "get") else vars(found)).get(part)
        if found is None:
            return None
    return found if isinstance(found, type) else None


def _is_same(old: Any, new: Any) -> bool:
    """Whether a class was made again from the same text, as where a notebook's cells are run again from the top."""
    return difference(describe(old), describe(new)) is None and _told(old) == _told(new)


def _told(kind: Any) -> object:
    """Return what a class says of its fields; of those of libraries the description has not all."""
    if hasattr(kind, "model_fields"):
        return repr(kind.model_fields)
    if isinstance(kind, type) and any(hasattr(kind, mark) for mark in MARKS):
        return [(one.name, name_of(one.type), one.required, repr(one.default)) for one in _members(kind)]
    return None


def _maker(name: str, cells: Sequence[Cell]) -> str:
    """Return what the cell is called that defined or imported a name last."""
    makes = re.compile(rf"^\s*(class\s+{name}\b|{name}\s*=|.*\bimport\b.*\b{name}\b)", re.M)
    return next((cell.label for cell in reversed(cells) if makes.search(cell.source)), "")
