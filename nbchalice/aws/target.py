"""Which AWS a command works on, and the boto3 clients for it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from nbchalice.aws.credentials import configured_endpoints, failed_login, share_temporary_credentials
from nbchalice.aws.errors import explain
from nbchalice.aws.repeats import READS, guard_repeats, require_whole_answers
from nbchalice.errors import InvalidInputError
from nbchalice.handlers.variables import REGION
from nbchalice.resources.arns import Arn

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.config import Config
    from botocore.model import OperationModel

TARGETS = ("local", "aws")
MOST_DEATHS = 3  # of the local AWS in one call, after which it is left dead
# For botocore: no profile, and no file of the user's, which may name a profile that is not there, or be broken.
NOT_CONFIGURED = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
# As many as there are calls side by side.
CONNECTIONS = 64
OWN_CLIENTS: WeakSet[BaseClient] = WeakSet()
"""The clients of connections, which are nbchalice's and no handler's."""


@dataclass(frozen=True)
class Target:
    """Where a command works.

    Parameters
    ----------
    name : str
        ``local`` or ``aws``.
    region : str
        For example ``eu-west-1``.
    account : str
        Twelve digits.
    partition : str
        ``aws``, ``aws-cn`` or ``aws-us-gov``.
    user : str or None
        ARN of who is calling; the local AWS has none.
    endpoint : str or None
        URL of the local AWS, or None.
    elsewhere : tuple[str, ...]
        What the AWS configuration sends elsewhere than to AWS, as ``sqs to http://127.0.0.1:4566``.
    """

    name: str
    region: str
    account: str
    partition: str = "aws"
    user: str | None = None
    endpoint: str | None = None
    elsewhere: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.name == "local":
            return f"local AWS at {self.endpoint}"
        where = f"AWS account {self.account}, region {self.region}, as {(self.user or '').rsplit(':', 1)[-1]}"
        return f"{where}; not to AWS itself: {', '.join(self.elsewhere)}" if self.elsewhere else where


class Connection:
    """The clients of one target, with credentials read when the connection was made.

    Clients are made once and shared by threads (boto3: clients are thread-safe). `calls` lists each API call as
    (service, operation), `writes` those that may have changed something; `deaths` counts how often the local AWS died
    in a call and was started again.
    """

    def __init__(self, target: Target, new_client: Callable[..., BaseClient], key: str = "") -> None:
        self.target = target
        self.key = key
        self.region = target.region
        self.account = target.account
        self.partition = target.partition
        self.local = target.name == "local"
        self.calls: list[tuple[str, str]] = []
        self.deaths = 0
        self.credentials: object = None  # botocore's, of real AWS
        self._new_client = new_client
        self._clients: dict[tuple[str, str, float | None], BaseClient] = {}
        self._lock = threading.Lock()

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The calls that may have changed something."""
        return [call for call in self.calls if not call[1].startswith(READS)]

    def client(self, service: str, region: str | None = None, *, patience: float | None = None) -> Any:
        """Return the boto3 client of a service.

        Parameters
        ----------
        service : str
            For example ``sqs``.
        region : str or None
            Default: the target's.
        patience : float or None
            Seconds to wait for an answer. Default: boto3's 60.
        """
        place = (service, region or self.region)
        with self._lock:
            if (*place, patience) not in self._clients:
                client = self._new_client(*place) if patience is None else self._new_client(*place, patience)
                client.meta.events.register("before-call", self._count)
                guard_repeats(client)
                require_whole_answers(client)
                OWN_CLIENTS.add(client)
                self._clients[*place, patience] = client
            return self._clients[*place, patience]

    def _count(self, model: OperationModel, **_: object) -> None:
        self.calls.append((model.service_model.service_name, model.name))


