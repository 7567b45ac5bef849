"""What stands on AWS now: read in parallel, nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, Protocol, TypeVar

from nbchalice.aws.errors import explain
from nbchalice.aws.passing import read_patiently
from nbchalice.deploy.desired import App
from nbchalice.deploy.inspection import NOTHING, Inspection, Removal, Unclaimed
from nbchalice.deploy.reads import Reads
from nbchalice.errors import NbChaliceError
from nbchalice.resources.base import AWS, TAGS, UNCOMPARED, UNREAD, FunctionRef, Resource, is_denied, is_read
from nbchalice.resources.event_source_mapping import read_mappings
from nbchalice.resources.function import Function
from nbchalice.resources.layer import Layer, layer_of, layers_named
from nbchalice.resources.log_group import LogGroup, app_log_groups, log_group_name
from nbchalice.resources.ownership import NOTEBOOK, is_owned
from nbchalice.resources.permission import (
    Permission,
    is_ours,
    principal_of,
    read_policy,
    source_account_of,
    source_arn_of,
)
from nbchalice.resources.recorded_events import RecordedEvents, records
from nbchalice.resources.role import Role, app_roles, beneath_of
from nbchalice.resources.stored_bundle import StoredBundle, loaded_by, stored_bundles
from nbchalice.resources.versions import published
from nbchalice.sources import SOURCES
from nbchalice.sources.base import Source
from nbchalice.typed import JSON

WORKERS = 64
K = TypeVar("K")
V = TypeVar("V")


class Run(Protocol):
    """Runs calls side by side and returns their results under the same keys."""

    def __call__(self, calls: Mapping[K, Callable[[], V]]) -> dict[K, V]:
        """Raise the first error of a call, explained; the others are not waited for."""


@contextmanager
def parallel() -> Iterator[Run]:
    """Give a function that runs reads side by side, patiently, and returns their results under the same keys."""
    with ThreadPoolExecutor(WORKERS, "nbchalice-read") as pool:

        def run(calls: Mapping[K, Callable[[], V]]) -> dict[K, V]:
            futures = {key: pool.submit(read_patiently, call) for key, call in calls.items()}
            results: dict[K, V] = {}
            try:
                for key, call in calls.items():
                    with _named(call):
                        results[key] = futures[key].result()
            except NbChaliceError:
                for future in futures.values():
                    future.cancel()
                raise
            return results

        yield run


@contextmanager
def _named(call: Callable[[], object]) -> Iterator[None]:
    """Say what was being read when AWS, or the code that asked it, failed."""
    try:
        yield
    except Exception as error:
        owner = getattr(getattr(call, "func", call), "__self__", None)
        if isinstance(owner, Resource):
            raise explain(error, f"reading {owner.kind} {owner.name}", f"{type(owner).__name__}") from None
        if isinstance(owner, Source):
            raise explain(error, f"looking at {owner.title}", f"the event source {owner.name}") from None
        raise explain(error, "reading what stands on AWS") from None


def inspect(
    app: App,
    aws: AWS,
    wanted: Mapping[str, Resource],
    *,
    removal: Removal = NOTHING,
    also: Iterable[str] = (),
    role_paths: Iterable[str] = (),
) -> Inspection:
    """Read what stands of the wanted resources, and what stands of the app's beside them.

    Where nothing is stale, no call waits for more than one other.

    Parameters
    ----------
    app : App
        The app; its registered handlers are not orphans.
    aws : AWS
        Where to look.
    wanted : Mapping[str, Resource]
        What should stand, by key.
    removal : Removal
        What counts as stale, too. Default: nothing.
    also : Iterable[str]
        Names to look for as orphans even where neither role nor log group stands.
    role_paths : Iterable[str]
        What the paths of roles may begin with, beside those of the app's handlers.
    """
    reads = aws if isinstance(aws, Reads) else Reads(aws)
    with parallel() as run:
        return _Inspector(app, reads, wanted, run, {*app.role_paths, *role_paths}).inspect(removal, set(also))


def read_more(inspection: Inspection, wanted: Mapping[str, Resource], aws: AWS) -> None:
    """Read what became known as wanted only after the inspection."""
    with parallel() as run:
        missing = {key: resource for key, resource in wanted.items() if key not in inspection.current}
        inspection.current.update(run({key: partial(resource.read, aws) for key, resource in missing.items()}))


class _Inspector:
    def __init__(
        self, app: App, aws: Reads, wanted: Mapping[str, Resource], run: Run, role_paths: Iterable[str]
    ) -> None:
        self.app, self.aws, self.wanted, self.run, self.beneath = app, aws, wanted, run, role_paths
        self.registered = [handler.name for handler in app.handlers]
        self.inspection = Inspection()
        self.role_paths: dict[str, str] = {}

    def ref(self, handler: str) -> FunctionRef:
        return self.app.ref(self.aws, handler)

    def inspect(self, removal: Removal, also: set[str]) -> Inspection:
        """Read in rounds: what is wanted, then what belongs to orphans, then what is stale."""
        calls: dict[object, Callable[[], Any]] = {
            **{key: partial(resource.read, self.aws) for key, resource in self.wanted.items()},
            **self._footprint_calls(self.registered),
            (1, "roles"): partial(self._if_allowed, self._role_names, "iam:ListRoles", "roles"),
            (1, "groups"): partial(self._if_allowed, self._group_names, "logs:DescribeLogGroups", "log groups"),
            (1, "layers"): partial(self._if_allowed, self._layers, "lambda:ListLayers", "layers"),
        }
        if removal.unused:
            calls[1, "bundles"] = partial(stored_bundles, self.aws, self.ref(""))
        first = self.run(calls)
        roles, groups, layers = set(first[1, "roles"]), set(first[1, "groups"]), first[1, "layers"]
        self.inspection.current = {layer.key: version for layer, version in layers}
        self.inspection.current.update({key: first[key] for key in self.wanted})
        read = [standing for standing in self.inspection.current.values() if isinstance(standing, dict)]
        denied = [standing.get(UNREAD) or standing.get(UNCOMPARED) for standing in read]
        self.inspection.unseen += dict.fromkeys(filter(None, denied))
        self.inspection.orphans = sorted((roles | groups | also) - set(self.registered))
        self._add_footprints(self.registered, first)
        self._add([self._role(name) for name in self.registered if name in roles])
        owned = self._owned(self.inspection.orphans)
        self._read_notebooks()
        going = [name for name in owned if removal.orphan(name, self.inspection.functions.get(name, {}))]
        self._add_footprints(going, self.run(self._footprint_calls(going)))
        for name in going:
            self._add([LogGroup(self.ref(name)), self._role(name), Function(self.ref(name))])
        silent = [handler.name for handler in self.app.handlers if handler.setting("record") is None]
        self._add(self._recorded([*silent, *going]))
        if removal.unused:
            own = [layer for layer, version in layers if not layer.conflicts(version)]
            staying = [*self.registered, *(name for name in owned if name not in going)]
            self._add(self._unused(own, first[1, "bundles"], staying))
        self._read_stale()
        self._read_doubtful_groups()
        return self.inspection

    def _if_allowed(self, look: Callable[[], Iterable[Any]], action: str, what: str) -> list[Any]:
        """Return what is found; who may not look finds nothing, and is told so."""
        try:
            return list(look())
        except Exception as error:
            if not is_denied(error):
                raise
            self.inspection.unseen.append(f"{what} of handlers that are gone were not looked for: AWS denies {action}")
            return []

    def _read_if_allowed(self, resource: Resource) -> Any:
        """Return what stands of a resource that may be stale; who may not look is told so."""
        try:
            return resource.read(self.aws)
        except Exception as error:
            if not is_denied(error):
                raise explain(error, f"reading {resource.kind} {resource.name}") from None
            self.inspection.unseen.append(f"{resource.kind} {resource.name} was not looked for: AWS denies it")
            return None

    def _layers(self) -> list[tuple[Layer, JSON]]:
        return layers_named(self.aws, self.ref(""))

    def _role(self, name: str) -> Role:
        """Return the role of a handler, under the path where it was found or its function has it."""
        function = self.inspection.current.get(Function(self.ref(name)).key) or {}
        beneath = beneath_of(self.ref(name), function.get("Configuration", {}).get("Role", ""))
        return Role(replace(self.ref(name), role_path=self.role_paths.get(name, beneath)))

    def _role_names(self) -> set[str]:
        prefix, names = self.ref("").name, set[str]()
        for beneath in self.beneath:
            for role in app_roles(self.aws, self.app.name, self.app.stage, beneath):
                name = role["RoleName"].removeprefix(prefix)
                self.role_paths[name] = beneath
                names.add(name)
        return names

    def _group_names(self) -> set[str]:
        """Return whose log groups stand; one that another app made has a name that only looks like ours."""
        prefix = log_group_name(self.ref("").name)
        names = [
            group["logGroupName"].removeprefix(prefix)
            for group in app_log_groups(self.aws, self.app.name, self.app.stage)
        ]
        strange = [name for name in names if name not in self.registered]
        with parallel() as run:
            tags = run({name: partial(self._group_tags, name) for name in strange})
        return {n for n in names if n not in tags or is_owned(tags[n], self.app.name, self.app.stage)}

    def _group_tags(self, name: str) -> dict[str, str]:
        group = LogGroup(self.ref(name))
        current = group.read(self.aws)
        return (group.read_tags(self.aws, current) if current else None) or {}

    def _owned(self, names: Iterable[str]) -> list[str]:
        """Return the names without those whose function is another's."""
        functions = {name: Function(self.ref(name)) for name in names}
        standing = self.run({name: partial(function.read, self.aws) for name, function in functions.items()})
        own = []
        for name, function in functions.items():
            current = self.inspection.current[function.key] = standing[name]
            if not (current and function.conflicts(current)):
                own.append(name)
        return own

    def _read_notebooks(self) -> None:
        for name in [*self.registered, *self.inspection.orphans]:
            function = self.inspection.current.get(Function(self.ref(name)).key)
            if function and is_read(function):
                self.inspection.functions[name] = function
            if notebook := (function or {}).get("Tags", {}).get(NOTEBOOK):
                self.inspection.notebooks[name] = notebook

    def _recorded(self, names: Iterable[str]) -> list[RecordedEvents]:
        """Return what functions recorded that are to do so no more."""
        standing = {name: self.inspection.functions.get(name) or {} for name in names}
        return [RecordedEvents(self.ref(name)) for name, function in standing.items() if records(function)]

    def _footprint_calls(self, names: Iterable[str]) -> dict[object, Callable[[], list[JSON]]]:
        functions = {name: self.ref(name).name for name in names}
        calls: dict[object, Callable[[], list[JSON]]] = {}
        for name, function in functions.items():
            calls["policy", name] = partial(read_policy, self.aws, function)
            calls["mappings", name] = partial(read_mappings, self.aws, function)
        return calls

    def _add_footprints(self, names: Iterable[str], results: Mapping[object, list[JSON]]) -> None:
        for name in names:
            policy, mappings = results["policy", name], results["mappings", name]
            strange = [one for one in unclaimed(self.ref(name), policy) if not self._is_wanted(name, one)]
            self.inspection.unclaimed += [
                Unclaimed(name, words_of(one), name not in self.registered) for one in strange
            ]
            self._add(attached(self.ref(name), [one for one in policy if one not in strange], mappings))

    def _is_wanted(self, name: str, statement: JSON) -> bool:
        return Permission(self.ref(name), principal_of(statement), source_arn_of(statement)).key in self.wanted

    def _add(self, resources: Iterable[Resource]) -> None:
        """Note what stands and is not wanted."""
        stale = self.inspection.stale
        for resource in resources:
            if resource.key not in self.wanted:
                stale[resource.key] = stale[resource.key].merge(resource) if resource.key in stale else resource
            elif resource.frees:
                # The same bucket: one put both adds and removes.
                stale[resource.key] = stale[resource.key].merge(resource) if resource.key in stale else resource

    def _unused(self, layers: list[Layer], bundles: list[StoredBundle], staying: list[str]) -> list[Resource]:
        """Return the layers and bundles that no version of a function uses which stays."""
        client = self.aws.client("lambda")
        versions = self.run({name: partial(published, client, self.ref(name).name) for name in staying})
        functions = self.run({name: partial(Function(self.ref(name)).read, self.aws) for name in staying})
        standing = [function["Configuration"] for function in functions.values() if function]
        # Older versions count: a rollback makes one of them run again, with its layer and bundles.
        arns: set[str] = set()
        hashes: set[str] = set()
        for configuration in chain(standing, *versions.values()):
            arns.update(layer_of(layer["Arn"]) for layer in configuration.get("Layers") or [])
            hashes.update(loaded_by(configuration))
        return [
            *(layer for layer in layers if layer.arn not in arns),
            *(bundle for bundle in bundles if bundle.sha256 not in hashes),
        ]

    def _read_stale(self) -> None:
        stale = self.inspection.stale
        calls = {key: partial(self._read_if_allowed, r) for key, r in stale.items() if key not in self.wanted}
        self.inspection.current.update(self.run(calls))
        self.inspection.stale = {key: r for key, r in stale.items() if self.inspection.current.get(key) is not None}

    def _read_doubtful_groups(self) -> None:
        """Read the tags of log groups that are to go, or whose function is missing: they may be another's."""
        current, stale = self.inspection.current, self.inspection.stale
        groups = [resource for resource in {**self.wanted, **stale}.values() if isinstance(resource, LogGroup)]
        doubtful = [
            g
            for g in groups
            if is_read(current[g.key]) and (g.key in stale or not current.get(Function(g.function).key))
        ]
        tags = self.run({g.key: partial(g.read_tags, self.aws, current[g.key]) for g in doubtful})
        for group in doubtful:
            found = tags[group.key]
            current[group.key] = None if found is None else {**current[group.key], TAGS: found}
            if found is None or not is_owned(found, self.app.name, self.app.stage):
                stale.pop(group.key, None)


def unclaimed(ref: FunctionRef, policy: list[JSON]) -> list[JSON]:
    """Return the statements of nbchalice that no installed event source finds anything of its own by."""
    ours = [statement for statement in policy if is_ours(statement) and source_arn_of(statement)]
    return [one for one in ours if not any(source.attached(ref, [one], []) for source in SOURCES.values())]


def words_of(statement: JSON) -> str:
    """Return a statement of a resource policy as a person calls it."""
    return f"the permission of {principal_of(statement)} to invoke it for {source_arn_of(statement)}"


def attached(ref: FunctionRef, policy: list[JSON], mappings: list[JSON]) -> list[Resource]:
    """Return what hangs on a deployed function: what its sources attached, and the permissions for it."""
    ours = [statement for statement in policy if is_ours(statement)]
    if not ours and not mappings:
        return []
    resources: list[Resource] = [
        Permission(ref, principal_of(s), source_arn_of(s), source_account_of(s)) for s in ours if source_arn_of(s)
    ]
    for source in SOURCES.values():
        resources += source.attached(ref, ours, mappings)
    return resources
