"""Names that AWS refuses, refused in its words before anything is made of them: MiniStack takes nearly all.

``NAMINGS`` is the table. Pattern and lengths are those of botocore's model of the service; the table has what the model
does not have, and what a service says in words of its own.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import unquote

from ministack.core import iam_actions

from .api_calls import ApiCall
from .refusals import Refused, Words
from .request import Request

ONE = "1 validation error detected: "
CONSTRAINT = "Value '{value}' at '{at}' failed to satisfy constraint: Member must "
BY_PATTERN = CONSTRAINT + "satisfy regular expression pattern: {pattern}"
TOO_LONG = CONSTRAINT + "have length less than or equal to {most}"
TOO_SHORT = CONSTRAINT + "have length greater than or equal to {least}"
MISSING = "Value null at '{at}' failed to satisfy constraint: Member must not be null"
IAMS = (
    "The specified value for {at} is invalid. "
    "It must contain only alphanumeric characters and/or the following: +=,.@_-"
)
QUEUES = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
FIFO_QUEUES = (
    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
    "must end with .fifo suffix and be 1 to 80 in length."
)
TOPICS = "Invalid parameter: Topic Name"
FIFO_TOPICS = (
    "Invalid parameter: Fifo Topic names must end with .fifo and must be made up of only uppercase and lowercase ASCII "
    "letters, numbers, underscores, and hyphens, and must be between 1 and 256 characters long."
)
BUCKETS = (
    r"(?!(\d{1,3}\.){3}\d{1,3}$)(?!xn--|sthree-|amzn-s3-demo-)(?!.*\.\.)(?!.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$)"
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
)
PARAMETERS = (
    'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). '
    "If formed as a path, it can consist of sub-paths divided by slash symbol; "
    "each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_"
)
SECRETS = "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
MACHINES = r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}"
STACKS = ONE + BY_PATTERN.replace("{pattern}", "[a-zA-Z][-a-zA-Z0-9]*").replace("{at}", "stackName")
LONG_FUNCTION = ONE + TOO_LONG.replace("{most}", "64")
QUALIFIED = (
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
    "Please specify either a function name or an unqualified function ARN."
)


@dataclass(frozen=True)
class Naming:
    """What the name in one parameter of an operation may be.

    Parameters
    ----------
    service, operation, member : str
        As MiniStack calls the service, and as botocore's model calls the others; ``Targets.Id`` is a member of each
        item of a list.
    code : str
        Of the error.
    pattern, words : str
        What the name must match, and what is said of one that does not. Default: botocore's model has pattern and
        lengths, and what is said is what most services say.
    fifo : bool or None
        Whether the row is one for what is FIFO (True), for what is not (False), or for both.
    """

    service: str
    operation: str
    member: str
    code: str = "ValidationException"
    pattern: str = ""
    words: str = ""
    fifo: bool | None = None


LOGS_CODE, IAM_CODE = "InvalidParameterException", "ValidationError"
QUEUE_CODE, TOPIC_CODE, LAMBDA_CODE = "InvalidParameterValue", "InvalidParameter", "InvalidParameterValueException"


def of_iam(operation: str, member: str) -> tuple[Naming, Naming]:
    """Return the rows for a name of IAM, which has words of its own for the characters, not for the length."""
    by_characters = Naming("iam", operation, member, IAM_CODE, r"[\w+=,.@-]*", IAMS)
    return by_characters, Naming("iam", operation, member, IAM_CODE)


NAMINGS = (
    # MiniStack itself refuses the empty name of a queue.
    Naming("sqs", "CreateQueue", "QueueName", QUEUE_CODE, r"[\w-]{0,80}", QUEUES, fifo=False),
    Naming("sqs", "CreateQueue", "QueueName", QUEUE_CODE, r"(?=.{1,80}$)[\w-]+\.fifo", FIFO_QUEUES, fifo=True),
    Naming("sns", "CreateTopic", "Name", TOPIC_CODE, r"[\w-]{1,256}", TOPICS, fifo=False),
    Naming("sns", "CreateTopic", "Name", TOPIC_CODE, r"(?=.{1,256}$)[\w-]+\.fifo", FIFO_TOPICS, fifo=True),
    Naming("s3", "CreateBucket", "Bucket", "InvalidBucketName", BUCKETS, "The specified bucket is not valid."),
    Naming("lambda", "CreateFunction", "FunctionName"),
    Naming("lambda", "CreateFunction", "FunctionName", LAMBDA_CODE, r"(.*:)?[^:]{0,64}", LONG_FUNCTION),
    Naming("lambda", "CreateFunction", "FunctionName", LAMBDA_CODE, r"(.*function:)?[^:]*", QUALIFIED),
    Naming("lambda", "CreateAlias", "Name"),
    Naming("lambda", "PublishLayerVersion", "LayerName"),
    Naming("lambda", "AddPermission", "StatementId"),
    Naming("events", "PutRule", "Name"),
    Naming("events", "PutTargets", "Targets.Id"),
    Naming("events", "CreateEventBus", "Name"),
    Naming("events", "CreateEventBus", "Name", pattern=r"[^/]*|aws\..*", words="Event bus name must not contain '/'."),
    Naming("events", "CreateArchive", "ArchiveName"),
    Naming("events", "CreateConnection", "Name"),
    Naming("events", "CreateApiDestination", "Name"),
    Naming("scheduler", "CreateSchedule", "Name"),
    Naming("scheduler", "CreateSchedule", "GroupName"),
    Naming("scheduler", "CreateScheduleGroup", "Name"),
    *of_iam("CreateRole", "RoleName"),
    *of_iam("PutRolePolicy", "PolicyName"),
    *of_iam("CreatePolicy", "PolicyName"),
    *of_iam("CreateUser", "UserName"),
    *of_iam("CreateGroup", "GroupName"),
    Naming("logs", "CreateLogGroup", "logGroupName", LOGS_CODE),
    Naming("logs", "CreateLogStream", "logGroupName", LOGS_CODE),
    Naming("logs", "CreateLogStream", "logStreamName", LOGS_CODE),
    Naming("logs", "PutSubscriptionFilter", "filterName", LOGS_CODE),
    Naming("logs", "PutMetricFilter", "filterName", LOGS_CODE),
    Naming("kinesis", "CreateStream", "StreamName"),
    Naming("kinesis", "RegisterStreamConsumer", "ConsumerName"),
    Naming("firehose", "CreateDeliveryStream", "DeliveryStreamName"),
    Naming("states", "CreateStateMachine", "name", "InvalidName", MACHINES, "Invalid Name: '{value}'"),
    Naming("secretsmanager", "CreateSecret", "Name", pattern=r"[\w/+=.@!-]*", words=SECRETS),
    Naming("ssm", "PutParameter", "Name", pattern=r"[^/]*|/.*", words="Parameter name must be a fully qualified name."),
    Naming("ssm", "PutParameter", "Name", pattern=r"(?!(?i:/?(ssm|aws)))[\w./-]*", words=PARAMETERS),
    Naming("kms", "CreateAlias", "AliasName"),
    Naming("kms", "CreateAlias", "AliasName", pattern=r"alias/.+", words="Invalid identifier"),
    Naming("cloudformation", "CreateStack", "StackName", "ValidationError", r"[a-zA-Z][a-zA-Z0-9-]{0,127}", STACKS),
)
NAMES_OF_MODELS = {"states": "stepfunctions"}
# How the fields of an attribute end in a form: those of its name, and of its value (SNS; SQS with older SDKs).
VALUES = {"key": "value", "Name": "Value"}


@dataclass(frozen=True)
class Limits:
    """What botocore's model says of a member: how long it may be, what it must match, and where in a URL it stands."""

    least: int
    most: int
    pattern: str
    required: bool
    url: re.Pattern[str] | None


