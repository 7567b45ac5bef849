"""What a description is made of: lists that JSON can hold.

| node | meaning |
|---|---|
| ``["leaf", kind, value, shown]`` | kind and value are compared, ``shown`` is what a person sees of it |
| ``["leaf", kind, value, shown, rounded]`` | numbers, which are compared by ``rounded`` where the last digits differ |
| ``["items", kind, [node, ...]]`` | elements in their order |
| ``["parts", kind, [[label, node], ...], of_library]`` | named parts: ``.x``, ``['key']``, `` (docstring)`` |
| ``["again", path, kind]`` | the object that stands at this path, too; path None: in a library's object |
| ``["opaque", kind]`` | cannot be compared |
| ``["kept", kind, [[label, node], ...], n]`` | what was kept of calls, and of how many more: see ``answers`` |
| ``["quiet", kind]`` | not compared, and not worth telling: a library made it, for itself |
"""

from __future__ import annotations

import functools
import hashlib
import types
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from nbchalice.notebook.sandbox.values import rounding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Node: TypeAlias = "list[Any]"
OWN = frozenset({"__main__", "notebook_code"})
"""The modules that are the notebook, in the kernel and where it is proven."""
UNSHOWN = "..."
"""What is shown of a value that nobody could read."""
LONG = 200
SHOWN = 80
_BRACKETS = {"list": ("[", "]"), "tuple": ("(", ")"), "set": ("{", "}")}


class Describer(Protocol):
    """Turns a value into a node; equal nodes mean equal values, as far as can be told.

    Those who know one kind of object (arrays, streams, functions, ...) are given it for the parts of the object.

    Attributes
    ----------
    inside : int
        How many objects of libraries are around what is described at the moment.
    live : int
        How much was found that Python cannot copy: locks, files, connections.
    standing : Mapping[int, str]
        The names of variables, by the identity of what they hold.
    """

    inside: int
    live: int
    standing: Mapping[int, str]

    def describe(self, value: Any, path: str = "") -> Node:
        """Describe a value, which stands at ``path`` in the value that is asked about."""

    def parts(self, kind: str, items: Iterable[tuple[str, Any]], path: str, *, of_library: bool = False) -> Node:
        """Describe named parts."""


def leaf(kind: str, value: str, shown: str | None = None, rounded: rounding.Rounded | None = None) -> Node:
    """Return the node of something without parts."""
    node = ["leaf", kind, value, value if shown is None else shown]
    return node if rounded is None else [*node, rounded]


def plain(value: Any, kind: Any) -> Node:
    """Return the node of a value of one of Python's plain types.

    Parameters
    ----------
    value : Any
        It, or an instance of a subclass.
    kind : Any
        The plain type; its own ``repr`` counts, not that of a subclass, which may do anything.
    """
    name = type(value).__name__
    length = kind.__len__(value) if kind in (str, bytes) else 0
    if length > LONG:
        data = str.encode(value, "utf-8", "surrogatepass") if kind is str else bytes.__getitem__(value, slice(None))
        what = "a text of {} characters" if kind is str else "{} bytes"
        return leaf(name, f"{length} {digest(data)}", what.format(length))
    if kind is int and int.bit_length(value) > 4 * LONG:
        return leaf(name, hex(int(value)), f"a number of {int.bit_length(value)} bits")
    return leaf(name, kind.__repr__(value), rounded=rounding.of_number(value) if kind is float else None)


def opaque(value: object) -> Node:
    """Return the node of what cannot be compared."""
    return ["opaque", type(value).__name__]


def digest(data: Any) -> str:
    """Return a hash of bytes."""
    return hashlib.sha256(data).hexdigest()


def text(node: Node | None) -> str:
    """Return a description as a person may read it, cut after some 80 characters."""
    whole = "nothing" if node is None else _text(node)
    return whole if len(whole) <= SHOWN else whole[: SHOWN - 3] + "..."


def is_whole(node: Node) -> bool:
    """Tell whether all of a value can be read in its text."""
    if node[0] == "leaf":
        return "0x" not in node[3]
    if node[0] == "items":
        return node[1] != "code" and all(is_whole(item) for item in node[2])
    return bool(node[0] == "parts" and node[1] == "dict" and all(is_whole(item) for _, item in node[2]))


def _text(node: Node) -> str:
    kind = node[1]
    if node[0] == "leaf":
        return str(node[3])
    if node[0] == "items":
        return _list(kind, [_text(item) for item in node[2][:SHOWN]])
    if node[0] == "parts" and kind == "dict":
        return "{" + ", ".join(f"{label[1:-1]}: {_text(item)}" for label, item in node[2][:SHOWN]) + "}"
    if node[0] == "parts" and (node[3] or kind.startswith(("class ", "function "))):
        return str(kind) if " " in kind else f"<{kind}>"
    if node[0] == "parts":
        public = [(label[1:], item) for label, item in node[2] if label[:1] == "." and label[1] != "_"]
        return f"{kind}({', '.join(f'{name}={_text(item)}' for name, item in public[:SHOWN])})"
    return "..." if node[0] == "again" else f"<{kind}>"


def _list(kind: str, items: list[str]) -> str:
    if kind not in _BRACKETS or (kind == "set" and not items):
        return f"{kind}({', '.join(items)})"
    comma = "," if kind == "tuple" and len(items) == 1 else ""
    return f"{_BRACKETS[kind][0]}{', '.join(items)}{comma}{_BRACKETS[kind][1]}"


def is_only_kept(kind: type, name: str) -> bool:
    """Tell whether an attribute is a result that is only kept, as in ``series.plot``: asking gives it again.

    Parameters
    ----------
    kind : type
        A library's class.
    name : str
        The name of an attribute that an instance has of its own.
    """
    descriptor = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
    if isinstance(descriptor, functools.cached_property) or "cache" in name.lower() or "memo" in name.lower():
        return True
    kept = hasattr(type(descriptor), "__get__") and not hasattr(type(descriptor), "__set__")
    return kept and not isinstance(descriptor, types.FunctionType)
