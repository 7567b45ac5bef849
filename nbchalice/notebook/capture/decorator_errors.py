"""What to say of decorators that register nothing, or something else than here, when a notebook is only read."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from nbchalice.errors import CaptureError, InvalidInputError, Location
from nbchalice.notebook.secrets import find_secret_value
from nbchalice.runtime.entry_points import source_names
from nbchalice.text import nearest

if TYPE_CHECKING:
    from nbchalice.handlers.variables import Variables
    from nbchalice.notebook.analysis.history import Step, Timeline
    from nbchalice.notebook.capture.evaluate import Evaluation
    from nbchalice.typed import JSON

_CODE = "decorator-not-evaluated"
_NO_ATTRIBUTE = "'Chalice' object has no attribute "
_HINTS = {
    "FileNotFoundError": "write the value itself, or set it as an environment variable: files do not come along",
    "PermissionError": "write the value itself, or set it as an environment variable",
    "OSError": "write the value itself, or set it as an environment variable",
    "NoCredentialsError": "write the value itself: nothing is asked of AWS while a notebook is read",
    "BotoCoreError": "write the value itself: nothing is asked of AWS while a notebook is read",
    "NameError": "define it in a cell above",
    "ModuleNotFoundError": "install the package beside nbchalice, or put the module beside the notebook",
    "arguments": "correct the arguments: docs/reference.md has those of each decorator",
}
"""What to do about an error, by its class or one of its bases."""
_HINTS_BY_TEXT = {
    "No module named 'chalice'": "import it from nbchalice: from nbchalice import Chalice",
    "it took more than": "write the value itself, or compute it in the handler",
}


def failed(function: str, result: Evaluation, timeline: Timeline, step: Step) -> CaptureError:
    """Return the error for decorators whose evaluation raised one.

    Parameters
    ----------
    function : str
        The function's name.
    result : Evaluation
        What came of it.
    timeline : Timeline
        The statements of the notebook.
    step : Step
        The function.
    """
    cell = next((cell for cell in timeline.cells if cell.label == result.cell), None)
    place = cell.location(result.cell_line) if cell is not None else step.location()
    text = f"the decorators of {function} cannot be evaluated: {result.error}"
    return CaptureError(text, _hint(result, own=result.cell == step.cell.label), place, code=_CODE)


def _hint(result: Evaluation, *, own: bool) -> str:
    """Say what to do; ``own`` tells that the handler's own cell raised the error."""
    error = result.error or ""
    if result.denied:
        return f"write the value itself: what the notebook {result.denied} is not there while it is only read"
    if _NO_ATTRIBUTE in error:
        return _attribute_hint(error.partition(_NO_ATTRIBUTE)[2].strip("'"))
    kinds = [*result.kinds, *(["arguments"] if own and {"TypeError", "ValueError"} & set(result.kinds) else [])]
    told = [hint for text, hint in _HINTS_BY_TEXT.items() if text in error]
    told += [_HINTS[kind] for kind in kinds if kind in _HINTS]
    return told[0] if told else "correct the cell: it raises this error when the notebook runs from the top"


def _attribute_hint(name: str) -> str:
    """Say what to do about an attribute that the app has not: a mistyped decorator, one of a package, or its own."""
    of_source = name.startswith("on_")
    meant = nearest(name, source_names()) if of_source or name.startswith(("sched", "lambda")) else None
    told = [f"write @app.{meant}"] if meant else []
    told += [f"install the package that provides @app.{name} beside nbchalice"] if of_source else []
    return ", or ".join(told) or f"set app.{name} in a cell above, by a statement of its own"


def unregistered(step: Step, timeline: Timeline) -> CaptureError:
    """Return the error for a decorated function that no app of ours knows afterwards.

    Parameters
    ----------
    step : Step
        The function.
    timeline : Timeline
        The statements of the notebook.
    """
    function = next(iter(step.statement.defines))
    makers = timeline.standing(timeline.app, step.position)[0]
    calls = chain.from_iterable(timeline.steps[at].statement.now.calls.values() for at in makers)
    names = {call.root for call in calls}
    aliases = chain.from_iterable(other.statement.imports for other in timeline.steps)
    imports = [alias.module for alias in aliases if alias.name in names]
    if any(module.partition(".")[0] == "chalice" for module in imports):
        hint = "the app is one of the package chalice; write: from nbchalice import Chalice"
    else:
        hint = "make the app with: from nbchalice import Chalice; app = Chalice(app_name='...')"
    return CaptureError(f"{function} is not registered with a nbchalice app", hint, step.location(), code=_CODE)


def _main_option(options: JSON) -> str:
    """Return what a trigger is on, which the variable was for."""
    name, value = next(iter(options.items()), ("", None))
    return f"{name} is {value!r}" if name else "it has no options"


def unset(function: str, result: Evaluation, variables: Variables, place: Location) -> CaptureError:
    """Return the error for decorators that need variables which the function will not have."""
    names = ", ".join(result.missing)
    only = " (it is set here only)" if any(name in variables.here for name in result.missing) else ""
    came_to = result.error or ", ".join(_main_option(options) for _, options in result.triggers)
    return CaptureError(
        f"the decorators of {function} need {names}, which is not set for the function{only}: {came_to}",
        f"set {names} in {variables.place}",
        place,
        code=_CODE,
    )


def followed(result: Evaluation | InvalidInputError, variables: Variables) -> list[str]:
    """Say which variable decided about a trigger where it has another value here."""
    if isinstance(result, InvalidInputError):
        return []
    own = variables.of(result.name or "", result.settings)
    notes = []
    for name in result.chosen:
        if name in own:
            values = f"{_shown(name, own[name])} for the function, {_shown(name, variables.here[name])} here"
            notes.append(f"{result.name}: {name} is {values}")
        else:
            hint = f"set it in {variables.place}, too, or the function does without"
            notes.append(f"{result.name}: {name} is set here only; {hint}")
    return notes


def _shown(name: str, value: str) -> str:
    return "<hidden>" if find_secret_value(name, value) else repr(value)
