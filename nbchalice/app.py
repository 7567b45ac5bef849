"""The names of Chalice's module ``chalice.app``, as far as they are of event sources.

Examples
--------
    >>> from nbchalice.app import Chalice, SQSEvent
"""

from __future__ import annotations

from .runtime.names import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .runtime.app import Chalice, LambdaFunction
    from .runtime.blueprint import Blueprint
    from .runtime.bridge import CloudWatchEvent
    from .runtime.dynamodb import DynamoDBEvent, DynamoDBRecord
    from .runtime.events import LambdaFunctionEvent
    from .runtime.kinesis import KinesisEvent, KinesisRecord
    from .runtime.middleware import ConvertToMiddleware
    from .runtime.s3 import S3Event
    from .runtime.schedules import Cron, Rate, ScheduleExpression
    from .runtime.sns import SNSEvent
    from .runtime.sqs import SQSEvent, SQSRecord

__all__ = [
    "Blueprint",
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
    """Import what a name stands for when it is asked for, as ``nbchalice`` does."""
    globals()[name] = find(name, __name__)
    return globals()[name]
