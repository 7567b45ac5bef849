"""Reading from AWS during one operation: each question is asked once, however many resources want the answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from nbchalice.aws.passing import passing
from nbchalice.resources.base import AWS

if TYPE_CHECKING:
    from botocore.client import BaseClient

READS = ("get_", "list_", "describe_", "head_")
PLAIN = ("exceptions", "meta", "can_paginate")
# Of a function that does not stand, none of these stands: GetFunction answers for all.
OF_A_FUNCTION = {"get_policy", "list_event_source_mappings", "get_function_event_invoke_config"}
# After so many questions about single roles the account's are listed, which is one call where there are few.
SINGLE_ROLES, MOST_ROLES = 8, 1000


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
        self._single_roles = 0

    def client(self, service: str, region: str | None = None, *, patience: float | None = None) -> Any:
        """Return a client whose reads are remembered."""
        return _Client(self, self._aws.client(service, region, patience=patience), f"{service} {region or self.region}")

    def is_known_missing(self, role: str) -> bool:
        """Whether the account's roles were listed, as several were asked for one by one, and it is not among them."""
        with self._lock:
            self._single_roles += 1
            several = self._single_roles > SINGLE_ROLES
        if not several:
            return False
        try:
            page: Any = self.client("iam").list_roles(MaxItems=MOST_ROLES)
        except Exception:  # Who may not list them asks for each, and is told there what is wrong.
            return False
        return not page["IsTruncated"] and role not in {one["RoleName"] for one in page["Roles"]}

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
        if name == "get_role" and self._reads.is_known_missing(str(arguments["RoleName"])):
            raise ClientError({"Error": {"Code": "NoSuchEntity"}}, "GetRole")
        question = f"{self._place} {name} {json.dumps(arguments, sort_keys=True)}"
        return self._reads.ask(question, lambda: call(**arguments))

    def get_paginator(self, name: str) -> _Paginator:
        """Return a paginator whose pages are remembered."""
        paginator = self._client.get_paginator(name)
        return _Paginator(partial(self._ask, name, lambda **arguments: list(paginator.paginate(**arguments))))


class _Paginator:
    def __init__(self, pages: Callable[..., object]) -> None:
        self.paginate = pages
