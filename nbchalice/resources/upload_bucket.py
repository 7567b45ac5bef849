"""The bucket that zips go through which are too large to be sent to Lambda directly, and where large bundles stand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from nbchalice.resources.base import AWS, OWNER_PREFIX, Resource, or_missing, status_code
from nbchalice.resources.grants import ALL_PERMISSIONS, Grant
from nbchalice.resources.ownership import as_list
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_lambda.type_defs import FunctionCodeTypeDef
    from mypy_boto3_s3.type_defs import LifecycleRuleUnionTypeDef

# Lambda quotas: "Deployment package (.zip file archive) size", direct upload.
DIRECT_LIMIT = 50 * 1024 * 1024
UPLOADS = "uploads/"
RECORDED = "recorded/"
RECORDED_DAYS = 7
# An upload is deleted once Lambda has taken it; the first rule is for those that a crash leaves behind, the second for
# what has been sent of a bundle that did not arrive. Recorded events are somebody's data, and nobody's to keep.
RULES: list[LifecycleRuleUnionTypeDef] = [
    {
        "ID": f"{OWNER_PREFIX}-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": UPLOADS},
        "Expiration": {"Days": 1},
    },
    {
        "ID": f"{OWNER_PREFIX}-parts",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    },
    {
        "ID": f"{OWNER_PREFIX}-recorded",
        "Status": "Enabled",
        "Filter": {"Prefix": RECORDED},
        "Expiration": {"Days": RECORDED_DAYS},
    },
]


def is_large(size: int) -> bool:
    """Whether a zip of so many bytes must go through the bucket."""
    return size > DIRECT_LIMIT


def upload_bucket(account: str, region: str) -> str:
    """Return the name of the bucket for large zips and bundles; one for each account and region."""
    return f"{OWNER_PREFIX}-{account}-{region}"


@dataclass(frozen=True)
class UploadBucket(Resource):
    """The bucket for large zips and bundles; made when it is first needed, shared by all apps, and kept.

    Parameters
    ----------
    account, region, partition : str
        Where it stands.
    labels : tuple[tuple[str, str], ...]
        The user's tags of the app for which it is made. That of another app stays as it is.
    """

    kind: ClassVar[str] = "upload bucket"
    account: str
    region: str
    partition: str = "aws"
    labels: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The bucket's name."""
        return upload_bucket(self.account, self.region)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:{self.partition}:s3:::{self.name}"

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        arn = self.arn
        of_bucket: tuple[str, ...] = (
            "CreateBucket",
            "GetEncryptionConfiguration",
            "GetLifecycleConfiguration",
            "ListBucket",
            "PutLifecycleConfiguration",
        )
        of_bucket += ("TagResource",) if self.labels else ()
        of_objects = ("AbortMultipartUpload", "DeleteObject", "GetObject", "PutObject")
        return [
            Grant(tuple(f"s3:{name}" for name in of_bucket), (arn,), own=False),
            Grant(tuple(f"s3:{name}" for name in of_objects), (f"{arn}/*",), own=False),
        ]

    def read(self, aws: AWS) -> JSON | None:
        """Return the rules by which objects expire, and whether the bucket is another's; None where there is none."""
        client = aws.client("s3")
        standing: JSON | None = None
        with or_missing():
            try:
                client.head_bucket(Bucket=self.name, ExpectedBucketOwner=self.account)
            except client.exceptions.ClientError as error:
                if status_code(error) != 403:
                    raise
                return {"foreign": True, "rules": RULES}
            standing = {"foreign": False, "rules": []}
            try:
                answer = client.get_bucket_lifecycle_configuration(Bucket=self.name, ExpectedBucketOwner=self.account)
                standing["rules"] = answer["Rules"]
            except client.exceptions.ClientError as error:
                if status_code(error) != 404:
                    raise
        return standing

    def merge(self, other: Resource) -> UploadBucket:
        """Return the bucket of several handlers, with the tags of all."""
        assert isinstance(other, UploadBucket)
        return replace(self, labels=tuple({**dict(self.labels), **dict(other.labels)}.items()))

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the bucket is in another account, where code must not go."""
        if not current["foreign"]:
            return []
        # S3 answers both with 403 (HeadBucket).
        text = f"{self.name}, for zips over 50 MB and large bundles, belongs to another account or is closed to you"
        return [f"{text}; if it is yours, ask for s3:ListBucket on {self.arn} ({ALL_PERMISSIONS})"]

    def differences(self, current: JSON) -> list[str]:
        """Return whether uploads are kept for ever, or bundles are not."""
        standing = [_gist(rule) for rule in current["rules"]]
        return [] if all(_gist(dict(rule)) in standing for rule in RULES) else ["its rules for what expires"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the bucket and let uploads expire; rules of other people stay."""
        client = aws.client("s3")
        if current is None:
            place: JSON = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
            known: Any = client.meta.service_model.shape_for("CreateBucketConfiguration")
            if self.labels and "Tags" in known.members:
                place["Tags"] = as_list(dict(self.labels))
            made: JSON = {"CreateBucketConfiguration": place} if place else {}
            client.create_bucket(Bucket=self.name, **made)
        others = [rule for rule in (current or {}).get("rules", []) if not rule.get("ID", "").startswith(OWNER_PREFIX)]
        rules: list[LifecycleRuleUnionTypeDef] = [*RULES, *others]
        client.put_bucket_lifecycle_configuration(
            Bucket=self.name, LifecycleConfiguration={"Rules": rules}, ExpectedBucketOwner=self.account
        )

    def delete(self, aws: AWS, current: object) -> None:
        """Never: other apps use it too."""


def left_empty(aws: AWS) -> str:
    """Return what to say of the account's bucket where it stands empty once an app is gone; else an empty text."""
    from botocore.exceptions import BotoCoreError, ClientError  # not at the top: loading the extension would import it

    client, name = aws.client("s3"), upload_bucket(aws.account, aws.region)
    try:
        page = client.list_objects_v2(Bucket=name, MaxKeys=1, ExpectedBucketOwner=aws.account)
    except (BotoCoreError, ClientError):
        return ""  # There is none, or it cannot be asked: all is deleted that was to be.
    if page.get("KeyCount"):
        return ""
    return (
        f"the bucket {name}, for zips over 50 MB and large bundles, is empty and stays: other apps of the account may "
        f"use it. If none does, aws s3 rb s3://{name} removes it"
    )


def _gist(rule: JSON) -> list[object]:
    days = [rule.get("Expiration", {}).get("Days"), rule.get("AbortIncompleteMultipartUpload")]
    return [rule.get("ID"), rule.get("Status"), rule.get("Filter", {}).get("Prefix", ""), *days]


@contextmanager
def uploaded(aws: AWS, content: bytes) -> Iterator[FunctionCodeTypeDef]:
    """Give the arguments that tell Lambda where a zip is: in the call itself, or in the bucket for large ones."""
    if not is_large(len(content)):
        yield {"ZipFile": content}
        return
    client, bucket, key = aws.client("s3"), upload_bucket(aws.account, aws.region), f"{UPLOADS}{uuid.uuid4()}.zip"
    client.put_object(Bucket=bucket, Key=key, Body=content, ExpectedBucketOwner=aws.account)
    try:
        yield {"S3Bucket": bucket, "S3Key": key}
    finally:
        client.delete_object(Bucket=bucket, Key=key, ExpectedBucketOwner=aws.account)
