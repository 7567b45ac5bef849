"""Runs the statements captured from a notebook so that tracebacks name its cells."""

from __future__ import annotations
import __future__

import ast

from .compiled import run_statements, seed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType, ModuleType

    from .compiled import Lines, Statements

GENERATED = "generated"
_POSITIONED = (
    ast.stmt,
    ast.expr,
    ast.excepthandler,
    ast.arg,
    ast.keyword,
    ast.alias,
    ast.pattern,
    getattr(ast, "type_param", ast.alias),  # new in Python 3.12
)


class Segment:
    """Which lines of the module are which lines of a cell: one piece of the source map, a statement as a rule.

    Parameters
    ----------
    cell : str
        The cell's label.
    id : str
        The cell's id.
    line : int
        The first line in the module.
    count : int
        How many lines.
    cell_line : int
        The first line in the raw cell.
    """

    def __init__(self, cell: str, id: str, line: int, count: int, cell_line: int) -> None:
        self.cell, self.id, self.line, self.count, self.cell_line = cell, id, line, count, cell_line

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segment) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        return f"Segment({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


def load_module(
    source: str,
    segments: Iterable[Segment],
    notebook: str,
    name: str,
    load: Callable[[str], object] | None = None,
    *,
    run: Callable[[CodeType, dict[str, object]], None] = exec,
) -> ModuleType:
    """Run ``source`` as the module ``name`` and return it.

    Every frame is ``<notebook>#<cell>`` with the line in the raw cell; ``linecache`` holds the text, so that plain
    tracebacks and ``inspect.getsource`` show it. Statements of no segment belong to ``<notebook>#generated``.

    Parameters
    ----------
    source : str
        The module's text.
    segments : Iterable[Segment]
        Which lines come from where.
    notebook : str
        File name of the notebook.
    name : str
        Name of the module, put in ``sys.modules``.
    load : Callable[[str], object] or None
        Returns a bundled object when its name is first looked up. Default: that of the deployment package.
    run : Callable[[CodeType, dict[str, object]], None]
        Runs the code of one statement in the module. Default: ``exec``.

    Raises SyntaxError with the cell and line, and what the statements raise; the module is then not left behind.
    """
    statements, lines = compile_module(source, segments, notebook)
    seed(lines)
    return run_statements(name, statements, load, run)


def compile_module(source: str, segments: Iterable[Segment], notebook: str) -> tuple[Statements, Lines]:
    """Return the code of each statement of a module, and the lines of the cells for ``compiled.seed``.

    Parameters
    ----------
    source : str
        The module's text.
    segments : Iterable[Segment]
        Which lines come from where.
    notebook : str
        File name of the notebook.

    Raises SyntaxError with the cell and line.
    """
    layout = _Layout(source, segments, notebook)
    return layout.compiled(), layout.cells()


class _Layout:
    """Where each line of the module stands in the notebook.

    ``lines`` has, for a line of the module, its file name, its line in the raw cell, and by how many bytes it stands
    further right there. ``files`` has the known lines of each cell.
    """

    def __init__(self, source: str, segments: Iterable[Segment], notebook: str) -> None:
        self.source = source
        self.text = source.splitlines()
        self.generated = f"{notebook}#{GENERATED}"
        self.lines: dict[int, tuple[str, int, int]] = {}
        self.files: dict[str, dict[int, str]] = {self.generated: dict(enumerate(self.text, 1))}
        for segment in segments:
            for offset in range(segment.count):
                self._add(segment.line + offset, f"{notebook}#{segment.cell}", segment.cell_line + offset)

    def cells(self) -> Lines:
        """Return the lines of each cell by its file name."""
        return {file: _lines(cell) for file, cell in self.files.items()}

    def compiled(self) -> Statements:
        """Return the code of each top-level statement, under its cell's file name.

        With it comes the name that the statement loads a bundle into, if that is all it does.
        """
        statements = self._parse().body
        placed = [(statement, self._place(statement)) for statement in statements]
        flags = 0
        codes = []
        # Without the import a load_bundle is some function of the notebook.
        has_bundles = any(isinstance(s, ast.ImportFrom) and s.module == f"{__package__}.bundles" for s in statements)
        for statement, file in placed:
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                for alias in statement.names:
                    flags |= getattr(__future__, alias.name, __future__.annotations).compiler_flag
            code = compile(ast.Module([statement], []), file, "exec", flags, dont_inherit=True, optimize=0)
            codes.append((code, _bundled(statement) if has_bundles else None))
        return codes

    def _add(self, line: int, file: str, cell_line: int) -> None:
        """Note that ``line`` of the module is ``cell_line`` of ``file``.

        Several statements of one raw line (``a = 1; b = 2``) are lines of their own in the module.
        """
        cell = self.files.setdefault(file, {})
        text = self.text[line - 1] if line <= len(self.text) else ""
        parts = cell[cell_line].split("; ") if cell.get(cell_line) and text else []
        if text not in parts:
            parts.append(text)
            cell[cell_line] = "; ".join(parts) if text else cell.get(cell_line, "")
        before = "".join(f"{part}; " for part in parts[: parts.index(text)])
        self.lines[line] = (file, cell_line, len(before.encode()))

    def _parse(self) -> ast.Module:
        try:
            return ast.parse(self.source, self.generated)
        except SyntaxError as error:
            file, line, _ = self.lines.get(error.lineno or 0, (self.generated, error.lineno, 0))
            error.filename, error.lineno, error.end_lineno = file, line, line
            raise

    def _place(self, statement: ast.stmt) -> str:
        """Give the nodes of ``statement`` their lines in the raw cell; return its file name."""
        first = min([statement.lineno, *(node.lineno for node in getattr(statement, "decorator_list", []))])
        lines = range(first, (statement.end_lineno or statement.lineno) + 1)
        known = next((line for line in lines if line in self.lines), None)
        if known is None:
            return self.generated
        file, cell_line, _ = self.lines[known]
        for line in lines:
            # A decorator written by a magic has no line of its own in the cell: it takes that of the magic.
            if line not in self.lines:
                self._add(line, file, max(1, line + cell_line - known))
        for node in ast.walk(statement):
            if isinstance(node, _POSITIONED):
                node.lineno, node.col_offset = self._moved(node.lineno, node.col_offset)
                node.end_lineno, node.end_col_offset = self._moved(node.end_lineno or 1, node.end_col_offset or 0)
        return file

    def _moved(self, line: int, column: int) -> tuple[int, int]:
        _, cell_line, right = self.lines[line]
        return cell_line, column + right


def _bundled(statement: ast.stmt) -> str | None:
    """Return NAME of ``NAME = load_bundle("NAME")``."""
    match statement:
        case ast.Assign([ast.Name(name)], ast.Call(ast.Name("load_bundle"), [ast.Constant(value)], [])):
            return name if name == value else None
    return None


def _lines(cell: dict[int, str]) -> list[str]:
    return [cell.get(number, "") + "\n" for number in range(1, max(cell, default=0) + 1)]
