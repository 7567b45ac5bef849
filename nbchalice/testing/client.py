"""Calls the handlers of an app, with the interface of Chalice's test client (Chalice: "Test Client")."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from nbchalice.errors import InvalidInputError
from nbchalice.events.generate import TestEventsClient
from nbchalice.typed import JSON, Values

if TYPE_CHECKING:
    from nbchalice.runtime.app import Chalice


class FunctionNotFoundError(InvalidInputError):
    """There is no handler of that name."""


class InvokeResponse:
    """What a handler returned.

    Parameters
    ----------
    payload : object
        The value, after its way through JSON as on Lambda; as it is where JSON has no such value (``bytes``,
        ``Decimal``) and Lambda writes it as another one.
    """

    def __init__(self, payload: Any) -> None:
        self.payload = payload

    def __repr__(self) -> str:
        return f"InvokeResponse({self.payload!r})"


class Client:
    """Calls the handlers of an app in this process.

    Parameters
    ----------
    app : Chalice
        The app.
    stage_name : str
        Stage whose settings of `.chalice/config.json` count. Default: ``dev``.
    project_dir : str
        Folder with `.chalice`. Default: the current one.
    """

    def __init__(self, app: Chalice, stage_name: str = "dev", project_dir: str = ".") -> None:
        self.lambda_ = TestLambdaClient(app, stage_name, Path(project_dir))
        self.events = TestEventsClient()

    @property
    def http(self) -> NoReturn:
        """Chalice's client for routes; AttributeError, as nbchalice has none."""
        raise AttributeError("client.http calls routes, which nbchalice does not have; client.lambda_ invokes handlers")

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None


class TestLambdaClient:
    """Invokes handlers by name; made by `Client`."""

    __test__ = False

    def __init__(self, app: Chalice, stage_name: str, project_dir: Path) -> None:
        self._app = app
        self._stage = stage_name
        self._folder = project_dir

    def invoke(self, function_name: str, payload: object = None) -> InvokeResponse:
        """Call a handler with an event, its environment variables and a context.

        Parameters
        ----------
        function_name : str
            The handler's name.
        payload : object
            The raw event. Default: an empty dict.

        Returns
        -------
        The response with the handler's result as ``payload``.

        Raises
        ------
        FunctionNotFoundError
            There is no such handler.
        InvalidInputError
            Event or result are not JSON-ready. What the handler raises is raised as it is.
        """
        from nbchalice.events.context import LocalContext, environment

        handler = self._app.handlers.get(function_name)
        if handler is None:
            names = ", ".join(self._app.handlers) or "none"
            raise FunctionNotFoundError(
                f"{self._app.app_name} has no handler {function_name!r}",
                f"its handlers are: {names}",
                code="no-such-handler",
            )
        settings = self._settings(function_name, handler.settings)
        context = LocalContext(
            function_name,
            memory_limit_in_mb=int(settings.get("memory") or 128),
            timeout=float(settings.get("timeout") or 60),
        )
        event = _through_json({} if payload is None else payload, "the event")
        with environment(settings.get("env") or {}):
            result = handler(event, context)
        return InvokeResponse(_as_lambda_takes_it(result, f"the result of {function_name}"))

    def _settings(self, handler: str, own: Values) -> JSON:
        from nbchalice.config import read_config, with_config

        return with_config(read_config(self._folder), self._stage, handler, own)


def _as_lambda_takes_it(value: object, what: str) -> object:
    """Return a result after its way through JSON, or as it is where Lambda can write it all the same."""
    try:
        return _through_json(value, what)
    except InvalidInputError:
        try:
            json.dumps(value, default=_written_by_lambda)
        except (TypeError, ValueError):
            pass
        else:
            return value
        raise


def _written_by_lambda(value: object) -> object:
    """Return what Lambda writes of what JSON has not."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _through_json(value: object, what: str) -> object:
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{what} is not JSON-ready: {error}", "use dicts, lists, text and numbers") from None
