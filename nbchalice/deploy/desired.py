"""What should stand on AWS for an app."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path

from nbchalice.deploy.package import Package
from nbchalice.errors import InvalidInputError, NbChaliceError
from nbchalice.handlers import Handler, Standing, Unread
from nbchalice.resources.base import AWS, FunctionRef, Resource
from nbchalice.resources.destination import Destination, permissions_to
from nbchalice.resources.function import LAMBDA_HANDLER, Function
from nbchalice.resources.layer import Layer
from nbchalice.resources.log_group import LogGroup, SharedLogGroup
from nbchalice.resources.ownership import CELL, OWNER, notebook_tag
from nbchalice.resources.queue import Queue, QueueRef
from nbchalice.resources.recorded_events import Recording
from nbchalice.resources.role import Role
from nbchalice.resources.runtime_management import RuntimeManagement
from nbchalice.resources.stored_bundle import StoredBundle, location_of
from nbchalice.resources.upload_bucket import UploadBucket
from nbchalice.sources.base import Source
from nbchalice.typed import JSON

# Lambda: AWSLambdaVPCAccessExecutionRole.
VPC_ACTIONS = (
    "CreateNetworkInterface", "DescribeNetworkInterfaces", "DescribeSubnets", "DeleteNetworkInterface",
    "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses",
)  # fmt: skip


@dataclass(frozen=True)
class App:
    """The handlers of one notebook, at one stage.

    Parameters
    ----------
    name : str
        The app's name.
    stage : str
        For example ``dev``.
    handlers : tuple[Handler, ...]
        The registered handlers.
    folder : Path
        The notebook's folder, for files that settings name.
    notebook : str
        The notebook's file name, or empty where it is unknown.
    problems : tuple[NbChaliceError, ...]
        What is wrong with the notebook's handlers beside each other.
    unread : tuple[Unread, ...]
        What may be a handler; nothing that may be its own counts as an orphan.
    standing : tuple[Standing, ...]
        What stands in the notebook's file and is not registered: no orphan either.
    saved_at : float or None
        Seconds since 1970 when the notebook of a kernel was saved last, or None.
    is_named : bool
        Whether the name was given, and is not only that of the file.
    owners : tuple[str, ...]
        Who deploys; the first is noted with what is deployed. Empty where that is not asked, as on the local AWS.
    takes_over : bool
        Whether what others deployed is replaced.
    cells : frozenset[str]
        The ids of the notebook's cells, as Jupyter gave them.
    origins : Mapping[str, str]
        For each handler whose cell has such an id, that id.
    others : frozenset[str]
        The handlers that stand and were deployed by others.
    """

    name: str
    stage: str
    handlers: tuple[Handler, ...]
    folder: Path = Path()
    notebook: str = ""
    problems: tuple[NbChaliceError, ...] = ()
    unread: tuple[Unread, ...] = ()
    standing: tuple[Standing, ...] = ()
    saved_at: float | None = None
    is_named: bool = True
    owners: tuple[str, ...] = ()
    takes_over: bool = False
    cells: frozenset[str] = frozenset()
    origins: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[str] = frozenset()

    def why_stays(self, name: str) -> str | None:
        """Return how a handler that is not registered stands in the notebook's file, or None where it does not."""
        certain = [one.why for one in self.standing if one.names and name in one.names]
        return next(iter([*certain, *(one.why for one in self.standing if one.may_be(name))]), None)

    def may_have(self, name: str) -> bool:
        """Tell whether the notebook may have a handler of a name that was not read."""
        return any(one.may_be(name) for one in self.unread)

    def marks(self, handler: str) -> dict[str, str]:
        """Return the tags that tell where a function comes from; what is somebody else's keeps its own."""
        if handler in self.others and not self.takes_over:
            return {}
        cell = {CELL: self.origins[handler]} if self.owners and handler in self.origins else {}
        return {**notebook_tag(self.notebook), **({OWNER: self.owners[0]} if self.owners else {}), **cell}

    @property
    def role_paths(self) -> set[str]:
        """What the paths of the handlers' roles begin with."""
        return {"/", *(str(handler.setting("role_path")) for handler in self.handlers)}

    def ref(self, aws: AWS, handler: str, timeout: int = 60) -> FunctionRef:
        """Return the names of a handler on AWS."""
        return FunctionRef(self.name, self.stage, handler, aws.region, aws.account, aws.partition, timeout)


