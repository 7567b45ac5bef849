"""Policies that IAM refuses, and MiniStack takes (IAM: "Grammar of the IAM JSON policy language")."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.services import iam

from .checks import Record, Wrong, put_before
from .trust import listed

MALFORMED = "MalformedPolicyDocument"
VERSIONS = ("2008-10-17", "2012-10-17")
ELEMENTS = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip
VENDOR = re.compile(r"\*|[\w-]+:[\w*?]+")
SID = re.compile(r"[0-9A-Za-z]*")
SERVICE = re.compile(r"\*|[\w.-]+\.(amazonaws\.com(\.cn)?|aws\.internal)|[\w-]+\.amazon\.com")
MOST_OF_TRUST = 2048
MOST_OF_ROLE = 10_240
MOST_OF_POLICY = 6144
NOT_ATTACHABLE = "Policy {arn} does not exist or is not attachable."
Judge = Callable[[Record], str]


def apply_role_requests() -> None:
    """Put the checks in place."""
    for operation, check in {
        "CreateRole": lambda p: against_trust(text(p, "AssumeRolePolicyDocument")) or against_boundary(p),
        "UpdateAssumeRolePolicy": lambda p: against_trust(text(p, "PolicyDocument")) if has_role(p) else None,
        "PutRolePermissionsBoundary": against_boundary,
        "PutRolePolicy": lambda p: against_inline(p) if has_role(p) else None,
        "CreatePolicy": against_managed,
        "CreatePolicyVersion": against_managed,
        "AttachRolePolicy": lambda p: against_arn(text(p, "PolicyArn"), NOT_ATTACHABLE),
    }.items():
        name = iam._IAM_HANDLERS[operation].__name__
        iam._IAM_HANDLERS[operation] = put_before(iam, name, check, refused)


def text(parameters: Record, name: str) -> str:
    """Return a parameter of a call."""
    return str(iam._p(parameters, name) or "")


def has_role(parameters: Record) -> bool:
    """Whether the role of a call is there; MiniStack says if not, which IAM looks at first."""
    return text(parameters, "RoleName") in iam._roles


def refused(wrong: Wrong) -> Any:
    """Answer as IAM does."""
    return iam._error(wrong.status, wrong.code, wrong.message.replace("&", "&amp;").replace("<", "&lt;"), ns="iam")


def against_document(document: str, judge: Judge) -> Wrong | None:
    """Return what IAM says against a policy: its form, then each of its statements."""
    try:
        policy = json.loads(document)
    except ValueError:
        return Wrong(MALFORMED, "This policy contains invalid Json")
    statements = listed(policy.get("Statement")) if isinstance(policy, dict) else []
    if not statements or not all(isinstance(one, dict) and {*one} <= ELEMENTS for one in statements):
        return Wrong(MALFORMED, "Syntax errors in policy.")
    if policy.get("Version", VERSIONS[0]) not in VERSIONS:
        return Wrong(MALFORMED, "The policy must contain a valid version string")
    for statement in statements:
        if said := against_statement(statement) or judge(statement):
            return Wrong(MALFORMED, said)
    return None


def against_statement(statement: Record) -> str:
    """Return what IAM says against a statement of any policy, or an empty text."""
    if "Effect" not in statement:
        return "Missing required field Effect"
    if statement["Effect"] not in ("Allow", "Deny"):
        return f"Invalid effect: {statement['Effect']}"
    if not SID.fullmatch(str(statement.get("Sid", ""))):
        return (
            "Statement IDs (SID) must be alpha-numeric. "
            "Check that your input satisfies the regular expression [0-9A-Za-z]*"
        )
    actions = listed(statement.get("Action")) + listed(statement.get("NotAction"))
    if not all(isinstance(action, str) and VENDOR.fullmatch(action) for action in actions):
        return "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
    return ""


def against_trust(document: str) -> Wrong | None:
    """Return what IAM says against a trust policy, or None."""
    if len(re.sub(r"\s", "", document)) > MOST_OF_TRUST:
        return Wrong("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {MOST_OF_TRUST}", 409)
    return against_document(document, trusting)


def trusting(statement: Record) -> str:
    """Return what IAM says against a statement of a trust policy, or an empty text."""
    for element in ("Resource", "NotResource"):
        if element in statement:
            return f"Has prohibited field {element}"
    if "Principal" not in statement and "NotPrincipal" not in statement:
        return "Missing required field Principal"
    if "Action" not in statement and "NotAction" not in statement:
        return "Missing required field Action"
    if not all(action == "*" or action.lower().startswith("sts:") for action in listed(statement.get("Action"))):
        return "AssumeRole policy may only specify STS AssumeRole actions."
    return against_principal(statement.get("Principal"))


def against_principal(principal: object) -> str:
    """Return what IAM says against who is trusted, or an empty text."""
    named = principal if isinstance(principal, dict) else {}
    for service in listed(named.get("Service")):
        if not SERVICE.fullmatch(service):
            return f'Invalid principal in policy: "SERVICE":"{service}"'
    for arn in listed(named.get("AWS")):
        if not is_somebody(arn):
            return f'Invalid principal in policy: "AWS":"{arn}"'
    return ""


def is_somebody(arn: str) -> bool:
    """Whether a principal of this account is there; those of other accounts are nobody's to look up."""
    kind, _, rest = arn.rpartition(":")[2].partition("/")
    if arn.split(":")[4:5] != [iam.get_account_id()] or kind not in ("role", "user"):
        return True
    known = iam._roles if kind == "role" else iam._users
    return known.get(rest.rpartition("/")[2]) is not None


