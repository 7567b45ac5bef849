"""Which statements register a handler: decorated functions, and calls such as ``app.on_sqs_message("q")(work)``."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.history import END, Step, Timeline
from nbchalice.notebook.analysis.known_calls import is_handler_decorator
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.capture.explain import deleted, handler_not_found
from nbchalice.notebook.errors import HandlerNotFoundError
from nbchalice.runtime.entry_points import source_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbchalice.notebook.analysis.aliases import Value
    from nbchalice.notebook.analysis.effects import Effects
    from nbchalice.notebook.analysis.model import Block

REGISTER_BLUEPRINT = "register_blueprint"


def find_registration(effects: Effects, function: str, order: int | None = None) -> list[Step]:
    """Find the statements that define and register a handler, its definition first where a statement of its own does.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    function : str
        The function's name.
    order : int or None
        ``order`` of the cell that registered it, or None for the last definition.

    Raises
    ------
    CaptureError
        It is not defined, or was deleted.
    """
    timeline = effects.timeline
    here = [step for step in timeline.steps if order in {None, step.cell.order} and registers(step, effects)]
    try:
        definition = find_definition(timeline, function, order)
    except HandlerNotFoundError:
        if not here:
            raise
        return _naming(function, here) or here
    calls = [step for step in _naming(function, here) if step.position != definition.position]
    for step in blueprint_registrations(effects, definition):
        calls += [] if step in calls else [step]
    if calls or is_decorated(definition) or registers(definition, effects):
        return [definition, *calls]
    return [definition, *here]


def blueprint_registrations(effects: Effects, definition: Step) -> list[Step]:
    """Find the statements that may register the blueprint whose decorator a statement has: of each cell the last run.

    Parameters
    ----------
    effects : Effects
        The followed notebook.
    definition : Step
        Defines a function, or registers it by a call.
    """
    roots = _roots(definition) - {effects.timeline.app}
    made = [effects.values(root, definition.position) for root in roots]
    groups = {effects.find(value) for value in chain.from_iterable(made)}
    if not groups:
        return []
    registrations = {}
    for step in effects.timeline.steps:
        if registers_blueprint(step, effects) and _may_be_about(groups, step, effects):
            registrations[step.cell.id, step.statement.text] = step
    return list(registrations.values())


def _roots(step: Step) -> set[str]:
    """Return the names whose methods a statement calls to register something."""
    roots = {root for root, path in step.statement.decorators if is_handler_decorator(path)}
    for call in step.statement.now.calls.values():
        if call.path[-1:] and call.path[-1] in source_names() and isinstance(call.root, str):
            roots.add(call.root)
    return {root for root in roots if isinstance(root, str)}


def registers_blueprint(step: Step, effects: Effects) -> bool:
    """Tell whether a statement may register a blueprint with an app, by itself or through functions that it calls.

    Parameters
    ----------
    step : Step
        The statement.
    effects : Effects
        The followed notebook.
    """
    return not is_decorated(step) and _reaches(step, effects, frozenset({REGISTER_BLUEPRINT}))


def _may_be_about(groups: set[Value], step: Step, effects: Effects) -> bool:
    """Tell whether a statement may register one of some blueprints: not if it names other ones."""
    for node in ast.walk(ast.parse(step.statement.text)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == REGISTER_BLUEPRINT:
            given = [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "blueprint")]
            name = given[0].id if given and isinstance(given[0], ast.Name) else None
            values = effects.values(name, step.position) if name else []
            if not values or any(effects.find(value) in groups for value in values):
                return True
    return REGISTER_BLUEPRINT not in step.statement.text


def _naming(function: str, steps: list[Step]) -> list[Step]:
    return [step for step in steps if function in step.statement.now.uses | step.statement.binds]


def find_definition(timeline: Timeline, function: str, order: int | None = None) -> Step:
    """Find the statement that defines the handler's function.

    Parameters
    ----------
    timeline : Timeline
        The executed statements.
    function : str
        The function's name.
    order : int or None
        ``order`` of the cell meant, or None for the last definition.

    Raises
    ------
    CaptureError
        It is not defined, or was deleted.
    """
    if order is None:
        positions, gone = timeline.standing(function, END)
        if gone is not None:
            raise deleted(function, gone, None)
    else:
        positions = [
            event.position
            for event in timeline.events.get(function, ())
            if timeline.steps[event.position].cell.order == order and not event.deletes
        ][-1:]
    if not positions or timeline.steps[positions[0]].statement.kind is Kind.MAGIC:  # that of a notebook that %run ran
        raise handler_not_found(function, timeline)
    return timeline.steps[positions[0]]


def is_decorated(step: Step) -> bool:
    """Tell whether a statement is a function with a decorator, or the magic, that registers it."""
    statement = step.statement
    return statement.kind is Kind.FUNCTION and any(is_handler_decorator(path) for _, path in statement.decorators)


def registers(step: Step, effects: Effects) -> bool:
    """Tell whether a statement may register handlers otherwise than as the decorators of a function do.

    Within ``if``, ``for``, a class, by ``app.on_sqs_message("q")(work)``, by a function that it calls, or by one of a
    local module to which it gives the app.

    Parameters
    ----------
    step : Step
        The statement.
    effects : Effects
        The followed notebook.
    """
    if is_decorated(step):
        return False
    methods = source_names() | {REGISTER_BLUEPRINT}
    asked = step.position, methods  # for each handler of the notebook again
    if asked not in effects.registers:
        effects.registers[asked] = _reaches(step, effects, methods) or gives_app_away(step, effects.timeline)
    return effects.registers[asked]


def gives_app_away(step: Step, timeline: Timeline) -> bool:
    """Tell whether a statement calls a function of a local module with the app: it may register handlers of its own.

    Parameters
    ----------
    step : Step
        The statement.
    timeline : Timeline
        The statements of the notebook.
    """
    for call in step.statement.now.calls.values():
        if isinstance(call.root, str) and timeline.app in call.everything():
            made = [timeline.steps[position] for position in timeline.standing(call.root, step.position)[0]]
            if any(_imports_local(one, timeline) for one in made):
                return True
    return False


def _imports_local(step: Step, timeline: Timeline) -> bool:
    folder = timeline.folder or Path(timeline.notebook).parent
    node = ast.parse(step.statement.text).body[0]
    names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
    names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
    tops = {name.partition(".")[0] for name in names}
    return any((folder / top).is_dir() or (folder / f"{top}.py").is_file() for top in tops)


def _reaches(step: Step, effects: Effects, methods: frozenset[str]) -> bool:
    """Tell whether a statement may call one of some methods."""
    now = step.statement.now
    if _calls(now, methods):
        return True
    for name in {call.root for call in now.calls.values() if isinstance(call.root, str)}:
        for value in effects.values(name, step.position):
            if value[1] != step.position and _leads_to(value, step.position, effects, methods):
                return True
    return False


def _leads_to(value: Value, moment: int, effects: Effects, methods: frozenset[str]) -> bool:
    """Tell whether calling a value may call one of some methods: a kept decorator, or a function that uses one."""
    statement = effects.statement(value)
    # on_orders = app.on_sqs_message("orders") registers nothing yet; on_orders(work) does.
    kept = statement is not None and statement.kind is Kind.ASSIGN and _calls(statement.now, methods)
    return kept or any(_calls(block, methods) for block in effects.reachable(value, moment))


def _calls(block: Block, methods: frozenset[str]) -> bool:
    return any(call.path[-1:] and call.path[-1] in methods for call in block.calls.values())


def function_in(step: Step, function: str) -> ast.stmt | None:
    """Return a function that a statement defines, at whatever depth.

    Parameters
    ----------
    step : Step
        The statement.
    function : str
        The function's name.
    """
    for node in ast.walk(ast.parse(step.statement.text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            return node
    return None


def not_registered(function: str, handler: str, registered: Iterable[str]) -> CaptureError:
    """Make the error for a module that does not register its handler: each event would fail on Lambda.

    Parameters
    ----------
    function : str
        The handler's function.
    handler : str
        The handler's name.
    registered : Iterable[str]
        The names that it does register.
    """
    others = ", ".join(sorted(registered)) or "none"
    return CaptureError(
        f"no handler {handler!r} is registered in the module captured for it; its handlers are: {others}",
        f"write the decorator above def {function}, or a cell magic above its cell",
        code="not-registered",
    )
