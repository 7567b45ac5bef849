"""Tests of handlers without AWS, with the interface of Chalice's test client, and a check of event sources.

Examples
--------
    >>> with Client(app) as client:
    ...     event = client.events.generate_sqs_event(["1", "2"], queue_name="orders")
    ...     client.lambda_.invoke("price", event).payload
"""

from __future__ import annotations

from nbchalice.events.generate import TestEventsClient
from nbchalice.testing.client import Client, FunctionNotFoundError, InvokeResponse, TestLambdaClient
from nbchalice.testing.notebook import notebook_app
from nbchalice.testing.sources import check_source

__all__ = [
    "Client",
    "FunctionNotFoundError",
    "InvokeResponse",
    "TestEventsClient",
    "TestLambdaClient",
    "check_source",
    "notebook_app",
]
