"""Names the AWS operation of an HTTP request."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import botocore.loaders

if TYPE_CHECKING:
    from .request import Request

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
