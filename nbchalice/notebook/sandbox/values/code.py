"""Functions and classes: what they do, not where they stand."""

from __future__ import annotations

import abc
import linecache
import re
import sys
import types
from typing import Any

from nbchalice.notebook.analysis.known_calls import words
from nbchalice.notebook.sandbox.values.nodes import OWN, Describer, Node, digest, leaf, text

_SKIPPED = words(
    """
    __dict__ __weakref__ __module__ __doc__ __qualname__ __annotations__ __firstlineno__ __classcell__
    __static_attributes__ __slotnames__ __annotate__ __annotate_func__ __annotations_cache__ __abstractmethods__
    _abc_impl __conditional_annotations__ __type_params__ __orig_bases__ __parameters__ __hash__
    __match_args__ __dataclass_fields__ __dataclass_params__ __signature__ __classdictcell__
    """
)
_OWN_PREFIX = re.compile(rf"\b(?:{'|'.join(sorted(OWN))})\.")
_WRITTEN = (types.FunctionType, staticmethod, classmethod, property, type)

_OF_PROCESS = frozenset({"cache_token", "dispatch_cache"})
"""What ``functools.singledispatch`` keeps of the process: a counter of all registered classes, and what it found."""


def is_of_library(value: types.FunctionType) -> bool:
    """Tell whether a function is one that a library's module defines: then its name says it all."""
    module = value.__globals__.get("__name__")  # its __module__ may be that of what it wraps
    return module not in OWN and module == value.__module__ and "<" not in value.__qualname__


def describe_function(describer: Describer, value: types.FunctionType, path: str) -> Node:
    """Describe a function by its code and by all that it carries."""
    if is_of_library(value):
        return leaf("function", f"{value.__module__}.{value.__qualname__}")
    code = value.__code__
    constants = code.co_consts
    if constants and isinstance(constants[0], str) and constants[0] == value.__doc__:
        constants = (None, *constants[1:])  # told apart as docstring
    closure = zip(code.co_freevars, value.__closure__ or (), strict=False)
    unsaid = _OF_PROCESS if value.__globals__.get("__name__") == "functools" else frozenset[str]()
    held = [(f".{name}", item) for name, item in vars(value).items() if name != "__module__"]
    items = [(f" (closure {name})", cell) for name, cell in closure if name not in unsaid]
    parts = [
        *_code(describer, code, constants, path),
        [" (docstring)", describer.describe(value.__doc__)],
        [" (defaults)", describer.describe(value.__defaults__, f"{path} (defaults)")],
        [" (keyword defaults)", describer.describe(value.__kwdefaults__, f"{path} (keyword defaults)")],
        *([label, _cell(describer, cell, path + label)] for label, cell in items),
        *([label, describer.describe(item, path + label)] for label, item in held),
    ]
    return ["parts", f"function {value.__name__}", parts, False]


def _cell(describer: Describer, cell: Any, path: str) -> Node:
    try:
        return describer.describe(cell.cell_contents, path)
    except ValueError:
        return leaf("cell", "empty")


def _code(describer: Describer, code: types.CodeType, constants: tuple[Any, ...], path: str) -> list[list[Any]]:
    """Describe compiled code line by line, without its file and place; a line's text is only shown."""
    arguments = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags & 0x2AC)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return [
        [" (arguments)", leaf("arguments", repr(arguments), ", ".join(code.co_varnames) or "none")],
        [" (code)", ["items", "code", lines_of(code)]],
        [" (names)", leaf("names", repr(names), ", ".join([*code.co_names, *code.co_varnames]))],
        [" (constants)", ["items", "code", [constant(describer, item, path) for item in constants]]],
    ]


def constant(describer: Describer, value: object, path: str) -> Node:
    """Describe a constant of compiled code."""
    if isinstance(value, types.CodeType):
        return ["parts", f"function {value.co_name}", _code(describer, value, value.co_consts, path), False]
    return describer.describe(value, path)


