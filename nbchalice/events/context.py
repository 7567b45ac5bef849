"""The context object of a function that runs in this process."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from nbchalice.resources.log_group import log_group_name
from nbchalice.typed import Values


class LocalContext:
    """What a function gets as its context, with the attributes of Lambda's (Lambda: "Python context object").

    Parameters
    ----------
    function_name : str
        The function's name.
    memory_limit_in_mb : int
        megabytes. Default: 128.
    timeout : float
        Seconds until `get_remaining_time_in_millis` returns 0; the function is not stopped. Default: 60.
    """

    function_version = "$LATEST"
    log_stream_name = "here"
    client_context: Any = None
    tenant_id: str | None = None

    def __init__(self, function_name: str, *, memory_limit_in_mb: int = 128, timeout: float = 60.0) -> None:
        self.function_name = function_name
        self.memory_limit_in_mb = str(memory_limit_in_mb)
        self.aws_request_id = str(uuid.uuid4())
        self.invoked_function_arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function_name}"
        self.log_group_name = log_group_name(function_name)
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline = time.monotonic() + timeout

    def __repr__(self) -> str:
        return f"<LocalContext {self.function_name} {self.aws_request_id}>"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the timeout, not below 0."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, msg: object) -> None:
        """Write to stdout, where a function's log begins."""
        sys.stdout.write(str(msg))


@contextmanager
def environment(variables: Values) -> Iterator[None]:
    """Set environment variables for a block, or take out those that are None, and put back what stood there."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Values) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = str(value)
