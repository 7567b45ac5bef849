"""Evaluates the decorators of handlers in a clean process."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from nbchalice.notebook.helper import HELPER

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Evaluation:
    """What a handler's decorators registered.

    Parameters
    ----------
    name: the handler's name, or None if nothing was registered.
    function: the function's name.
    triggers: pairs of the decorator's name and its options.
    settings: the function settings given to the decorators.
    app: the app's name.
    error: why the evaluation failed, or None.
    cell: label of the cell in which it failed, or in which the function is written.
    cell_line: raw line of that cell.
    handlers: all that the module registered, each as these fields, where no function was asked for.
    """

    name: str | None = None
    function: str | None = None
    triggers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    app: str | None = None
    error: str | None = None
    cell: str | None = None
    cell_line: int | None = None
    handlers: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Evaluation:
        """Make one of an answer of the helper process."""
        names = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in answer.items() if key in names})


def evaluate(definitions: list[dict[str, Any]], folder: Path) -> list[Evaluation]:
    """Import modules that hold just a handler's decorators, all in one clean process.

    Parameters
    ----------
    definitions: for each handler ``{"module", "segments", "function", "notebook"}``; without a function, all that the
        module registers is asked for.
    folder: the notebook's folder, for local modules.

    Returns
    -------
    list[Evaluation]: one for each definition.

    """
    if not definitions:
        return []
    request = {"action": "evaluate", "definitions": definitions}
    answers = HELPER.ask(request, folder, TIMEOUT_SECONDS)
    if isinstance(answers, dict) and len(definitions) > 1:
        # One of them ended the process, or hangs: each by itself tells which.
        return [one for definition in definitions for one in evaluate([definition], folder)]
    if isinstance(answers, dict):
        timeout = f"it took more than {TIMEOUT_SECONDS} s"
        return [Evaluation(error=timeout if answers["error"] == "timeout" else answers["text"])]
    return [Evaluation.of(answer) for answer in answers]
