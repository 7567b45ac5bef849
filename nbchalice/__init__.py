"""nbchalice: notebook cells become AWS Lambda event handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .runtime import __version__ as __version__
from .runtime.app import Chalice, LambdaFunction, Trigger
from .runtime.events import CloudWatchEvent, LambdaFunctionEvent
from .runtime.middleware import ConvertToMiddleware
from .runtime.notifications import S3Event, S3Record, SNSEvent, SNSRecord
from .runtime.queues import (
    DynamoDBEvent,
    DynamoDBRecord,
    KinesisEvent,
    KinesisRecord,
    SQSEvent,
    SQSRecord,
)

if TYPE_CHECKING:
    from .runtime.schedules import At, Cron, Rate, ScheduleExpression

__all__ = [
    "At",
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
    "S3Record",
    "SNSEvent",
    "SNSRecord",
    "SQSEvent",
    "SQSRecord",
    "ScheduleExpression",
    "Trigger",
    "load_ipython_extension",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    """Find the schedules when they are asked for: a function without them does not carry them along."""
    if name in {"At", "Cron", "Rate", "ScheduleExpression"}:
        from .runtime import schedules

        return getattr(schedules, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(ipython: object) -> None:
    """Register the magics: what ``%load_ext nbchalice`` calls."""
    from nbchalice.ui import magics

    magics.load(ipython)


def unload_ipython_extension(ipython: object) -> None:
    """Take the magics away again: what ``%unload_ext nbchalice`` calls."""
    from nbchalice.ui import magics

    magics.unload(ipython)
