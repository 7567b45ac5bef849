"""Runs the statements captured from a notebook so that tracebacks name its cells."""

from __future__ import annotations
import __future__

import ast
import linecache
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

GENERATED = "generated"


def load_module(source: str, segments: list[dict[str, Any]], notebook: str, name: str) -> ModuleType:
    """Run ``source`` as the module ``name`` and return it.

    Every frame is ``<notebook>#<cell>`` with the line in the raw cell; ``linecache`` holds the text, so that plain
    tracebacks and ``inspect.getsource`` show it. Statements of no segment belong to ``<notebook>#generated``.

    Parameters
    ----------
    source: the module's text.
    segments: which lines come from where: ``{"cell": label, "line": first line in source, "count": lines,
        "cell_line": first line in the raw cell}``.
    notebook: file name of the notebook.
    name: name of the module, put in ``sys.modules``.

    Raises SyntaxError with the cell and line, and what the statements raise; the module is then not left behind.
    """
    layout = _Layout(source, segments, notebook)
    module = ModuleType(name)
    sys.modules[name] = module
    try:
        for code in layout.compile():
            exec(code, module.__dict__)  # noqa: S102
    except BaseException:
        del sys.modules[name]
        raise
    return module


class _Layout:
    """Where each line of the module stands in the notebook."""

    def __init__(self, source: str, segments: list[dict[str, Any]], notebook: str) -> None:
        self.source = source
        self.notebook = notebook
        self.generated = f"{notebook}#{GENERATED}"
        self.lines: dict[int, tuple[str, int, int]] = {}
        text = source.splitlines()
        files: dict[str, dict[int, str]] = {self.generated: dict(enumerate(text, 1))}
        for segment in segments:
            file = f"{notebook}#{segment['cell']}"
            cell = files.setdefault(file, {})
            for offset in range(segment["count"]):
                line, cell_line = segment["line"] + offset, segment["cell_line"] + offset
                new = text[line - 1] if line <= len(text) else ""
                self.lines[line] = (file, cell_line, _place(cell, cell_line, new))
        for file, cell in files.items():
            _seed(file, cell)

    def compile(self) -> Iterator[Any]:
        """Yield the code of each top-level statement, under its cell's file name."""
        flags = 0
        for statement in self._parse().body:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                for alias in statement.names:
                    feature = getattr(__future__, alias.name, None)
                    flags |= feature.compiler_flag if feature else 0
            file = self._move(statement)
            yield compile(ast.Module([statement], []), file, "exec", flags, dont_inherit=True)

    def _parse(self) -> ast.Module:
        try:
            return ast.parse(self.source, self.generated)
        except SyntaxError as error:
            file, line, _ = self.lines.get(error.lineno or 0, (self.generated, error.lineno, 0))
            error.filename, error.lineno, error.end_lineno = file, line, line
            raise

    def _move(self, statement: ast.stmt) -> str:
        """Give the nodes of ``statement`` their lines in the raw cell; return its file name."""
        end = statement.end_lineno or statement.lineno
        known = next((n for n in range(statement.lineno, end + 1) if n in self.lines), None)
        if known is None:
            return self.generated
        file, cell_line, _ = self.lines[known]
        shift = cell_line - known
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                self._move_node(node, shift)
        return file

    def _move_node(self, node: Any, shift: int) -> None:
        first, last = node.lineno, node.end_lineno
        node.lineno, node.end_lineno = max(1, first + shift), max(1, last + shift)
        if first + shift < 1:
            # Written by a magic and above the cell's first line: no column of the cell fits.
            node.col_offset = node.end_col_offset = 0
            return
        node.col_offset += self.lines.get(first, ("", 0, 0))[2]
        node.end_col_offset += self.lines.get(last, ("", 0, 0))[2]


def _place(cell: dict[int, str], line: int, text: str) -> int:
    """Put ``text`` on a line of the cell; return how many bytes it moved to the right.

    Several statements of one raw line (``a = 1; b = 2``) are lines of their own in the module.
    """
    before = cell.get(line)
    if not before or before == text:
        cell[line] = text
        return 0
    start = before.find(text.strip())
    if start < 0:
        cell[line] = f"{before}; {text}"
        start = len(before) + 2
    return len(cell[line][:start].encode())


def _seed(file: str, cell: dict[int, str]) -> None:
    lines = [cell.get(number, "") + "\n" for number in range(1, max(cell, default=0) + 1)]
    # Without a modification time checkcache keeps the entry though no such file exists.
    linecache.cache[file] = (sum(map(len, lines)), None, lines, file)
