"""What the role of a function lets Lambda and other services do: be it, and read in its name."""

from __future__ import annotations

import json
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import iam

from .checks import Record


def is_here(arn: str) -> bool:
    """Whether a role is one of the local AWS; those of real AWS are not here to ask."""
    return arn.split(":")[4:5] == [iam.get_account_id()]


def trusts(arn: str, service: str) -> bool:
    """Whether a role is there, under this very ARN, and lets a service assume it."""
    if not is_here(arn):
        return True
    role = iam._roles.get(arn.rpartition("/")[2])
    if role is None or role["Arn"] != arn:
        return False
    statements = json.loads(role["AssumeRolePolicyDocument"])["Statement"]
    return any(lets(service, one) for one in listed(statements))


def lets(service: str, statement: Record) -> bool:
    """Whether a statement of a trust policy is one for a service; its conditions are not looked at."""
    principal = statement.get("Principal")
    services = listed(principal.get("Service", []) if isinstance(principal, dict) else principal)
    actions = [action.lower() for action in listed(statement.get("Action"))]
    named, allowed = {"*", service} & {*services}, {"*", "sts:*", "sts:assumerole"} & {*actions}
    return statement.get("Effect") == "Allow" and bool(named and allowed)


def listed(value: object) -> list[Any]:
    """Return what may be one or several as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def lacking(role: str, actions: tuple[str, ...], resource: str) -> str:
    """Return the first action on a resource that a role may not do, or an empty text."""
    name, account = role.rpartition("/")[2], iam.get_account_id()
    policies = iam_evaluator._gather_role_policies(name, account)
    limits = iam_evaluator._permissions_boundary(iam._roles, name, account)
    own = iam_evaluator._resource_policy(resource.split(":")[2], resource)
    for action in actions:
        asked = iam_evaluator.EvalContext(
            principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/awslambda",
            principal_type="AssumedRole",
            principal_account=account,
            action=action,
            resource_arn=resource,
            region=resource.split(":")[3],
        )
        decided = iam_evaluator.evaluate(asked, policies, *limits)
        if own:
            decided = iam_evaluator.combine_resource_policy(decided, asked, *own, required=False, limits=limits)
        if decided.decision != "Allow":
            return action
    return ""
