"""The names of Chalice's module ``chalice.test``; see `nbchalice.testing`.

Examples
--------
    >>> from nbchalice.test import Client
"""

from __future__ import annotations

from nbchalice.testing import Client, FunctionNotFoundError, InvokeResponse, TestEventsClient, TestLambdaClient

__all__ = ["Client", "FunctionNotFoundError", "InvokeResponse", "TestEventsClient", "TestLambdaClient"]
