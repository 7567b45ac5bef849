"""The time zone: Lambda's is UTC, that of this computer may be another one."""

from __future__ import annotations

import ast
import os
import time
from itertools import chain
from typing import TYPE_CHECKING

from nbchalice.notebook.capture.source_map import location_of
from nbchalice.notebook.sandbox.values import difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nbchalice.notebook.capture.slice import Slice
    from nbchalice.notebook.sandbox.values import Node

_SAME = frozenset({"UTC", "GMT"})
_ZONES = "zoneinfo/"
_WITHOUT_ZONE = {
    **dict.fromkeys(("now", "today", "astimezone", "localtime", "ctime"), 0),
    **dict.fromkeys(("fromtimestamp", "strftime"), 1),
}
"""What gives local time if it is called with so many arguments, or with fewer."""
_OF_TIME = frozenset({"localtime", "ctime", "strftime"})
"""Functions of the module time: methods of these names work with what they are called on."""
_OWNERS = frozenset({"datetime", "date", "dt", "Timestamp", "time"})


def zone_of_here() -> str:
    """Return the name of this process's time zone, or an empty text if it is UTC, as on Lambda."""
    if not time.timezone and not time.daylight and set(time.tzname) <= _SAME:
        return ""
    named = os.environ.get("TZ", "").lstrip(":")
    return (named or os.path.realpath("/etc/localtime")).rpartition(_ZONES)[2] or time.tzname[0]


def follows_zone(
    name: str, here: Mapping[str, Node], env: Mapping[str, str], ask: Callable[[], Mapping[str, Node]]
) -> bool:
    """Tell whether a variable differs only because of the time zone.

    Parameters
    ----------
    name : str
        The variable.
    here : Mapping[str, Node]
        Descriptions of the notebook's variables.
    env : Mapping[str, str]
        The function's environment variables.
    ask : Callable[[], Mapping[str, Node]]
        Loads what would be deployed in the zone of this computer, and describes its variables.
    """
    if "TZ" in env or not zone_of_here():
        return False
    there = ask().get(name)
    return there is not None and difference(here[name], there) is None


def zone_hint(name: str) -> str:
    """Say what to do about a variable that follows the time zone."""
    zone = zone_of_here()
    return (
        f"{name} follows the time zone, which is {zone} here and UTC on Lambda: say it where {name} is made, as "
        f'tzinfo=ZoneInfo("{zone}") or timezone.utc does; or give the function --env TZ={zone}'
    )


def local_time_note(piece: Slice, env: Mapping[str, str]) -> str:
    """Say where functions ask for local time, if this computer's is not Lambda's; empty if they do not.

    Parameters
    ----------
    piece : Slice
        The slice.
    env : Mapping[str, str]
        The function's environment variables.
    """
    zone = zone_of_here()
    if not zone or "TZ" in env:
        return ""
    found: dict[str, str] = {}
    for call in _calls_within(ast.parse(piece.module)):
        place = location_of(piece.segments, piece.module, call.lineno)
        found.setdefault(" ".join(ast.unparse(call).split()), f"{place.cell}, line {place.line}" if place else "")
    if not found:
        return ""
    asked = ", ".join(f"{text} ({place})" if place else text for text, place in found.items())
    return f"local time is {zone} here and UTC on Lambda: {asked}; say the zone, or give it with --env TZ={zone}"


def _calls_within(tree: ast.AST) -> Iterator[ast.Call]:
    """Give the calls for local time that functions make."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            body = function.body if isinstance(function.body, list) else [function.body]
            for node in chain.from_iterable(map(ast.walk, body)):
                if isinstance(node, ast.Call) and _is_local(node):
                    yield node


def _is_local(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name == "formatdate":
        return any(one.arg == "localtime" and ast.unparse(one.value) != "False" for one in call.keywords)
    if name == "mktime":
        return True
    most = _WITHOUT_ZONE.get(name)
    if most is None or len(call.args) > most or any(one.arg in {"tz", "t"} for one in call.keywords):
        # time.localtime(seconds) and time.ctime(seconds) are local, too.
        return name in {"localtime", "ctime"} and bool(call.args)
    owner = function.value if isinstance(function, ast.Attribute) else None
    word = getattr(owner, "attr", None) or getattr(owner, "id", "")
    if name in _OF_TIME:
        return word == "time" or owner is None
    return name == "astimezone" or (owner is not None and word in _OWNERS)
