"""The role that a function runs with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, OWNER_PREFIX, FunctionRef, Resource, is_denied, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.log_group import log_statement
from nbchalice.resources.ownership import as_list, as_mapping, lacking, tag_reasons
from nbchalice.resources.stored_bundle import StoredBundle, loaded_by
from nbchalice.resources.versions import published
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_iam.type_defs import TagTypeDef

POLICY_NAME = OWNER_PREFIX
BUNDLES = "NbchaliceBundles"

# What who deploys asks of a role, beside making and passing it.
ACTIONS = ("DeleteRole", "DeleteRolePolicy", "GetRolePolicy", "PutRolePolicy", "TagRole", "UpdateAssumeRolePolicy")
# And of one that may have got other policies, too.
MORE_POLICIES = ("DetachRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies")


def role_path(app: str, stage: str, region: str, beneath: str = "/") -> str:
    """Return the path of an app's roles; listing it finds every handler that was ever deployed.

    IAM knows no regions: without the region in the path, an app of two regions would share roles whose policies differ.
    """
    return f"{beneath}{OWNER_PREFIX}/{app}/{stage}/{region}/"


def app_roles(aws: AWS, app: str, stage: str, beneath: str = "/") -> Iterator[JSON]:
    """Yield the roles of an app that stand, of those whose path begins with that of ``--role-path``."""
    path = role_path(app, stage, aws.region, beneath)
    for page in aws.client("iam").get_paginator("list_roles").paginate(PathPrefix=path):
        yield from map(dict, page["Roles"])


def role_grants(arn: str, service: str, boundary: str) -> list[Grant]:
    """Return what who deploys must be allowed for a role that a service takes."""
    actions = [f"iam:{name}" for name in ACTIONS]
    bounded = ("StringEquals", "iam:PermissionsBoundary", boundary) if boundary else None
    made = ("iam:CreateRole", "iam:PutRolePermissionsBoundary") if boundary else ("iam:CreateRole",)
    # Of a role that does not stand yet IAM knows no path.
    standing_or_not = (arn, f"{arn.partition('role/')[0]}role/{arn.rpartition('/')[2]}")
    return [
        Grant(tuple(actions), (arn,)),
        Grant(("iam:GetRole",), standing_or_not),
        Grant(made, (arn,), bounded),
        Grant(("iam:PassRole",), (arn,), ("StringEquals", "iam:PassedToService", service)),
    ]


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
        ref = self.function
        return role_path(ref.app, ref.stage, ref.region, ref.role_path)

    @property
    def arn(self) -> str:
        """The role's ARN."""
        return str(Arn(self.function.partition, "iam", "", self.function.account, f"role{self.path}{self.name}"))

    def policy(self, earlier: frozenset[str] = frozenset()) -> JSON:
        """Return the inline policy: write to the function's log group, what the triggers need, and load bundles.

        Parameters
        ----------
        earlier : frozenset[str]
            ARNs of the bundles of earlier versions.
        """
        statements = [log_statement(self.function), *json.loads(self.statements)]
        if arns := sorted(self.bundles | earlier):
            statements.append({"Sid": BUNDLES, "Effect": "Allow", "Action": "s3:GetObject", "Resource": arns})
        return {"Version": "2012-10-17", "Statement": statements}

    def trust(self) -> JSON:
        """Return who may take the role."""
        # A statement each: IAM gives back several principals of one in an order of its own.
        principals = [{"Service": "lambda.amazonaws.com"}, *({"AWS": arn} for arn in self.function.trusted)]
        statements = [{"Effect": "Allow", "Principal": one, "Action": "sts:AssumeRole"} for one in principals]
        return {"Version": "2012-10-17", "Statement": statements}

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        others = Grant(tuple(f"iam:{name}" for name in MORE_POLICIES), (self.arn,))
        return [*role_grants(self.arn, "lambda.amazonaws.com", self.function.boundary), others]

    def read(self, aws: AWS) -> JSON | None:
        """Return the role, its inline policy, and which bundles earlier versions load; None where it is missing."""
        client = aws.client("iam")
        # The list tells neither boundary nor tags.
        role = None if self.function.boundary or self.function.labels else self._listed(aws)
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

    def _listed(self, aws: AWS) -> JSON | None:
        """Return the role from the list that is read anyhow, or None, as for those who may not list roles."""
        ref = self.function
        try:
            roles = app_roles(aws, ref.app, ref.stage, ref.role_path)
            return next((role for role in roles if role["RoleName"] == self.name), None)
        except Exception as error:
            if not is_denied(error):
                raise
            return None

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
        if path.endswith(role_path(self.function.app, self.function.stage, self.function.region)):
            return [f"{self.name} stands under the path {path}, and IAM moves no role: keep --role-path, or delete it"]
        return [f"{self.name} exists and was not made by nbchalice for app {self.function.app}"]

    def differences(self, current: JSON) -> list[str]:
        """Compare the trust, the boundary and the policy."""
        reasons = role_reasons(self, current)
        return reasons if self._policy_stands(current) else [*reasons, "its policy"]

    def _policy_stands(self, current: JSON) -> bool:
        """Whether the policy is as it should be; that for bundles of versions that are gone may stay for a while."""
        (wanted, needed), (standing, given) = _apart(self.policy()), _apart(current["policy"])
        return wanted == standing and needed | current.get("earlier", frozenset()) <= given

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the role and put its policy."""
        client = aws.client("iam")
        write_role(client, self, current)
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


def beneath_of(function: FunctionRef, arn: str) -> str:
    """Return what the path of a function's role begins with before our own part, ``/`` where the role is another's."""
    own = role_path(function.app, function.stage, function.region)
    match = re.search(f":role(/.*?){re.escape(own[1:])}[^/]+$", arn)
    return match[1] if match else "/"


class RoleOfOurs(Protocol):
    """A role that is made for a function: its own, or a scheduler's."""

    @property
    def function(self) -> FunctionRef:
        """The function."""

    @property
    def name(self) -> str:
        """The role's name."""

    @property
    def path(self) -> str:
        """Its path."""

    def trust(self) -> JSON:
        """Return who may take it."""


