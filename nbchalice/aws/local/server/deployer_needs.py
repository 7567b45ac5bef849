"""What who deploys must be allowed: calls of Lambda, IAM and Scheduler, passed roles, and tags of what is new."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from ministack.services import iam, lambda_svc

from .api_calls import ApiCall
from .need import Need

# Who makes a thing with tags needs the permission to tag, too (Service Authorization Reference).
TAGGING = {
    "lambda:CreateFunction": ("lambda:TagResource", "Tags"),
    "lambda:CreateEventSourceMapping": ("lambda:TagResource", "Tags"),
    "logs:CreateLogGroup": ("logs:TagResource", "tags"),
    "events:PutRule": ("events:TagResource", "Tags"),
}
WITH_LAYERS = frozenset({"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration"})
MAPPINGS = "/event-source-mappings"
SIGNING = "/code-signing-configs/"


def of_lambda(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of Lambda needs: the function, the role it is given, its layers, and tags."""
    resource = config_of(call) or function_of(call)
    yield Need(action, (resource,))
    if action == "lambda:PutFunctionCodeSigningConfig":
        yield Need(action, (call.given("CodeSigningConfigArn"),))
    if action in WITH_LAYERS and (role := call.given("Role")):
        yield Need("iam:PassRole", (role,))
    if action in WITH_LAYERS:
        yield from (Need("lambda:GetLayerVersion", (arn,)) for arn in call.listed("Layers"))
    yield from tagging(
        call, action, call.arn("lambda", "event-source-mapping:*") if MAPPINGS in call.path else resource
    )


def config_of(call: ApiCall) -> str:
    """Return the code signing configuration that a call is about, or an empty text."""
    return unquote(call.path.partition(SIGNING)[2])


def tagging(call: ApiCall, action: str, resource: str) -> Iterator[Need]:
    """Yield the permission to tag where a thing is made with tags."""
    more, member = TAGGING.get(action, ("", ""))
    if more and call.document.get(member):
        yield Need(more, (resource,))


def function_of(call: ApiCall) -> str:
    """Return the function, with the version or alias that is asked for; or the layer, or the mapping."""
    arn, qualifier = call.resource, call.given("Qualifier")
    if arn == "*" and MAPPINGS not in call.path and (name := call.given("FunctionName")):
        arn = call.arn("lambda", f"function:{name}")
    if match := re.search(r":function:(?:\d+:function:|arn:aws:lambda:.*:function:)(.+)$", arn):
        arn = f"{arn[: match.start()]}:function:{match[1]}"  # A partial ARN stood for the name.
    return f"{arn}:{qualifier}" if qualifier and not arn.endswith(f":{qualifier}") else arn


def function_of_mapping(call: ApiCall) -> str:
    """Return the ARN of the function of an event source mapping, which conditions may name; empty for other calls."""
    if call.service != "lambda" or MAPPINGS not in call.path:
        return ""
    name = call.given("FunctionName")
    if name:
        return call.arn("lambda", f"function:{name}")
    uuid = unquote(call.path.rstrip("/").rpartition("/")[2])
    mapping = lambda_svc._esms.get(uuid) or {}
    return str(mapping.get("FunctionArn", ""))


def of_iam(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of IAM needs: a role is named with its path."""
    name = call.given("RoleName")
    if not name:
        yield Need(action, (call.resource,), certain=False)
        return
    standing = iam._roles.get_scoped(call.account, None, name) or {}
    path = call.given("Path") or "/"
    arn = str(standing.get("Arn") or f"arn:aws:iam::{call.account}:role{path}{name}")
    yield Need(action, (arn,))
    if action == "iam:CreateRole" and call.given("Tags.member.1.Key"):
        yield Need("iam:TagRole", (arn,))
    if action == "iam:CreateRole" and call.given("PermissionsBoundary"):
        yield Need("iam:PutRolePermissionsBoundary", (arn,))


def of_scheduler(call: ApiCall, action: str) -> Iterator[Need]:
    """Yield what a call of Scheduler needs: the schedule, and the role it is given."""
    yield Need(action, (call.resource,), certain=call.resource != "*")
    target = call.document.get("Target")
    if isinstance(target, dict) and target.get("RoleArn"):
        yield Need("iam:PassRole", (str(target["RoleArn"]),))


def passed_to(call: ApiCall) -> str:
    """Return the service to which a call passes a role."""
    return {"lambda": "lambda.amazonaws.com", "scheduler": "scheduler.amazonaws.com"}.get(call.service, "")


def boundary_of(call: ApiCall) -> str:
    """Return the boundary that a call gives a role, or that the role has which it changes; empty for others."""
    if call.service != "iam":
        return ""
    standing = iam._roles.get_scoped(call.account, None, call.given("RoleName")) or {}
    return call.given("PermissionsBoundary") or str(standing.get("PermissionsBoundary") or "")
