"""Which service a request is for, as MiniStack routes it."""

from __future__ import annotations

from dataclasses import replace

from ministack.core import iam_actions, router

from .request import Request


def service_of(request: Request) -> str:
    """Return the service that a request is routed to."""
    service: str = router.detect_service(request.method, request.path, request.headers, request.params)
    return service


def may_be_scoped_to(request: Request, signing_name: str) -> bool:
    """Whether a signature for a service is one for the service that the request is routed to."""
    routed = service_of(request)
    names = {routed, iam_actions.SERVICE_TO_IAM_NAMESPACE.get(routed, routed)}
    names.add(router.SERVICE_PATTERNS.get(routed, {}).get("credential_scope", routed))
    return signing_name in names or routed == service_of(without_target(request))


def without_target(request: Request) -> Request:
    """Return the request as it is routed by the scope of its signature alone."""
    headers = {name: value for name, value in request.headers.items() if name != "x-amz-target"}
    return replace(request, headers=headers)
