"""The statement that lets an event source invoke a function."""

from __future__ import annotations

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar

from nbchalice.resources.base import AWS, OWNER_PREFIX, FunctionRef, Key, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.locks import locked
from nbchalice.typed import JSON


def statement_id(principal: str, source_arn: str) -> str:
    """Return a stable statement id, so that a re-run meets its own statement."""
    digest = hashlib.sha256(source_arn.encode()).hexdigest()[:12]
    return f"{OWNER_PREFIX}-{principal.split('.', maxsplit=1)[0]}-{digest}"


def read_policy(aws: AWS, function_name: str) -> list[JSON]:
    """Return the statements of a function's resource policy; none where there is no policy or function."""
    with or_missing():
        text = aws.client("lambda").get_policy(FunctionName=function_name)["Policy"]
        return list(json.loads(text)["Statement"])
    return []


def source_arn_of(statement: JSON) -> str:
    """Return the SourceArn a statement is limited to, or an empty text."""
    for operator in statement.get("Condition", {}).values():
        for key, value in operator.items():
            if key.lower() == "aws:sourcearn":
                return str(value)
    return ""


def source_account_of(statement: JSON) -> str:
    """Return the SourceAccount a statement is limited to, or an empty text."""
    for operator in statement.get("Condition", {}).values():
        for key, value in operator.items():
            if key.lower() == "aws:sourceaccount":
                return str(value)
    return ""


def principal_of(statement: JSON) -> str:
    """Return the service that a statement lets in."""
    principal = statement.get("Principal", "")
    return str(principal.get("Service", "") if isinstance(principal, dict) else principal)


@dataclass(frozen=True)
class Permission(Resource):
    """A statement of the function's resource policy (Lambda: AddPermission).

    Parameters
    ----------
    function : FunctionRef
        The function to be invoked.
    principal : str
        The service that may, for example ``sns.amazonaws.com``.
    source_arn : str
        The topic, bucket or rule that may.
    source_account : str
        The account of the source, where its ARN does not name one (S3), or an empty text.
    """

    kind: ClassVar[str] = "permission"
    delivers: ClassVar[bool] = True
    function: FunctionRef
    principal: str
    source_arn: str
    source_account: str = ""

    @property
    def name(self) -> str:
        """The function and what may invoke it."""
        return f"{self.function.name} <- {self.source_arn.split(':', 5)[-1] or self.source_arn}"

    @property
    def absence(self) -> str:
        """Who may not invoke the function."""
        who = f"{self.principal} for {self.source_arn.split(':', 5)[-1] or self.source_arn}"
        return f"the function's policy does not let {who} invoke it"

    @property
    def key(self) -> Key:
        """One statement of one function."""
        return key_of("permission", f"{self.function.name} {statement_id(self.principal, self.source_arn)}")

    @property
    def needs(self) -> frozenset[Key]:
        """The function."""
        return frozenset({key_of("function", self.function.name)})

    def statement(self) -> JSON:
        """Return the statement as Lambda writes it into the function's policy."""
        condition: JSON = {"StringEquals": {"AWS:SourceAccount": self.source_account}} if self.source_account else {}
        return {
            "Sid": statement_id(self.principal, self.source_arn),
            "Effect": "Allow",
            "Principal": {"Service": self.principal},
            "Action": "lambda:InvokeFunction",
            "Resource": self.function.arn,
            "Condition": {**condition, "ArnLike": {"AWS:SourceArn": self.source_arn}},
        }

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = ("AddPermission", "GetPolicy", "RemovePermission")
        return [Grant(tuple(f"lambda:{name}" for name in names), (self.function.arn,))]

    def read(self, aws: AWS) -> JSON | None:
        """Return the statement, or None."""
        wanted = statement_id(self.principal, self.source_arn)
        statements = [s for s in read_policy(aws, self.function.name) if s.get("Sid") == wanted]
        return statements[0] if statements else None

    def differences(self, current: JSON) -> list[str]:
        """Return whether the statement lets in something else."""
        now = (principal_of(current), source_arn_of(current), source_account_of(current))
        same = now == (self.principal, self.source_arn, self.source_account)
        return [] if same else ["its statement is not the wanted one"]

    def blocks(self, current: JSON) -> str:
        """Return that the statement is another one."""
        return self.absence if self.differences(current) else ""

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Add the statement; a different one under the same id is removed first."""
        client = aws.client("lambda")
        if current is not None:
            self.delete(aws, current)
        extra: JSON = {"SourceAccount": self.source_account} if self.source_account else {}
        try:
            with alone_on(self.function):
                client.add_permission(
                    FunctionName=self.function.name,
                    StatementId=statement_id(self.principal, self.source_arn),
                    Action="lambda:InvokeFunction",
                    Principal=self.principal,
                    SourceArn=self.source_arn,
                    **extra,
                )
        except client.exceptions.ResourceConflictException as error:
            # The statement is there when an answer was lost; anything else is a real conflict.
            standing = self.read(aws)
            if standing is None or self.differences(standing):
                raise error

    def delete(self, aws: AWS, current: object) -> None:
        """Remove the statement."""
        with or_missing(), alone_on(self.function):
            aws.client("lambda").remove_permission(
                FunctionName=self.function.name,
                StatementId=statement_id(self.principal, self.source_arn),
            )


def alone_on(function: FunctionRef) -> AbstractContextManager[None]:
    """Let nothing else change the function's policy: Lambda may lose one of two statements that come at once.

    So does Terraform's AWS provider, aws_lambda_permission.
    """
    return locked(f"function policy {function.arn}")


def is_ours(statement: JSON) -> bool:
    """Whether nbchalice added a statement."""
    return str(statement.get("Sid", "")).startswith(f"{OWNER_PREFIX}-")
