"""The names of Python code with what they are bound to, wherever the code binds something to a name."""

from __future__ import annotations

import ast
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from nbchalice.notebook.secrets.names import level_of
from nbchalice.notebook.secrets.texts import DEFAULTS, Text, called, texts_of
from nbchalice.notebook.secrets.values import Level, holds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_NAME = re.compile(r"-{0,2}[A-Za-z_][\w.-]{0,80}+")
_LOGS_IN = {
    **dict.fromkeys(("login", "authenticate", "HTTPBasicAuth", "HTTPDigestAuth", "HTTPProxyAuth", "BasicAuth"), 1),
    **{"DigestAuth": 1, "username_pw_set": 1, "PlainCredentials": 1, "setpassword": 0, "add_password": 3},
    **{"FTP": 2, "FTP_TLS": 2},
}
"""Calls of which one argument is a password, with its place."""
_CONNECTS = {"pymysql": 2, "MySQLdb": 2, "oracledb": 1, "cx_Oracle": 1, "pymssql": 2}
"""Modules whose ``connect`` takes a password, with its place; those of SSH take host, port, user and password."""


class _Pair(NamedTuple):
    """A name, what it is bound to, and what the place promises of the value, whatever the name is."""

    name: str
    value: ast.expr
    promised: Level | None = None


def named_secrets(node: ast.AST) -> Iterator[Text]:
    """Yield the texts of a node that are credentials by what they are called.

    Parameters
    ----------
    node : ast.AST
        A node of a statement's tree; its inner nodes are not looked into.
    """
    read = _READERS.get(type(node))
    for name, value, promised in read(node) if read else ():
        level = promised or level_of(name)
        yield from _of_login(name, value)
        if level is not None:
            yield from (text for text in texts_of(value) if text.value != name and holds(level, text.value))
            yield from _listed(value, Level.PASSWORD if level is Level.PASSWORD else Level.MAYBE)


def _listed(value: ast.expr, level: Level) -> Iterator[Text]:
    """Yield the credentials in a list or dictionary of them: ``API_KEYS = ["...", "..."]``."""
    items: Iterable[ast.expr] = ()
    match value:
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            items = elements
        case ast.Dict(values=values):
            items = values
    for item in items:
        yield from (text for text in texts_of(item) if holds(level, text.value))


def _of_login(name: str, value: ast.expr) -> Iterator[Text]:
    """Yield the password of ``session.auth = (user, "...")`` and of ``http_auth="user:..."``."""
    if not name.lower().endswith("auth"):
        return
    match value:
        case ast.Tuple(elts=[_, password]):
            yield from (text for text in texts_of(password) if holds(Level.PASSWORD, text.value))
        case ast.Constant(value=str(login)) if login.count(":") == 1 and name.lower() in {"basic_auth", "http_auth"}:
            password = ast.copy_location(ast.Constant(login.partition(":")[2]), value)
            yield from (text for text in texts_of(password) if holds(Level.PASSWORD, text.value))


def _assign(node: ast.Assign) -> Iterator[_Pair]:
    for target in node.targets:
        yield from _bound(target, node.value)


def _annotated(node: ast.AnnAssign | ast.NamedExpr | ast.AugAssign) -> Iterator[_Pair]:
    if node.value is not None:
        yield from _bound(node.target, node.value)


def _bound(target: ast.expr, value: ast.expr) -> Iterator[_Pair]:
    if not isinstance(target, ast.Tuple | ast.List):
        yield from (_Pair(name, value) for name in _names(target))
    elif isinstance(value, ast.Tuple | ast.List) and len(target.elts) == len(value.elts):
        for inner, item in zip(target.elts, value.elts, strict=True):
            yield from _bound(inner, item)


def _names(target: ast.expr) -> Iterable[str]:
    """Return what a target is called: a variable, an attribute, or the key of an item."""
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return (name,)
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return (name,)
    return ()


def _keyed(key: ast.expr | None, value: ast.expr) -> Iterator[_Pair]:
    match key:
        case ast.Constant(value=str(name)) if _NAME.fullmatch(name):
            yield _Pair(name.lstrip("-"), value)


def _keyword(node: ast.keyword) -> Iterator[_Pair]:
    if node.arg is not None:
        yield _Pair(node.arg, node.value)


def _arguments(node: ast.Call) -> Iterator[_Pair]:
    """Yield the pairs of ``getenv(NAME, x)``, ``set("db", NAME, x)``, ``env(NAME, default=x)``, ``login(user, x)``."""
    for key, value in pairwise(node.args):
        yield from _keyed(key, value)
    for given in node.keywords:
        if given.arg in DEFAULTS and node.args:
            yield from _keyed(node.args[0], given.value)
    place = _password_at(node)
    if place is not None and len(node.args) > place:
        yield _Pair("login", node.args[place], Level.PASSWORD)


def _password_at(node: ast.Call) -> int | None:
    """Return which argument of a call is a password by its place, or None."""
    match node.func:
        case ast.Attribute(value=ast.Name(id=module), attr="connect") if module in _CONNECTS:
            return _CONNECTS[module]
        case ast.Attribute(attr="connect") if len(node.args) == 4:  # ssh.connect(host, 22, user, "...")
            return 3
    return _LOGS_IN.get(called(node))


def _parameters(node: ast.arguments) -> Iterator[_Pair]:
    by_place = [*node.posonlyargs, *node.args]
    for parameter, default in zip(reversed(by_place), reversed(node.defaults), strict=False):
        yield _Pair(parameter.arg, default)
    for parameter, value in zip(node.kwonlyargs, node.kw_defaults, strict=True):
        if value is not None:
            yield _Pair(parameter.arg, value)


def _dict(node: ast.Dict) -> Iterator[_Pair]:
    for key, value in zip(node.keys, node.values, strict=True):
        yield from _keyed(key, value)


def _tuple(node: ast.Tuple) -> Iterator[_Pair]:
    if len(node.elts) == 2:
        yield from _keyed(*node.elts)


def _list(node: ast.List) -> Iterator[_Pair]:
    """Yield the options of a command: ``["mysqldump", "--password", "..."]``."""
    for option, value in pairwise(node.elts):
        match option:
            case ast.Constant(value=str(text)) if text.startswith("--"):
                yield from _keyed(option, value)


def _compare(node: ast.Compare) -> Iterator[_Pair]:
    """Yield what is compared: ``if token == "..."``; a word that is looked for is often called a token, too."""
    for left, right in pairwise([node.left, *node.comparators]):
        yield from (_Pair(name, right, Level.MAYBE) for name in _names(left) if level_of(name))
        yield from (_Pair(name, left, Level.MAYBE) for name in _names(right) if level_of(name))


_READERS: dict[type[ast.AST], Callable[..., Iterator[_Pair]]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.NamedExpr: _annotated,
    ast.AugAssign: _annotated,
    ast.keyword: _keyword,
    ast.Call: _arguments,
    ast.arguments: _parameters,
    ast.Dict: _dict,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Compare: _compare,
}
