"""What a cell magic does: run the body in the notebook and register its function."""

from __future__ import annotations

import ast

from nbchalice.errors import CaptureError, NbChaliceError
from nbchalice.handlers import CellMagic, HelpShown, parse_cell_magic
from nbchalice.notebook.analysis.handler_function import find_handler
from nbchalice.notebook.analysis.magic import Body, read_body
from nbchalice.ui.magics.handler_cards import handler_card
from nbchalice.ui.magics.notebook import Notebook
from nbchalice.ui.render.cards import TextCard


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
    if (own := getattr(function, "__name__", name)) != name:
        raise CaptureError(
            f"{name} is called {own} by its decorator, and nothing finds it by that name",
            f"put @functools.wraps(...) above def {own} in the decorator",
            notebook.location(body.magic_line),
            code="handler-kind",
        )
    decorated = getattr(chalice, magic)(**parsed.options, name=parsed.name, **parsed.settings)(function)
    for source, options in parsed.also:
        decorated = getattr(chalice, source)(**options)(decorated)
    notebook.shell.user_ns[name] = decorated
    return handler_card(notebook, notebook.register(decorated, body.magic_line))


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
