"""A cell as its top-level statements, each with its verbatim text and what it does to the notebook's names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

from nbchalice.errors import NbChaliceError
from nbchalice.notebook.analysis.bindings import bound_by_text, defers_annotations, origin_of, surely_bound
from nbchalice.notebook.analysis.handler_function import find_handler
from nbchalice.notebook.analysis.immutable import immutable_names, shares_objects
from nbchalice.notebook.analysis.magic import AUTOMAGICS, Body, read_body
from nbchalice.notebook.analysis.model import NONE, Alias, Kind, Mark, Statement
from nbchalice.notebook.analysis.scan import Scanner
from nbchalice.runtime.entry_points import source_names

_MARK = re.compile(r"#\s*nbchalice:\s*(include|exclude)\b")
_WANTED = re.compile(r"--handler[=\s]\s*['\"]?(\w+)")
_BINDS_BY_TEXT = re.compile(r"\b(?:exec|eval|globals)\s*\(")
_COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


@dataclass(frozen=True, slots=True)
class Split:
    """The statements of a cell.

    Parameters
    ----------
    statements : tuple[Statement, ...]
        In their order; the expansions of ``%chalice app`` among them.
    body : Body
        The Python and the magics of the cell.
    handler : str or None
        Name of the handler function of a magic cell, or None.
    problem : tuple[int, str] or None
        Why the cell is not Python, as (line, message), or None.
    handler_error : NbChaliceError or None
        Why a magic cell has no handler, or None.
    """

    statements: tuple[Statement, ...]
    body: Body
    handler: str | None = None
    problem: tuple[int, str] | None = None
    handler_error: NbChaliceError | None = None


def split_cell(raw: str, lazy_annotations: bool = False) -> Split:
    """Split a cell into its top-level statements.

    Parameters
    ----------
    raw : str
        The cell as typed.
    lazy_annotations : bool
        Whether ``from __future__ import annotations`` is in force.

    Returns
    -------
    Split: with no statements and a ``problem`` if the cell is not Python.
    """
    return _split_cell(raw, lazy_annotations, source_names())


@lru_cache(maxsize=4096)
def _split_cell(raw: str, lazy_annotations: bool, sources: frozenset[str]) -> Split:
    """Split a cell; what is a magic of ours in it depends on the sources that are installed."""
    text = raw.replace("\r\n", "\n").replace("\r", "\n")
    body = read_body(text)
    try:
        body, tree = _parse(body, text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None) or 1
        return Split((), body, problem=(line, getattr(error, "msg", None) or str(error)))
    handler, trouble = None, None
    if body.magic is not None:
        try:
            wanted = _WANTED.search(body.arguments)
            handler = find_handler(tree, wanted.group(1) if wanted else None).name
        except NbChaliceError as error:
            trouble = error
    lines = body.text.split("\n")
    lazy_annotations = lazy_annotations or any(map(defers_annotations, tree.body))
    statements = [
        _statement(node, lines, _before(tree.body, index), _after(tree.body, index), lazy_annotations)
        for index, node in enumerate(tree.body)
        if node.lineno not in body.repeats
    ]
    # %timeit runs its statements in a function: what they bind is not a name of the notebook.
    if repeated := [node for node in tree.body if node.lineno in body.repeats]:
        statements.append(_repeated(repeated, lines))
    if handler is not None:
        statements = _mark_handler(statements, tree, handler)
    for line, name in body.apps:
        statements += app_statements(name, line)
    statements += [magic_statement(hidden.name, hidden.text, hidden.line) for hidden in body.hidden if hidden.binds]
    statements.sort(key=lambda statement: statement.head)
    return Split(tuple(statements), body, handler, None, trouble)


def app_statements(name: str, line: int) -> list[Statement]:
    """Return the statements that ``%chalice app NAME`` stands for.

    Parameters
    ----------
    name : str
        The app's name.
    line : int
        Raw line of the magic.
    """
    return _written(["from nbchalice import Chalice", f"app = Chalice(app_name={name!r})"], line)


def assigning_statement(text: str, line: int) -> Statement:
    """Return an assignment that a magic's line stands for.

    Parameters
    ----------
    text : str
        The assignment.
    line : int
        Raw line of the magic.
    """
    (statement,) = _written([text], line)
    return statement


def bundle_statements(name: str, needs: Iterable[str], line: int) -> list[Statement]:
    """Return the statements that ``%chalice bundle NAME`` stands for.

    Parameters
    ----------
    name : str
        The bundled variable.
    needs : Iterable[str]
        Classes and functions of the notebook that must stand before it is loaded.
    line : int
        Raw line of the magic.
    """
    loader = "from nbchalice.runtime.bundles import load_bundle"
    *before, load = _written([loader, f"{name} = load_bundle({name!r})"], line)
    return [*before, replace(load, now=replace(load.now, uses=load.now.uses | frozenset(needs)))]


def magic_statement(name: str, magic: str, line: int) -> Statement:
    """Return the definition of a name by a magic; it replaces earlier ones, and cannot be shipped.

    Parameters
    ----------
    name : str
        The name.
    magic : str
        The magic's text.
    line : int
        Its raw line.
    """
    (statement,) = _written([f"{name} = None"], line)
    return replace(statement, text=magic, kind=Kind.MAGIC, shallow={})


def _repeated(nodes: list[ast.stmt], lines: list[str]) -> Statement:
    """Return what ``%timeit`` ran: the body of a function, whose names are its own."""
    arguments = ast.arguments([], [], None, [], [], None, [])
    function = ast.copy_location(ast.FunctionDef("timeit", arguments, nodes, []), nodes[0])
    scanner = Scanner()
    scanner.visit(ast.fix_missing_locations(function))
    now = replace(scanner.later[-1].block(), name="", returns=NONE)
    first, last = nodes[0].lineno, nodes[-1].end_lineno or nodes[-1].lineno
    text, nothing = "\n".join(lines[first - 1 : last]), frozenset[str]()
    statement = Statement(text, first, first, last, Kind.EXPRESSION, nothing, now.assigns, nothing, nothing, now, ())
    return replace(statement, repeats=True)


def _written(texts: Iterable[str], line: int) -> list[Statement]:
    """Return statements that no cell holds but a magic's line stands for."""
    statements = []
    for text in texts:
        node = ast.parse(text).body[0]
        statements.append(replace(_statement(node, [text], 0, None, False), line=line, head=line, end=line))
    return statements


