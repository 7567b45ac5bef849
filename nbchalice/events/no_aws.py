"""Refuses a handler's calls of AWS before anything is sent, while it runs in this process."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from nbchalice.aws.target import OWN_CLIENTS
from nbchalice.errors import NbChaliceError

# The ways to AWS that are known: boto3 and all that stands on botocore; aiobotocore, on which s3fs stands.
WAYS = (("botocore.client", "BaseClient"), ("aiobotocore.client", "AioBaseClient"))


class NoAWSError(NbChaliceError):
    """A handler called AWS where nothing may."""

    code = "no-aws"


class Refused:
    """The calls that were refused, in their order: ``S3 PutObject``."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._lock = threading.Lock()

    def refuse(self, client: Any, operation: str, arguments: dict[str, Any]) -> NoAWSError:
        """Note a call, and return the error for it."""
        name = f"{client.meta.service_model.service_id} {operation}"
        with self._lock:
            self.calls.append(name)
        about = ", ".join(f"{key} {value}" for key, value in arguments.items() if isinstance(value, str))[:120]
        told = f"{name} ({about})" if about else name
        return NoAWSError(f"--no-aws: the handler called {told}, which was not sent", "leave out --no-aws")

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse all calls of this process in a block but nbchalice's own."""
        with refused_ways({module for module, _ in WAYS}, self.refuse):
            yield


@contextmanager
def refused_ways(
    modules: Collection[str], refuse: Callable[[Any, str, dict[str, Any]], NbChaliceError]
) -> Iterator[None]:
    """Refuse the calls of this process by some libraries in a block, but nbchalice's own.

    Parameters
    ----------
    modules : Collection[str]
        The modules of their clients, of those in `WAYS`.
    refuse : Callable[[Any, str, dict[str, Any]], NbChaliceError]
        Takes client, operation and arguments, and returns the error.
    """
    before = {owner: owner._make_api_call for owner in _clients(modules)}

    def instead(client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        if client in OWN_CLIENTS:
            return original(client)(client, operation_name, api_params)
        raise refuse(client, operation_name, api_params)

    def original(client: Any) -> Any:
        return next(before[owner] for owner in type(client).__mro__ if owner in before)

    for owner in before:
        owner._make_api_call = instead
    try:
        yield
    finally:
        for owner, call in before.items():
            owner._make_api_call = call


def _clients(modules: Collection[str]) -> Iterator[Any]:
    """Yield the classes whose method sends a call; a handler may import one of them only when it runs."""
    for module, name in WAYS:
        if module in modules and (module in sys.modules or find_spec(module.partition(".")[0]) is not None):
            yield getattr(import_module(module), name)
