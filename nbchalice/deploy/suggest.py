"""Suggests what a function's role must be allowed, from the calls in its code; applies nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType

from nbchalice.aws.refusals import S3_ACTIONS, UNKNOWN_BUCKET, s3_arn
from nbchalice.deploy.boto_calls import Call, boto_calls
from nbchalice.handlers import Handler
from nbchalice.resources.base import FunctionRef
from nbchalice.resources.queue import QUEUE_URL, QueueRef
from nbchalice.sources.base import keys_meet
from nbchalice.text import joined
from nbchalice.typed import JSON

# Methods of boto3 that are more than one operation, or none of the API's name.
METHODS = {
    ("s3", "upload_file"): ("PutObject",),
    ("s3", "upload_fileobj"): ("PutObject",),
    ("s3", "download_file"): ("GetObject",),
    ("s3", "download_fileobj"): ("GetObject",),
    ("s3", "copy"): ("GetObject", "PutObject"),
    ("s3", "put"): ("PutObject",),
    ("s3", "get"): ("GetObject",),
    ("s3", "delete"): ("DeleteObject",),
    ("dynamodb", "batch_writer"): ("BatchWriteItem",),
}
PARTIQL = ("PartiQLDelete", "PartiQLInsert", "PartiQLSelect", "PartiQLUpdate")
# Operations whose action in IAM has another name (Service Authorization Reference).
ACTIONS = {
    ("s3", "CopyObject"): ("GetObject", "PutObject"),
    ("lambda", "Invoke"): ("InvokeFunction",),
    ("dynamodb", "TransactWriteItems"): ("PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"),
    ("dynamodb", "TransactGetItems"): ("GetItem",),
    ("sqs", "SendMessageBatch"): ("SendMessage",),
    ("sqs", "DeleteMessageBatch"): ("DeleteMessage",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("ChangeMessageVisibility",),
    ("sns", "PublishBatch"): ("Publish",),
    ("sesv2", "SendEmail"): ("SendEmail", "SendRawEmail"),
    ("dynamodb", "ExecuteStatement"): PARTIQL,
    ("dynamodb", "BatchExecuteStatement"): PARTIQL,
    ("bedrock-runtime", "Converse"): ("InvokeModel",),
    ("bedrock-runtime", "ConverseStream"): ("InvokeModelWithResponseStream",),
}
PREFIXES = {"iotdata": "iot", "monitoring": "cloudwatch", "tagging": "tag"}
FREE = {("sts", "GetCallerIdentity")}
# Actions that are about no resource of their own.
ON_EVERYTHING = {
    "sqs:ListQueues", "sns:ListTopics", "kinesis:ListStreams", "dynamodb:ListTables", "lambda:ListFunctions",
    "secretsmanager:ListSecrets", "ssm:DescribeParameters", "events:ListRules", "events:ListEventBuses",
    "states:ListStateMachines",
}  # fmt: skip
# The arguments that may name the resource, and its part of the ARN; angle brackets are to be filled in.
RESOURCES = {
    "dynamodb": (("TableName",), "table/{}", "<table>"),
    "kinesis": (("StreamName", "StreamARN"), "stream/{}", "<stream>"),
    "lambda": (("FunctionName",), "function:{}", "<function>"),
    "secretsmanager": (("SecretId",), "secret:{}-*", "<secret>"),
    "ssm": (("Name", "Path"), "parameter/{}", "<parameter>"),
    "events": (("EventBusName",), "event-bus/{}", "default"),
    "sqs": (("QueueUrl", "QueueName"), "{}", "<queue>"),
    "sns": (("TopicArn",), "{}", "<topic>"),
    "stepfunctions": (("stateMachineArn",), "stateMachine:{}", "<machine>"),
}
ARN_SERVICE = {"stepfunctions": "states"}


@dataclass(frozen=True, order=True)
class Allow:
    """An action on a resource, as `--allow` takes it."""

    action: str
    arn: str

    def __str__(self) -> str:
        return f"--allow {self.action}={self.arn}"


def suggested(
    module: str,
    function: FunctionRef,
    statements: Sequence[JSON] = (),
    event: Mapping[str, str] = MappingProxyType({}),
    beside: Mapping[str, str] = MappingProxyType({}),
) -> list[Allow]:
    """Return what a module's calls of boto3 need and the statements do not allow.

    Parameters
    ----------
    module : str
        The text of the module.
    function : FunctionRef
        The function that runs it; resources without region and account are taken to be beside it.
    statements : Sequence[JSON]
        What its role may do already.
    event : Mapping[str, str]
        What is known of the function's events, by attribute. Default: nothing.
    beside : Mapping[str, str]
        The texts of local modules that it may import, by name. Default: none.
    """
    if not any("boto3" in text for text in (module, *beside.values())):
        return []
    needed: set[Allow] = set()
    for call in boto_calls(module, event, beside):
        for allow in needs(call, function):
            if not any(_covers(statement, allow, call.key) for statement in statements):
                needed.add(allow)
    return sorted(needed)


def is_allowed(option: str, statements: Sequence[JSON]) -> bool:
    """Return whether statements of a policy allow what an option ``--allow ACTION=ARN`` does."""
    action, _, arn = option.removeprefix("--allow ").partition("=")
    return any(_covers(statement, Allow(action, arn), key_of(arn)) for statement in statements)


def needs(call: Call, function: FunctionRef) -> list[Allow]:
    """Return what a call needs; of an ARN that the text does not tell, a part stands in angle brackets."""
    return [Allow(action, _arn(call, action, function)) for action in _actions(call)]


def policy(allows: Iterable[Allow]) -> JSON:
    """Return a policy document that allows it, for a file and `--policy`."""
    statements = [{"Effect": "Allow", "Action": allow.action, "Resource": allow.arn} for allow in allows]
    return {"Version": "2012-10-17", "Statement": statements}


def note(handler: str, allows: Sequence[Allow]) -> str:
    """Return the suggestion in one line."""
    return f"{handler} calls AWS; its role needs, if you agree: {' '.join(map(str, allows))}"


def network_note(handler: Handler, module: str, beside: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Return that the calls of a handler in a VPC end in timeouts where the VPC has no way to the services.

    Parameters
    ----------
    handler : Handler
        The handler.
    module : str
        The text of its module.
    beside : Mapping[str, str]
        The texts of local modules that it may import, by name. Default: none.
    """
    if not handler.setting("subnet"):
        return []
    services = {call.service for call in boto_calls(module, MappingProxyType({}), beside) if _actions(call)}
    services |= {"s3"} if handler.setting("record") else set()
    if not services:
        return []
    text = "need endpoints of that VPC or a NAT gateway, or each of them ends in a timeout"
    return [f"{handler.name} runs in a VPC: its calls of {joined(sorted(services))} {text}"]


