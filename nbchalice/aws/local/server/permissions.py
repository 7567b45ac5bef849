"""What a role may do: asked of MiniStack's IAM evaluator before a call with a role's key reaches a service.

The policies count as they stand at the call. What the evaluator cannot tell is refused, and the refusal says so.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import ParseError

from ministack.core import iam_actions, iam_evaluator, responses, router
from ministack.core.iam_evaluator import EvalContext, EvalResult, PrincipalInfo
from ministack.services import iam, s3, tagging

from .api_calls import ApiCall
from .api_needs import needs
from .deployer_needs import boundary_of, function_of_mapping, passed_to
from .need import Need
from .request import Request
from .trust import listed

# AWS asks for no permission.
FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
READS_OF_OBJECTS = frozenset({"s3:GetObject", "s3:GetObjectVersion"})
# Status, headers and body of an answer.
Answer = tuple[int, dict[str, str], bytes]


def refusal(request: Request, access_key: str) -> Answer | None:
    """Return AWS's answer to a call that the role of a key is not allowed, or None."""
    responses.set_request_account_id(access_key)
    responses.set_request_region(router.extract_region(request.headers, request.params))
    call = ApiCall.parse(request)
    if call.action in FREE or not call.is_served:
        return None
    principal = iam_evaluator.resolve_principal(access_key, call.account)
    if not isinstance(principal, PrincipalInfo):
        return answer(call, call.action or "", f"{principal.message}")
    if problem := unknown(call, principal):
        return answer(call, "", f"User: {principal.arn} is not allowed this call here: {problem}")
    asked = list(needs(call))
    facts = context(call, principal)
    for need in asked:
        result = decided(need, call, principal, facts)
        if result.decision != "Allow":
            return denial(call, need, principal, result)
    return None if is_trusted(principal, call) else mistrust(principal, call)


def untrusted(request: Request, access_key: str) -> Answer | None:
    """Return AWS's answer to a person who takes a role that does not trust them; all else they may do."""
    if b"AssumeRole" not in request.body:
        return None
    responses.set_request_account_id(access_key)
    call = ApiCall.parse(request)
    person = PrincipalInfo(f"arn:aws:iam::{call.account}:root", "Root", call.account, None)
    return None if is_trusted(person, call) else mistrust(person, call)


def mistrust(principal: PrincipalInfo, call: ApiCall) -> Answer:
    """Return AWS's answer to who takes a role that does not trust them."""
    return answer(
        call, "", f"User: {principal.arn} is not authorized to perform: {call.action} on resource: {call.resource}"
    )


def is_trusted(principal: PrincipalInfo, call: ApiCall) -> bool:
    """Whether the role that is to be assumed, where one is, trusts the caller."""
    if call.action != "sts:AssumeRole":
        return True
    role = iam._roles.get_scoped(call.account, None, call.resource.rpartition("/")[2])
    asked = asking(Need("sts:AssumeRole"), call.resource, call, principal, {"sts:externalid": call.given("ExternalId")})
    return role is not None and bool(
        iam_evaluator.evaluate_trust_policy(
            without_services(role.get("AssumeRolePolicyDocument", "{}")), principal.arn, asked
        )
    )


def without_services(document: str) -> str:
    """Return a trust policy without what it says of services, for which MiniStack takes an account's root, too."""
    policy = json.loads(document)
    statements = []
    for statement in listed(policy.get("Statement")):
        principal = statement.get("Principal")
        if isinstance(principal, dict):
            principal = {kind: named for kind, named in principal.items() if kind != "Service"}
        if principal or "NotPrincipal" in statement:
            statements.append({**statement, **({"Principal": principal} if principal else {})})
    return json.dumps({**policy, "Statement": statements})


def unknown(call: ApiCall, principal: PrincipalInfo) -> str:
    """Return why the permission for a call cannot be asked for, or an empty text."""
    if call.action is None:
        return f"nobody knows which permission {call.method} {call.path} of {call.service} takes on AWS"
    role = role_of(principal)
    if iam._roles.get_scoped(call.account, None, role) is None:
        return f"the local AWS has no role {role}; make it there, with the policies that it has on AWS"
    return ""


def role_of(principal: PrincipalInfo) -> str:
    """Return the name of the role that a caller has assumed."""
    return str(principal.arn.split("/")[1])


def refusal_of_missing(request: Request, access_key: str) -> Answer | None:
    """Return S3's answer to who asks for an object that is missing and may not list the bucket; None for others."""
    bucket = request.path.lstrip("/").partition("/")[0]
    call = ApiCall.parse(request)
    if call.service != "s3" or call.action not in READS_OF_OBJECTS or s3._buckets.get(bucket) is None:
        return None
    principal = iam_evaluator.resolve_principal(access_key, call.account)
    need = Need("s3:ListBucket", (f"arn:aws:s3:::{bucket}",))
    if not isinstance(principal, PrincipalInfo):
        return None
    result = decided(need, call, principal, {})
    return None if result.decision == "Allow" else denial(call, need, principal, result)


def decided(need: Need, call: ApiCall, principal: PrincipalInfo, found: Mapping[str, Any]) -> EvalResult:
    """Return what the evaluator decides: of several ways to name a resource one must be allowed, and none denied."""
    results = [evaluated(need, arn, call, principal, found) for arn in need.resources]
    order = {"Deny": 0, "Allow": 1}
    return min(results, key=lambda result: order.get(result.decision, 2))


