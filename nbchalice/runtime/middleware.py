"""Middleware, as in Chalice ("Middleware" in its documentation): functions around every event of a kind."""

from __future__ import annotations

import functools

from .event_kinds import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .events import Event

    Handler = Callable[[Any], object]
    Middleware = Callable[[Any, Callable[[Any], Any]], object]


class Registry:
    """The middleware of an app, in the order of registration."""

    def __init__(self) -> None:
        self._entries: dict[object, tuple[Callable[..., object], str]] = {}

    def register(self, func: Middleware, event_type: str) -> None:
        """Add ``func``, in the place of one of the same name where a notebook cell is run again."""
        name = getattr(func, "__qualname__", None)
        same = (func.__module__, name) if name and "<" not in name else func
        self._entries[same, event_type] = (func, event_type)

    def entries(self) -> list[tuple[Middleware, str]]:
        """Return all, each with the kind of event that it is for."""
        return list(self._entries.values())

    def of(self, source: str) -> list[Middleware]:
        """Return the middleware for the events of the decorator ``source``, outermost first."""
        return [func for func, kind in self._entries.values() if kind in ("all", KINDS[source].middleware)]


def chain(middlewares: Iterable[Middleware], handler: Handler) -> Handler:
    """Return ``handler`` with ``middlewares`` around it, the first one outermost."""
    for middleware in reversed(list(middlewares)):
        handler = functools.partial(_call, middleware, handler)
    return handler


def _call(middleware: Middleware, next_handler: Handler, event: object) -> object:
    __tracebackhide__ = True
    return middleware(event, next_handler)


class ConvertToMiddleware:
    """Makes middleware of a decorator for Lambda handlers, as in Chalice.

    Parameters
    ----------
    lambda_wrapper : Callable[..., Any]
        A decorator of functions that take ``(event, context)``.
    """

    def __init__(self, lambda_wrapper: Callable[..., Any]) -> None:
        self._wrapper = lambda_wrapper

    def __call__(self, event: Event, get_response: Handler) -> object:
        """Run the decorator around the rest of the chain."""

        @functools.wraps(self._wrapper)
        def handler(raw: object, context: object) -> object:
            return get_response(event)

        return self._wrapper(handler)(event.to_dict(), event.context)
