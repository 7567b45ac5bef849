"""Describes a value without changing it and without running code of the notebook."""

from __future__ import annotations

import enum
import functools
import time
import types
import warnings
from collections import OrderedDict, defaultdict, deque
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.sandbox.values import code, library
from nbchalice.notebook.sandbox.values.nodes import OWN, Describer, Node, digest, leaf, opaque, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

MANY = 20_000
SECONDS = 5.0
_DEPTH = 30
_LARGE = 1000
_PLAIN = (bool, int, float, complex, str, bytes)
_EXACT = frozenset({*_PLAIN, type(None)})
_SEQUENCES = (list, tuple, deque)


class Walk(Describer):
    """Goes through a value and all that it holds, once, and turns it into a node."""

    def __init__(self, standing: Mapping[int, str] = MappingProxyType({})) -> None:
        self.standing = standing
        self.inside = 0
        self.live = 0
        self._seen: dict[int, str | None] = {}
        self._kept: list[Any] = []
        self._live: set[int] = set()
        self._depth = 0
        self._count = 0
        self._end = time.monotonic() + SECONDS

    def describe(self, value: Any, path: str = "") -> Node:
        """Describe a value.

        Parameters
        ----------
        value : Any
            anything.
        path : str
            The way to it from the value that is asked about.
        """
        self._count += 1
        kind = type(value)
        if kind is types.NoneType or value is Ellipsis or value is NotImplemented:
            return leaf(kind.__name__, repr(value))
        if self._depth > _DEPTH or self._count > MANY or (self._count % 100 == 0 and time.monotonic() > self._end):
            return opaque(value)
        for base in _PLAIN:
            if issubclass(kind, base) and not issubclass(kind, enum.Enum):
                return self._plain(value, base, path)
        if id(value) in self._seen:
            self.live += id(value) in self._live
            return ["again", self._seen[id(value)], kind.__name__]
        if not issubclass(kind, (tuple, frozenset)):
            self._seen[id(value)] = None if self.inside else path
            self._kept.append(value)  # Else its address could be that of the next value.
        self._depth += 1
        before = self.live
        try:
            return self._described(value, kind, path)
        finally:
            self._depth -= 1
            if self.live > before:
                self._live.add(id(value))

    def passed(self) -> Iterator[tuple[Any, str | None]]:
        """Give what was described, each once, with the way to it; None within an object of a library."""
        for value in self._kept:
            yield value, self._seen[id(value)]

    def _described(self, value: object, kind: type, path: str) -> Node:
        for base, method in _KINDS:
            if issubclass(kind, base):
                return method(self, value, path)
        return self._own(value, kind, path) if kind.__module__ in OWN else library.describe(self, value, path)

    def parts(self, kind: str, items: Iterable[tuple[str, Any]], path: str, *, of_library: bool = False) -> Node:
        """Describe named parts."""
        return ["parts", kind, [[label, self.describe(item, path + label)] for label, item in items], of_library]

    def _plain(self, value: Any, base: type, path: str) -> Node:
        if self.inside and base is str and library.is_of_this_process(value):
            return ["quiet", "str"]
        node = plain(value, base)
        return node if type(value) is base else self._with_attributes(value, node, path)

    def _with_attributes(self, value: object, node: Node, path: str) -> Node:
        """Add what a subclass of a builtin type has beside its content."""
        own = list(attributes(value))
        if type(value).__module__ in OWN:
            own.append((".__class__", type(value)))
        if not own:
            return node
        name = type(value).__name__
        return ["parts", name, [["", node], *([k, self.describe(v, path + k)] for k, v in own)], bool(self.inside)]

    def _sequence(self, value: Any, path: str) -> Node:
        kind = type(value)
        base = next(base for base in _SEQUENCES if issubclass(kind, base))
        items = list(base.__iter__(value))
        if len(items) > _LARGE and all(type(item) in _EXACT for item in items):
            node = leaf(kind.__name__, f"{len(items)} {digest(repr(items).encode())}", f"{len(items)} elements")
        else:
            node = [
                "items",
                kind.__name__,
                [self.describe(item, f"{path}[{index}]") for index, item in enumerate(items)],
            ]
        if base is deque and value.maxlen is not None:
            node = ["parts", kind.__name__, [["", node], [".maxlen", self.describe(value.maxlen)]], False]
        return node if kind in _SEQUENCES else self._with_attributes(value, node, path)

    def _set(self, value: Any, path: str) -> Node:
        base = set if isinstance(value, set) else frozenset
        # Each element by itself: their order is another one in each process.
        items = sorted((self._apart(item) for item in base.__iter__(value)), key=str)
        node = ["items", type(value).__name__, items]
        return node if type(value) is base else self._with_attributes(value, node, path)

    def _apart(self, item: object) -> Node:
        other = Walk(self.standing)
        other.inside, other._depth, other._count, other._end = self.inside, self._depth, self._count, self._end
        node = other.describe(item)
        self._count = other._count
        self.live += other.live
        return node

    def _mapping(self, value: Any, path: str) -> Node:
        kind = type(value)
        held = OrderedDict.items(value) if issubclass(kind, OrderedDict) else dict.items(value)
        # Of the builtins that exec puts there it counts only that they are there: a kernel has more of them.
        pairs = [(key, None if type(key) is str and key == "__builtins__" else item) for key, item in held]
        if len(pairs) > _LARGE and all(type(key) in _EXACT and type(item) in _EXACT for key, item in pairs):
            node = leaf(kind.__name__, f"{len(pairs)} {digest(repr(pairs).encode())}", f"{len(pairs)} entries")
        else:
            node = ["parts", kind.__name__, [], bool(self.inside)]
            for number, (key, item) in enumerate(pairs):
                node[2] += self._entry(key, item, number, path)
        if issubclass(kind, defaultdict):
            factory = self.describe(value.default_factory, f"{path}.default_factory")
            node = ["parts", kind.__name__, [["", node], [".default_factory", factory]], bool(self.inside)]
        return node if kind in (dict, OrderedDict, defaultdict) else self._with_attributes(value, node, path)

    def _entry(self, key: object, item: object, number: int, path: str) -> list[list[Any]]:
        named = type(key) in _EXACT
        shown = plain(key, type(key)) if named and key is not None else self.describe(key)
        label = f"[{shown[3]}]" if named else f"[key {number}]"
        if named and shown[2] != shown[3]:
            label = f"[{shown[2]}]"
        found = [[label, self.describe(item, path + label)]]
        return found if named else [[f" (key {number})", shown], *found]

    def _enum(self, value: enum.Enum, path: str) -> Node:
        known = ("_value_", "_name_", "__objclass__", "_sort_order_", "name", "value")
        more = [(label, item) for label, item in attributes(value) if label[1:] not in known]
        name = f"{type(value).__name__}.{object.__getattribute__(value, '__dict__').get('_name_')}"
        return self.parts(name, [(".value", value._value_), *more], path) if more else leaf("enum", name)

    def _module(self, value: types.ModuleType, path: str) -> Node:
        name = str(vars(value).get("__name__"))
        if vars(value).get("__spec__") is not None or "__file__" in vars(value) or name in OWN:
            return leaf("module", name)
        held = [(f".{key}", item) for key, item in vars(value).items() if key == "__doc__" or key[:2] != "__"]
        return self.parts(f"module {name}", held, path)  # made by hand

    def _partial(self, value: functools.partial[Any], path: str) -> Node:
        items = [(".func", value.func), (".args", value.args), (".keywords", value.keywords), *attributes(value)]
        return self.parts("partial", items, path)

    def _method(self, value: types.MethodType, path: str) -> Node:
        return self.parts("method", [(".__func__", value.__func__), (".__self__", value.__self__)], path)

    def _own(self, value: object, kind: type, path: str) -> Node:
        """Describe an instance of a class of the notebook: what it holds, and its class."""
        node = self.parts(kind.__name__, attributes(value), path)
        content = library.content(self, value, path)
        if content is not None:
            node[2].insert(0, ["", content])
        node[2].append([".__class__", self.describe(kind, f"{path}.__class__")])
        return node


