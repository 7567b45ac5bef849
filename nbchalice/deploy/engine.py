"""Deploy, plan, status and delete: the operations that magics, command line and Python share."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from nbchalice.aws.target import Connection, Target
from nbchalice.deploy.desired import App, Package, desired
from nbchalice.deploy.execute import Progress, execute, quiet
from nbchalice.deploy.function import Function
from nbchalice.deploy.inspect import inspect, parallel
from nbchalice.deploy.plan import Change, Plan, conflicts, make_plan
from nbchalice.errors import InvalidInputError, NbChaliceError, ProblemsError
from nbchalice.handlers import Handler
from nbchalice.sources.base import Preflight, Resource

Packages = Callable[[], Mapping[str, Package]]
# Lambda: FunctionName; the role's and the rule's names are made of it.
LONGEST_NAME = 64
PLACEHOLDER = Package(b"", "", "3.13")


@dataclass(frozen=True)
class Deployed:
    """A function that stands."""

    name: str
    handler: str
    arn: str
    changed: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the function as JSON."""
        return {"name": self.name, "handler": self.handler, "arn": self.arn, "changed": self.changed}


@dataclass(frozen=True)
class Deployment:
    """What a deploy or delete did.

    Parameters
    ----------
    app: the app.
    target: where it stands.
    plan: what was done.
    functions: what stands now.
    api_calls: calls to AWS in all.
    seconds: duration in all.
    """

    app: App
    target: Target
    plan: Plan
    functions: tuple[Deployed, ...] = ()
    api_calls: int = 0
    seconds: float = 0.0

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was changed."""
        return self.plan.changes

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON."""
        return {
            "app": self.app.name,
            "stage": self.app.stage,
            "target": self.target.name,
            "account": self.target.account,
            "region": self.target.region,
            "functions": [function.to_dict() for function in self.functions],
            "changes": self.plan.to_dicts(),
            "orphans": list(self.plan.orphans),
            "notes": list(self.plan.notes),
            "api_calls": self.api_calls,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class HandlerStatus:
    """How one handler stands.

    Parameters
    ----------
    name: the handler's name.
    state: ``registered`` (not deployed yet), ``changed`` (code or settings), ``deployed`` or ``orphaned``.
    trigger: what invokes it, in a few words.
    drift: what stands otherwise than the notebook says, beside the function.
    """

    name: str
    state: str
    trigger: str = ""
    drift: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the status as JSON."""
        return {"name": self.name, "state": self.state, "trigger": self.trigger, "drift": list(self.drift)}


@dataclass(frozen=True)
class Status:
    """How an app stands."""

    app: App
    target: Target
    handlers: tuple[HandlerStatus, ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        """Return the status as JSON."""
        return {
            "app": self.app.name,
            "stage": self.app.stage,
            "target": self.target.name,
            "account": self.target.account,
            "region": self.target.region,
            "handlers": [handler.to_dict() for handler in self.handlers],
        }


def problems(app: App) -> list[NbChaliceError]:
    """Return what is wrong with an app, without asking AWS."""
    found: list[NbChaliceError] = [problem for handler in app.handlers for problem in handler.problems()]
    for what, name in (("app", app.name), ("stage", app.stage)):
        if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
            found.append(
                InvalidInputError(f"{what} name {name!r} may have letters, digits, - and _", "%chalice app NAME")
            )
    for handler in app.handlers:
        full = f"{app.name}-{app.stage}-{handler.name}"
        if len(full) > LONGEST_NAME:
            hint = "shorten the app's name, or give the handler a shorter --name"
            text = f"function name {full} has {len(full)} letters; Lambda takes {LONGEST_NAME}"
            found.append(InvalidInputError(text, hint, handler.location))
    return found


def check(app: App) -> None:
    """Raise what is wrong with an app: one error, or all of them in one."""
    _raise(problems(app))


def _raise(found: list[NbChaliceError]) -> None:
    if len(found) == 1:
        raise found[0]
    if found:
        raise ProblemsError(found)


def plan(app: App, packages: Packages, aws: Connection, *, prune: bool = False) -> Plan:
    """Return what a deploy would do; changes nothing.

    Parameters
    ----------
    app: the handlers.
    packages: builds the code of each handler; runs while AWS is being read.
    aws: where.
    prune: whether orphans are to be removed.

    Raises
    ------
    InvalidInputError, ProblemsError: something cannot work; all that was found is told at once.
    AWSError: AWS refused a read.
    """
    check(app)
    with ThreadPoolExecutor(2, "nbchalice-plan") as pool:
        placeholders = {handler.name: PLACEHOLDER for handler in app.handlers}
        sketch = desired(app, placeholders, aws)
        reading = pool.submit(inspect, app, aws, sketch, orphans=prune)
        looking = pool.submit(_preflights, app, aws)
        built = packages()
        found, preflights = reading.result(), looking.result()
    timeouts, notes, wrong = _timeouts(app, preflights)
    wanted = desired(app, built, aws, timeouts)
    _raise(wrong + conflicts(wanted, found))
    return make_plan(wanted, found, orphans_stay=not prune, notes=tuple(notes))


def _preflights(app: App, aws: Connection) -> dict[tuple[str, int], Preflight]:
    calls: dict[Any, Callable[[], Any]] = {}
    for handler in app.handlers:
        ref = app.ref(aws, handler.name, handler.setting("timeout"))
        for number, (source, options) in enumerate(handler.sources()):
            calls[handler.name, number] = partial(source.preflight, aws, options, ref)
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
        wanted = handler.setting("timeout")
        if preflight.timeout is None or preflight.timeout >= wanted:
            continue
        if "timeout" in handler.settings:
            wrong.append(_too_slow(handler, preflight, wanted))
            continue
        timeouts[name] = min(preflight.timeout, timeouts.get(name, wanted)) or 1
        notes.append(f"{name}: timeout {timeouts[name]} s, the visibility timeout of {preflight.limit}")
    return timeouts, notes, wrong


def _too_slow(handler: Handler, preflight: Preflight, wanted: int) -> NbChaliceError:
    return InvalidInputError(
        f"handler {handler.name} may run {wanted} s, but {preflight.limit} "
        f"shows a message again after {preflight.timeout} s",
        f"add --fix-visibility-timeout (sets {6 * wanted} s: AWS advises six times the timeout), "
        f"or --timeout {preflight.timeout}",
        handler.location,
    )


def deploy(
    app: App, packages: Packages, aws: Connection, *, prune: bool = False, progress: Progress = quiet
) -> Deployment:
    """Bring AWS to what the notebook says; running it again converges.

    Parameters
    ----------
    app, packages, aws, prune: as for `plan`.
    progress: called as changes start, are done, or fail.

    Raises
    ------
    InvalidInputError, ProblemsError: something cannot work; nothing was changed.
    DeployError: stopped part way; says what was done and what was not.
    """
    started, calls = time.monotonic(), len(aws.calls)
    made = plan(app, packages, aws, prune=prune)
    execute(made, aws, progress)
    touched = {handler_of(change.resource) for change in made.changes}
    functions = tuple(
        Deployed(ref.name, ref.handler, ref.arn, ref.handler in touched)
        for ref in (app.ref(aws, handler.name) for handler in app.handlers)
    )
    return Deployment(app, aws.target, made, functions, len(aws.calls) - calls, time.monotonic() - started)


def handler_of(resource: Resource) -> str | None:
    """Return the handler that a resource belongs to, or None where it serves several."""
    function = getattr(resource, "function", None)
    return None if function is None else str(function.handler)


def plan_delete(app: App, aws: Connection) -> Plan:
    """Return what `delete` would do: remove all that the app owns at this stage, and nothing else."""
    names = [handler.name for handler in app.handlers]
    found = inspect(replace(app, handlers=()), aws, {}, orphans=True, also=names)
    _raise(conflicts({}, found))
    return make_plan({}, found, orphans_stay=False)


def delete(app: App, aws: Connection, *, progress: Progress = quiet) -> Deployment:
    """Remove all that the app owns; never a queue, topic or bucket, nor anything of other people's.

    Raises
    ------
    DeployError: stopped part way; running it again is safe.
    """
    started, calls = time.monotonic(), len(aws.calls)
    made = plan_delete(app, aws)
    execute(made, aws, progress)
    return Deployment(app, aws.target, made, (), len(aws.calls) - calls, time.monotonic() - started)


def status(app: App, packages: Packages, aws: Connection) -> Status:
    """Return how each handler stands; changes nothing."""
    made = plan(app, packages, aws)
    states = [_state(handler, made) for handler in app.handlers]
    orphans = [HandlerStatus(name, "orphaned") for name in made.orphans]
    return Status(app, aws.target, tuple(states + orphans))


def _state(handler: Handler, made: Plan) -> HandlerStatus:
    trigger = handler.describe()
    mine = [change for change in made.changes if handler_of(change.resource) == handler.name]
    function = next((change for change in mine if isinstance(change.resource, Function)), None)
    drift = tuple(str(change) for change in mine if change is not function)
    if function and function.action == "create":
        return HandlerStatus(handler.name, "registered", trigger)
    return HandlerStatus(handler.name, "changed" if function else "deployed", trigger, drift)
