"""Values as plain data, so that those of two processes can be compared."""

from __future__ import annotations

import enum
import functools
import hashlib
import types
from collections import deque
from typing import Any

from nbchalice.notebook.knowledge import words

LONG = 200
MANY = 20_000
_DEPTH = 12
_OWN = frozenset({"__main__", "notebook_code", "builtins"})
_BY_REPR = frozenset(
    {
        "datetime",
        "decimal",
        "fractions",
        "uuid",
        "pathlib",
        "re",
        "zoneinfo",
        "ipaddress",
        "nbchalice.runtime.schedules",
    }
)
_SKIPPED = words(
    """
    __dict__ __weakref__ __module__ __doc__ __qualname__ __annotations__ __firstlineno__
    __static_attributes__ __annotate__ __annotate_func__ __annotations_cache__ __abstractmethods__
    _abc_impl __conditional_annotations__ __type_params__ __orig_bases__ __parameters__ __hash__
    __match_args__ __dataclass_fields__ __dataclass_params__
    """
)


class Describer:
    """Turns values into lists of text: equal descriptions mean equal values, as far as can be told."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self.count = 0

    def describe(self, value: Any, depth: int = 0) -> list[Any]:
        """Describe a value.

        Parameters
        ----------
        value: anything.
        depth: how deep it lies in what is described.

        Returns
        -------
        list: plain data; ``["opaque", type]`` for what cannot be compared.
        """
        self.count += 1
        if depth > _DEPTH or self.count > MANY:
            return ["opaque", "deep"]
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            return _plain(value)
        if id(value) in self.seen:
            return ["again", self.seen[id(value)]]
        self.seen[id(value)] = len(self.seen)
        for kind, method in _KINDS:
            if isinstance(value, kind):
                found: list[Any] = method(self, value, depth + 1)
                return found
        return self._instance(value, depth + 1)

    def _items(self, value: Any, depth: int) -> list[Any]:
        return [_type(value), *(self.describe(item, depth) for item in list(value))]

    def _set(self, value: Any, depth: int) -> list[Any]:
        return [_type(value), *sorted((Describer().describe(item, depth) for item in value), key=str)]

    def _mapping(self, value: Any, depth: int) -> list[Any]:
        return [_type(value), *([self.describe(k, depth), self.describe(v, depth)] for k, v in list(value.items()))]

    def _function(self, value: types.FunctionType, depth: int) -> list[Any]:
        cells = [self._cell(cell, depth) for cell in value.__closure__ or ()]
        defaults = [self.describe(value.__defaults__, depth), self.describe(value.__kwdefaults__, depth)]
        return ["function", value.__name__, _code(value.__code__), defaults, cells, self._mapping(vars(value), depth)]

    def _cell(self, cell: Any, depth: int) -> list[Any]:
        try:
            return self.describe(cell.cell_contents, depth)
        except ValueError:
            return ["empty"]

    def _class(self, value: type, depth: int) -> list[Any]:
        if value.__module__ not in _OWN or value.__module__ == "builtins":
            return ["class", f"{value.__module__}.{value.__qualname__}"]
        own = {name: item for name, item in vars(value).items() if name not in _SKIPPED}
        bases = [self.describe(base, depth) for base in value.__bases__]
        return ["class", value.__name__, bases, *([name, self.describe(item, depth)] for name, item in own.items())]

    def _wrapped(self, value: Any, depth: int) -> list[Any]:
        return [_type(value), self.describe(value.__func__, depth)]

    def _property(self, value: property, depth: int) -> list[Any]:
        return ["property", *(self.describe(one, depth) for one in (value.fget, value.fset, value.fdel))]

    def _partial(self, value: functools.partial[Any], depth: int) -> list[Any]:
        return ["partial", *(self.describe(one, depth) for one in (value.func, value.args, value.keywords))]

    def _method(self, value: types.MethodType, depth: int) -> list[Any]:
        return ["method", self.describe(value.__func__, depth), self.describe(value.__self__, depth)]

    def _module(self, value: types.ModuleType, depth: int) -> list[Any]:
        return ["module", value.__name__]

    def _enum(self, value: enum.Enum, depth: int) -> list[Any]:
        return ["enum", type(value).__name__, value.name]

    def _instance(self, value: Any, depth: int) -> list[Any]:
        kind = type(value)
        if kind.__module__ in _BY_REPR or kind.__module__.startswith("pathlib."):
            return ["value", kind.__qualname__, repr(value)]
        if kind.__module__.split(".")[0] == "numpy" and hasattr(value, "tobytes"):
            return ["array", str(value.dtype), str(value.shape), _hash(value.tobytes())]
        if kind.__module__ == "nbchalice.runtime.function":
            triggers = [[trigger.source, repr(trigger.options)] for trigger in value.triggers]
            return ["handler", value.name, self.describe(value.function, depth), triggers]
        if kind.__module__ not in _OWN:
            return ["opaque", f"{kind.__module__}.{kind.__qualname__}"]
        slots = [name for base in kind.__mro__ for name in getattr(base, "__slots__", ()) if hasattr(value, name)]
        state = {**{name: getattr(value, name) for name in slots}, **getattr(value, "__dict__", {})}
        return ["instance", kind.__name__, *([name, self.describe(item, depth)] for name, item in state.items())]


_KINDS: list[tuple[Any, Any]] = [
    (enum.Enum, Describer._enum),
    (type, Describer._class),
    (types.FunctionType, Describer._function),
    (types.ModuleType, Describer._module),
    (types.MethodType, Describer._method),
    ((staticmethod, classmethod), Describer._wrapped),
    (property, Describer._property),
    (functools.partial, Describer._partial),
    ((list, tuple, deque), Describer._items),
    ((set, frozenset), Describer._set),
    (dict, Describer._mapping),
]


def describe(value: Any) -> list[Any]:
    """Describe a value as plain data; see ``Describer.describe``."""
    try:
        return Describer().describe(value)
    except Exception as error:
        return ["opaque", type(error).__name__]


def differ(one: Any, two: Any) -> bool:
    """Tell whether two descriptions contradict each other; what is opaque in one of them does not.

    Parameters
    ----------
    one, two: descriptions made by ``describe``.
    """
    if isinstance(one, list) and isinstance(two, list):
        if "opaque" in (one[:1] + two[:1]):
            return False
        return len(one) != len(two) or any(differ(a, b) for a, b in zip(one, two, strict=True))
    return bool(one != two)


def brief(value: Any) -> str:
    """Return a short text of a value for an error."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:77] + "..."


def _plain(value: Any) -> list[Any]:
    if isinstance(value, enum.Enum):
        return ["enum", type(value).__name__, value.name]
    if isinstance(value, str | bytes) and len(value) > LONG:
        return [
            type(value).__name__,
            len(value),
            _hash(value if isinstance(value, bytes) else value.encode("utf-8", "replace")),
        ]
    return [type(value).__name__, repr(value)]


def _type(value: Any) -> str:
    return type(value).__name__


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _code(code: types.CodeType) -> str:
    """Summarize compiled code without its file name and line numbers."""
    consts = [_code(item) if isinstance(item, types.CodeType) else _constant(item) for item in code.co_consts]
    parts = [code.co_code.hex(), code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, consts]
    return _hash(repr(parts).encode())


def _constant(value: Any) -> str:
    if isinstance(value, frozenset):
        return repr(sorted(map(repr, value)))
    return repr(value)
