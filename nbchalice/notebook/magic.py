"""Magics in a cell: which lines are Python, what a magic line defines, and which function a cell magic deploys."""

from __future__ import annotations

import ast
import re
import shlex
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from nbchalice.errors import Location
from nbchalice.notebook.bindings import own_nodes
from nbchalice.notebook.errors import AmbiguousHandlerError, HandlerKindError, HandlerNotFoundError
from nbchalice.notebook.ipython_syntax import Special, cleaned, specials
from nbchalice.notebook.knowledge import words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.cells import Cell

SOURCES = frozenset(
    {
        "schedule",
        "on_s3_event",
        "on_sns_message",
        "on_sqs_message",
        "on_cw_event",
        "on_kinesis_record",
        "on_dynamodb_record",
        "lambda_function",
    }
)
PYTHON_BODIES = frozenset({"time", "capture", "prun"})
"""IPython's cell magics that run the cell below them as another cell, in which a second cell magic may stand."""
AUTOMAGICS = words(
    """
    alias cat cd clear conda cp history less ls lsmagic man matplotlib mkdir more mv pip pwd rm rmdir time
    timeit uv who whos
    """
)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_CELL_MAGIC = re.compile(r"%%(\w+)\s*(.*)")
_ENV = re.compile(r"\s*%(?:set_)?env\s+([A-Za-z_]\w*)(?:\s*=\s*|\s+)(\S.*)")
_NAME = re.compile(r"[A-Za-z_]\w*")
# What a magic runs as a plain statement of the notebook, and what it runs in a place of its own.
_RUNS = {"time", "prun"}
_TRIES = {"timeit", "memit", "mprun"}
_OPTIONS = re.compile(r"^(?:-\w+(?:\s+\d+)?\s+)*")
_INSTALL = re.compile(r"\b(?:install|add)\b")
_STORED = re.compile(r"--(?:out|err)[=\s]+([A-Za-z_]\w*)")


class Hidden(NamedTuple):
    """A name that a magic defines.

    Parameters
    ----------
    name: the name.
    line: raw line of the magic.
    text: the magic.
    binds: whether the notebook has the name afterwards; not so for what ``%timeit`` tries.
    """

    name: str
    line: int
    text: str
    binds: bool = True


@dataclass(frozen=True, slots=True)
class Body:
    """The Python of a cell, line for line: what is a magic in the raw cell is blank (or ``pass``) here.

    Parameters
    ----------
    text: Python text with as many lines as the raw cell.
    magic: name of the nbchalice cell magic, or None.
    magic_line: raw line of the cell magic, or 0.
    arguments: the text after the nbchalice cell magic.
    hidden: names that a magic defines.
    apps: apps named by ``%chalice app NAME``, with their raw line.
    bundles: names bundled by ``%chalice bundle NAME``, with their raw line.
    magics: raw lines that are magics inside a block.
    """

    text: str
    magic: str | None = None
    magic_line: int = 0
    arguments: str = ""
    hidden: tuple[Hidden, ...] = ()
    apps: tuple[tuple[int, str], ...] = ()
    bundles: tuple[tuple[int, str], ...] = ()
    magics: tuple[int, ...] = ()


@lru_cache(maxsize=4096)
def read_body(raw: str) -> Body:
    """Separate the Python of a cell from its magics, as IPython would.

    Parameters
    ----------
    raw: the cell as typed.

    Returns
    -------
    Body: lines keep their numbers.
    """
    return _read_lines(cleaned(raw).split("\n"))


def _read_lines(lines: list[str]) -> Body:
    top = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    found = _CELL_MAGIC.match(lines[top]) if lines else None
    if found is None:
        return _without_specials(lines)
    name, arguments = found.group(1), found.group(2).strip()
    below = [""] * (top + 1) + lines[top + 1 :]
    if name in SOURCES:
        body = _without_specials(below)
        return replace(body, magic=name, magic_line=top + 1, arguments=arguments)
    if name in PYTHON_BODIES:
        body = _read_lines(below)
        captured = arguments.split()[-1:] if name == "capture" else []
        hidden = [Hidden(one, top + 1, lines[top]) for one in captured if _NAME.fullmatch(one)]
        return replace(body, hidden=(*body.hidden, *hidden))
    inside = _without_specials(below)
    stored = [Hidden(one, top + 1, lines[top]) for one in _STORED.findall(arguments)]
    tried = [Hidden(one, top + 1, lines[top], binds=False) for one in _assigned_in(inside.text)]
    return Body("\n" * max(0, len(lines) - 1), hidden=(*stored, *tried))


def _without_specials(lines: list[str]) -> Body:
    """Blank out magics, shell lines and questions; what ``%time`` runs stays, as the plain statement that it is."""
    out = list(lines)
    hidden: list[Hidden] = []
    apps: list[tuple[int, str]] = []
    bundles: list[tuple[int, str]] = []
    inner: list[int] = []
    for special in specials(lines):
        line = special.first + 1
        statement = _run_by(special) or _assigned_within(special)
        out[special.first : special.last + 1] = [statement or (special.indent and f"{special.indent}pass")] + [""] * (
            special.last - special.first
        )
        if special.indent and not _run_by(special):
            inner.append(line)
        if statement:
            continue
        hidden += _defined_by(special)
        apps += [(line, name) for name in _named_by("app", special.text)]
        bundles += [(line, name) for name in _named_by("bundle", special.text) if name.isidentifier()]
    text = "\n".join(out)
    needed = tuple(line for line in inner if line not in _installing(text, inner, lines))
    return Body(text, hidden=tuple(hidden), apps=tuple(apps), bundles=tuple(bundles), magics=needed)


