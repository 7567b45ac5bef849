"""The slice: the statements of the notebook that a handler needs, in the order in which they ran."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from pathlib import PurePath
from types import MappingProxyType
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError
from nbchalice.notebook.analysis.effects import Effects
from nbchalice.notebook.analysis.handler_function import kind_problem
from nbchalice.notebook.analysis.history import END, Step, Timeline
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.capture.closure import Closure
from nbchalice.notebook.capture.companions import LeftOut, with_companions
from nbchalice.notebook.capture.environment import variables_read
from nbchalice.notebook.capture.looked_up import told_of, with_looked_up
from nbchalice.notebook.capture.origins import unsteady
from nbchalice.notebook.capture.registering import find_registration, function_in
from nbchalice.notebook.capture.render import render
from nbchalice.notebook.capture.replayable import require_replayable, require_unwritten
from nbchalice.notebook.secrets import require_no_secrets
from nbchalice.runtime.cells import Segment
from nbchalice.typed import Values

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

    from nbchalice.notebook.cells import Cell


@dataclass(frozen=True)
class Slice:
    """A handler's code as a module.

    Parameters
    ----------
    module : str
        The exact text of the module.
    segments : list[Segment]
        Which line of the module is which line of which cell, one for each statement.
    imports : frozenset[str]
        Top-level names of the modules it imports.
    needs : dict[str, str]
        The names it takes from other cells than the handler's, with the label of the cell.
    function : str
        The handler function's name.
    notebook : str
        The notebook's file name.
    values : dict[str, tuple[str, ...]]
        The names whose final value must equal the kernel's, with the labels of the cells that made it.
    changed : frozenset[str]
        Those of them that the handler itself changes when it is called.
    reads : frozenset[str]
        The names that its functions need when they are called; what they can do without is left out.
    marked : frozenset[str]
        Those of ``values`` that a statement marked ``include`` made: what chance and place decide in them is free.
    imported : dict[str, list[tuple[str, str or None]]]
        The names of ``values`` that an import binds, each with the modules and attributes it may stand for.
    bundles : tuple[str, ...]
        The bundled variables that it loads.
    positions : tuple[int, ...]
        Which of the notebook's statements it has, those nearest to the handler first.
    optional : frozenset[int]
        Those of them that bind nothing that is needed: they are there for what they change, or set.
    doubts : Mapping[int, frozenset[str]]
        Statements that it has not and that may change something it needs, each with the names: a run decides.
    places : Mapping[int, CaptureError]
        Those of its statements that ask where they run, each with the error if that matters: a run decides.
    left_out : tuple[LeftOut, ...]
        Statements that act, but are not part of it.
    unfollowed : str
        What it looks up at run time and nothing follows, in a line; empty if there is nothing.
    variables : tuple[tuple[str, str], ...]
        The environment variables that it reads and does not set, each with its place.
    """

    module: str
    segments: list[Segment]
    imports: frozenset[str]
    needs: dict[str, str]
    function: str
    notebook: str
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    changed: frozenset[str] = frozenset()
    reads: frozenset[str] = frozenset()
    marked: frozenset[str] = frozenset()
    imported: dict[str, list[tuple[str, str | None]]] = field(default_factory=dict)
    bundles: tuple[str, ...] = ()
    positions: tuple[int, ...] = ()
    optional: frozenset[int] = frozenset()
    doubts: Mapping[int, frozenset[str]] = field(default_factory=dict)
    places: Mapping[int, CaptureError] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    unfollowed: str = ""
    variables: tuple[tuple[str, str], ...] = ()


def slice_handler(
    cells: Sequence[Cell],
    function: str,
    *,
    notebook: str,
    namespace: Values | None = None,
    order: int | None = None,
    bundles: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> Slice:
    """Cut out of a notebook what a function needs.

    Parameters
    ----------
    cells : Sequence[Cell]
        The executed cells, or those of a file.
    function : str
        Name of the handler function: of a magic's cell, decorated, or plain.
    notebook : str
        The notebook's file name.
    namespace : Values or None
        The kernel's variables, if there is a kernel; used for better errors only.
    order : int or None
        ``order`` of the cell whose definition is meant; by default the last definition counts.
    bundles : Mapping[str, Iterable[str]]
        The variables that are bundled, each with the names of the notebook that loading it needs.

    Returns
    -------
    Slice: the module, with its map back to the cells.

    Raises
    ------
    CaptureError
        Something the function needs cannot be captured; its code says why.
    """
    return cut(Effects(Timeline(cells, notebook, bundles)), function, namespace=namespace, order=order)


def cut(
    effects: Effects,
    function: str,
    *,
    namespace: Values | None = None,
    order: int | None = None,
    also: Iterable[int] = (),
    without: Mapping[int, str] = MappingProxyType({}),
    by_run: bool = False,
) -> Slice:
    """Cut a handler out of a notebook that was followed already, for several handlers of one notebook.

    Parameters
    ----------
    effects : Effects
        The followed notebook; it is not changed.
    function, namespace, order : str or Values or None or int or None
        As for ``slice_handler``.
    also : Iterable[int]
        Positions of further statements that are to run.
    without : Mapping[int, str]
        Positions of statements that are not to run for what they change or set, each with the reason.
    by_run : bool
        Whether a run decides if it matters in which folder a statement runs. Default: no, it is refused.

    Returns
    -------
    Slice: the module, with its map back to the cells.

    Raises
    ------
    CaptureError
        As ``slice_handler`` does.
    """
    timeline = effects.timeline
    closure = Closure(timeline, effects, namespace, without=without)
    handler, *calls = find_registration(effects, function, order)
    node = function_in(handler, function)
    if node is not None and (problem := kind_problem(node)):
        raise CaptureError(*problem, handler.location(), code="handler-kind")
    binds = handler.statement.binds
    closure.add(handler, END, {function} if function in binds else binds)
    for step in calls:
        closure.add(step, END, step.statement.binds)
    closure.needed |= closure.wanted.keys()
    for position in sorted(also):
        closure.add(timeline.steps[position], position, timeline.steps[position].statement.binds)
    closure.finish()
    for position, names in closure.wanted.items():  # the nearest to the handler first: that is what is to be bundled
        require_replayable(timeline.steps[position], effects, names, by_run=by_run)
    closure, missed = with_looked_up(closure)
    closure, left_out = with_companions(closure, handler, without)
    closure, later = with_looked_up(closure)
    steps = closure.steps()
    if namespace is None:
        require_unwritten(steps, timeline)  # A kernel tells what it has of a module's file.
    loaded = _loaded(steps, timeline)
    used = closure.names_used()
    module, segments = render(steps, used, timeline.notebook)
    require_no_secrets(steps)
    values = closure.final_values()
    return Slice(
        module=module,
        segments=segments,
        imports=_modules(steps, used),
        needs=closure.taken_from_others(handler),
        function=function,
        notebook=timeline.notebook,
        values=values,
        changed=frozenset(values) & effects.changed_by(handler),
        reads=closure.read_when_called(),
        marked=closure.marked(values),
        imported=imported_by(timeline, values),
        bundles=loaded,
        positions=tuple(closure.wanted),
        optional=frozenset(closure.wanted.keys() - closure.needed),
        doubts=closure.doubts(),
        places=_places(closure) if by_run else {},
        left_out=tuple(dict.fromkeys((*left_out, *missed, *later))),
        unfollowed=told_of(closure),
        variables=variables_read(closure),
    )


def _places(closure: Closure) -> dict[int, CaptureError]:
    """Return the statements whose value may depend on where they run, each with the error if it does."""
    found = {}
    for position, names in closure.wanted.items():
        step = closure.timeline.steps[position]
        told = ", ".join(sorted(names) or sorted(step.statement.binds) or ["this value"])
        refusal = unsteady(step, closure.effects, told, of_place=True)
        if refusal is not None:
            found[position] = refusal
    return found


def _loaded(steps: Sequence[Step], timeline: Timeline) -> tuple[str, ...]:
    """Return the names that the statements of ``%chalice bundle NAME`` load."""
    found: dict[str, Step] = {}
    for step in steps:
        for line, name in step.split.body.bundles:
            if step.statement.head == line and name in step.statement.defines:
                found[name] = step
    for name, step in found.items():
        if name not in timeline.bundles:
            folder = f".nbchalice/bundles/{PurePath(timeline.notebook).stem}"
            raise CaptureError(
                f"the bundle {name} was not made yet: there is none in {folder}",
                f"run this line where {name} has its value, in Jupyter; or, in a shell, add --execute to run all cells",
                step.location(),
                code="missing-bundle",
            )
    return tuple(found)


def _modules(steps: Iterable[Step], used: Container[str]) -> frozenset[str]:
    """Return the top-level modules of the imports that stay in the module."""
    modules = set()
    for step in steps:
        if step.statement.kind is Kind.FUTURE:
            continue
        # try: import orjson except ImportError: import json as orjson stays whole; import json, re loses an unused re.
        stays_whole = step.statement.kind is Kind.COMPOUND
        for alias in step.statement.imports:
            if stays_whole or alias.name == "*" or alias.name in used:
                modules.add(alias.module.split(".")[0])
    return frozenset(modules)


def imported_by(timeline: Timeline, names: Iterable[str]) -> dict[str, list[tuple[str, str | None]]]:
    """Return, for the names that nothing but imports binds in the end, what these name.

    Parameters
    ----------
    timeline : Timeline
        The executed statements.
    names : Iterable[str]
        The names.
    """
    sources = {}
    for name in names:
        steps = [timeline.steps[position] for position in timeline.standing(name, END)[0]]
        aliases = [[alias for alias in step.statement.imports if alias.name == name] for step in steps]
        if aliases and all(aliases):
            sources[name] = [(alias.module, alias.attribute) for alias in chain.from_iterable(aliases)]
    return sources
