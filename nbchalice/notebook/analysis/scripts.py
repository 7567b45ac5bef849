"""What ``%run`` leaves in the notebook: the names of a script or of another notebook."""

from __future__ import annotations

import json
import os.path
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.known_calls import MUTATORS
from nbchalice.notebook.analysis.statements import split_cell

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbchalice.notebook.analysis.model import Block

_LARGEST = 2_000_000


def names_of_script(arguments: str, written: Mapping[str, str], folder: Path | None) -> frozenset[str]:
    """Return the names that a script binds at its top; none if it cannot be read.

    What runs among the names of the notebook (``-i``, another notebook) may also change what they stand for.

    Parameters
    ----------
    arguments : str
        The text after ``%run``.
    written : Mapping[str, str]
        Files that ``%%writefile`` wrote before, with what is in them.
    folder : Path or None
        The notebook's folder, or None if no file is to be read.
    """
    try:
        words = shlex.split(arguments)
    except ValueError:
        return frozenset()
    script = next((word for word in words if word.endswith((".py", ".ipy", ".ipynb"))), "")
    text = {os.path.normpath(name): content for name, content in written.items()}.get(os.path.normpath(script))
    if text is None and folder is not None and script:
        with suppress(OSError, UnicodeDecodeError):
            path = folder / script
            text = path.read_text(encoding="utf-8") if path.stat().st_size < _LARGEST else None
    cells = _cells(text or "") if script.endswith(".ipynb") else [text or ""]
    inside = "-i" in words or script.endswith((".ipy", ".ipynb"))
    names: set[str] = set()
    for cell in cells:
        for statement in split_cell(cell).statements:
            names |= statement.binds
            for block in (statement.now, *statement.later) if inside else ():
                names |= _changed(block) - set(block.params)
    return frozenset(names)


def _changed(block: Block) -> set[str]:
    """Return the names whose objects a block changes: ``rows.append(1)``, ``rates["a"] = 2``."""
    names = {root for root in block.touches if isinstance(root, str)}
    for call in block.calls.values():
        if isinstance(call.root, str) and len(call.path) == 1 and call.path[0] in MUTATORS:
            names.add(call.root)
    for name, roots in block.flows:  # for row in rows: row["a"] = 2
        names |= {root for root in roots if isinstance(root, str)} if name in names else set()
    return names


def _cells(text: str) -> list[str]:
    try:
        cells = json.loads(text)["cells"]
        return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError):
        return []
