"""Magics in a cell: which lines are Python, and what a magic line defines."""

from __future__ import annotations

import ast
import re
import shlex
import string
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from nbchalice.notebook.analysis.ipython_syntax import Special, cleaned, specials
from nbchalice.notebook.analysis.known_calls import words
from nbchalice.notebook.analysis.shell_calls import as_magic, plain
from nbchalice.runtime.entry_points import source_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.cells import Cell

PYTHON_BODIES = frozenset({"time", "capture", "prun"})
"""IPython's cell magics that run the cell below them as another cell, in which a second cell magic may stand."""
AUTOMAGICS = words(
    """
    alias cat cd clear conda cp env history less ls lsmagic man matplotlib mkdir more mv pip pwd rm rmdir set_env
    time timeit uv who whos
    """
)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

# %%time? is a question about the magic, and what stands below it is Python.
_CELL_MAGIC = re.compile(r"%%(\w+)\b(?!\?)\s*(.*)")
_ENV = re.compile(r"\s*%(?:set_)?env\s+([A-Za-z_]\w*)(?:\s*=\s*|\s+)(\S.*)")
_LAMBDAS_OWN = re.compile(r"AWS_\w+|LAMBDA_\w+|_\w*|TZ|LANG|PATH|LD_LIBRARY_PATH|PYTHONPATH")
_DOLLAR = re.compile(r"\$(\$|[A-Za-z_][\w.]*)")
_NAME = re.compile(r"[A-Za-z_]\w*")
# What a magic runs as a plain statement of the notebook, and what it runs in a place of its own.
_RUNS = {"time", "prun"}
_TRIES = {"timeit", "memit", "mprun"}
_WRITES = {"writefile", "file"}
_OPTIONS = re.compile(r"^(?:-\w+(?:\s+\d+)?\s+)*")
_INSTALL = re.compile(r"^\s*[!%].*\b(?:pip|pip3|conda|mamba|uv|apt|apt-get|brew)\b.*\b(?:install|add)\b")
_SHOWS = re.compile(r"^\s*%(?:matplotlib|config|load_ext|reload_ext|autoreload)\b")
_REMOVES = re.compile(r"%(reset|reset_selective)\b(?:\s+(?:-\w+|--\w+))*\s*(.*)")
_STORED = re.compile(r"--(?:out|err)[=\s]+([A-Za-z_]\w*)")


class Hidden(NamedTuple):
    """A name that a magic defines.

    Parameters
    ----------
    name : str
        The name.
    line : int
        Raw line of the magic.
    text : str
        The magic.
    binds : bool
        Whether the notebook has the name afterwards; not so for what ``%timeit`` tries.
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
    text : str
        Python text with as many lines as the raw cell.
    magic : str or None
        Name of the nbchalice cell magic, or None; also None where it only shows its help.
    magic_line : int
        Raw line of the cell magic, or 0.
    arguments : str
        The text after the nbchalice cell magic.
    hidden : tuple[Hidden, ...]
        Names that a magic defines.
    apps : tuple[tuple[int, str], ...]
        Apps named by ``%chalice app NAME``, with their raw line.
    bundles : tuple[tuple[int, str], ...]
        Names bundled by ``%chalice bundle NAME``, with their raw line.
    magics : tuple[int, ...]
        Raw lines that are magics inside a block.
    repeats : tuple[int, ...]
        Raw lines that ran any number of times (``%timeit``).
    runs : tuple[tuple[int, str], ...]
        Scripts and notebooks that ``%run`` ran, with their raw line.
    written : tuple[tuple[str, str], ...]
        Files that ``%%writefile`` wrote, with what is in them.
    removes : tuple[tuple[int, str], ...]
        Patterns of the names that ``%reset`` and ``%reset_selective`` delete, with their raw line.
    """

    text: str
    magic: str | None = None
    magic_line: int = 0
    arguments: str = ""
    hidden: tuple[Hidden, ...] = ()
    apps: tuple[tuple[int, str], ...] = ()
    bundles: tuple[tuple[int, str], ...] = ()
    magics: tuple[int, ...] = ()
    repeats: tuple[int, ...] = ()
    runs: tuple[tuple[int, str], ...] = ()
    written: tuple[tuple[str, str], ...] = ()
    removes: tuple[tuple[int, str], ...] = ()

    @property
    def shows_help(self) -> bool:
        """Whether the cell is ``%%MAGIC --help``, and runs nothing."""
        return self.magic is None and self.magic_line > 0


def read_body(raw: str) -> Body:
    """Separate the Python of a cell from its magics, as IPython would.

    Parameters
    ----------
    raw : str
        The cell as typed.

    Returns
    -------
    Body: lines keep their numbers.
    """
    return _read_body(raw, source_names())


