"""The magics: a cell magic for each event source, and `%chalice COMMAND`."""

from __future__ import annotations

import ast
import builtins
import dis
import shlex
from collections.abc import Iterator
from types import CodeType
from typing import Any

from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.handlers import CellMagic, HelpShown, parse_cell_magic
from nbchalice.notebook.errors import UnparsableCellError
from nbchalice.notebook.magic import find_handler, read_body
from nbchalice.runtime.app import LambdaFunction
from nbchalice.sources import SOURCES
from nbchalice.ui.cards import HandlerCard, TextCard
from nbchalice.ui.notebook import Notebook

LOADED = "_nbchalice"


def load(shell: Any) -> None:
    """Register the magics with a shell; loading again changes nothing."""
    if getattr(shell, LOADED, None) is not None:
        return
    notebook = Notebook(shell)
    notebook.attach()
    setattr(shell, LOADED, notebook)
    for name in SOURCES:
        shell.register_magic_function(_cell_magic(notebook, name), "cell", name)
    shell.register_magic_function(_line_magic(notebook), "line", "chalice")
    shell.input_transformers_cleanup.append(drop_lines_above_magic)


def unload(shell: Any) -> None:
    """Take the magics away."""
    notebook = getattr(shell, LOADED, None)
    if notebook is None:
        return
    notebook.detach()
    setattr(shell, LOADED, None)
    for name in SOURCES:
        shell.magics_manager.magics["cell"].pop(name, None)
    shell.magics_manager.magics["line"].pop("chalice", None)
    shell.input_transformers_cleanup.remove(drop_lines_above_magic)


def drop_lines_above_magic(lines: list[str]) -> list[str]:
    """Let comments and blank lines stand above one of our cell magics."""
    for index, line in enumerate(lines):
        if line.startswith("%%"):
            ours = line[2:].split(maxsplit=1)[:1]
            return lines[index:] if ours and ours[0] in SOURCES else lines
        if line.strip() and not line.lstrip().startswith("#"):
            return lines
    return lines


def _cell_magic(notebook: Notebook, name: str) -> Any:
    def run(line: str, cell: str) -> Any:
        __tracebackhide__ = True
        return run_cell_magic(notebook, name, line, cell)

    run.__name__ = name
    run.__doc__ = f"Register the cell's function as a handler of {SOURCES[name].title} events (%%{name} --help)."
    # JSON options hold braces, and a notebook that is read, not run, knows no values: nothing is expanded.
    run._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]
    return run


def _line_magic(notebook: Notebook) -> Any:
    def chalice(line: str) -> Any:
        """Run a command of nbchalice: %chalice --help lists them."""
        __tracebackhide__ = True
        return run_command(notebook, line)

    chalice._ipython_magic_no_var_expand = True  # type: ignore[attr-defined]
    return chalice


def run_cell_magic(notebook: Notebook, magic: str, line: str, cell: str) -> Any:
    """Run the cell's body in the notebook and register its handler; returns the handler's card."""
    __tracebackhide__ = True
    raw = notebook.raw_cell() or f"%%{magic} {line}\n{cell}"
    body = read_body(raw)
    try:
        parsed = parse_cell_magic(magic, line)
    except HelpShown as help:
        return TextCard(f"%%{magic}", str(help))
    except NbChaliceError as error:
        error.location = notebook.here(body.magic_line)
        raise
    name = _handler_name(notebook, body.text, body.magic_line, parsed)
    chalice = notebook.chalice()
    run_body(notebook, raw, body.text, bool(body.magics) or body.text.count("\n") != raw.count("\n"))
    function = notebook.shell.user_ns[name]
    made = getattr(chalice, magic)(**parsed.options, name=parsed.name, **parsed.settings)(function)
    notebook.shell.user_ns[name] = made
    registered = notebook.register(made, body.magic_line)
    project = notebook.project()
    handler = project.handler(made.name)
    needs, missing = names_needed(made, notebook.shell.user_ns, raw)
    notes = [f"{name} is not defined yet" for name in missing]
    del registered
    return HandlerCard(handler, project.name, project.stage, needs, notes)


