"""The decorators that register functions as handlers of AWS events: those of apps, and of blueprints.

The parameters before each ``*`` are Chalice's ("Chalice API reference"), those after it nbchalice's. All decorators
take settings of the function besides (``timeout=30``, ``memory=256``, ``env={...}``, ...), recorded as given.
"""

from __future__ import annotations

from functools import partial
from types import FunctionType

from .event_kinds import KINDS
from .function import LambdaFunction, Trigger, register
from .unshipped import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from .events import JSON
    from .middleware import Middleware, Registry
    from .schedules import ScheduleExpression

    Decorator = Callable[[Callable[..., object]], LambdaFunction]
    F = TypeVar("F")
    M = TypeVar("M", bound=Middleware)

CHALICES_OWN = {"route", "authorizer", "on_ws_connect", "on_ws_message", "on_ws_disconnect"}


class Decorators:
    """Base of what has the decorators."""

    handlers: dict[str, LambdaFunction]
    left_out: list[str]
    _middleware: Registry | None = None

    def __getattr__(self, name: str) -> Any:
        if name in CHALICES_OWN:
            return partial(self._leave_out, name)
        if name.startswith("on_") and (kind := ask("entry_points", "find_kind", KINDS.get(name), name)):
            return kind.decorator(self._decorator)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __dir__(self) -> list[str]:
        commands = ask("python_commands", "names", ())
        return sorted({*super().__dir__(), *ask("entry_points", "source_names", KINDS), *commands})

    def schedule(
        self,
        expression: str | ScheduleExpression,
        name: str | None = None,
        description: str = "",
        *,
        input: object = None,
        enabled: bool = True,
        timezone: str | None = None,
        flexible_window: int | None = None,
        **settings: object,
    ) -> Decorator:
        """Call the function by the clock, with a ``CloudWatchEvent``.

        Parameters
        ----------
        expression : str or ScheduleExpression
            ``Rate``, ``Cron``, or text (``rate(5 minutes)``); a wrong one raises ValueError.
        name : str or None
            The handler's name; default: the function's.
        description : str
            Of the rule.
        input : object
            JSON-ready event to send instead of EventBridge's own.
        enabled : bool
            Whether the schedule runs.
        timezone : str or None
            For example ``Europe/Vienna``; default UTC.
        flexible_window : int or None
            Minutes within which AWS may choose the moment; default None.
        """
        options = {
            "expression": str(ask("expressions", "parse_schedule", expression, expression)),
            "description": description,
            "input": input,
            "enabled": enabled,
            "timezone": timezone,
            "flexible_window": flexible_window,
        }
        return self._decorator("schedule", name, options, settings)

    def on_s3_event(
        self,
        bucket: str,
        events: list[str] | None = None,
        prefix: str | None = None,
        suffix: str | None = None,
        name: str | None = None,
        *,
        via: str | None = None,
        min_size: int | None = None,
        max_size: int | None = None,
        **settings: object,
    ) -> Decorator:
        """Call the function when objects of a bucket change, with an ``S3Event``.

        Parameters
        ----------
        bucket : str
            Name of the bucket.
        events : list[str] or None
            S3's event types; default ``["s3:ObjectCreated:*"]``.
        prefix, suffix : str or None
            Only keys that start, end so.
        name : str or None
            The handler's name; default: the function's.
        via : str or None
            ``eventbridge``: the events come through EventBridge; default: from the bucket itself.
        min_size, max_size : int or None
            With ``via="eventbridge"``: only objects of so many bytes.
        """
        options = {
            "bucket": bucket, "events": ["s3:ObjectCreated:*"] if events is None else events, "prefix": prefix,
            "suffix": suffix, "via": via, "min_size": min_size, "max_size": max_size,
        }  # fmt: skip
        return self._decorator("on_s3_event", name, options, settings)

    def on_sns_message(
        self,
        topic: str,
        name: str | None = None,
        *,
        filter_policy: JSON | None = None,
        filter_scope: str = "MessageAttributes",
        redrive_dlq: str | None = None,
        **settings: object,
    ) -> Decorator:
        """Call the function for messages of a topic, with an ``SNSEvent``.

        Parameters
        ----------
        topic : str
            Name or ARN of the topic.
        name : str or None
            The handler's name; default: the function's.
        filter_policy : JSON or None
            SNS's subscription filter policy; default: all messages.
        filter_scope : str
            ``MessageAttributes`` or ``MessageBody``.
        redrive_dlq : str or None
            Name or ARN of the queue for messages that could not be delivered.
        """
        options = {
            "topic": topic,
            "filter_policy": filter_policy,
            "filter_scope": filter_scope,
            "redrive_dlq": redrive_dlq,
        }
        return self._decorator("on_sns_message", name, options, settings)

    def on_sqs_message(  # noqa: PLR0917 - Chalice's parameters
        self,
        queue: str | None = None,
        batch_size: int = 1,
        name: str | None = None,
        queue_arn: str | None = None,
        maximum_batching_window_in_seconds: int = 0,
        maximum_concurrency: int | None = None,
        *,
        report_failures: bool = False,
        per_record: bool = False,
        skip_failed_groups: bool = False,
        filter: list[JSON] | JSON | None = None,
        fix_visibility_timeout: bool = False,
        max_receive_count: int | None = None,
        min_pollers: int | None = None,
        max_pollers: int | None = None,
        **settings: object,
    ) -> Decorator:
        """Call the function for batches of a queue's messages, with an ``SQSEvent``.

        Parameters
        ----------
        queue, queue_arn : str or None
            Name or ARN of the queue; exactly one of them, else ValueError.
        batch_size : int
            Most messages at once.
        name : str or None
            The handler's name; default: the function's.
        maximum_batching_window_in_seconds : int
            How long Lambda waits to fill a batch.
        maximum_concurrency : int or None
            Most batches handled at the same time, 2 to 1000; default None: no limit.
        report_failures : bool
            What the function's ``{"batchItemFailures": [...]}`` names is delivered again, and no other; when it raises,
            the whole batch but for the records whose ``done()`` it has called.
        per_record : bool
            Call the function with each ``SQSRecord``; only the failed ones are delivered again. Implies
            ``report_failures``. In a FIFO queue the first failure ends the batch. Where all fail, the invocation fails.
        skip_failed_groups : bool
            With ``per_record``, a failure in a FIFO queue ends only its message group; the others go on.
        filter : list[JSON] or JSON or None
            One or several filter patterns for messages; default: all messages.
        fix_visibility_timeout : bool
            Raise the queue's visibility timeout where the function's timeout needs it.
        max_receive_count : int or None
            After how many tries a message goes to the dead-letter queue.
        min_pollers, max_pollers : int or None
            Provisioned pollers: how many Lambda keeps ready, 2 to 200, and starts at most, 2 to 10,000.
        """
        if (queue is None) == (queue_arn is None):
            raise ValueError("on_sqs_message needs either queue (its name) or queue_arn, one of them")
        options = {
            "queue": queue, "queue_arn": queue_arn, "batch_size": batch_size,
            "maximum_batching_window_in_seconds": maximum_batching_window_in_seconds,
            "maximum_concurrency": maximum_concurrency, "report_failures": report_failures or per_record,
            "per_record": per_record, "skip_failed_groups": skip_failed_groups, "filter": filter,
            "fix_visibility_timeout": fix_visibility_timeout, "max_receive_count": max_receive_count,
            "min_pollers": min_pollers, "max_pollers": max_pollers,
        }  # fmt: skip
        return self._decorator("on_sqs_message", name, options, settings)

    def on_cw_event(
        self, event_pattern: JSON, name: str | None = None, *, bus: str | None = None, **settings: object
    ) -> Decorator:
        """Call the function for EventBridge events that match ``event_pattern``, with a ``CloudWatchEvent``.

        ``bus`` is the name or ARN of an event bus, in place of the account's default one.
        """
        return self._decorator("on_cw_event", name, {"event_pattern": event_pattern, "bus": bus}, settings)

    def on_kinesis_record(
        self,
        stream: str,
        batch_size: int = 100,
        starting_position: str = "LATEST",
        name: str | None = None,
        maximum_batching_window_in_seconds: int = 0,
        *,
        filter: list[JSON] | JSON | None = None,
        report_failures: bool = False,
        per_record: bool = False,
        bisect: bool = False,
        maximum_retry_attempts: int | None = None,
        maximum_record_age_in_seconds: int = -1,
        parallelization_factor: int = 1,
        tumbling_window_in_seconds: int = 0,
        starting_position_timestamp: str | None = None,
        **settings: object,
    ) -> Decorator:
        """Call the function for batches of the Kinesis stream named ``stream``, with a ``KinesisEvent``.

        With ``per_record``, for each ``KinesisRecord``: the first that fails ends the batch. With it, or with
        ``report_failures``, a batch is tried again from the first record that failed; ``record.done()`` says that one
        is handled.
        """
        options = {
            "stream": stream, "batch_size": batch_size, "starting_position_timestamp": starting_position_timestamp,
            "maximum_retry_attempts": maximum_retry_attempts, "bisect": bisect, "per_record": per_record,
            "report_failures": report_failures or per_record,
            "maximum_batching_window_in_seconds": maximum_batching_window_in_seconds, "filter": filter,
            "maximum_record_age_in_seconds": maximum_record_age_in_seconds, "starting_position": starting_position,
            "parallelization_factor": parallelization_factor, "tumbling_window_in_seconds": tumbling_window_in_seconds,
        }  # fmt: skip
        return self._decorator("on_kinesis_record", name, options, settings)

    def on_dynamodb_record(
        self,
        stream_arn: str,
        batch_size: int = 100,
        starting_position: str = "LATEST",
        name: str | None = None,
        maximum_batching_window_in_seconds: int = 0,
        *,
        filter: list[JSON] | JSON | None = None,
        report_failures: bool = False,
        per_record: bool = False,
        bisect: bool = False,
        maximum_retry_attempts: int | None = None,
        maximum_record_age_in_seconds: int = -1,
        parallelization_factor: int = 1,
        tumbling_window_in_seconds: int = 0,
        **settings: object,
    ) -> Decorator:
        """Call the function for batches of a DynamoDB table's stream, with a ``DynamoDBEvent``.

        ``report_failures`` and ``per_record`` are as of ``on_kinesis_record``.
        """
        options = {
            "stream_arn": stream_arn, "batch_size": batch_size, "bisect": bisect, "per_record": per_record,
            "report_failures": report_failures or per_record,
            "maximum_batching_window_in_seconds": maximum_batching_window_in_seconds, "filter": filter,
            "maximum_record_age_in_seconds": maximum_record_age_in_seconds, "starting_position": starting_position,
            "parallelization_factor": parallelization_factor, "tumbling_window_in_seconds": tumbling_window_in_seconds,
            "maximum_retry_attempts": maximum_retry_attempts,
        }  # fmt: skip
        return self._decorator("on_dynamodb_record", name, options, settings)

    def lambda_function(self, name: str | None = None, *, url: str | None = None, **settings: object) -> Decorator:
        """Make a function that is invoked directly, with the event as it comes and the context.

        ``url`` gives it a function URL: ``iam`` for callers whom IAM allows it, ``public`` for everybody.
        """
        return self._decorator("lambda_function", name, {"url": url}, settings)

    def middleware(self, event_type: str = "all") -> Callable[[M], M]:
        """Put the decorated ``function(event, get_response)`` around handlers; see ``register_middleware``."""

        def decorate(function: M) -> M:
            self.register_middleware(function, event_type)
            return function

        return decorate

    def register_middleware(self, func: Middleware, event_type: str = "all") -> None:
        """Put ``func(event, get_response)`` around all handlers of a kind, also those registered before.

        Parameters
        ----------
        func : Middleware
            Returns ``get_response(event)`` or something else. One defined again under its name replaces the old one.
        event_type : str
            ``all``, ``scheduled``, ``s3``, ``sns``, ``sqs``, ``cloudwatch``, ``kinesis``, ``dynamodb`` or
            ``pure_lambda``; any other raises ValueError. Chalice's ``http`` and ``websocket`` are noted, as routes are.
        """
        if ask("entry_points", "is_of_routes", False, event_type):
            self._leave_out(f"middleware({event_type!r})")(func)
            return
        if self._middleware is None:
            from .middleware import Registry

            self._middleware = Registry()
        self._middleware.register(func, event_type)

    def _decorator(self, source: str, name: str | None, options: JSON, settings: dict[str, object]) -> Decorator:
        # @app.lambda_function without parentheses hands over the function itself.
        if any(isinstance(given, FunctionType | LambdaFunction) for given in (name, *options.values())):
            raise TypeError(f"write the decorator with parentheses: @app.{source}(...)")
        ask("settings", "check", None, source, settings, ["name", *options])
        trigger = Trigger(source, options)
        return lambda function: register(self, function, name, trigger, settings)

    def _leave_out(self, kind: str, *_: object, **__: object) -> Callable[[F], F]:
        """Stand for a decorator of Chalice's that has nothing to do with events."""

        def decorate(function: F) -> F:
            self.left_out.append(f"@app.{kind} on {getattr(function, '__name__', function)}")
            return function

        return decorate
