"""``Chalice``: registers functions as handlers of AWS events, with Chalice's own decorators."""

from __future__ import annotations

import logging
from types import SimpleNamespace

from . import logs
from .decorators import Decorators
from .function import LambdaFunction, Trigger
from .unshipped import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from typing import Any, Protocol

    from .events import JSON
    from .middleware import Middleware

    class Blueprint(Protocol):
        """What is in the module ``blueprint``, which ships with code that makes one."""

        def register(self, app: Chalice, options: JSON) -> None: ...


__all__ = ["Chalice", "LambdaFunction", "Trigger"]


class Chalice(Decorators):
    """An app: a name and the handlers registered with it.

    Parameters
    ----------
    app_name : str
        Name of the app and of its logger.
    debug : bool
        Whether ``log`` writes from DEBUG on; else from INFO on (Chalice: ERROR), or what the environment variable
        AWS_LAMBDA_LOG_LEVEL says.
    configure_logs : bool
        Whether to set ``log`` up at all.
    env : MutableMapping[str, str] or None
        Kept as ``env`` for code that passes it to Chalice; default None.

    Attributes
        ``handlers`` (name to ``LambdaFunction``), ``log``, ``debug``, ``lambda_context`` (of the last call),
        ``current_request`` (None: there is one for routes only), ``left_out`` (what Chalice has besides, such as
        routes: taken, and not deployed).
    """

    current_request: None = None

    def __init__(
        self,
        app_name: str,
        debug: bool = False,
        configure_logs: bool = True,
        env: MutableMapping[str, str] | None = None,
    ) -> None:
        self.configure_logs = configure_logs
        self.env = env
        self.handlers: dict[str, LambdaFunction] = {}
        self.left_out: list[str] = []
        self.lambda_context: Any = None
        self._debug = debug
        self.app_name = app_name

    def __repr__(self) -> str:
        return f"<Chalice {self.app_name}: {', '.join(self.handlers) or 'no handlers'}>"

    def __getattr__(self, name: str) -> Any:
        if name in {"api", "websocket_api"}:
            self.__dict__[name] = SimpleNamespace(cors=False, binary_types=[], session=None)
            return self.__dict__[name]
        if name == "experimental_feature_flags":
            self.experimental_feature_flags: set[str] = set()
            return self.experimental_feature_flags
        # No command's name has a dash; log_before is asked for by each invocation.
        return ("_" not in name and ask("python_commands", "find", None, name)) or super().__getattr__(name)

    @property
    def app_name(self) -> str:
        """The app's name; setting it renames the app and its logger, and the handlers stay."""
        return self._app_name

    @app_name.setter
    def app_name(self, name: str) -> None:
        before = self.__dict__.get("log")
        self._app_name, self.log = name, logging.getLogger(name)
        if self.configure_logs:
            logs.configure_app(self.log, self._debug)
        # What app.log.setLevel(...) said stays.
        if before is not None:
            self.log.setLevel(before.level)

    @property
    def debug(self) -> bool:
        """Whether ``log`` writes from DEBUG on."""
        return self._debug

    @debug.setter
    def debug(self, value: bool) -> None:
        self._debug = value
        logs.set_level(self.log, value)

    def middlewares(self, source: str) -> list[Middleware]:
        """Return the middleware for the events of one decorator, outermost first."""
        return self._middleware.of(source) if self._middleware else []

    def register_blueprint(
        self, blueprint: Blueprint, name_prefix: str | None = None, url_prefix: str | None = None
    ) -> None:
        """Add the handlers and the middleware of a blueprint.

        Parameters
        ----------
        blueprint : Blueprint
            Anything else raises TypeError. What it gets later is added, too.
        name_prefix : str or None
            Stands before the names of its handlers.
        url_prefix : str or None
            Taken, as routes are.
        """
        ask("settings", "check_blueprint", None, blueprint)
        blueprint.register(self, {"name_prefix": name_prefix, "url_prefix": url_prefix})


def handlers_in(variables: Mapping[str, object]) -> dict[str, LambdaFunction]:
    """Return the handlers that some variables hold, by name: those of apps, and those of one that was replaced since.

    Parameters
    ----------
    variables : Mapping[str, object]
        Those of a kernel or a module.
    """
    functions = [value for value in tuple(variables.values()) if isinstance(value, LambdaFunction)]
    # Those of a blueprint are handlers of the apps that it is registered with.
    handlers = {function.name: function for function in functions if isinstance(function.app, Chalice)}
    for app in tuple(variables.values()):
        handlers.update(app.handlers if isinstance(app, Chalice) else {})
    return handlers
