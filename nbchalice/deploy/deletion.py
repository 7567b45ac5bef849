"""Removing what an app owns, and nothing of other people's."""

from __future__ import annotations

import time
from dataclasses import replace

from nbchalice.aws.target import Connection
from nbchalice.deploy import check, notebooks, owners
from nbchalice.deploy.desired import App
from nbchalice.deploy.execute import Progress, before_any_change, execute, look_again, quiet
from nbchalice.deploy.inspect import inspect
from nbchalice.deploy.inspection import Inspection, Removal
from nbchalice.deploy.plan import Change, Plan, handler_of, make_plan
from nbchalice.deploy.results import Deployment
from nbchalice.errors import InvalidInputError
from nbchalice.resources.base import TAGS
from nbchalice.resources.function import Function
from nbchalice.resources.log_group import LogGroup
from nbchalice.resources.ownership import TUNE_ENDING, TUNES
from nbchalice.resources.recorded_events import RecordedEvents
from nbchalice.resources.stored_bundle import StoredBundle
from nbchalice.resources.upload_bucket import is_large, left_empty
from nbchalice.text import listing
from nbchalice.typed import JSON


def plan_delete(app: App, aws: Connection, handler: str | None = None) -> Plan:
    """Return what `delete` would do.

    Raises
    ------
    InvalidInputError
        There is no such handler, neither registered nor deployed.
    """
    app = owners.claimed(app, aws)
    check.raise_all(check.names_problems(app) + check.account_problems(app, aws) + check.unnamed_problems(app, aws))
    names = [one.name for one in app.handlers]
    removal = Removal(lambda name, _: handler is None or name in {handler, copy_of(handler)}, unused=handler is None)
    # One with neither role nor log group of its own is found by its function.
    also = names if handler is None else [*names, handler]
    standing = inspect(replace(app, handlers=()), aws, {}, removal=removal, also=also, role_paths=app.role_paths)
    if handler is not None:
        _leave_handlers(app, aws, standing, handler)
        _require_known(standing, handler, names)
    foreign = [key for key, resource in standing.stale.items() if resource.conflicts(standing.current[key])]
    for key in foreign:
        del standing.stale[key]
    elsewhere = [
        f"{name} was deployed from {notebook}"
        for name, notebook in notebooks.elsewhere(app, standing).items()
        if handler in {None, name} and name not in names
    ]
    planned = make_plan({}, standing, notes=(*elsewhere, *standing.unseen, *map(str, standing.unclaimed)))
    return replace(planned, others=owners.others(app, standing))


def copy_of(handler: str) -> str:
    """Return the name of the copy that `%chalice tune` makes of a handler for a while, and may have left."""
    return f"{handler}{TUNE_ENDING}"


def _leave_handlers(app: App, aws: Connection, standing: Inspection, handler: str) -> None:
    """Leave what bears the name of a copy and is a handler of its own."""
    name = copy_of(handler)
    group = standing.current.get(LogGroup(app.ref(aws, name)).key) or {}
    function = standing.functions.get(name)
    if TUNES not in (group.get(TAGS) or {} if function is None else function.get("Tags", {})):
        standing.stale = {key: one for key, one in standing.stale.items() if handler_of(one) != name}


def _require_known(standing: Inspection, handler: str, registered: list[str]) -> None:
    """Raise InvalidInputError where a handler is neither registered nor deployed."""
    if handler in registered or any(handler_of(one) == handler for one in standing.stale.values()):
        return
    message = f"there is no handler {handler!r}, neither in the notebook nor deployed"
    others = [name for name in standing.orphans if name != handler]
    raise InvalidInputError(message, listing(others, "handler") if others else None, code="no-such-handler")


def delete(app: App, aws: Connection, handler: str | None = None, *, progress: Progress = quiet) -> Deployment:
    """Remove all that the app owns; never a queue, topic or bucket, nor anything of other people's.

    Parameters
    ----------
    app, aws : App or Connection
        As for `plan`.
    handler : str or None
        Remove only what belongs to this handler, whether it is registered or not. Default: all.
    progress : Progress
        Called as changes start, are done, or fail.

    Raises
    ------
    InvalidInputError
        There is no such handler, neither registered nor deployed.
    DeployError, Interrupted
        Stopped part way; running it again is safe.
    """
    started, calls = time.monotonic(), len(aws.calls)
    with before_any_change():
        planned = plan_delete(app, aws, handler)
        owners.require_own(app, planned)
    execute(planned, aws, progress)
    look_again(planned, aws, progress)
    used = any(_went_through_the_bucket(change) for change in planned.changes)
    if handler is None and used and (text := left_empty(aws)):
        planned = replace(planned, notes=(*planned.notes, text))
    return Deployment(app, aws.target, planned, (), len(aws.calls) - calls, time.monotonic() - started)


def _went_through_the_bucket(change: Change) -> bool:
    """Whether something that was removed is, or came from, what stood in the account's bucket for large files."""
    if isinstance(change.resource, StoredBundle | RecordedEvents):
        return True
    current: JSON = change.current if isinstance(change.resource, Function) else {}
    configuration = current.get("Configuration", {})
    sizes = [one.get("CodeSize", 0) for one in (configuration, *(configuration.get("Layers") or []))]
    return any(map(is_large, sizes))
