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
def on_local_aws(local: LocalAWS) -> Iterator[None]:
    """Let clients that are made in a block be of the local AWS: boto3's, and those of programs that it starts.

    Parameters
    ----------
    local : LocalAWS
        The local AWS, which is running.
    """
    kernels_own = {name: None for name in os.environ if name.startswith("AWS_")}
    no_files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    with environment({**kernels_own, **no_files, **local.env(), "AWS_REGION": local.region}), _session(local.endpoint):
        yield


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
