"""Reading from AWS during one operation: each question is asked once, however many resources want the answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from nbchalice.aws.passing import passing
from nbchalice.resources.base import AWS

if TYPE_CHECKING:
    from botocore.client import BaseClient

READS = ("get_", "list_", "describe_", "head_")
PLAIN = ("exceptions", "meta", "can_paginate")
# Of a function that does not stand, none of these stands: GetFunction answers for all.
OF_A_FUNCTION = {"get_policy", "list_event_source_mappings", "get_function_event_invoke_config"}


class Reads:
    """A connection that only reads, and remembers the answers; made for one operation and then dropped.

    Parameters
    ----------
    aws : AWS
        The connection that asks.
    """

    def __init__(self, aws: AWS) -> None:
        self.region = aws.region
        self.account = aws.account
        self.partition = aws.partition
        self.local = aws.local
        self._aws = aws
        self._answers: dict[str, Future[object]] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str | None = None, *, patience: float | None = None) -> Any:
        """Return a client whose reads are remembered."""
        return _Client(self, self._aws.client(service, region, patience=patience), f"{service} {region or self.region}")

    def ask(self, question: str, call: Callable[[], object]) -> object:
        """Return the answer to a question; who asks the same at the same time waits for the first one's answer."""
        with self._lock:
            answer = self._answers.get(question)
            first = answer is None
            if answer is None:
                answer = self._answers[question] = Future()
        if first:
            try:
                answer.set_result(call())
            except BaseException as error:
                if passing(error):  # It is not the answer: who asks again is to be answered.
                    with self._lock:
                        del self._answers[question]
                answer.set_exception(error)
                raise
        return answer.result()


class _Client:
    """A boto3 client, as far as reading needs it."""

    def __init__(self, reads: Reads, client: BaseClient, place: str) -> None:
        self._reads, self._client, self._place = reads, client, place

    def __getattr__(self, name: str) -> Any:
        if name in PLAIN:
            return getattr(self._client, name)
        if not name.startswith(READS):
            raise RuntimeError(f"{name} is not a read")
        return partial(self._ask, name, getattr(self._client, name))

    def _ask(self, name: str, call: Callable[..., object], **arguments: object) -> object:
        if name in OF_A_FUNCTION and "FunctionName" in arguments:
            self.get_function(FunctionName=arguments["FunctionName"])
        question = f"{self._place} {name} {json.dumps(arguments, sort_keys=True)}"
        return self._reads.ask(question, lambda: call(**arguments))

    def get_paginator(self, name: str) -> _Paginator:
        """Return a paginator whose pages are remembered."""
        paginator = self._client.get_paginator(name)
        return _Paginator(partial(self._ask, name, lambda **arguments: list(paginator.paginate(**arguments))))


class _Paginator:
    def __init__(self, pages: Callable[..., object]) -> None:
        self.paginate = pages