def attributes(value: object) -> list[tuple[str, Any]]:
    """Return what an instance holds in its ``__dict__`` and its slots, without asking its class for anything."""
    found: dict[str, object] = {}
    for base in reversed(type(value).__mro__):
        if base.__module__ in ("builtins", "_io", "_random") or "__slots__" not in vars(base):
            continue
        for name, slot in list(vars(base).items()):
            if isinstance(slot, types.MemberDescriptorType) and slot.__objclass__ is base:
                try:
                    found[name] = slot.__get__(value)
                except AttributeError:  # not set
                    continue
    try:
        found.update(object.__getattribute__(value, "__dict__"))
    except (AttributeError, TypeError, ValueError):
        pass
    return [(f".{name}", item) for name, item in found.items()]


_KINDS: list[tuple[Any, Callable[[Walk, Any, str], Node]]] = [
    (enum.Enum, Walk._enum),
    (type, code.describe_class),
    (types.FunctionType, code.describe_function),
    (types.ModuleType, Walk._module),
    (types.MethodType, Walk._method),
    ((staticmethod, classmethod), code.describe_wrapped),
    (property, code.describe_property),
    (functools.partial, Walk._partial),
    (_SEQUENCES, Walk._sequence),
    ((set, frozenset), Walk._set),
    (dict, Walk._mapping),
]


def describe(value: Any, standing: Mapping[int, str] = MappingProxyType({})) -> Node:
    """Describe a value as plain data that JSON can hold; see ``nodes`` for what it is made of.

    Nothing of the notebook's is called, no iterator is advanced, and size and time are bounded. What cannot be compared
    is ``["opaque", type]``.

    Parameters
    ----------
    value : Any
        anything.
    standing : Mapping[int, str]
        The names of variables, by the identity of what they hold. Default: they do not matter.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Walk(standing).describe(value)
    except Exception:
        return opaque(value)


def standing_names(values: Mapping[str, Any]) -> dict[int, str]:
    """Return the names of variables, by the identity of what they hold.

    Parameters
    ----------
    values : Mapping[str, Any]
        The variables.
    """
    return {id(value): name for name, value in values.items()}


def held_in(value: Any) -> dict[str | None, Any]:
    """Return what a value holds, by path.

    Parameters
    ----------
    value : Any
        anything.
    """
    walk = Walk()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        walk.describe(value)
    return {path: item for item, path in walk.passed()}
