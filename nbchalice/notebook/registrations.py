"""What statements register that are no decorated functions: they run in the clean process, and the app is asked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import InvalidInputError, Location
from nbchalice.notebook.closure import Closure
from nbchalice.notebook.evaluate import Evaluation, Evaluator
from nbchalice.notebook.model import Kind
from nbchalice.notebook.origins import require_steady
from nbchalice.notebook.registering import registers
from nbchalice.notebook.render import decorators_only, modules_of
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from nbchalice.notebook.effects import Effects
    from nbchalice.notebook.history import Step
    from nbchalice.notebook.mentions import Mention


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
    """

    made: list[Registration] = field(default_factory=list)
    ran: set[int] = field(default_factory=set)
    reasons: dict[int, str] = field(default_factory=dict)

    def unread(self, mentions: list[Mention]) -> list[Mention]:
        """Return the lines by which nothing was registered."""
        places = {(one.location.cell, one.location.line) for one in self.made}
        return [
            mention
            for mention in mentions
            if (mention.location.cell, mention.location.line) not in places
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
        for one in answer.handlers:
            result = Evaluation.of(one)
            found.made.append(Registration(step, result, _place(step, result, effects)))
            found.ran |= needed[position]
    return found


def _definition(step: Step, effects: Effects, notebook: str) -> tuple[JSON, set[int]]:
    """Write the module that runs a statement; return it with the positions of its statements."""
    timeline = effects.timeline
    plain = step.statement.kind is Kind.FUNCTION
    own = replace(step, statement=decorators_only(step)) if plain else step
    closure = Closure(timeline, effects, until=step.position, fixed=timeline.app)
    closure.add(own, step.position, step.statement.binds)
    closure.finish()
    for needed in closure.steps():
        require_steady(needed, effects, ", ".join(sorted(closure.wanted[needed.position])) or "this value")
    modules = modules_of(closure, own, notebook)
    definition = {"modules": modules, "function": None, "notebook": Path(notebook).name}
    return definition, set(closure.wanted)


def _place(step: Step, result: Evaluation, effects: Effects) -> Location:
    for one in effects.timeline.steps:
        if one.cell.label == result.cell and one.statement.line <= (result.cell_line or 0) <= one.statement.end:
            return one.location(result.cell_line)
    return step.location()