def connect(
    name: str = "local", *, region: str | None = None, profile: str | None = None, reuse: Connection | None = None
) -> Connection:
    """Connect to the local AWS, which is started where it is not running, or to real AWS.

    Parameters
    ----------
    name : str
        ``local`` or ``aws``.
    region : str or None
        Region on real AWS; default: boto3's own.
    profile : str or None
        Profile in the AWS configuration; default: boto3's own.
    reuse : Connection or None
        An earlier connection to the local AWS; it is returned while the same server runs.

    Raises
    ------
    InvalidInputError
        There is no such target.
    AWSError
        No credentials, no region, or AWS cannot be reached.
    LocalAWSError
        The local AWS does not start.
    """
    if name == "local":
        return _connect_local(reuse)
    if name == "aws":
        return _connect_aws(region, profile)
    raise InvalidInputError(f"there is no target {name!r}", f"use {' or '.join(TARGETS)}")


def region_of(name: str) -> str:
    """Return a target's region without asking for credentials or starting anything."""
    return REGION if name == "local" else _session().region_name or REGION


@cache
def _loader() -> object:
    """Return botocore's reader of service models, which remembers them: shared by all sessions of the process."""
    from botocore.loaders import create_loader

    return create_loader()


def _session(profile: str | None = None, *, configured: bool = True, **settings: str | None) -> Any:
    """Return a new session; it reads credentials and configuration anew, or no configuration at all."""
    import boto3
    from botocore.session import Session

    core = Session(profile=profile, session_vars=None if configured else NOT_CONFIGURED)
    core.register_component("data_loader", _loader())
    return boto3.Session(botocore_session=core, **settings)


def _config(patience: float | None = None, **extra: Any) -> Config:
    from botocore.config import Config

    if patience is not None:
        extra["read_timeout"] = patience

    retries: Any = {"mode": "standard", "total_max_attempts": 6}
    return Config(retries=retries, max_pool_connections=CONNECTIONS, tcp_keepalive=True, **extra)


def _connect_local(reuse: Connection | None) -> Connection:
    from nbchalice.aws.local.client.server import cannot_save, ensure_running, read_notes

    server = ensure_running()
    for note in filter(None, [*read_notes(news=True), cannot_save()]):
        print(note, file=sys.stderr)
    target = Target("local", server.region, server.account, endpoint=server.endpoint)
    if reuse is not None and reuse.target == target and reuse.key == server.access_key:
        return reuse
    session = _session(
        configured=False,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name=server.region,
    )

    def new_client(service: str, region: str, patience: float | None = None) -> BaseClient:
        config = _config(patience, s3={"addressing_style": "path"}, proxies={})
        client: BaseClient = session.client(service, region_name=region, endpoint_url=server.endpoint, config=config)
        again: Any = partial(_start_again, connection)  # boto3's stubs know of no handler whose answer counts
        client.meta.events.register_first("needs-retry", again)
        return client

    connection = Connection(target, new_client, server.access_key)
    return connection


def _start_again(
    connection: Connection, attempts: int, caught_exception: Exception | None = None, **_: object
) -> int | None:
    """Ask a local AWS that has died once more, as soon as it runs again; whether twice is right is asked elsewhere."""
    from nbchalice.aws.local.client.server import start_again

    if caught_exception is None or attempts > MOST_DEATHS or not start_again():
        return None
    connection.deaths += 1
    print("the local AWS died and was started again; what it was told in the last second may be lost", file=sys.stderr)
    return 0


def _connect_aws(region: str | None, profile: str | None) -> Connection:
    try:
        session = _session(region_name=region, profile=profile)
        share_temporary_credentials(session._session)
        identity = session.client("sts", config=_config()).get_caller_identity()
    except Exception as error:
        raise failed_login(error) or explain(error, "connecting to AWS") from None
    partition = Arn.parse(identity["Arn"]).partition
    elsewhere = configured_endpoints(session._session)
    target = Target(
        "aws", session.region_name or "", identity["Account"], partition, identity["Arn"], elsewhere=elsewhere
    )

    def new_client(service: str, where: str, patience: float | None = None) -> BaseClient:
        client: BaseClient = session.client(service, region_name=where, config=_config(patience))
        return client

    connection = Connection(target, new_client)
    connection.credentials = session.get_credentials()
    return connection
