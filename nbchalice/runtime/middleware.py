"""Middleware, as in Chalice ("Middleware" in its documentation): functions around every event of a kind."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

Middleware = Callable[[Any, Callable[[Any], Any]], Any]

EVENT_TYPES = {
    "schedule": "scheduled",
    "on_s3_event": "s3",
    "on_sns_message": "sns",
    "on_sqs_message": "sqs",
    "on_cw_event": "cloudwatch",
    "on_kinesis_record": "kinesis",
    "on_dynamodb_record": "dynamodb",
    "lambda_function": "pure_lambda",
}


def chain(middlewares: Iterable[Middleware], handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return ``handler`` with ``middlewares`` around it, the first one outermost."""
    for middleware in reversed(list(middlewares)):
        handler = functools.partial(_call, middleware, handler)
    return handler


def _call(middleware: Middleware, next_handler: Callable[[Any], Any], event: Any) -> Any:
    __tracebackhide__ = True
    return middleware(event, next_handler)


class ConvertToMiddleware:
    """Makes middleware of a decorator for Lambda handlers, as in Chalice.

    Parameters
    ----------
    lambda_wrapper: a decorator of functions that take ``(event, context)``.
    """

    def __init__(self, lambda_wrapper: Callable[..., Any]) -> None:
        self._wrapper = lambda_wrapper

    def __call__(self, event: Any, get_response: Callable[[Any], Any]) -> Any:
        """Run the decorator around the rest of the chain."""

        @functools.wraps(self._wrapper)
        def handler(raw: Any, context: Any) -> Any:
            return get_response(event)

        return self._wrapper(handler)(event.to_dict(), event.context)