def _parse(body: Body, raw: str) -> tuple[Body, ast.Module]:
    """Parse; a line that only automagic can explain (``cd data``, ``ls -l``) counts as a magic."""
    lines = raw.split("\n")
    while True:
        try:
            return body, ast.parse(body.text)
        except SyntaxError as error:
            at = (error.lineno or 0) - 1
            words = lines[at].split() if 0 <= at < len(lines) else []
            if not words or words[0] not in AUTOMAGICS:
                raise
            lines[at] = "%" + lines[at]
            body = read_body("\n".join(lines))


def _mark_handler(statements: list[Statement], tree: ast.Module, handler: str) -> list[Statement]:
    last = max(i for i, node in enumerate(tree.body) if getattr(node, "name", None) == handler)
    return [*statements[:last], replace(statements[last], handler=True), *statements[last + 1 :]]


def _before(nodes: list[ast.stmt], index: int) -> int:
    return (nodes[index - 1].end_lineno or 0) if index else 0


def _after(nodes: list[ast.stmt], index: int) -> ast.stmt | None:
    return nodes[index + 1] if index + 1 < len(nodes) else None


def _statement(
    node: ast.stmt, lines: list[str], before: int, after: ast.stmt | None, lazy_annotations: bool
) -> Statement:
    head = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
    first, text, end = _verbatim(node, lines, head, before, after)
    scanner = Scanner(lazy_annotations, walrus=":=" in text)
    scanner.visit(node)
    now = scanner.now.block()
    later = tuple(gatherer.block() for gatherer in scanner.later)
    called_later = frozenset[str]().union(*(block.uses for block in later if block.name != "<annotation>"))
    # What only annotations read may be missing: nothing evaluates def f(x: Frame) where they are lazy.
    annotated = frozenset[str]().union(*(block.uses for block in later if block.name == "<annotation>"))
    definite = surely_bound(node)
    mark = _MARK.search(text) if "nbchalice:" in text else None
    by_text = bound_by_text(node) if _BINDS_BY_TEXT.search(text) else set()
    aliases = tuple(_aliases(node))
    return Statement(
        text=text,
        line=first,
        head=head,
        end=end,
        kind=_kind(node, aliases),
        defines=frozenset(definite),
        may_define=(now.assigns | by_text) - definite,
        deletes=frozenset(scanner.deletes),
        guarded=frozenset(scanner.guarded) | (annotated - called_later - now.uses),
        now=now,
        later=later,
        shallow=immutable_names(node),
        imports=aliases,
        bases=_bases(node),
        decorators=_decorators(node),
        mark=Mark(mark.group(1)) if mark else None,
        awaits=scanner.awaits,
        shares=shares_objects(node),
        uses_later=called_later | annotated,
        origin=origin_of(node),
    )