def _handler_name(notebook: Notebook, text: str, magic_line: int, parsed: CellMagic) -> str:
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        message = f"the cell is not valid Python: {error.msg}"
        raise UnparsableCellError(message, "correct the cell", notebook.here(error.lineno)) from None
    return str(find_handler(tree, parsed.handler, notebook.here(magic_line)).name)


def run_body(notebook: Notebook, raw: str, text: str, transform: bool) -> None:
    """Run a cell's body in the notebook's namespace, with the lines of the raw cell in its tracebacks."""
    __tracebackhide__ = True
    shell = notebook.shell
    lines = raw.split("\n")
    top = next(i for i, line in enumerate(lines) if line.startswith("%%"))
    # A comment in the magic's place keeps the lines: IPython strips blank ones from the top of a cell.
    source = shell.transform_cell("\n".join(["#"] * (top + 1) + lines[top + 1 :])) if transform else text
    number = len(shell.history_manager.input_hist_raw) - 1
    file_name = shell.compile.cache(source, number, raw)
    code = compile(source, file_name, "exec", dont_inherit=True)
    exec(code, shell.user_ns)  # noqa: S102 - the user's own cell


def names_needed(made: LambdaFunction, namespace: dict[str, Any], raw: str) -> tuple[dict[str, str], list[str]]:
    """Return the names a function takes from other cells, each with its kind, and those that nothing defines."""
    code = getattr(made.function, "__code__", None)
    names = dict.fromkeys(_global_names(code)) if isinstance(code, CodeType) else {}
    own = _assigned(raw)
    needs: dict[str, str] = {}
    missing = []
    for name in names:
        if name in namespace:
            if name not in own:
                needs[name] = type(namespace[name]).__name__
        elif not hasattr(builtins, name):
            missing.append(name)
    return needs, missing


def _global_names(code: CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


def _assigned(raw: str) -> set[str]:
    tree = ast.parse(read_body(raw).text)
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    return names


def run_command(notebook: Notebook, line: str) -> Any:
    """Run `%chalice COMMAND ...` and return what it shows; alone it shows the status."""
    __tracebackhide__ = True
    from nbchalice.ui import commands

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidInputError(f"%chalice: {error} in {line!r}", "close the quote") from None
    name, *rest = words or ["status"]
    if name in {"--help", "-h", "help"}:
        return TextCard("%chalice", commands.overview("%chalice"))
    if name == "app":
        return name_app(notebook, rest)
    found = commands.COMMANDS.get(name)
    if found is None:
        raise commands.no_such_command(name, "%chalice")
    return run_parsed(notebook, found, rest)


def run_parsed(notebook: Notebook, found: Any, rest: list[str]) -> Any:
    """Run a command with its words; streams are shown as they come."""
    __tracebackhide__ = True
    import click
    from IPython.display import display

    from nbchalice.aws.errors import explain
    from nbchalice.ui import commands

    try:
        values = commands.parse(found, rest)
    except click.exceptions.Exit:
        return None
    notebook.choose(values.pop("stage", None), values.pop("target", None))
    try:
        result = found.run(notebook, **values)
        if isinstance(result, Iterator):
            for one in result:
                display(one)
            return None
    except KeyboardInterrupt:
        return None
    except NbChaliceError:
        raise
    except Exception as error:
        if type(error).__module__.startswith(("botocore", "boto3", "urllib3")):
            raise explain(error, f"%chalice {found.name}") from None
        raise
    return result


def name_app(notebook: Notebook, words: list[str]) -> TextCard:
    """`%chalice app NAME [--stage STAGE] [--target local|aws]`."""
    import re

    from nbchalice.ui import commands

    values = commands.parse(commands.APP, words)
    name = values["name"]
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise InvalidInputError(f"app name {name!r} may have letters, digits, - and _", "%chalice app NAME")
    notebook.name_app(name)
    notebook.stage = values["stage"] or notebook.stage
    notebook.target = values["target"] or notebook.target
    text = f"app {name}, stage {notebook.stage}, target {notebook.target}"
    data = {"app": name, "stage": notebook.stage, "target": notebook.target}
    return TextCard("nbchalice", text, data)
