"""One walk over a statement's syntax tree: scopes, uses, flows, calls and changes in place."""

from __future__ import annotations

import ast
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.bindings import bound_names, children, global_names, parameters
from nbchalice.notebook.facts import CARRIED, LAMBDA, NONE, Block, Call, Root, Roots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_LAZY_ANNOTATIONS = sys.version_info >= (3, 14)


class Gatherer:
    """Collects what happens in one block while it is walked."""

    def __init__(self, number: int, name: str = "", owner: str | None = None, params: tuple[str, ...] = ()) -> None:
        self.number, self.name, self.owner, self.params = number, name, owner, params
        self.uses: set[str] = set()
        self.assigns: set[str] = set()
        self.touches: set[Root] = set()
        self.stores: list[tuple[Roots, Roots]] = []
        self.flows: list[tuple[Root, Roots]] = []
        self.calls: dict[int, Call] = {}
        self.returns: set[Root] = set()
        self.loops = False

    def block(self) -> Block:
        """Express everything in globals, own parameters and calls, by following the other locals."""
        sources: dict[Root, set[Root]] = {}
        for target, roots in self.flows:
            sources.setdefault(target, set()).update(roots)

        # Binding a variable of an enclosing function changes the state that this function carries.
        outer = [target for target, _ in self.flows if isinstance(target, tuple) and target[0] < self.number]

        def follow(roots: Iterable[Root]) -> Roots:
            found: set[Root] = set()
            queue, seen = list(roots), set()
            while queue:
                root = queue.pop()
                if root in seen:
                    continue
                seen.add(root)
                if not isinstance(root, tuple):
                    found.add(root)
                    continue
                if root[0] == self.number and root[1] in self.params:
                    found.add((0, root[1]))
                elif root[0] < self.number:
                    found.add(CARRIED)
                queue += sources.get(root, ())
            return frozenset(found)

        def call(item: Call) -> Call:
            root = item.root
            if isinstance(root, tuple):
                close = follow([root])
                root = next((one for one in close if not isinstance(one, int)), next(iter(close), root))
            args = tuple(follow(roots) for roots in item.args)
            keywords = tuple((key, follow(roots)) for key, roots in item.keywords)
            return Call(
                root, item.path, args, keywords, item.exact, item.dropped, item.definition, item.line, item.text
            )

        return Block(
            uses=frozenset(self.uses),
            assigns=frozenset(self.assigns),
            touches=follow([*self.touches, *outer]),
            stores=tuple((follow(a), follow(b)) for a, b in self.stores),
            flows=tuple((target, follow(roots)) for target, roots in self.flows if isinstance(target, str)),
            calls={number: call(item) for number, item in self.calls.items()},
            returns=follow(self.returns),
            name=self.name,
            owner=self.owner,
            params=self.params,
            loops=self.loops,
        )


