"""Statements in an order of their own, where the order in which they ran is free.

A plain statement binds names and does nothing else: ``RATE = 2``, ``def price(x): ...``, ``import json``. It must keep
its place beside the statements that bind or may use these names, and beside no other. Every other statement acts: it
may change what another one sees without a name in common (``getcontext().prec = 5``), so those stay as they ran.
"""

from __future__ import annotations

import ast
import heapq
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from nbchalice.runtime.event_kinds import KINDS

# Of nbchalice: called with plain values, they make a value.
CONSTRUCTORS = {"Chalice", "Rate", "Cron", "At", "load_bundle"}
DESCRIPTORS = {"property", "staticmethod", "classmethod"}
# With these a statement finds any name, without mentioning it.
FINDERS = {"globals", "locals", "vars", "eval", "exec", "dir", "sys", "importlib", "__import__"}
HOLDING = (ast.Constant, ast.Name, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Lambda, ast.expr_context, ast.keyword)
# str | None and list[int]; with other values they may act: pipeline | step, settings["limit"].
IN_TYPES = (ast.BinOp, ast.BitOr, ast.Attribute, ast.Subscript)
# No names of Python's: each statement that acts writes the first; one that may find any name writes both.
ACTING, ANY = " acting", " any"


@dataclass(frozen=True)
class Facts:
    """What a statement has to do with names.

    Parameters
    ----------
    plain : bool
        Whether it only binds names.
    binds : frozenset[str]
        The names that it binds, and the app that it registers a handler with.
    reads : frozenset[str]
        What it reads when it runs, if it is plain.
    mentions : frozenset[str]
        All names in it, within functions, too.
    finds : bool
        Whether it may use or bind any name.
    makes : bool
        Whether what it is there for is the values of the names that it binds: ``client = boto3.client("s3")``.
    evaluates : frozenset[str]
        The names that are read when it runs: those within its functions are not.
    """

    plain: bool
    binds: frozenset[str]
    reads: frozenset[str]
    mentions: frozenset[str]
    finds: bool
    makes: bool = False
    evaluates: frozenset[str] = frozenset()


def in_one_order(statements: Sequence[str], *, compared: bool = False) -> list[str]:
    """Return statements in an order that depends on their texts, and on the given order only as far as it matters.

    Parameters
    ----------
    statements : Sequence[str]
        The statements of a module.
    compared : bool
        Whether the values that an order gives are compared: then statements that make values need not stay as they ran.
        Default: no.
    """
    made_by_us = frozenset(chain.from_iterable(map(_constructors, statements)))
    facts = [facts_of(text, made_by_us) for text in statements]
    first = _predecessors(facts, compared)
    followers: dict[int, list[int]] = defaultdict(list)
    for number, before in enumerate(first):
        for one in before:
            followers[one].append(number)
    waits = list(map(len, first))
    ready = [(text, number) for number, text in enumerate(statements) if not waits[number]]
    heapq.heapify(ready)
    ordered = []
    while ready:
        text, number = heapq.heappop(ready)
        ordered.append(text)
        for follower in followers[number]:
            waits[follower] -= 1
            if not waits[follower]:
                heapq.heappush(ready, (statements[follower], follower))
    return ordered


def _predecessors(facts: Sequence[Facts], compared: bool) -> list[set[int]]:
    """Return the statements that each must come after."""
    reach = _Reach(facts, compared)
    writer: dict[str, int] = {}
    readers: dict[str, set[int]] = defaultdict(set)
    predecessors: list[set[int]] = []
    for number, one in enumerate(facts):
        writes, reads = set(one.binds), {*one.reads, ANY}
        if not one.plain and compared and one.makes:
            reads |= {*reach.of(one.evaluates), ACTING}
        elif not one.plain:
            writes |= {*reach.of(one.mentions), ACTING}
        if one.finds:
            writes |= {ANY}
        before = {writer[name] for name in writes | reads if name in writer}
        for name in writes:
            before |= readers.pop(name, set())
            writer[name] = number
        for name in reads - writes:
            readers[name].add(number)
        predecessors.append(before - {number})
    return predecessors


class _Reach:
    """What a statement that acts may use or change: the names in it, and those in what made their values."""

    def __init__(self, facts: Sequence[Facts], compared: bool) -> None:
        self.beside: dict[str, set[str]] = defaultdict(set)
        for one in facts:
            only_binds = one.plain or (compared and one.makes)
            for name in one.binds if only_binds else one.binds | one.mentions:
                self.beside[name] |= one.mentions

    def of(self, names: Iterable[str]) -> set[str]:
        reached: set[str] = set()
        todo = set(names)
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                todo |= self.beside.get(name, set()) - reached
        return reached


