"""The card of a handler that a cell registered, by a magic or a decorator."""

from __future__ import annotations

import ast
import dis
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from types import CodeType

from nbchalice.errors import NbChaliceError
from nbchalice.execute import executed_for_code
from nbchalice.handlers import Handler
from nbchalice.notebook.analysis.builtin_names import is_kernels_own, lambda_builtins
from nbchalice.notebook.analysis.magic import read_body
from nbchalice.notebook.capture.companions import told
from nbchalice.notebook.capture.environment import set_here_only
from nbchalice.notebook.cells import Cell
from nbchalice.project import Project
from nbchalice.runtime.app import LambdaFunction
from nbchalice.typed import Values
from nbchalice.ui.magics.notebook import Notebook
from nbchalice.ui.magics.registration import Registered
from nbchalice.ui.magics.shown import shown
from nbchalice.ui.render.cards import HandlerCard


def handler_card(notebook: Notebook, registered: Registered) -> object:
    """Return what shows a handler that was registered, and follows it from then on."""
    decorated, project = registered.function, notebook.project()
    handler = project.handler(decorated.name)
    needs, missing = names_needed(decorated, notebook.shell.user_ns, _up_to(notebook.session.cells(), registered))
    notes = [*registered.notes(), *handler.notes(), *map(_absence, missing), *_left_out(project, handler)]
    key = (notebook.chosen_target, f"{project.name}-{project.stage}-{handler.name}")
    card = HandlerCard(
        handler, project.name, project.stage, needs, notes, notebook.following.compared(key, handler.name)
    )
    panel = shown(notebook, card)
    if panel is not card:
        notebook.following.follow(key, handler.name, panel)  # type: ignore[arg-type]
    return panel


def show_registered(notebook: Notebook, registered: Sequence[Registered]) -> None:
    """Show the cards of handlers that a cell's decorators registered, below the cell."""
    from IPython.display import display

    for one in registered if not executed_for_code() else ():
        with suppress(NbChaliceError):  # What is wrong with the notebook is told by what is done with it.
            display(handler_card(notebook, one))


def _up_to(cells: list[Cell], registered: Registered) -> list[Cell]:
    """Return the executed cells up to the one that registered a handler."""
    ends = [index for index, cell in enumerate(cells, 1) if cell.order == registered.order]
    return cells[: ends[-1]] if ends else cells


def _left_out(project: Project, handler: Handler) -> list[str]:
    """Return what acts in the cells that the handler uses and is not deployed; errors are the deploy's to tell."""
    with suppress(NbChaliceError):
        piece = project.proven.proposal(handler)[0]
        lacking = set_here_only(piece.variables, project.variables.of(handler.name, handler.settings), os.environ)
        return [*told([piece]), *([lacking] if lacking else [])]
    return []


def _absence(name: str) -> str:
    return f"{name} exists only in a notebook, not on Lambda" if is_kernels_own(name) else f"{name} is not defined yet"


def names_needed(handler: LambdaFunction, namespace: Values, cells: Sequence[Cell]) -> tuple[dict[str, str], list[str]]:
    """Return the names a function takes from other cells, each with the cell, and those that nothing defines."""
    names = dict.fromkeys(chain.from_iterable(map(_global_names, _own_codes(handler.function, namespace))))
    *earlier, own = cells
    missing = [name for name in names if name not in namespace and name not in lambda_builtins()]
    open_names = {name for name in names if name in namespace} - _assigned(own.source)
    needs: dict[str, str] = {}
    for cell in reversed(earlier):
        if not open_names:
            break
        for name in open_names & _assigned(cell.source):
            needs[name] = cell.label
        open_names -= needs.keys()
    return {name: needs[name] for name in names if name in needs}, missing


def _own_codes(function: object, namespace: Values) -> Iterator[CodeType]:
    """Yield the code of a function and of what it wraps, as far as it is the notebook's and not a library's."""
    seen: set[int] = set()
    while function is not None and id(function) not in seen:
        seen.add(id(function))
        code = getattr(function, "__code__", None)
        if isinstance(code, CodeType) and getattr(function, "__globals__", None) is namespace:
            yield code
        function = getattr(function, "__wrapped__", None)


def _global_names(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


@lru_cache(maxsize=4096)
def _assigned(raw: str) -> frozenset[str]:
    """Return the names a cell binds at its top, roughly: the card is no judge, the deploy is."""
    body = read_body(raw)
    try:
        tree = ast.parse(body.text)
    except SyntaxError:
        return frozenset()
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return frozenset(names | ({"app"} if body.apps else set()))
