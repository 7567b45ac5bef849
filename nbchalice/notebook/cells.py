"""Cells: the executed or written pieces of a notebook, in the order in which they count."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbchalice.errors import InvalidInputError, Location

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Cell:
    """One execution of a code cell, or one code cell of a file.

    Parameters
    ----------
    id: the notebook's own id of the cell, or a made-up stable one.
    label: what a person calls it, for example ``cell 4``.
    source: the raw text, magics included.
    order: position in the order of execution (of the document, for a file), counted from 0.
    ok: whether it ran to its end.
    failed_line: line of the raw text at which it failed, or None; with ``ok=False`` and no line nothing of it ran.
    seconds: how long it took, or None if unknown.
    """

    id: str
    label: str
    source: str
    order: int
    ok: bool = True
    failed_line: int | None = None
    seconds: float | None = None

    def location(self, line: int | None = None) -> Location:
        """Return the place of a raw line of this cell for an error.

        Parameters
        ----------
        line: raw line counted from 1, or None for the cell as a whole.
        """
        lines = self.source.split("\n")
        text = lines[line - 1] if line is not None and 0 < line <= len(lines) else None
        return Location(self.label, line, text)


def read_notebook(path: str | Path) -> list[Cell]:
    """Read the code cells of an ``.ipynb``, in document order, as *Restart & Run All* would run them.

    Parameters
    ----------
    path: the notebook's file.

    Returns
    -------
    list[Cell]: the code cells that are not empty; ``cell 3`` is the third code cell of the document.

    Raises
    ------
    InvalidInputError: there is no such file, it is not a notebook, or its language is not Python.
    """
    nbformat = _nbformat()
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        notebook: Any = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except FileNotFoundError:
        raise InvalidInputError(
            f"there is no notebook {path}", "check the path; it is relative to the current folder"
        ) from None
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    except Exception as error:
        reason = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
        raise InvalidInputError(
            f"{path} is not a valid notebook: {reason}", "open it in Jupyter and save it again"
        ) from None
    _require_python(notebook, path)
    return _code_cells(notebook)


def _nbformat() -> Any:
    """Import nbformat without the grammars of international links, which no notebook is checked with.

    jsonschema builds them at import where Jupyter is installed; that takes longer than all the rest of a command.
    """
    grammars = "rfc3987_syntax"
    absent = grammars not in sys.modules
    if absent:
        sys.modules[grammars] = None  # type: ignore[assignment] # the import system's word for "not to be found"
    try:
        import nbformat
    finally:
        if absent:
            del sys.modules[grammars]
    return nbformat


def _require_python(notebook: Any, path: Path) -> None:
    spec = notebook.metadata.get("kernelspec", {})
    language = spec.get("language") or notebook.metadata.get("language_info", {}).get("name") or "python"
    if language.lower() not in {"python", "python3", "ipython"}:
        raise InvalidInputError(f"{path} is a notebook in {language}", "nbchalice handles notebooks in Python only")


def _code_cells(notebook: Any) -> list[Cell]:
    cells = []
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        if cell.source.strip():
            seconds = _seconds(cell.metadata.get("execution", {}))
            cells.append(
                Cell(
                    id=cell.get("id") or f"cell-{number}",
                    label=f"cell {number}",
                    source=cell.source,
                    order=number - 1,
                    seconds=seconds,
                )
            )
    return cells


def _seconds(timing: Mapping[str, str]) -> float | None:
    """Read the duration that JupyterLab records with a cell when asked to."""
    try:
        start = datetime.fromisoformat(timing["iopub.execute_input"])
        return (datetime.fromisoformat(timing["shell.execute_reply"]) - start).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None