def _run_by(special: Special) -> str:
    """Return the statement that a magic such as ``%time x = f()`` runs, or an empty text."""
    name, _, rest = special.text.lstrip("%").partition(" ")
    if special.target or not special.text.startswith("%") or name not in _RUNS:
        return ""
    statement = _OPTIONS.sub("", rest.strip())
    try:
        ast.parse(statement)
    except (SyntaxError, ValueError):
        return ""
    return special.indent + statement if statement else ""


def _assigned_within(special: Special) -> str:
    """Return a statement in the place of ``x = !ls`` in a block, so that the block is known to define the name."""
    return f"{special.indent}{special.target} = None" if special.target and special.indent else ""


def _installing(text: str, inner: list[int], lines: list[str]) -> set[int]:
    """Return the lines that install what an import did not find: on Lambda it is there, so they never run.

    For example ``!pip install pint`` below ``except ImportError:``.
    """
    if not inner:
        return set()
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return set()
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and _catches_imports(node):
            found |= {line for line in inner if node.lineno < line <= (node.end_lineno or 0)}
    return {line for line in found if _INSTALL.search(lines[line - 1])}


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    caught = ast.unparse(handler.type) if handler.type is not None else "ImportError"
    return "ImportError" in caught or "ModuleNotFoundError" in caught


def _defined_by(special: Special) -> list[Hidden]:
    line, text = special.first + 1, special.text
    if special.target:
        whole = f"{special.target} = {text}"
        return [Hidden(name, line, whole) for name in _NAME.findall(special.target.split("=")[0])]
    name, _, rest = text.partition(" ")
    if name.lstrip("%") in _TRIES:
        return [Hidden(one, line, text, binds=False) for one in _assigned_in(_OPTIONS.sub("", rest.strip()))]
    if name == "%store" and rest.strip().startswith("-r"):
        return [Hidden(one, line, text) for one in _NAME.findall(rest.strip()[2:])]
    return []


def _assigned_in(text: str) -> list[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return names + [node.name for node in tree.body if isinstance(node, FunctionNode | ast.ClassDef)]


def _named_by(command: str, text: str) -> list[str]:
    """Return the name that ``%chalice COMMAND NAME`` gives."""
    try:
        words = shlex.split(text)
    except ValueError:
        return []
    if words[:2] != ["%chalice", command]:
        return []
    rest = iter(words[2:])
    for word in rest:
        if not word.startswith("-"):
            return [word]
        if "=" not in word:
            next(rest, None)  # The option's value.
    return []


def find_handler(body: ast.Module, wanted: str | None = None, location: Location | None = None) -> FunctionNode:
    """Find the function of a magic's cell that is the handler.

    Parameters
    ----------
    body: the cell's parsed Python.
    wanted: the name given by ``--handler``, or None.
    location: the place of the magic, for errors.

    Returns
    -------
    the function that takes ``(event)`` or ``(event, context)``.

    Raises
    ------
    HandlerNotFoundError: there is none, or not the wanted one.
    AmbiguousHandlerError: several could be meant.
    HandlerKindError: it is async or a generator.
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
    if not candidates:
        what = (
            f"no function of this cell takes a single argument: {listed}"
            if functions
            else "the cell defines no function"
        )
        raise HandlerNotFoundError(what, "write the handler as def name(event): ...", location)
    if len(candidates) > 1:
        names = ", ".join(node.name for node in candidates)
        raise AmbiguousHandlerError(
            f"several functions of this cell could be the handler: {names}",
            f"say which one: --handler {candidates[-1].name}",
            location,
        )
    return _plain(candidates[0], location)


def _plain(node: FunctionNode, location: Location | None) -> FunctionNode:
    if problem := kind_problem(node):
        raise HandlerKindError(*problem, location)
    return node


def kind_problem(node: ast.stmt) -> tuple[str, str] | None:
    """Say why Lambda would not run a function's body, and what to do; None for a plain function.

    Parameters
    ----------
    node: the function.
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


def decorator_text(source: str, options: dict[str, Any], name: str | None, app: str = "app") -> str:
    """Write the decorator that a cell magic stands for.

    Parameters
    ----------
    source: the decorator's name, for example ``on_sqs_message``.
    options: the trigger's options, defaults included.
    name: the handler's name if one was given.
    app: the variable that holds the app.

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
def _defaults(source: str) -> dict[str, Any]:
    import inspect

    from nbchalice.runtime.app import Chalice

    method = getattr(Chalice, source, None)
    if method is None:
        return {}
    parameters = inspect.signature(method).parameters.values()
    return {item.name: item.default for item in parameters if item.default is not inspect.Parameter.empty}


def trigger_options(source: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return a trigger's options as the decorator records them: defaults filled in, JSON-ready.

    Parameters
    ----------
    source: the decorator's name.
    options: the options given.
    """
    from nbchalice.runtime.app import Chalice

    def stub(event: Any) -> None:
        return None

    app = Chalice("stub", configure_logs=False)
    return dict(getattr(app, source)(**options)(stub).triggers[0].options)


def set_by_magics(cells: Iterable[Cell]) -> dict[str, str]:
    """Return the environment variables that ``%env`` and ``%set_env`` lines set, in the kernel only.

    Parameters
    ----------
    cells: the cells, in the order in which they run.
    """
    lines = [line for cell in cells if "env" in cell.source for line in cell.source.splitlines()]
    found = [match for line in lines if (match := _ENV.match(line))]
    return {match[1]: match[2].strip() for match in found}
