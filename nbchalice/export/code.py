"""Python text that was written for nbchalice, as Chalice takes it: its imports, decorators and handlers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbchalice.export.chalice import APP_NAMES, EVENTS, NAMES, PARAMETERS
from nbchalice.moving import first_line

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Edit:
    """What is written in the place of some of the text's bytes."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True)
class Registered:
    """A function of the text that a decorator, or a call of one, makes a handler.

    Parameters
    ----------
    kind : str
        The decorator's name.
    call : ast.Call
        The decorator with its arguments.
    function : FunctionNode or None
        The function, where the text has it.
    """

    kind: str
    call: ast.Call
    function: FunctionNode | None


@dataclass(frozen=True)
class Source:
    """A text of Python, and what it registers.

    Parameters
    ----------
    text : str
        The text.
    """

    text: str
    tree: ast.Module = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tree", ast.parse(self.text))

    @property
    def functions(self) -> dict[str, FunctionNode]:
        """The functions of the module, by name; the last one counts."""
        return {node.name: node for node in self.tree.body if isinstance(node, FunctionNode)}

    def registered(self) -> Iterator[Registered]:
        """Yield what is made a handler, by a decorator or by ``app.on_sqs_message("orders")(work)``."""
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                for one in node.decorator_list:
                    if isinstance(one, ast.Call) and (kind := _kind(one)):
                        yield Registered(kind, one, node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and (kind := _kind(node.func)):
                given = node.args[0] if node.args else None
                name = given.id if isinstance(given, ast.Name) else ""
                yield Registered(kind, node.func, self.functions.get(name))

    def apps(self) -> list[str]:
        """Return the names of the apps that the module makes."""
        names: list[str] = []
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and _makes_app(node.value):
                names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        return names

    @property
    def app(self) -> str:
        """The name of the app: the one that is made here, or else what the first decorator is of; may be empty."""
        bases = [one.call.func.value for one in self.registered() if isinstance(one.call.func, ast.Attribute)]
        return next(iter([*self.apps(), *(base.id for base in bases if isinstance(base, ast.Name))]), "")

    def modules(self) -> list[str]:
        """Return the names by which nbchalice as a whole is imported."""
        names: list[str] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names += [one.asname or one.name for one in node.names if one.name == "nbchalice"]
        return names


def _kind(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) and call.func.attr in PARAMETERS else ""


def _makes_app(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] == "Chalice"


def for_chalice(text: str) -> str:
    """Return a text that imports Chalice instead of nbchalice, and gives Chalice what it takes.

    Parameters
    ----------
    text : str
        Of a module of which nothing is in the way, as `nbchalice.export.lacking.troubles` tells.
    """
    source = Source(text)
    edits = [*_imports(source), *_decorators(source), *_parameters(source)]
    content = text.encode()
    for edit in sorted(edits, key=lambda one: one.begin, reverse=True):
        content = content[: edit.begin] + edit.text.encode() + content[edit.end :]
    return content.decode()


def _imports(source: Source) -> Iterator[Edit]:
    starts = _line_starts(source.text)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module in {"nbchalice", "nbchalice.app"}:
            line = source.text.split("\n")[node.lineno - 1]
            indent = line[: len(line) - len(line.lstrip())]
            yield _edit(node, starts, f"\n{indent}".join(_from(node)))
        if isinstance(node, ast.Import) and any(one.name == "nbchalice" for one in node.names):
            yield _edit(node, starts, f"import {', '.join(map(_imported, node.names))}")


def _from(node: ast.ImportFrom) -> Iterator[str]:
    """Yield the imports that stand for one of nbchalice."""
    by_module: dict[str, list[str]] = {}
    for one in node.names:
        module = "chalice" if one.name in NAMES and node.module == "nbchalice" else "chalice.app"
        by_module.setdefault(module, []).append(ast.unparse(one))
    for module, names in sorted(by_module.items()):
        yield f"from {module} import {', '.join(names)}"


def _imported(one: ast.alias) -> str:
    if one.name != "nbchalice":
        return ast.unparse(one)
    name = one.asname or "nbchalice"
    return "chalice" if name == "chalice" else f"chalice as {name}"


def _decorators(source: Source) -> Iterator[Edit]:
    """Yield the decorators without the arguments that only nbchalice has."""
    starts = _line_starts(source.text)
    for one in source.registered():
        kept = [word for word in one.call.keywords if word.arg in PARAMETERS[one.kind]]
        if len(kept) < len(one.call.keywords):
            yield _edit(one.call, starts, ast.unparse(ast.Call(one.call.func, one.call.args, kept)))


def _parameters(source: Source) -> Iterator[Edit]:
    """Yield the parameters as Chalice gives them: the event, and where that comes as it is the context besides."""
    starts = _line_starts(source.text)
    seen: set[str] = set()
    for one in source.registered():
        node = one.function
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        positional = [*node.args.posonlyargs, *node.args.args]
        if one.kind not in EVENTS and len(positional) == 1 and not node.args.vararg:
            end = _end(positional[0], starts)
            yield Edit(end, end, ", context")
        if one.kind in EVENTS and len(positional) == 2 and _takes_context(node):
            event, context = positional
            yield Edit(_end(event, starts), _end(context, starts), "")
            yield _first_statement(node, starts, f"{context.arg} = {event.arg}.context")


def _takes_context(node: FunctionNode) -> bool:
    """Whether nbchalice gives a function of two parameters the context."""
    return not node.args.defaults or node.args.args[-1].arg == "context"


def _first_statement(node: FunctionNode, starts: list[int], text: str) -> Edit:
    """Return what puts a statement before the others of a function, behind its docstring."""
    has_more = len(node.body) > 1 and ast.get_docstring(node) is not None
    first = node.body[1 if has_more else 0]
    at = starts[first_line(first) - 1] + first.col_offset
    on_one_line = first.lineno == node.body[0].lineno == node.lineno
    return Edit(at, at, f"{text}; " if on_one_line else f"{text}\n{' ' * first.col_offset}")


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _end(node: ast.arg | ast.expr | ast.stmt, starts: list[int]) -> int:
    return starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)


def _edit(node: ast.expr | ast.stmt, starts: list[int], text: str) -> Edit:
    return Edit(starts[node.lineno - 1] + node.col_offset, _end(node, starts), text)


def is_known(name: str) -> bool:
    """Tell whether Chalice has a name that is imported from nbchalice."""
    return name in NAMES or name in APP_NAMES
