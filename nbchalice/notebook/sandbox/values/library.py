"""Objects of libraries: by what they say of themselves when they are copied, or by name."""

from __future__ import annotations

import re
import sys
import types
from itertools import chain
from typing import Any

from nbchalice.notebook.analysis.known_calls import STDLIB
from nbchalice.notebook.sandbox.values import content as contents
from nbchalice.notebook.sandbox.values.nodes import OWN, Describer, Node, is_only_kept, leaf, opaque

_BY_REPR = frozenset(
    {
        "datetime",
        "_datetime",
        "decimal",
        "_decimal",
        "fractions",
        "uuid",
        "pathlib",
        "pathlib._local",
        "re",
        "_sre",
        "zoneinfo",
        "ipaddress",
        "nbchalice.runtime.schedules",
    }
)
_QUIET = frozenset({"weakref", "CallableProxyType", "WeakKeyDictionary"})  # functools keeps answers in the last
_OF_THIS_PROCESS = re.compile(r"\b__main__\b|\bnotebook_code\b|0x[0-9a-fA-F]{6,}")


def is_of_this_process(value: str) -> bool:
    """Tell whether a text holds the name of the notebook's module, or an address."""
    return _OF_THIS_PROCESS.search(value) is not None


def describe(describer: Describer, value: Any, path: str) -> Node:
    """Describe an object whose class is not the notebook's."""
    kind = type(value)
    found = content(describer, value, path)
    if found is not None:
        return found
    if kind.__name__ in _QUIET:
        return ["quiet", kind.__name__]
    if kind.__module__.partition(".")[0] == "nbchalice":
        return _handler(describer, value, path)
    if isinstance(value, (types.BuiltinFunctionType, types.MethodWrapperType)):
        return _builtin(describer, value, path)
    known = vars(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else {}
    name = next((name for name, item in list(known.items()) if item is value), None)
    if name is not None:
        return leaf("object", f"{kind.__module__}.{name}")
    return _copied(describer, value, path)


def content(describer: Describer, value: object, path: str) -> Node | None:
    """Describe what an instance of a well-known class, or of a subclass of it, holds; None for others."""
    kind: Any = type(value)
    for base in kind.__mro__:
        told = base is kind or kind.__module__ in OWN
        if told and base.__module__ in _BY_REPR and base.__repr__ is not object.__repr__:
            return leaf(kind.__qualname__, base.__repr__(value))
        method = contents.KNOWN.get(f"{base.__module__}.{base.__qualname__}")
        if method is not None:
            describer.inside += 1
            try:
                return method(describer, value, path)
            except Exception:  # closed, half made, or of another version
                return opaque(value)
            finally:
                describer.inside -= 1
    return None


def _handler(describer: Describer, value: Any, path: str) -> Node:
    if type(value).__name__ != "LambdaFunction":
        return ["quiet", type(value).__name__]
    triggers = [leaf("trigger", f"{trigger.source} {trigger.options!r}") for trigger in value.triggers]
    function = describer.describe(value.function, path)
    return ["parts", f"handler {value.name}", [["", function], [" (triggers)", ["items", "list", triggers]]], False]


def _builtin(describer: Describer, value: Any, path: str) -> Node:
    owner = getattr(value, "__self__", None)
    if owner is None or isinstance(owner, (types.ModuleType, type)):
        return leaf("function", f"{getattr(owner, '__name__', None)}.{value.__name__}")
    return describer.parts(f"method {value.__name__}", [(".__self__", owner)], path)


def _copied(describer: Describer, value: object, path: str) -> Node:
    """Describe an object by what makes a copy of it; what cannot be copied, or holds such, is not compared.

    Locks, files and connections are such. The methods called are a library's: they promise to change nothing.
    """
    kind: Any = type(value)
    before = describer.live
    describer.inside += 1
    try:
        made = kind.__reduce_ex__(value, 4)
        if not isinstance(made, str):
            node = _made(describer, value, made, path)
        elif getattr(value, "__module__", None) in OWN:  # It stands for a function of the notebook, of its name.
            held = [
                (name, item) for name, item in vars(value).items() if name == "cache" or not is_only_kept(kind, name)
            ]
            node = describer.parts(kind.__name__, [(f".{name}", item) for name, item in held], path, of_library=True)
        else:
            node = leaf("object", f"{kind.__module__}.{made}")
    except Exception:
        if kind.__module__ == "itertools":  # from Python 3.14 on
            return contents.sources(describer, value, path)
        describer.live += 1
        return opaque(value)
    finally:
        describer.inside -= 1
    return opaque(value) if describer.live > before else node


def _made(describer: Describer, value: object, made: tuple[Any, ...], path: str) -> Node:
    kind = type(value)
    _, arguments, state, items, pairs = (*made, None, None, None)[:5]
    if kind.__name__ == "set_iterator":
        arguments = tuple(map(_without_order, arguments))
    # A class that is made anew from itself says nothing that its name does not.
    labelled = [(f" (part {i})", item) for i, item in enumerate(arguments or ()) if item is not kind]
    if isinstance(state, dict):
        labelled += _fields(kind, state)
    elif isinstance(state, tuple) and len(state) == 2 and all(isinstance(part, dict | None) for part in state):
        # (attributes, those in slots), either of which may be None.
        labelled += chain.from_iterable(_fields(kind, attributes) for attributes in state if attributes)
    elif state is not None:
        labelled.append((" (position)" if isinstance(state, int) else " (state)", state))
    if items is not None:
        labelled += [(f"[{i}]", item) for i, item in enumerate(items)]
    if pairs is not None:
        labelled.append((" (entries)", list(pairs)))
    return describer.parts(kind.__name__, labelled, path, of_library=True)


def _without_order(part: Any) -> Any:
    # Texts have other hashes in each process, and a set of them another order.
    return set(part) if isinstance(part, list) else part


def _fields(kind: type, state: dict[str, Any]) -> list[tuple[str, Any]]:
    # What another library keeps for itself may be made when it is first needed: see ``differences``.
    label = " (.{})" if kind.__module__.partition(".")[0] in STDLIB else ".{}"
    kept = [(str(name), item) for name, item in state.items() if not is_only_kept(kind, str(name))]
    return [((label if name.startswith("_") else ".{}").format(name), item) for name, item in kept]
