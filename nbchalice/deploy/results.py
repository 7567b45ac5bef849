"""What the operations of the engine return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nbchalice.aws.target import Target
from nbchalice.deploy.desired import App
from nbchalice.deploy.plan import Change, Plan
from nbchalice.errors import NbChaliceError
from nbchalice.typed import JSON

HandlerState = Literal["registered", "changed", "deployed", "orphaned"]


def cannot(error: NbChaliceError) -> str:
    """Return that a handler cannot be deployed, and why."""
    return f"cannot be deployed: {error.message}"


def _place(app: App, target: Target) -> JSON:
    return {
        "app": app.name,
        "stage": app.stage,
        "target": target.name,
        "account": target.account,
        "region": target.region,
    }


@dataclass(frozen=True)
class Deployed:
    """A function that stands."""

    name: str
    handler: str
    arn: str
    changed: bool

    def to_dict(self) -> JSON:
        """Return the function as JSON."""
        return {"name": self.name, "handler": self.handler, "arn": self.arn, "changed": self.changed}


@dataclass(frozen=True)
class Deployment:
    """What a deploy or delete did.

    Parameters
    ----------
    app : App
        The app.
    target : Target
        Where it stands.
    plan : Plan
        What was done.
    functions : tuple[Deployed, ...]
        What stands now.
    api_calls : int
        Calls to AWS in all.
    seconds : float
        Duration in all.
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

    def to_dict(self) -> JSON:
        """Return the result as JSON."""
        return {
            **_place(self.app, self.target),
            "functions": [function.to_dict() for function in self.functions],
            "changes": self.plan.to_dicts(),
            "orphans": list(self.plan.orphans),
            "notes": list(self.plan.notes),
            "sizes": {name: sizes.to_dict() for name, sizes in self.plan.sizes.items()},
            "api_calls": self.api_calls,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class HandlerStatus:
    """How one handler stands.

    Parameters
    ----------
    name : str
        The handler's name.
    state : HandlerState
        ``registered`` (not deployed yet), ``changed`` (code or settings), ``deployed`` or ``orphaned``.
    trigger : str
        What invokes it, in a few words.
    drift : tuple[str, ...]
        What stands otherwise than the notebook says, beside the function.
    why : str
        Why the function counts as changed: which cells and files of its code, which settings.
    version : str
        The version of the function that stands, or an empty text.
    """

    name: str
    state: HandlerState
    trigger: str = ""
    drift: tuple[str, ...] = ()
    why: str = ""
    version: str = ""

    def to_dict(self) -> JSON:
        """Return the status as JSON."""
        return {
            "name": self.name,
            "state": self.state,
            "version": self.version,
            "trigger": self.trigger,
            "why": self.why,
            "drift": list(self.drift),
        }


@dataclass(frozen=True)
class Status:
    """How an app stands.

    Parameters
    ----------
    app : App
        The app.
    target : Target
        where.
    handlers : tuple[HandlerStatus, ...]
        How each handler stands.
    notes : tuple[str, ...]
        What a person should know, for example who else reads a queue.
    """

    app: App
    target: Target
    handlers: tuple[HandlerStatus, ...] = field(default_factory=tuple)
    notes: tuple[str, ...] = ()

    def to_dict(self) -> JSON:
        """Return the status as JSON."""
        return {**_place(self.app, self.target), "handlers": [handler.to_dict() for handler in self.handlers]}


@dataclass(frozen=True)
class Rollback:
    """What a rollback did.

    Parameters
    ----------
    app : App
        The app.
    target : Target
        Where it stands.
    handler : str
        The handler.
    function : str
        The function's name.
    before : str
        The version that stood.
    version : str
        The version that stands now.
    code : bool
        Whether the code changed.
    settings : tuple[str, ...]
        The settings that changed.
    """

    app: App
    target: Target
    handler: str
    function: str
    before: str
    version: str
    code: bool
    settings: tuple[str, ...] = ()

    def to_dict(self) -> JSON:
        """Return the result as JSON."""
        return {
            **_place(self.app, self.target),
            "handler": self.handler,
            "function": self.function,
            "before": self.before,
            "version": self.version,
            "code": self.code,
            "settings": list(self.settings),
        }
