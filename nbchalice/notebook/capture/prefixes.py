"""By what names the functions of a blueprint are registered, as far as a notebook's text says it."""

from __future__ import annotations

import ast
from itertools import product
from typing import TYPE_CHECKING

from nbchalice.notebook.analysis.model import Kind
from nbchalice.notebook.capture.registering import REGISTER_BLUEPRINT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbchalice.notebook.analysis.history import Step, Timeline

Prefixes = dict[str, set[str] | None]
"""For each variable of a blueprint the prefixes it is registered with; None where the text does not say."""


def prefixes_in(timeline: Timeline) -> Prefixes:
    """Return how the blueprints that a notebook makes are registered.

    Parameters
    ----------
    timeline : Timeline
        The statements of the notebook.
    """
    made = set[str]().union(*(step.statement.defines for step in timeline.steps if _makes(step)))
    prefixes: Prefixes = {name: set() for name in made}
    for step in timeline.steps:
        for name, prefix in _registered(step):
            # A name that is not one of these may be the parameter of a function, or go through a list of them.
            for one in [name] if name in prefixes and name is not None else made:
                known = prefixes[one]
                prefixes[one] = None if known is None or prefix is None or name not in made else known | {prefix}
    return prefixes


def is_said(step: Step, prefixes: Prefixes) -> bool:
    """Tell whether a statement registers only blueprints whose functions stand in the notebook, under names it says.

    Parameters
    ----------
    step : Step
        The statement.
    prefixes : Prefixes
        As ``prefixes_in`` returns them.
    """
    calls = list(_registered(step))
    return bool(calls) and all(prefixes.get(name or "") is not None for name, _ in calls)


def names_with(prefixes: Prefixes, step: Step, names: frozenset[str] | None) -> frozenset[str] | None:
    """Return the names of the handlers that decorators make; None where the text does not say them.

    Parameters
    ----------
    prefixes : Prefixes
        As ``prefixes_in`` returns them.
    step : Step
        Defines a decorated function.
    names : frozenset[str] or None
        What it is called without a prefix, if the text says it.
    """
    of_blueprints = {str(root) for root, _ in step.statement.decorators} & prefixes.keys()
    if not of_blueprints or names is None:
        return names
    prefixed: set[str] = set()
    for blueprint in of_blueprints:
        known = prefixes[blueprint]
        if known is None:
            return None
        prefixed |= {prefix + name for prefix, name in product(known, names)}
    return frozenset(prefixed)


def _makes(step: Step) -> bool:
    calls = step.statement.now.calls.values()
    makes = any("Blueprint" in (call.root, *call.path[-1:]) for call in calls)
    return makes and step.statement.kind is Kind.ASSIGN


def _registered(step: Step) -> Iterator[tuple[str | None, str | None]]:
    """Yield the variable and the prefix of each call that registers, with None for what the text does not say."""
    if REGISTER_BLUEPRINT not in step.statement.text:
        return
    calls = 0
    for node in ast.walk(ast.parse(step.statement.text)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == REGISTER_BLUEPRINT:
            calls += 1
            given = dict(zip(("blueprint", "name_prefix"), node.args, strict=False))
            given |= {keyword.arg or "": keyword.value for keyword in node.keywords}
            blueprint, prefix = given.get("blueprint"), given.get("name_prefix", ast.Constant(""))
            plain = isinstance(prefix, ast.Constant) and not any(isinstance(arg, ast.Starred) for arg in node.args)
            name = blueprint.id if isinstance(blueprint, ast.Name) and "" not in given else None
            yield name, str(prefix.value or "") if plain and isinstance(prefix, ast.Constant) else None
    if step.statement.text.count(REGISTER_BLUEPRINT) > calls:  # list(map(app.register_blueprint, blueprints))
        yield None, None
