"""Evaluates the decorators of handlers in a clean process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbchalice.notebook.errors import DecoratorError

TIMEOUT_SECONDS = 30
_WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Evaluation:
    """What a handler's decorators registered.

    Parameters
    ----------
    name: the handler's name, or None if nothing was registered.
    triggers: pairs of the decorator's name and its options.
    settings: the function settings given to the decorators.
    app: the app's name.
    error: why the evaluation failed, or None.
    cell: label of the cell in which it failed.
    cell_line: raw line of that cell.
    """

    name: str | None = None
    triggers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    app: str | None = None
    error: str | None = None
    cell: str | None = None
    cell_line: int | None = None


def evaluate(definitions: list[dict[str, Any]], folder: Path) -> list[Evaluation]:
    """Import modules that hold just a handler's decorators, all in one clean process.

    Parameters
    ----------
    definitions: for each handler ``{"module", "segments", "function", "notebook"}``.
    folder: the notebook's folder, for local modules.

    Returns
    -------
    list[Evaluation]: one for each definition.

    Raises
    ------
    DecoratorError: the process failed or took too long.
    """
    if not definitions:
        return []
    root = Path(__file__).parents[2]
    request = json.dumps({"action": "evaluate", "definitions": definitions, "paths": [str(root), str(folder)]})
    hint = "use values that are known without running the notebook"
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(_WORKER)],
            input=request,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DecoratorError(f"evaluating the decorators took more than {TIMEOUT_SECONDS} s", hint) from None
    try:
        answers = json.loads(done.stdout.rpartition("\n\0")[2])
    except ValueError:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise DecoratorError(f"the decorators cannot be evaluated: {reason}", hint) from None
    return [Evaluation(**answer) for answer in answers]
