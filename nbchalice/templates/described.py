"""What CloudFormation calls each resource of an app, and its properties there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch

from nbchalice.resources.base import OfTheUser, Resource
from nbchalice.resources.bucket import BucketEvents, BucketNotifications
from nbchalice.resources.destination import Destination
from nbchalice.resources.event_source_mapping import DEFAULTS, EventSourceMapping
from nbchalice.resources.function import Function
from nbchalice.resources.function_url import AUTH_TYPES, FunctionUrl, UrlPermission
from nbchalice.resources.layer import Layer
from nbchalice.resources.log_group import LogGroup
from nbchalice.resources.ownership import as_list
from nbchalice.resources.permission import Permission
from nbchalice.resources.queue import RedrivePolicy
from nbchalice.resources.role import POLICY_NAME, Role, RoleOfOurs
from nbchalice.resources.rule import Rule
from nbchalice.resources.runtime_management import RuntimeManagement
from nbchalice.resources.schedule import SchedulerRole, SchedulerSchedule
from nbchalice.resources.stored_bundle import StoredBundle
from nbchalice.resources.topic import Subscription, region_of
from nbchalice.resources.upload_bucket import UploadBucket
from nbchalice.templates.kinds import Kind
from nbchalice.templates.places import CODE_BUCKET, CODE_PREFIX, REGION
from nbchalice.typed import JSON

# What CloudFormation calls otherwise than Lambda's API.
RENAMED = {"KMSKeyArn": "KmsKeyArn"}
# Settings that are sent empty to clear what stands; nothing stands in a new stack.
CLEARED: tuple[object, ...] = ({"TargetArn": ""}, {"SubnetIds": [], "SecurityGroupIds": []}, {"Variables": {}}, [])


@dataclass(frozen=True)
class Part:
    """One resource of a template.

    Parameters
    ----------
    kind : Kind
        What the formats call it.
    properties : JSON
        Its properties, with stand-ins in their texts.
    suffix : str
        What its name in the template ends with, after the handler's: ``Function``.
    own : str
        Which text of others it stands for: a function's name.
    arn : str
        The ARN that others know it by.
    files : Mapping[str, bytes]
        What is uploaded for it, by file name.
    of_trigger : bool
        Whether a handler may have more than one.
    """

    kind: Kind
    properties: JSON
    suffix: str
    own: str = ""
    arn: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    of_trigger: bool = False


@singledispatch
def described(resource: Resource) -> Part | None:
    """Return a resource as CloudFormation takes it, or None for one that no template makes."""
    raise AssertionError(f"templates know nothing of a {resource.kind}")


@described.register(OfTheUser)
@described.register(UploadBucket)
@described.register(StoredBundle)
@described.register(BucketEvents)
@described.register(BucketNotifications)
@described.register(RedrivePolicy)
@described.register(RuntimeManagement)
def _(resource: Resource) -> None:
    """The user's own, what is uploaded beside the zips, what `attachments` describes, and what is a function's."""


def stored(name: str, content: bytes) -> tuple[JSON, str]:
    """Return where CloudFormation finds an uploaded file, and the file's name, which tells what is in it."""
    digest = hashlib.sha256(content).hexdigest()
    stem, _, ending = name.partition(".")
    file = f"{stem}-{digest[:16]}.{ending}"
    key = {"Fn::Sub": f"${{{CODE_PREFIX}}}{file}"}
    return {"S3Bucket": {"Ref": CODE_BUCKET}, "S3Key": key}, file


@described.register
def _(resource: LogGroup) -> Part:
    properties = {
        "LogGroupName": resource.name,
        "RetentionInDays": resource.retention,
        "KmsKeyId": resource.kms_key,
        "LogGroupClass": resource.log_class,
        "Tags": _labels(resource.function.labels),
    }
    return Part(Kind.LOG_GROUP, _given(properties), "LogGroup")


@described.register
def _(resource: Role) -> Part:
    return _role(resource, resource.policy(), "Role", resource.arn)


@described.register
def _(resource: SchedulerRole) -> Part:
    return replace(_role(resource, resource.policy(), "SchedulerRole", resource.arn), of_trigger=True)


def _role(resource: RoleOfOurs, policy: JSON, suffix: str, arn: str) -> Part:
    """Return a role; CloudFormation gives it a name, so that `deploy` does not take it for its own."""
    function = resource.function
    properties = {
        "Path": function.role_path if function.role_path != "/" else "",
        "AssumeRolePolicyDocument": resource.trust(),
        "PermissionsBoundary": function.boundary,
        "Policies": [{"PolicyName": POLICY_NAME, "PolicyDocument": policy}],
        "Tags": _labels(function.labels),
    }
    return Part(Kind.ROLE, _given(properties), suffix, arn=arn)