def role_reasons(role: RoleOfOurs, current: JSON) -> list[str]:
    """Return what of a role that stands is not as asked for, beside its policy: who may take it, boundary and tags."""
    reasons = [] if current["role"].get("AssumeRolePolicyDocument") == role.trust() else ["its trust policy"]
    if _is_unbounded(role.function, current):
        reasons.append("its permissions boundary")
    return reasons + tag_reasons(role.function, as_mapping(current["role"].get("Tags")))


def write_role(client: IAMClient, role: RoleOfOurs, current: JSON | None) -> None:
    """Make a role, or give it what ``role_reasons`` finds; its policy is written apart."""
    function, trust = role.function, json.dumps(role.trust())
    if current is None:
        made: JSON = {"RoleName": role.name, "Path": role.path, "AssumeRolePolicyDocument": trust}
        made |= {"PermissionsBoundary": function.boundary} if function.boundary else {}
        client.create_role(**made, Tags=_tags(function.all_tags))
        return
    if current["role"].get("AssumeRolePolicyDocument") != role.trust():
        client.update_assume_role_policy(RoleName=role.name, PolicyDocument=trust)
    if _is_unbounded(function, current):
        client.put_role_permissions_boundary(RoleName=role.name, PermissionsBoundary=function.boundary)
    if missing := lacking(function, as_mapping(current["role"].get("Tags"))):
        client.tag_role(RoleName=role.name, Tags=_tags(missing))


def _tags(tags: Mapping[str, str]) -> list[TagTypeDef]:
    return cast("list[TagTypeDef]", as_list(tags))


def _is_unbounded(function: FunctionRef, current: JSON) -> bool:
    """Whether a role lacks the boundary that is asked for; one that is not asked for stays."""
    standing = current["role"].get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return bool(function.boundary) and standing != function.boundary


def _apart(policy: JSON | None) -> tuple[JSON | None, frozenset[str]]:
    """Return a policy without the statement for bundles, and the ARNs in that."""
    if policy is None:
        return None, frozenset()
    own = [statement for statement in policy["Statement"] if statement.get("Sid") == BUNDLES]
    rest = [statement for statement in policy["Statement"] if statement not in own]
    arns = chain.from_iterable(statement["Resource"] for statement in own)
    return {**policy, "Statement": rest}, frozenset(arns)
