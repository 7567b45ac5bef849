"""Deploy, plan, status, delete and rollback: the operations that magics, command line and Python share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from nbchalice.aws.target import Connection
from nbchalice.deploy import check, notebooks, owners
from nbchalice.deploy.afterwards import addresses, not_ready, until_ready
from nbchalice.deploy.deletion import delete, plan_delete
from nbchalice.deploy.desired import App, desired, is_made, targets, triggers, with_settings
from nbchalice.deploy.execute import Progress, before_any_change, execute, look_again, quiet
from nbchalice.deploy.inspect import inspect, parallel, read_more
from nbchalice.deploy.keys import grant_notes, keys_of, note_own_bucket
from nbchalice.deploy.misspelled import misspelled
from nbchalice.deploy.notebooks import Prune
from nbchalice.deploy.package import Package
from nbchalice.deploy.plan import Plan, conflicts, handler_of, make_plan
from nbchalice.deploy.quotas import quota_notes, quota_problems, read_quotas
from nbchalice.deploy.reads import Reads
from nbchalice.deploy.reasons import in_orders_that_stand, with_reasons
from nbchalice.deploy.results import Deployed, Deployment, HandlerState, HandlerStatus, Status, cannot
from nbchalice.deploy.rollback import rollback
from nbchalice.errors import DeployError, InvalidInputError, NbChaliceError
from nbchalice.handlers import Handler, clashes
from nbchalice.resources import code_signing, destination, log_group
from nbchalice.resources.base import AWS, Preflight, Resource
from nbchalice.resources.function import Function
from nbchalice.resources.versions import standing_version

__all__ = [
    "Deployed",
    "Deployment",
    "HandlerStatus",
    "Status",
    "delete",
    "deploy",
    "plan",
    "plan_delete",
    "rollback",
    "status",
]

Packages = Callable[[], Mapping[str, Package]]
PLACEHOLDER = Package(b"", "", "3.13")


def plan(app: App, packages: Packages, aws: Connection, *, prune: Prune = False) -> Plan:
    """Return what a deploy would do; changes nothing.

    Parameters
    ----------
    app : App
        The handlers.
    packages : Packages
        Builds the code of each handler; runs while AWS is being read.
    aws : Connection
        where.
    prune : Prune
        Whether orphans (all, or those of some names), and layers and bundles that nothing uses any more, are to be
        removed.

    Raises
    ------
    InvalidInputError, ProblemsError
        Something cannot work; all that was found is told at once.
    AWSError
        AWS refused a read.
    """
    app = owners.claimed(app, aws)
    check.raise_all(check.problems(app) + check.account_problems(app, aws) + check.unnamed_problems(app, aws))
    check.raise_all(check.problems_at(app, aws, _sketch(app, aws)))
    planned, wrong = _draft(app, packages, aws, prune)
    check.raise_all(wrong)
    return replace(planned, orphans=tuple(name for name in planned.orphans if not app.may_have(name)))


def _sketch(app: App, aws: Connection) -> dict[str, Resource]:
    """Return what should stand, but for the code."""
    return desired(app, {handler.name: PLACEHOLDER for handler in app.handlers}, aws)


def _draft(
    app: App, packages: Packages, aws: Connection, prune: Prune, reads: Reads | None = None
) -> tuple[Plan, list[NbChaliceError]]:
    """Return the plan, and why AWS would refuse it."""
    sketch, reads = _sketch(app, aws), reads or Reads(aws)
    with ThreadPoolExecutor(4, "nbchalice-plan") as pool:
        reading = pool.submit(inspect, app, reads, sketch, removal=notebooks.pruned(app, prune))
        looking = pool.submit(_preflights, app, reads)
        unlocking, asking = pool.submit(keys_of, app, reads), pool.submit(read_quotas, reads)
        built = packages()
        standing, preflights, keys = reading.result(), looking.result(), unlocking.result()
    note_own_bucket(keys, app, built, reads)
    quotas = asking.result()
    others = owners.others(app, standing)
    app = replace(app, others=frozenset(others))
    timeouts, notes, wrong = _timeouts(app, preflights)
    notes += [*keys.notes, *quota_notes(quotas, sketch)]
    notes += [one.warning for one in sketch.values() if one.warning and not aws.local]
    wanted = desired(app, built, aws, timeouts, keys.statements)
    read_more(standing, wanted, reads)
    built, of_orders = in_orders_that_stand(built, wanted, standing.current)
    notes += of_orders
    wanted = desired(app, built, aws, timeouts, keys.statements)
    wrong += check.layer_count_problems(app, {name for name, package in built.items() if package.layer})
    wrong += check.bundle_problems(app, built)
    wrong += check.key_problems(app, aws)
    notes += grant_notes(wanted, standing.current, aws)
    notes += [*standing.unseen, *map(str, standing.unclaimed)]
    notes += [*check.local_notes(app, aws), *check.consumer_notes(app, aws)]
    notes += check.bundle_notes(app, aws, built) + check.answer_notes(app, built)
    elsewhere = notebooks.elsewhere(app, standing)
    not_run = notebooks.not_run(app, [name for name in standing.orphans if name not in elsewhere])
    own = [name for name in standing.orphans if name not in elsewhere and name not in not_run]
    wrong += conflicts(wanted, standing, [app.ref(aws, name) for name in own])
    notes += notebooks.notes(app, elsewhere)
    notes += [f"{name} stays as it stands: {text}" for name, text in not_run.items()]
    doubts = notebooks.doubts(app, standing, [app.ref(aws, name) for name in own])
    going = [name for name in own if notebooks.goes(app, prune, name) and (name not in others or app.takes_over)]
    left = tuple(name for name in own if name not in going)
    planned = make_plan(wanted, standing, orphans=left, elsewhere=elsewhere, notes=tuple(notes))
    wrong += quota_problems(quotas, planned)
    unready = tuple(not_ready([one for key, one in wanted.items() if key not in planned.waits], standing.current))
    planned = replace(planned, notes=(*planned.notes, *unready), unready=unready)
    planned = replace(with_reasons(planned), pruned=tuple(going), not_run=not_run, doubts=doubts, others=others)
    first = (*misspelled(planned.changes, aws), *owners.notes(app, standing, planned))
    planned = replace(planned, notes=(*first, *planned.notes))
    written = {handler_of(change.resource) for change in planned.changes if isinstance(change.resource, Function)}
    sizes = {name: one.sizes for name, one in built.items() if one.sizes and name in written}
    return replace(planned, sizes=sizes, timeouts=timeouts), wrong


def _preflights(app: App, aws: AWS) -> dict[tuple[str, int], Preflight]:
    calls: dict[tuple[str, int], Callable[[], Preflight]] = {}
    for handler in app.handlers:
        ref = app.ref(aws, handler.name, handler.setting("timeout"))
        for number, (source, options, own) in enumerate(triggers(handler, ref)):
            if is_made(source, aws):
                calls[handler.name, number] = partial(source.preflight, aws, options, own)
        calls[handler.name, -1] = partial(destination.preflight, aws, targets(handler, ref))
        signing = handler.setting("code_signing") or ""
        calls[handler.name, -3] = partial(code_signing.preflight, aws, ref, signing)
        calls[handler.name, -2] = partial(log_group.preflight, aws, with_settings(ref, handler))
    with parallel() as run:
        return run(calls)


def _timeouts(
    app: App, preflights: Mapping[tuple[str, int], Preflight]
) -> tuple[dict[str, int], list[str], list[NbChaliceError]]:
    """Return the timeouts that a source shortens, what to say about it, and what is wrong."""
    timeouts: dict[str, int] = {}
    notes: list[str] = []
    wrong: list[NbChaliceError] = []
    by_name = {handler.name: handler for handler in app.handlers}
    for (name, _), preflight in preflights.items():
        handler = by_name[name]
        wrong += [
            InvalidInputError(f"handler {name}: {problem.message}", problem.hint, handler.location)
            for problem in preflight.problems
        ]
        notes += preflight.notes
        wanted = handler.setting("timeout")
        if preflight.timeout is None or preflight.timeout >= wanted:
            continue
        if "timeout" in handler.settings or not preflight.timeout:
            wrong.append(_too_slow(handler, preflight, wanted))
            continue
        timeouts[name] = min(preflight.timeout, timeouts.get(name, wanted))
        notes.append(f"{name}: timeout {timeouts[name]} s, the visibility timeout of {preflight.limit}")
    return timeouts, notes, wrong


def _too_slow(handler: Handler, preflight: Preflight, wanted: int) -> NbChaliceError:
    shorter = f", or --timeout {preflight.timeout}" if preflight.timeout else ""
    return InvalidInputError(
        f"handler {handler.name} may run {wanted} s, but {preflight.limit} "
        f"shows a message again after {preflight.timeout} s",
        f"add --fix-visibility-timeout (sets {6 * wanted} s: AWS advises six times the timeout){shorter}",
        handler.location,
    )


def deploy(
    app: App,
    packages: Packages,
    aws: Connection,
    *,
    prune: Prune = False,
    progress: Progress = quiet,
    announce: Callable[[Plan], None] = lambda plan: None,
) -> Deployment:
    """Bring AWS to what the notebook says; running it again converges.

    Parameters
    ----------
    app, packages, aws, prune : App or Packages or Connection or Prune
        As for `plan`.
    progress : Progress
        Called as changes start, are done, or fail.
    announce : Callable[[Plan], None]
        Called with the plan before the first change.

    Raises
    ------
    InvalidInputError, ProblemsError
        Something cannot work; nothing was changed.
    DeployError
        Stopped part way; says what was done and what was not.
    Interrupted
        The user stopped it; says the same.
    """
    started, calls, deaths = time.monotonic(), len(aws.calls), aws.deaths
    with before_any_change():
        planned = plan(app, packages, aws, prune=prune)
        owners.require_own(app, planned)
        announce(planned)
    try:
        execute(planned, aws, progress)
        look_again(planned, aws, progress)
    except DeployError:
        if aws.deaths == deaths:
            raise
    if aws.deaths != deaths:  # What a local AWS was told in its last second may be gone.
        execute(plan(app, packages, aws, prune=prune), aws, progress)
    told = [*until_ready(planned, aws, progress), *addresses(_sketch(app, aws).values(), aws)]
    planned = replace(planned, notes=(*planned.notes, *told))
    touched = {handler_of(change.resource) for change in planned.changes}
    functions = tuple(
        Deployed(ref.name, ref.handler, ref.arn, ref.handler in touched)
        for ref in (app.ref(aws, handler.name) for handler in app.handlers)
    )
    return Deployment(app, aws.target, planned, functions, len(aws.calls) - calls, time.monotonic() - started)


def status(
    app: App, packages: Packages, aws: Connection, broken: Mapping[str, NbChaliceError] = MappingProxyType({})
) -> Status:
    """Return how each handler stands; changes nothing. What would stop a deploy is told, and hides nothing.

    Parameters
    ----------
    app, packages, aws : App or Packages or Connection
        As for `plan`.
    broken : Mapping[str, NbChaliceError]
        Handlers that cannot be packaged now, with the reason.
    """
    check.raise_all(check.names_problems(app) + check.account_problems(app, aws))
    app, broken = owners.claimed(app, aws), {**_unfit(app, aws), **broken}
    sound = replace(app, handlers=tuple(handler for handler in app.handlers if handler.name not in broken))
    reads = Reads(aws)
    draft, wrong = _draft(sound, packages, aws, prune=False, reads=reads)
    versions = _versions(app, reads)
    states = []
    for handler in app.handlers:
        error = broken.get(handler.name)
        state = _state(handler, draft) if error is None else _broken(handler, error, draft)
        states.append(replace(state, version=versions[handler.name]))
    orphans = [_standing(name, app, draft) for name in draft.orphans if name not in broken]
    orphans += [
        HandlerStatus(name, "deployed", drift=(text,)) for name, text in draft.not_run.items() if name not in broken
    ]
    registered = {handler.name for handler in app.handlers}
    orphans += [
        HandlerStatus(name, "deployed", drift=(_whose(name, draft),))
        for name in draft.elsewhere
        if name not in registered
    ]
    wrong = [
        *check.unnamed_problems(app, aws),
        *app.problems,
        *(unread.error for unread in app.unread if unread.stops),
        *clashes(sound.handlers),
        *wrong,
    ]
    refused = [f"a deploy would be refused: {_with_place(reason)}" for reason in wrong]
    notes = (
        *refused,
        *draft.unready,
        *addresses(_sketch(sound, aws).values(), reads),
        *_competing_consumers(sound, aws),
    )
    return Status(app, aws.target, tuple(states + orphans), notes)


def _with_place(error: NbChaliceError) -> str:
    place = error.location.place if error.location else ""
    return error.message if place in error.message else f"{error.message} ({place})"


def _versions(app: App, reads: Reads) -> dict[str, str]:
    """Return which version of each handler's function stands, or an empty text where none does."""

    def version(name: str) -> str:
        current = Function(app.ref(reads, name)).read(reads)
        return standing_version(reads.client("lambda"), current) if current else ""

    with parallel() as run:
        return run({handler.name: partial(version, handler.name) for handler in app.handlers})