@lru_cache(maxsize=4096)
def _read_body(raw: str, sources: frozenset[str]) -> Body:
    """Read a cell; what is a magic of ours in it depends on the sources that are installed."""
    return _read_lines(cleaned(raw).split("\n"), sources)


def _read_lines(lines: list[str], sources: frozenset[str]) -> Body:
    top = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
    head = _CELL_MAGIC.match(lines[top]) if lines else None
    if head is None:
        return _without_specials(lines)
    name, arguments = head.group(1), head.group(2).strip()
    below = [""] * (top + 1) + lines[top + 1 :]
    if name in sources:
        return _read_ours(name, arguments, top + 1, below)
    if name in PYTHON_BODIES:
        body = _read_lines(below, sources)
        captured = arguments.split()[-1:] if name == "capture" else []
        hidden = [Hidden(one, top + 1, lines[top]) for one in captured if _NAME.fullmatch(one)]
        return replace(body, hidden=(*body.hidden, *hidden))
    if name in _WRITES and arguments:
        return Body("\n" * (len(lines) - 1), written=((arguments.split()[-1], "\n".join(lines[top + 1 :])),))
    inside = _without_specials(below)
    stored = [Hidden(one, top + 1, lines[top]) for one in _STORED.findall(arguments)]
    tried = [Hidden(one, top + 1, lines[top], binds=False) for one in _assigned_in(inside.text)]
    if name in _TRIES:
        return replace(inside, hidden=tuple(tried), repeats=tuple(range(1, len(lines) + 1)))
    return Body("\n" * max(0, len(lines) - 1), hidden=(*stored, *tried))


def _read_ours(name: str, arguments: str, line: int, below: list[str]) -> Body:
    if _asks_for_help(name, arguments):
        return Body("\n" * (len(below) - 1), magic_line=line)
    return replace(_without_specials(below), magic=name, magic_line=line, arguments=arguments)


def _asks_for_help(name: str, arguments: str) -> bool:
    """Whether a cell magic of ours only shows its help: nothing below it is run."""
    if "-h" not in arguments:
        return False
    from nbchalice.errors import InvalidInputError
    from nbchalice.handlers import HelpShown, parse_cell_magic

    try:
        parse_cell_magic(name, arguments)
    except HelpShown:
        return True
    except InvalidInputError:
        return False
    return False


def _without_specials(lines: list[str]) -> Body:
    """Blank out magics, shell lines and questions; what ``%time`` runs stays, as the plain statement that it is."""
    out = list(lines)
    lines = [as_magic(line) if "get_ipython" in line else line for line in lines]
    hidden: list[Hidden] = []
    apps: list[tuple[int, str]] = []
    bundles: list[tuple[int, str]] = []
    inner: list[int] = []
    tried: list[int] = []
    runs: list[tuple[int, str]] = []
    removes: list[tuple[int, str]] = []
    timed: list[int] = []
    for special in specials(lines):
        line = special.first + 1
        runs_here = _run_by(special, _RUNS) or _set_by(special)
        statement = runs_here or _assigned_within(special) or _called_by(special)
        if not statement and (repeated := _run_by(special, _TRIES)):
            statement = repeated
            tried.append(line)
            hidden += _defined_by(special)
        # A block must not be left empty: of "if here:" with only "!ls" below it, the second line becomes pass.
        out[special.first : special.last + 1] = [statement or (special.indent and f"{special.indent}pass")] + [""] * (
            special.last - special.first
        )
        if special.indent and _run_by(special, _RUNS):
            timed.append(line)
        elif special.indent and not runs_here:
            inner.append(line)
        if statement:
            continue
        hidden += _defined_by(special)
        runs += [(line, special.text.split(None, 1)[1])] if re.match(r"%run\s+\S", special.text) else []
        removes += [(line, pattern) for pattern in _removed_by(special.text)]
        apps += [(line, name) for name in _named_by("app", special.text)]
        bundles += [(line, name) for name in _named_by("bundle", special.text) if name.isidentifier()]
    text = plain("\n".join(out))
    needed = [line for line in inner if line not in _needless(text, inner, lines)]
    needed += _in_functions(text, timed)
    named = Body(text, hidden=tuple(hidden), apps=tuple(apps), bundles=tuple(bundles), magics=tuple(needed))
    return replace(named, repeats=tuple(tried), runs=tuple(runs), removes=tuple(removes))


