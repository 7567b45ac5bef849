"""What a text of Python registers with an app, and by which names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nbchalice.export.chalice import APP_NAMES, NAMES, PARAMETERS

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


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


def is_known(name: str) -> bool:
    """Tell whether Chalice has a name that is imported from nbchalice."""
    return name in NAMES or name in APP_NAMES
