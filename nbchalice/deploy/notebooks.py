"""Several notebooks of one app: what one of them deployed is not the others' to remove."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nbchalice.deploy.desired import App
from nbchalice.deploy.inspect import Inspection, Removal
from nbchalice.resources.ownership import notebook_tag


def pruned(app: App) -> Removal:
    """Return what `--prune` removes: neither what another notebook deployed, nor what stands, perhaps, in this one."""

    def removes(name: str, notebook: str | None) -> bool:
        return not _is_other(app, notebook) and app.standing_in_text(name) is None and not app.may_have(name)

    return Removal(removes, unused=True)


def _is_other(app: App, notebook: str | None) -> bool:
    return notebook not in {None, *notebook_tag(app.notebook).values()}


def elsewhere(app: App, found: Inspection) -> dict[str, str]:
    """Return the handlers that stand and were deployed from another notebook, each with that notebook."""
    others = {name: notebook for name, notebook in found.notebooks.items() if _is_other(app, notebook)}
    registered = {handler.name for handler in app.handlers}
    # A notebook whose own name is unknown may be that very one.
    return {name: notebook for name, notebook in others.items() if app.notebook or name not in registered}


def not_run(app: App, names: Iterable[str]) -> dict[str, str]:
    """Return which names stand in the file and were not run in this kernel, each with a text that says so."""
    found = {}
    for name in names:
        if one := app.standing_in_text(name):
            found[name] = f"not run in this kernel ({one.location.place})"
    return found


def notes(app: App, others: Mapping[str, str]) -> list[str]:
    """Return what to tell of handlers that stand and were deployed from another notebook."""
    registered = {handler.name for handler in app.handlers}
    return [
        f"{name} was deployed from {notebook}: this notebook's handler takes its place"
        if name in registered
        else f"{name} stands, too, deployed from {notebook}: --prune leaves it, %chalice delete {name} removes it"
        for name, notebook in others.items()
    ]
