"""Keeps the last events of a function in S3, as the option ``record`` asks for: before the handler sees them.

It ships with no other function. Whatever goes wrong costs the event nothing: it is logged once for each execution
environment, and tried again after a while.
"""

from __future__ import annotations

import functools
import importlib
import json
import logging
import os
import time

from .frames import without_own_frames
from .redaction import redacted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypedDict

    class Recording(TypedDict):
        """What the function's variable says: where to keep how many events, and which fields not."""

        bucket: str
        prefix: str
        owner: str
        keep: int
        redact: list[str]
        key: str


VARIABLE = "NBCHALICE_RECORD"
MOST_BYTES = 1 << 20
_CLOCKS_APART_MS = 60_000
_PAUSE = 60  # seconds after a failure: where a VPC has no way to S3, not every event waits for it
_SECONDS = 2

_log = logging.getLogger("nbchalice")


def recorded(handler: Callable[[object, object], object]) -> Callable[[object, object], object]:
    """Return ``handler`` so that each event is kept before it is handled."""
    recorder = _Recorder()

    @functools.wraps(handler)
    def run(event: object, context: object) -> object:
        recorder.keep(event, context)
        try:
            return handler(event, context)
        except Exception as error:
            error.__traceback__ = without_own_frames(error)
            raise

    return run


class _Recorder:
    def __init__(self) -> None:
        self._is_told = False
        self._paused_until = 0.0
        self._place: Recording | None = None
        self._try(self._open)

    def keep(self, event: object, context: Any) -> None:
        """Keep an event, in place of the oldest one."""
        if self._place is not None and time.monotonic() >= self._paused_until:
            self._try(lambda place: self._write(place, event, context), self._place)

    def _open(self) -> None:
        place: Recording = json.loads(os.environ[VARIABLE])
        config = importlib.import_module("botocore.config").Config(
            connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 1}
        )
        self._client = importlib.import_module("boto3").client("s3", config=config)
        self._place = place

    def _write(self, place: Recording, event: object, context: Any) -> None:
        at, request_id = time.time_ns() // 1_000_000, context.aws_request_id
        about = {"at": at, "request_id": request_id}
        body = json.dumps({**about, "event": redacted(event, place["redact"])}).encode()
        if len(body) > MOST_BYTES:
            body = json.dumps({**about, "size": len(body)}).encode()
        where = {"Bucket": place["bucket"], "ExpectedBucketOwner": place["owner"]}
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": place["key"]} if place["key"] else {}
        name = f"{place['prefix']}{at:013}-{request_id}.json"
        self._client.put_object(**where, Key=name, Body=body, **encryption)
        found = self._client.list_objects_v2(**where, Prefix=place["prefix"]).get("Contents", [])
        # By name they are in the order of time; those of the future are of before a computer's clock was set back.
        ahead = f"{place['prefix']}{at + _CLOCKS_APART_MS:013}"
        found.sort(key=lambda one: (one["Key"] < ahead, one["Key"]))
        for old in found[: max(0, len(found) - place["keep"])]:
            self._client.delete_object(**where, Key=old["Key"])

    def _try(self, do: Callable[..., None], *arguments: object) -> None:
        try:
            do(*arguments)
        except Exception as error:
            self._paused_until = time.monotonic() + _PAUSE
            if not self._is_told:
                self._is_told = True
                _log.warning("events are not recorded, and handled all the same: %s", error)
