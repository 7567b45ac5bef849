"""Scheduled events: a function runs at a rate or by cron, through an EventBridge rule."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from nbchalice.runtime.schedules import parse_schedule
from nbchalice.sources.base import AWS, JSON, Field, FunctionRef, Resource, Sent, Source, or_missing
from nbchalice.sources.options import Option, json_value
from nbchalice.sources.permission import Permission, principal_of, source_arn_of

PRINCIPAL = "events.amazonaws.com"
TARGET_ID = "1"


@dataclass(frozen=True)
class Rule(Resource):
    """An EventBridge rule with the function as its one target (EventBridge: PutRule, PutTargets).

    Parameters
    ----------
    function: the function.
    expression: ``rate(...)`` or ``cron(...)``; empty for a rule that is only to be removed.
    description: the rule's description.
    enabled: whether it fires.
    input: JSON text that the function gets instead of the event, or an empty text.
    """

    kind: ClassVar[str] = "rule"
    function: FunctionRef
    expression: str = ""
    description: str = ""
    enabled: bool = True
    input: str = ""

    @property
    def name(self) -> str:
        """The rule's name."""
        return f"{self.function.name}-event"

    @property
    def arn(self) -> str:
        """The rule's ARN."""
        return self.function.arn_of("events", f"rule/{self.name}")

    @property
    def needs(self) -> frozenset[str]:
        """The permission to invoke the function."""
        return frozenset({Permission(self.function, PRINCIPAL, self.arn).key})

    def read(self, aws: AWS) -> JSON | None:
        """Return the rule and its targets, or None."""
        client = aws.client("events")
        with or_missing():
            rule = client.describe_rule(Name=self.name)
            return {"rule": rule, "targets": client.list_targets_by_rule(Rule=self.name)["Targets"]}
        return None

    def target(self) -> JSON:
        """Return the target as PutTargets takes it."""
        extra = {"Input": self.input} if self.input else {}
        return {"Id": TARGET_ID, "Arn": self.function.arn, **extra}

    def state(self) -> str:
        """Return the state as PutRule takes it."""
        return "ENABLED" if self.enabled else "DISABLED"

    def differences(self, current: JSON) -> list[str]:
        """Compare the rule and its target."""
        rule = current["rule"]
        pairs = [
            ("schedule", rule.get("ScheduleExpression", ""), self.expression),
            ("description", rule.get("Description", ""), self.description),
            ("state", rule.get("State", ""), self.state()),
        ]
        found = [f"{name}: {now or 'none'} -> {wanted or 'none'}" for name, now, wanted in pairs if now != wanted]
        return found if current["targets"] == [self.target()] else [*found, "its target is not the function"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Put the rule and its target; both calls replace what stands."""
        client = aws.client("events")
        tags = [{"Key": key, "Value": value} for key, value in self.function.tags.items()]
        client.put_rule(
            Name=self.name,
            ScheduleExpression=self.expression,
            State=self.state(),
            Description=self.description,
            **({} if current else {"Tags": tags}),
        )
        foreign = [t["Id"] for t in (current or {}).get("targets", []) if t["Id"] != TARGET_ID]
        if foreign:
            client.remove_targets(Rule=self.name, Ids=foreign)
        answer = client.put_targets(Rule=self.name, Targets=[self.target()])
        if answer.get("FailedEntryCount"):
            raise RuntimeError(json.dumps(answer["FailedEntries"]))

    def delete(self, aws: AWS, current: JSON) -> None:
        """Remove the targets and then the rule."""
        client = aws.client("events")
        with or_missing():
            if ids := [target["Id"] for target in current["targets"]]:
                client.remove_targets(Rule=self.name, Ids=ids)
            client.delete_rule(Name=self.name)


class Schedule(Source):
    """`@app.schedule` and `%%schedule` (Chalice: Scheduled Events; EventBridge: Schedule expressions for rules)."""

    name = "schedule"
    title = "Schedule"
    event_class = "CloudWatchEvent"
    argument = Option("expression", "rate(5 minutes), cron(0 9 ? * MON-FRI *), ...", metavar="EXPRESSION")
    options = (
        Option("description", "description of the rule", default="", metavar="TEXT"),
        Option("input", "constant event instead of EventBridge's own (JSON)", json_value, None, "JSON"),
        Option("enabled", "whether the rule fires", bool, True),
        Option("timezone", "time zone of a cron expression, for example Europe/Vienna", metavar="ZONE"),
        Option("flexible_window", "minutes within which AWS may choose the moment", int, None, "MINUTES"),
    )
    fields = (Field("detail", "Detail", "json", "{}", "the event's detail"),)

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what EventBridge would reject."""
        try:
            parse_schedule(str(options["expression"]))
        except ValueError as error:
            return [str(error)]
        if len(options.get("description") or "") > 512:
            return ["--description is up to 512 characters"]
        return []

    def describe(self, options: Mapping[str, Any]) -> str:
        """Return the trigger in a few words."""
        off = "" if options.get("enabled", True) in {True, None} else ", disabled"
        return f"{options['expression']}{off}"

    def _rule(self, options: Mapping[str, Any], function: FunctionRef) -> Rule:
        constant = options.get("input")
        return Rule(
            function,
            str(options["expression"]),
            options.get("description") or "",
            options.get("enabled") is not False,
            "" if constant is None else json.dumps(constant, sort_keys=True),
        )

    def resources(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return the permission and the rule."""
        rule = self._rule(options, function)
        return [Permission(function, PRINCIPAL, rule.arn), rule]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the function's rule where a rule may invoke it."""
        mine = Rule(function)
        return [mine for s in policy if principal_of(s) == PRINCIPAL and source_arn_of(s) == mine.arn]

    def sample(self, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> JSON:
        """Return a scheduled event, or the constant input (EventBridge: events from EventBridge scheduled rules)."""
        if options.get("input") is not None:
            return dict(options["input"])
        detail = values.get("detail") or {}
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": function.account,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": function.region,
            "resources": [Rule(function).arn],
            "detail": json.loads(detail) if isinstance(detail, str) else detail,
        }

    def send(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> Sent:
        """Fire the scheduled event now: the function is invoked as EventBridge does it, asynchronously."""
        event = self.sample(options, function, **values)
        answer = aws.client("lambda").invoke(
            FunctionName=function.name, InvocationType="Event", Payload=json.dumps(event).encode()
        )
        request_id = answer["ResponseMetadata"]["RequestId"]
        return Sent(str(event.get("id") or request_id), (str(event.get("id", "")), request_id))
