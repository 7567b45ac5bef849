"""Leases of live mode: who handles the events of which trigger, told by the tags of its temporary queue."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from nbchalice.aws.errors import explain
from nbchalice.aws.local.client.process import process_exists
from nbchalice.aws.passing import read_patiently
from nbchalice.events.triggers import Route
from nbchalice.resources.base import AWS, FunctionRef, is_denied, or_missing
from nbchalice.typed import JSON

ENDING = re.compile(r"(-live-[0-9a-f]{8})(-\d)?$")
LONGEST_NAME = 80
HOLDER, SEEN = "nbchalice:live", "nbchalice:live-seen"
DEAD_AFTER = 120.0


@dataclass(frozen=True)
class Lease:
    """Who handles the events of one trigger live, as its temporary queue's tags tell.

    Parameters
    ----------
    handler : str
        The handler's name.
    host, pid : str or int
        The process.
    seen : float
        Seconds since 1970 when it was last alive.
    url : str
        The temporary queue.
    """

    handler: str
    host: str
    pid: int
    seen: float
    url: str

    @property
    def mine(self) -> bool:
        """Whether it is this process."""
        return (self.host, self.pid) == (socket.gethostname(), os.getpid())

    @property
    def dead(self) -> bool:
        """Whether its process has ended."""
        if self.host == socket.gethostname():
            return not process_exists(self.pid)
        return time.time() - self.seen > DEAD_AFTER

    def is_of(self, route: Route) -> bool:
        """Whether it is this trigger that is redirected; a handler may be live for one of several."""
        return ENDING.sub(r"\1", self.queue) == queue_name(route)

    @property
    def queue(self) -> str:
        """The temporary queue's name."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def where(self) -> str:
        """The process, in words."""
        return "in this kernel" if self.mine else f"in process {self.pid} on {self.host}"

    def __str__(self) -> str:
        if self.dead:
            return f"{self.handler} was live {self.where}, which has ended: its deployed trigger is still paused"
        return f"{self.handler} is live {self.where}: its deployed trigger is paused meanwhile"


def queue_name(route: Route, number: int = 1) -> str:
    """Return the name of a trigger's temporary queue; those of a function on one bucket share one.

    Parameters
    ----------
    route : Route
        The trigger.
    number : int
        1 to 9. SQS makes no queue whose name was another's within 60 seconds: the next live mode takes the next.
    """
    place = f"{route.source.name} {route.source.subject(route.options)} {route.ref.number}"
    digest = hashlib.sha256(place.encode()).hexdigest()
    ending = f"-live-{digest[:8]}"
    return route.ref.name[: LONGEST_NAME - len(ending) - 2] + ending + (f"-{number}" if number > 1 else "")


def leases(aws: AWS, app: str, stage: str) -> list[Lease]:
    """Return who handles events of an app live, or did so when it died.

    Raises
    ------
    AWSError
        AWS refused.
    """
    try:
        return read_patiently(lambda: list(_standing(aws, app, stage)))
    except Exception as error:
        raise explain(error, f"looking for live handlers of {app}") from None


def leases_if_allowed(aws: AWS, app: str, stage: str) -> tuple[list[Lease], str]:
    """Return who handles events live, and what AWS does not let the caller ask for that, or an empty text.

    Who is live is good to know before a deploy; a deploy itself needs it nowhere.
    """
    try:
        return read_patiently(lambda: list(_standing(aws, app, stage))), ""
    except Exception as error:
        if not is_denied(error):
            raise explain(error, f"looking for live handlers of {app}") from None
        action = getattr(error, "operation_name", "ListQueues")
        return [], f"whether handlers are live in a kernel was not looked for: AWS denies sqs:{action}"


def _standing(aws: AWS, app: str, stage: str) -> Iterator[Lease]:
    client = aws.client("sqs")
    urls = client.list_queues(QueueNamePrefix=f"{app}-{stage}-").get("QueueUrls", [])
    for url in filter(ENDING.search, urls):
        tags: JSON = {}
        with or_missing():
            tags = client.list_queue_tags(QueueUrl=url).get("Tags", {})
        host, _, pid = tags.get(HOLDER, "").rpartition(" ")
        if host and (tags.get("nbchalice:app"), tags.get("nbchalice:stage")) == (app, stage):
            yield Lease(tags["nbchalice:handler"], host, int(pid), float(tags.get(SEEN, 0)), url)


def tags_of(function: FunctionRef) -> dict[str, str]:
    """Return the tags by which a temporary queue says that this process holds the lease."""
    return {**function.all_tags, HOLDER: f"{socket.gethostname()} {os.getpid()}", **seen_now()}


def seen_now() -> dict[str, str]:
    """Return the tag that says that the holder is alive."""
    return {SEEN: str(int(time.time()))}
