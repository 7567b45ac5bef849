"""Events that a function keeps in the account's bucket, where its settings ask for that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

from nbchalice.resources.base import AWS, FunctionRef, Key, Resource, is_missing, key_of, or_missing, status_code
from nbchalice.resources.upload_bucket import RECORDED, UploadBucket, upload_bucket
from nbchalice.runtime.recording import VARIABLE
from nbchalice.typed import JSON, Values

READERS = 16


def recorded_folder(function: FunctionRef) -> str:
    """Return what the keys of a function's events begin with."""
    return f"{RECORDED}{function.app}/{function.stage}/{function.handler}/"


@dataclass(frozen=True)
class Recording:
    """How a function keeps its events.

    Parameters
    ----------
    function : FunctionRef
        The function.
    most : int
        How many are kept.
    redact : tuple[str, ...]
        Fields that are left out.
    kms_key : str
        ARN of the key that encrypts them, or empty: the bucket's own encryption.
    """

    function: FunctionRef
    most: int
    redact: tuple[str, ...] = ()
    kms_key: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """The environment variable that tells the function."""
        ref = self.function
        told = {
            "bucket": upload_bucket(ref.account, ref.region),
            "prefix": recorded_folder(ref),
            "owner": ref.account,
            "keep": self.most,
            "redact": list(self.redact),
            "key": self.kms_key,
        }
        return {VARIABLE: json.dumps(told, separators=(",", ":"))}

    @property
    def statements(self) -> list[JSON]:
        """What the function's role must be allowed for it; it need not read what it keeps."""
        ref, folder = self.function, recorded_folder(self.function)
        bucket = UploadBucket(ref.account, ref.region, ref.partition).arn
        write: JSON = {"Action": ["s3:DeleteObject", "s3:PutObject"], "Resource": f"{bucket}/{folder}*"}
        only_own = {"StringEquals": {"s3:prefix": folder}}
        found: list[JSON] = [write, {"Action": "s3:ListBucket", "Resource": bucket, "Condition": only_own}]
        if self.kms_key:
            found.append({"Action": "kms:GenerateDataKey", "Resource": self.kms_key})
        return [{"Effect": "Allow", **one} for one in found]


def records(function: Values) -> bool:
    """Tell whether a function, as it stands, keeps its events."""
    return VARIABLE in ((function.get("Configuration") or {}).get("Environment") or {}).get("Variables", {})


@dataclass(frozen=True)
class RecordedEvents(Resource):
    """The events that a function kept; the function writes them, and a deploy only removes them (S3: DeleteObjects).

    Parameters
    ----------
    function : FunctionRef
        The function.
    """

    kind: ClassVar[str] = "recorded events"
    function: FunctionRef

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def needs(self) -> frozenset[Key]:
        """The function, by which they are found."""
        return frozenset({key_of("function", self.function.name)})

    @property
    def _where(self) -> JSON:
        ref = self.function
        return {"Bucket": upload_bucket(ref.account, ref.region), "ExpectedBucketOwner": ref.account}

    def read(self, aws: AWS) -> JSON | None:
        """Return their keys, the oldest first, or None where there are none."""
        client = aws.client("s3")
        keys: list[str] = []
        with or_missing():
            pages = client.get_paginator("list_objects_v2").paginate(
                **self._where, Prefix=recorded_folder(self.function)
            )
            for page in pages:
                keys += [found["Key"] for found in page.get("Contents", [])]
        return {"keys": keys} if keys else None

    def differences(self, current: JSON) -> list[str]:
        """Nothing: what was recorded stays as it is."""
        return []

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Never: the function does."""

    def delete(self, aws: AWS, current: object) -> None:
        """Delete all that stand now."""
        for key in (self.read(aws) or {}).get("keys", ()):
            with or_missing():
                aws.client("s3").delete_object(**self._where, Key=key)

    def contents(self, aws: AWS) -> Iterator[JSON]:
        """Yield what was written of each event, the oldest first; one that went away meanwhile is left out."""
        client = aws.client("s3")

        def content(key: str) -> JSON | None:
            try:
                found: JSON = json.loads(client.get_object(**self._where, Key=key)["Body"].read())
            except client.exceptions.ClientError as error:
                if is_missing(error) or status_code(error) == 404:
                    return None
                raise
            return found

        with ThreadPoolExecutor(READERS) as pool:
            yield from filter(None, pool.map(content, (self.read(aws) or {}).get("keys", ())))
