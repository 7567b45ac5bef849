"""nbchalice: notebook cells become AWS Lambda event handlers."""

from __future__ import annotations

import importlib

from .runtime import __version__ as __version__
from .runtime.names import find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .runtime.app import Chalice, LambdaFunction, Trigger
    from .runtime.blueprint import Blueprint
    from .runtime.bridge import CloudWatchEvent
    from .runtime.dynamodb import DynamoDBEvent, DynamoDBRecord
    from .runtime.events import LambdaFunctionEvent
    from .runtime.kinesis import KinesisEvent, KinesisRecord
    from .runtime.middleware import ConvertToMiddleware
    from .runtime.s3 import S3Event, S3Record
    from .runtime.schedules import At, Cron, Rate, ScheduleExpression
    from .runtime.shape_error import ShapeError
    from .runtime.sns import SNSEvent, SNSRecord
    from .runtime.sqs import SQSEvent, SQSRecord

__all__ = [
    "At",
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
    "S3Record",
    "SNSEvent",
    "SNSRecord",
    "SQSEvent",
    "SQSRecord",
    "ScheduleExpression",
    "ShapeError",
    "Trigger",
    "load_ipython_extension",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    """Import what a name stands for when it is asked for: a function carries along only what it uses."""
    if name == "app":  # As in Chalice, the module need not be imported by itself.
        return importlib.import_module(".app", __name__)
    globals()[name] = find(name, __name__)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: object) -> None:
    """Register the magics: what ``%load_ext nbchalice`` calls."""
    from nbchalice.ui import magics

    magics.load(ipython)


def unload_ipython_extension(ipython: object) -> None:
    """Take the magics away again: what ``%unload_ext nbchalice`` calls."""
    from nbchalice.ui import magics

    magics.unload(ipython)
