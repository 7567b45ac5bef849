"""Runs a notebook from top to bottom in a kernel of its own, as `--execute` asks for.

The notebook is executed for its code: what its commands do on AWS is not asked for, so they are skipped.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from nbchalice.errors import InvalidInputError, Location, NbChaliceError

# Set in the kernel.
VARIABLE = "NBCHALICE_EXECUTE"
SKIPPED = "skipped: "


class SkippedResultError(InvalidInputError, AttributeError):
    """The notebook asks for the result of a command that was skipped."""


class Skipped:
    """What a skipped command returns.

    Parameters
    ----------
    text: which command was skipped, and why.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        raise SkippedResultError(f"there is no {name}: {self.text}", "run the notebook in Jupyter")


def executed_for_code() -> bool:
    """Whether this process is a kernel of `--execute`."""
    return bool(os.environ.get(VARIABLE))


def skipped(command: str) -> Skipped:
    """Say that a command is skipped; return what stands for its result."""
    told = Skipped(f"{SKIPPED}%chalice {command} needs AWS, and the notebook is executed for its code only")
    print(told, file=sys.stderr)
    return told


def execute_notebook(path: Path) -> list[str]:
    """Execute a notebook; neither its file nor AWS is changed by it.

    A cell that asks for the result of a skipped command ends there, without an error.

    Parameters
    ----------
    path: the ``.ipynb``; its folder is the working directory.

    Returns
    -------
    What was skipped, a line for each command.

    Raises
    ------
    InvalidInputError: the file cannot be read, or there is no such kernel.
    NbChaliceError: a cell failed, or the kernel died; names the cell and its error.
    """
    import nbformat
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    from nbchalice.notebook.cells import read_notebook

    read_notebook(path)
    notebook: Any = nbformat.reads(path.read_text(encoding="utf-8-sig"), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    failed: list[Any] = []
    client = NotebookClient(
        notebook,
        resources={"metadata": {"path": str(path.parent)}},
        allow_error_names=[SkippedResultError.__name__],
        on_cell_error=lambda cell, **_: failed.append(cell),
    )
    try:
        client.execute(env={**os.environ, VARIABLE: "1", "JPY_SESSION_NAME": str(path.resolve())})
    except CellExecutionError as error:
        place = Location(f"cell {code.index(failed[-1]) + 1}")
        text = f"{error.ename}: {error.evalue}"
        raise NbChaliceError(
            f"{path.name} failed while it was executed: {text}", "run it in Jupyter to see more", place
        ) from None
    except NoSuchKernel as error:
        raise InvalidInputError(
            f"{path.name} wants the kernel {error.name!r}, which is not installed here",
            "pip install 'nbchalice[lab]' brings python3; else choose an installed kernel in Jupyter, and save",
        ) from None
    except DeadKernelError:
        raise NbChaliceError(
            f"the kernel died while {path.name} was executed", "run it in Jupyter to see where"
        ) from None
    return [f"cell {number}: {line}" for number, cell in enumerate(code, 1) for line in _skipped(cell)]


def _skipped(cell: Any) -> list[str]:
    texts = [output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stderr"]
    return [line for text in texts for line in text.splitlines() if line.startswith(SKIPPED)]
