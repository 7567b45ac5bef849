"""Cells: the executed or written pieces of a notebook, in the order in which they count."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import InvalidInputError, Location
from nbchalice.notebook.secrets.find import shown_line
from nbchalice.text import near
from nbchalice.typed import Values

if TYPE_CHECKING:
    pass

FORMAT = 4


@dataclass(frozen=True, slots=True)
class Cell:
    """One execution of a code cell, or one code cell of a file.

    Parameters
    ----------
    id : str
        The notebook's own id of the cell, or a made-up stable one.
    label : str
        What a person calls it, for example ``cell 4``.
    source : str
        The raw text, magics included.
    order : int
        Position in the order of execution (of the document, for a file), counted from 0.
    ok : bool
        Whether it ran to its end.
    failed_line : int or None
        Line of the raw text at which it failed, or None; with ``ok=False`` and no line nothing of it ran.
    seconds : float or None
        How long it took, or None if unknown.
    saved : object
        The state of the notebook's file when it began to run, or None if unknown.
    """

    id: str
    label: str
    source: str
    order: int
    ok: bool = True
    failed_line: int | None = None
    seconds: float | None = None
    saved: object = None

    @property
    def is_named(self) -> bool:
        """Whether the notebook itself gave the id, so that no other notebook's cell has it but that of a copy."""
        return re.match(r"(cell|exec)-\d+$", self.id) is None

    def location(self, line: int | None = None) -> Location:
        """Return the place of a raw line of this cell for an error.

        Parameters
        ----------
        line : int or None
            Raw line counted from 1, or None for the cell as a whole.
        """
        lines = self.source.split("\n")
        text = lines[line - 1] if line is not None and 0 < line <= len(lines) else ""
        return Location(self.label, line, shown_line(text) or None)


def read_notebook(path: str | Path) -> list[Cell]:
    """Read the code cells of an ``.ipynb``, in document order, as *Restart & Run All* would run them.

    Only what is used is looked at, as Jupyter opens a file with strange fields, too.

    Parameters
    ----------
    path : str or Path
        The notebook's file.

    Returns
    -------
    list[Cell]: the code cells that are not empty; ``cell 3`` is the third code cell of the document.

    Raises
    ------
    InvalidInputError
        There is no such file, it is not a notebook, or its language is not Python.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        notebook = json.loads(text)
    except FileNotFoundError:
        beside = path.parent.glob("*.ipynb") if path.parent.is_dir() else ()
        hint = near(path.name, [one.name for one in beside], "check the path; it is relative to the current folder")
        raise InvalidInputError(f"there is no notebook {path}", hint, code="no-such-notebook") from None
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}", "check its permissions") from None
    except (ValueError, RecursionError) as error:
        raise _invalid(path, f"it is no JSON: {str(error)[:120]}") from None
    if isinstance(notebook, dict) and notebook.get("nbformat") in range(1, FORMAT):
        notebook = _converted(text, path)
    if not isinstance(notebook, dict) or notebook.get("nbformat") != FORMAT:
        raise _invalid(path, f"it does not say that its format is nbformat {FORMAT}")
    _require_python(notebook, path)
    return _code_cells(notebook, path)


def _invalid(path: Path, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"{path} is not a valid notebook: {why}",
        "see whether Jupyter opens it; if not, restore an earlier copy",
        code="invalid-notebook",
    )


def _converted(text: str, path: Path) -> object:
    """Bring a notebook of before 2015 to today's format, as Jupyter does when it opens one."""
    import nbformat

    try:
        return nbformat.reads(text, as_version=FORMAT)
    except Exception as error:
        raise _invalid(path, str(error).strip().partition("\n")[0][:120] or type(error).__name__) from None


def _require_python(notebook: Values, path: Path) -> None:
    metadata = _object(notebook.get("metadata"))
    spec, info = _object(metadata.get("kernelspec")), _object(metadata.get("language_info"))
    language = str(spec.get("language") or info.get("name") or "python")
    if language.lower() not in {"python", "python3", "ipython"}:
        raise InvalidInputError(f"{path} is a notebook in {language}", "nbchalice handles notebooks in Python only")


def _code_cells(notebook: Values, path: Path) -> list[Cell]:
    listed = notebook.get("cells")
    if not isinstance(listed, list) or not all(isinstance(cell, dict) for cell in listed):
        raise _invalid(path, "it has no list of cells")
    cells = []
    seen = set()
    for number, cell in enumerate((cell for cell in listed if cell.get("cell_type") == "code"), 1):
        source = _text(cell.get("source", ""))
        if source is None:
            raise _invalid(path, f"the source of cell {number} is not a text")
        # Jupyter gives the second of two equal ids, as a merge leaves them, a new one.
        identity = cell.get("id")
        known = isinstance(identity, str) and identity not in seen
        seen.add(str(identity))
        if source.strip():
            seconds = _seconds(_object(_object(cell.get("metadata")).get("execution")))
            cell_id = str(identity) if known else f"cell-{number}"
            cells.append(Cell(id=cell_id, label=f"cell {number}", source=source, order=number - 1, seconds=seconds))
    return cells


def _text(source: object) -> str | None:
    """Return a cell's text, which is kept whole or as a list of lines."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return source if isinstance(source, str) else None


def _object(value: object) -> Values:
    return value if isinstance(value, dict) else {}


def _seconds(timing: Values) -> float | None:
    """Read the duration that JupyterLab records with a cell when asked to."""
    try:
        start = datetime.fromisoformat(timing["iopub.execute_input"])
        return (datetime.fromisoformat(timing["shell.execute_reply"]) - start).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None
