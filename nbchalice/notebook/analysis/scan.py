"""One walk over a statement's syntax tree: scopes, uses, flows, calls and changes in place."""

from __future__ import annotations

import ast
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.analysis.bindings import bound_names, global_names, parameters
from nbchalice.notebook.analysis.expressions import ExpressionScanner
from nbchalice.notebook.analysis.model import LAMBDA, NONE, Roots
from nbchalice.notebook.analysis.scope import ClassScope, Gatherer, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


_IMPORT_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


class Scanner(ExpressionScanner):
    """Walks one top-level statement; afterwards ``now`` and ``later`` hold what was found."""

    # -- statements --------------------------------------------------------------------------------------------

    def _expression(self, node: ast.Expr) -> Roots:
        self.dropped = node.value
        self.visit(node.value)
        self.dropped = None
        return NONE

    def _returning(self, node: ast.Return | ast.Yield | ast.YieldFrom) -> Roots:
        roots = self.visit(node.value) if node.value is not None else NONE
        if not isinstance(node, ast.Return):
            self.stack[-1].yields = True
        if isinstance(node, ast.YieldFrom):
            self._consume(roots)
        if not self.immediate:
            for gatherer in self.stack:
                gatherer.returns |= roots
        return NONE

    def _loop(self, node: ast.For | ast.AsyncFor) -> Roots:
        self.awaits = self.awaits or (isinstance(node, ast.AsyncFor) and self.immediate)
        for gatherer in self.stack:
            gatherer.loops = True
        roots = self.visit(node.iter)
        self._consume(roots)
        self._assign(node.target, roots)
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
        # try: display(x) except NameError: ... : a name that is read here may be missing.
        guards = any(_catches_name_error(handler, broadly=self.immediate) for handler in node.handlers)
        self.guards += guards
        self._statements(node.body)
        self.guards -= guards
        for handler in node.handlers:
            if handler.type is not None:
                self.visit(handler.type)
            if handler.name:
                self._bind(handler.name)
            # except ImportError: get_ipython().system("pip install pint"): what is imported comes along to Lambda.
            replaces = self.immediate and _catches(handler, _IMPORT_ERRORS) and _imports(node.body)
            self.guards += replaces
            self._statements(handler.body)
            self.guards -= replaces
        self._statements(node.orelse)
        self._statements(node.finalbody)
        return NONE

    def _matching(self, node: ast.Match) -> Roots:
        roots = self.visit(node.subject)
        for case in node.cases:
            for name in bound_names(case.pattern):
                self._bind(name, roots)
            for part in ast.walk(case.pattern):
                if isinstance(part, ast.expr) and not isinstance(part, (ast.Attribute, ast.Load)):
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

    def _annotated(self, node: ast.AnnAssign) -> Roots:
        # Python evaluates the annotation of rows: list[Row] = [] at the top and in a class, never in a function.
        if self.scope.kind != "function":
            self._annotation(node.annotation)
        if node.value is not None:
            self._assign(node.target, self.visit(node.value))
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
        defaults = (*arguments.defaults, *(item for item in arguments.kw_defaults if item is not None))
        return NONE.union(*(self.visit(default) for default in defaults))

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
        annotated = self._patched(node) if node.decorator_list else NONE
        self._bind(node.name, decorated | defaults | annotated)
        number = self.later[-1].number
        self.local_functions[outer.resolve(node.name)] = [(number, item.arg) for item in parameters(node.args)]
        for number in (root for root in decorated if isinstance(root, int)):
            self._argument(number, node.name)
        return NONE

    def _patched(self, node: FunctionNode) -> Roots:
        """Return the classes in a decorated function's annotations, which its decorator may look at.

        ``@patch`` above ``def double(self: A)`` at the top of a cell makes a method of ``A``.
        """
        classes: list[tuple[str, str]] = []
        for parameter in parameters(node.args):
            parts = ast.walk(parameter.annotation) if parameter.annotation is not None else ()
            classes += [(parameter.arg, part.id) for part in parts if isinstance(part, ast.Name)]
        if self.immediate and self.scope.kind == "module":
            self._touch(frozenset(name for parameter, name in classes if parameter == "self"))
        return frozenset(self.scope.resolve(name) for _, name in classes)

    def _argument(self, number: int, name: str) -> None:
        """The decorated function is the argument of its decorator's call."""
        root = frozenset((self.scope.resolve(name),))
        for gatherer in self.stack:
            item = gatherer.calls[number]
            gatherer.calls[number] = replace(item, args=(*item.args, root), dropped=True, definition=True)

    def _decorators(self, nodes: list[ast.expr]) -> Roots:
        roots: Roots = NONE
        self.definition += 1
        for node in nodes:
            if isinstance(node, ast.Call):
                roots |= self.visit(node)
                continue
            roots |= self.visit(ast.copy_location(ast.Call(func=node, args=[], keywords=[]), node))
        self.definition -= 1
        return roots

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

        return self._later(name, bound, names, walk, owner=owner, declared=declared)

    def _later(
        self,
        name: str,
        bound: set[str],
        params: tuple[str, ...],
        walk: Callable[[], object],
        *,
        owner: str | None = None,
        declared: set[str] | None = None,
    ) -> Roots:
        """Walk code that runs when it is called; return the enclosing locals it captures."""
        self.count += 1
        gatherer = Gatherer(self.count, name, owner, params)
        outer = self.scope
        definition, waiting, self.definition = self.definition, self.awaits, 0
        self.scope = Scope(self.count, "function", bound, declared or set(), outer)
        stack = self.stack
        self.stack = [*(item for item in stack if item is not self.now), gatherer]
        walk()
        self.stack, self.scope, self.awaits = stack, outer, waiting
        self.definition = definition
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

    def _function_expression(self, node: ast.Lambda) -> Roots:
        self._defaults(node.args)
        self._body("<lambda>", node.args, [node.body], None)
        number = self.later[-1].number
        self.local_functions[id(node)] = [(number, item.arg) for item in parameters(node.args)]
        return frozenset((LAMBDA,)) if self.immediate else NONE


def _catches(handler: ast.ExceptHandler, errors: frozenset[str]) -> bool:
    """Tell whether a handler names an error, or catches all."""
    if handler.type is None:
        return True
    return bool(errors & {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)})


def _imports(body: list[ast.stmt]) -> bool:
    parts = chain.from_iterable(map(ast.walk, body))
    return any(isinstance(part, ast.Import | ast.ImportFrom) for part in parts)


def _catches_name_error(handler: ast.ExceptHandler, *, broadly: bool) -> bool:
    """Tell whether a missing name is expected: within a function only if it says ``NameError``, as a broad ``except``
    there is about other things."""
    if handler.type is None:
        return broadly
    names = {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)}
    return "NameError" in names or (broadly and bool(names & {"Exception", "BaseException"}))


Scanner.methods = {
    ast.Name: Scanner._name,
    ast.Constant: Scanner._constant,
    ast.Attribute: Scanner._attribute,
    ast.Starred: Scanner._starred,
    ast.Subscript: Scanner._subscript,
    ast.Compare: Scanner._comparison,
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
    Scanner.methods[ast.TypeAlias] = Scanner._alias_statement
