"""What this kernel is told of its handlers by commands, panels and live mode, and hands on to their cards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from nbchalice.errors import NbChaliceError
from nbchalice.ui.render.standing import UNKNOWN, Standing

if TYPE_CHECKING:
    from nbchalice.deploy.desired import App
    from nbchalice.events.past import Answer, PastEvent
    from nbchalice.logs.invocation import Invocation
    from nbchalice.project import Project
    from nbchalice.ui.frontend import Frontend
    from nbchalice.ui.render.reports import DeployCard, RollbackCard, StatusCard

LOCAL_ACCOUNT = "000000000000"
Key = tuple[str, str]
"""``local`` or ``aws``, and the function's name."""


class Follower(Protocol):
    """What shows how a handler stands."""

    def follow(self, standing: Standing) -> None:
        """Show it."""


class Following:
    """How the handlers of this kernel stand; each is followed by the card of its cell.

    Parameters
    ----------
    project : Callable[[], Project]
        Returns the notebook's handlers as they are now.
    """

    def __init__(self, project: Callable[[], Project]) -> None:
        self._project = project
        self._lock = threading.RLock()
        self._standings: dict[Key, Standing] = {}
        self._followers: dict[Key, tuple[str, Follower]] = {}
        self._deployed: dict[Key, object] = {}

    def standing(self, key: Key) -> Standing:
        """Return how a function stands."""
        return self._standings.get(key, UNKNOWN)

    def compared(self, key: Key, handler: str) -> Standing:
        """Return how a function stands beside what the handler does now."""
        with self._lock:
            return self._compared(key, handler, self.standing(key), Codes(self._project))

    def follow(self, key: Key, handler: str, follower: Follower) -> None:
        """Let a card follow a function; an earlier one stays as it is."""
        with self._lock:
            self._followers[key] = handler, follower
            self._put(key, self._compared(key, handler, self.standing(key), Codes(self._project)))

    def took_back(self, handler: str) -> None:
        """Tell that a handler is not registered any more."""
        with self._lock:
            for key, (name, follower) in list(self._followers.items()):
                if name == handler:
                    follower.follow(replace(self.standing(key), state="taken back", why=""))
                    del self._followers[key]

    def cell_ran(self) -> None:
        """Compare what the handlers do now with what was deployed."""
        with self._lock:
            codes = Codes(self._project)
            for key, (handler, _) in list(self._followers.items()):
                self._put(key, self._compared(key, handler, self.standing(key), codes))

    def told_of(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Return what a command does, after which the cards know what its result tells."""

        def and_tell(ui: Frontend, **values: Any) -> Any:
            result = run(ui, **values)
            self.saw(result, values.get("handler"))
            return result

        return and_tell

    def saw(self, result: object, handler: str | None = None) -> None:
        """Take what a command's result tells.

        Parameters
        ----------
        result : object
            What it returned.
        handler : str or None
            The handler that it was asked for.
        """
        # Loading the extension stays cheap: what a command returned has been imported by it.
        from nbchalice.logs.invocation import Invocation
        from nbchalice.ui.render.reports import DeployCard, InvocationsCard, RollbackCard, StatusCard

        with self._lock:
            if isinstance(result, DeployCard):
                self._saw_deployment(result)
            elif isinstance(result, StatusCard):
                self._saw_status(result)
            elif isinstance(result, RollbackCard):
                self._saw_rollback(result)
            elif isinstance(result, InvocationsCard) and handler and result.invocations:
                self._saw_invocation(handler, result.invocations[-1])
            elif isinstance(result, Invocation) and handler:
                self._saw_invocation(handler, result)

    def saw_event(self, event: PastEvent) -> None:
        """Take what became of an event that was sent, or handled live."""
        with self._lock:
            key = _key_of_arn(event.function)
            self._put(key, _with_event(self.standing(key), event.answer, event.at))

    def saw_live(self, function: str, begins: bool) -> None:
        """Take that a function's real events are handled in this kernel from now on, or no longer."""
        with self._lock:
            key = _key_of_arn(function)
            self._put(key, replace(self.standing(key), live="in this kernel" if begins else ""))

    def _saw_rollback(self, card: RollbackCard) -> None:
        key = (card.rollback.target.name, card.rollback.function)
        self._deployed.pop(key, None)
        self._put(
            key, replace(self.standing(key), state="changed", why=f"rolled back to version {card.rollback.version}")
        )

    def _saw_invocation(self, handler: str, one: Invocation) -> None:
        from nbchalice.events.past import Answer

        for key, (name, _) in list(self._followers.items()):
            if name == handler:
                self._put(key, _with_event(self.standing(key), Answer.of(one, "deployed"), one.started or 0))

    def _saw_deployment(self, card: DeployCard) -> None:
        from nbchalice.logs.when import now

        deployment, at, codes = card.deployment, now(), Codes(self._project)
        gone = {change.resource.name for change in card.changes if _is_gone(change.action, change.resource.kind)}
        for name in gone:
            key = (deployment.target.name, name)
            self._deployed.pop(key, None)
            self._put(key, Standing())
        for function in deployment.functions:
            if function.name not in gone:
                key = _key(deployment.app, deployment.target.name, function.handler)
                self._is_deployed(key, function.handler, at, codes)
                shortened = deployment.plan.timeouts.get(function.handler)
                self._put(key, replace(self.standing(key), timeout=shortened))

    def _saw_status(self, card: StatusCard) -> None:
        from nbchalice.logs.when import now

        status, at, codes = card.status, now(), Codes(self._project)
        for one in status.handlers:
            key = _key(status.app, status.target.name, one.name)
            self._put(key, replace(self.standing(key), live=card.live.get(one.name, "")))
            if one.state == "deployed":
                if self.standing(key).state != "deployed":
                    self._is_deployed(key, one.name, at, codes)
            elif one.state != "orphaned":
                self._differs(key, one.name, replace(self.standing(key), state=one.state, at=at, why=one.why), codes)

    def _differs(self, key: Key, handler: str, standing: Standing, codes: Codes) -> None:
        if isinstance(codes.of(handler), NbChaliceError):  # What stands was not compared: it may be what was deployed.
            standing = self._compared(key, handler, standing, codes)
        else:
            self._deployed.pop(key, None)
        self._put(key, standing)

    def _is_deployed(self, key: Key, handler: str, at: str, codes: Codes) -> None:
        code = codes.of(handler)
        self._deployed[key] = None if isinstance(code, NbChaliceError) else code
        standing = self.standing(key)
        known = standing if standing.at else Standing()  # what failed before a first deploy is not this code's
        self._put(key, replace(known, state="deployed", at=at, why=""))

    def _compared(self, key: Key, handler: str, standing: Standing, codes: Codes) -> Standing:
        if (deployed := self._deployed.get(key)) is None or (code := codes.of(handler)) is None:
            return standing
        if isinstance(code, NbChaliceError):
            from nbchalice.deploy.results import cannot

            return replace(standing, state="changed", why=cannot(code))
        return replace(standing, state="deployed" if code == deployed else "changed", why="")

    def _put(self, key: Key, standing: Standing) -> None:
        before, self._standings[key] = self._standings.get(key), standing
        if key in self._followers and standing != before:
            self._followers[key][1].follow(standing)


class Codes:
    """What handlers do at one moment, by the analysis alone; the notebook is followed once for all of them.

    Parameters
    ----------
    project : Callable[[], Project]
        Returns the notebook's handlers; called when the first code is asked for.
    """

    def __init__(self, project: Callable[[], Project]) -> None:
        self._make = project
        self._made: Project | None = None

    def of(self, handler: str) -> object:
        """Return what a handler does, to be compared, without the places of its statements.

        The error where it cannot be deployed; None where the notebook has no such handler.
        """
        from nbchalice.operations import deployable
        from nbchalice.packaging.fingerprint import statements_of

        try:
            self._made = self._made or self._make()
            registered = self._made.handler(handler)
        except NbChaliceError:
            return None
        try:
            piece = deployable(self._made, registered, smallest=True)
        except NbChaliceError as error:
            return error
        return sorted(statements_of(piece.module, piece.segments)), registered.triggers, dict(registered.settings)


def _is_gone(action: str, kind: str) -> bool:
    return action == "delete" and kind == "function"


def _key_of_arn(function: str) -> Key:
    from nbchalice.resources.arns import Arn

    arn = Arn.parse(function)
    return "local" if arn.account == LOCAL_ACCOUNT else "aws", arn.resource.partition(":")[2]


def _key(app: App, target: str, handler: str) -> Key:
    return target, f"{app.name}-{app.stage}-{handler}"


def _with_event(standing: Standing, answer: Answer, at: int) -> Standing:
    """Return how a handler stands after an event."""
    from nbchalice.logs.when import moment

    failed = answer.status in {"error", "timeout", "partial"}
    took = f" in {answer.duration_ms:.1f} ms" if answer.duration_ms is not None else ""
    here = " in this kernel" if answer.where == "here" else ""
    words = f"{'failed' if answer.status == 'error' else answer.status}{took}{here}"
    error = f": {answer.error}" if answer.error else ""
    return replace(standing, last=f"{words} · {moment(at)}{error}", failed=failed)