def desired(
    app: App,
    packages: Mapping[str, Package],
    aws: AWS,
    timeouts: Mapping[str, int] | None = None,
    besides: Mapping[str, list[JSON]] | None = None,
) -> dict[str, Resource]:
    """Return what should stand, by key.

    Parameters
    ----------
    app : App
        The handlers.
    packages : Mapping[str, Package]
        Each handler's code, by the handler's name.
    aws : AWS
        where.
    timeouts : Mapping[str, int] or None
        Seconds, for the handlers whose timeout is not their own setting.
    besides : Mapping[str, list[JSON]] or None
        Statements that a handler's role needs besides, by the handler's name: those of keys.
    """
    resources: list[Resource] = []
    for handler in app.handlers:
        timeout = (timeouts or {}).get(handler.name, handler.setting("timeout"))
        ref, more = app.ref(aws, handler.name, timeout), (besides or {}).get(handler.name, [])
        resources += resources_of(handler, app, ref, packages[handler.name], aws, more=more)
    return merged(resources)


def merged(resources: Iterable[Resource]) -> dict[str, Resource]:
    """Return the resources by key, those with the same key as one."""
    groups: dict[str, list[Resource]] = {}
    for resource in resources:
        groups.setdefault(resource.key, []).append(resource)
    return {key: reduce(lambda one, other: one.merge(other), group) for key, group in groups.items()}


def resources_of(
    handler: Handler, app: App, ref: FunctionRef, package: Package, aws: AWS, *, more: list[JSON]
) -> list[Resource]:
    """Return what should stand for one handler: log group, role, layer, function and what its sources add."""
    arch = handler.setting("arch")
    ref = with_settings(ref, handler)
    resources = log_groups(handler, ref, aws)
    layer = Layer.of(package.layer, ref, package.python, arch) if package.layer else None
    bundles = [StoredBundle.of(content, ref) for content in package.stored]
    role_arn = handler.setting("role")
    if role_arn is None:
        besides = json.dumps([*statements(handler, app, ref), *more], sort_keys=True)
        role = Role(ref, besides, frozenset(bundle.arn for bundle in bundles))
        resources.append(role)
        role_arn = role.arn
    function = Function(
        ref,
        role_arn,
        package.zip,
        package.code_sha256,
        function_config(handler, ref, package, bundles),
        arch,
        {**(handler.setting("tag") or {}), **app.marks(handler.name)},
        handler.setting("reserved_concurrency"),
        layer,
        tuple(bundles),
        package.does,
        handler.setting("code_signing") or "",
    )
    failures = target_arn(handler.setting("on_failure"), ref)
    own_way = Destination(ref, failures, handler.setting("retries"), handler.setting("max_age"))
    resources += [function, *bundles, own_way]
    if updates := handler.setting("runtime_management"):
        resources.append(RuntimeManagement(ref, updates))
    if layer:
        resources.append(layer)
    if function.is_large or (layer and layer.is_large) or bundles or recording_of(handler, ref):
        resources.append(UploadBucket(ref.account, ref.region, ref.partition, ref.labels))
    for source, options, own in triggers(handler, ref):
        if not is_made(source, aws):
            continue
        resources += source.resources(options, own)
        if aws.local:
            resources += source.local_resources(options, own)
    return [*resources, *(queues_of(handler, ref) if aws.local else [])]


def log_groups(handler: Handler, ref: FunctionRef, aws: AWS) -> list[Resource]:
    """Return the log group of a handler's function; one of the user's is made on the local AWS only."""
    if ref.log_group:
        return [SharedLogGroup(ref)] if aws.local else []
    key, kind = handler.setting("log_kms_key"), handler.setting("log_class")
    return [LogGroup(ref, handler.setting("log_retention"), key or "", kind or "")]


def with_settings(ref: FunctionRef, handler: Handler) -> FunctionRef:
    """Return a handler's names with what its settings say of everything that is made for it."""
    return replace(
        ref,
        dlq=target_arn(handler.setting("dlq"), ref),
        role=handler.setting("role") or "",
        role_path=handler.setting("role_path"),
        boundary=handler.setting("permissions_boundary") or "",
        trusted=tuple(sorted(handler.setting("trust") or ())),
        labels=tuple(sorted((handler.setting("tag") or {}).items())),
        log_group=handler.setting("log_group") or "",
    )


def is_made(source: Source, aws: AWS) -> bool:
    """Whether a deploy makes the trigger: not where it goes to the local AWS, which does not have the service."""
    return source.on_local_aws or not aws.local


def targets(handler: Handler, ref: FunctionRef) -> list[str]:
    """Return the ARNs that failed events go to: those of `--dlq` and `--on-failure`."""
    return [arn for name in ("dlq", "on_failure") if (arn := target_arn(handler.setting(name), ref))]


def queues_of(handler: Handler, ref: FunctionRef) -> list[Queue]:
    """Return the queues of `--dlq` and `--on-failure`, which the local AWS is to create where they are missing."""
    return [Queue(QueueRef.parse(arn, ref)) for arn in targets(handler, ref) if ":sqs:" in arn]


def triggers(handler: Handler, ref: FunctionRef) -> list[tuple[Source, JSON, FunctionRef]]:
    """Return each trigger's source, options and names; rules and schedules of one function are numbered."""
    numbered = []
    number = 0
    for source, options in handler.sources():
        is_numbered = source.is_numbered(options)
        number += is_numbered
        numbered.append((source, options, replace(ref, number=number) if is_numbered else ref))
    return numbered


