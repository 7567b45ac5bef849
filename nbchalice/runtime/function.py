"""A registered handler: what a decorated name is bound to."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from . import batch
from .event_kinds import KINDS, kinds_of
from .events import JSON, Event, LambdaFunctionEvent
from .logs import start_invocation
from .middleware import chain
from .queues import SQSEvent

if TYPE_CHECKING:
    import logging

    from .middleware import Middleware

    class App(Protocol):
        """What a handler needs of the app that it is registered with."""

        app_name: str
        handlers: dict[str, LambdaFunction]
        log: logging.Logger
        lambda_context: object

        def middlewares(self, source: str) -> list[Middleware]:
            """Return the middleware for the events of one decorator, outermost first."""


@dataclass(frozen=True)
class Trigger:
    """What makes AWS call a handler.

    Parameters
    ----------
    source : str
        Name of the decorator, for example ``on_sqs_message``.
    options : JSON
        The decorator's parameters by name, without ``name``; JSON-ready, defaults filled in.
    """

    source: str
    options: JSON


class LambdaFunction:
    """A handler: call it with ``(raw_event, context)`` as Lambda does, or with one event object.

    Parameters
    ----------
    app : App
        The app it is registered with.
    name : str
        The handler's name.
    function : Callable[..., object]
        The user's function; takes ``(event)`` or ``(event, context)``. Any other raises TypeError.

    Attributes ``triggers`` (list of ``Trigger``), ``settings`` (timeout, memory and the like, as given) and ``reached``
    (the message of its batch that the last call was at when it ended, where it had not gone through all).
    """

    __wrapped__: Callable[..., object]
    # Names of the handlers that were called in this process: what they change is no more as their cells left it.
    called: ClassVar[set[str]] = set()

    def __init__(self, app: App, name: str, function: Callable[..., object]) -> None:
        self.takes_context = _takes_context(function)
        functools.update_wrapper(self, function)
        self.app = app
        self.name = name
        self.function = function
        self.triggers: list[Trigger] = []
        self.settings: JSON = {}
        self.reached: str | None = None

    def __call__(self, event: Any, context: object = None) -> Any:
        """Handle ``event`` and return what the function returns.

        A batch of a trigger with ``report_failures`` or ``per_record`` gives ``{"batchItemFailures": [...]}``, and
        raises when none of its records is done.
        """
        __tracebackhide__ = True
        self.called.add(self.name)
        start_invocation(context)
        trigger = self._trigger(event)
        if not isinstance(event, Event):
            event = _event_class(trigger)(event, context)
        elif context is not None:
            event.context = context
        self.app.lambda_context = event.context
        try:
            return chain(self.app.middlewares(trigger.source), functools.partial(self._handle, trigger))(event)
        except Exception as error:
            error.__traceback__ = batch.without_own_frames(error.__traceback__)
            raise
        finally:
            self.reached = event.reached if isinstance(event, SQSEvent) else None

    def reads_failures(self, event: object) -> bool | None:
        """Whether the trigger of a raw event asks for ``batchItemFailures``; None where it is not nbchalice's."""
        trigger = self._trigger(event)
        known = any(kind.name == trigger.source for kind in kinds_of(event))
        return bool(trigger.options.get("report_failures")) if known else None

    def __repr__(self) -> str:
        sources = ", ".join(trigger.source for trigger in self.triggers)
        return f"<LambdaFunction {self.name} ({sources})>"

    def _handle(self, trigger: Trigger, event: Event) -> object:
        options = trigger.options
        if isinstance(event, SQSEvent) and options.get("per_record"):
            skips = bool(options.get("skip_failed_groups"))
            return batch.per_record(event, self._run, self.app.log, skip_failed_groups=skips)
        if isinstance(event, SQSEvent) and options.get("report_failures"):
            return batch.report_failures(event, self._run, self.app.log)
        try:
            return self._run(event)
        except Exception:
            if isinstance(event, SQSEvent) and len(event.unfinished()) < len(event):
                self.app.log.warning("record.done() needs report_failures: the whole batch comes back")
            raise

    def _run(self, event: Event) -> object:
        # As in Chalice: @app.lambda_function() takes what Lambda takes.
        argument = event.to_dict() if isinstance(event, LambdaFunctionEvent) else event
        return self.function(argument, event.context) if self.takes_context else self.function(argument)

    def _trigger(self, event: object) -> Trigger:
        """Return the trigger that ``event`` comes from; the first where the event does not tell."""
        if isinstance(event, Event):
            fitting = [trigger for trigger in self.triggers if isinstance(event, _event_class(trigger))]
            event = event.to_dict()
        else:
            names = {kind.name for kind in kinds_of(event)}
            fitting = [trigger for trigger in self.triggers if trigger.source in names]
        plain = [trigger for trigger in self.triggers if _event_class(trigger) is LambdaFunctionEvent]
        exact = [trigger for trigger in fitting if _queue(trigger) == _resource(event)]
        return (exact or fitting or plain or self.triggers)[0]


