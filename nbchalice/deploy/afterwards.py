"""What a deploy does once its plan was carried out: wait for what AWS goes on making, and tell where it is reached."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from nbchalice.deploy.execute import Progress, quiet
from nbchalice.deploy.inspect import parallel
from nbchalice.deploy.plan import Change, Plan
from nbchalice.deploy.reads import Reads
from nbchalice.errors import AWSError, Interrupted
from nbchalice.polling import Pace, poll
from nbchalice.resources.base import AWS, Resource, is_read

# Lambda makes an event source mapping within a minute, as a rule.
READY_WITHIN = 60.0


def until_ready(planned: Plan, aws: AWS, progress: Progress = quiet, patience: float = READY_WITHIN) -> list[str]:
    """Wait until what was made or changed is at work; return what is not yet, and what may be lost until it is.

    Parameters
    ----------
    planned : Plan
        What was done.
    aws : AWS
        Where to look.
    progress : Progress
        Called with ``waiting`` for what is waited for, and with ``done`` when it is ready.
    patience : float
        Seconds to wait in all.

    Raises
    ------
    Interrupted
        The user did not want to wait.
    """
    made = [change for change in planned.changes if change.action != "delete" and change.resource.settles]
    left = {change.key: change for change in made}
    current: dict[str, object] = {}

    def ready() -> bool:
        first = not current
        current.update(_standing(left, aws))
        for key, change in list(left.items()):
            if not is_read(current[key]) or change.resource.is_ready(current[key]):
                del left[key]
                if not first:
                    progress(change, "done")
            elif first:
                progress(change, "waiting")
        return not left

    try:
        poll(ready, time.monotonic() + patience, Pace(0.2, 5.0))
    except KeyboardInterrupt:
        names = ", ".join(f"{change.resource.kind} {change.resource.name}" for change in left.values())
        text = f"all was deployed; it was not waited until AWS has made {names}"
        raise Interrupted(text, "%chalice plan tells when it is ready") from None
    except AWSError as error:
        return [f"it was not looked whether all is at work: {error.message}"]
    return not_ready([change.resource for change in left.values()], current)


def addresses(resources: Iterable[Resource], aws: AWS) -> list[str]:
    """Return where people reach what stands."""
    named = {one.key: one for one in resources if one.has_address}
    with parallel() as run:
        current = run({key: partial(one.read, aws) for key, one in named.items()})
    # It looks like an address of AWS, where somebody else may answer.
    where = "; the local AWS serves nothing there" if aws.local else ""
    return [f"{one.address(current[key])}{where}" for key, one in named.items() if current[key]]


def not_ready(resources: Iterable[Resource], current: Mapping[str, object]) -> list[str]:
    """Return what AWS still makes of some resources, as they were read."""
    standing = [(one, current.get(one.key)) for one in resources if one.settles]
    return [one.delays(now) for one, now in standing if is_read(now) and not one.is_ready(now)]


def _standing(changes: Mapping[str, Change], aws: AWS) -> dict[str, object]:
    reads = Reads(aws, known=True)
    with parallel() as run:
        calls: dict[str, Callable[[], object]] = {
            key: partial(change.resource.read, reads) for key, change in changes.items()
        }
        return run(calls)
