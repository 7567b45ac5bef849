"""The names of Chalice's module ``chalice.app``, as far as they are of event sources.

Examples
--------
    >>> from nbchalice.app import Chalice, SQSEvent
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .runtime.app import Chalice, LambdaFunction
from .runtime.events import CloudWatchEvent, LambdaFunctionEvent
from .runtime.middleware import ConvertToMiddleware
from .runtime.notifications import S3Event, SNSEvent
from .runtime.queues import DynamoDBEvent, DynamoDBRecord, KinesisEvent, KinesisRecord, SQSEvent, SQSRecord

if TYPE_CHECKING:
    from .runtime.schedules import Cron, Rate, ScheduleExpression

__all__ = [
    "Chalice",
    "CloudWatchEvent",
    "ConvertToMiddleware",
    "Cron",
    "DynamoDBEvent",
    "DynamoDBRecord",
    "KinesisEvent",
    "KinesisRecord",
    "LambdaFunction",
    "LambdaFunctionEvent",
    "Rate",
    "S3Event",
    "SNSEvent",
    "SQSEvent",
    "SQSRecord",
    "ScheduleExpression",
]


def __getattr__(name: str) -> Any:
    """Find the schedules when they are asked for, as ``nbchalice`` does."""
    if name in __all__:
        from .runtime import schedules

        return getattr(schedules, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
