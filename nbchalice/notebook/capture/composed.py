"""Texts that code puts together of what stands in it: ``"x_" + "y.csv"``, ``f"{YEAR}.csv"``, ``Path(DATA) / name``.

What depends on the event, or on anything else that the text does not say, is no text here.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from itertools import chain, islice, product
from typing import TYPE_CHECKING, NamedTuple

from nbchalice.notebook.capture.composing import COMPOSED, Known, composed, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEPTH = 60
_MOST = 30
"""How many values one expression may have: ``for year in range(10): for kind in KINDS: open(f"{year}_{kind}.csv")``."""
_COMBINATIONS = 200
_NAMED = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTION = _NAMED | ast.Lambda


class _Bound(NamedTuple):
    """What a name may stand for: an expression, with the names of where it stands.

    ``each`` is true for the elements of it, ``part`` is for the one at a place: ``for name, size in FILES``.
    """

    value: ast.expr
    scope: _Scope
    each: bool = False
    part: int | None = None


class _Scope:
    """The names of a module or of a function in it.

    Parameters
    ----------
    outer : _Scope or None
        What it is in.
    """

    def __init__(self, outer: _Scope | None) -> None:
        self.outer = outer
        self.names: defaultdict[str, list[_Bound]] = defaultdict(list)
        self.functions: dict[str, tuple[ast.FunctionDef | ast.AsyncFunctionDef, _Scope]] = {}

    def find(self, name: str) -> list[_Bound]:
        """Return what a name may stand for; nothing where that is not known."""
        if name in self.names:
            return self.names[name]
        return self.outer.find(name) if self.outer is not None else []

    def function(self, name: str) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, _Scope] | None:
        """Return a function by its name, with its own names."""
        if name in self.names or self.outer is None:
            return self.functions.get(name)
        return self.functions.get(name) or self.outer.function(name)


def composed_texts(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Give the texts, and paths, that a module puts together of what stands in it, each with its line.

    Parameters
    ----------
    tree : ast.Module
        The module.
    """
    texts = _Texts(tree)
    for node, scope in texts.places:
        for value in texts.values(node, scope):
            if not isinstance(value, int | float | list | dict):
                yield str(value), node.lineno


class _Texts:
    """Knows what the names of a module may stand for, and what its expressions may be.

    Parameters
    ----------
    tree : ast.Module
        The module.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.places: list[tuple[ast.expr, _Scope]] = []
        self._attributes: defaultdict[str, list[_Bound]] = defaultdict(list)
        self._known: dict[tuple[int, int], list[Known]] = {}
        self._look(tree, _Scope(None))
        for node, scope in self.places:
            self._give(node, scope)

    def _look(self, node: ast.AST, scope: _Scope) -> None:
        """Note the names of a scope, and what puts texts together in it."""
        for child in ast.iter_child_nodes(node):
            inner = scope
            if isinstance(child, _FUNCTION | ast.ClassDef):
                inner = _Scope(scope)
            if isinstance(child, _FUNCTION):
                _parameters(child, inner, scope)
            if isinstance(child, _NAMED):
                scope.functions[child.name] = (child, inner)
            elif isinstance(child, ast.Assign):
                for target in child.targets:
                    self._bind(target, _Bound(child.value, scope))
            elif isinstance(child, ast.AnnAssign | ast.NamedExpr) and child.value is not None:
                self._bind(child.target, _Bound(child.value, scope))
            elif isinstance(child, ast.For | ast.AsyncFor | ast.comprehension):
                self._bind(child.target, _Bound(child.iter, scope, each=True))
            if isinstance(child, COMPOSED):
                self.places.append((child, scope))
            self._look(child, inner)
            if isinstance(child, ast.ClassDef):
                for name, bound in inner.names.items():
                    self._attributes[name] += bound

    def _bind(self, target: ast.expr, bound: _Bound) -> None:
        if isinstance(target, ast.Name):
            bound.scope.names[target.id].append(bound)
        elif isinstance(target, ast.Attribute):
            self._attributes[target.attr].append(bound)
        elif isinstance(target, ast.Tuple | ast.List) and bound.part is None:
            for number, one in enumerate(target.elts):
                self._bind(one, bound._replace(part=number))

    def _give(self, node: ast.expr, scope: _Scope) -> None:
        """Note what a call gives the parameters of a function of the module: ``load("rates")``."""
        if not isinstance(node, ast.Call):
            return
        keywords = [(keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg is not None]
        found = scope.function(node.func.id) if isinstance(node.func, ast.Name) else None
        if found is None:
            for name, value in keywords:  # Settings(folder="data"), of which settings.folder is used
                self._attributes[name].append(_Bound(value, scope))
            return
        function, own = found
        plain = [one.arg for one in [*function.args.posonlyargs, *function.args.args]]
        for name, value in [*zip(plain, node.args, strict=False), *keywords]:
            if name in own.names:
                own.names[name].append(_Bound(value, scope))

    def values(self, node: ast.expr, scope: _Scope, depth: int = 0) -> list[Known]:
        """Return what an expression may be; nothing where the text does not say it."""
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str | int | float) else []
        key = (id(node), id(scope))
        if key not in self._known and depth < _DEPTH:
            self._known[key] = []  # of what goes round, as x = x + "a"
            self._known[key] = self._found(node, scope, depth + 1)
        return self._known.get(key, [])

    def _found(self, node: ast.expr, scope: _Scope, depth: int) -> list[Known]:
        if isinstance(node, ast.Name):
            return self._stands_for(scope.find(node.id), depth)
        named = self._attributes.get(node.attr, []) if isinstance(node, ast.Attribute) else []
        parts = parts_of(node)
        if parts is None:
            return self._stands_for(named, depth)
        known = [self.values(part, scope, depth) for part in parts]
        results = (composed(node, list(one)) for one in islice(product(*known), _COMBINATIONS))
        return [*self._stands_for(named, depth), *(one for one in results if one is not None)][:_MOST]

    def _stands_for(self, bound: list[_Bound], depth: int) -> list[Known]:
        values: list[Known] = []
        for value, scope, each, part in bound[:_MOST]:
            known = self.values(value, scope, depth)
            if each:
                known = list(chain.from_iterable(one for one in known if isinstance(one, list | dict)))
            if part is not None:
                known = [one[part] for one in known if isinstance(one, list | tuple) and part < len(one)]
            values += known
        return values[:_MOST]


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, own: _Scope, outer: _Scope) -> None:
    given = function.args
    plain = [*given.posonlyargs, *given.args]
    for one in [*plain, *given.kwonlyargs, *filter(None, [given.vararg, given.kwarg])]:
        own.names[one.arg] = []
    defaults = [*zip(reversed(plain), reversed(given.defaults), strict=False)]
    for one, default in [*defaults, *zip(given.kwonlyargs, given.kw_defaults, strict=True)]:
        if default is not None:
            own.names[one.arg].append(_Bound(default, outer))
