"""What the notebook put into a library's module: ``json.dumps = save``, ``csv.excel.delimiter = ";"``."""

from __future__ import annotations

import functools
import re
import sys
import types
from typing import TYPE_CHECKING, Any, TypeGuard

from nbchalice.notebook.analysis.known_calls import STDLIB
from nbchalice.notebook.sandbox.unpatched import UNPATCHED
from nbchalice.notebook.sandbox.values.code import registered
from nbchalice.notebook.sandbox.values.describe import describe
from nbchalice.notebook.sandbox.values.nodes import OWN, UNSHOWN, Node, digest, leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_WITHOUT_CONSTANTS = frozenset(
    {"builtins", "os", "platform", "posix", "site", "sys", "sysconfig", "tempfile", "time", "tokenize"}
)
"""Modules whose constants tell of the computer, of the moment, or of the order of a set."""
_INSTALLED = (f"{sys.prefix}/", f"{sys.base_prefix}/")
_PACKAGES = frozenset({"site-packages", "dist-packages"})  # those of the user's own are elsewhere
_NOT_LOCAL = frozenset({"nbchalice", *OWN})
_OF_USE = frozenset({"linecache.cache", "inspect.modulesbyfile", "copyreg.dispatch_table"})
"""What grows as a module is used."""
_PLAIN = frozenset({str, int, float, bool, bytes, types.NoneType})
_BOXES = frozenset({list, tuple, set, frozenset, dict})
_OF_LIBRARIES = _PLAIN | {
    types.BuiltinFunctionType,
    types.ModuleType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    *_BOXES,
}
_CALLED = (
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, type),
    *(types.MethodDescriptorType, types.ClassMethodDescriptorType, types.WrapperDescriptorType),
)


def patched(modules: Iterable[str]) -> Iterator[list[Any]]:
    """Give what the notebook put into a library's modules, as labels and nodes, and a hash of the library's constants.

    Parameters
    ----------
    modules : Iterable[str]
        The dotted names of those that an import loads, of one library.
    """
    loaded = _loaded(modules)
    steadfast = loaded if loaded and loaded[0] in STDLIB else []
    constants: dict[str, str] = {}
    for name in sorted({*loaded, *_beside(loaded)}):
        local = is_local(sys.modules[name])
        for place, inner, value in _attributes(name):
            label = f" ({place}.{inner})"
            if local and (node := _held(value, name)) is not None:
                yield [label, node]
                continue
            if is_own(value):
                yield [label, describe(value)]
                yield [f"{label} (names it finds)", leaf("names", ", ".join(_found(value)))]
            elif isinstance(value, type) and (
                virtual := [one.__qualname__ for one in registered(value) if is_own(one)]
            ):
                yield [f" ({place}.{inner}.register())", leaf("registered", ", ".join(sorted(virtual)))]
            elif name not in steadfast:
                continue
            elif callable(value):
                if (node := _foreign(inner, value)) is not None:
                    yield [label, node]
            elif (text := _constant(inner, value, f"{place}.{inner}")) is not None:
                constants[label] = text
    if constants:
        yield [
            f" ({loaded[0]}'s constants)",
            leaf("constants", digest(repr(sorted(constants.items())).encode()), UNSHOWN),
        ]


def is_local(module: object) -> bool:
    """Tell whether a module is the user's own: a file that lies beside the notebook, or in a folder that it names.

    Parameters
    ----------
    module : object
        The module; one that loads what it is asked for is not woken.
    """
    held = getattr(module, "__dict__", {})
    origin = getattr(held.get("__spec__"), "origin", None)
    if not isinstance(origin, str) or str(held.get("__name__")).partition(".")[0] in _NOT_LOCAL:
        return False
    installed = origin.startswith(_INSTALLED) or not _PACKAGES.isdisjoint(re.split(r"[/\\]", origin))
    return origin.endswith(".py") and not installed


def _held(value: Any, module: str) -> Node | None:
    """Describe what a local module holds; None for what it only defines or imports, and what cannot be compared."""
    if isinstance(value, types.FunctionType) and value.__module__ == module:
        kept = [part for part in (value.__defaults__, value.__kwdefaults__, dict(vars(value))) if part]
        value = kept or None
    if value is None or isinstance(value, types.ModuleType | type) or callable(value) or hasattr(value, "__get__"):
        return None
    plain = plain_text(value)
    node = describe(value) if plain is None else leaf(type(value).__name__, plain, repr(value))
    return None if "opaque" in str(node) else node


def _loaded(modules: Iterable[str]) -> list[str]:
    """Return the names of modules and of the packages around them."""
    names = {}
    for module in modules:
        parts = module.split(".")
        names.update(dict.fromkeys(".".join(parts[: end + 1]) for end in range(len(parts))))
        names.update({"os.path": None} if module == "os" else {})
    return [name for name in names if isinstance(sys.modules.get(name), types.ModuleType)]


