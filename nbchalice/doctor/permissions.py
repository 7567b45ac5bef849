"""Which permissions an app needs of who deploys it, and which of them are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from nbchalice.aws.errors import explain
from nbchalice.doctor.findings import Finding, ok, warning, wrong
from nbchalice.doctor.policy import WHY, policy_of
from nbchalice.resources.arns import Arn
from nbchalice.resources.base import is_denied, is_missing
from nbchalice.resources.clients import Clients
from nbchalice.text import counted
from nbchalice.typed import JSON, Values

if TYPE_CHECKING:
    from nbchalice.aws.target import Connection
    from nbchalice.project import Project

POLICY = "nbchalice doctor NOTEBOOK --target aws --policy (%chalice doctor --policy) prints what to ask for"
MOST_NAMED = 8


@dataclass
class Place:
    """An account and region of which nothing is asked: what is not known stands there as any."""

    region: str = "*"
    account: str = "*"
    partition: str = "aws"
    local: bool = False

    @property
    def client(self) -> Clients:
        """Nothing: a policy is made without asking AWS."""
        raise RuntimeError("AWS is not asked")


def needed(project: Project, aws: Connection | None = None) -> JSON:
    """Return the least policy with which an app can be deployed and used.

    Parameters
    ----------
    project : Project
        The notebook's handlers; they are packaged, as layers and large files need more.
    aws : Connection or None
        For the account and region; where none is given, the policy is for the account that has it, in any region.
    """
    from nbchalice.deploy.engine import PLACEHOLDER
    from nbchalice.operations import packages_of

    packages, broken = packages_of(project, verified=False)
    every = {**packages, **dict.fromkeys(broken, PLACEHOLDER)}
    return policy_of(project.app, every, aws or Place())


def look(project: Project, aws: Connection) -> Iterator[Finding]:
    """Yield which of the permissions are not there, by IAM's own simulation, which changes nothing."""
    policy = needed(project, aws)
    count = sum(len(statement["Action"]) for statement in policy["Statement"])
    if (aws.target.user or "").endswith(":root"):
        yield ok("permissions", "the root user may do everything; use another one for daily work")
        return
    try:
        lacking = list(_lacking(aws, policy))
    except Exception as error:
        if not is_denied(error):
            raise explain(error, "asking IAM which permissions are there") from None
        text = f"which of the {count} that this app needs are there: AWS denies iam:SimulatePrincipalPolicy"
        yield warning("permissions", text, f"ask for it, or compare by hand: {POLICY}")
        return
    hard = [text for sid, text in lacking if not sid.startswith(WHY)]
    if hard:
        more = f" and {len(hard) - MOST_NAMED} more" if len(hard) > MOST_NAMED else ""
        yield wrong("permissions", f"AWS would deny {'; '.join(hard[:MOST_NAMED])}{more}", POLICY)
    elif lacking:
        text = f"AWS would deny {'; '.join(text for _, text in lacking)}"
        yield warning(
            "permissions",
            text,
            "send then does not tell what hinders an event, nor metrics what was throttled; nothing else needs it",
        )
    else:
        yield ok("permissions", f"IAM allows all {counted(count, 'action')} that this app needs")


def _lacking(aws: Connection, policy: Values) -> Iterator[tuple[str, str]]:
    """Yield what would be denied: the statement's name, and action and resource in words."""
    client, source = aws.client("iam"), source_of(aws)
    for statement in policy["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        conditions = chain.from_iterable(pairs.items() for pairs in statement.get("Condition", {}).values())
        context = [
            {"ContextKeyName": key, "ContextKeyValues": [value.replace("*", "x")], "ContextKeyType": "string"}
            for key, value in conditions
        ]
        for arn in resources:
            asked = arn if arn == "*" else arn.replace("*", "x")
            answer = client.simulate_principal_policy(
                PolicySourceArn=source, ActionNames=statement["Action"], ResourceArns=[asked], ContextEntries=context
            )
            for result in answer["EvaluationResults"]:
                if result["EvalDecision"] != "allowed":
                    yield statement["Sid"], f"{result['EvalActionName']} on {arn}"


def source_of(aws: Connection) -> str:
    """Return the ARN of who calls as IAM's simulation takes it: of a session, the role, with its path."""
    arn = Arn.parse(aws.target.user or "")
    kind, _, rest = arn.resource.partition("/")
    if kind != "assumed-role":
        return str(arn)
    name = rest.partition("/")[0]
    try:
        return str(aws.client("iam").get_role(RoleName=name)["Role"]["Arn"])
    except Exception as error:
        if not (is_denied(error) or is_missing(error)):
            raise
    return f"arn:{arn.partition}:iam::{arn.account}:role/{name}"