def _verbatim(node: ast.stmt, lines: list[str], head: int, before: int, after: ast.stmt | None) -> tuple[int, str, int]:
    """Cut a statement's text out: leading comments in, neighbours on the same line out."""
    end = node.end_lineno or head
    shared = before == head
    first = head
    while not shared and first - 2 >= before and lines[first - 2].lstrip().startswith("#"):
        first -= 1
    piece = lines[first - 1 : end]
    if after is not None and after.lineno == end:
        cut = node.end_col_offset or 0
        piece[-1] = piece[-1].encode()[:cut].decode()
    if shared:
        piece[0] = piece[0].encode()[node.col_offset :].decode()
    # Only the last line: blanks at the end of the others may be in a text of several lines.
    piece[-1] = piece[-1].rstrip()
    return first, "\n".join(piece), end


def _kind(node: ast.stmt, aliases: tuple[Alias, ...]) -> Kind:  # noqa: PLR0911 - one return for each kind
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return Kind.FUTURE
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return Kind.STAR if aliases and aliases[0].name == "*" else Kind.IMPORT
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return Kind.FUNCTION
    if isinstance(node, ast.ClassDef):
        return Kind.CLASS
    if isinstance(node, ast.Expr):
        return Kind.NOTHING if isinstance(node.value, ast.Constant) else Kind.EXPRESSION
    if isinstance(node, _COMPOUND):
        return Kind.COMPOUND
    return Kind.NOTHING if isinstance(node, (ast.Pass, ast.Global)) else Kind.ASSIGN


def _aliases(node: ast.stmt) -> list[Alias]:
    if isinstance(node, ast.Import):
        return [
            Alias(item.asname or item.name.split(".")[0], item.name, None, _import_text(item)) for item in node.names
        ]
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return [Alias(item.asname or item.name, module, item.name, _import_text(item)) for item in node.names]
    if isinstance(node, _COMPOUND):
        imports = [part for part in ast.walk(node) if isinstance(part, (ast.Import, ast.ImportFrom))]
        return list(chain.from_iterable(map(_aliases, imports)))
    return []


def _import_text(item: ast.alias) -> str:
    return f"{item.name} as {item.asname}" if item.asname else item.name


def _bases(node: ast.stmt) -> frozenset[str]:
    if not isinstance(node, ast.ClassDef):
        return frozenset()
    bases = [*node.bases, *(item.value for item in node.keywords)]
    parts = chain.from_iterable(map(ast.walk, bases))
    return frozenset(part.id for part in parts if isinstance(part, ast.Name))


def _decorators(node: ast.stmt) -> tuple[tuple[str, tuple[str, ...]], ...]:
    decorators = []
    for decorator in getattr(node, "decorator_list", []):
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        path: list[str] = []
        while isinstance(target, ast.Attribute):
            path.insert(0, target.attr)
            target = target.value
        decorators.append((target.id if isinstance(target, ast.Name) else "", tuple(path)))
    return tuple(decorators)