class Scope:
    """The names of one lexical scope."""

    def __init__(self, number: int, kind: str, bound: set[str], declared: set[str], above: Scope | None) -> None:
        self.number, self.kind, self.bound, self.declared, self.above = number, kind, bound, declared, above

    def resolve(self, name: str) -> Root:
        """Find what a name means here: a global, or a local of this scope or one around it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.declared:
                return name
            if name in scope.bound and (scope is self or scope.kind != "class"):
                return (scope.number, name)
            scope = scope.above
        return name


class Scanner:
    """Walks one top-level statement; afterwards ``now`` and ``later`` hold what was found."""

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
            if self.guards and self.immediate:
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

    def _store(self, where: Roots, what: Roots) -> None:
        if where and what:
            for gatherer in self.stack:
                gatherer.stores.append((where, what))

    # -- dispatch ----------------------------------------------------------------------------------------------

    def visit(self, node: ast.AST) -> Roots:
        """Walk a node; return the roots of its value."""
        method = _METHODS.get(type(node))
        if method is not None:
            return method(self, node)
        return self._children(node)

    def _children(self, node: ast.AST) -> Roots:
        found: Roots = NONE
        for child in children(node):
            found |= self.visit(child)
        return found

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

    def _subscript(self, node: ast.Subscript) -> Roots:
        self.visit(node.slice)
        return self.visit(node.value)

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
        while isinstance(base, ast.Attribute | ast.Subscript):
            if isinstance(base, ast.Subscript):
                self.visit(base.slice)
                path.append("[]")
            else:
                path.append(base.attr)
            base = base.value
        roots = self.visit(base)
        root = next(iter(roots), None) if len(roots) < 2 else min(roots, key=str)
        args = tuple(self.visit(argument) for argument in node.args)
        keywords = tuple((item.arg or "**", self.visit(item.value)) for item in node.keywords)
        exact = not any(isinstance(argument, ast.Starred) for argument in node.args)
        exact = exact and all(item.arg for item in node.keywords)
        method = tuple(reversed(path))
        self._pass_on(node, roots, args, keywords)
        self.calls += 1
        item = Call(
            root, method, args, keywords, exact, dropped, bool(self.definition), node.lineno, _called(base, method)
        )
        for gatherer in self.stack:
            gatherer.calls[self.calls] = item
        return frozenset((self.calls,))

    def _pass_on(
        self, node: ast.Call, callee: Roots, args: tuple[Roots, ...], keywords: tuple[tuple[str, Roots], ...]
    ) -> None:
        """What a local function, or one handed over as an argument, may be called with."""
        parameters_ = [one for root in callee for one in self.local_functions.get(root, ())]
        for argument in (*node.args, *(item.value for item in node.keywords)):
            if isinstance(argument, ast.Name):
                parameters_ += self.local_functions.get(self.scope.resolve(argument.id), ())
            elif isinstance(argument, ast.Lambda):
                parameters_ += self.local_functions.get(id(argument), ())
        if not parameters_:
            return
        everything = NONE.union(*args, *(roots for _, roots in keywords))
        for gatherer in self.stack:
            gatherer.flows += [(target, everything) for target in parameters_]

    def _function_expression(self, node: ast.Lambda) -> Roots:
        self._defaults(node.args)
        self._body("<lambda>", node.args, [node.body], None)
        number = self.later[-1].number
        self.local_functions[id(node)] = [(number, item.arg) for item in parameters(node.args)]
        return frozenset((LAMBDA,)) if self.immediate else NONE

    def _comprehension(self, node: Any) -> Roots:
        first = self.visit(node.generators[0].iter)
        names: set[str] = set()
        for generator in node.generators:
            names |= bound_names(generator.target)
        lazy = isinstance(node, ast.GeneratorExp)
        self.count += 1
        self.scope = Scope(self.count, "comprehension", names, set(), self.scope)
        for index, generator in enumerate(node.generators):
            roots = first if index == 0 else self.visit(generator.iter)
            self._assign(generator.target, roots)
            for condition in generator.ifs:
                self.visit(condition)
        result = (
            self.visit(node.key) | self.visit(node.value) if isinstance(node, ast.DictComp) else self.visit(node.elt)
        )
        self.scope = self.scope.above  # type: ignore[assignment]
        for gatherer in self.stack:
            gatherer.loops = True
        return result | first if lazy else result

    # -- binding -----------------------------------------------------------------------------------------------

    def _assign(self, target: ast.expr, roots: Roots) -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, roots)
        elif isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._assign(element, roots)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, roots)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            owner = self.visit(target.value)
            if isinstance(target, ast.Subscript):
                self.visit(target.slice)
            self._touch(owner)
            self._store(owner, roots)

    def _assignment(self, node: ast.Assign) -> Roots:
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(node.targets[0].elts, node.value.elts, strict=False))
            starred = any(isinstance(item, ast.Starred) for pair in pairs for item in pair)
            if not starred and len(node.targets[0].elts) == len(node.value.elts):
                values = [self.visit(value) for _, value in pairs]
                for (target, _), roots in zip(pairs, values, strict=True):
                    self._assign(target, roots)
                return NONE
        roots = self.visit(node.value)
        for target in node.targets:
            self._assign(target, roots)
        return NONE

    def _annotated(self, node: ast.AnnAssign) -> Roots:
        if self.scope.kind != "function":
            self._annotation(node.annotation)
        if node.value is not None:
            self._assign(node.target, self.visit(node.value))
        return NONE

    def _augmented(self, node: ast.AugAssign) -> Roots:
        roots = self.visit(node.value)
        if isinstance(node.target, ast.Name):
            own = self._use(node.target.id)
            self._touch(own)
            self._store(own, roots)
            self._bind(node.target.id, own | roots)
        else:
            self._visit_target_value(node.target)
            self._assign(node.target, roots)
        return NONE

    def _visit_target_value(self, target: ast.expr) -> None:
        if isinstance(target, ast.Attribute | ast.Subscript):
            self.visit(target.value)

    def _delete(self, node: ast.Delete) -> Roots:
        for target in node.targets:
            if isinstance(target, ast.Name):
                root = self.scope.resolve(target.id)
                if isinstance(root, str) and self.immediate:
                    self.deletes.add(root)
            elif isinstance(target, ast.Attribute | ast.Subscript):
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

    # -- statements --------------------------------------------------------------------------------------------

    def _expression(self, node: ast.Expr) -> Roots:
        self.dropped = node.value
        self.visit(node.value)
        self.dropped = None
        return NONE

    def _returning(self, node: ast.Return | ast.Yield | ast.YieldFrom) -> Roots:
        roots = self.visit(node.value) if node.value is not None else NONE
        if not self.immediate:
            for gatherer in self.stack:
                gatherer.returns |= roots
        return NONE

    def _loop(self, node: ast.For | ast.AsyncFor) -> Roots:
        self.awaits = self.awaits or (isinstance(node, ast.AsyncFor) and self.immediate)
        for gatherer in self.stack:
            gatherer.loops = True
        self._assign(node.target, self.visit(node.iter))
        self._statements(node.body)
        self._statements(node.orelse)
        return NONE

    def _repeat(self, node: ast.While) -> Roots:
        for gatherer in self.stack:
            gatherer.loops = True
        return self._opaque(node)

    def _context(self, node: ast.With | ast.AsyncWith) -> Roots:
        self.awaits = self.awaits or (isinstance(node, ast.AsyncWith) and self.immediate)
        for item in node.items:
            roots = self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._assign(item.optional_vars, roots)
        self._statements(node.body)
        return NONE

    def _attempt(self, node: Any) -> Roots:
        self.guards += 1
        self._statements(node.body)
        self.guards -= 1
        for handler in node.handlers:
            if handler.type is not None:
                self.visit(handler.type)
            if handler.name:
                self._bind(handler.name)
            self._statements(handler.body)
        self._statements(node.orelse)
        self._statements(node.finalbody)
        return NONE

    def _matching(self, node: ast.Match) -> Roots:
        roots = self.visit(node.subject)
        for case in node.cases:
            for name in bound_names(case.pattern):
                self._bind(name, roots)
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.expr) and not isinstance(part, ast.Attribute | ast.Load):
                    self.visit(part)
            if case.guard is not None:
                self.visit(case.guard)
            self._statements(case.body)
        return NONE

    def _alias_statement(self, node: Any) -> Roots:
        """``type X = ...``: evaluated when asked for, so its names are read later."""
        names = {item.name for item in node.type_params}
        self._later("<type>", names, (), lambda: self.visit(node.value))
        self._bind(node.name.id)
        return NONE

    # -- functions and classes ---------------------------------------------------------------------------------

    def _annotation(self, node: ast.expr | None) -> None:
        if node is None:
            return
        if self.lazy:
            self._later("<annotation>", set(), (), lambda: self.visit(node))
        else:
            self.visit(node)

    def _defaults(self, arguments: ast.arguments) -> Roots:
        given = (*arguments.defaults, *(item for item in arguments.kw_defaults if item is not None))
        return NONE.union(*(self.visit(default) for default in given))

    def _annotations(self, node: FunctionNode) -> None:
        for argument in parameters(node.args):
            self._annotation(argument.annotation)
        self._annotation(node.returns)

    def _function(self, node: FunctionNode) -> Roots:
        decorated = self._decorators(node.decorator_list)
        defaults = self._defaults(node.args)
        owner = self.scope.name if isinstance(self.scope, ClassScope) else None
        typed = {item.name for item in getattr(node, "type_params", [])}
        outer = self.scope
        if typed:
            self.count += 1
            self.scope = Scope(self.count, "comprehension", typed, set(), outer)
            for item in getattr(node, "type_params", []):
                if getattr(item, "bound", None) is not None:
                    self._later("<type>", set(), (), partial(self.visit, item.bound))
        self._annotations(node)
        self._body(node.name, node.args, node.body, owner)
        self.scope = outer
        self._bind(node.name, decorated | defaults)
        number = self.later[-1].number
        self.local_functions[outer.resolve(node.name)] = [(number, item.arg) for item in parameters(node.args)]
        for number in (root for root in decorated if isinstance(root, int)):
            self._argument(number, node.name)
        return NONE

    def _argument(self, number: int, name: str) -> None:
        """The decorated function is the argument of its decorator's call."""
        root = frozenset((self.scope.resolve(name),))
        for gatherer in self.stack:
            item = gatherer.calls[number]
            gatherer.calls[number] = Call(
                item.root, item.path, (*item.args, root), item.keywords, item.exact, True, True, item.line, item.text
            )

    def _decorators(self, nodes: list[ast.expr]) -> Roots:
        found: Roots = NONE
        self.definition += 1
        for node in nodes:
            if isinstance(node, ast.Call):
                found |= self.visit(node)
                continue
            found |= self.visit(ast.copy_location(ast.Call(func=node, args=[], keywords=[]), node))
        self.definition -= 1
        return found

    def _body(self, name: str, arguments: ast.arguments, body: list[Any], owner: str | None) -> Roots:
        names = tuple(argument.arg for argument in parameters(arguments))
        bound = set(names)
        for part in body:
            bound |= bound_names(part, walrus=self.walrus)
        declared, free = global_names(body)
        bound -= declared | free

        def walk() -> None:
            for part in body:
                roots = self.visit(part)
                if isinstance(part, ast.expr):
                    for gatherer in self.stack:
                        gatherer.returns |= roots

        return self._later(name, bound, names, walk, owner, declared)

    def _later(
        self,
        name: str,
        bound: set[str],
        params: tuple[str, ...],
        walk: Callable[[], object],
        owner: str | None = None,
        declared: set[str] | None = None,
    ) -> Roots:
        """Walk code that runs when it is called; return the enclosing locals it captures."""
        self.count += 1
        gatherer = Gatherer(self.count, name, owner, params)
        outer = self.scope
        definition, guards, self.definition, self.guards = self.definition, self.guards, 0, 0
        waiting = self.awaits
        self.scope = Scope(self.count, "function", bound, declared or set(), outer)
        stack = self.stack
        self.stack = [*(item for item in stack if item is not self.now), gatherer]
        walk()
        self.stack, self.scope, self.awaits = stack, outer, waiting
        self.definition, self.guards = definition, guards
        self.later.append(gatherer)
        return NONE

    def _klass(self, node: ast.ClassDef) -> Roots:
        decorated = self._decorators(node.decorator_list)
        outer = self.scope
        typed = {item.name for item in getattr(node, "type_params", [])}
        if typed:
            self.count += 1
            self.scope = Scope(self.count, "comprehension", typed, set(), outer)
        shared = decorated
        for base in (*node.bases, *(item.value for item in node.keywords)):
            shared |= self.visit(base)
        self.count += 1
        scope = self.scope = ClassScope(self.count, node.name, self.scope)
        self.definition += 1
        self._statements(node.body)
        self.definition -= 1
        self.scope = outer
        self._bind(node.name, shared | {(scope.number, name) for name in scope.bound})
        for number in (root for root in decorated if isinstance(root, int)):
            self._argument(number, node.name)
        return NONE


