"""One ``app.py`` of several handlers' slices: each statement once, in the order in which the notebook ran them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

from nbchalice.export.code import Source
from nbchalice.export.rewrite import for_chalice
from nbchalice.moving import first_line
from nbchalice.notebook.analysis.history import Timeline
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.capture.render import render
from nbchalice.notebook.capture.slice import Slice

LOG_LEVEL = '.log.setLevel("INFO")  # as in the notebook; Chalice\'s own is ERROR'


def together(pieces: Sequence[Slice], timeline: Timeline) -> Slice:
    """Return the slice that holds several.

    Parameters
    ----------
    pieces : Sequence[Slice]
        Those of the handlers; one at least.
    timeline : Timeline
        The notebook that they were cut out of.
    """
    every: set[int] = set()
    for piece in pieces:
        every |= set(piece.positions)
    positions = sorted(every)
    steps = [timeline.steps[position] for position in positions]
    futures = [one for one in timeline.steps if one.statement.kind is Kind.FUTURE and one.position < positions[-1]]
    steps = [*futures[:1], *(step for step in steps if step.statement.kind is not Kind.FUTURE)]
    used: set[str] = set()
    for piece in pieces:
        used |= set(_names(ast.parse(piece.module)))
    module, segments = render(steps, frozenset(used), timeline.notebook)
    return replace(pieces[0], module=module, segments=segments, positions=tuple(positions))


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield the names of a module that was narrowed to what it uses, those of its imports included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        if isinstance(node, ast.Name):
            yield node.id


def app_text(whole: Slice, beside: Sequence[str]) -> str:
    """Return the text of ``app.py``.

    Parameters
    ----------
    whole : Slice
        The statements, with nbchalice's names.
    beside : Sequence[str]
        The texts of the local modules that come along.
    """
    app = Source(whole.module).app
    logs = any(".log." in text for text in (whole.module, *beside))
    text = _tidy(for_chalice(whole.module), app if logs else "")
    if app != "app":
        text += f"\napp = {app}  # the name that Chalice looks for\n"
    return f'"""The event handlers of {whole.notebook}, exported by nbchalice."""\n\n{text}'


def _tidy(text: str, logs_of: str) -> str:
    """Return a module without the marks of cells between its statements, with the blank lines that people leave."""
    lines, done = text.split("\n"), 0
    tree = ast.parse(text)
    of_chalice = [node for node in tree.body if isinstance(node, ast.ImportFrom) and _is_of_chalice(node)]
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    out = "".join(f"{ast.unparse(node)}\n" for node in futures) + "".join(_imports(of_chalice))
    previous: ast.stmt | None = of_chalice[0] if of_chalice else None
    for node in tree.body:
        if first_line(node) <= done or node in of_chalice or node in futures:
            continue  # a = 1; b = 2
        end = max(one.end_lineno or one.lineno for one in tree.body if first_line(one) <= (node.end_lineno or 0))
        chunk = "\n".join(lines[first_line(node) - 1 : end])
        out += _gap(previous, node) + chunk + "\n"
        if logs_of and _makes(node, logs_of):
            out += logs_of + LOG_LEVEL + "\n"
            logs_of = ""
        previous, done = node, end
    return out


def _is_of_chalice(node: ast.ImportFrom) -> bool:
    return (node.module or "").partition(".")[0] == "chalice"


def _imports(nodes: Sequence[ast.ImportFrom]) -> Iterator[str]:
    """Yield the imports of Chalice, one for each of its modules: they come first."""
    names: dict[str, set[str]] = {}
    for node in nodes:
        names.setdefault(node.module or "", set()).update(map(ast.unparse, node.names))
    for module in sorted(names):
        yield f"from {module} import {', '.join(sorted(names[module]))}\n"


def _makes(node: ast.stmt, app: str) -> bool:
    is_target = isinstance(node, ast.Assign) and app in {one.id for one in node.targets if isinstance(one, ast.Name)}
    quiet = isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _is_debug(node.value)
    return is_target and not quiet


def _is_debug(call: ast.Call) -> bool:
    """Whether an app is made with a level of its own: ``Chalice("shop", debug=True)``."""
    return len(call.args) > 1 or any(word.arg in {"debug", "configure_logs"} for word in call.keywords)


def _gap(previous: ast.stmt | None, node: ast.stmt) -> str:
    blocks = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    imports = (ast.Import, ast.ImportFrom)
    if previous is None:
        return ""
    if isinstance(previous, blocks) or isinstance(node, blocks):
        return "\n\n"
    return "" if isinstance(previous, imports) == isinstance(node, imports) else "\n"