def _beside(loaded: list[str]) -> list[str]:
    """Return the names of modules of a library that may be loaded here and not elsewhere: all, or those nearby."""
    top = loaded[0] if loaded else ""
    if top in STDLIB or is_local(sys.modules.get(top)):
        return [name for name, found in list(sys.modules.items()) if name.startswith(f"{top}.") and _is_module(found)]
    found = [value for value in list(vars(sys.modules[top]).values()) if _is_module(value)] if top else []
    return [
        one.__name__ for one in found if sys.modules.get(one.__name__) is one and one.__name__.startswith(f"{top}.")
    ]


def _is_module(value: object) -> TypeGuard[types.ModuleType]:
    return isinstance(value, types.ModuleType)


def _attributes(module: str) -> Iterator[tuple[str, str, object]]:
    """Give dotted place, name and value of what a module and its classes hold."""
    for name, value in UNPATCHED.bound(sys.modules[module]).items():
        if name.startswith("__") and name.endswith("__"):
            continue
        yield module, name, value
        if isinstance(value, type) and value.__module__ not in OWN:
            for inner, item in UNPATCHED.bound(value).items():
                yield f"{module}.{name}", inner, item


def is_own(value: object) -> bool:
    """Tell whether something is the notebook's: a function, a class, an object; or holds such, as an accessor does.

    Parameters
    ----------
    value : object
        anything.
    """
    kind: Any = type(value)
    if kind in _OF_LIBRARIES:
        return False
    if kind is types.FunctionType:
        return vars(value).get("mock") is not None or value.__globals__.get("__name__") in OWN  # type: ignore[attr-defined]
    if kind.__module__ in OWN or (isinstance(value, type) and value.__module__ in OWN):
        return True
    held = _HOLDS.get(kind.__name__)
    if held is not None:
        return is_own(getattr(value, held, None))
    return any(base.__name__ == "NonCallableMock" for base in kind.__mro__)


def _found(value: Any) -> list[str]:
    """Return the names that a function of the notebook looks up and finds: there is no variable that needs them."""
    while (held := _HOLDS.get(type(value).__name__)) is not None:
        value = getattr(value, held, None)
    if not isinstance(value, types.FunctionType):
        return []
    names: set[str] = set()
    codes = [value.__code__]
    for code in codes:
        names.update(code.co_names)
        codes += [item for item in code.co_consts if isinstance(item, types.CodeType)]
    return sorted(names & value.__globals__.keys())


_HOLDS = {
    "classmethod": "__func__",
    "staticmethod": "__func__",
    "method": "__func__",
    "property": "fget",
    "cached_property": "func",
    "partial": "func",
    "CachedAccessor": "_accessor",
    "Accessor": "_accessor",
}
"""Where objects have what they stand for."""


def _foreign(name: str, value: Any) -> Node | None:
    """Describe what a standard module has to call under another name than its own, as ``math.floor = math.ceil`` does.

    What another library put there, such as a kernel ``getpass.getpass``, is not compared.
    """
    inner = value.func if isinstance(value, functools.partial) else value
    top = str(getattr(inner, "__module__", None) or "builtins").partition(".")[0]
    if top not in STDLIB:
        return ["quiet", "function"]
    if not isinstance(inner, _CALLED):
        return leaf("object", type(inner).__qualname__)
    whole = f"{top}.{inner.__qualname__}"
    if inner is not value:
        return leaf("partial", f"{whole} {plain_text((value.args, value.keywords))}")
    return leaf("function", whole) if value.__name__ != name else None


def _constant(name: str, value: object, place: str) -> str | None:
    """Return a text for what stays as it is in a standard module; None for what is no constant."""
    top = place.partition(".")[0]
    hidden = name.startswith("_") or top in _WITHOUT_CONSTANTS or place in _OF_USE
    return None if hidden else plain_text(value)


def plain_text(value: Any, depth: int = 4) -> str | None:
    """Return a text for a plain value, or a container of such; None for others.

    Parameters
    ----------
    value : Any
        anything.
    depth : int
        How many containers may be around it.
    """
    kind = type(value)
    if kind in _PLAIN:
        return repr(value)
    if kind not in _BOXES or not depth:
        return None
    pairs = list(value.items()) if kind is dict else [(item, None) for item in value]
    texts = [(plain_text(key, depth - 1), plain_text(item, depth - 1)) for key, item in pairs]
    if any(key is None or item is None for key, item in texts):
        return None
    ordered = sorted(texts, key=repr) if kind in (set, frozenset) else texts
    return f"{kind.__name__} {ordered}"
