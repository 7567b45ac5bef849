"""The EventBridge rule: fires by the clock or for matching events, with the function as its target."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from nbchalice.resources.base import AWS, FunctionRef, Key, Problem, Resource, or_missing
from nbchalice.resources.permission import Permission, principal_of, source_arn_of
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import TargetTypeDef

PRINCIPAL = "events.amazonaws.com"
TARGET_ID = "1"
LONGEST_NAME = 64


@dataclass(frozen=True)
class Rule(Resource):
    """An EventBridge rule with the function as its one target (EventBridge: PutRule, PutTargets).

    Parameters
    ----------
    function : FunctionRef
        The function.
    expression : str
        ``rate(...)`` or ``cron(...)``, or an empty text.
    pattern : str
        JSON text of the event pattern, or an empty text. A rule with neither is only to be removed.
    description : str
        The rule's description.
    enabled : bool
        Whether it fires.
    input : str
        JSON text that the function gets instead of the event, or an empty text.
    """

    kind: ClassVar[str] = "rule"
    function: FunctionRef
    expression: str = ""
    pattern: str = ""
    description: str = ""
    enabled: bool = True
    input: str = ""

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.function.event_name

    @property
    def arn(self) -> str:
        """The rule's ARN."""
        return self.function.arn_of("events", f"rule/{self.name}")

    @property
    def permission(self) -> Permission:
        """What lets the rule invoke the function."""
        return Permission(self.function, PRINCIPAL, self.arn)

    @property
    def needs(self) -> frozenset[Key]:
        """The permission to invoke the function."""
        return frozenset({self.permission.key})

    def read(self, aws: AWS) -> JSON | None:
        """Return the rule and its targets, or None."""
        client = aws.client("events")
        with or_missing():
            rule = client.describe_rule(Name=self.name)
            return {"rule": rule, "targets": client.list_targets_by_rule(Rule=self.name)["Targets"]}
        return None

    def target(self) -> TargetTypeDef:
        """Return the target as PutTargets takes it."""
        target: TargetTypeDef = {"Id": TARGET_ID, "Arn": self.function.arn}
        return {**target, "Input": self.input} if self.input else target

    def state(self) -> Literal["ENABLED", "DISABLED"]:
        """Return the state as PutRule takes it."""
        return "ENABLED" if self.enabled else "DISABLED"

    def differences(self, current: JSON) -> list[str]:
        """Compare the rule and its target."""
        rule = current["rule"]
        pairs = [
            ("schedule", rule.get("ScheduleExpression", ""), self.expression),
            ("event pattern", _normal(rule.get("EventPattern", "")), _normal(self.pattern)),
            ("description", rule.get("Description", ""), self.description),
            ("state", rule.get("State", ""), self.state()),
        ]
        reasons = [f"{name}: {now or 'none'} -> {wanted or 'none'}" for name, now, wanted in pairs if now != wanted]
        return reasons if current["targets"] == [self.target()] else [*reasons, "its target is not the function"]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Put the rule and its target; both calls replace what stands."""
        client = aws.client("events")
        tags = [{"Key": key, "Value": value} for key, value in self.function.tags.items()]
        new: JSON = {} if current else {"Tags": tags}
        when: JSON = {"EventPattern": self.pattern} if self.pattern else {"ScheduleExpression": self.expression}
        client.put_rule(
            Name=self.name,
            State=self.state(),
            Description=self.description,
            **when,
            **new,
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


def _normal(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True) if text else ""


def numbered(function: FunctionRef, names: Sequence[str]) -> list[FunctionRef]:
    """Return the function with the number of each of its rules or schedules among the names."""
    own = re.compile(re.escape(function.name) + r"-event(?:-(\d+))?")
    matches = [own.fullmatch(name) for name in names]
    return [replace(function, number=int(match[1] or 1)) for match in matches if match]


def attached_rules(function: FunctionRef, policy: Sequence[JSON]) -> list[Resource]:
    """Return the function's rules that may invoke it."""
    arns = [source_arn_of(s) for s in policy if principal_of(s) == PRINCIPAL]
    return [Rule(ref) for ref in numbered(function, [arn.rpartition("/")[2] for arn in arns])]


def name_problems(function: FunctionRef) -> list[Problem]:
    """Return that the name of a rule or schedule would be too long (EventBridge: PutRule)."""
    name = function.event_name
    if len(name) <= LONGEST_NAME:
        return []
    text = f"the name {name} of its rule has {len(name)} letters; EventBridge takes {LONGEST_NAME}"
    return [Problem(text, "shorten the app's name, or give the handler a shorter --name")]


def rule_of(
    function: FunctionRef,
    *,
    input: object = None,
    expression: str = "",
    pattern: str = "",
    description: str = "",
    enabled: bool = True,
) -> Rule:
    """Return a rule from options as they are declared."""
    constant = "" if input is None else json.dumps(input, sort_keys=True)
    return Rule(function, expression, pattern, description, enabled, constant)