def _constructors(text: str) -> list[str]:
    """Return the names of nbchalice's constructors that an import brings."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "nbchalice":
            return [alias.name for alias in node.names if alias.name in CONSTRUCTORS and alias.asname is None]
    return []


def facts_of(text: str, constructors: Collection[str] = ()) -> Facts:
    """Return what a statement, or several on one line, have to do with names.

    Parameters
    ----------
    text : str
        The statement.
    constructors : Collection[str]
        Names that stand for constructors of nbchalice's. Default: none.
    """
    body = ast.parse(text).body
    nodes = list(ast.walk(ast.Module(body, [])))
    mentions = {node.id for node in nodes if isinstance(node, ast.Name)}
    finds = bool(mentions & FINDERS) or any(isinstance(node, ast.alias) and node.name == "*" for node in nodes)
    plain = _Plain(constructors)
    binds: set[str] = set()
    reads: set[str] | None = set()
    for statement in body:
        finds = finds or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__")
        binds |= {*_bound(statement), *_apps(statement)}
        read = plain.reads(statement)
        reads = None if read is None or reads is None else reads | read
    makes = all(map(_makes, body))
    evaluates = frozenset(chain.from_iterable(map(_evaluated, body)))
    return Facts(
        reads is not None,
        frozenset(binds),
        frozenset(reads or ()),
        frozenset(mentions | binds),
        finds,
        makes,
        evaluates,
    )


def _evaluated(statement: ast.AST) -> Iterator[str]:
    """Yield the names that are read when a statement runs."""
    if isinstance(statement, ast.Name):
        yield statement.id
    for node in ast.iter_child_nodes(statement):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and node in statement.body:
            continue
        yield from _evaluated(node)


def _makes(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets):
            return all(isinstance(target, ast.Name) for target in targets)
        case ast.AnnAssign(target):
            return isinstance(target, ast.Name)
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)


def _bound(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds, or may bind, in the module."""
    todo: list[ast.AST] = [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
            continue
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        todo += ast.iter_child_nodes(node)


def _apps(statement: ast.stmt) -> set[str]:
    """Return the variables of the apps that a function is registered with."""
    registering = map(_app_of, getattr(statement, "decorator_list", ()))
    return {name for name in registering if name is not None}


def _app_of(decorator: ast.expr) -> str | None:
    """Return the variable of the app in ``@app.schedule(...)``, or None for another decorator."""
    match decorator:
        case ast.Call(ast.Attribute(ast.Name(app), kind)) if kind in KINDS:
            return app
    return None


class _Plain:
    """Knows plain statements.

    Parameters
    ----------
    constructors : Collection[str]
        Names that stand for constructors of nbchalice's.
    """

    def __init__(self, constructors: Collection[str]) -> None:
        self.constructors = constructors

    def reads(self, statement: ast.stmt) -> set[str] | None:
        """Return the names that a plain statement reads when it runs, or None for a statement that acts."""
        read: set[str] | None = None
        match statement:
            case ast.Import(names):
                read = set() if all(_is_known(alias.name) for alias in names) else None
            case ast.ImportFrom(str(module), names, 0):
                read = set() if _is_known(module) and names[0].name != "*" else None
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                read = self._read_by_function(statement)
            case ast.ClassDef(bases=[], keywords=[], decorator_list=[]):
                inside = list(map(self.reads, statement.body))
                read = None if None in inside else set().union(*filter(None, inside))
            case ast.Assign(targets, value) if all(isinstance(target, ast.Name) for target in targets):
                read = self._read(value)
            case ast.AnnAssign(ast.Name(), annotation, value):
                read = _both(self._read(annotation, types=True), self._read(value))
            case ast.Pass() | ast.Expr(ast.Constant()):
                read = set()
        return read

    def _read_by_function(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str] | None:
        values = [*function.args.defaults, *function.args.kw_defaults]
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Name) and decorator.id in DESCRIPTORS:
                continue
            # @app.schedule(Rate(5)) only enters the function into the app.
            if _app_of(decorator) is None or not isinstance(decorator, ast.Call):
                return None
            values += [*decorator.args, *(keyword.value for keyword in decorator.keywords)]
        listed = [node for node in ast.walk(function.args) if isinstance(node, ast.arg)]
        types = [*(one.annotation for one in listed), function.returns]
        return _both(_both(self._read(*values), self._read(*types, types=True)), _apps(function))

    def _read(self, *parts: ast.expr | None, types: bool = False) -> set[str] | None:
        """Return the names in expressions that only hold values, or None for others."""
        names: set[str] = set()
        todo: list[ast.AST] = list(filter(None, parts))
        while todo:
            match node := todo.pop():
                case ast.Lambda(arguments):
                    todo += [*arguments.defaults, *filter(None, arguments.kw_defaults)]
                    continue
                case ast.Name(name):
                    names.add(name)
                case ast.Call(ast.Name(name)) | ast.Attribute(ast.Name(name)) if name in self.constructors:
                    pass
                case ast.BinOp(ast.Constant(), _, ast.Constant()) | ast.UnaryOp(_, ast.Constant()):
                    continue  # 24 * 60
                case _ if not isinstance(node, (*HOLDING, *IN_TYPES) if types else HOLDING):
                    return None
            todo += ast.iter_child_nodes(node)
        return names


def _both(one: set[str] | None, other: set[str] | None) -> set[str] | None:
    return None if one is None or other is None else one | other


def _is_known(module: str) -> bool:
    """Tell whether a module does nothing but bind names when it is imported; of other people's that is not known."""
    top = module.partition(".")[0]
    return top != "__future__" and (top in sys.stdlib_module_names or top == "nbchalice")
