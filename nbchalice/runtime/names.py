"""Where the public names of nbchalice stand: a module is imported, and ships, when one of its names is used."""

from __future__ import annotations

import importlib

from .unshipped import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

HOMES = {
    "At": "schedules",
    "Blueprint": "blueprint",
    "Chalice": "app",
    "CloudWatchEvent": "bridge",
    "ConvertToMiddleware": "middleware",
    "Cron": "schedules",
    "DynamoDBEvent": "dynamodb",
    "DynamoDBRecord": "dynamodb",
    "KinesisEvent": "kinesis",
    "KinesisRecord": "kinesis",
    "LambdaFunction": "function",
    "LambdaFunctionEvent": "events",
    "Rate": "schedules",
    "S3Event": "s3",
    "S3Record": "s3",
    "ShapeError": "shape_error",
    "SNSEvent": "sns",
    "SNSRecord": "sns",
    "SQSEvent": "sqs",
    "SQSRecord": "sqs",
    "ScheduleExpression": "schedules",
    "Trigger": "function",
}


def find(name: str, module: str) -> Any:
    """Return the object of a public name, or what Chalice's code for routes imports.

    Raises
    ------
    AttributeError
        The module has none of that name.
    """
    if name in HOMES:
        return getattr(importlib.import_module(f".{HOMES[name]}", __package__), name)
    if command := ask("python_commands", "find", None, name):
        return command
    try:
        return getattr(importlib.import_module(".routes", __package__), name)
    except (ImportError, AttributeError):
        raise AttributeError(f"module {module!r} has no attribute {name!r}") from None