def _run_by(special: Special, magics: set[str]) -> str:
    """Return the statement that a magic such as ``%time x = f()`` runs, or an empty text."""
    name, _, rest = special.text.lstrip("%").partition(" ")
    if special.target or not special.text.startswith("%") or name not in magics:
        return ""
    statement = _OPTIONS.sub("", rest.strip())
    try:
        ast.parse(statement)
    except (SyntaxError, ValueError):
        return ""
    return special.indent + statement if statement else ""


def _set_by(special: Special) -> str:
    """Return what ``%env NAME=VALUE`` and ``%set_env NAME VALUE`` stand for, or an empty text.

    A variable that the function is given, as for its stage, counts more; those that Lambda itself sets count less.
    """
    setting = _ENV.fullmatch(special.text) if not special.target else None
    if setting is None:
        return ""
    name, value = repr(setting[1]), _expanded(setting[2].strip())
    does = f"[{name}] = {value}" if _LAMBDAS_OWN.fullmatch(setting[1]) else f".setdefault({name}, {value})"
    return f"{special.indent}import os as _os; _os.environ{does}"


def _expanded(text: str) -> str:
    """Return the expression of a magic's argument, in which IPython puts values for ``{expression}`` and ``$name``.

    What does not look like an expression stands for itself, for example ``{"a": 1}``.
    """
    braced = _DOLLAR.sub(lambda match: "$" if match[1] == "$" else f"{{{match[1]}}}", text)
    if "{" not in braced:
        return repr(braced)
    try:
        parts: list[ast.expr] = []
        for before, name, spec, conversion in string.Formatter().parse(braced):
            parts.append(ast.Constant(before))
            if name is not None:
                format_spec = ast.JoinedStr([ast.Constant(spec)]) if spec else None
                value = ast.parse(name, mode="eval").body
                if isinstance(value, ast.Constant):
                    return repr(text)
                parts.append(ast.FormattedValue(value, ord(conversion) if conversion else -1, format_spec))
    except (SyntaxError, ValueError):
        return repr(text)
    return ast.unparse(ast.JoinedStr(parts))


def _called_by(special: Special) -> str:
    """Return the call that ``/f x``, ``,f x`` or ``;f x`` stands for, or the ``del`` of ``%xdel x``."""
    if special.text.startswith("%xdel "):
        return f"{special.indent}del {special.text.split()[-1]}"
    if special.target or special.text[:1] not in {"/", ",", ";"}:
        return ""
    name, *words = special.text[1:].split()
    quoted = [f'"{word}"' for word in words] if special.text[0] == "," else [f'"{" ".join(words)}"']
    return f"{special.indent}{name}({', '.join(words if special.text[0] == '/' else quoted)})"


def _removed_by(text: str) -> list[str]:
    """Return the pattern of the names that ``%reset`` deletes, or ``%reset_selective PATTERN``."""
    match = _REMOVES.fullmatch(text.strip())
    if match is None or (match[1] == "reset") == bool(match[2]):  # %reset out: nothing of the notebook's
        return []
    try:
        re.compile(match[2])
    except re.error:
        return []
    return [match[2]]


def _assigned_within(special: Special) -> str:
    """Return a statement in the place of ``x = !ls`` in a block, so that the block is known to define the name."""
    return f"{special.indent}{special.target} = None" if special.target and special.indent else ""


def _needless(text: str, inner: list[int], lines: list[str]) -> set[int]:
    """Return the lines of blocks that Lambda can do without: what is installed comes along, and nothing is shown there.

    For example ``!pip install pint`` below ``except ImportError:`` or ``if "google.colab" in sys.modules:``, and
    ``%matplotlib inline`` below ``try:``.
    """
    needless = {line for line in inner if _INSTALL.search(lines[line - 1]) or _SHOWS.match(lines[line - 1])}
    return needless - set(_in_functions(text, sorted(needless)))


def _in_functions(text: str, lines: list[int]) -> list[int]:
    """Return the lines that stand in a function: what ``%time x = 3`` binds there is a variable of the notebook."""
    try:
        tree = ast.parse(text) if lines else ast.Module([], [])
    except (SyntaxError, ValueError):
        return []
    functions = [node for node in ast.walk(tree) if isinstance(node, FunctionNode)]
    return [line for line in lines if any(one.lineno < line <= (one.end_lineno or 0) for one in functions)]


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


def set_by_magics(cells: Iterable[Cell]) -> dict[str, str]:
    """Return the environment variables that ``%env`` and ``%set_env`` lines set, in the kernel only.

    Parameters
    ----------
    cells : Iterable[Cell]
        The cells, in the order in which they run.
    """
    variables: dict[str, str] = {}
    for cell in cells:
        if "env" in cell.source:
            matches = filter(None, map(_ENV.match, cell.source.splitlines()))
            variables |= {match[1]: match[2].strip() for match in matches}
    return variables
