"""The role that a function runs with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, OWNER_PREFIX, FunctionRef, Resource, or_missing
from nbchalice.resources.log_group import log_group_name
from nbchalice.resources.stored_bundle import StoredBundle, loaded_by
from nbchalice.resources.versions import published
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

POLICY_NAME = OWNER_PREFIX
BUNDLES = "NbchaliceBundles"


def role_path(app: str, stage: str, region: str) -> str:
    """Return the path of an app's roles; listing it finds every handler that was ever deployed.

    IAM knows no regions: without the region in the path, an app of two regions would share roles whose policies differ.
    """
    return f"/{OWNER_PREFIX}/{app}/{stage}/{region}/"


def app_roles(aws: AWS, app: str, stage: str) -> Iterator[JSON]:
    """Yield the roles of an app that stand."""
    path = role_path(app, stage, aws.region)
    for page in aws.client("iam").get_paginator("list_roles").paginate(PathPrefix=path):
        yield from map(dict, page["Roles"])


@dataclass(frozen=True)
class Role(Resource):
    """The function's own role with one inline policy (IAM: CreateRole, PutRolePolicy).

    Its path names app and stage, so that a role in it is known to be ours without reading its tags.

    Parameters
    ----------
    function : FunctionRef
        The function.
    statements : str
        JSON text of the policy's statements beside those for its logs.
    bundles : frozenset[str]
        ARNs of the objects in S3 that the function loads.
    """

    kind: ClassVar[str] = "role"
    function: FunctionRef
    statements: str = "[]"
    bundles: frozenset[str] = frozenset()

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
        return str(Arn(self.function.partition, "iam", "", self.function.account, f"role{self.path}{self.name}"))

    def policy(self, earlier: frozenset[str] = frozenset()) -> JSON:
        """Return the inline policy: write to the function's own log group, what the triggers need, and load bundles.

        Parameters
        ----------
        earlier : frozenset[str]
            ARNs of the bundles of earlier versions.
        """
        group = self.function.arn_of("logs", f"log-group:{log_group_name(self.name)}")
        # IAM's reference names the group for CreateLogStream and the stream for PutLogEvents.
        place = [group, f"{group}:*"]
        logs = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": place}
        statements = [logs, *json.loads(self.statements)]
        if arns := sorted(self.bundles | earlier):
            statements.append({"Sid": BUNDLES, "Effect": "Allow", "Action": "s3:GetObject", "Resource": arns})
        return {"Version": "2012-10-17", "Statement": statements}

    def trust(self) -> JSON:
        """Return who may take the role."""
        principal = {"Service": "lambda.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def read(self, aws: AWS) -> JSON | None:
        """Return the role, its inline policy, and which bundles earlier versions load; None where it is missing."""
        client = aws.client("iam")
        roles = app_roles(aws, self.function.app, self.function.stage)
        role = next((role for role in roles if role["RoleName"] == self.name), None)
        if role is None:
            with or_missing():
                role = dict(client.get_role(RoleName=self.name)["Role"])
        if role is None:
            return None
        standing: JSON = {"role": role, "policy": None}
        with or_missing():
            standing["policy"] = client.get_role_policy(RoleName=self.name, PolicyName=POLICY_NAME)["PolicyDocument"]
        if self.bundles or _apart(standing["policy"])[1]:
            standing["earlier"] = self._earlier(aws)
        return standing

    def _earlier(self, aws: AWS) -> frozenset[str]:
        """Return the ARNs of what published versions load: after a rollback, and for runs while a deploy goes on."""
        versions = published(aws.client("lambda"), self.function.name)
        hashes = set(chain.from_iterable(map(loaded_by, versions)))
        return frozenset(StoredBundle(self.function, digest, 0).arn for digest in hashes)

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
        reasons = [] if current["role"].get("AssumeRolePolicyDocument") == self.trust() else ["its trust policy"]
        return reasons if self._policy_stands(current) else [*reasons, "its policy"]

    def _policy_stands(self, current: JSON) -> bool:
        """Whether the policy is as it should be; that for bundles of versions that are gone may stay for a while."""
        (wanted, needed), (standing, given) = _apart(self.policy()), _apart(current["policy"])
        return wanted == standing and needed | current.get("earlier", frozenset()) <= given

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
        if current is None or not self._policy_stands(current):
            policy = self.policy((current or {}).get("earlier", frozenset()))
            client.put_role_policy(RoleName=self.name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(policy))

    def delete(self, aws: AWS, current: object) -> None:
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

    def _empty(self, client: IAMClient) -> None:
        for name in client.list_role_policies(RoleName=self.name)["PolicyNames"]:
            client.delete_role_policy(RoleName=self.name, PolicyName=name)
        for policy in client.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]:
            client.detach_role_policy(RoleName=self.name, PolicyArn=policy["PolicyArn"])


def _apart(policy: JSON | None) -> tuple[JSON | None, frozenset[str]]:
    """Return a policy without the statement for bundles, and the ARNs in that."""
    if policy is None:
        return None, frozenset()
    own = [statement for statement in policy["Statement"] if statement.get("Sid") == BUNDLES]
    rest = [statement for statement in policy["Statement"] if statement not in own]
    arns = chain.from_iterable(statement["Resource"] for statement in own)
    return {**policy, "Statement": rest}, frozenset(arns)
