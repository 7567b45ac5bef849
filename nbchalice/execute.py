"""Runs a notebook from top to bottom in a kernel of its own, as `--execute` asks for."""

from __future__ import annotations

from pathlib import Path

from nbchalice.errors import InvalidInputError, NbChaliceError


def execute_notebook(path: Path) -> None:
    """Execute a notebook; its file is not changed.

    Parameters
    ----------
    path: the ``.ipynb``; its folder is the working directory.

    Raises
    ------
    InvalidInputError: the file cannot be read.
    NbChaliceError: a cell failed; names the cell's error.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{path} cannot be read as a notebook: {error}") from None
    client = NotebookClient(notebook, resources={"metadata": {"path": str(path.parent)}})
    try:
        client.execute()
    except CellExecutionError as error:
        text = f"{error.ename}: {error.evalue}"
        raise NbChaliceError(
            f"{path.name} failed while it was executed: {text}", "run it in Jupyter to see more"
        ) from None
