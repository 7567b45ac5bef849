"""EventBridge Scheduler: schedules with a time zone, a flexible window, or a single moment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, OWNER_PREFIX, FunctionRef, Key, Resource, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.permission import Permission, principal_of, source_arn_of
from nbchalice.resources.role import role_grants, role_reasons, write_role
from nbchalice.resources.rule import numbered
from nbchalice.typed import JSON

PRINCIPAL = "scheduler.amazonaws.com"
GROUP = "default"
POLICY_NAME = OWNER_PREFIX


@dataclass(frozen=True)
class SchedulerRole(Resource):
    """The role with which Scheduler invokes the function, and may do nothing else.

    EventBridge Scheduler: "Setting up the execution role", "Confused deputy prevention".
    """

    kind: ClassVar[str] = "scheduler role"
    function: FunctionRef

    @property
    def name(self) -> str:
        """The role's name: that of the schedule."""
        return self.function.event_name

    @property
    def path(self) -> str:
        """The role's path; not that of the functions' roles, by which handlers are found."""
        return f"{self.function.role_path}{OWNER_PREFIX}-scheduler/{self.function.app}/{self.function.stage}/"

    @property
    def arn(self) -> str:
        """The role's ARN."""
        return str(Arn(self.function.partition, "iam", "", self.function.account, f"role{self.path}{self.name}"))

    @property
    def needs(self) -> frozenset[Key]:
        """The statement by which schedule and role are found again; so it also goes last."""
        return frozenset({SchedulerSchedule(self.function).permission.key})

    def trust(self) -> JSON:
        """Return who may take the role: Scheduler, for schedules of this account's group."""
        group = self.function.arn_of("scheduler", f"schedule-group/{GROUP}")
        own = {"StringEquals": {"aws:SourceAccount": self.function.account, "aws:SourceArn": group}}
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": PRINCIPAL},
            "Action": "sts:AssumeRole",
            "Condition": own,
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def policy(self) -> JSON:
        """Return the inline policy."""
        statement = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": self.function.arn}
        return {"Version": "2012-10-17", "Statement": [statement]}

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        return role_grants(self.arn, PRINCIPAL, self.function.boundary)

    def read(self, aws: AWS) -> JSON | None:
        """Return the role and its inline policy, or None."""
        client = aws.client("iam")
        standing: JSON | None = None
        with or_missing():
            standing = {"role": client.get_role(RoleName=self.name)["Role"], "policy": None}
            standing["policy"] = client.get_role_policy(RoleName=self.name, PolicyName=POLICY_NAME)["PolicyDocument"]
        return standing

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the role is another's."""
        tags = {tag["Key"]: tag["Value"] for tag in current["role"].get("Tags", [])}
        mine = all(tags.get(name) == value for name, value in self.function.tags.items())
        return [] if mine else [f"{self.name} exists and was not made for this handler"]

    def differences(self, current: JSON) -> list[str]:
        """Compare the trust, the boundary and the policy."""
        reasons = role_reasons(self, current)
        return reasons if current["policy"] == self.policy() else [*reasons, "its policy"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create the role and put its policy."""
        client = aws.client("iam")
        write_role(client, self, current)
        client.put_role_policy(RoleName=self.name, PolicyName=POLICY_NAME, PolicyDocument=json.dumps(self.policy()))

    def delete(self, aws: AWS, current: object) -> None:
        """Delete the policy and the role."""
        client = aws.client("iam")
        with or_missing():
            client.delete_role_policy(RoleName=self.name, PolicyName=POLICY_NAME)
        with or_missing():
            client.delete_role(RoleName=self.name)


@dataclass(frozen=True)
class SchedulerSchedule(Resource):
    """A schedule of EventBridge Scheduler that invokes the function (EventBridge Scheduler: CreateSchedule).

    Schedules have no tags and Scheduler needs no permission of the function. The permission is added all the same: by
    it the schedule is found again when the handler has gone.

    Parameters
    ----------
    function : FunctionRef
        The function.
    expression : str
        ``rate(...)``, ``cron(...)`` or ``at(...)``; empty for a schedule that is only to be removed.
    timezone : str
        Time zone of the expression.
    flexible_window : int or None
        Minutes within which AWS may choose the moment, or None.
    description : str
        The schedule's description.
    enabled : bool
        Whether it fires.
    input : str
        JSON text that the function gets instead of Scheduler's own event, or an empty text.
    """

    kind: ClassVar[str] = "schedule"
    function: FunctionRef
    expression: str = ""
    timezone: str = "UTC"
    flexible_window: int | None = None
    description: str = ""
    enabled: bool = True
    input: str = ""

    @property
    def name(self) -> str:
        """The schedule's name."""
        return self.function.event_name

    @property
    def arn(self) -> str:
        """The schedule's ARN."""
        return self.function.arn_of("scheduler", f"schedule/{GROUP}/{self.name}")

    @property
    def permission(self) -> Permission:
        """The statement by which the schedule is found again."""
        return Permission(self.function, PRINCIPAL, self.arn)

    @property
    def needs(self) -> frozenset[Key]:
        """Its role, and the statement by which it is found again."""
        made = set() if self.function.role else {SchedulerRole(self.function).key}
        return frozenset({*made, self.permission.key})

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = ("CreateSchedule", "DeleteSchedule", "GetSchedule", "UpdateSchedule")
        return [Grant(tuple(f"scheduler:{name}" for name in names), (str(self.arn),))]

    def read(self, aws: AWS) -> JSON | None:
        """Return the schedule, or None."""
        with or_missing():
            answer = aws.client("scheduler").get_schedule(Name=self.name)
            return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        return None

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the schedule invokes something else."""
        target = current.get("Target", {}).get("Arn", "")
        return [] if target == self.function.arn else [f"{self.name} exists and invokes {target}"]

    def wanted(self) -> JSON:
        """Return the settings as CreateSchedule and UpdateSchedule take them."""
        window: JSON = {"Mode": "OFF"}
        if self.flexible_window is not None:
            window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": self.flexible_window}
        target = {"Arn": self.function.arn, "RoleArn": self.function.role or SchedulerRole(self.function).arn}
        return {
            "ScheduleExpression": self.expression,
            "ScheduleExpressionTimezone": self.timezone,
            "FlexibleTimeWindow": window,
            "Description": self.description,
            "State": "ENABLED" if self.enabled else "DISABLED",
            "Target": {**target, "Input": self.input} if self.input else target,
        }

    def differences(self, current: JSON) -> list[str]:
        """Compare each setting; what AWS adds to the target does not count."""
        target = {name: current.get("Target", {}).get(name) for name in ("Arn", "RoleArn", "Input")}
        now = {
            **current,
            "ScheduleExpressionTimezone": current.get("ScheduleExpressionTimezone") or "UTC",
            "Description": current.get("Description") or "",
            "Target": {name: value for name, value in target.items() if value},
        }
        return [
            f"{name}: {now.get(name)} -> {value}" for name, value in self.wanted().items() if now.get(name) != value
        ]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Create or replace the schedule."""
        client = aws.client("scheduler")
        put = client.create_schedule if current is None else client.update_schedule
        put(Name=self.name, **self.wanted())

    def delete(self, aws: AWS, current: object) -> None:
        """Delete the schedule."""
        with or_missing():
            aws.client("scheduler").delete_schedule(Name=self.name)


def attached_schedules(function: FunctionRef, policy: Sequence[JSON]) -> list[Resource]:
    """Return the function's schedules and their roles."""
    arns = [source_arn_of(s) for s in policy if principal_of(s) == PRINCIPAL]
    schedules: list[Resource] = []
    for ref in numbered(function, [arn.rpartition("/")[2] for arn in arns]):
        schedules += [SchedulerSchedule(ref), SchedulerRole(ref)]
    return schedules