def iam_prefix(service: str) -> str:
    """Return what the actions of a boto3 client's service begin with in IAM: ``iot`` for ``iot-data``."""
    return _operations(service)[0]


@lru_cache(maxsize=64)
def _operations(service: str) -> tuple[str, dict[str, str]]:
    """Return a service's prefix in IAM and its operations by boto3's method."""
    from botocore import xform_name
    from botocore.exceptions import UnknownServiceError
    from botocore.session import get_session

    try:
        model = get_session().get_service_model(service)
    except UnknownServiceError:
        return service, {}
    prefix = str(model.signing_name)
    return PREFIXES.get(prefix, prefix), {xform_name(name): name for name in model.operation_names}


def _actions(call: Call) -> list[str]:
    prefix, operations = _operations(call.service)
    known = METHODS.get((call.service, call.method)) if call.kind or call.method not in operations else None
    names = known or ((operations[call.method],) if call.method in operations else ())
    actions: list[str] = []
    for name in names:
        if (call.service, name) in FREE:
            continue
        verb = f"PartiQL{call.arguments.get('Statement', '').partition(' ')[0].capitalize()}"
        if verb in PARTIQL:
            actions.append(f"{prefix}:{verb}")
            continue
        renamed = (S3_ACTIONS.get(name, name),) if call.service == "s3" else (name,)
        actions += [f"{prefix}:{action}" for action in ACTIONS.get((call.service, name), renamed)]
    return actions


def _arn(call: Call, action: str, function: FunctionRef) -> str:
    if call.service == "s3":
        return s3_arn(call.arguments.get("Bucket", UNKNOWN_BUCKET), action.partition(":")[2])
    if call.service not in RESOURCES or action in ON_EVERYTHING:
        return "*"
    arguments, form, unknown = RESOURCES[call.service]
    name = next((call.arguments[argument] for argument in arguments if argument in call.arguments), unknown)
    if call.service == "lambda" and (qualifier := call.arguments.get("Qualifier")):
        name = f"{name}:{qualifier}"
    if name.startswith("arn:"):
        return name
    if QUEUE_URL.fullmatch(name):
        return QueueRef.parse(name, function).arn
    return function.arn_of(ARN_SERVICE.get(call.service, call.service), form.format(name.lstrip("/")))


def _covers(statement: JSON, allow: Allow, key: tuple[str, str]) -> bool:
    actions, resources = listed(statement.get("Action")), listed(statement.get("Resource"))
    return (
        statement.get("Effect") == "Allow"
        and any(fnmatchcase(allow.action.lower(), action.lower()) for action in actions)
        # A name that is to be filled in is not known to be allowed or not; its action is.
        and any(
            fnmatchcase(allow.arn, arn) or is_open(allow.arn) or _is_unknown(allow) or _narrows(arn, allow, key)
            for arn in resources
        )
    )


def key_of(arn: str) -> tuple[str, str]:
    """Return how the keys of a policy's resource in S3 begin and how they end."""
    key = arn.partition("/")[2]
    return key.partition("*")[0], key.rpartition("*")[2]


def _narrows(arn: str, allow: Allow, key: tuple[str, str]) -> bool:
    """Whether a policy names some of a bucket's objects, and the call may be about one of them."""
    return ":s3:" in allow.arn and fnmatchcase(arn, allow.arn) and keys_meet(key_of(arn), key)


def _is_unknown(allow: Allow) -> bool:
    """Whether everything is named only as nobody here knows how the service's ARNs are made."""
    service = allow.action.partition(":")[0]
    known = {"s3", *RESOURCES, *ARN_SERVICE.values()}
    return allow.arn == "*" and service not in known


def is_open(arn: str) -> bool:
    """Whether a part of an ARN is to be filled in."""
    return "<" in arn


def listed(value: object) -> list[str]:
    """Return what a statement of a policy holds once or several times."""
    return [value] if isinstance(value, str) else [str(entry) for entry in value] if isinstance(value, list) else []
