"""The function and what it stands on: its role and its log group."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nbchalice.sources.base import AWS, JSON, OWNER_PREFIX, FunctionRef, Resource, or_missing

POLICY_NAME = OWNER_PREFIX
LAMBDA_HANDLER = "lambda_function.lambda_handler"


def role_path(app: str, stage: str) -> str:
    """Return the path of an app's roles; listing it finds every handler that was ever deployed."""
    return f"/{OWNER_PREFIX}/{app}/{stage}/"


def log_group_name(function_name: str) -> str:
    """Return the log group that Lambda writes a function's logs to."""
    return f"/aws/lambda/{function_name}"


def foreign_owner(tags: Mapping[str, str], function: FunctionRef) -> list[str]:
    """Return that something of this name is another's, as its tags tell."""
    owner = (tags.get(f"{OWNER_PREFIX}:app"), tags.get(f"{OWNER_PREFIX}:stage"))
    if owner == (function.app, function.stage):
        return []
    whose = f"belongs to app {owner[0]}, stage {owner[1]}" if owner[0] else "was not made by nbchalice"
    return [f"{function.name} exists and {whose}"]


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
        answer = aws.client("logs").describe_log_groups(logGroupNamePrefix=self.name)
        return next((group for group in answer["logGroups"] if group["logGroupName"] == self.name), None)

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
    def arn(self) -> str:
        """The role's ARN."""
        path = role_path(self.function.app, self.function.stage)
        return f"arn:{self.function.partition}:iam::{self.function.account}:role{path}{self.name}"

    def policy(self) -> JSON:
        """Return the inline policy: write to the function's own log group, and what the triggers need."""
        group = self.function.arn_of("logs", f"log-group:{log_group_name(self.name)}:*")
        logs = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": group}
        return {"Version": "2012-10-17", "Statement": [logs, *json.loads(self.statements)]}

    def trust(self) -> JSON:
        """Return who may take the role."""
        principal = {"Service": "lambda.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return {"Version": "2012-10-17", "Statement": [statement]}

    def read(self, aws: AWS) -> JSON | None:
        """Return the role and its inline policy, or None."""
        client = aws.client("iam")
        found: JSON | None = None
        with or_missing():
            found = {"role": client.get_role(RoleName=self.name)["Role"], "policy": None}
            answer = client.get_role_policy(RoleName=self.name, PolicyName=POLICY_NAME)
            found["policy"] = answer["PolicyDocument"]
        return found

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the role is another's."""
        tags = {tag["Key"]: tag["Value"] for tag in current["role"].get("Tags", [])}
        return foreign_owner(tags, self.function)

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
                Path=role_path(self.function.app, self.function.stage),
                AssumeRolePolicyDocument=trust,
                Tags=[{"Key": key, "Value": value} for key, value in self.function.tags.items()],
            )
        elif current["role"].get("AssumeRolePolicyDocument") != self.trust():
            client.update_assume_role_policy(RoleName=self.name, PolicyDocument=trust)
        policy = json.dumps(self.policy())
        client.put_role_policy(RoleName=self.name, PolicyName=POLICY_NAME, PolicyDocument=policy)

    def delete(self, aws: AWS, current: Any) -> None:
        """Delete the policy and the role."""
        client = aws.client("iam")
        with or_missing():
            client.delete_role_policy(RoleName=self.name, PolicyName=POLICY_NAME)
        with or_missing():
            client.delete_role(RoleName=self.name)


