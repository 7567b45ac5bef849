"""What would have allowed a call that AWS refused."""

from __future__ import annotations

import re

# IAM: "Troubleshoot access denied error messages". SNS writes "SNS:Publish", SQS "sqs:sendmessage", S3 quotes the ARN.
REFUSED = re.compile(
    r"not authorized to perform: (?P<service>[A-Za-z0-9-]+):(?P<name>\w+)"
    r"(?: on resource: (?:\"(?P<quoted>arn:[^\"]+)\"|(?P<arn>arn:[^\s\"']+)))?"
)
# Who asks for an object that is missing, and may not list its bucket, is refused the list (S3: GetObject, permissions).
MAY_BE_MISSING = re.compile(r"when calling the (GetObject|HeadObject) operation.*s3:ListBucket", re.DOTALL)
# S3 may tell neither the action nor the object, and the answer to a HEAD request has no text at all.
REFUSED_BY_S3 = re.compile(
    r"\((?:AccessDenied\) when calling the (?P<operation>\w+) operation: Access Denied"
    r"|403\) when calling the (?P<head>Head\w+) operation: Forbidden)"
)
# How boto3 says what AWS answered.
CALLED = re.compile(
    r"An error occurred \((?P<code>[\w.]+)\) when calling the \w+ operation(?: \([^)]*\))?: (?P<message>.*)"
)
S3_OBJECT = re.compile(r"(arn:[a-z-]+:s3:::[^/]+/).+")
# A denial wins over whatever is allowed, and of the rest nothing is the handler's.
OTHERS_POLICY = re.compile(
    r"explicit deny|no (?:permissions boundary|session policy|resource-based policy|service control policy) allows"
)
S3_ACTIONS = {
    "HeadObject": "GetObject",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "DeleteObjects": "DeleteObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}
# What a call needs that does not exist: AWS's code, its words, and how it is made.
MISSING = (
    (r"NoSuchBucket", r"The specified bucket does not exist", "bucket", "aws s3 mb s3://NAME"),
    (
        r"AWS\.SimpleQueueService\.NonExistentQueue|QueueDoesNotExist",
        r"The specified queue does not exist",
        "queue",
        "aws sqs create-queue --queue-name NAME",
    ),
    (r"NotFound(?:Exception)?", r"Topic does not exist", "topic", "aws sns create-topic --name NAME"),
)
# No ARN has angle brackets: as it stands it is refused.
UNKNOWN_BUCKET = "<bucket>"
S3_ON_BUCKET = ("ListBucket", "GetBucket", "PutBucket")


def allow_for(text: str) -> str | None:
    """Return the option that allows what an error says was refused, or None where nothing or no such thing was.

    Parameters
    ----------
    text : str
        An error message of boto3, or a log that holds one.
    """
    if OTHERS_POLICY.search(text):
        return None
    if refusal := REFUSED.search(text):
        # The next event is about another object.
        arn = S3_OBJECT.sub(r"\1*", refusal["quoted"] or refusal["arn"] or "*")
        return f"--allow {spelled(refusal['service'].lower(), refusal['name'])}={arn}"
    if refusal := REFUSED_BY_S3.search(text):
        operation = refusal["operation"] or refusal["head"]
        action = S3_ACTIONS.get(operation, operation)
        return f"--allow s3:{action}={s3_arn(UNKNOWN_BUCKET, action)}"
    return None


def missing_for(code: str, message: str) -> str | None:
    """Return how the bucket, queue or topic is made that AWS says does not exist, or None for other errors.

    Parameters
    ----------
    code : str
        AWS's code.
    message : str
        What AWS says with it.
    """
    for codes, words, kind, command in MISSING:
        if re.fullmatch(codes, code) and re.match(words, message):
            return (
                f"correct the name of the {kind}, or make it: %chalice local create {kind} NAME, on real AWS {command}"
            )
    return None


def missing_in(text: str) -> str | None:
    """Return how what is missing is made that a log's error is about, or None."""
    said = CALLED.search(text)
    return missing_for(said["code"], said["message"]) if said else None


def spelled(service: str, name: str) -> str:
    """Return an action as IAM's reference writes it; the case does not count, but is easier to read."""
    from botocore.session import get_session

    session = get_session()
    if name.islower() and service in session.get_available_services():
        names = session.get_service_model(service).operation_names
        name = next((known for known in names if known.lower() == name), name)
    return f"{service}:{name}"


def s3_arn(bucket: str, action: str) -> str:
    """Return the ARN that an action of S3 is about: the bucket, its objects, or everything."""
    if action == "ListAllMyBuckets":
        return "*"
    return f"arn:aws:s3:::{bucket}" if action.startswith(S3_ON_BUCKET) else f"arn:aws:s3:::{bucket}/*"
