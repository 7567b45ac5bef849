"""Calls memoized functions as the notebook called them: what they answer in the captured module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import process_time
from typing import Any

from nbchalice.notebook.sandbox.guard import DENIED
from nbchalice.notebook.sandbox.rerunning import OverError, alarm
from nbchalice.notebook.sandbox.unpatched import UNPATCHED
from nbchalice.notebook.sandbox.values import Node, describe, function_of, held_in, with_answers

_SECONDS = 2.0
_LONGEST = 80
_GIVEN = "__given"
"""Stands for the function where its arguments are read."""


def answered(
    values: Mapping[str, Node],
    variables: dict[str, Any],
    calls: Iterable[tuple[str, str, str]],
    names: Mapping[int, str],
) -> dict[str, Node]:
    """Return descriptions of variables with what memoized functions answer.

    Parameters
    ----------
    values : Mapping[str, Node]
        The descriptions.
    variables : dict[str, Any]
        The variables.
    calls : Iterable[tuple[str, str, str]]
        Variable, path of the function in it, and the arguments as they are written: ``(10, x=1)``.
    names : Mapping[int, str]
        The names of variables, by the identity of what they hold.
    """
    found: dict[str, dict[tuple[str, str], Node]] = {}
    left = _SECONDS
    held = {name: held_in(variables[name]) for name in {name for name, _, _ in calls} if name in variables}
    for name, path, label in calls:
        function = function_of(held.get(name, {}), path)
        if function is not None and left > 0:
            node, seconds = _called(function, label, variables, names, left)
            found.setdefault(name, {})[path, label] = node
            left -= seconds
    return {name: with_answers(node, found.get(name, {})) for name, node in values.items()}


def _called(
    function: Callable[..., Any], label: str, variables: dict[str, Any], names: Mapping[int, str], seconds: float
) -> tuple[Node, float]:
    """Return what a function answers, or why it does not, and how long that took."""
    started = process_time()
    DENIED.clear()
    try:
        alarm(seconds, seconds)
        UNPATCHED.give_back()
        given, named = eval(f"{_GIVEN}{label}", {**variables, _GIVEN: lambda *one, **more: (one, more)})  # noqa: S307 - plain data and names
        result = function(*given, **named)
        UNPATCHED.restore()
        alarm(0, 0)
    except BaseException as error:  # the user's own code may raise anything
        UNPATCHED.restore()
        alarm(0, 0)
        if isinstance(error, OverError):
            return ["opaque", "it takes long"], seconds
        text = f"it {DENIED[-1]}" if DENIED else f"here it raises {type(error).__name__}: {error}"
        return ["opaque", text[:_LONGEST]], process_time() - started
    return describe(result, names), process_time() - started
