"""Runs cells without IPython, for tests that run very many."""

import ast

from nbchalice.notebook.cells import Cell


def run_cells(sources, space):
    """Run cells with some variables as a kernel does, statement by statement: a cell ends at its first error."""
    cells = []
    for order, source in enumerate(sources):
        failed = None
        for node in ast.parse(source).body:
            try:
                exec(compile(ast.Module([node], []), f"<cell {order}>", "exec"), space)
            except Exception:
                failed = node.lineno
                break
        cells.append(Cell(f"c{order}", f"cell {order + 1}", source, order, failed is None, failed))
    return cells
