"""Why a name is not there: the most helpful of several errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError, Location
from nbchalice.notebook.analysis.builtin_names import is_kernels_own
from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.analysis.statements import split_cell
from nbchalice.notebook.errors import HandlerNotFoundError
from nbchalice.text import near
from nbchalice.typed import Values

if TYPE_CHECKING:
    from nbchalice.notebook.analysis.history import Step, Timeline

_NOTEBOOK_ONLY = {
    "display": "write to the log instead, for example app.log.info(...)",
    "get_ipython": "write it in plain Python",
    "In": "give the value a name",
    "Out": "give the value a name",
    "_": "give the value a name",
    "__": "give the value a name",
    "___": "give the value a name",
    "_i": "give the text a name",
    "_ih": "give the text a name",
    "_oh": "give the value a name",
    "_dh": "give the value a name",
}


def is_notebook_only(name: str) -> bool:
    """Tell whether only IPython, or an extension of it, defines a name."""
    return name in _NOTEBOOK_ONLY or is_kernels_own(name) or (name.startswith("_") and name.lstrip("_i").isdigit())


def where_used(name: str, user: Step) -> Location:
    """Find the line of a statement that first mentions a name."""
    import re

    pattern = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    for offset, line in enumerate(user.statement.text.split("\n")):
        if pattern.search(line.split("#")[0]):
            return user.location(user.statement.line + offset)
    return user.location()


def deleted(name: str, gone: Step, user: Step | None) -> CaptureError:
    """Make the error for a name that was removed by ``del``, or by a magic.

    Parameters
    ----------
    name : str
        The name.
    gone : Step
        The statement that removed it.
    user : Step or None
        The statement that needs it, or None for the handler itself.
    """
    written = gone.cell.source.splitlines()[gone.statement.head - 1].split()
    what = written[0] if written and written[0].startswith("%") else "del"
    return CaptureError(
        f"{name} was deleted by '{what}' in {gone.cell.label}",
        f"define {name} again after it, or remove the {what} and restart the kernel",
        where_used(name, user) if user is not None else gone.location(),
        code="deleted-name",
    )


def unresolved(name: str, user: Step, timeline: Timeline, namespace: Values | None, *, now: bool) -> CaptureError:
    """Make the error that fits a name that no statement binds when it is needed.

    Parameters
    ----------
    name : str
        The name.
    user : Step
        The statement that needs it.
    timeline : Timeline
        The executed statements.
    namespace : Values or None
        The kernel's variables, or None.
    now : bool
        Whether it is needed while the statement runs, not when its functions are called.
    """
    place = where_used(name, user)
    later = timeline.first(name, user.position) if now else None
    if later is not None:
        return CaptureError(
            f"{name} is used here but defined only later, in {later.cell.label}",
            f"move the definition of {name} above this cell",
            place,
            code="out-of-order",
        )
    for step in timeline.lost:
        if name in step.statement.binds:
            return CaptureError(
                f"{name} is defined only in {step.cell.label}, which failed before it got there",
                f"correct {step.cell.label} and run it again",
                place,
                code="failed-cell",
            )
    for step in timeline.excluded:
        if name in step.statement.binds:
            return CaptureError(
                f"{name} is defined only by a statement marked '# nbchalice: exclude' in {step.cell.label}",
                "remove the mark, or define it otherwise",
                place,
                code="unresolved-name",
            )
    return _by_magic(name, place, timeline) or _elsewhere(name, place, timeline, namespace)


def _by_magic(name: str, place: Location, timeline: Timeline) -> CaptureError | None:
    for cell, split in timeline.splits:
        for hidden in split.body.hidden:
            if hidden.name == name:
                return _magic_name(name, hidden.text, cell.label, place)
    return None


def by_magic(name: str, magic: Step, user: Step) -> CaptureError:
    """Make the error for a name whose last definition is a magic's.

    Parameters
    ----------
    name : str
        The name.
    magic : Step
        The magic, as a statement.
    user : Step
        The statement that needs the name.
    """
    return _magic_name(name, magic.statement.text, magic.cell.label, where_used(name, user))


def _magic_name(name: str, text: str, cell: str, place: Location) -> CaptureError:
    message = f"{name} is defined only by a magic in {cell}: {text.strip()}"
    return CaptureError(message, f"define {name} in plain Python", place, code="magic-name")


def _elsewhere(name: str, place: Location, timeline: Timeline, namespace: Values | None) -> CaptureError:
    if is_notebook_only(name):
        hint = _NOTEBOOK_ONLY.get(name) or f"define or import {name} in a cell, or leave it out"
        return CaptureError(f"{name} exists only in a notebook, not on Lambda", hint, place, code="notebook-only-name")
    for cell, split in timeline.splits:
        if split.problem is not None and name in cell.source:
            line, message = split.problem
            return CaptureError(
                f"{name} may be defined in {cell.label}, which is not valid Python: {message}",
                "correct the cell, or remove it",
                cell.location(line),
                code="cell-syntax",
            )
    if namespace is not None and name in namespace:
        return CaptureError(
            f"{name} exists in the kernel, but no cell defines it (a %run, a startup file, or exec?)",
            f"define {name} in a cell",
            place,
            code="outside-cells",
        )
    for cell in timeline.unrun:
        if any(name in statement.binds for statement in split_cell(cell.source).statements):
            message = f"{name} is defined in {cell.label}, which was not run in this kernel"
            return CaptureError(message, f"run {cell.label}", place, code="unresolved-name")
    return CaptureError(
        f"{name} is not defined in the notebook", _suggestion(name, timeline), place, code="unresolved-name"
    )


def _suggestion(name: str, timeline: Timeline) -> str:
    known = [one for one, events in timeline.events.items() if events]
    return near(name, known, f"define or import {name} in a cell")


def handler_not_found(function: str, timeline: Timeline) -> CaptureError:
    """Make the error for a handler function that is not there.

    Parameters
    ----------
    function : str
        Its name.
    timeline : Timeline
        The executed statements.
    """
    for step in timeline.lost:
        if function in step.statement.binds:
            return CaptureError(
                f"{function} is defined only in {step.cell.label}, which failed",
                f"correct {step.cell.label} and run it again",
                step.location(step.cell.failed_line),
                code="failed-cell",
            )
    for cell, split in timeline.splits:
        if split.problem is not None and f"def {function}" in cell.source:
            line, message = split.problem
            return CaptureError(
                f"{function}: {cell.label} is not valid Python: {message}",
                "correct the cell",
                cell.location(line),
                code="cell-syntax",
            )
    for cell, split in timeline.splits:
        for hidden in split.body.hidden:
            if hidden.name == function:
                return _magic_name(function, hidden.text, cell.label, cell.location(hidden.line))
    functions: list[str] = []
    for step in timeline.steps:
        if step.statement.kind is Kind.FUNCTION:
            functions += step.statement.defines
    defined = f"the notebook defines {', '.join(dict.fromkeys(functions)) or 'no function'}"
    hint = near(function, functions, defined)
    return HandlerNotFoundError(f"no function {function} is defined in the notebook", hint)