@described.register
def _(resource: Layer) -> Part:
    assert resource.package is not None
    content = resource.package.read()
    place, file = stored("layer.zip", content)
    properties: JSON = {
        "LayerName": resource.name,
        "Description": f"dependencies, Python {resource.python}, by nbchalice",
        "Content": place,
        "CompatibleRuntimes": [f"python{resource.python}"],
        "CompatibleArchitectures": [resource.arch],
    }
    return Part(Kind.LAYER, properties, "Layer", own=resource.arn, files={file: content})


@described.register
def _(resource: Function) -> Part:
    place, file = stored(f"{resource.function.handler}.zip", resource.zip)
    files = {file: resource.zip, **{one.sha256: _read(one) for one in resource.bundles}}
    given = {RENAMED.get(name, name): value for name, value in resource.config.items() if value not in CLEARED}
    layers = [*([resource.layer.arn] if resource.layer else []), *resource.config.get("Layers", [])]
    properties: JSON = {
        "FunctionName": resource.name,
        "Code": place,
        "Role": resource.role_arn,
        "Architectures": [resource.arch],
        **given,
        "Layers": layers,
        "CodeSigningConfigArn": resource.code_signing,
        "ReservedConcurrentExecutions": resource.reserved_concurrency,
        "Tags": as_list(resource.tags),
    }
    return Part(Kind.FUNCTION, _given(properties), "Function", own=resource.name, arn=resource.arn, files=files)


def _read(bundle: StoredBundle) -> bytes:
    assert bundle.content is not None
    with bundle.content.open() as file:
        return file.read()


@described.register
def _(resource: Destination) -> Part | None:
    failure = {"OnFailure": {"Destination": resource.on_failure}} if resource.on_failure else {}
    limits = {"MaximumRetryAttempts": resource.retries, "MaximumEventAgeInSeconds": resource.max_age}
    given = _given({**limits, "DestinationConfig": failure})
    if not given:
        return None
    properties = {"FunctionName": resource.function.name, "Qualifier": "$LATEST", **given}
    return Part(Kind.INVOKE_CONFIG, properties, "EventInvokeConfig")


@described.register
def _(resource: EventSourceMapping) -> Part:
    settings = {name: value for name, value in resource.wanted().items() if value != DEFAULTS.get(name)}
    properties = {
        "FunctionName": resource.function.name,
        "EventSourceArn": resource.source_arn,
        **settings,
        "StartingPosition": resource.starting_position,
        "StartingPositionTimestamp": resource.starting_timestamp,
        "Tags": _labels(resource.function.labels),
    }
    return Part(Kind.MAPPING, _given(properties), "Mapping", of_trigger=True)


@described.register
def _(resource: Permission) -> Part:
    properties = {
        "FunctionName": resource.function.name,
        "Action": "lambda:InvokeFunction",
        "Principal": resource.principal,
        "SourceArn": resource.source_arn,
        "SourceAccount": resource.source_account,
    }
    return Part(Kind.PERMISSION, _given(properties), "Permission", of_trigger=True)


@described.register
def _(resource: Subscription) -> Part:
    redrive = {"deadLetterTargetArn": resource.redrive_dlq} if resource.redrive_dlq else {}
    region = region_of(resource.topic_arn)
    properties = {
        "TopicArn": resource.topic_arn,
        "Protocol": "lambda",
        "Endpoint": resource.function.arn,
        "FilterPolicy": json.loads(resource.filter_policy or "{}"),
        "FilterPolicyScope": resource.filter_scope if resource.filter_policy else "",
        "RedrivePolicy": redrive,
        "Region": region if region != REGION else "",
    }
    return Part(Kind.SUBSCRIPTION, _given(properties), "Subscription", of_trigger=True)


@described.register
def _(resource: Rule) -> Part:
    properties = {
        "Name": resource.function.event_name,
        "EventBusName": resource.bus,
        "Description": resource.description,
        "ScheduleExpression": resource.expression,
        "EventPattern": json.loads(resource.pattern or "{}"),
        "State": resource.state(),
        "Targets": [dict(resource.target())],
        "Tags": _labels(resource.function.labels),
    }
    return Part(Kind.RULE, _given(properties), "Rule", of_trigger=True)


@described.register
def _(resource: SchedulerSchedule) -> Part:
    return Part(Kind.SCHEDULE, _given({"Name": resource.name, **resource.wanted()}), "Schedule", of_trigger=True)


@described.register
def _(resource: FunctionUrl) -> Part:
    properties = {"TargetFunctionArn": resource.function.arn, "AuthType": AUTH_TYPES[resource.access]}
    return Part(Kind.URL, properties, "Url")


@described.register
def _(resource: UrlPermission) -> Part:
    properties = {
        "FunctionName": resource.function.name,
        "Action": resource.action,
        "Principal": resource.principal,
        **resource.condition(),
    }
    return Part(Kind.PERMISSION, properties, "UrlPermission", of_trigger=True)


def _labels(labels: tuple[tuple[str, str], ...]) -> list[Mapping[str, str]]:
    return list(as_list(dict(labels)))


def _given(properties: JSON) -> JSON:
    """Return the properties that say something."""
    return {name: value for name, value in properties.items() if value is not None and value not in ("", {}, [])}