def permitting(statement: Record) -> str:
    """Return what IAM says against a statement of a role's permissions, or an empty text."""
    if "Principal" in statement or "NotPrincipal" in statement:
        return "Policy document should not specify a principal."
    if "Action" not in statement and "NotAction" not in statement:
        return "Policy statement must contain actions."
    resources = listed(statement.get("Resource")) + listed(statement.get("NotResource"))
    if not resources:
        return "Policy statement must contain resources."
    for resource in resources:
        if resource != "*" and not str(resource).startswith("arn:"):
            return f'Resource {resource} must be in ARN format or "*".'
    return ""


def against_inline(parameters: Record) -> Wrong | None:
    """Return what IAM says against a policy of a role's own, or None."""
    role, document = text(parameters, "RoleName"), text(parameters, "PolicyDocument")
    others = {**((iam._roles.get(role) or {}).get("InlinePolicies") or {}), text(parameters, "PolicyName"): document}
    size = sum(len(re.sub(r"\s", "", one if isinstance(one, str) else json.dumps(one))) for one in others.values())
    if size > MOST_OF_ROLE:
        return Wrong("LimitExceeded", f"Maximum policy size of {MOST_OF_ROLE} bytes exceeded for role {role}", 409)
    return against_document(document, permitting)


def against_managed(parameters: Record) -> Wrong | None:
    """Return what IAM says against a policy that several roles may have, or None."""
    document = text(parameters, "PolicyDocument")
    if len(re.sub(r"\s", "", document)) > MOST_OF_POLICY:
        return Wrong("LimitExceeded", f"Cannot exceed quota for PolicySize: {MOST_OF_POLICY}", 409)
    return against_document(document, permitting)


def against_boundary(parameters: Record) -> Wrong | None:
    """Return what IAM says against a permissions boundary that is not there, or None."""
    return against_arn(text(parameters, "PermissionsBoundary"), "Scope ARN: {arn} does not exist or is not attachable.")


def against_arn(arn: str, message: str) -> Wrong | None:
    """Return what IAM says of a policy of the account that is not there, or None; AWS's own are not looked up."""
    if arn.split(":")[4:5] == ["aws"] or not arn or iam._policies.get(arn) is not None:
        return None
    return Wrong("NoSuchEntity", message.format(arn=arn), 404)