def wrong_name(request: Request) -> Refused | None:
    """Return AWS's refusal of a name that a request gives to what it makes, or None."""
    call = ApiCall.parse(replace(request, path=request.raw_path))  # a slash or a newline of a name is encoded there
    operation = (call.action or "").rpartition(":")[2]
    for naming in NAMINGS:
        if (naming.service, naming.operation) != (call.service, operation):
            continue
        if naming.fifo in (None, makes_fifo(call)) and (said := said_against(naming, call)):
            return Refused(naming.code, said, Words(naming.code, 400, said), 400)
    return None


def said_against(naming: Naming, call: ApiCall) -> str:
    """Return what the service says of the names that a call gives in one parameter, or an empty text."""
    limits = limits_of(naming.service, naming.operation, naming.member)
    values = names_in(call, naming.member, limits)
    problems = [problem for at, value in values for problem in problems_of(naming, limits, at, value)]
    if not problems or naming.pattern:
        return problems[0] if problems else ""
    count = "1 validation error" if len(problems) == 1 else f"{len(problems)} validation errors"
    return f"{count} detected: {'; '.join(problems)}"


def problems_of(naming: Naming, limits: Limits, at: str, value: str | None) -> Iterator[str]:
    """Yield what is said of one name, which stands at a place of the request; None where there is none."""
    if value is None:
        if limits.required and not naming.pattern:
            yield MISSING.format(at=at)
    elif naming.pattern:
        if not re.fullmatch(naming.pattern, value, re.ASCII):
            yield naming.words.format(at=at, value=value)
    else:
        if not re.fullmatch(limits.pattern, value, re.ASCII):
            yield BY_PATTERN.format(at=at, value=value, pattern=limits.pattern)
        if len(value) > limits.most:
            yield TOO_LONG.format(at=at, value=value, most=limits.most)
        if len(value) < limits.least:
            yield TOO_SHORT.format(at=at, value=value, least=limits.least)