def evaluated(need: Need, arn: str, call: ApiCall, principal: PrincipalInfo, found: Mapping[str, Any]) -> EvalResult:
    """Return what role, boundary and the resource's own policy say together, its reason being which of them lacks."""
    policies, limits = principal.policies or [], principal.limits
    asked = asking(need, arn, call, principal, found)
    if not need.certain:
        policies = [on_anything(statements) for statements in policies]
    result, lacking = iam_evaluator.evaluate(asked, policies, *limits), "identity-based policy"
    if result.decision == "Allow":
        lacking = "resource-based policy"
    elif limits and iam_evaluator.evaluate(asked, policies).decision == "Allow":
        bounded = iam._roles.get_scoped(call.account, None, role_of(principal)).get("PermissionsBoundary")
        lacking = "permissions boundary" if bounded else "session policy"
    if own := iam_evaluator._resource_policy(call.service, arn):
        required = call.service in iam_evaluator._POLICY_REQUIRED
        result = iam_evaluator.combine_resource_policy(result, asked, *own, required=required, limits=limits)
    return replace(result, reason=lacking)


def asking(need: Need, arn: str, call: ApiCall, principal: PrincipalInfo, found: Mapping[str, Any]) -> EvalContext:
    """Return what the evaluator is asked."""
    return EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=need.action,
        resource_arn=arn,
        region=call.region,
        source_ip="127.0.0.1",
        service_context={**found, **tags_of(arn, principal.policies or [])},
        principal_keys=principal.keys,
    )


def on_anything(statements: list[Any]) -> list[Any]:
    """Return statements whose permissions count for every resource."""
    return [replace(one, resources=["*"], not_resources=[]) if one.effect == "Allow" else one for one in statements]


def context(call: ApiCall, principal: PrincipalInfo) -> dict[str, Any]:
    """Return what conditions may ask of a request."""
    params, action = call.params, call.action or ""
    keys: dict[str, Any] = {}
    if call.service == "s3":
        keys = {**iam_actions.s3_service_context(action, params, call.path, call.headers), **tags_of_new_bucket(call)}
    elif call.service == "dynamodb":
        keys = iam_actions.dynamodb_service_context(call.body)
    elif call.service == "logs":
        operation = action.partition(":")[2]
        keys = iam_actions.logs_service_context(operation, call.body, call.resource, call.region, call.account)
    elif function := function_of_mapping(call):
        keys = {"lambda:functionarn": function}
    if service := passed_to(call):
        keys["iam:passedtoservice"] = service
    if boundary := boundary_of(call):
        keys["iam:permissionsboundary"] = boundary
    if iam_evaluator._names_condition_key(principal.policies or [], "aws:"):
        keys = {**iam_actions.request_tag_context(call.service, action, call.body, params), **keys}
    return {"aws:tagkeys": None, **{key.lower(): value for key, value in keys.items()}}


def tags_of_new_bucket(call: ApiCall) -> dict[str, Any]:
    """Return what conditions may ask of the tags that a bucket is made with."""
    if call.action != "s3:CreateBucket" or b"<Tag>" not in call.body:
        return {}
    try:
        tags = s3._parse_tags_xml(call.body)
    except (ParseError, ValueError):  # S3 says what is wrong with it
        return {}
    return {"aws:TagKeys": list(tags), **{f"aws:requesttag/{name}".lower(): value for name, value in tags.items()}}


def tags_of(arn: str, policies: list[list[Any]]) -> dict[str, str]:
    """Return the tags of a resource as conditions name them, where one asks for them."""
    if not iam_evaluator._names_condition_key(policies, "aws:resourcetag/"):
        return {}
    return {f"aws:resourcetag/{name}".lower(): value for name, value in (tagging.resource_tags(arn) or {}).items()}


def denial(call: ApiCall, need: Need, principal: PrincipalInfo, result: EvalResult) -> Answer:
    """Return AWS's answer where a permission lacks."""
    explicit = result.decision == "Deny"
    action, arn = spelled(need.action), need.resources[0]
    if explicit and result.resource_policy_arn:
        message = iam_actions._resource_policy_denial(call.service, need.action, principal.arn, arn)
    else:
        resource = f'"{arn}"' if call.service == "s3" else arn
        message = iam_actions.identity_denial_message(action, principal.arn, resource, explicit)
        message = message.replace(" on resource: * ", " ").replace("no identity-based policy", f"no {result.reason}")
    return answer(call, action, message)


def spelled(action: str) -> str:
    """Return an action as the service writes it in its errors."""
    service, _, name = action.partition(":")
    return {"sqs": f"sqs:{name.lower()}", "sns": f"SNS:{name}"}.get(service, action)


def answer(call: ApiCall, action: str, message: str) -> Answer:
    """Return a refusal in the form of the service's protocol."""
    second = call.service == "ses" and call.path.startswith("/v2/")
    service = {"ssm": "secretsmanager", "logs": "secretsmanager", "ses": "sesv2" if second else "ses"}.get(
        call.service, call.service
    )
    status, headers, body = iam_actions.access_denied_response(
        service, action, "", str(uuid.uuid4()), message=message, headers=call.headers
    )
    responses.fix_error_content_type(service, status, headers)
    if "x-amz-target" in call.headers and call.service != "sqs":
        status = 400
    return status, headers, b"" if call.method == "HEAD" else body
