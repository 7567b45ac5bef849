"""An extension of the local AWS's server: injected faults, latency and a record of calls.

For tests of what a client does when AWS misbehaves. It runs in the server's own environment, without nbchalice.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import json
import os
import re
import threading
from collections.abc import MutableMapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import parse_qs

import botocore.loaders

App = Any
Request = Any
ACTIONS = ("throttle", "error", "drop-before", "drop-after")


@dataclass
class Fault:
    """One fault: which call it hits and what happens to it.

    Parameters
    ----------
    action: ``throttle`` (429), ``error`` (500), ``drop-before`` (the connection is lost before the call was processed)
        or ``drop-after`` (after it, so that only the answer is lost).
    service: the service's signing name, or nothing for all.
    operation: the operation's name, or nothing for all.
    nth: which of the matching calls fails, counted from 1.
    """

    action: str
    service: str = ""
    operation: str = ""
    nth: int = 1
    seen: int = 0

    def hits(self, service: str, operation: str) -> bool:
        """Count a call; whether it is the one to fail."""
        if self.service not in ("", service) or self.operation not in ("", operation):
            return False
        self.seen += 1
        return self.seen == self.nth


class Disk:
    """What becomes of a file that is written: ``held``, as on a disk that is busy, ``full`` or ``read-only``."""

    ERRORS = {"full": errno.ENOSPC, "read-only": errno.EROFS}  # noqa: RUF012

    def __init__(self) -> None:
        self._free, self._error = threading.Event(), 0
        self._free.set()
        self._fsync, os.fsync = os.fsync, self.fsync

    def fsync(self, descriptor: int) -> None:
        """Stand for ``os.fsync``."""
        self._free.wait()
        if self._error:
            raise OSError(self._error, os.strerror(self._error))
        self._fsync(descriptor)

    def configure(self, fault: str) -> None:
        """Begin or end a fault."""
        self._error = self.ERRORS.get(fault, 0)
        (self._free.clear if fault == "held" else self._free.set)()


class FaultInjector:
    """Stands between the guard and MiniStack; does nothing until configured.

    Parameters
    ----------
    app: the application behind.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._faults: list[Fault] = []
        self._latency = 0.0
        self._calls: list[list[str]] | None = None
        self._disk = Disk()

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Pass a call on, or let it fail."""
        request = scope.get("nbchalice.request")
        if request is None or (self._calls is None and not self._faults and not self._latency):
            await self._app(scope, receive, send)
            return
        service, operation = operation_of(request)
        if self._calls is not None:
            self._calls.append([service, operation])
        if self._latency:
            await asyncio.sleep(self._latency)
        fault = next((fault for fault in self._faults if fault.hits(service, operation)), None)
        await self._serve(fault.action if fault else "", scope, receive, send)

    async def _serve(self, action: str, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if action == "throttle":
            await refuse(scope["nbchalice.request"], send, 429, "ThrottlingException", "Rate exceeded (injected)")
        elif action == "error":
            await refuse(scope["nbchalice.request"], send, 500, "InternalFailure", "Internal failure (injected)")
        elif action == "drop-before":
            await drop_connection(scope["nbchalice.send"])
        elif action == "drop-after":
            await self._app(scope, receive, ignore)
            await drop_connection(scope["nbchalice.send"])
        else:
            await self._app(scope, receive, send)

    def configure(self, method: str, body: dict[str, Any]) -> tuple[int, Any]:
        """GET reads the calls, PUT sets faults, latency, recording and the disk, DELETE ends all of it."""
        if method == "GET":
            return 200, {"calls": self._calls or []}
        if method == "PUT":
            known = {item.name for item in fields(Fault)}
            faults = [
                Fault(**{key: value for key, value in entry.items() if key in known})
                for entry in body.get("faults", [])
            ]
            if unknown := [fault.action for fault in faults if fault.action not in ACTIONS]:
                return 400, {"message": f"unknown actions: {unknown}"}
            self._faults = faults
            self._latency = float(body.get("latency_ms", 0)) / 1000
            self._calls = [] if body.get("record") else None
            self._disk.configure(str(body.get("disk", "")))
            return 200, {}
        self._faults, self._latency, self._calls = [], 0.0, None
        self._disk.configure("")
        return 200, {}


async def refuse(request: Request, send: Any, status: int, code: str, message: str) -> None:
    """Answer with an error that SDKs of JSON, query and REST protocols understand."""
    if "x-amz-target" in request.headers:
        text = json.dumps({"__type": code, "message": message})
    else:
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>injected</RequestId></ErrorResponse>"
        )
    headers = [(b"x-amzn-errortype", code.encode()), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def ignore(message: Any) -> None:
    """Take a part of an answer that gets lost."""


async def drop_connection(send: Any) -> None:
    """Close the connection without an answer; hypercorn has no public way to."""
    from hypercorn.events import Closed

    stream = send.__self__
    protocol = stream.send.__self__
    await protocol.send(Closed())


SCOPE = re.compile(r"(?:Credential=|^)[^/\s]+/\d{8}/[^/]+/([^/]+)/aws4_request")
MODEL_NAMES = {"s3": "s3", "lambda": "lambda", "scheduler": "scheduler"}


def operation_of(request: Request) -> tuple[str, str]:
    """Return the service's signing name and the operation, or method and path where it has no known name."""
    credential = request.headers.get("authorization", "") or request.params.get("X-Amz-Credential", [""])[0]
    match = SCOPE.search(credential)
    service = match.group(1) if match else ""
    target = request.headers.get("x-amz-target", "")
    if target:
        return service, target.rpartition(".")[2]
    form = parse_qs(request.body.decode("latin-1")) if b"Action=" in request.body[:4096] else {}
    if action := (form.get("Action") or request.params.get("Action")):
        return service, action[0]
    return service, rest_operation(service, request) or f"{request.method} {request.path}"


def rest_operation(service: str, request: Request) -> str | None:
    """Look up the operation of a REST request in the service's model."""
    if service not in MODEL_NAMES:
        return None
    best: tuple[int, str] | None = None
    for method, pattern, flags, name in rest_patterns(service):
        if method != request.method or not pattern.fullmatch(request.path) or not flags <= set(request.params):
            continue
        if "Copy" in name and "x-amz-copy-source" not in request.headers:
            continue
        if best is None or len(flags) > best[0]:
            best = (len(flags), name)
    return best[1] if best else None


@functools.cache
def rest_patterns(service: str) -> list[tuple[str, re.Pattern[str], frozenset[str], str]]:
    """Return method, path pattern, needed query parameters and name of each operation."""
    model = botocore.loaders.create_loader().load_service_model(MODEL_NAMES[service], "service-2")
    patterns = []
    for name, operation in model["operations"].items():
        if operation.get("deprecated"):
            continue
        path, _, query = operation["http"]["requestUri"].partition("?")
        parts = re.split(r"\{(\w+\+?)\}", path.rstrip("/") or "/")
        text = "".join(
            re.escape(part) if at % 2 == 0 else (".+" if part.endswith("+") else "[^/]+")
            for at, part in enumerate(parts)
        )
        flags = frozenset(flag.partition("=")[0] for flag in query.split("&") if flag)
        patterns.append((operation["http"]["method"], re.compile(text + "/?"), flags, name))
    return patterns


extension = FaultInjector
