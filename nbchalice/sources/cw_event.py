"""EventBridge events: a function handles the events that match a pattern."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nbchalice.errors import AWSError
from nbchalice.patterns import EVENT_PATTERN, Pattern
from nbchalice.resources.base import AWS, FunctionRef, Preflight, Problem, Resource, unless_denied
from nbchalice.resources.grants import Grant
from nbchalice.resources.rule import (
    BUS_ARN,
    BUS_NAME,
    DEFAULT_BUS,
    EventBus,
    Rule,
    attached_rules,
    bus_of,
    name_problems,
    rule_of,
)
from nbchalice.sources.base import Field, Note, Sent, Source
from nbchalice.sources.filters import pattern_problems
from nbchalice.sources.given import json_of
from nbchalice.sources.invoking import send_event
from nbchalice.sources.options import Option, json_value
from nbchalice.sources.payloads import MOST_OF_BUS, entry_size, require_room
from nbchalice.sources.raw_events import bridge_event
from nbchalice.typed import JSON, Values

# EventBridge, "AWS service event metadata": what every event has.
ENVELOPE = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name")
OWN_SOURCE = "nbchalice.test"


class CloudWatchEvents(Source):
    """`@app.on_cw_event` and `%%on_cw_event` (Chalice: CloudWatch Events; EventBridge: Event patterns)."""

    name = "on_cw_event"
    title = "EventBridge"
    takes_event_name = True
    examples = (
        """'{"source": ["shop"], "detail-type": ["order"]}'""",
        """'{"source": ["aws.ec2"]}'""",
        """'{"source": ["shop"]}' --bus orders""",
    )
    argument = Option(
        "event_pattern", 'event pattern, for example \'{"source": ["aws.ec2"]}\'', json_value, metavar="PATTERN"
    )
    options = (Option("bus", "event bus of the events; default: the account's own", metavar="NAME|ARN"),)
    fields = (Field("detail", "Detail", "json", "{}", "the event's detail"),)

    def check(self, options: Values) -> list[str]:
        """Return what EventBridge would reject, and what no event can match."""
        pattern = options.get("event_pattern")
        if pattern is None:
            return ['PATTERN is missing: an event pattern, for example \'{"source": ["aws.ec2"]}\'']
        return _bus_problems(options.get("bus")) + pattern_problems(pattern, "PATTERN", ENVELOPE)

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return that a bus of the user's gets no events of AWS."""
        if bus_of(options.get("bus")) == DEFAULT_BUS or not self.passes_by(options):
            return []
        return [
            f"events of AWS come on the default bus; bus {bus_of(options['bus'])} gets those that a rule sends there"
        ]

    def subject(self, options: Values) -> str:
        """Return the sources and detail types of the pattern, or an empty text."""
        pattern = options["event_pattern"]
        words = [" or ".join(map(str, pattern[name])) for name in ("source", "detail-type") if name in pattern]
        return ": ".join(words)

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        subject, bus = self.subject(options), bus_of(options.get("bus"))
        words = f"events of {subject}" if subject else f"events that match {json.dumps(options['event_pattern'])}"
        return words if bus == DEFAULT_BUS else f"{words} on bus {bus}"

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the permission and the rule."""
        pattern = json.dumps(options["event_pattern"], sort_keys=True)
        rule = rule_of(function, pattern=pattern, bus=bus_of(options.get("bus")))
        return [rule.permission, rule]

    def local_resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the bus, unless it is that which each account has."""
        bus = bus_of(options.get("bus"))
        return [] if bus == DEFAULT_BUS else [EventBus(bus)]

    def as_deployed(self, options: Values, resource: Resource, current: JSON) -> list[Values]:
        """Return the rule's pattern."""
        if not isinstance(resource, Rule):
            return [options]
        return [{**options, "event_pattern": json.loads(current["rule"]["EventPattern"])}]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the function's rules that may invoke it."""
        return attached_rules(function, policy)

    def grants(self, options: Values, function: FunctionRef) -> list[Grant]:
        """Return what who deploys and sends must be allowed for it, beside what its resources want."""
        bus = bus_of(options.get("bus"))
        actions = ("events:PutEvents", *(["events:DescribeEventBus"] if bus != DEFAULT_BUS else []))
        return [Grant(actions, (function.arn_of("events", f"event-bus/{bus}"),), own=False)]

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Look at the length of the name, and whether the bus stands, in the function's account and region."""
        problems, bus = name_problems(function), bus_of(options.get("bus"))
        arn = BUS_ARN.fullmatch(options.get("bus") or "")
        if arn and (arn["account"], arn["region"]) != (function.account, function.region):
            text = f"event bus {bus} is of account {arn['account']} in {arn['region']}, the function of "
            hint = f"let a rule of that bus send its events to a bus of account {function.account}, and name that one"
            return Preflight([*problems, Problem(f"{text}{function.account} in {function.region}", hint)])
        if bus != DEFAULT_BUS and not aws.local:
            with unless_denied():
                if EventBus(bus).read(aws) is None:
                    hint = f"aws events create-event-bus --name {bus} --region {function.region}"
                    problems.append(Problem(f"event bus {bus} does not exist in {function.region}", hint))
        return Preflight(problems)

    def templates(self, options: Values, function: FunctionRef) -> dict[str, JSON]:
        """Return a detail that has the plain values of the pattern."""
        detail = _example(options["event_pattern"].get("detail") or {})
        return {"sample": {"detail": json.dumps(detail, indent=2)}}

    def verdict(self, handler: str, options: Values, values: Values, function: FunctionRef) -> Note | None:
        """Return whether the pattern matches the event."""
        pattern = Pattern.of(options["event_pattern"], EVENT_PATTERN)
        passes = pattern.matches(self.sample(options, function, **values))
        return Note(f"{handler}: its event pattern {'lets it through' if passes else 'does not match'}", passes)

    def sample(self, options: Values, function: FunctionRef, **values: object) -> JSON:
        """Return an event with the source and detail type of the pattern (EventBridge: Events)."""
        pattern = options["event_pattern"]
        example = _example(pattern.get("detail") or {})
        return bridge_event(
            _first(pattern.get("source"), OWN_SOURCE),
            _first(pattern.get("detail-type"), "nbchalice test"),
            json_of(values.get("detail"), example),
            [_first(pattern["resources"], "")] if pattern.get("resources") else [],
            region=function.region,
            account=function.account,
        )

    def passes_by(self, options: Values) -> bool:
        """Whether it is an event of an AWS service: only AWS may put these on the bus."""
        return str(_first(options["event_pattern"].get("source"), OWN_SOURCE)).startswith("aws.")

    def values_of(self, record: JSON) -> JSON:
        """Return the detail."""
        return {"detail": record["detail"]} if "detail" in record else {}

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Put the event on its bus; one of an AWS service, which only AWS may put there, goes directly."""
        event = self.sample(options, function, **values)
        if self.passes_by(options):
            return send_event(aws, function, event)
        detail = json.dumps(event["detail"])
        require_room(entry_size(event, detail), MOST_OF_BUS, "the event", "EventBridge")
        entry: Any = {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": detail,
            "Resources": event["resources"],
        }
        bus = bus_of(options.get("bus"))
        if bus != DEFAULT_BUS:
            entry["EventBusName"] = bus
        answer = aws.client("events").put_events(Entries=[entry])
        told = answer["Entries"][0]
        if code := told.get("ErrorCode"):
            raise AWSError(f"event bus {bus} did not take the event: AWS says {code}: {told.get('ErrorMessage')}")
        event_id = str(told["EventId"])
        return Sent(event_id, (event_id,))


def _bus_problems(bus: str | None) -> list[str]:
    """Return that a text is neither name nor ARN of a bus (EventBridge: PutRule)."""
    if bus is None or (BUS_ARN if bus.startswith("arn:") else BUS_NAME).fullmatch(bus):
        return []
    form = "a name of letters, digits, . - _ and /, or arn:aws:events:REGION:ACCOUNT:event-bus/NAME"
    return [f"--bus {bus!r} is not an event bus: {form}"]


def _first(rules: object, default: str) -> str:
    """Return a text that the first of a field's rules lets through."""
    rule = rules[0] if isinstance(rules, list) and rules else default
    if isinstance(rule, dict):
        return str(next((rule[name] for name in ("prefix", "suffix", "equals-ignore-case") if name in rule), default))
    return str(rule)


def _example(pattern: Values) -> JSON:
    """Return a detail that matches the plain values of a pattern."""
    detail: JSON = {}
    for name, rules in pattern.items():
        if isinstance(rules, dict):
            detail[name] = _example(rules)
        elif isinstance(rules, list) and rules and name != "$or":
            detail[name] = _first(rules, "") if isinstance(rules[0], dict) else rules[0]
    return detail
