"""Reading from AWS during one operation: each question is asked once, however many resources want the answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from nbchalice.aws.passing import passing
from nbchalice.deploy.listed import listing_of
from nbchalice.resources.base import AWS
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from botocore.client import BaseClient

READS = ("get_", "list_", "describe_", "head_")
PLAIN = ("exceptions", "meta", "can_paginate")
# Of a function that does not stand, none of these stands: GetFunction answers for all.
OF_A_FUNCTION = {"get_policy", "list_event_source_mappings", "get_function_event_invoke_config"}
# The mappings of so many functions are asked for one by one.
FEW_MAPPINGS = 8


class Reads:
    """A connection that only reads, and remembers the answers; made for one operation and then dropped.

    Parameters
    ----------
    aws : AWS
        The connection that asks.
    known : bool
        Whether the functions are known to stand.
    """

    def __init__(self, aws: AWS, *, known: bool = False) -> None:
        self.region = aws.region
        self.account = aws.account
        self.partition = aws.partition
        self.local = aws.local
        self._aws = aws
        self._answers: dict[str, Future[object]] = {}
        self._lock = threading.Lock()
        self.known = known
        self._single: dict[str, set[str]] = {}

    def client(self, service: str, region: str | None = None, *, patience: float | None = None) -> Any:
        """Return a client whose reads are remembered."""
        return _Client(self, self._aws.client(service, region, patience=patience), f"{service} {region or self.region}")

    def are_many(self, questions: str, thing: str, few: int) -> bool:
        """Whether questions of one kind were asked about more than a few things, this one included."""
        with self._lock:
            things = self._single.setdefault(questions, set())
            things.add(thing)
            return len(things) > few

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
        if name in OF_A_FUNCTION and "FunctionName" in arguments and not self._reads.known:
            self.get_function(FunctionName=arguments["FunctionName"])
        self._refuse_what_is_not_listed(name, arguments)
        question = f"{self._place} {name} {json.dumps(arguments, sort_keys=True)}"
        return self._reads.ask(question, lambda: call(**arguments))

    def _refuse_what_is_not_listed(self, name: str, arguments: dict[str, object]) -> None:
        """Answer as the service does for what does not stand, where a list of all such things shows that."""
        found = listing_of(self._place.split()[0], name, arguments)
        if found is None or (found[0].only_local and not self._reads.local):
            return
        listing, thing = found
        if not self._reads.are_many(f"{self._place} {name}", thing, listing.few):
            return
        also = {one: arguments[one] for one in listing.along if one in arguments}
        try:
            names = listing.names(getattr(self, listing.operation)(**listing.arguments, **also))
        except Exception:  # Who may not list them asks for each, and is told there what is wrong.
            return
        if names is not None and thing not in names:
            from botocore.exceptions import ClientError  # not at the top: loading the extension would import it

            raise ClientError({"Error": {"Code": listing.code}}, name)

    def get_paginator(self, name: str) -> _Paginator:
        """Return a paginator whose pages are remembered."""
        paginator = self._client.get_paginator(name)
        pages = partial(self._ask, name, lambda **arguments: list(paginator.paginate(**arguments)))
        return _Paginator(partial(self._mappings, pages) if name == "list_event_source_mappings" else pages)

    def _mappings(self, pages: Callable[..., object], **arguments: object) -> object:
        """Return the pages with a function's mappings; those of many functions out of one list, where that is whole."""
        name = str(arguments.get("FunctionName")) if len(arguments) == 1 else ""
        if name and (self._reads.known or self._reads.are_many("mappings", name, FEW_MAPPINGS)):
            page: Any = None
            with suppress(Exception):  # Who may only see those of some functions asks for each.
                page = self.list_event_source_mappings()
            if page and not page.get("NextMarker"):
                own = [one for one in page["EventSourceMappings"] if _is_of(one, name)]
                return [{"EventSourceMappings": own}]
        return pages(**arguments)


def _is_of(mapping: JSON, function: str) -> bool:
    """Whether a mapping invokes a function itself, and not one of its versions."""
    return str(mapping["FunctionArn"]).split(":")[6:] == [function]


class _Paginator:
    def __init__(self, pages: Callable[..., object]) -> None:
        self.paginate = pages
