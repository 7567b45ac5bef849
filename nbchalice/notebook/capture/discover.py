"""The handlers of a notebook that is read, not run: its cell magics and its decorators."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError, InvalidInputError, Location, NbChaliceError
from nbchalice.handlers import Standing, Unread, parse_cell_magic, same_name
from nbchalice.handlers.variables import ON_LAMBDA, Variables
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.history import Step, Timeline
from nbchalice.notebook.analysis.known_calls import is_handler_decorator
from nbchalice.notebook.analysis.magic import read_body
from nbchalice.notebook.analysis.naming import Naming, moved, namings
from nbchalice.notebook.capture.decorator_errors import failed, followed, unregistered, unset
from nbchalice.notebook.capture.evaluate import Evaluation, Evaluator
from nbchalice.notebook.capture.mentions import find_mentions, not_read
from nbchalice.notebook.capture.prefixes import is_said, names_with, prefixes_in
from nbchalice.notebook.capture.registering import is_decorated
from nbchalice.notebook.capture.registrations import Registrations, modules_for, read_registrations
from nbchalice.notebook.capture.render import decorators_only
from nbchalice.notebook.capture.unknown_magics import unknown_magics
from nbchalice.runtime.decorators import CHALICES_OWN
from nbchalice.runtime.entry_points import source_names
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbchalice.notebook.cells import Cell


@dataclass(frozen=True)
class Found:
    """A handler of a notebook.

    Parameters
    ----------
    name : str
        The handler's name.
    function : str
        The function's name.
    cell : Cell
        The cell that defines it.
    triggers : list[tuple[str, JSON]]
        Pairs of the decorator's name and its options, defaults filled in, JSON-ready.
    settings : JSON
        The function settings given.
    location : Location or None
        The line of its definition.
    app : str or None
        The name of its app, or None if nothing names one.
    """

    name: str
    function: str
    cell: Cell
    triggers: list[tuple[str, JSON]]
    settings: JSON = field(default_factory=dict)
    location: Location | None = None
    app: str | None = None


@dataclass(frozen=True)
class Discovery:
    """What a notebook's file says of handlers.

    Parameters
    ----------
    handlers : list[Found]
        In the order of their definition; of two with one name the later.
    problems : list[InvalidInputError]
        What is wrong with them beside each other.
    unread : list[Unread]
        What may be a handler and could not be read; the others are not touched by it.
    notes : list[str]
        What is not deployed, and is not a problem.
    """

    handlers: list[Found]
    problems: list[InvalidInputError]
    unread: list[Unread]
    notes: list[str]


def discover(cells: Sequence[Cell], notebook: str, variables: Variables = ON_LAMBDA) -> Discovery:
    """Find all handlers of a notebook; a `del` of the function takes one back.

    Parameters
    ----------
    cells : Sequence[Cell]
        The notebook's cells in document order.
    notebook : str
        Its path or file name; local modules beside it may be used by decorators.
    variables : Variables
        What the functions will have in their environment. Default: what Lambda sets.
    """
    timeline = Timeline(cells, notebook)
    unread = unreadable(timeline)
    effects = Effects(timeline)
    functions = [step for step in timeline.steps if is_decorated(step) and not _is_deleted(step, timeline)]
    notes = [_left_out(step) for step in functions if _is_chalices(step)]
    steps = [step for step in functions if not _is_chalices(step)]
    named = namings(timeline)
    app = named[-1].name if named else None
    found: dict[str, Found] = {}
    problems = []
    evaluator = Evaluator(Path(notebook).resolve().parent, variables)
    readings = _evaluated([step for step in steps if not _only_magic(step, app)], effects, notebook, evaluator)
    for step in steps:
        reading = readings.get(step.position)
        try:
            here = [_from_magic(step, app)] if reading is None else _from_decorators(step, reading, timeline, variables)
        except InvalidInputError as error:
            unread.append(Unread(error, _possible_names(step)))
            continue
        if isinstance(reading, Evaluation):
            notes += followed(reading, variables)
            notes += [_not_registered(step)] if reading.blueprint and not here else []
        for one in here:
            if one.name in found:
                other = found.pop(one.name)
                if not _is_copy(other.cell, one.cell):
                    hint = f"give one of them another name, or write del {other.function} between them"
                    problems.append(same_name(one.name, other.location, one.location, hint))
            found[one.name] = one
    mentions = find_mentions(timeline)
    if mentions:
        registered = read_registrations(effects, notebook, evaluator)
        problems += _add_registered(found, registered, timeline)
        for what, step in registered.left_out.items():
            notes.append(f"{what} ({step.location().place}) is not deployed: it belongs to no event source")
        for mention in registered.unread(mentions):
            told = not_read(mention, registered.reason(mention))
            unread.append(Unread(told, mention.names, stops=False))
            notes.append(told.message)
    handlers, note = _in_one_app(list(found.values()), named)
    return Discovery(handlers, problems, unread, [*notes, *note])


def _in_one_app(handlers: list[Found], named: list[Naming]) -> tuple[list[Found], list[str]]:
    """Return the handlers with the name that their app has in the end, and a note on those that had another one.

    An app in another variable than ``app`` keeps its name unless ``%chalice app`` gives the notebook one.
    """
    last = named[-1] if named else None
    if last is None or last.name is None:
        return handlers, []
    earlier = {naming.name for naming in named}
    above = []
    placed = []
    for handler in handlers:
        if not last.by_magic and handler.app not in earlier:
            placed.append(handler)
            continue
        placed.append(replace(handler, app=last.name))
        before = [naming for naming in named if naming.is_above(handler.cell, handler.location)]
        if not before or before[-1].name != last.name:
            above.append(handler.name)
    return placed, [moved(above, last)] if above else []


def _add_registered(
    found: dict[str, Found], registered: Registrations, timeline: Timeline
) -> Iterator[InvalidInputError]:
    """Add what statements registered; yield the names that two functions have.

    A statement may register anew what stands already: a function with one trigger more.
    """
    places: dict[str, Location | None] = {name: one.location for name, one in found.items()}
    for one in registered.made:
        result, place = one.result, one.location
        name, function = str(result.name), str(result.function)
        if any(event.deletes and event.position > one.step.position for event in timeline.events.get(function, ())):
            continue
        before = found.get(name)
        if before is not None and before.triggers == [tuple(trigger) for trigger in result.triggers]:
            continue
        if before is not None and not _same_function(places[name], place):
            yield same_name(name, before.location, place, "give one of them another name")
        triggers = [(source, options) for source, options in result.triggers]
        found.pop(name, None)
        found[name] = Found(name, function, one.step.cell, triggers, result.settings, place, result.app)
        places[name] = place


def _same_function(one: Location | None, other: Location) -> bool:
    return one is not None and one.cell == other.cell and abs((one.line or 0) - (other.line or 0)) <= 1


def handlers_in_text(cells: Sequence[Cell], notebook: str) -> list[Standing]:
    """Return the handlers that a notebook's file defines, or may define, by its text alone: nothing of it is run.

    Parameters
    ----------
    cells : Sequence[Cell]
        The notebook's cells in document order.
    notebook : str
        Its path or file name.
    """
    timeline = Timeline(cells, notebook)
    texts = {cell.label: cell.source for cell in cells}
    found = []
    prefixes = prefixes_in(timeline)
    for step in timeline.steps:
        if is_decorated(step) and not _is_chalices(step) and not _is_deleted(step, timeline):
            (function,) = step.statement.defines
            names = names_with(prefixes, step, _names_in_text(step))
            found.append(Standing(function, names, step.location(), step.cell.source))
    for one in find_mentions(timeline):
        if one.of_blueprint and one.step is not None and is_said(one.step, prefixes):
            continue
        found.append(Standing(one.function or "", one.names, one.location, texts[one.location.cell]))
    for magic in unknown_magics(cells):
        found.append(Standing("", magic.names, magic.location, texts[magic.location.cell]))
    places = [error.location for error in _unsound(timeline) if error.location]
    return [*found, *(Standing("", None, place, texts[place.cell], readable=False) for place in places)]


def unreadable(timeline: Timeline) -> list[Unread]:
    """Return the cells whose handlers no reading finds: they are no valid Python, or under a magic not known here.

    Parameters
    ----------
    timeline : Timeline
        The statements of the notebook.
    """
    unsound = [Unread(error) for error in _unsound(timeline)]
    return unsound + [Unread(one.error, one.names, stops=one.is_ours) for one in unknown_magics(timeline.cells)]


def _names_in_text(step: Step) -> frozenset[str] | None:
    if not step.statement.handler or len(step.statement.decorators) > 1:
        return _possible_names(step)
    try:
        magic = parse_cell_magic(step.split.body.magic or "", step.split.body.arguments)
    except InvalidInputError:
        return None
    return frozenset({magic.name or next(iter(step.statement.defines))})


def _is_copy(one: Cell, other: Cell) -> bool:
    """Whether a cell was copied: both are one handler, as the same cell run twice is."""
    return one.order != other.order and one.source.strip() == other.source.strip()


def _unsound(timeline: Timeline) -> Iterator[NbChaliceError]:
    """Yield why cells of our magics hold no handler that could be read."""
    for cell, split in timeline.splits:
        body = split.body
        if split.problem is not None and (body.magic or read_body(cell.source).magic):
            line, message = split.problem
            text = f"{cell.label} is not valid Python: {message}"
            yield CaptureError(text, "correct the cell", cell.location(line), code="cell-syntax")
        elif split.handler_error is not None:
            error = split.handler_error
            yield type(error)(error.message, error.hint, cell.location(body.magic_line), code=error.code)


def _is_chalices(step: Step) -> bool:
    """Whether the function serves only what Chalice has besides: routes, authorizers, websockets."""
    paths = [path[0] for _, path in step.statement.decorators if is_handler_decorator(path)]
    return all(path in CHALICES_OWN for path in paths)


def _is_foreign(step: Step, app: str) -> bool:
    """Whether no decorator is one of our sources, nor of our app, which would be a typing error."""
    return not any(root == app or source_names() & set(path) for root, path in step.statement.decorators)


def _left_out(step: Step) -> str:
    function = next(iter(step.statement.defines))
    (root, path), *_ = [one for one in step.statement.decorators if is_handler_decorator(one[1])]
    return f"{function} ({step.location().place}) is not deployed: @{root}.{path[0]} belongs to no event source"


def _possible_names(step: Step) -> frozenset[str] | None:
    """Return the names that a handler may have whose decorators could not be evaluated; None for any."""
    names = set(step.statement.defines)
    function = ast.parse(step.statement.text).body[0]
    calls = [decorator for decorator in getattr(function, "decorator_list", ()) if isinstance(decorator, ast.Call)]
    # @app.schedule(RATE, NAME): what stands second may be the name.
    if step.statement.handler or any(len(call.args) > 1 for call in calls):
        return None
    for keyword in chain.from_iterable(call.keywords for call in calls):
        value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
        if keyword.arg is None or (keyword.arg == "name" and value is None):
            return None
        if keyword.arg == "name":
            names.add(str(value))
    return frozenset(names)


def _is_deleted(step: Step, timeline: Timeline) -> bool:
    """Whether a later `del` takes the handler back."""
    (function,) = step.statement.defines
    return any(event.deletes and event.position > step.position for event in timeline.events[function])


def _only_magic(step: Step, app: str | None) -> bool:
    """Whether all that a function registers stands on the line of its cell's magic, and the app's name is known."""
    return app is not None and step.statement.handler and len(step.statement.decorators) == 1


def _from_magic(step: Step, app: str | None) -> Found:
    from nbchalice.notebook.analysis.handler_function import trigger_options

    body = step.split.body
    place = step.cell.location(body.magic_line)
    try:
        magic = parse_cell_magic(body.magic or "", body.arguments)
    except InvalidInputError as error:
        raise type(error)(error.message, error.hint, place, code=error.code) from None
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


def _evaluated(
    steps: list[Step], effects: Effects, notebook: str, evaluator: Evaluator
) -> dict[int, Evaluation | InvalidInputError]:
    """Return what the decorators of functions register, or why that cannot be found out, by position."""
    definitions: dict[int, JSON] = {}
    found: dict[int, Evaluation | InvalidInputError] = {}
    for step in steps:
        try:
            definitions[step.position] = decorators_module(step, effects, notebook)
        except InvalidInputError as error:
            found[step.position] = error
    results = evaluator.evaluate(list(definitions.values()))
    return found | dict(zip(definitions, results, strict=True))


def _from_decorators(
    step: Step, result: Evaluation | InvalidInputError, timeline: Timeline, variables: Variables
) -> list[Found]:
    """Return the handlers that decorators register: one, or as many as a blueprint is registered.

    None are those of other libraries, as `@button.on_click` is one.
    """
    if isinstance(result, InvalidInputError):
        raise result
    function = next(iter(step.statement.defines))
    if result.name is None and not result.blueprint and _is_foreign(step, timeline.app):
        return []
    if result.missing:
        raise unset(function, result, variables, step.location())
    if result.error is not None:
        raise failed(function, result, timeline, step)
    if result.name is None and not result.blueprint:
        raise unregistered(step, timeline)
    # The captured decorator of a cell magic has the trigger's options only: what the function is set to is in its line.
    of_magic = _from_magic(step, None).settings if step.statement.handler else {}
    return [
        Found(
            name=str(one.name),
            function=function,
            cell=step.cell,
            triggers=[(source, options) for source, options in one.triggers],
            settings={**one.settings, **of_magic},
            location=step.location(),
            app=one.app,
        )
        for one in result.all()
        if one.name is not None
    ]


def _not_registered(step: Step) -> str:
    """Say that a function stands on a blueprint that no app has."""
    function = next(iter(step.statement.defines))
    root = next(str(root) for root, path in step.statement.decorators if is_handler_decorator(path))
    return f"{function} ({step.location().place}) is not deployed: write app.register_blueprint({root})"


def decorators_module(step: Step, effects: Effects, notebook: str) -> JSON:
    """Write the module that evaluates the handler's decorators, and nothing of its body."""
    function = next(iter(step.statement.defines))
    stub = replace(step, statement=decorators_only(step))
    app = str(stub.statement.decorators[0][0])
    modules, _ = modules_for(stub, [function], app, effects, notebook)
    return {"modules": modules, "function": function, "notebook": Path(notebook).name}
