"""Names that AWS refuses, refused in its words before anything is made of them: MiniStack takes nearly all.

Most of it botocore's models say (constraints.py). ``NAMINGS`` is the table of what they do not, and of what a service
says in words of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .api_calls import ApiCall
from .constraints import in_path, refusal_by_model
from .refusals import Refused, Words
from .request import Request

FAILED = "1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: "
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
STACKS = FAILED + "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
LONG_FUNCTION = FAILED + "Member must have length less than or equal to 64"
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
        As MiniStack calls the service, and as botocore's model calls the others.
    code : str
        Of the error.
    pattern, words : str
        What the name must match, and what is said of one that does not.
    fifo : bool or None
        Whether the row is one for what is FIFO (True), for what is not (False), or for both.
    instead : bool
        Whether this is said instead of what botocore's model has to say.
    """

    service: str
    operation: str
    member: str
    code: str
    pattern: str
    words: str
    fifo: bool | None = None
    instead: bool = False


QUEUE_CODE, TOPIC_CODE, LAMBDA_CODE = "InvalidParameterValue", "InvalidParameter", "InvalidParameterValueException"
CODE = "ValidationException"


def of_iam(operation: str, member: str) -> Naming:
    """Return the row for a name of IAM, which has words of its own for the characters, not for the length."""
    return Naming("iam", operation, member, "ValidationError", r"[\w+=,.@-]*", IAMS, instead=True)


NAMINGS = (
    # MiniStack itself refuses the empty name of a queue.
    Naming("sqs", "CreateQueue", "QueueName", QUEUE_CODE, r"[\w-]{0,80}", QUEUES, fifo=False),
    Naming("sqs", "CreateQueue", "QueueName", QUEUE_CODE, r"(?=.{1,80}$)[\w-]+\.fifo", FIFO_QUEUES, fifo=True),
    Naming("sns", "CreateTopic", "Name", TOPIC_CODE, r"[\w-]{1,256}", TOPICS, fifo=False),
    Naming("sns", "CreateTopic", "Name", TOPIC_CODE, r"(?=.{1,256}$)[\w-]+\.fifo", FIFO_TOPICS, fifo=True),
    Naming("s3", "CreateBucket", "Bucket", "InvalidBucketName", BUCKETS, "The specified bucket is not valid."),
    Naming("lambda", "CreateFunction", "FunctionName", LAMBDA_CODE, r"(.*:)?[^:]{0,64}", LONG_FUNCTION),
    Naming("lambda", "CreateFunction", "FunctionName", LAMBDA_CODE, r"(.*function:)?[^:]*", QUALIFIED),
    Naming("events", "CreateEventBus", "Name", CODE, r"[^/]*|aws\..*", "Event bus name must not contain '/'."),
    of_iam("CreateRole", "RoleName"),
    of_iam("PutRolePolicy", "PolicyName"),
    of_iam("CreatePolicy", "PolicyName"),
    of_iam("CreateUser", "UserName"),
    of_iam("CreateGroup", "GroupName"),
    Naming("states", "CreateStateMachine", "name", "InvalidName", MACHINES, "Invalid Name: '{value}'"),
    Naming("secretsmanager", "CreateSecret", "Name", CODE, r"[\w/+=.@!-]*", SECRETS),
    Naming("ssm", "PutParameter", "Name", CODE, r"[^/]*|/.*", "Parameter name must be a fully qualified name."),
    Naming("ssm", "PutParameter", "Name", CODE, r"(?!(?i:/?(ssm|aws)))[\w./-]*", PARAMETERS),
    Naming("kms", "CreateAlias", "AliasName", CODE, r"alias/.+", "Invalid identifier"),
    Naming("cloudformation", "CreateStack", "StackName", "ValidationError", r"[a-zA-Z][a-zA-Z0-9-]{0,127}", STACKS),
)
# How the fields of an attribute end in a form: those of its name, and of its value (SNS; SQS with older SDKs).
VALUES = {"key": "value", "Name": "Value"}


def wrong_request(request: Request) -> Refused | None:
    """Return AWS's refusal of what a request gives to what it makes or changes, or None."""
    call = ApiCall.parse(replace(request, path=request.raw_path))  # a slash or a newline of a name is encoded there
    operation = (call.action or "").rpartition(":")[2]
    mine = [naming for naming in NAMINGS if (naming.service, naming.operation) == (call.service, operation)]
    by_name = next((naming for naming in mine if is_wrong(naming, call)), None)
    by_model = None if by_name and by_name.instead else refusal_by_model(call)
    if by_model:
        code, said = by_model
    elif by_name:
        code, said = by_name.code, by_name.words.format(at=lowered(by_name.member), value=name_in(call, by_name.member))
    else:
        return None
    return Refused(code, said, Words(code, 400, said), 400)


def is_wrong(naming: Naming, call: ApiCall) -> bool:
    """Whether the service does not take the name that a call gives."""
    name = name_in(call, naming.member) if naming.fifo in (None, makes_fifo(call)) else None
    return name is not None and not re.fullmatch(naming.pattern, name, re.ASCII)


def name_in(call: ApiCall, member: str) -> str | None:
    """Return the name that a call gives; that of a bucket is its path."""
    if call.service == "s3":
        return in_path("/{Bucket}", call.path).get("Bucket")
    given = call.document.get(member, call.params.get(member, [None])[0])
    return None if given is None else str(given)


def lowered(member: str) -> str:
    """Return a member as AWS's errors call it."""
    return member[0].lower() + member[1:]


def makes_fifo(call: ApiCall) -> bool:
    """Whether a call makes a FIFO queue or topic, told in a document or in a form."""
    told = call.document.get("Attributes")
    attributes = dict(told) if isinstance(told, dict) else {}
    for name, (value, *_) in call.params.items():
        prefix, _, last = name.rpartition(".")
        if last in VALUES:
            attributes[value] = call.params.get(f"{prefix}.{VALUES[last]}", [""])[0]
    return any(str(attributes.get(name)).lower() == "true" for name in ("FifoQueue", "FifoTopic"))
