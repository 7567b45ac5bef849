"""The log group that a function writes to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from nbchalice.resources.base import (
    AWS,
    OWNER_PREFIX,
    TAGS,
    UNREAD,
    FunctionRef,
    OfTheUser,
    Preflight,
    Problem,
    Resource,
    is_denied,
    or_missing,
)
from nbchalice.resources.grants import Grant
from nbchalice.resources.ownership import foreign_owner, lacking, tag_reasons, with_tags
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
    kms_key : str
        ARN of the key that encrypts what is logged; empty for what stands, or AWS's own.
    log_class : str
        ``STANDARD`` or ``INFREQUENT_ACCESS``; empty for what stands, or the first.
    """

    kind: ClassVar[str] = "log group"
    function: FunctionRef
    retention: int | None = None
    kms_key: str = ""
    log_class: str = ""

    @property
    def name(self) -> str:
        """The group's name."""
        return log_group_name(self.function.name)

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = ("CreateLogGroup", "DeleteLogGroup", "FilterLogEvents", "ListTagsForResource", "TagResource")
        actions = [f"logs:{name}" for name in (*names, "PutRetentionPolicy", "DeleteRetentionPolicy")]
        actions += ["logs:AssociateKmsKey"] if self.kms_key else []
        arn = self.function.arn_of("logs", f"log-group:{self.name}")
        return [Grant(tuple(actions), (arn, f"{arn}:*"))]

    def read(self, aws: AWS) -> JSON | None:
        """Return the group, or None; ``unread`` where the caller may not look, and the role is somebody's own.

        Such a role may make the group at the first run, as those of AWS's managed policy may.
        """
        try:
            groups = app_log_groups(aws, self.function.app, self.function.stage)
            group = next((group for group in groups if group["logGroupName"] == self.name), None)
        except Exception as error:
            if not (self.function.role and is_denied(error)):
                raise
            return {UNREAD: "log groups stay as they are: AWS denies logs:DescribeLogGroups"}
        if group is None:
            return None
        found = with_tags(
            self.function, group, lambda: self.read_tags(aws, group), "logs:ListTagsForResource", "log groups"
        )
        return None if found.get(TAGS, {}) is None else found

    def read_tags(self, aws: AWS, current: JSON) -> dict[str, str] | None:
        """Return the group's tags, or None where somebody deleted it meanwhile."""
        with or_missing():
            answer = aws.client("logs").list_tags_for_resource(resourceArn=current["arn"].removesuffix(":*"))
            return dict(answer["tags"])
        return None

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the group is of another app, where its tags were read.

        One without tags is used as it stands, and never deleted: Lambda itself makes such groups, and it may hold the
        logs of a function that had this name before.
        """
        tags = current.get(TAGS, {})
        if f"{OWNER_PREFIX}:app" in tags and (foreign := foreign_owner(self.name, tags, self.function)):
            return foreign
        now = current.get("logGroupClass") or "STANDARD"
        if UNREAD in current or not self.log_class or now == self.log_class:
            return []
        to = f"{self.name} has the class {now}, which AWS cannot change to {self.log_class}"
        return [f"{to}: leave out --log-class, or delete the log group with what is in it"]

    def differences(self, current: JSON) -> list[str]:
        """Compare the retention, the user's tags, and the key where one is asked for; another one stays else."""
        if UNREAD in current:
            return []
        now = current.get("retentionInDays")
        reasons = [] if now == self.retention else [f"retention: {now or 'never'} -> {self.retention or 'never'}"]
        if self._other_key(current):
            reasons.append(f"key: {current.get('kmsKeyId') or 'none'} -> {self.kms_key}")
        return reasons + tag_reasons(self.function, current.get(TAGS))

    def _other_key(self, current: JSON) -> bool:
        return bool(self.kms_key) and current.get("kmsKeyId") != self.kms_key

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the group, or set its retention, key and tags."""
        client = aws.client("logs")
        if current is None:
            given = {"kmsKeyId": self.kms_key, "logGroupClass": self.log_class}
            extra: JSON = {name: value for name, value in given.items() if value}
            client.create_log_group(logGroupName=self.name, tags=self.function.all_tags, **extra)
        else:
            if self._other_key(current):
                client.associate_kms_key(logGroupName=self.name, kmsKeyId=self.kms_key)
            if tags := lacking(self.function, current.get(TAGS)):
                client.tag_resource(resourceArn=current["arn"].removesuffix(":*"), tags=tags)
        if self.retention:
            client.put_retention_policy(logGroupName=self.name, retentionInDays=self.retention)
        elif current and current.get("retentionInDays"):
            client.delete_retention_policy(logGroupName=self.name)

    def delete(self, aws: AWS, current: object) -> None:
        """Delete the group with its log events."""
        with or_missing():
            aws.client("logs").delete_log_group(logGroupName=self.name)


@dataclass(frozen=True)
class SharedLogGroup(OfTheUser):
    """A log group that functions share, also those of others: made on the local AWS where it is missing."""

    kind: ClassVar[str] = "log group"
    function: FunctionRef

    @property
    def name(self) -> str:
        """The group's name."""
        return self.function.log_group

    def read(self, aws: AWS) -> JSON | None:
        """Return the group, or None."""
        for page in aws.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=self.name):
            for group in page["logGroups"]:
                if group["logGroupName"] == self.name:
                    return dict(group)
        return None

    def write(self, aws: AWS, current: object) -> None:
        """Create the group as CloudWatch has it by default."""
        aws.client("logs").create_log_group(logGroupName=self.name)

    def agrees_with(self, other: Resource) -> bool:
        """Any two functions may share it."""
        return isinstance(other, SharedLogGroup)


def preflight(aws: AWS, function: FunctionRef) -> Preflight:
    """Look whether the log group that a function is to share exists; on the local AWS a deploy makes it.

    Lambda would make it with the function's role at the first run, which may not: nothing would be logged.
    """
    found, name = Preflight(), function.log_group
    if not name:
        return found
    try:
        group = SharedLogGroup(function).read(aws)
    except Exception as error:
        if not is_denied(error):
            raise
        text = "was not looked for: AWS denies logs:DescribeLogGroups; without it nothing is logged"
        found.notes.append(f"{function.handler}: log group {name} {text}")
        return found
    if group is None and not aws.local:
        hint = f"aws logs create-log-group --log-group-name {name} --region {function.region}"
        found.problems.append(Problem(f"log group {name} does not exist in {function.region}", hint))
    if group and (kind := group.get("logGroupClass") or "STANDARD") != "STANDARD":
        text = f"has the class {kind}: logs and send may see nothing of it, as FilterLogEvents is for STANDARD only"
        found.notes.append(f"{function.handler}: log group {name} {text}")
    return found


def log_statement(function: FunctionRef) -> JSON:
    """Return the statement that lets a role write a function's log."""
    group = function.arn_of("logs", f"log-group:{function.log_group or log_group_name(function.name)}")
    # IAM's reference names the group for CreateLogStream and the stream for PutLogEvents.
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return {"Effect": "Allow", "Action": actions, "Resource": [group, f"{group}:*"]}
