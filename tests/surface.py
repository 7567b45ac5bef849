"""The public surface as plain data: names, signatures, and the shapes of JSON documents."""

from __future__ import annotations

import inspect
from typing import Any


def of_module(module: Any) -> dict[str, Any]:
    """Return each public name with its signature; of a class, also its public members."""
    found = {}
    for name in sorted(module.__all__):
        thing = getattr(module, name)
        found[name] = of_class(thing) if inspect.isclass(thing) else signature_of(thing)
    return found


def of_class(thing: type) -> dict[str, str]:
    members = {"()": signature_of(thing)}
    of_builtins = {name for base in thing.__mro__ if base.__module__ == "builtins" for name in vars(base)}
    for name in sorted(set(dir(thing)) - of_builtins):  # theirs differ between Pythons
        if not name.startswith("_"):
            member = inspect.getattr_static(thing, name)
            members[name] = "property" if isinstance(member, property) else signature_of(getattr(thing, name))
    return members


def signature_of(thing: Any) -> str:
    if not callable(thing):
        return type(thing).__name__
    try:
        return str(inspect.signature(thing))
    except ValueError:  # Some builtins have none.
        return "(...)"


SOMETIMES = {"init_ms"}
"""What depends on chance: whether an environment was warm."""


def shape(document: Any) -> Any:
    """Return a JSON document with types in place of values; a list has the shapes of its items, each once."""
    if isinstance(document, dict):
        return {key: "number or null" if key in SOMETIMES else shape(value) for key, value in document.items()}
    if isinstance(document, list):
        shapes: list[Any] = []
        for item in document:
            if shape(item) not in shapes:
                shapes.append(shape(item))
        return sorted(shapes, key=str)
    return {bool: "bool", int: "number", float: "number", str: "text", type(None): "null"}[type(document)]