def names_in(call: ApiCall, member: str, limits: Limits) -> Iterator[tuple[str, str | None]]:
    """Yield the names that a call gives in one parameter, and the places where AWS says that they are."""
    outer, _, inner = member.partition(".")
    at = outer[0].lower() + outer[1:]
    if inner:
        items = call.document.get(outer)
        for number, item in enumerate(items if isinstance(items, list) else [], 1):
            if isinstance(item, dict):
                yield f"{at}.{number}.member.{inner[0].lower()}{inner[1:]}", item.get(inner)
    elif limits.url is not None:
        found = limits.url.fullmatch(call.path)
        yield at, unquote(found["name"]) if found else None
    else:
        given = call.document.get(outer, call.params.get(outer, [None])[0])
        yield at, None if given is None else str(given)


def makes_fifo(call: ApiCall) -> bool:
    """Whether a call makes a FIFO queue or topic, told in a document or in a form."""
    told = call.document.get("Attributes")
    attributes = dict(told) if isinstance(told, dict) else {}
    for name, (value, *_) in call.params.items():
        prefix, _, last = name.rpartition(".")
        if last in VALUES:
            attributes[value] = call.params.get(f"{prefix}.{VALUES[last]}", [""])[0]
    return any(str(attributes.get(name)).lower() == "true" for name in ("FifoQueue", "FifoTopic"))


@cache
def limits_of(service: str, operation: str, member: str) -> Limits:
    """Read what botocore's model says of a member of an operation's input."""
    model = iam_actions._load_botocore_model(NAMES_OF_MODELS.get(service, service))
    called, shapes = model["operations"][operation], model["shapes"]
    shape = shapes[called["input"]["shape"]]
    outer, _, inner = member.partition(".")
    required, declared = outer in shape.get("required", ()), shape["members"][outer]
    if inner:
        shape = shapes[shapes[declared["shape"]]["member"]["shape"]]
        required, declared = inner in shape.get("required", ()), shape["members"][inner]
    text = shapes[declared["shape"]]
    url = url_of(called["http"]["requestUri"], outer) if declared.get("location") == "uri" else None
    return Limits(text.get("min", 0), text.get("max", sys.maxsize), text.get("pattern", ".*"), required, url)


def url_of(template: str, member: str) -> re.Pattern[str]:
    """Return a pattern for the paths of an operation, whose group ``name`` is a member as it stands there."""
    parts = re.split(r"\{(\w+)\}", template)
    labels = [r"(?P<name>[^/]*)" if label == member else "[^/]+" for label in parts[1::2]]
    path = "".join(re.escape(text) + label for text, label in zip(parts[::2], [*labels, ""], strict=True))
    return re.compile(f"{path}/?")
