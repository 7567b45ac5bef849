"""Triggers of a live notebook's handlers that follow environment variables: the function may have other ones."""

from __future__ import annotations

import ast
from itertools import chain
from json import dumps
from typing import TYPE_CHECKING

from nbchalice.errors import InvalidInputError
from nbchalice.notebook.analysis.magic import read_body
from nbchalice.notebook.capture.decorator_errors import followed, unset
from nbchalice.notebook.capture.discover import decorators_module
from nbchalice.notebook.capture.registering import is_decorated
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbchalice.handlers import Handler
    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.evaluate import Evaluation, Evaluator
    from nbchalice.notebook.cells import Cell


class Followed:
    """What the decorators of handlers register with the variables that their functions will have.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    notebook : str
        Its file name.
    evaluator : Evaluator
        Evaluates the decorators; knows the kernel's variables.

    Attributes
        ``results`` (by the handler's name, where it is not as in the kernel), ``problems``, ``notes``.
    """

    def __init__(self, effects: Effects, notebook: str, evaluator: Evaluator) -> None:
        self._effects, self._notebook, self._evaluator = effects, notebook, evaluator
        self.results: dict[str, Evaluation] = {}
        self.problems: list[InvalidInputError] = []
        self.notes: list[str] = []

    def look_at(self, handlers: Sequence[Handler]) -> None:
        """Evaluate the decorators of handlers again."""
        steps = {handler.name: step for handler in handlers if (step := _definition(handler, self._effects))}
        definitions: dict[str, JSON] = {}
        for name, step in steps.items():
            try:
                definitions[name] = decorators_module(step, self._effects, self._notebook)
            except InvalidInputError:
                continue  # What the kernel registered counts; the proof of the module tells what is wrong.
        results = self._evaluator.evaluate(list(definitions.values()))
        by_name = {handler.name: handler for handler in handlers}
        for (name, definition), result in zip(definitions.items(), results, strict=True):
            self._take(by_name[name], steps[name], definition, result)

    def _take(self, handler: Handler, step: Step, definition: JSON, result: Evaluation) -> None:
        if _same(result, handler) or (result.error is not None and not result.missing):
            return
        variables = self._evaluator.variables
        own = variables.of(result.name or handler.name, result.settings)
        # Only where it is certain that the variables make the difference: with the kernel's own it is as in the kernel.
        if not _same(self._evaluator.as_here(definition, result, own), handler):
            return
        if result.missing:
            self.problems.append(unset(handler.function, result, variables, step.location()))
            return
        self.results[handler.name] = result
        self.notes += followed(result, variables)


def _same(result: Evaluation, handler: Handler) -> bool:
    mine = [handler.name, [[trigger.source, trigger.options] for trigger in handler.triggers]]
    return dumps(mine, sort_keys=True) == dumps([result.name, result.triggers], sort_keys=True)


def computed(handlers: Iterable[Handler], cells: Sequence[Cell]) -> list[Handler]:
    """Return the handlers whose decorators have anything but plain values.

    Parameters
    ----------
    handlers : Iterable[Handler]
        Those of a session.
    cells : Sequence[Cell]
        Its cells.
    """
    texts = {cell.order: cell.source for cell in cells}
    return [one for one in handlers if one.order in texts and _has_computed(texts[one.order], one.function)]


def _has_computed(source: str, function: str) -> bool:
    try:
        tree = ast.parse(read_body(source).text)
    except SyntaxError:
        return False
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function and any(map(_is_computed, node.decorator_list)):
            return True
    return False


def _definition(handler: Handler, effects: Effects) -> Step | None:
    """Return the statement that decorates a handler's function."""
    for step in reversed(effects.timeline.steps):
        here = step.cell.order == handler.order and handler.function in step.statement.defines
        if here and is_decorated(step):
            return step
    return None


def _is_computed(decorator: ast.expr) -> bool:
    if not isinstance(decorator, ast.Call):
        return False
    arguments = [*decorator.args, *(keyword.value for keyword in decorator.keywords)]
    nodes = chain.from_iterable(map(ast.walk, arguments))
    return any(isinstance(node, ast.Name | ast.Call) for node in nodes)