def _unfit(app: App, aws: Connection) -> dict[str, NbChaliceError]:
    """Return the handlers that AWS would refuse whatever stands, each with the first reason."""
    reasons: dict[str, NbChaliceError] = {}
    for handler in app.handlers:
        alone = replace(app, handlers=(handler,), problems=(), unread=())
        if wrong := check.problems(alone) or check.problems_at(alone, aws, _sketch(alone, aws)):
            reasons[handler.name] = wrong[0]
    return reasons


def _competing_consumers(app: App, aws: Connection) -> list[str]:
    """Return which triggers share their events with other functions."""
    calls: dict[tuple[str, int], Callable[[], str | None]] = {}
    for handler in app.handlers:
        for number, (source, options, ref) in enumerate(triggers(handler, app.ref(aws, handler.name))):
            if is_made(source, aws):
                calls[handler.name, number] = partial(source.competing_consumers, aws, options, ref)
    with parallel() as run:
        return [f"{name}: {warning}" for (name, _), warning in run(calls).items() if warning]


def _standing(name: str, app: App, planned: Plan) -> HandlerStatus:
    """Return the state of what stands and is not registered: an orphan, unless it may be what could not be read."""
    unread = next((one for one in app.unread if one.may_be(name)), None)
    if unread is None:
        drift = [text for text in (_whose(name, planned), planned.doubts.get(name)) if text]
        return HandlerStatus(name, "orphaned", drift=tuple(drift))
    return HandlerStatus(name, "deployed", drift=(f"may stand in the notebook: {unread.error.message}",))


def _broken(handler: Handler, error: NbChaliceError, planned: Plan) -> HandlerStatus:
    state: HandlerState = (
        "changed" if handler.name in {*planned.orphans, *planned.elsewhere, *planned.not_run} else "registered"
    )
    return HandlerStatus(handler.name, state, handler.describe(), (cannot(error),))


def _whose(name: str, planned: Plan) -> str:
    """Return who deployed a handler where it was somebody else, or from which other notebook, or an empty text."""
    elsewhere = f"deployed from {planned.elsewhere[name]}" if name in planned.elsewhere else ""
    return planned.others.get(name, elsewhere)


def _state(handler: Handler, planned: Plan) -> HandlerStatus:
    trigger = handler.describe()
    mine = [change for change in planned.changes if handler_of(change.resource) == handler.name]
    function = next((change for change in mine if isinstance(change.resource, Function)), None)
    drift = tuple(str(change) for change in mine if change is not function)
    if whose := _whose(handler.name, planned):
        drift = (whose, *drift)
    if function and function.action == "create":
        return HandlerStatus(handler.name, "registered", trigger)
    if function is None:
        return HandlerStatus(handler.name, "deployed", trigger, drift)
    return HandlerStatus(handler.name, "changed", trigger, drift, function.reason)
