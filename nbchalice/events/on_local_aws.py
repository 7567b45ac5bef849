"""Lets a handler that runs in this process find the local AWS where it asks for AWS, as the deployed function does."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nbchalice.events.context import environment

if TYPE_CHECKING:
    from nbchalice.aws.local.client.server import LocalAWS

# boto3's default session that handlers were given, by endpoint: it keeps credentials, and takes a while to make.
_sessions: dict[str, Any] = {}


@contextmanager
def on_local_aws(local: LocalAWS, names: dict[str, Any] | None = None) -> Iterator[None]:
    """Let clients that are made in a block be of the local AWS: boto3's, and those of programs that it starts.

    Parameters
    ----------
    local : LocalAWS
        The local AWS, which is running.
    names : dict[str, Any] or None
        The global names of the code that runs: boto3's clients and resources among them, which cells made of another
        AWS, are those of the local one for the block. Default: none.
    """
    kernels_own = {name: None for name in os.environ if name.startswith("AWS_")}
    no_files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    own = environment({**kernels_own, **no_files, **local.env(), "AWS_REGION": local.region})
    with own, _session(local.endpoint), _clients(names or {}, local.endpoint):
        yield


@contextmanager
def _clients(names: dict[str, Any], endpoint: str) -> Iterator[None]:
    """Put clients of the local AWS in the places of others for a block; what was assigned meanwhile stays."""
    if "boto3" not in sys.modules:
        yield
        return
    import boto3
    from boto3.resources.base import ServiceResource
    from botocore.client import BaseClient

    def of_local(client: BaseClient) -> Any:
        made: Any = boto3.client
        return made(client.meta.service_model.service_name, region_name=client.meta.region_name)

    held = dict(names)
    clients = {name: one for name, one in held.items() if isinstance(one, BaseClient)}
    resources = {id(one): one for one in held.values() if isinstance(one, ServiceResource)}
    others = {name: one for name, one in clients.items() if one.meta.endpoint_url != endpoint}
    moved = [(one.meta, one.meta.client) for one in resources.values() if one.meta.client.meta.endpoint_url != endpoint]
    stand_ins = {name: of_local(one) for name, one in others.items()}
    names.update(stand_ins)
    for meta, client in moved:
        meta.client = of_local(client)
    try:
        yield
    finally:
        names.update({name: one for name, one in others.items() if names.get(name) is stand_ins[name]})
        for meta, client in moved:
            meta.client = client


@contextmanager
def _session(endpoint: str) -> Iterator[None]:
    """Put another default session into boto3's place for a block: it holds the credentials that it found first."""
    before = exchange_session(_sessions.get(endpoint))
    try:
        yield
    finally:
        _sessions[endpoint] = exchange_session(before)


def exchange_session(session: Any) -> Any:
    """Put a default session, or none, into the place of boto3's; return that one."""
    boto3: Any = sys.modules.get("boto3")
    if boto3 is None:
        return None
    before, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, session
    return before