class ClassScope(Scope):
    """A class body: a name is local from where it was bound on, and never seen by the methods."""

    def __init__(self, number: int, name: str, above: Scope) -> None:
        super().__init__(number, "class", set(), set(), above)
        self.name = name


def _called(base: ast.expr, path: tuple[str, ...]) -> str:
    head = base.id if isinstance(base, ast.Name) else "(...)"
    return ".".join((head, *(part for part in path if part != "[]")))


_METHODS: dict[type[ast.AST], Callable[[Scanner, Any], Roots]] = {
    ast.Name: Scanner._name,
    ast.Constant: Scanner._constant,
    ast.Attribute: Scanner._value_only,
    ast.Starred: Scanner._value_only,
    ast.Subscript: Scanner._subscript,
    ast.Compare: Scanner._opaque,
    ast.UnaryOp: Scanner._opaque,
    ast.JoinedStr: Scanner._opaque,
    ast.FormattedValue: Scanner._opaque,
    ast.IfExp: Scanner._conditional,
    ast.Await: Scanner._awaiting,
    ast.NamedExpr: Scanner._walrus,
    ast.Call: Scanner._call,
    ast.Lambda: Scanner._function_expression,
    ast.ListComp: Scanner._comprehension,
    ast.SetComp: Scanner._comprehension,
    ast.DictComp: Scanner._comprehension,
    ast.GeneratorExp: Scanner._comprehension,
    ast.Assign: Scanner._assignment,
    ast.AnnAssign: Scanner._annotated,
    ast.AugAssign: Scanner._augmented,
    ast.Delete: Scanner._delete,
    ast.Import: Scanner._importing,
    ast.ImportFrom: Scanner._importing,
    ast.Expr: Scanner._expression,
    ast.Return: Scanner._returning,
    ast.Yield: Scanner._returning,
    ast.YieldFrom: Scanner._returning,
    ast.For: Scanner._loop,
    ast.AsyncFor: Scanner._loop,
    ast.While: Scanner._repeat,
    ast.With: Scanner._context,
    ast.AsyncWith: Scanner._context,
    ast.Try: Scanner._attempt,
    ast.TryStar: Scanner._attempt,
    ast.Match: Scanner._matching,
    ast.FunctionDef: Scanner._function,
    ast.AsyncFunctionDef: Scanner._function,
    ast.ClassDef: Scanner._klass,
}
if hasattr(ast, "TypeAlias"):
    _METHODS[ast.TypeAlias] = Scanner._alias_statement
