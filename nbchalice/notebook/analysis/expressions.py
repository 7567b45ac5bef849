"""The part of the walk over a syntax tree that concerns expressions and bindings."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, ClassVar

from nbchalice.notebook.analysis.bindings import bound_names, children
from nbchalice.notebook.analysis.known_calls import MUTATORS
from nbchalice.notebook.analysis.model import NONE, Call, Root, Roots
from nbchalice.notebook.analysis.scope import Gatherer, Scope

_LAZY_ANNOTATIONS = sys.version_info >= (3, 14)


class ExpressionScanner:
    """Walks expressions and bindings; ``Scanner`` adds statements, functions and classes."""

    methods: ClassVar[dict[type[ast.AST], Callable[[Any, Any], Roots]]] = {}

    def __init__(self, lazy_annotations: bool = False, *, walrus: bool = True) -> None:
        self.walrus = walrus
        self.lazy = lazy_annotations or _LAZY_ANNOTATIONS
        self.scope = Scope(1, "module", set(), set(), None)
        self.count = 1
        self.calls = 0
        self.now = Gatherer(0)
        self.stack: list[Gatherer] = [self.now]
        self.later: list[Gatherer] = []
        self.deletes: set[str] = set()
        self.guarded: set[str] = set()
        self.guards = 0
        self.definition = 0
        self.awaits = False
        self.dropped: ast.expr | None = None
        self.local_functions: dict[Root, list[Root]] = {}

    @property
    def immediate(self) -> bool:
        """Whether the code being walked runs with the statement, not when a function is called."""
        return self.stack[0] is self.now

    # -- recording ---------------------------------------------------------------------------------------------

    def _use(self, name: str) -> Roots:
        root = self.scope.resolve(name)
        if isinstance(root, str):
            if self.guards:
                self.guarded.add(name)
            self.stack[-1].uses.add(name)
        return frozenset((root,))

    def _bind(self, name: str, roots: Roots = NONE) -> None:
        if self.scope.kind == "class":
            self.scope.bound.add(name)
        root = self.scope.resolve(name)
        for gatherer in self.stack:
            gatherer.flows.append((root, roots))
            if isinstance(root, str):
                gatherer.assigns.add(root)

    def _touch(self, roots: Roots) -> None:
        for gatherer in self.stack:
            gatherer.touches |= roots

    def _consume(self, roots: Roots) -> None:
        for gatherer in self.stack:
            gatherer.consumes |= roots

    def _store(self, where: Roots, what: Roots) -> None:
        if where and what:
            for gatherer in self.stack:
                gatherer.stores.append((where, what))

    # -- dispatch ----------------------------------------------------------------------------------------------

    def visit(self, node: ast.AST) -> Roots:
        """Walk a node; return the roots of its value."""
        method = self.methods.get(type(node))
        if method is not None:
            return method(self, node)
        return self._children(node)

    def _children(self, node: ast.AST) -> Roots:
        roots: Roots = NONE
        for child in children(node):
            roots |= self.visit(child)
        return roots

    def _statements(self, nodes: Iterable[ast.stmt]) -> None:
        for node in nodes:
            self.visit(node)

    # -- expressions -------------------------------------------------------------------------------------------

    def _name(self, node: ast.Name) -> Roots:
        return self._use(node.id)

    def _constant(self, node: ast.AST) -> Roots:
        return NONE

    def _value_only(self, node: Any) -> Roots:
        return self.visit(node.value)

    def _attribute(self, node: ast.Attribute) -> Roots:
        roots = self.visit(node.value)
        if not isinstance(node.value, ast.Call):
            self._dotted(node, roots)
        return roots

    def _dotted(self, node: ast.expr, roots: Roots) -> None:
        """Note an attribute of a global name: it may be a submodule, which some import must have loaded."""
        path: list[str] = []
        while isinstance(node, ast.Attribute):
            path.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in roots:
            self.stack[-1].dotted.add(".".join((node.id, *reversed(path))))

    def _subscript(self, node: ast.Subscript) -> Roots:
        self.visit(node.slice)
        return self.visit(node.value)

    def _starred(self, node: ast.Starred) -> Roots:
        roots = self.visit(node.value)
        self._consume(roots)
        return roots

    def _comparison(self, node: ast.Compare) -> Roots:
        self.visit(node.left)
        for operator, part in zip(node.ops, node.comparators, strict=True):
            roots = self.visit(part)
            if isinstance(operator, (ast.In, ast.NotIn)):
                self._consume(roots)
        return NONE

    def _opaque(self, node: ast.AST) -> Roots:
        """An expression whose value shares nothing with its parts."""
        self._children(node)
        return NONE

    def _conditional(self, node: ast.IfExp) -> Roots:
        self.visit(node.test)
        return self.visit(node.body) | self.visit(node.orelse)

    def _awaiting(self, node: ast.Await) -> Roots:
        self.awaits = self.awaits or self.immediate
        return self.visit(node.value)

    def _walrus(self, node: ast.NamedExpr) -> Roots:
        roots = self.visit(node.value)
        # [y := f(x) for x in xs] binds y around the comprehension.
        inner = self.scope
        while self.scope.kind == "comprehension" and self.scope.above is not None:
            self.scope = self.scope.above
        self._bind(node.target.id, roots)
        self.scope = inner
        return roots

    def _call(self, node: ast.Call) -> Roots:
        dropped, self.dropped = self.dropped is node, None
        path: list[str] = []
        base: ast.expr = node.func
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            if isinstance(base, ast.Subscript):
                self.visit(base.slice)
                path.append("[]")
            else:
                path.append(base.attr)
            base = base.value
        roots = self.visit(base)
        callees = sorted(roots, key=str)
        args = tuple(self.visit(argument) for argument in node.args)
        keywords = tuple((item.arg or "**", self.visit(item.value)) for item in node.keywords)
        exact = not any(isinstance(argument, ast.Starred) for argument in node.args)
        exact = exact and all(item.arg for item in node.keywords)
        given = [*node.args, *(item.value for item in node.keywords)]
        for argument, owner in zip(given, [*args, *(value for _, value in keywords)], strict=True):
            if isinstance(argument, ast.Attribute) and argument.attr in MUTATORS:
                self._touch(owner)  # map(items.append, ...): it is handed over to be called
        method = tuple(reversed(path))
        if path:
            self._dotted(node.func, roots)
        self._pass_on(node, roots, args, keywords)
        self.calls += 1
        first = node.args[0] if node.args else None
        literal = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
        text = _called(base, method)
        more = (exact, dropped, bool(self.definition), node.lineno, text, literal, tuple(callees[1:]))
        item = Call(callees[0] if callees else None, method, args, keywords, *more)
        for gatherer in self.stack:
            gatherer.calls[self.calls] = item
        return frozenset((self.calls,))

    def _pass_on(
        self, node: ast.Call, callee: Roots, args: tuple[Roots, ...], keywords: tuple[tuple[str, Roots], ...]
    ) -> None:
        """What a local function, or one handed over as an argument, may be called with."""
        parameters_ = list(chain.from_iterable(self.local_functions.get(root, ()) for root in callee))
        for argument in (*node.args, *(item.value for item in node.keywords)):
            if isinstance(argument, ast.Name):
                parameters_ += self.local_functions.get(self.scope.resolve(argument.id), ())
            elif isinstance(argument, ast.Lambda):
                parameters_ += self.local_functions.get(id(argument), ())
        if not parameters_:
            return
        # map(add, rows) calls add with parts of rows, but which is handed over where nobody knows: any may be any.
        everything = NONE.union(*args, *(roots for _, roots in keywords))
        for gatherer in self.stack:
            gatherer.flows += [(target, everything) for target in parameters_]

    def _comprehension(self, node: Any) -> Roots:
        first = self.visit(node.generators[0].iter)
        self._consume(first)
        names: set[str] = set()
        for generator in node.generators:
            names |= bound_names(generator.target)
        lazy = isinstance(node, ast.GeneratorExp)
        self.count += 1
        self.scope = Scope(self.count, "comprehension", names, set(), self.scope)
        for index, generator in enumerate(node.generators):
            roots = first if index == 0 else self.visit(generator.iter)
            self._consume(roots)
            self._assign(generator.target, roots)
            for condition in generator.ifs:
                self.visit(condition)
        result = (
            self.visit(node.key) | self.visit(node.value) if isinstance(node, ast.DictComp) else self.visit(node.elt)
        )
        self.scope = self.scope.above  # type: ignore[assignment]
        for gatherer in self.stack:
            gatherer.loops = True
        # (f(x) for x in xs) has looked at nothing yet, and holds xs.
        return result | first if lazy else result

    # -- binding -----------------------------------------------------------------------------------------------

    def _assign(self, target: ast.expr, roots: Roots) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, roots)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._consume(roots)
            for element in target.elts:
                self._assign(element, roots)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, roots)
        elif isinstance(target, (ast.Attribute, ast.Subscript)):
            owner = self.visit(target.value)
            if isinstance(target, ast.Subscript):
                self.visit(target.slice)
            self._touch(owner)
            self._store(owner, roots)

    def _assignment(self, node: ast.Assign) -> Roots:
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            # a, b = x, y: a shares with x only. With *rest, or a call on the right, each may share with all.
            pairs = list(zip(node.targets[0].elts, node.value.elts, strict=False))
            starred = any(isinstance(item, ast.Starred) for item in chain.from_iterable(pairs))
            if not starred and len(node.targets[0].elts) == len(node.value.elts):
                values = [self.visit(value) for _, value in pairs]
                for (target, _), roots in zip(pairs, values, strict=True):
                    self._assign(target, roots)
                return NONE
        roots = self.visit(node.value)
        for target in node.targets:
            self._assign(target, roots)
        return NONE

    def _augmented(self, node: ast.AugAssign) -> Roots:
        roots = self.visit(node.value)
        if isinstance(node.target, ast.Name):
            # rows += more changes a list in place, and whatever shares it; of a number it makes a new one.
            own = self._use(node.target.id)
            self._touch(own)
            self._store(own, roots)
            self._bind(node.target.id, own | roots)
        else:
            self._visit_target_value(node.target)
            self._assign(node.target, roots)
        return NONE

    def _visit_target_value(self, target: ast.expr) -> None:
        if isinstance(target, (ast.Attribute, ast.Subscript)):
            self.visit(target.value)

    def _delete(self, node: ast.Delete) -> Roots:
        for target in node.targets:
            if isinstance(target, ast.Name):
                root = self.scope.resolve(target.id)
                if isinstance(root, str) and self.immediate:
                    self.deletes.add(root)
            elif isinstance(target, (ast.Attribute, ast.Subscript)):
                self._assign(target, NONE)
            else:
                self._children(target)
        return NONE

    def _importing(self, node: ast.Import | ast.ImportFrom) -> Roots:
        for alias in node.names:
            if alias.name != "*":
                dotted = alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name
                self._bind(alias.asname or dotted)
        return NONE


def _called(base: ast.expr, path: tuple[str, ...]) -> str:
    head = base.id if isinstance(base, ast.Name) else "(...)"
    return ".".join((head, *(part for part in path if part != "[]")))
