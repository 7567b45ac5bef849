"""What would have allowed a call that AWS refused."""

from __future__ import annotations

import re

# IAM: "Troubleshoot access denied error messages".
REFUSED = re.compile(
    r"not authorized to perform: (?P<action>[a-z0-9-]+:\w+)(?: on resource: \"?(?P<arn>arn:[^\s\"']+))?"
)
# S3 tells neither the action nor the object.
REFUSED_BY_S3 = re.compile(r"\(AccessDenied\) when calling the (?P<operation>\w+) operation: Access Denied")
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
    if "explicit deny" in text:
        return None  # A denial wins over whatever is allowed.
    if refusal := REFUSED.search(text):
        return f"--allow {refusal['action']}={refusal['arn'] or '*'}"
    if refusal := REFUSED_BY_S3.search(text):
        action = S3_ACTIONS.get(refusal["operation"], refusal["operation"])
        return f"--allow s3:{action}={s3_arn(UNKNOWN_BUCKET, action)}"
    return None


def s3_arn(bucket: str, action: str) -> str:
    """Return the ARN that an action of S3 is about: the bucket, its objects, or everything."""
    if action == "ListAllMyBuckets":
        return "*"
    return f"arn:aws:s3:::{bucket}" if action.startswith(S3_ON_BUCKET) else f"arn:aws:s3:::{bucket}/*"
