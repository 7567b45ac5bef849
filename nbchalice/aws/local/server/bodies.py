"""Bodies of requests: how large they may be, checked while they are read."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from .refusals import Refused, Words
from .request import Request
from .routes import service_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

MB = 1024 * 1024
LARGEST_OBJECT = 5 * 1024 * MB  # S3: PutObject, UploadPart
LARGEST = 16 * MB  # more than any other API takes, however its text is escaped
LARGEST_DISCARDED = 128 * MB  # so that a client that sends before it listens gets its answer
# Lambda: a zip of 50 MB in base64, and what else the operation takes.
LARGEST_CODE = 70_167_211
LARGEST_EVENT = 6 * MB
LARGEST_ASYNCHRONOUS_EVENT = 1 * MB
OF_LAMBDA = (
    ("POST", r"/[\d-]+/functions/?", "CreateFunction"),
    ("PUT", r"/[\d-]+/functions/[^/]+/code", "UpdateFunctionCode"),
    ("POST", r"/[\d-]+/layers/[^/]+/versions", "PublishLayerVersion"),
    ("POST", r"/[\d-]+/functions/[^/]+/(response-streaming-)?invocations", "InvokeFunction"),
)


class Body:
    """The body of one request, read in parts.

    Parameters
    ----------
    receive : Receive
        Gives the parts.
    request : Request
        Whose body it is.
    """

    def __init__(self, receive: Receive, request: Request) -> None:
        self._receive, self._request = receive, request
        self._parts: list[bytes] = []
        self._size = 0
        self._more = True

    async def read(self) -> bytes:
        """Return all of it.

        Raises
        ------
        Refused
            It is larger than the API takes; no more than that was read.
        """
        declared = self._request.headers.get("content-length", "")
        limit = limit_of(self._request)
        if declared.isdecimal():
            limit.check(int(declared))
        while self._more:
            await self._read_part()
            limit.check(self._size)
        return b"".join(self._parts)

    async def read_until(self, mark: bytes, most: int) -> bytes:
        """Return its beginning: up to a mark at least, or all, or so much."""
        beginning = b""
        while self._more and mark not in beginning and len(beginning) < most:
            await self._read_part()
            beginning = b"".join(self._parts)
        return beginning

    async def discard(self) -> None:
        """Read on, and keep nothing."""
        while self._more and self._size < LARGEST_DISCARDED:
            await self._read_part()
            self._parts.clear()

    async def _read_part(self) -> None:
        message = await self._receive()
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        part = message.get("body", b"")
        self._parts.append(part)
        self._size += len(part)


@dataclass(frozen=True)
class Limit:
    """How large a body may be, and what is said of a larger one: code, status and a message with its size."""

    largest: int
    code: str
    status: int
    message: str

    def check(self, size: int) -> None:
        """Refuse a body of that size, if it is too large."""
        if size > self.largest:
            text = self.message.format(largest=self.largest, size=size)
            raise Refused(self.code, text, Words(self.code, self.status, text), self.status)


def limit_of(request: Request) -> Limit:
    """Return the limit of a request's body, as AWS has it."""
    service = service_of(request)
    if service == "s3":
        return Limit(LARGEST_OBJECT, "EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size")
    operations = [
        name for method, path, name in OF_LAMBDA if request.method == method and re.fullmatch(path, request.path)
    ]
    if service != "lambda" or not operations:
        return Limit(LARGEST, "RequestEntityTooLarge", 413, "Request size exceeds the limit of {largest} bytes")
    largest = LARGEST_EVENT if operations == ["InvokeFunction"] else LARGEST_CODE
    message = f"Request must be smaller than {{largest}} bytes for the {operations[0]} operation"
    if operations == ["InvokeFunction"] and request.headers.get("x-amz-invocation-type") == "Event":
        largest = LARGEST_ASYNCHRONOUS_EVENT
        message = "{size} byte payload is too large for the Event invocation type (limit {largest} bytes)"
    return Limit(largest, "RequestEntityTooLargeException", 413, message)
