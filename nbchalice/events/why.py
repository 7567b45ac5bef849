"""Why nothing happened: what stands between the triggers of a handler and its function, as AWS tells it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nbchalice.aws.errors import explain
from nbchalice.deploy.desired import is_made
from nbchalice.errors import InvalidInputError
from nbchalice.events import idle
from nbchalice.events.deadletter import dead_letters_of
from nbchalice.events.leases import leases
from nbchalice.events.preview import doubt, why_dropped
from nbchalice.events.triggers import Route, labels
from nbchalice.handlers import Handler
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tail import recent
from nbchalice.resources.base import AWS, FunctionRef, is_denied, is_missing, or_missing
from nbchalice.typed import JSON, Values

# Lambda tries an event three times by itself: what came more often came from a queue or a stream.
MOST_TRIES = 3
SINCE = "1h"
PAUSED = "%chalice status puts it back"


@dataclass(frozen=True)
class Evidence:
    """What AWS tells of one trigger's events.

    Parameters
    ----------
    trigger : str
        What a person calls it: ``SQS orders``.
    blocked : tuple[str, ...]
        What keeps its events from the function.
    seen : tuple[str, ...]
        What there is to know besides: what the service holds, and what AWS does not let be asked.
    """

    trigger: str
    blocked: tuple[str, ...]
    seen: tuple[str, ...]

    def to_dict(self) -> JSON:
        """Return it as JSON-ready data."""
        return {"trigger": self.trigger, "blocked": list(self.blocked), "seen": list(self.seen)}


@dataclass(frozen=True)
class Why:
    """Why nothing happened, as far as AWS tells.

    Parameters
    ----------
    function : str
        The function's name.
    blocked, seen : tuple[str, ...]
        As of `Evidence`, of the function itself.
    triggers : tuple[Evidence, ...]
        Each trigger.
    last : Invocation or None
        The last invocation within `SINCE`.
    dead_letters : tuple[str, int] or None
        The name of the dead-letter queue and how many messages it has; None where there is none.
    """

    function: str
    blocked: tuple[str, ...]
    seen: tuple[str, ...] = ()
    triggers: tuple[Evidence, ...] = ()
    last: Invocation | None = None
    dead_letters: tuple[str, int] | None = None

    @property
    def is_blocked(self) -> bool:
        """Whether anything keeps events from the function."""
        return bool(self.blocked or any(one.blocked for one in self.triggers))


class _Asked:
    """Collects what looks tell; one that AWS does not allow is told as such."""

    def __init__(self) -> None:
        self.blocked: list[str] = []
        self.seen: list[str] = []

    def ask(self, what: str, look: Callable[[], str | None], into: list[str] | None = None) -> None:
        """Look, and keep what that tells among what keeps events away, or among ``into``."""
        try:
            told = look()
        except Exception as error:
            self.seen.append(f"{what} could not be looked at: {_why_not(error)}")
            return
        if told and told not in [*self.blocked, *self.seen]:
            (self.blocked if into is None else into).append(told)


def _why_not(error: Exception) -> str:
    if is_denied(error):
        return f"AWS denies {getattr(error, 'operation_name', 'it')}"
    return explain(error).message


def why(aws: AWS, handler: Handler, ref: FunctionRef, routes: Sequence[Route], values: Values | None) -> Why:
    """Look at all that an event passes on its way to a handler.

    Parameters
    ----------
    aws : AWS
        Where the function stands.
    handler, ref : Handler or FunctionRef
        The handler and its function.
    routes : Sequence[Route]
        Its triggers, or the one that is meant.
    values : Values or None
        What the event is made of that did not arrive. Default: none in particular, and no filter is asked.
    """
    if not _stands(aws, ref):
        return Why(ref.name, (f"{handler.name} is not deployed ({ref.name} does not exist); deploy it first",))
    asked = _Asked()
    asked.ask("the function", lambda: idle.function_blocks(aws, routes[0]))
    names = labels(routes)
    runs = not asked.blocked
    triggers = tuple(_evidence(aws, route, name, values, runs) for route, name in zip(routes, names, strict=True))
    last: list[Invocation] = []
    asked.ask("the log", lambda: last.extend(recent(aws, ref.name, SINCE, limit=1)))
    lost = _dead_letters(aws, handler, ref, asked)
    if last and lost is None:
        asked.ask("the last event", lambda: _comes_back(last[-1]), asked.seen)
    return Why(ref.name, tuple(asked.blocked), tuple(asked.seen), triggers, last[-1] if last else None, lost)


def _comes_back(last: Invocation) -> str:
    """Return that an event fails again and again, and nothing takes it away."""
    times = last.attempt or 1
    if last.ok or times <= MOST_TRIES:
        return ""
    again = f"the last event failed, the {times}th time it came, and comes back"
    return f"{again}: no dead-letter queue takes it (--dlq QUEUE)"


def _stands(aws: AWS, ref: FunctionRef) -> bool:
    with or_missing():
        aws.client("lambda").get_function_configuration(FunctionName=ref.name)
        return True
    return False


def _evidence(aws: AWS, route: Route, name: str, values: Values | None, function_runs: bool) -> Evidence:
    source, options, ref, asked = route.source, route.options, route.ref, _Asked()
    if not is_made(source, aws):
        asked.seen.append(f"the local AWS has no {source.title}: only send brings events, to the function itself")
        return Evidence(name, (), tuple(asked.seen))
    if not source.triggered:
        asked.seen.append("no service sends it events: it runs when it is invoked")
    asked.ask("live mode", lambda: _live(aws, route))
    asked.ask("the trigger", lambda: idle.trigger_blocks(aws, route, values))
    if function_runs:
        asked.ask("the concurrency", lambda: idle.throttled(aws, route))
    if not aws.local:  # whose pollers ask for no permission
        asked.ask("the role", lambda: idle.refused(aws, route))
    if values is not None:
        asked.ask("the filter", lambda: why_dropped(source, options, values, ref))
        asked.ask("the filter", lambda: doubt(source, options, values, ref), asked.seen)
    asked.ask("other readers", lambda: source.competing_consumers(aws, options, ref), asked.seen)
    if not asked.blocked:
        asked.ask("delays", lambda: idle.delays(aws, route), asked.seen)
    asked.ask(route.label, lambda: _waiting(aws, route, values, asked), asked.seen)
    asked.seen += [note.text for note in source.upcoming(options, datetime.now(UTC))]
    return Evidence(name, tuple(asked.blocked), tuple(asked.seen))


def _waiting(aws: AWS, route: Route, values: Values | None, asked: _Asked) -> str:
    """Return what the service holds; where the queue or the like is gone, that is why nothing comes."""
    try:
        return route.source.waits(aws, route.options, route.ref, values)
    except Exception as error:
        if not is_missing(error):
            raise
        made = "; a deploy makes it" if aws.local else ""
        asked.blocked.append(f"{route.label} does not exist{made}")
        return ""


def _live(aws: AWS, route: Route) -> str:
    """Return that live mode, of this process or another one, has the events."""
    lease = next((one for one in leases(aws, route.ref.app, route.ref.stage) if one.is_of(route)), None)
    if lease is None:
        return ""
    if lease.dead:
        return f"{lease}; {PAUSED}"
    return f"{lease}, and that is where the events go"


def _dead_letters(aws: AWS, handler: Handler, ref: FunctionRef, asked: _Asked) -> tuple[str, int] | None:
    found: list[tuple[str, int]] = []

    def look() -> None:
        try:
            queue = dead_letters_of(aws, handler, ref)
        except InvalidInputError:  # it has none
            return
        found.append((queue.name, queue.depth()))

    asked.ask("the dead-letter queue", look)
    return found[0] if found else None
