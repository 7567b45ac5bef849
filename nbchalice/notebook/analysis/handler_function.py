"""The function of a magic's cell that is the handler, and the decorator that the magic stands for."""

from __future__ import annotations

import ast
from functools import lru_cache

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.analysis.bindings import own_nodes
from nbchalice.notebook.errors import HandlerNotFoundError
from nbchalice.typed import JSON

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def find_handler(body: ast.Module, wanted: str | None = None, location: Location | None = None) -> FunctionNode:
    """Find the function of a magic's cell that is the handler.

    Parameters
    ----------
    body : ast.Module
        The cell's parsed Python.
    wanted : str or None
        The name given by ``--handler``, or None.
    location : Location or None
        The place of the magic, for errors.

    Returns
    -------
    the function that takes ``(event)`` or ``(event, context)``.

    Raises
    ------
    HandlerNotFoundError
        There is none, or not the wanted one.
    CaptureError
        Several could be meant, or it is async or a generator.
    """
    functions = {node.name: node for node in body.body if isinstance(node, FunctionNode)}
    listed = ", ".join(f"{name}({ast.unparse(node.args)})" for name, node in functions.items())
    if wanted is not None:
        if wanted not in functions:
            hint = f"the cell defines {listed}" if functions else "define it below the magic"
            raise HandlerNotFoundError(f"--handler {wanted}: this cell has no function {wanted}", hint, location)
        if not _takes(functions[wanted], 1) and not _takes(functions[wanted], 2):
            raise HandlerNotFoundError(
                f"{wanted} cannot be called with one event", "let it take (event) or (event, context)", location
            )
        return _plain(functions[wanted], location)
    single = [node for node in functions.values() if _takes(node, 1)]
    pairs = [node for node in functions.values() if _names(node)[1:2] == ["context"] and _takes(node, 2)]
    candidates = [node for node in functions.values() if node in single or node in pairs]
    # `def price(event, _)`: the context by another name, where nothing else can be the handler.
    candidates = candidates or [node for node in functions.values() if _takes(node, 2)]
    if not candidates:
        what = (
            f"no function of this cell takes (event) or (event, context): {listed}"
            if functions
            else "the cell defines no function"
        )
        raise HandlerNotFoundError(what, "write the handler as def name(event): ...", location)
    if len(candidates) > 1:
        names = ", ".join(node.name for node in candidates)
        raise CaptureError(
            f"several functions of this cell could be the handler: {names}",
            f"say which one: --handler {_likeliest(candidates).name}",
            location,
            code="ambiguous-handler",
        )
    return _plain(candidates[0], location)


def _likeliest(candidates: list[FunctionNode]) -> FunctionNode:
    """Return the last one that helps none of the others."""
    used_by = {node.name: {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} for node in candidates}

    def helps(node: FunctionNode) -> bool:
        return any(node.name in used for name, used in used_by.items() if name != node.name)

    return next((node for node in reversed(candidates) if not helps(node)), candidates[-1])


def _plain(node: FunctionNode, location: Location | None) -> FunctionNode:
    if problem := kind_problem(node):
        raise CaptureError(*problem, location, code="handler-kind")
    return node


def kind_problem(node: ast.stmt) -> tuple[str, str] | None:
    """Say why Lambda would not run a function's body, and what to do; None for a plain function.

    Parameters
    ----------
    node : ast.stmt
        The function.
    """
    if isinstance(node, ast.AsyncFunctionDef):
        text = f"{node.name} is an async function: Lambda would get a coroutine and run nothing of it"
        return text, f"write def {node.name}(event): and call asyncio.run(...) in it"
    if isinstance(node, ast.FunctionDef) and any(
        isinstance(part, (ast.Yield, ast.YieldFrom)) for part in own_nodes(node)
    ):
        text = f"{node.name} is a generator, since it has a yield: Lambda would run nothing of it"
        return text, "return the result, or move the yield into a function that the handler loops over"
    return None


def _names(node: FunctionNode) -> list[str]:
    return [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]


def _takes(node: FunctionNode, count: int) -> bool:
    arguments = node.args
    positional = len(_names(node))
    required = positional - len(arguments.defaults)
    free = sum(default is None for default in arguments.kw_defaults)
    if free or (arguments.vararg and not positional):
        return False
    return required == count or (required < count and positional == count)


def decorator_text(source: str, options: JSON, name: str | None, app: str = "app") -> str:
    """Write the decorator that a cell magic stands for.

    Parameters
    ----------
    source : str
        The decorator's name, for example ``on_sqs_message``.
    options : JSON
        The trigger's options, defaults included.
    name : str or None
        The handler's name if one was given.
    app : str
        The variable that holds the app.

    Returns
    -------
    str: for example ``@app.on_sqs_message(queue='orders', batch_size=10)``; options that have their default are
    left out.
    """
    defaults = _defaults(source)
    given = [(key, value) for key, value in options.items() if key not in defaults or defaults[key] != value]
    if name:
        given.append(("name", name))
    return f"@{app}.{source}({', '.join(f'{key}={value!r}' for key, value in given)})"


@lru_cache(maxsize=32)
def _defaults(source: str) -> JSON:
    import inspect

    from nbchalice.runtime.app import Chalice

    # A source of another package has no method: the app makes its decorator.
    decorator = getattr(Chalice("stub", configure_logs=False), source, None)
    if decorator is None:
        return {}
    parameters = inspect.signature(decorator).parameters.values()
    return {item.name: item.default for item in parameters if item.default is not inspect.Parameter.empty}


def trigger_options(source: str, options: JSON) -> JSON:
    """Return a trigger's options as the decorator records them: defaults filled in, JSON-ready.

    Parameters
    ----------
    source : str
        The decorator's name.
    options : JSON
        The options given.
    """
    from nbchalice.runtime.app import Chalice

    def stub(event: object) -> None:
        return None

    app = Chalice("stub", configure_logs=False)
    return dict(getattr(app, source)(**options)(stub).triggers[0].options)