def dead_letters(handler: Handler, ref: FunctionRef) -> str:
    """Return the ARN that the function's asynchronous events go to when they failed for good, or an empty text."""
    asynchronous = any(source.asynchronous for source, _ in handler.sources())
    return target_arn(handler.setting("dlq"), ref) if asynchronous else ""


def function_config(handler: Handler, ref: FunctionRef, package: Package, bundles: list[StoredBundle]) -> JSON:
    """Return the settings as CreateFunction and UpdateFunctionConfiguration take them."""
    key, recording = handler.setting("kms_key"), recording_of(handler, ref)
    recorded = recording.variables if recording else {}
    return {
        **({"KMSKeyArn": key} if key else {}),
        "Runtime": f"python{package.python}",
        "Handler": LAMBDA_HANDLER,
        "Description": f"{ref.handler} of {ref.app} ({ref.stage}), from a notebook by nbchalice",
        "Timeout": ref.timeout,
        "MemorySize": handler.setting("memory"),
        "Environment": {"Variables": {**(handler.setting("env") or {}), **location_of(bundles), **recorded}},
        "Layers": list(handler.setting("layer") or []),
        "DeadLetterConfig": {"TargetArn": dead_letters(handler, ref)},
        "EphemeralStorage": {"Size": storage(handler, package)},
        "TracingConfig": {"Mode": "Active" if handler.setting("tracing") else "PassThrough"},
        "LoggingConfig": {
            "LogFormat": "JSON" if handler.setting("json_logs") else "Text",
            **({"LogGroup": ref.log_group} if ref.log_group else {}),
        },
        "VpcConfig": {
            "SubnetIds": list(handler.setting("subnet") or []),
            "SecurityGroupIds": list(handler.setting("security_group") or []),
        },
    }


def recording_of(handler: Handler, ref: FunctionRef) -> Recording | None:
    """Return how the function keeps its events, or None where it does not."""
    most = handler.setting("record")
    fields = tuple(handler.setting("redact") or ())
    return Recording(ref, most, fields, handler.setting("kms_key") or "") if most is not None else None


def storage(handler: Handler, package: Package) -> int:
    """Return the MB of /tmp: what the handler asks for, beside the archive of its dependencies."""
    return int(handler.setting("ephemeral_storage")) + (package.archive.megabytes if package.archive else 0)


def target_arn(target: str | None, ref: FunctionRef) -> str:
    """Return the ARN of what is given by ARN, or as a queue's name or URL; empty for nothing."""
    if not target or target.startswith("arn:"):
        return target or ""
    return QueueRef.parse(target, ref).arn


def statements(handler: Handler, app: App, ref: FunctionRef) -> list[JSON]:
    """Return what the role may do beside writing its logs: what triggers need, `--allow`, `--policy` and `--dlq`."""
    allowed: list[JSON] = []
    targets = {dead_letters(handler, ref), target_arn(handler.setting("on_failure"), ref)}
    for source, options, own in triggers(handler, ref):
        allowed += source.statements(options, own)
        targets.add(source.failure_target(options, own))
    for action, arn in handler.setting("allow") or []:
        allowed.append({"Effect": "Allow", "Action": action, "Resource": arn})
    for arn in sorted(filter(None, targets)):
        allowed += permissions_to(arn)
    recording = recording_of(handler, ref)
    allowed += [*platform_statements(handler), *(recording.statements if recording else [])]
    if policy := handler.setting("policy"):
        allowed += policy_file(app.folder / policy, handler)
    return allowed


def platform_statements(handler: Handler) -> list[JSON]:
    """Return what Lambda itself does with the role (Lambda: AWS managed policies for Lambda features)."""
    allowed: list[JSON] = []
    if handler.setting("tracing"):
        actions = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
        allowed.append({"Effect": "Allow", "Action": actions, "Resource": "*"})
    if handler.setting("subnet"):
        actions = [f"ec2:{action}" for action in VPC_ACTIONS]
        allowed.append({"Effect": "Allow", "Action": actions, "Resource": "*"})
    return allowed


def policy_file(path: Path, handler: Handler) -> list[JSON]:
    """Return the statements of a policy document.

    Raises
    ------
    InvalidInputError
        The file cannot be read, or is not a policy document.
    """
    try:
        document = json.loads(path.read_text())
        listed = document["Statement"]
        return list(listed) if isinstance(listed, list) else [listed]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else getattr(error, "strerror", None) or error
        raise InvalidInputError(
            f"handler {handler.name}: --policy {path} cannot be used: {why}",
            'the file must be a policy document: {"Version": "2012-10-17", "Statement": [...]}',
            handler.location,
        ) from None
