"""What a template attaches to buckets and queues that its stack did not make.

CloudFormation gives notifications and redrive policies to buckets and queues of its own stack only; for others it takes
a function that does what a template cannot say (CloudFormation: "Lambda-backed custom resources").
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import cast

from nbchalice.resources.base import FunctionRef, Resource
from nbchalice.resources.bucket import BucketEvents, BucketNotifications
from nbchalice.resources.function import Function
from nbchalice.resources.log_group import LogGroup
from nbchalice.resources.ownership import as_list
from nbchalice.resources.queue import RedrivePolicy
from nbchalice.resources.role import Role
from nbchalice.templates import attach
from nbchalice.templates.described import described
from nbchalice.templates.kinds import Kind
from nbchalice.templates.places import ACCOUNT, APP, PARTITION, REGION, STAGE, filled
from nbchalice.typed import JSON

OWN = FunctionRef(APP, STAGE, "attach", REGION, ACCOUNT, PARTITION)
DAYS = 7


@dataclass(frozen=True)
class Attachments:
    """What a template has for things that are not of its stack.

    Parameters
    ----------
    resources : JSON
        The resources, by their names in the template.
    names : Mapping[str, str]
        Which of them does what a resource of a deploy does, by its key.
    """

    resources: JSON = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def attachments(wanted: Mapping[str, Resource], names: Mapping[str, str], python: str) -> Attachments:
    """Return what keeps our entries on buckets, lets EventBridge know of them, and gives queues their dead letters.

    Parameters
    ----------
    wanted : Mapping[str, Resource]
        What should stand, by key.
    names : Mapping[str, str]
        What the template calls it, by key.
    python : str
        The version with which that runs.
    """
    things: dict[str, dict[str, Resource]] = {}
    for key, resource in wanted.items():
        if name := _attached_to(resource):
            things.setdefault(name, {})[key] = resource
    if not things:
        return Attachments()
    functions = {one.arn: names[key] for key, one in wanted.items() if isinstance(one, Function)}
    known: dict[str, JSON] = {arn: {"Fn::GetAtt": [name, "Arn"]} for arn, name in functions.items()}
    made = cast("JSON", filled(_function(things, python, replace(OWN, labels=_labels(wanted))), {}))
    own: dict[str, str] = {}
    for thing, resources in things.items():
        of_queue = thing.startswith("arn:")
        kind = Kind.REDRIVE_POLICY if of_queue else Kind.BUCKET_EVENTS
        name = f"{kind.cloudformation.partition('::')[2]}{hashlib.sha256(thing.encode()).hexdigest()[:8]}"
        own |= dict.fromkeys(resources, name)
        needs = chain.from_iterable(each.needs for each in resources.values())
        waits = sorted({names[need] for need in needs if need in names})
        told = _redrive(list(resources.values())) if of_queue else _of_bucket(thing, list(resources.values()))
        made[name] = {
            "Type": kind.cloudformation,
            **({"DependsOn": waits} if waits else {}),
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["AttachFunction", "Arn"]},
                **cast("JSON", filled(told, known)),
            },
        }
    return Attachments(made, own)


def _attached_to(resource: Resource) -> str:
    """Return the bucket's name, or the queue's ARN; an empty text for what is attached to neither."""
    if isinstance(resource, BucketNotifications | BucketEvents):
        return resource.bucket
    return resource.queue.arn if isinstance(resource, RedrivePolicy) else ""


def _redrive(resources: list[Resource]) -> JSON:
    (policy,) = (one for one in resources if isinstance(one, RedrivePolicy))
    return {"Queue": policy.queue.arn, "DeadLetterQueue": policy.dlq, "Tries": policy.tries}


def _of_bucket(bucket: str, resources: list[Resource]) -> JSON:
    entries: list[JSON] = []
    for each in resources:
        entries += [one.entry() for one in each.notifications] if isinstance(each, BucketNotifications) else []
    told = any(isinstance(each, BucketEvents) for each in resources)
    return {"Bucket": bucket, "Account": ACCOUNT, "Entries": entries, **({"TellsEventBridge": "true"} if told else {})}


def _may(things: Mapping[str, Mapping[str, Resource]]) -> list[JSON]:
    """Return what the function may do with the buckets and queues."""
    allowed = {
        ("s3:GetBucketNotification", "s3:PutBucketNotification"): [
            f"arn:{PARTITION}:s3:::{one}" for one in sorted(things) if not one.startswith("arn:")
        ],
        ("sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:SetQueueAttributes"): [
            one for one in sorted(things) if one.startswith("arn:")
        ],
    }
    return [{"Effect": "Allow", "Action": list(actions), "Resource": arns} for actions, arns in allowed.items() if arns]


def _labels(wanted: Mapping[str, Resource]) -> tuple[tuple[str, str], ...]:
    """Return the user's tags of all handlers: an organisation may demand them of each function and role."""
    labels: dict[str, str] = {}
    for one in wanted.values():
        labels |= dict(one.function.labels) if isinstance(one, Function) else {}
    return tuple(sorted(labels.items()))


def _function(things: Mapping[str, Mapping[str, Resource]], python: str, own: FunctionRef) -> JSON:
    """Return the function; its role and its log group are those of a handler."""
    role, group = described(Role(own, json.dumps(_may(things)))), described(LogGroup(own, DAYS))
    assert role is not None and group is not None
    function = {
        "FunctionName": own.name,
        "Description": "Keeps what a stack attaches to buckets and queues that it did not make",
        "Code": {"ZipFile": Path(attach.__file__).read_text(encoding="utf-8")},
        "Handler": "index.lambda_handler",
        "Runtime": f"python{python}",
        "Timeout": 60,
        "Role": {"Fn::GetAtt": ["AttachRole", "Arn"]},
        **({"Tags": as_list(dict(own.labels))} if own.labels else {}),
    }
    return {
        "AttachLogGroup": {"Type": group.kind.cloudformation, "Properties": group.properties},
        "AttachRole": {"Type": role.kind.cloudformation, "Properties": role.properties},
        "AttachFunction": {
            "Type": Kind.FUNCTION.cloudformation,
            "DependsOn": ["AttachLogGroup"],
            "Properties": function,
        },
    }