@dataclass(frozen=True)
class Function(Resource):
    """The Lambda function (Lambda: CreateFunction, UpdateFunctionCode, UpdateFunctionConfiguration).

    Parameters
    ----------
    function: its names.
    role_arn: the role it runs with.
    zip: the deployment package.
    code_sha256: Lambda's hash of the package, base64.
    config: the settings as UpdateFunctionConfiguration takes them.
    arch: ``x86_64`` or ``arm64``.
    tags: the user's tags.
    reserved_concurrency: most runs at once, or None.
    own_role: whether the role is one of ours.
    """

    kind: ClassVar[str] = "function"
    function: FunctionRef
    role_arn: str = ""
    zip: bytes = field(default=b"", repr=False)
    code_sha256: str = ""
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    arch: str = "x86_64"
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    reserved_concurrency: int | None = None

    @property
    def name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return self.function.arn

    @property
    def needs(self) -> frozenset[str]:
        """Its role and its log group."""
        return frozenset({f"role {self.name}", f"log group {log_group_name(self.name)}"})

    def all_tags(self) -> dict[str, str]:
        """Return the user's tags, whose the function is, and a fingerprint of its code."""
        return {**self.tags, **self.function.tags, f"{OWNER_PREFIX}:fingerprint": self.code_sha256[:32]}

    def read(self, aws: AWS) -> JSON | None:
        """Return what GetFunction tells, or None."""
        with or_missing():
            return dict(aws.client("lambda").get_function(FunctionName=self.name))
        return None

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the function is another's."""
        return foreign_owner(current.get("Tags", {}), self.function)

    def _config_differences(self, current: JSON) -> list[str]:
        now = current["Configuration"]
        found = []
        for name, wanted in {**self.config, "Role": self.role_arn}.items():
            standing = now.get(name)
            if name == "Environment":
                same = (standing or {}).get("Variables", {}) == wanted["Variables"]
            elif name == "Layers":
                same = [layer["Arn"] for layer in standing or []] == wanted
            elif name == "DeadLetterConfig":
                same = (standing or {}).get("TargetArn", "") == wanted["TargetArn"]
            else:
                same = standing == wanted
            if not same:
                found.append(name if name in {"Environment", "Role"} else f"{name}: {standing or 'none'} -> {wanted}")
        return found

    def _code_differs(self, current: JSON) -> list[str]:
        now = current["Configuration"]
        found = [] if now["CodeSha256"] == self.code_sha256 else ["code"]
        arch = (now.get("Architectures") or ["x86_64"])[0]
        return found if arch == self.arch else [*found, f"architecture: {arch} -> {self.arch}"]

    def _concurrency(self, current: JSON) -> int | None:
        value = current.get("Concurrency", {}).get("ReservedConcurrentExecutions")
        return None if value is None else int(value)

    def differences(self, current: JSON) -> list[str]:
        """Compare code, settings, concurrency and tags."""
        found = self._code_differs(current) + self._config_differences(current)
        now, wanted = self._concurrency(current), self.reserved_concurrency
        if now != wanted:
            found.append(f"reserved concurrency: {now} -> {wanted}")
        return found if current.get("Tags", {}) == self.all_tags() else [*found, "tags"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the function, or update what differs; returns when it can be invoked."""
        client = aws.client("lambda")
        if current is None:
            client.create_function(
                FunctionName=self.name,
                Role=self.role_arn,
                Code={"ZipFile": self.zip},
                Architectures=[self.arch],
                Tags=self.all_tags(),
                **self.config,
            )
            self._wait(client)
            self._set_concurrency(client, None)
            return
        if self._code_differs(current):
            client.update_function_code(FunctionName=self.name, ZipFile=self.zip, Architectures=[self.arch])
            self._wait(client)
        if self._config_differences(current):
            client.update_function_configuration(FunctionName=self.name, Role=self.role_arn, **self.config)
            self._wait(client)
        self._set_concurrency(client, self._concurrency(current))
        self._set_tags(client, current.get("Tags", {}))

    def _set_concurrency(self, client: Any, now: int | None) -> None:
        wanted = self.reserved_concurrency
        if now == wanted:
            return
        if wanted is None:
            client.delete_function_concurrency(FunctionName=self.name)
        else:
            client.put_function_concurrency(FunctionName=self.name, ReservedConcurrentExecutions=wanted)

    def _set_tags(self, client: Any, now: Mapping[str, str]) -> None:
        wanted = self.all_tags()
        if gone := [name for name in now if name not in wanted]:
            client.untag_resource(Resource=self.arn, TagKeys=gone)
        if changed := {name: value for name, value in wanted.items() if now.get(name) != value}:
            client.tag_resource(Resource=self.arn, Tags=changed)

    def _wait(self, client: Any) -> None:
        pause = 0.01
        while True:
            now = client.get_function_configuration(FunctionName=self.name)
            busy = now.get("State") == "Pending" or now.get("LastUpdateStatus") == "InProgress"
            if not busy:
                return
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)

    def delete(self, aws: AWS, current: Any) -> None:
        """Delete the function."""
        with or_missing():
            aws.client("lambda").delete_function(FunctionName=self.name)