def lines_of(code: types.CodeType) -> list[Node]:
    """Return what the lines of compiled code do, each as a hash, and how they read."""
    found: list[tuple[int, bytearray]] = []
    for start, end, line in code.co_lines():
        if line is None or (found and found[-1][0] == line):
            if found:
                found[-1][1].extend(code.co_code[start:end])
        else:
            found.append((line, bytearray(code.co_code[start:end])))
    return [leaf("line", digest(part), _line(code, line)) for line, part in found]


def _line(code: types.CodeType, line: int) -> str:
    written = linecache.getline(code.co_filename, line).strip()
    return f"`{written}`" if written else f"line {line - code.co_firstlineno + 1}"


def describe_class(describer: Describer, value: type, path: str) -> Node:
    """Describe a class of the notebook by what it holds, another one by its name."""
    if value.__module__ not in OWN and not _is_made_here(value):
        return leaf("class", f"{value.__module__}.{value.__qualname__}", f"class {value.__qualname__}")
    own = [(name, item) for name, item in list(vars(value).items()) if name not in _SKIPPED]
    parts = [[f".{name}", _attribute(describer, name, item, f"{path}.{name}")] for name, item in own]
    bases = [describer.describe(base, f"{path}.__bases__") for base in value.__bases__]
    docstring = [" (docstring)", describer.describe(_docstring(value))]
    names = sorted(f"{item.__module__}.{item.__qualname__}" for item in registered(value))
    if names:
        parts.append([" (registered)", leaf("registered", _OWN_PREFIX.sub("", ", ".join(names)))])
    return ["parts", f"class {value.__name__}", [[".__bases__", ["items", "tuple", bases]], docstring, *parts], False]


def _is_made_here(value: type) -> bool:
    """Tell whether a class is the notebook's although it bears another module's name: of what made it.

    ``type("Near", (Shape,), {})`` bears the name ``abc`` where ``Shape`` is abstract, that of its metaclass's module;
    what ``types.new_class`` makes bears the name ``types``.
    """
    makers = {type(value).__module__, "types"}
    home = sys.modules.get(value.__module__)
    return value.__module__ in makers and getattr(home, value.__qualname__, None) is None


def registered(value: type) -> list[type]:
    """Return the classes that count as subclasses of an abstract class by its method ``register``.

    Parameters
    ----------
    value : type
        The abstract class, or any other.
    """
    if "_abc_impl" not in vars(value):
        return []
    references = abc._get_dump(value)[0]  # type: ignore[attr-defined]  # nothing public tells
    return [item for reference in references if (item := reference()) is not None]


def _docstring(value: type) -> object:
    """Return a class's docstring; that of a dataclass names the module of the classes in its annotations."""
    written = vars(value).get("__doc__")
    return _OWN_PREFIX.sub("", written) if isinstance(written, str) else written


def _attribute(describer: Describer, name: str, item: object, path: str) -> Node:
    """Describe an attribute of a class; ``__x__`` that is not code is a library's own: schemas, registries, caches."""
    if name.startswith("__") and name.endswith("__") and not isinstance(item, _WRITTEN):
        before, describer.inside = describer.inside, describer.inside + 1
        node = describer.describe(item, path)
        describer.inside = before
        return node if _is_simple(node) else ["quiet", type(item).__name__]
    node = describer.describe(item, path)
    return ["quiet", node[1]] if node[0] == "opaque" and name.startswith("_") else node


def _is_simple(node: Node) -> bool:
    if node[0] == "items":
        return all(_is_simple(item) for item in node[2])
    return node[0] == "leaf" and len(text(node)) == len(node[3])


def describe_wrapped(describer: Describer, value: Any, path: str) -> Node:
    """Describe a static method or a class method."""
    return ["parts", type(value).__name__, [["", describer.describe(value.__func__, path)]], False]


def describe_property(describer: Describer, value: property, path: str) -> Node:
    """Describe a property by its functions."""
    items = [(".fget", value.fget), (".fset", value.fset), (".fdel", value.fdel)]
    return describer.parts("property", items, path)
