"""What stands on AWS now: read in parallel, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nbchalice.aws.errors import explain
from nbchalice.deploy.desired import App
from nbchalice.deploy.function import Function, LogGroup, Role, log_group_name, role_path
from nbchalice.sources import SOURCES
from nbchalice.sources.base import AWS, JSON, OWNER_PREFIX, FunctionRef, Resource, or_missing
from nbchalice.sources.permission import (
    Permission,
    is_ours,
    principal_of,
    read_policy,
    source_account_of,
    source_arn_of,
)

WORKERS = 32


@dataclass
class Inspection:
    """What was found.

    Parameters
    ----------
    current: what stands of each resource that was read, by key; None where it is missing.
    stale: what stands and should not, by key.
    orphans: names of handlers that stand and are not registered.
    """

    current: dict[str, Any] = field(default_factory=dict)
    stale: dict[str, Resource] = field(default_factory=dict)
    orphans: list[str] = field(default_factory=list)


@contextmanager
def parallel() -> Iterator[Callable[[Mapping[Any, Callable[[], Any]]], dict[Any, Any]]]:
    """Give a function that runs calls side by side and returns their results under the same keys."""
    with ThreadPoolExecutor(WORKERS, "nbchalice-read") as pool:

        def run(calls: Mapping[Any, Callable[[], Any]]) -> dict[Any, Any]:
            futures = {key: pool.submit(call) for key, call in calls.items()}
            try:
                return {key: future.result() for key, future in futures.items()}
            except Exception as error:
                raise explain(error, "reading what stands on AWS") from None

        yield run


def inspect(
    app: App, aws: AWS, wanted: Mapping[str, Resource], *, orphans: bool = False, also: Iterable[str] = ()
) -> Inspection:
    """Read what stands of the wanted resources, and what stands of the app's beside them.

    Two rounds of calls at the most where nothing is stale.

    Parameters
    ----------
    app: the app; its registered handlers are not orphans.
    aws: where to look.
    wanted: what should stand, by key.
    orphans: whether what belongs to orphans counts as stale.
    also: names to look for as orphans even where neither role nor log group stands.
    """
    found = Inspection()
    registered = {handler.name for handler in app.handlers}
    with parallel() as run:
        first: dict[Any, Callable[[], Any]] = {key: _reader(resource, aws) for key, resource in wanted.items()}
        first[1] = lambda: deployed_names(app, aws)
        first.update({("footprint", n): _footprint_reader(app.ref(aws, n), aws) for n in registered})
        results = run(first)
        found.orphans = sorted((results.pop(1) | set(also)) - registered)
        footprints = {app.ref(aws, n): results.pop(("footprint", n)) for n in registered}
        found.current = results
        if orphans and found.orphans:
            refs = [app.ref(aws, name) for name in found.orphans]
            more = run({ref: _footprint_reader(ref, aws) for ref in refs})
            footprints.update(more)
            own = [resource for ref in refs for resource in (LogGroup(ref), Role(ref), Function(ref))]
            found.stale.update({resource.key: resource for resource in own})
        for ref, (policy, mappings) in footprints.items():
            _add_stale(found.stale, wanted, attached(ref, policy, mappings))
        found.current.update(run({key: _reader(r, aws) for key, r in found.stale.items() if key not in wanted}))
    found.stale = {key: r for key, r in found.stale.items() if found.current.get(key) is not None}
    return found


def _reader(resource: Resource, aws: AWS) -> Callable[[], Any]:
    return lambda: resource.read(aws)


def _footprint_reader(ref: FunctionRef, aws: AWS) -> Callable[[], tuple[list[JSON], list[JSON]]]:
    return lambda: (read_policy(aws, ref.name), read_mappings(aws, ref.name))


def read_mappings(aws: AWS, function_name: str) -> list[JSON]:
    """Return the event source mappings of a function."""
    found: list[JSON] = []
    with or_missing():
        pages = aws.client("lambda").get_paginator("list_event_source_mappings").paginate(FunctionName=function_name)
        for page in pages:
            found += [m for m in page["EventSourceMappings"] if m.get("State") != "Deleting"]
    return found


def attached(ref: FunctionRef, policy: list[JSON], mappings: list[JSON]) -> list[Resource]:
    """Return what hangs on a deployed function: what its sources attached, and the permissions for it."""
    ours = [statement for statement in policy if is_ours(statement)]
    found: list[Resource] = [
        Permission(ref, principal_of(s), source_arn_of(s), source_account_of(s)) for s in ours if source_arn_of(s)
    ]
    for source in SOURCES.values():
        found += source.attached(ref, ours, mappings)
    return found


def _add_stale(stale: dict[str, Resource], wanted: Mapping[str, Resource], resources: Iterable[Resource]) -> None:
    for resource in resources:
        if resource.key not in wanted:
            stale[resource.key] = stale[resource.key].merge(resource) if resource.key in stale else resource
        elif resource.frees:
            # The same bucket: one put both adds and removes.
            stale[resource.key] = resource


def deployed_names(app: App, aws: AWS) -> set[str]:
    """Return the names of the app's handlers that stand, found by the roles' path and the log groups' tags."""
    with parallel() as run:
        results = run({"roles": lambda: _role_names(app, aws), "groups": lambda: _log_group_names(app, aws)})
    names: set[str] = results["roles"] | results["groups"]
    return names


def _role_names(app: App, aws: AWS) -> set[str]:
    prefix = f"{app.name}-{app.stage}-"
    pages = aws.client("iam").get_paginator("list_roles").paginate(PathPrefix=role_path(app.name, app.stage))
    return {role["RoleName"].removeprefix(prefix) for page in pages for role in page["Roles"]}


def _log_group_names(app: App, aws: AWS) -> set[str]:
    client = aws.client("logs")
    prefix = log_group_name(f"{app.name}-{app.stage}-")
    found = set()
    registered = {handler.name for handler in app.handlers}
    for page in client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
        for group in page["logGroups"]:
            name = group["logGroupName"].removeprefix(prefix)
            if name in registered or _is_owned(app, client, group):
                found.add(name)
    return found


def _is_owned(app: App, client: Any, group: JSON) -> bool:
    tags = client.list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
    return (tags.get(f"{OWNER_PREFIX}:app"), tags.get(f"{OWNER_PREFIX}:stage")) == (app.name, app.stage)
