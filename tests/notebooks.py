"""Notebook files, for tests of what reads them."""

import nbformat
from nbformat.v4 import new_code_cell, new_notebook


def write(path, cells):
    """Write code cells as a notebook's file, and return its path."""
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), path)
    return path
