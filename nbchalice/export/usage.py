"""What code uses of nbchalice that Chalice has not, and what is written in its place: by events, records and apps."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbchalice.export.chalice import ATTRIBUTES, EVENTS, INSTEAD, PARAMETERS, RECORDS
from nbchalice.export.code import FunctionNode, Source, is_known
from nbchalice.text import joined

# Those that apps and blueprints of Chalice have for event handlers, beside the decorators.
OF_APP = frozenset({
    "api", "app_name", "configure_logs", "current_app", "current_request", "debug", "experimental_feature_flags", "log",
    "middleware", "register", "register_blueprint", "register_middleware", "websocket_api",
    "route", "authorizer", "on_ws_connect", "on_ws_message", "on_ws_disconnect", *PARAMETERS,
})  # fmt: skip


@dataclass(frozen=True)
class Trouble:
    """What stands in the way of a text.

    Parameters
    ----------
    line : int
        Where, counted from 1.
    text : str
        What is wrong, behind the name of the handler.
    fix : str
        What to do.
    """

    line: int
    text: str
    fix: str


@dataclass(frozen=True)
class Instead:
    """What is written in the place of an expression.

    Parameters
    ----------
    node : ast.expr
        The expression.
    text : str
        Python that is the same with Chalice's events.
    """

    node: ast.expr
    text: str


def troubles(text: str) -> list[Trouble]:
    """Return what Chalice has nothing for in a module, in the order of its lines.

    Parameters
    ----------
    text : str
        The module's text.
    """
    source = Source(text)
    found = {*_imports(source), *_of_apps(source), *_splats(source), *_ambiguous(source)}
    found |= {one for one in _of_events(source) if isinstance(one, Trouble)}
    return sorted(found, key=lambda one: one.line)


def instead(source: Source) -> list[Instead]:
    """Return what is written otherwise for the events and records of Chalice, each place once.

    Parameters
    ----------
    source : Source
        A module of which nothing is in the way.
    """
    return list({(one.node, one.text): one for one in _of_events(source) if isinstance(one, Instead)}.values())


def _of_events(source: Source) -> Iterator[Trouble | Instead]:
    """Yield what functions use of events and records: those of handlers, and those whose annotations name them."""
    for one in source.registered():
        if one.function is not None and one.kind in EVENTS and (parameters := one.function.args.args):
            of_event, of_record = EVENTS[one.kind]
            takes_record = any(word.arg == "per_record" for word in one.call.keywords)
            yield from _Use(source).of(one.function, {parameters[0].arg: of_record if takes_record else of_event})
    for node in ast.walk(source.tree):
        if isinstance(node, FunctionNode) and (known := _annotated(node)):
            yield from _Use(source).of(node, known)


def _ambiguous(source: Source) -> Iterator[Trouble]:
    """Yield the places that would be written in two ways, as in a function for records of two kinds."""
    texts: dict[ast.expr, str] = {}
    for one in instead(source):
        if texts.setdefault(one.node, one.text) != one.text:
            fix = "write a function for each of them"
            yield Trouble(one.node.lineno, f"uses {ast.unparse(one.node)} of records of two kinds", fix)
    names = {
        node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in (node for node, text in texts.items() if text.startswith("json.") and "json" in names):
        yield Trouble(node.lineno, "calls something else json", "give that another name")


def _imports(source: Source) -> Iterator[Trouble]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "nbchalice":
            is_other = node.module not in {"nbchalice", "nbchalice.app"}
            if unknown := [one.name for one in node.names if is_other or not is_known(one.name)]:
                yield _no_name(node.lineno, joined(unknown))
        if isinstance(node, ast.Import):
            for one in node.names:
                if one.name.startswith("nbchalice."):
                    yield _no_name(node.lineno, one.name)
    modules = source.modules()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield from () if is_known(node.attr) else (_no_name(node.lineno, f"{node.value.id}.{node.attr}"),)


def _no_name(line: int, name: str) -> Trouble:
    return Trouble(line, f"uses {name} of nbchalice, which Chalice has not", "do without it")


def _of_apps(source: Source) -> Iterator[Trouble]:
    apps = source.apps()
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name) or node.value.id not in apps:
            continue
        if node.attr == "lambda_context":
            text = f"uses {node.value.id}.lambda_context, which Chalice sets for routes only"
            yield Trouble(node.lineno, text, "use event.context")
        elif node.attr not in OF_APP and isinstance(node.ctx, ast.Load):
            yield Trouble(node.lineno, f"uses {ast.unparse(node)}, which apps of Chalice have not", "do without it")


def _splats(source: Source) -> Iterator[Trouble]:
    for one in source.registered():
        if any(word.arg is None for word in one.call.keywords):
            yield Trouble(one.call.lineno, "has ** in its decorator", "write the options out one by one")


def _annotated(node: FunctionNode) -> dict[str, str]:
    """Return the parameters whose annotation is an event's or a record's class."""
    known: dict[str, str] = {}
    for one in node.args.args:
        name = ast.unparse(one.annotation).strip("'\"").rpartition(".")[2] if one.annotation is not None else ""
        if name in ATTRIBUTES:
            known[one.arg] = name
    return known


class _Use:
    """Follows events and records through the functions of one text."""

    def __init__(self, source: Source) -> None:
        self.functions = source.functions
        self.seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()

    def of(self, node: FunctionNode, known: Mapping[str, str]) -> Iterator[Trouble | Instead]:
        """Yield what a function uses of the events and records that some of its names stand for.

        Parameters
        ----------
        node : FunctionNode
            The function.
        known : Mapping[str, str]
            The classes of its parameters, by name.
        """
        key = (node.name, tuple(sorted(known.items())))
        if key in self.seen:
            return
        self.seen.add(key)
        names = dict(known)
        for inner in ast.walk(node):
            if isinstance(inner, ast.For | ast.comprehension):
                yield from self._iterated(inner.iter, inner.target, names)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call):
                yield from self._call(inner, names)
        called = {inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call)}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute) and (of := _class_of(inner.value, names)):
                yield from _attribute(inner, of, is_called=inner in called)

    def _iterated(self, given: ast.expr, target: ast.expr, names: dict[str, str]) -> Iterator[Trouble]:
        """Note which name holds a record, and yield that a class of Chalice has none."""
        if isinstance(given, ast.Call) and isinstance(given.func, ast.Name) and given.args:
            if given.func.id == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
                yield from self._iterated(given.args[0], target.elts[1], names)
            elif given.func.id in {"list", "iter", "reversed", "sorted", "tuple"}:
                yield from self._iterated(given.args[0], target, names)
        of = _class_of(given, names)
        if of in RECORDS and isinstance(target, ast.Name):
            names[target.id] = RECORDS[of]
        elif of:
            hint = f"use {_has(of)}" if ATTRIBUTES[of] else "use what it has"
            yield Trouble(given.lineno, f"goes through the records of the event: Chalice's {of} has one only", hint)

    def _call(self, call: ast.Call, names: Mapping[str, str]) -> Iterator[Trouble | Instead]:
        """Yield what becomes of ``len(event)`` and ``record.json()``, and of what functions of the text are given."""
        if isinstance(call.func, ast.Attribute) and (of := _class_of(call.func.value, names)):
            if text := INSTEAD.get(of, {}).get(f"{call.func.attr}()"):
                yield Instead(call, text.format(ast.unparse(call.func.value)))
            return
        if not isinstance(call.func, ast.Name):
            return
        given = [_class_of(one, names) for one in call.args]
        if call.func.id == "len" and given and given[0] in RECORDS:
            yield Instead(call, f"len(list({ast.unparse(call.args[0])}))")
        elif call.func.id == "len" and given and given[0]:
            yield Trouble(call.lineno, f"asks for len() of the event, which Chalice's {given[0]} has not", "it is 1")
        other = self.functions.get(call.func.id)
        if other is not None and any(given):
            parameters = [one.arg for one in other.args.args]
            yield from self.of(other, {name: of for name, of in zip(parameters, given, strict=False) if of})


def _class_of(node: ast.expr, names: Mapping[str, str]) -> str:
    return names.get(node.id, "") if isinstance(node, ast.Name) else ""


def _attribute(node: ast.Attribute, of: str, *, is_called: bool) -> Iterator[Trouble | Instead]:
    ours = INSTEAD.get(of, {})
    if node.attr in {*ATTRIBUTES[of], "context", "to_dict"} or (is_called and f"{node.attr}()" in ours):
        return
    if text := ours.get(node.attr):
        yield Instead(node, text.format(ast.unparse(node.value)))
    else:
        fix = f"do without it, or take it from {ast.unparse(node.value)}.to_dict(), which is all that AWS sends"
        yield Trouble(node.lineno, f"uses {ast.unparse(node)}: Chalice's {of} has {_has(of)}", fix)


def _has(of: str) -> str:
    return joined([*ATTRIBUTES[of], "context", "to_dict()"])
