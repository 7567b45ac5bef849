"""What a function stands on: its role and its log group."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from nbchalice.deploy.ownership import foreign_owner
from nbchalice.sources.base import AWS, JSON, OWNER_PREFIX, FunctionRef, Resource, or_missing

POLICY_NAME = OWNER_PREFIX


def role_path(app: str, stage: str, region: str) -> str:
    """Return the path of an app's roles; listing it finds every handler that was ever deployed.

    IAM knows no regions: without the region in the path, an app of two regions would share roles whose policies differ.
    """
    return f"/{OWNER_PREFIX}/{app}/{stage}/{region}/"


def log_group_name(function_name: str) -> str:
    """Return the log group that Lambda writes a function's logs to."""
    return f"/aws/lambda/{function_name}"


def app_roles(aws: AWS, app: str, stage: str) -> Iterator[JSON]:
    """Yield the roles of an app that stand."""
    path = role_path(app, stage, aws.region)
    for page in aws.client("iam").get_paginator("list_roles").paginate(PathPrefix=path):
        yield from page["Roles"]


def app_log_groups(aws: AWS, app: str, stage: str) -> Iterator[JSON]:
    """Yield the log groups that bear an app's name; they may be another's."""
    prefix = log_group_name(f"{app}-{stage}-")
    for page in aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
        yield from page["logGroups"]


@dataclass(frozen=True)
class LogGroup(Resource):
    """The function's log group; made first and removed last (CloudWatch Logs: CreateLogGroup).

    Parameters
    ----------
    function: the function.
    retention: days after which log events are dropped, or None for never.
    """

    kind: ClassVar[str] = "log group"
    function: FunctionRef
    retention: int | None = None

    @property
    def name(self) -> str:
        """The group's name."""
        return log_group_name(self.function.name)

    def read(self, aws: AWS) -> JSON | None:
        """Return the group, or None."""
        groups = app_log_groups(aws, self.function.app, self.function.stage)
        return next((group for group in groups if group["logGroupName"] == self.name), None)

    def read_tags(self, aws: AWS, current: JSON) -> dict[str, str]:
        """Return the group's tags."""
        answer = aws.client("logs").list_tags_for_resource(resourceArn=current["arn"].removesuffix(":*"))
        return dict(answer["tags"])

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the group is of another app, where its tags were read.

        One without tags is used as it stands, and never deleted: Lambda itself makes such groups, and it may hold the
        logs of a function that had this name before.
        """
        tags = current.get("tags", {})
        return foreign_owner(self.name, tags, self.function) if f"{OWNER_PREFIX}:app" in tags else []

    def differences(self, current: JSON) -> list[str]:
        """Compare the retention."""
        now = current.get("retentionInDays")
        return [] if now == self.retention else [f"retention: {now or 'never'} -> {self.retention or 'never'}"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the group and set its retention."""
        client = aws.client("logs")
        if current is None:
            client.create_log_group(logGroupName=self.name, tags=self.function.tags)
        if self.retention:
            client.put_retention_policy(logGroupName=self.name, retentionInDays=self.retention)
        elif current and current.get("retentionInDays"):
            client.delete_retention_policy(logGroupName=self.name)

    def delete(self, aws: AWS, current: Any) -> None:
        """Delete the group with its log events."""
        with or_missing():
            aws.client("logs").delete_log_group(logGroupName=self.name)


@dataclass(frozen=True)
class Role(Resource):
    """The function's own role with one inline policy (IAM: CreateRole, PutRolePolicy).

    Its path names app and stage, so that a role in it is known to be ours without reading its tags.

    Parameters
    ----------
    function: the function.
    statements: JSON text of the policy's statements beside those for its logs.
    """

    kind: ClassVar[str] = "role"
    function: FunctionRef
    statements: str = "[]"

    @property
    def name(self) -> str:
        """The role's name."""
        return self.function.name

    @property
    def path(self) -> str:
        """The path of the app's roles."""
        return role_path(self.function.app, self.function.stage, self.function.region)

    @property
    def arn(self) -> str:
        """The role's ARN."""
        return f"arn:{self.function.partition}:iam::{self.function.account}:role{self.path}{self.name}"

    def policy(self) -> JSON:
        """Return the inline policy: write to the function's own log group, and what the triggers need."""
        group = self.function.arn_of("logs", f"log-group:{log_group_name(self.name)}")
        # IAM's reference names the group for CreateLogStream and the stream for PutLogEvents.
        place = [group, f"{group}:*"]
        logs = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": place}
        return {"Version": "2012-10-17", "Statement": [logs, *json.loads(self.statements)]}

    def trust(self) -> JSON:
        """Return who may take the role."""
        principal = {"Service": "lambda.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def read(self, aws: AWS) -> JSON | None:
        """Return the role and its inline policy, or None."""
        client = aws.client("iam")
        roles = app_roles(aws, self.function.app, self.function.stage)
        role = next((role for role in roles if role["RoleName"] == self.name), None)
        if role is None:
            with or_missing():
                role = client.get_role(RoleName=self.name)["Role"]
        if role is None:
            return None
        found: JSON = {"role": role, "policy": None}
        with or_missing():
            found["policy"] = client.get_role_policy(RoleName=self.name, PolicyName=POLICY_NAME)["PolicyDocument"]
        return found

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the role is another's."""
        path = current["role"]["Path"]
        if path == self.path:
            return []
        if path.startswith(self.path.removesuffix(f"{self.function.region}/")):
            return [f"{self.name} is that of the same app in {path.split('/')[-2]}; IAM has one role of a name"]
        return [f"{self.name} exists and was not made by nbchalice for app {self.function.app}"]

    def differences(self, current: JSON) -> list[str]:
        """Compare the trust and the policy."""
        found = [] if current["role"].get("AssumeRolePolicyDocument") == self.trust() else ["its trust policy"]
        return found if current["policy"] == self.policy() else [*found, "its policy"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the role and put its policy."""
        client = aws.client("iam")
        trust = json.dumps(self.trust())
        if current is None:
            client.create_role(
                RoleName=self.name,
                Path=self.path,
                AssumeRolePolicyDocument=trust,
                Tags=[{"Key": key, "Value": value} for key, value in self.function.tags.items()],
            )
        elif current["role"].get("AssumeRolePolicyDocument") != self.trust():
            client.update_assume_role_policy(RoleName=self.name, PolicyDocument=trust)
        if current is None or current["policy"] != self.policy():
            policy = json.dumps(self.policy())
            client.put_role_policy(RoleName=self.name, PolicyName=POLICY_NAME, PolicyDocument=policy)

    def delete(self, aws: AWS, current: Any) -> None:
        """Delete the policy and the role, with whatever else was added to the role by hand."""
        client = aws.client("iam")
        with or_missing():
            client.delete_role_policy(RoleName=self.name, PolicyName=POLICY_NAME)
        with or_missing():
            try:
                client.delete_role(RoleName=self.name)
            except client.exceptions.DeleteConflictException:
                self._empty(client)
                client.delete_role(RoleName=self.name)

    def _empty(self, client: Any) -> None:
        for name in client.list_role_policies(RoleName=self.name)["PolicyNames"]:
            client.delete_role_policy(RoleName=self.name, PolicyName=name)
        for policy in client.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=self.name, PolicyArn=policy["PolicyArn"])
