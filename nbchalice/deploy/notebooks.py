"""Several notebooks of one app: what one of them deployed is not the others' to remove."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from nbchalice.deploy import owners
from nbchalice.deploy.desired import App
from nbchalice.deploy.inspection import NOTHING, Inspection, Removal
from nbchalice.resources.base import FunctionRef
from nbchalice.resources.function import Function
from nbchalice.resources.ownership import NOTEBOOK, notebook_tag
from nbchalice.typed import Values

# Whether handlers that stand and are not in the notebook are removed: all of them, or only some, by name.
Prune = bool | frozenset[str]


def pruned(app: App, prune: Prune) -> Removal:
    """Return what `--prune` removes: not what another notebook or person deployed, or what this one may still have."""
    if prune is False:
        return NOTHING
    return Removal(lambda name, function: goes(app, prune, name) and not _stays(app, function), unused=True)


def _stays(app: App, function: Values) -> bool:
    return _is_other(app, function.get("Tags", {}).get(NOTEBOOK)) or owners.stays(app, function)


def goes(app: App, prune: Prune, name: str) -> bool:
    """Whether `--prune` removes a handler that is not registered, for all that this notebook says of it."""
    chosen = prune if isinstance(prune, bool) else name in prune
    return chosen and app.why_stays(name) is None and not app.may_have(name)


def _is_other(app: App, notebook: str | None) -> bool:
    return notebook not in {None, *notebook_tag(app.notebook).values()}


def elsewhere(app: App, standing: Inspection) -> dict[str, str]:
    """Return the handlers that stand and were deployed from another notebook, each with that notebook."""
    others = {name: notebook for name, notebook in standing.notebooks.items() if _is_other(app, notebook)}
    registered = {handler.name for handler in app.handlers}
    # A notebook whose own name is unknown may be that very one.
    return {name: notebook for name, notebook in others.items() if app.notebook or name not in registered}


def not_run(app: App, names: Iterable[str]) -> dict[str, str]:
    """Return which names stand in the file, or may do so, and are not registered; each with a text that says so."""
    return {name: why for name in names if (why := app.why_stays(name))}


def doubts(app: App, standing: Inspection, refs: Iterable[FunctionRef]) -> dict[str, str]:
    """Return which orphans may stand in the notebook after all, each with the reason why its file cannot tell."""
    if not app.notebook:
        unknown = "the notebook's file is not known here, so whether its cell is there is not known either"
        return {ref.handler: unknown for ref in refs}
    texts = {}
    for ref in refs:
        function = standing.current.get(Function(ref).key) or {}
        modified = function.get("Configuration", {}).get("LastModified")
        if app.saved_at is not None and modified and datetime.fromisoformat(modified).timestamp() > app.saved_at:
            texts[ref.handler] = f"deployed after {app.notebook} was saved last; save it, if the cell is still there"
    return texts


def notes(app: App, others: Mapping[str, str]) -> list[str]:
    """Return what to tell of handlers that stand and were deployed from another notebook."""
    registered = {handler.name for handler in app.handlers}
    texts = []
    for name, notebook in others.items():
        if name in app.others:
            continue  # Whose it is says more.
        if name in registered:
            texts.append(f"{name} was deployed from {notebook}: this notebook's handler takes its place")
        else:
            remove = f"--prune leaves it, %chalice delete {name} removes it"
            texts.append(f"{name} stands, too, deployed from {notebook}: {remove}")
    return texts