# Called with each handler before it is registered: a notebook's session refuses a name that another cell has.
CHECKS: list[Callable[[LambdaFunction], None]] = []


def register(
    app: App, function: Callable[..., object], name: str | None, trigger: Trigger, settings: dict[str, object]
) -> LambdaFunction:
    """Register a function with an app for a trigger, and return its handler.

    Parameters
    ----------
    app : App
        The app whose decorator it is.
    function : Callable[..., object]
        What is decorated: the user's function, or the handler that the decorator below it has made.
    name : str or None
        The handler's name, as the decorator has it; default: the function's.
    trigger : Trigger
        The decorator with its options.
    settings : dict[str, object]
        The settings of the function, as the decorator has them.
    """
    handler = _handler_for(app, function, name)
    for check in CHECKS:
        check(handler)
    # A cell that runs again registers the same trigger once more.
    handler.triggers = [other for other in handler.triggers if other != trigger] + [trigger]
    handler.settings = {**handler.settings, **settings}
    app.handlers[handler.name] = handler
    return handler


def _handler_for(app: App, function: Callable[..., object], name: str | None) -> LambdaFunction:
    """Return the handler that a decorator adds its trigger to: a stacked decorator's own, or a new one."""
    if not isinstance(function, LambdaFunction):
        return LambdaFunction(app, name or function.__name__, function)
    # A second app above another's decorator: each has a handler of its own.
    if function.app is not app:
        return LambdaFunction(app, name or function.name, function.function)
    if name is not None and name != function.name:
        if function.name != function.function.__name__:
            raise ValueError(f"one handler, two names: {function.name!r} and {name!r}")
        if app.handlers.get(function.name) is function:
            del app.handlers[function.name]
        function.name = name
    return function


def _signature(function: Callable[..., object]) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        # An annotation may name what is imported for type checkers only.
        lenient = importlib.import_module("annotationlib").Format.FORWARDREF
        return inspect.signature(function, annotation_format=lenient)
    return inspect.signature(function)


def _takes_context(function: Callable[..., object]) -> bool:
    name = getattr(function, "__name__", repr(function))
    signature = _signature(function)
    parameters = signature.parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    keywords = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    starred = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(required) > 2 or keywords or not (positional or starred):
        raise TypeError(f"{name}{signature} must take (event) or (event, context)")
    return len(required) == 2 or not positional or (len(positional) > 1 and positional[1].name == "context")


def _event_class(trigger: Trigger) -> type[Event]:
    return KINDS[trigger.source].event_class


def _resource(event: object) -> str | None:
    records = event.get("Records") if isinstance(event, dict) else None
    arn = records[0].get("eventSourceARN") if records and isinstance(records[0], dict) else None
    return arn.rpartition(":")[2] if isinstance(arn, str) else None


def _queue(trigger: Trigger) -> str | None:
    queue = trigger.options.get("queue_arn") or trigger.options.get("queue")
    return queue.rpartition("/")[2].rpartition(":")[2] if isinstance(queue, str) else None
