"""One expression computed of what its parts are, if it only puts texts, numbers and paths together."""

from __future__ import annotations

import ast
import operator
import posixpath
import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Known = str | int | float | PurePosixPath | list[Any] | dict[Any, Any]
COMPOSED = ast.BinOp | ast.JoinedStr | ast.Call | ast.Subscript

_KNOWN = (str, int, float, PurePosixPath, list, dict)
_LARGEST = 10_000
_LONGEST = 500
_WIDE = re.compile(r"%[^%A-Za-z]*\d{4}|:[^}]*(?:\d{4}|\{)")
"""A width in a format, such as ``"%9999d"``, that would make a text longer than any path."""
_OPERATORS: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Mod: operator.mod,
    ast.Div: operator.truediv,
}
_SHOWN: dict[int, Callable[[object], str]] = {ord("s"): str, ord("r"): repr, ord("a"): ascii}
_PATH_PARTS = frozenset({"parent", "stem", "name", "suffix"})
_HERE = frozenset({"getcwd", "cwd"})
_SAME = frozenset({"resolve", "absolute", "expanduser"})
_PATHS = dict.fromkeys(["Path", "PosixPath", "PurePath", "PurePosixPath"], PurePosixPath)
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **_PATHS,
    "join": posixpath.join,
    "normpath": posixpath.normpath,
    "abspath": posixpath.normpath,
    "dirname": posixpath.dirname,
    "basename": posixpath.basename,
    "str": str,
    "fspath": str,
    "range": range,
    "list": list,
    "sorted": sorted,
}


def parts_of(node: ast.expr) -> list[ast.expr] | None:
    """Return what an expression is made of, or None if it is not one that is known here.

    Parameters
    ----------
    node : ast.expr
        The expression.
    """
    parts: list[ast.expr] | None = None
    match node:
        case ast.BinOp(left=left, right=right, op=op) if type(op) in _OPERATORS:
            parts = [left, right]
        case ast.JoinedStr(values=values):
            parts = values
        case ast.FormattedValue(value=value, format_spec=how):
            parts = [value, *filter(None, [how])]
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            parts = elements
        case ast.Dict(keys=keys, values=values) if None not in keys:
            parts = [*filter(None, keys), *values]
        case ast.Subscript(value=value, slice=index):
            parts = [value, index]
        case ast.Attribute(value=value, attr=attribute) if attribute in _PATH_PARTS:
            parts = [value]
        case ast.Call(func=function, args=arguments, keywords=keywords):
            own = [function.value] if isinstance(function, ast.Attribute) and _is_method(node) else []
            parts = [*own, *arguments, *(keyword.value for keyword in keywords)]
    return parts


def composed(node: ast.expr, parts: list[Known]) -> Known | None:
    """Put the parts of an expression together as it does; None where they do not fit, or it does something else.

    Parameters
    ----------
    node : ast.expr
        The expression.
    parts : list[Known]
        What its parts are, in the order in which ``parts_of`` names them.
    """
    for part in parts:
        large = isinstance(part, int) and abs(part) > _LARGEST
        if large or (isinstance(part, str) and _WIDE.search(part)):
            return None
    try:
        made = _made(node, parts)
        if isinstance(made, Iterable) and not isinstance(made, _KNOWN):
            made = list(made)
    except Exception:  # "%d" % "x": there, too, it raises it, and opens nothing
        return None
    if not isinstance(made, _KNOWN):
        return None
    return made if isinstance(made, list | dict | int | float) or len(str(made)) <= _LONGEST else None


def _made(node: ast.expr, parts: list[Any]) -> Any:
    made: Any = parts
    match node:
        case ast.BinOp(op=op):
            left, right = parts
            several = isinstance(left, str) and isinstance(right, list)  # "%s_%s.csv" % (name, year)
            made = _OPERATORS[type(op)](left, tuple(right) if several else right)
        case ast.JoinedStr():
            made = "".join(map(str, parts))
        case ast.FormattedValue(conversion=conversion):
            narrow = not any(re.search(r"\d{4}", how) for how in parts[1:])
            shown = _SHOWN[conversion](parts[0]) if conversion in _SHOWN else parts[0]
            made = format(shown, *parts[1:]) if narrow else ()
        case ast.Dict(keys=keys):
            made = dict(zip(parts[: len(keys)], parts[len(keys) :], strict=True))
        case ast.Subscript():
            made = parts[0][parts[1]]
        case ast.Attribute(attr=attr):
            made = getattr(parts[0], attr)
        case ast.Call():
            made = _called(node, parts)
    return made


def _is_method(call: ast.Call) -> bool:
    """Tell whether a call is one of a method of what is known here, not of a function such as ``os.path.join``."""
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr in _HERE:
        return False
    of = ast.unparse(function.value)
    return of not in {"os", "pathlib", "posixpath", "path", "op", "osp"} and not of.endswith("os.path")


def _called(call: ast.Call, parts: list[Any]) -> Any:
    """Return what a function of paths, or a method of a text, a path or a dictionary, gives."""
    names = [keyword.arg for keyword in call.keywords]
    starred = any(isinstance(one, ast.Starred) for one in call.args)
    given = parts[: len(parts) - len(names)]
    keywords = {str(name): value for name, value in zip(names, parts[len(given) :], strict=True) if name is not None}
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if starred or len(keywords) < len(names):
        return None
    if name in _HERE:
        return PurePosixPath()
    if not _is_method(call):
        return _FUNCTIONS[name](*given, **keywords)
    owner = given[0]
    if name in _SAME and isinstance(owner, PurePosixPath):
        return owner
    return getattr(owner, name)(*given[1:], **keywords)
