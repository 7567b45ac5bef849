"""Which refusals of AWS pass by themselves: one table, and for each row where that is known from.

A refusal that is in no row is final: tried again, it only keeps people waiting. So is every denial of a call of ours,
whatever its words ("User: ... is not authorized to perform: sqs:SetQueueAttributes").
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from nbchalice.errors import LostAnswerError
from nbchalice.polling import Pace, pause_about, poll
from nbchalice.resources.base import DENIED, status_code

T = TypeVar("T")
# Seconds in all during which what AWS has no time for is tried again.
PATIENCE = 90.0

Until = Literal["free", "known"]
"""What a refusal waits for: that AWS has time for it, or that all of AWS knows a role or a permission."""


@dataclass(frozen=True)
class Passing:
    """A refusal that passes.

    Parameters
    ----------
    source : str
        Where it is known from.
    until : str
        ``free``: what is asked too often, is busy, or just went. ``known``: IAM tells the other services within
        seconds, at times a minute, what was just made.
    codes : frozenset[str]
        AWS's codes of it.
    words : str
        Regular expression that its message begins with. Default: any message.
    operations : frozenset[str]
        The calls that it answers. Default: any.
    statuses : frozenset[int]
        HTTP statuses that say the same as the codes.
    lasting : str
        What is wrong where it does not pass, and what helps.
    """

    source: str
    until: Until
    codes: frozenset[str]
    words: str = ""
    operations: frozenset[str] = frozenset()
    statuses: frozenset[int] = field(default_factory=frozenset)
    lasting: str = ""

    def is_meant_by(self, operation: str, code: str, status: int, message: str) -> bool:
        """Whether an answer of AWS is this refusal."""
        called = code in self.codes or status in self.statuses
        asked = not self.operations or operation in self.operations
        return called and asked and re.match(self.words, message, re.DOTALL) is not None


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


WRONG_PARAMETER = _set("InvalidParameterValueException")
ON_FUNCTION = _set("CreateFunction UpdateFunctionConfiguration UpdateFunctionCode PutFunctionEventInvokeConfig")
ON_MAPPING = _set("CreateEventSourceMapping UpdateEventSourceMapping")

ASKED_TOO_OFTEN = Passing(
    "AWS SDKs: Retry behavior, throttling errors",
    "free",
    _set(
        "RequestLimitExceeded Throttling ThrottlingException ThrottledException TooManyRequestsException SlowDown"
        " RequestThrottled RequestThrottledException EC2ThrottledException PriorRequestNotComplete"
        " ProvisionedThroughputExceededException BandwidthLimitExceeded"
    ),
    statuses=frozenset({429}),
)
REFUSALS = (
    ASKED_TOO_OFTEN,
    Passing(
        "AWS SDKs: Retry behavior, transient errors",
        "free",
        _set(
            "RequestTimeout RequestTimeoutException ServiceUnavailable ServiceUnavailableException InternalError"
            " InternalFailure InternalServerError ServiceException InternalServiceErrorException"
        ),
        statuses=frozenset({500, 502, 503, 504}),
    ),
    Passing(
        "API references of Lambda, IAM, S3, EventBridge and Logs: another change of the same thing goes on",
        "free",
        _set(
            "ConcurrentModification ConcurrentModificationException OperationAborted OperationAbortedException"
            " PreconditionFailedException ResourceConflictException ResourceInUseException ResourceNotReadyException"
            " DeleteConflict EntityTemporarilyUnmodifiable"
        ),
    ),
    Passing(
        "EventBridge Scheduler: ConflictException, another change of the same schedule",
        "free",
        _set("ConflictException"),
        operations=_set("CreateSchedule UpdateSchedule DeleteSchedule"),
    ),
    Passing(
        "Lambda: EC2ThrottledException, functions in a VPC",
        "free",
        WRONG_PARAMETER,
        r"Your request has been throttled by EC2",
        ON_FUNCTION,
    ),
    Passing(
        "Kinesis: DescribeStreamSummary, 20 calls a second",
        "free",
        _set("LimitExceededException"),
        r"Rate exceeded",
    ),
    Passing(
        "SQS: CreateQueue, QueueDeletedRecently",
        "free",
        _set("AWS.SimpleQueueService.QueueDeletedRecently QueueDeletedRecently"),
    ),
    Passing(
        "Lambda: CreateFunction, a role that IAM has just made",
        "known",
        WRONG_PARAMETER,
        r"The (role defined for the function|(provided|function(?:'s)?) execution role) cannot be assumed by Lambda",
        ON_FUNCTION | ON_MAPPING,
        lasting="the role's trust policy must let lambda.amazonaws.com take it (sts:AssumeRole)",
    ),
    Passing(
        "Lambda: permissions of the execution role for VPCs, queues and destinations",
        "known",
        WRONG_PARAMETER,
        r"The (provided|function(?:'s)?) execution role does not have permissions to call \w+ on \w+",
        ON_FUNCTION | ON_MAPPING,
        lasting="the role lacks the permission that the message names",
    ),
    Passing(
        "Lambda: event source mappings of Kinesis and DynamoDB",
        "known",
        WRONG_PARAMETER,
        r"Cannot access stream .*Please ensure the role can perform",
        ON_MAPPING,
        lasting="the role lacks a permission that the message names",
    ),
    Passing(
        "Lambda: the function's role gets a grant on the key of its environment variables",
        "known",
        _set("InvalidParameterValueException KMSAccessDeniedException"),
        r"Lambda was unable to configure access to your environment variables because the KMS key is invalid",
        ON_FUNCTION,
        lasting="the key's policy must know the function's role",
    ),
    Passing(
        "EventBridge Scheduler: CreateSchedule, a role that IAM has just made",
        "known",
        _set("ValidationException"),
        r"The execution role you provide must allow AWS EventBridge Scheduler to assume the role",
        _set("CreateSchedule UpdateSchedule"),
        lasting="the role's trust policy must let scheduler.amazonaws.com take it (sts:AssumeRole)",
    ),
    Passing(
        "Terraform's AWS provider: aws_lambda_permission, a function that was just made",
        "known",
        _set("ResourceNotFoundException"),
        r"Function not found|The function doesn't exist",
        _set(
            "AddPermission CreateEventSourceMapping CreateFunctionUrlConfig PublishVersion PutFunctionConcurrency"
            " PutFunctionEventInvokeConfig"
        ),
        lasting="somebody has deleted the function meanwhile; run it again",
    ),
    Passing(
        "Terraform's AWS provider: aws_s3_bucket_lifecycle_configuration, a bucket that was just made",
        "known",
        _set("NoSuchBucket"),
        operations=_set("PutBucketLifecycleConfiguration"),
    ),
    Passing(
        "IAM: Troubleshoot, changes are not always immediately visible",
        "known",
        _set("NoSuchEntity"),
        operations=_set("PutRolePolicy AttachRolePolicy TagRole UpdateAssumeRolePolicy"),
    ),
    Passing(
        "SQS: SetQueueAttributes, a principal that IAM has just made",
        "known",
        _set("InvalidAttributeValue"),
        r"Invalid value for the parameter Policy",
        _set("SetQueueAttributes CreateQueue"),
    ),
    Passing(
        "S3: PutBucketNotificationConfiguration, a permission that Lambda has just got",
        "known",
        _set("InvalidArgument"),
        r"Unable to validate the following destination configurations",
        _set("PutBucketNotificationConfiguration"),
        lasting="a target of the bucket's notifications is gone, or S3 may not call it: "
        "aws s3api get-bucket-notification-configuration --bucket BUCKET lists them",
    ),
)


def passing(error: BaseException) -> Passing | None:
    """Return the row of the table that a refusal of AWS is in, or None where it is final or no answer of AWS."""
    details = (getattr(error, "response", None) or {}).get("Error", {})
    code, message = str(details.get("Code", "")), str(details.get("Message", ""))
    if not details or code in DENIED:
        return None
    status = status_code(error) if isinstance(error, Exception) else 0
    operation = str(getattr(error, "operation_name", ""))
    return next((row for row in REFUSALS if row.is_meant_by(operation, code, status, message)), None)


def is_transient(error: BaseException) -> bool:
    """Whether the same call may work a little later, once it was read what the first one did."""
    if isinstance(error, LostAnswerError) or is_cut_off(error):
        return True
    if not getattr(error, "response", None):
        name = type(error).__name__
        return type(error).__module__.startswith(("botocore", "urllib3")) and ("Connect" in name or "Timeout" in name)
    return passing(error) is not None


def is_cut_off(error: BaseException) -> bool:
    """Whether the connection ended in the midst of an answer; boto3 asks again only where it ends before."""
    return type(error).__name__ in {"ResponseParserError", "IncompleteReadError"}


def read_patiently(read: Callable[[], T], patience: float = PATIENCE) -> T:
    """Return what a read returns; it is asked again while AWS says that it has no time.

    Parameters
    ----------
    read : callable
        Asks AWS, and changes nothing.
    patience : float
        Seconds during which it is asked again.
    """
    latest = time.monotonic() + patience
    answers: list[T] = []

    def answered() -> bool:
        try:
            answers.append(read())
        except Exception as error:
            row = passing(error)
            again = is_cut_off(error) or (row is not None and row.until == "free")
            if not again or time.monotonic() >= latest:
                raise
        return bool(answers)

    poll(answered, latest, Pace(0.1, 5.0, growth=2.0), pause_about)
    return answers[0]
