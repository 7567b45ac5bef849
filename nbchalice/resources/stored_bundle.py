"""Bundled objects that are too big for a zip: kept in the bucket under their hash; the function loads them there."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO, ClassVar, Protocol

from nbchalice.resources.base import AWS, FunctionRef, Key, Resource, is_missing, or_missing, status_code
from nbchalice.resources.upload_bucket import UploadBucket, upload_bucket
from nbchalice.runtime.bundles import PLACE
from nbchalice.text import readable
from nbchalice.typed import JSON, Values

SHOWN_LETTERS = 12


class BundlePackage(Protocol):
    """A bundled object that is too big for the zip; `nbchalice.packaging.bundles.Bundle` is one."""

    @property
    def name(self) -> str:
        """The variable's name."""

    @property
    def sha256(self) -> str:
        """Hash of the content."""

    @property
    def size(self) -> int:
        """Bytes of the content."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """Return the content as an open file."""


def bundle_folder(app: str, stage: str) -> str:
    """Return what the keys of an app's bundles begin with."""
    return f"bundles/{app}/{stage}/"


@dataclass(frozen=True)
class StoredBundle(Resource):
    """A bundle in S3 (S3: PutObject).

    Its key holds the hash of what is in it, so one that stands never differs and is not sent again. It is kept as long
    as a version of a function loads it.

    Parameters
    ----------
    home : FunctionRef
        Names app, stage, region and account; its handler is any of those that load the bundle.
    sha256 : str
        Hash of the content.
    size : int
        bytes.
    content : BundlePackage or None
        The content, or None for a bundle that is only to be removed.
    """

    kind: ClassVar[str] = "bundle"
    home: FunctionRef = field(compare=False)
    sha256: str
    size: int = field(compare=False)
    content: BundlePackage | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, content: BundlePackage, home: FunctionRef) -> StoredBundle:
        """Return where a bundle of an app stands."""
        return cls(home, content.sha256, content.size, content)

    @property
    def name(self) -> str:
        """The variable and the size, as a person reads them; S3 does not tell the variable."""
        return f"{self.content.name if self.content else self.sha256[:SHOWN_LETTERS]} ({readable(self.size)})"

    @property
    def key(self) -> Key:
        """Its identity: what is in it."""
        return Key(f"{self.kind} {self.sha256}")

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return upload_bucket(self.home.account, self.home.region)

    @property
    def object_key(self) -> str:
        """The object's key."""
        return f"{bundle_folder(self.home.app, self.home.stage)}{self.sha256}"

    @property
    def arn(self) -> str:
        """The object's ARN."""
        return f"arn:{self.home.partition}:s3:::{self.bucket}/{self.object_key}"

    @property
    def needs(self) -> frozenset[Key]:
        """The bucket."""
        return frozenset({UploadBucket(self.home.account, self.home.region).key})

    def _where(self) -> JSON:
        return {"Bucket": self.bucket, "Key": self.object_key, "ExpectedBucketOwner": self.home.account}

    def read(self, aws: AWS) -> JSON | None:
        """Return what HeadObject tells, or None; who may not list the bucket is told 403 for what is missing."""
        client = aws.client("s3")
        try:
            return dict(client.head_object(**self._where()))
        except client.exceptions.ClientError as error:
            if is_missing(error) or status_code(error) == 403:
                return None
            raise

    def differences(self, current: JSON) -> list[str]:
        """Return whether it is cut off; else the key says what is in it."""
        return [] if current["ContentLength"] == self.size else ["its size"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Upload it."""
        assert self.content is not None
        with self.content.open() as file:
            aws.client("s3").upload_fileobj(
                file, self.bucket, self.object_key, ExtraArgs={"ExpectedBucketOwner": self.home.account}
            )

    def delete(self, aws: AWS, current: object) -> None:
        """Delete it."""
        with or_missing():
            aws.client("s3").delete_object(**self._where())


def stored_bundles(aws: AWS, home: FunctionRef) -> list[StoredBundle]:
    """Return the bundles of an app that stand; none where there is no bucket of ours or it may not be listed."""
    client = aws.client("s3")
    bucket, folder = upload_bucket(home.account, home.region), bundle_folder(home.app, home.stage)
    try:
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=folder, ExpectedBucketOwner=home.account
        )
        objects = list(chain.from_iterable(page.get("Contents", []) for page in pages))
    except client.exceptions.ClientError as error:
        if is_missing(error) or status_code(error) == 403:
            return []
        raise
    return [StoredBundle(home, stored["Key"].removeprefix(folder), stored["Size"]) for stored in objects]


def location_of(bundles: list[StoredBundle]) -> dict[str, str]:
    """Return the environment variable that tells a function where its bundles are, and each version's which they are.

    Parameters
    ----------
    bundles : list[StoredBundle]
        Those that the function loads.
    """
    if not bundles:
        return {}
    folder = f"s3://{bundles[0].bucket}/{bundle_folder(bundles[0].home.app, bundles[0].home.stage)}"
    return {PLACE: folder + ",".join(sorted(bundle.sha256 for bundle in bundles))}


def loaded_by(configuration: Values) -> set[str]:
    """Return the hashes of the bundles that a version of a function loads.

    Parameters
    ----------
    configuration : Values
        What GetFunctionConfiguration tells.
    """
    variables = (configuration.get("Environment") or {}).get("Variables", {})
    return set(filter(None, variables.get(PLACE, "").rpartition("/")[2].split(",")))
