"""The handlers of a notebook that is read, not run: its cell magics and its decorators."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbchalice.errors import InvalidInputError, Location
from nbchalice.notebook.cost import require_cheap
from nbchalice.notebook.effects import Effects
from nbchalice.notebook.errors import DecoratorError, UnparsableCellError
from nbchalice.notebook.evaluate import Evaluation, evaluate
from nbchalice.notebook.facts import Kind
from nbchalice.notebook.history import Step, Timeline
from nbchalice.notebook.knowledge import is_handler_decorator
from nbchalice.notebook.magic import read_body
from nbchalice.notebook.render import decorators_only, render
from nbchalice.notebook.slice import Closure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbchalice.notebook.cells import Cell


@dataclass(frozen=True)
class Found:
    """A handler of a notebook.

    Parameters
    ----------
    name: the handler's name.
    function: the function's name.
    cell: the cell that defines it.
    triggers: pairs of the decorator's name and its options, defaults filled in, JSON-ready.
    settings: the function settings given.
    location: the line of its definition.
    app: the name of its app, or None if nothing names one.
    """

    name: str
    function: str
    cell: Cell
    triggers: list[tuple[str, dict[str, Any]]]
    settings: dict[str, Any] = field(default_factory=dict)
    location: Location | None = None
    app: str | None = None


def discover(cells: Sequence[Cell], notebook: str) -> list[Found]:
    """Find all handlers of a notebook; a later definition of a name replaces an earlier one, a `del` removes it.

    Parameters
    ----------
    cells: the notebook's cells in document order.
    notebook: its path or file name; local modules beside it may be used by decorators.

    Returns
    -------
    list[Found]: in the order of their definition.

    Raises
    ------
    CaptureError: a magic cell is not Python or has no handler, or a decorator cannot be evaluated.
    InvalidInputError: a cell magic's line is wrong.
    """
    timeline = Timeline(cells, notebook)
    _require_sound(timeline)
    effects = Effects(timeline)
    handlers = [step for step in timeline.steps if _is_handler(step) and not _is_deleted(step, timeline)]
    decorated = [step for step in handlers if not _only_magic(step)]
    texts = [_definition(step, timeline, effects, notebook) for step in decorated]
    results = dict(
        zip((step.position for step in decorated), evaluate(texts, Path(notebook).resolve().parent), strict=True)
    )
    app = app_name(timeline)
    found: dict[str, Found] = {}
    for step in handlers:
        one = _from_magic(step, app) if step.position not in results else _from_decorators(step, results[step.position])
        found.pop(one.name, None)
        found[one.name] = one
    return list(found.values())


def app_name(timeline: Timeline) -> str | None:
    """Return the name given by the last ``%chalice app NAME``, or None."""
    names = [name for _, split in timeline.splits for _, name in split.body.apps]
    return names[-1] if names else None


def _require_sound(timeline: Timeline) -> None:
    for cell, split in timeline.splits:
        body = split.body
        if split.problem is not None and (body.magic or read_body(cell.source).magic):
            line, message = split.problem
            raise UnparsableCellError(
                f"{cell.label} is not valid Python: {message}", "correct the cell", cell.location(line)
            )
        if split.handler_error is not None:
            error = split.handler_error
            raise type(error)(error.message, error.hint, cell.location(body.magic_line))


def _is_handler(step: Step) -> bool:
    statement = step.statement
    return statement.kind is Kind.FUNCTION and any(is_handler_decorator(path) for _, path in statement.decorators)


def _is_deleted(step: Step, timeline: Timeline) -> bool:
    """Whether a later `del` takes the handler back."""
    (function,) = step.statement.defines
    return any(event.deletes and event.position > step.position for event in timeline.events[function])


def _only_magic(step: Step) -> bool:
    return step.statement.handler and len(step.statement.decorators) == 1


def _from_magic(step: Step, app: str | None) -> Found:
    from nbchalice.handlers import parse_cell_magic
    from nbchalice.notebook.magic import trigger_options

    body = step.split.body
    place = step.cell.location(body.magic_line)
    try:
        magic = parse_cell_magic(body.magic or "", body.arguments)
    except InvalidInputError as error:
        raise type(error)(error.message, error.hint, place) from None
    function = next(iter(step.statement.defines))
    return Found(
        name=magic.name or function,
        function=function,
        cell=step.cell,
        triggers=[(source, trigger_options(source, dict(options))) for source, options in magic.triggers],
        settings=dict(magic.settings),
        location=step.location(),
        app=app,
    )


def _from_decorators(step: Step, result: Evaluation) -> Found:
    function = next(iter(step.statement.defines))
    if result.error is not None:
        line = result.cell_line if result.cell == step.cell.label else None
        raise DecoratorError(
            f"the decorators of {function} cannot be evaluated: {result.error}",
            "use values that are known without running the notebook",
            step.location(line),
        )
    if result.name is None:
        raise DecoratorError(
            f"{function} is not registered with a nbchalice app",
            "make the app with: from nbchalice import Chalice; app = Chalice(app_name='...')",
            step.location(),
        )
    return Found(
        name=result.name,
        function=function,
        cell=step.cell,
        triggers=[(source, options) for source, options in result.triggers],
        settings=result.settings,
        location=step.location(),
        app=result.app,
    )


def _definition(step: Step, timeline: Timeline, effects: Effects, notebook: str) -> dict[str, Any]:
    """Write the module that evaluates the handler's decorators, and nothing of its body."""
    function = next(iter(step.statement.defines))
    stub = replace(step, statement=decorators_only(step))
    closure = Closure(timeline, effects, until=step.position, fixed=str(stub.statement.decorators[0][0]))
    closure.add(stub, step.position, [function])
    closure.finish()
    steps = [stub if one.position == step.position else one for one in closure.steps()]
    for one in steps:
        if one.position != step.position:
            require_cheap(one, effects, ", ".join(sorted(closure.wanted[one.position])) or "this value")
    module, segments = render(steps, closure.names_used(), notebook)
    return {"module": module, "segments": segments, "function": function, "notebook": Path(notebook).name}
