"""EventBridge events: a function handles the events that match a pattern."""

from __future__ import annotations

import json
from collections.abc import Sequence

from nbchalice.patterns import EVENT_PATTERN, Pattern
from nbchalice.resources.base import AWS, FunctionRef, Preflight, Resource
from nbchalice.resources.rule import attached_rules, name_problems, rule_of
from nbchalice.sources.base import Field, Note, Sent, Source, json_of
from nbchalice.sources.filters import pattern_problems
from nbchalice.sources.invoking import send_event
from nbchalice.sources.options import Option, json_value
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
    examples = ("""'{"source": ["shop"], "detail-type": ["order"]}'""", """'{"source": ["aws.ec2"]}'""")
    argument = Option(
        "event_pattern", 'event pattern, for example \'{"source": ["aws.ec2"]}\'', json_value, metavar="PATTERN"
    )
    options = ()
    fields = (Field("detail", "Detail", "json", "{}", "the event's detail"),)

    def check(self, options: Values) -> list[str]:
        """Return what EventBridge would reject, and what no event can match."""
        pattern = options.get("event_pattern")
        if pattern is None:
            return ['PATTERN is missing: an event pattern, for example \'{"source": ["aws.ec2"]}\'']
        return pattern_problems(pattern, "PATTERN", ENVELOPE)

    def subject(self, options: Values) -> str:
        """Return the sources and detail types of the pattern, or an empty text."""
        pattern = options["event_pattern"]
        words = [" or ".join(map(str, pattern[name])) for name in ("source", "detail-type") if name in pattern]
        return ": ".join(words)

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        subject = self.subject(options)
        return f"events of {subject}" if subject else f"events that match {json.dumps(options['event_pattern'])}"

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the permission and the rule."""
        rule = rule_of(function, pattern=json.dumps(options["event_pattern"], sort_keys=True))
        return [rule.permission, rule]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the function's rules that may invoke it."""
        return attached_rules(function, policy)

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Look at the length of the name."""
        return Preflight(name_problems(function))

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

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Put the event on the default bus; one of an AWS service, which only AWS may put there, goes directly."""
        event = self.sample(options, function, **values)
        if self.passes_by(options):
            return send_event(aws, function, event)
        answer = aws.client("events").put_events(
            Entries=[
                {
                    "Source": event["source"],
                    "DetailType": event["detail-type"],
                    "Detail": json.dumps(event["detail"]),
                    "Resources": event["resources"],
                }
            ]
        )
        event_id = str(answer["Entries"][0]["EventId"])
        return Sent(event_id, (event_id,))


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
