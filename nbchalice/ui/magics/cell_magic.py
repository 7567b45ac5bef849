"""What a cell magic does: run the body in the notebook and register its function."""

from __future__ import annotations

import ast
import dis
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from types import CodeType

from nbchalice.errors import CaptureError, NbChaliceError
from nbchalice.handlers import CellMagic, Handler, HelpShown, parse_cell_magic
from nbchalice.notebook.analysis.builtin_names import is_kernels_own, lambda_builtins
from nbchalice.notebook.analysis.handler_function import find_handler
from nbchalice.notebook.analysis.magic import Body, read_body
from nbchalice.notebook.capture.companions import told
from nbchalice.notebook.capture.environment import set_here_only
from nbchalice.notebook.cells import Cell
from nbchalice.project import Project
from nbchalice.runtime.app import LambdaFunction
from nbchalice.typed import Values
from nbchalice.ui.magics.notebook import Notebook
from nbchalice.ui.magics.shown import shown
from nbchalice.ui.render.cards import HandlerCard, TextCard


def run_cell_magic(notebook: Notebook, magic: str, line: str, cell: str) -> object:
    """Run the cell's body in the notebook and register its handler; returns the handler's card."""
    __tracebackhide__ = True
    raw = notebook.raw_cell()
    if raw is None:  # a script, a widget's callback or a silent request called shell.run_cell_magic
        done = notebook.shell.run_cell(f"%%{magic} {line}\n{cell}", store_history=True)
        done.raise_error()
        return done.result
    if read_body(raw).magic != magic:  # a cell that another one runs, as %run of a notebook does
        raw = f"%%{magic} {line}\n{cell}"
    body = read_body(raw)
    try:
        parsed = parse_cell_magic(magic, line)
    except HelpShown as help:
        return TextCard(f"%%{magic}", str(help))
    except NbChaliceError as error:
        error.location = notebook.location(body.magic_line)
        raise
    name = _handler_name(notebook, body.text, body.magic_line, parsed)
    notebook.require_free(parsed.name or name)
    chalice = notebook.chalice()
    run_body(notebook, raw, body, _has_magics(raw, body))
    function = notebook.shell.user_ns[name]
    decorated = getattr(chalice, magic)(**parsed.options, name=parsed.name, **parsed.settings)(function)
    for source, options in parsed.also:
        decorated = getattr(chalice, source)(**options)(decorated)
    notebook.shell.user_ns[name] = decorated
    registered = notebook.register(decorated, body.magic_line)
    project = notebook.project()
    handler = project.handler(decorated.name)
    needs, missing = names_needed(decorated, notebook.shell.user_ns, notebook.session.cells())
    notes = [*registered.notes(), *handler.notes(), *map(_absence, missing), *_left_out(project, handler)]
    card = HandlerCard(handler, project.name, project.stage, needs, notes)
    return shown(notebook, card)


def _left_out(project: Project, handler: Handler) -> list[str]:
    """Return what acts in the cells that the handler uses and is not deployed; errors are the deploy's to tell."""
    with suppress(NbChaliceError):
        piece = project.proven.proposal(handler)[0]
        lacking = set_here_only(piece.variables, project.variables.of(handler.name, handler.settings), os.environ)
        return [*told([piece]), *([lacking] if lacking else [])]
    return []


def _absence(name: str) -> str:
    return f"{name} exists only in a notebook, not on Lambda" if is_kernels_own(name) else f"{name} is not defined yet"


def _handler_name(notebook: Notebook, text: str, magic_line: int, parsed: CellMagic) -> str:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        message = f"the cell is not valid Python: {error.msg}"
        raise CaptureError(message, "correct the cell", notebook.location(error.lineno), code="cell-syntax") from None
    return str(find_handler(tree, parsed.handler, notebook.location(magic_line)).name)


def run_body(notebook: Notebook, raw: str, body: Body, transform: bool) -> None:
    """Run a cell's body in the notebook's namespace, with the lines of the raw cell in its tracebacks."""
    __tracebackhide__ = True
    shell = notebook.shell
    lines, top = raw.split("\n"), body.magic_line
    # A comment in the magic's place keeps the lines: IPython strips blank ones from the top of a cell.
    source = shell.transform_cell("\n".join(["#"] * top + lines[top:])) if transform else body.text
    assert shell.history_manager is not None  # IPython's shells have one.
    number = len(shell.history_manager.input_hist_raw) - 1
    file_name = shell.compile.cache(source, number, raw)
    code = compile(source, file_name, "exec", dont_inherit=True)
    exec(code, shell.user_ns)  # noqa: S102 - the user's own cell


def _has_magics(raw: str, body: Body) -> bool:
    """Whether IPython must transform the lines below the cell's magic."""
    return raw.split("\n")[body.magic_line :] != body.text.split("\n")[body.magic_line :]


def names_needed(handler: LambdaFunction, namespace: Values, cells: Iterable[Cell]) -> tuple[dict[str, str], list[str]]:
    """Return the names a function takes from other cells, each with the cell, and those that nothing defines."""
    code = getattr(handler.function, "__code__", None)
    names = dict.fromkeys(_global_names(code)) if isinstance(code, CodeType) else {}
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
