"""Reading from AWS during one operation: each question is asked once, however many resources want the answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from nbchalice.sources.base import AWS

READS = ("get_", "list_", "describe_", "head_")
PLAIN = ("exceptions", "meta", "can_paginate")


class Reads:
    """A connection that only reads, and remembers the answers; made for one operation and then dropped.

    Parameters
    ----------
    aws: the connection that asks.
    """

    def __init__(self, aws: AWS) -> None:
        self.region = aws.region
        self.account = aws.account
        self.partition = aws.partition
        self.local = aws.local
        self._aws = aws
        self._answers: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client whose reads are remembered."""
        return _Client(self, self._aws.client(service, region), f"{service} {region or self.region}")

    def ask(self, question: str, call: Callable[[], Any]) -> Any:
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
                answer.set_exception(error)
                raise
        return answer.result()


class _Client:
    """A boto3 client, as far as reading needs it."""

    def __init__(self, reads: Reads, client: Any, place: str) -> None:
        self._reads, self._client, self._place = reads, client, place

    def __getattr__(self, name: str) -> Any:
        if name in PLAIN:
            return getattr(self._client, name)
        if not name.startswith(READS):
            raise RuntimeError(f"{name} is no read")

        def ask(**arguments: Any) -> Any:
            question = f"{self._place} {name} {json.dumps(arguments, sort_keys=True)}"
            return self._reads.ask(question, lambda: getattr(self._client, name)(**arguments))

        return ask

    def get_paginator(self, name: str) -> _Paginator:
        """Return a paginator whose pages are remembered."""
        return _Paginator(self._reads, self._client.get_paginator(name), f"{self._place} pages {name}")


class _Paginator:
    def __init__(self, reads: Reads, paginator: Any, place: str) -> None:
        self._reads, self._paginator, self._place = reads, paginator, place

    def paginate(self, **arguments: Any) -> list[Any]:
        """Return all pages."""
        question = f"{self._place} {json.dumps(arguments, sort_keys=True)}"
        pages: list[Any] = self._reads.ask(question, lambda: list(self._paginator.paginate(**arguments)))
        return pages
