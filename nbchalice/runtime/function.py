"""A registered handler: what a decorated name is bound to."""

from __future__ import annotations

import functools
import importlib
import sys
from types import FunctionType

from .event_kinds import KINDS, kinds_of
from .events import Event, LambdaFunctionEvent
from .frames import without_own_frames
from .logs import start_invocation
from .unshipped import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    import inspect
    import logging
    from collections.abc import Callable
    from typing import Any, ClassVar, Protocol

    from .events import JSON
    from .middleware import Middleware

    class App(Protocol):
        """What a handler needs of the app that it is registered with."""

        handlers: dict[str, LambdaFunction]
        lambda_context: object

        @property
        def app_name(self) -> str | None: ...  # noqa: D102
        @property
        def log(self) -> logging.Logger: ...  # noqa: D102

        def middlewares(self, source: str) -> list[Middleware]:
            """Return the middleware for the events of one decorator, outermost first."""


VARARGS = 0x04  # inspect.CO_VARARGS


class Trigger:
    """What makes AWS call a handler.

    Parameters
    ----------
    source : str
        Name of the decorator, for example ``on_sqs_message``.
    options : JSON
        The decorator's parameters by name, without ``name``; JSON-ready, defaults filled in.
    """

    def __init__(self, source: str, options: JSON) -> None:
        self.source, self.options = source, options

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trigger) and (self.source, self.options) == (other.source, other.options)

    __hash__ = None  # type: ignore[assignment] # options may be changed

    def __repr__(self) -> str:
        return f"Trigger(source={self.source!r}, options={self.options!r})"


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

    Attributes ``triggers`` (list of ``Trigger``), ``settings`` (timeout, memory and the like, as given), ``reached``
    (the message of its batch that the last call was at when it ended, where it had not gone through all) and
    ``original`` (what the decorator of a blueprint made, where this is the handler of an app that registered that).
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
        self.original: LambdaFunction | None = None

    def __call__(self, event: Any, context: object = None) -> Any:
        """Handle ``event`` and return what the function returns.

        A batch of a trigger with ``report_failures`` or ``per_record`` gives ``{"batchItemFailures": [...]}``, and
        raises when none of its records is done.
        """
        __tracebackhide__ = True
        self.called.update((self.name, (self.original or self).name))
        start_invocation(context)
        trigger = self._trigger(event)
        if not isinstance(event, Event):
            event = _event_class(trigger)(event, context)
        elif context is not None:
            event.context = context
        self.app.lambda_context = event.context
        try:
            return self._run_all(trigger, event)
        except Exception as error:
            error.__traceback__ = without_own_frames(error)
            raise
        finally:
            self.reached = getattr(event, "reached", None)

    def reads_failures(self, event: object) -> bool | None:
        """Whether the trigger of a raw event asks for ``batchItemFailures``; None where it is not nbchalice's."""
        trigger = self._trigger(event)
        known = any(kind.name == trigger.source for kind in kinds_of(event))
        return bool(trigger.options.get("report_failures")) if known else None

    def __repr__(self) -> str:
        sources = ", ".join(trigger.source for trigger in self.triggers)
        return f"<LambdaFunction {self.name} ({sources})>"

    def _run_all(self, trigger: Trigger, event: Event) -> object:
        middlewares = self.app.middlewares(trigger.source)
        if not middlewares:
            return self._handle(trigger, event)
        from .middleware import chain

        return chain(middlewares, functools.partial(self._handle, trigger))(event)

    def _handle(self, trigger: Trigger, event: Event) -> object:
        log = getattr(self.app, "log_before", None) or self.app.log
        if shape := ask("annotations", "shape_of", None, self.function):
            return shape.handle(event, self, trigger.options, log)
        return event._handled(self._run, trigger.options, log)

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
    ask("shape_checks", "check", None, handler, trigger)
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


def _takes_context(function: Callable[..., object]) -> bool:
    positional, required, starred, keywords = _parameters(function)
    if required > 2 or keywords or not (positional or starred):
        name = getattr(function, "__name__", repr(function))
        raise TypeError(f"{name}{_signature(function)} must take (event) or (event, context)")
    return required == 2 or not positional or (len(positional) > 1 and positional[1] == "context")


def _parameters(function: Callable[..., object]) -> tuple[list[str], int, bool, bool]:
    """Return names of the positional parameters, how many have no default, whether ``*args``, and required keywords."""
    plain: Any = function
    for _ in range(100):  # decorators with functools.wraps
        if not hasattr(plain, "__wrapped__") or hasattr(plain, "__signature__"):
            break
        plain = plain.__wrapped__
    if isinstance(plain, FunctionType) and not hasattr(plain, "__signature__"):
        code, defaults, keywords = plain.__code__, plain.__defaults__ or (), plain.__kwdefaults__ or {}
        count, only = code.co_argcount, code.co_kwonlyargcount
        only_by_name = set(code.co_varnames[count : count + only])
        has_star = bool(code.co_flags & VARARGS)
        return list(code.co_varnames[:count]), count - len(defaults), has_star, bool(only_by_name - set(keywords))
    parameters = _signature(function).parameters.values()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is p.empty]
    lacking = any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters)
    starred = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    return [p.name for p in positional], len(required), starred, lacking


def _signature(function: Callable[..., object]) -> inspect.Signature:
    import inspect  # It takes as long as all else together: only where a function's code does not tell.

    if sys.version_info >= (3, 14):
        # An annotation may name what is imported for type checkers only.
        lenient = importlib.import_module("annotationlib").Format.FORWARDREF
        return inspect.signature(function, annotation_format=lenient)
    return inspect.signature(function)


def _event_class(trigger: Trigger) -> type[Event]:
    return KINDS[trigger.source].event_class


def _resource(event: object) -> str | None:
    records = event.get("Records") if isinstance(event, dict) else None
    first = records[0] if isinstance(records, list) and records else None
    arn = first.get("eventSourceARN") if isinstance(first, dict) else None
    return arn.rpartition(":")[2] if isinstance(arn, str) else None


def _queue(trigger: Trigger) -> str | None:
    queue = trigger.options.get("queue_arn") or trigger.options.get("queue")
    return queue.rpartition("/")[2].rpartition(":")[2] if isinstance(queue, str) else None
