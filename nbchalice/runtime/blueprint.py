"""``Blueprint``: handlers and middleware that an app registers later, as Chalice's ("Blueprints" in its docs)."""

from __future__ import annotations

import logging

from .decorators import Decorators
from .function import CHECKS, LambdaFunction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from .app import Chalice
    from .decorators import Decorator
    from .events import JSON
    from .middleware import Middleware


class Blueprint(Decorators):
    """Has the decorators of an app; ``app.register_blueprint(blueprint)`` makes handlers of what they decorate.

    Parameters
    ----------
    import_name : str
        ``__name__``, as in Chalice.

    Attributes
        ``handlers`` (name to ``LambdaFunction``: what it decorates, by its own names, without a prefix), ``left_out``.
    """

    def __init__(self, import_name: str) -> None:
        self.import_name = import_name
        self.handlers: dict[str, LambdaFunction] = {}
        self.left_out: list[str] = []
        self._places: list[tuple[Chalice, str]] = []

    def __repr__(self) -> str:
        apps = ", ".join(app.app_name for app, _ in self._places)
        return f"<Blueprint {self.import_name}: {', '.join(self.handlers) or 'no handlers'}; apps: {apps or 'none'}>"

    @property
    def app_name(self) -> str | None:
        """The name of the app; None before it is registered."""
        return self._places[-1][0].app_name if self._places else None

    @property
    def current_app(self) -> Chalice:
        """The app that it was registered with last; RuntimeError before."""
        return self._places[-1][0] if self._places else self._lacks("current_app")

    @property
    def log(self) -> logging.Logger:
        """The app's logger; RuntimeError before it is registered."""
        return self.current_app.log if self._places else self._lacks("log")

    @property
    def log_before(self) -> logging.Logger | None:
        """What is told which records of a batch failed, before it is registered: the module's logger."""
        return None if self._places else logging.getLogger(self.import_name)

    @property
    def current_request(self) -> NoReturn:
        """Of a route; RuntimeError, as there are none here."""
        self._lacks("current_request")

    @property
    def lambda_context(self) -> Any:
        """The context object of the app's last call; RuntimeError before it is registered."""
        return self.current_app.lambda_context if self._places else self._lacks("lambda_context")

    @lambda_context.setter
    def lambda_context(self, context: object) -> None:
        if self._places:
            self.current_app.lambda_context = context

    def register(self, app: Chalice, options: JSON) -> None:
        """Do what ``app.register_blueprint`` does.

        Parameters
        ----------
        app : Chalice
            The app.
        options : JSON
            ``name_prefix`` counts.
        """
        prefix = options.get("name_prefix") or ""
        self._places = [place for place in self._places if place != (app, prefix)] + [(app, prefix)]
        for func, event_type in self._middleware.entries() if self._middleware else ():
            app.register_middleware(func, event_type)
        for handler in self.handlers.values():
            _add_to(app, handler, prefix)
        app.left_out += self.left_out

    def withdraw(self, app: object, prefix: str) -> None:
        """Forget that it was registered so: a notebook's cell did it, and does it no more."""
        self._places = [place for place in self._places if not (place[0] is app and place[1] == prefix)]

    def register_middleware(self, func: Middleware, event_type: str = "all") -> None:
        """Put ``func(event, get_response)`` around all handlers of a kind of the apps that it is registered with."""
        super().register_middleware(func, event_type)
        for app, _ in self._places:
            app.register_middleware(func, event_type)

    def middlewares(self, source: str) -> list[Middleware]:
        """Return the app's middleware for the events of one decorator, outermost first."""
        return self.current_app.middlewares(source) if self._places else []

    def _decorator(self, source: str, name: str | None, options: JSON, settings: dict[str, object]) -> Decorator:
        decorate = super()._decorator(source, name, options, settings)

        def decorate_for_all(function: Any) -> LambdaFunction:
            handler = decorate(function)
            # A cell that is run again, after the one that registers the blueprint.
            for app, prefix in self._places:
                _add_to(app, handler, prefix)
            return handler

        return decorate_for_all

    def _lacks(self, name: str) -> NoReturn:
        raise RuntimeError(f"Blueprint.{name} is there when the blueprint is registered: app.register_blueprint(...)")


def _add_to(app: Chalice, handler: LambdaFunction, prefix: str) -> None:
    """Register a handler of a blueprint with an app, under its name with a prefix."""
    made = LambdaFunction(app, prefix + handler.name, handler.function)
    made.triggers, made.settings, made.original = list(handler.triggers), handler.settings, handler
    for check in CHECKS:
        check(made)
    app.handlers[made.name] = made
