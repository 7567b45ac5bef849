"""The log group that a function writes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from nbchalice.resources.base import AWS, OWNER_PREFIX, FunctionRef, Resource, or_missing
from nbchalice.resources.ownership import foreign_owner
from nbchalice.typed import JSON


def log_group_name(function_name: str) -> str:
    """Return the log group that Lambda writes a function's logs to."""
    return f"/aws/lambda/{function_name}"


def app_log_groups(aws: AWS, app: str, stage: str) -> Iterator[JSON]:
    """Yield the log groups that bear an app's name; they may be another's."""
    prefix = log_group_name(f"{app}-{stage}-")
    for page in aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
        yield from map(dict, page["logGroups"])


@dataclass(frozen=True)
class LogGroup(Resource):
    """The function's log group; made first and removed last (CloudWatch Logs: CreateLogGroup).

    Parameters
    ----------
    function : FunctionRef
        The function.
    retention : int or None
        Days after which log events are dropped, or None for never.
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

    def delete(self, aws: AWS, current: object) -> None:
        """Delete the group with its log events."""
        with or_missing():
            aws.client("logs").delete_log_group(logGroupName=self.name)
