"""The EventBridge rule: fires by the clock or for events of a bus that match, with the function as its target."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, cast

from nbchalice.resources.base import AWS, TAGS, FunctionRef, Key, OfTheUser, Problem, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.ownership import as_list, as_mapping, lacking, tag_reasons, with_tags
from nbchalice.resources.permission import Permission, principal_of, source_arn_of
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import TagTypeDef, TargetTypeDef

PRINCIPAL = "events.amazonaws.com"
TARGET_ID = "1"
LONGEST_NAME = 64
DEFAULT_BUS = "default"
# Names of buses of partners have slashes: aws.partner/example.com/acme/orders
BUS_NAME = re.compile(r"[/.\w-]{1,256}", re.ASCII)
BUS_ARN = re.compile(
    r"arn:aws[\w-]*:events:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):event-bus/(?P<name>[/.\w-]+)", re.ASCII
)


def bus_of(text: str | None) -> str:
    """Return the name of a bus that is given by name or ARN; that of the default bus where none is."""
    match = BUS_ARN.fullmatch(text or "")
    return match["name"] if match else text or DEFAULT_BUS


@dataclass(frozen=True)
class EventBus(OfTheUser):
    """An event bus of the user's."""

    kind: ClassVar[str] = "event bus"
    bus: str

    @property
    def name(self) -> str:
        """The bus's name."""
        return self.bus

    def read(self, aws: AWS) -> JSON | None:
        """Return what DescribeEventBus tells, or None."""
        with or_missing():
            return dict(aws.client("events").describe_event_bus(Name=self.bus))
        return None

    def write(self, aws: AWS, current: object) -> None:
        """Create the bus."""
        aws.client("events").create_event_bus(Name=self.bus)


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
    bus : str
        The name of the bus whose events it is for.
    """

    kind: ClassVar[str] = "rule"
    delivers: ClassVar[bool] = True
    function: FunctionRef
    expression: str = ""
    pattern: str = ""
    description: str = ""
    enabled: bool = True
    input: str = ""
    bus: str = DEFAULT_BUS

    @property
    def name(self) -> str:
        """The rule's name, after that of its bus where it is not on the default one."""
        name = self.function.event_name
        return name if self.bus == DEFAULT_BUS else f"{self.bus}/{name}"

    @property
    def arn(self) -> str:
        """The rule's ARN."""
        return self.function.arn_of("events", f"rule/{self.name}")

    @property
    def _place(self) -> Any:  # boto3's stubs take no dict for a call's parameters
        """Which rule is meant, for the calls that name it ``Rule``."""
        return {"Rule": self.function.event_name, "EventBusName": self.bus}

    @property
    def permission(self) -> Permission:
        """What lets the rule invoke the function."""
        return Permission(self.function, PRINCIPAL, self.arn)

    @property
    def needs(self) -> frozenset[Key]:
        """The permission to invoke the function, and the bus."""
        return frozenset({self.permission.key, key_of("event bus", self.bus)})

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = (
            "DeleteRule",
            "DescribeRule",
            "ListTargetsByRule",
            "PutRule",
            "PutTargets",
            "RemoveTargets",
            "TagResource",
            *(["ListTagsForResource"] if self.function.labels else []),
        )
        return [Grant(tuple(f"events:{name}" for name in names), (str(self.arn),))]

    def read(self, aws: AWS) -> JSON | None:
        """Return the rule and its targets, or None."""
        client = aws.client("events")
        with or_missing():
            rule = client.describe_rule(Name=self.function.event_name, EventBusName=self.bus)
            standing = {"rule": rule, "targets": client.list_targets_by_rule(**self._place)["Targets"]}
            return with_tags(self.function, standing, lambda: self._tags(aws), "events:ListTagsForResource", "rules")
        return None

    def _tags(self, aws: AWS) -> dict[str, str] | None:
        return as_mapping(aws.client("events").list_tags_for_resource(ResourceARN=self.arn)["Tags"])

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
        reasons += tag_reasons(self.function, current.get(TAGS))
        return reasons if current["targets"] == [self.target()] else [*reasons, "its target is not the function"]

    def blocks(self, current: JSON) -> str:
        """Return that it is disabled, or leads elsewhere."""
        if current["rule"].get("State") == "DISABLED":
            return f"rule {self.name} is disabled"
        leads = self.function.arn in {target["Arn"] for target in current["targets"]}
        return "" if leads else f"the function is no target of rule {self.name}"

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Put the rule and its target; both calls replace what stands."""
        client = aws.client("events")
        # Of a rule that stands EventBridge ignores them, but who must give tags must always.
        tagged: JSON = {"Tags": as_list(self.function.all_tags)}
        if current and (tags := lacking(self.function, current.get(TAGS))):
            client.tag_resource(ResourceARN=self.arn, Tags=cast("list[TagTypeDef]", as_list(tags)))
        when: JSON = {"EventPattern": self.pattern} if self.pattern else {"ScheduleExpression": self.expression}
        client.put_rule(
            Name=self.function.event_name,
            EventBusName=self.bus,
            State=self.state(),
            Description=self.description,
            **when,
            **tagged,
        )
        foreign = [t["Id"] for t in (current or {}).get("targets", []) if t["Id"] != TARGET_ID]
        if foreign:
            client.remove_targets(**self._place, Ids=foreign)
        self.lead(aws, self.target())

    def lead(self, aws: AWS, target: TargetTypeDef) -> None:
        """Give the rule its target."""
        answer = aws.client("events").put_targets(**self._place, Targets=[target])
        if answer.get("FailedEntryCount"):
            raise RuntimeError(json.dumps(answer["FailedEntries"]))

    def delete(self, aws: AWS, current: JSON) -> None:
        """Remove the targets and then the rule."""
        client = aws.client("events")
        with or_missing():
            if ids := [target["Id"] for target in current["targets"]]:
                client.remove_targets(**self._place, Ids=ids)
            client.delete_rule(Name=self.function.event_name, EventBusName=self.bus)


def _normal(text: str) -> str:
    return json.dumps(json.loads(text), sort_keys=True) if text else ""


def numbered(function: FunctionRef, names: Sequence[str]) -> list[FunctionRef]:
    """Return the function with the number of each of its rules or schedules among the names."""
    own = re.compile(re.escape(function.name) + r"-event(?:-(\d+))?")
    matches = [own.fullmatch(name) for name in names]
    return [replace(function, number=int(match[1] or 1)) for match in matches if match]


def attached_rules(function: FunctionRef, policy: Sequence[JSON]) -> list[Resource]:
    """Return the function's rules that may invoke it."""
    rules: list[Resource] = []
    for arn in (source_arn_of(s) for s in policy if principal_of(s) == PRINCIPAL):
        # arn:...:rule/NAME on the default bus, arn:...:rule/BUS/NAME on another.
        bus, _, name = arn.partition(":rule/")[2].rpartition("/")
        rules += [Rule(ref, bus=bus or DEFAULT_BUS) for ref in numbered(function, [name])]
    return rules


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
    bus: str = DEFAULT_BUS,
) -> Rule:
    """Return a rule from options as they are declared."""
    constant = "" if input is None else json.dumps(input, sort_keys=True)
    return Rule(function, expression, pattern, description, enabled, constant, bus)
