"""What statements register that are no decorated functions: they run in the clean process, and the app is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError, InvalidInputError, Location
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.capture.closure import Closure
from nbchalice.notebook.capture.evaluate import Evaluation, Evaluator
from nbchalice.notebook.capture.origins import require_steady
from nbchalice.notebook.capture.registering import (
    blueprint_registrations,
    gives_app_away,
    registers,
    registers_blueprint,
)
from nbchalice.notebook.capture.render import decorators_only, modules_of
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.history import Step
    from nbchalice.notebook.capture.mentions import Mention


_MOST_ABOVE = 10
"""How many lines a function's decorators take at the most, where one is written below others."""


@dataclass(frozen=True)
class Registration:
    """A handler that a statement registered in the clean process.

    Parameters
    ----------
    step : Step
        The statement.
    result : Evaluation
        The handler.
    location : Location
        Where its function is written, or the statement where that is unknown.
    """

    step: Step
    result: Evaluation
    location: Location

    def is_at(self, mention: Mention) -> bool:
        """Tell whether a line registered this handler; its function begins with the first of its decorators."""
        first, line = self.location.line or 0, mention.location.line or 0
        if self.location.cell != mention.location.cell:
            return False
        return first == line or (self.result.function == mention.function and first <= line <= first + _MOST_ABOVE)


@dataclass
class Registrations:
    """What the statements of a notebook registered.

    Parameters
    ----------
    made : list[Registration]
        The handlers, in order.
    ran : set[int]
        The positions of the statements that had a part in one.
    reasons : dict[int, str]
        Why a statement could not be run, by position.
    left_out : dict[str, Step]
        What they registered that belongs to no event source, such as a route of a local module's blueprint.
    """

    made: list[Registration] = field(default_factory=list)
    ran: set[int] = field(default_factory=set)
    reasons: dict[int, str] = field(default_factory=dict)
    left_out: dict[str, Step] = field(default_factory=dict)

    def unread(self, mentions: list[Mention]) -> list[Mention]:
        """Return the lines by which nothing was registered."""
        return [
            mention
            for mention in mentions
            if not any(one.is_at(mention) for one in self.made)
            and not (mention.function is None and mention.step is not None and mention.step.position in self.ran)
        ]

    def reason(self, mention: Mention) -> str:
        """Return why a line could not be read, as far as it is known."""
        return self.reasons.get(mention.step.position, "") if mention.step is not None else ""


def read_registrations(effects: Effects, notebook: str, evaluator: Evaluator) -> Registrations:
    """Run the statements that may register handlers, with what they need, and ask the app which it has.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    notebook : str
        Its path or file name.
    evaluator : Evaluator
        Runs them, with the variables that the functions will have.
    """
    timeline = effects.timeline
    found = Registrations()
    definitions: dict[int, JSON] = {}
    needed: dict[int, set[int]] = {}
    for step in timeline.steps:
        if registers(step, effects):
            try:
                definitions[step.position], needed[step.position] = _definition(step, effects, notebook)
            except InvalidInputError as error:
                found.reasons[step.position] = error.message
    answers = evaluator.evaluate(list(definitions.values()))
    for (position, _), answer in zip(definitions.items(), answers, strict=True):
        step = timeline.steps[position]
        if answer.error is not None:
            found.reasons[position] = answer.error
        if answer.missing:
            names = ", ".join(answer.missing)
            found.reasons[position] = f"{names} is not set: set it in {evaluator.variables.place}"
            continue
        if registers_blueprint(step, effects):
            found.left_out |= dict.fromkeys(answer.left_out, step)
            # What is registered may have no handlers, or only those that are decorated here.
            found.ran |= {position} if answer.error else {position} | needed[position]
        elif answer.error is None and gives_app_away(step, timeline):
            found.ran.add(position)  # It may well register nothing.
        for one in answer.handlers:
            result = Evaluation.of(one)
            found.made.append(Registration(step, result, _place(step, result, effects)))
            found.ran |= needed[position]
    return found


def _definition(step: Step, effects: Effects, notebook: str) -> tuple[JSON, set[int]]:
    """Write the module that runs a statement; return it with the positions of its statements."""
    plain = step.statement.kind is Kind.FUNCTION
    own = replace(step, statement=decorators_only(step)) if plain else step
    modules, positions = modules_for(own, step.statement.binds, effects.timeline.app, effects, notebook)
    return {"modules": modules, "function": None, "notebook": Path(notebook).name}, positions


def modules_for(
    own: Step, names: Iterable[str], app: str, effects: Effects, notebook: str
) -> tuple[list[JSON], set[int]]:
    """Write what a registering statement needs: first with what alters the app, then, should that not run, without.

    Parameters
    ----------
    own : Step
        The statement, in the form in which it is to be written. What may register its blueprint is written as well.
    names : Iterable[str]
        The names that it binds.
    app : str
        The variable of the app. ``app.prefix = "x"`` matters to a decorator with ``app.prefix``; other handlers do not.
    effects : Effects
        The followed notebook.
    notebook : str
        Its path or file name.

    Returns
    -------
    tuple[list[JSON], set[int]]: the modules, and the positions of their statements.

    Raises
    ------
    CaptureError
        Without what alters the app, too, it needs what cannot run again.
    """
    modules: list[JSON] = []
    positions: set[int] = set()
    later = blueprint_registrations(effects, own)
    until = max([own.position, *(step.position for step in later)])
    for fixed in (None, app):
        closure = Closure(effects.timeline, effects, until=until, fixed=fixed)
        try:
            closure.add(own, own.position, names)
            for step in later:
                closure.add(step, step.position, step.statement.binds)
            closure.finish()
            for step in closure.steps():
                if step.position != own.position:
                    require_steady(step, effects, ", ".join(sorted(closure.wanted[step.position])) or "this value")
        except CaptureError:
            if fixed is not None:
                raise
            continue
        modules += [module for module in modules_of(closure, own, notebook) if module not in modules]
        positions |= set(closure.wanted)
    return modules, positions


def _place(step: Step, result: Evaluation, effects: Effects) -> Location:
    for one in effects.timeline.steps:
        if one.cell.label == result.cell and one.statement.line <= (result.cell_line or 0) <= one.statement.end:
            return one.location(result.cell_line)
    return step.location()
