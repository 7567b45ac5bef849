"""Scheduled events: a function runs at a rate, by cron or once, through an EventBridge rule or Scheduler."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from nbchalice.resources.base import AWS, FunctionRef, Preflight, Resource
from nbchalice.resources.rule import Rule, attached_rules, name_problems, rule_of
from nbchalice.resources.schedule import SchedulerRole, SchedulerSchedule, attached_schedules
from nbchalice.runtime.expressions import parse_schedule
from nbchalice.runtime.schedules import Rate
from nbchalice.sources.base import Field, Note, Sent, Source
from nbchalice.sources.given import json_of
from nbchalice.sources.invoking import send_event
from nbchalice.sources.options import Option, json_value
from nbchalice.sources.raw_events import bridge_event
from nbchalice.sources.redirects import Redirect, RuleRedirect
from nbchalice.sources.schedule_times import next_runs
from nbchalice.typed import JSON, Values

LONGEST_DESCRIPTION = 512
NEXT_RUNS = 5


def uses_scheduler(options: Values) -> bool:
    """Whether only EventBridge Scheduler can do it: rules know no time zones, windows and single moments."""
    once = str(options["expression"]).strip().startswith("at(")
    return once or options.get("timezone") is not None or options.get("flexible_window") is not None


class Schedule(Source):
    """`@app.schedule` and `%%schedule` (Chalice: Scheduled Events; EventBridge: Schedule expressions for rules)."""

    name = "schedule"
    title = "Schedule"
    takes_event_name = True
    way = "fire now"
    live_for = "schedules without time zone or flexible window"
    examples = ("rate(5 minutes)", "cron(0 9 ? * MON-FRI *) --timezone Europe/Vienna")
    argument = Option(
        "expression", "rate(5 minutes), cron(0 9 ? * MON-FRI *) or at(2030-01-31T09:00:00)", metavar="EXPRESSION"
    )
    options = (
        Option("description", "description of the rule", default="", metavar="TEXT"),
        Option("input", "constant event instead of EventBridge's own (JSON)", json_value, None, "JSON"),
        Option("enabled", "whether the rule fires", bool, True),
        Option("timezone", "time zone of a cron or at expression, for example Europe/Vienna", metavar="ZONE"),
        Option(
            "flexible_window",
            "minutes within which AWS may choose the moment",
            int,
            None,
            "MINUTES",
            minimum=1,
            maximum=1440,
        ),
    )
    fields = (Field("detail", "Detail", "json", "{}", "the event's detail"),)

    def check(self, options: Values) -> list[str]:
        """Return what EventBridge would reject."""
        text = options.get("expression")
        if not text:
            return ["EXPRESSION is missing: rate(5 minutes), cron(0 9 ? * MON-FRI *) or at(2030-01-31T09:00:00)"]
        zone = options.get("timezone")
        try:
            schedule = parse_schedule(str(text))
            next_runs(schedule, datetime.now(UTC), 1, zone or "UTC")
        except ValueError as error:
            return [f"--timezone {error}" if "time zone" in str(error) else str(error)]
        if zone and isinstance(schedule, Rate):
            return ["--timezone is for cron(...) and at(...): a rate has no time of day"]
        if len(options.get("description") or "") > LONGEST_DESCRIPTION:
            return [f"--description is up to {LONGEST_DESCRIPTION} characters"]
        return []

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return when it fires next, in this computer's time zone, and what a role of the user's own needs."""
        role = settings.get("role") if uses_scheduler(options) else None
        trust = f"{role} must let scheduler.amazonaws.com take it, too, and allow lambda:InvokeFunction"
        return [_when(options), *([trust] if role else [])]

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        zone = f" in {options['timezone']}" if options.get("timezone") else ""
        off = ", disabled" if options.get("enabled") is False else ""
        return f"{options['expression']}{zone}{off}"

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the permission and the rule, or the schedule and its role."""
        settings: JSON = {
            "expression": str(options["expression"]),
            "description": options.get("description") or "",
            "enabled": options.get("enabled") is not False,
        }
        rule = rule_of(function, input=options.get("input"), **settings)
        if not uses_scheduler(options):
            return [rule.permission, rule]
        schedule = SchedulerSchedule(
            function,
            timezone=options.get("timezone") or "UTC",
            flexible_window=options.get("flexible_window"),
            input=rule.input,
            **settings,
        )
        made = [] if function.role else [SchedulerRole(function)]
        return [*made, schedule.permission, schedule]

    def redirect(self, options: Values, function: FunctionRef, queue_arn: str) -> Redirect | None:
        """Return how a queue takes the function's place as the rule's target; a schedule of Scheduler has no rule."""
        rules = [resource for resource in self.resources(options, function) if isinstance(resource, Rule)]
        return RuleRedirect(function, queue_arn, rules[0]) if rules else None

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the function's rules and schedules that may invoke it."""
        return [*attached_rules(function, policy), *attached_schedules(function, policy)]

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Look at the length of the name."""
        return Preflight(name_problems(function))

    def templates(self, options: Values, function: FunctionRef) -> dict[str, JSON]:
        """Return an event with a detail beside the plain one."""
        return {**super().templates(options, function), "with a detail": {"detail": '{"hello": "nbchalice"}'}}

    def upcoming(self, options: Values, now: datetime) -> list[Note]:
        """Return the next runs."""
        if options.get("enabled") is False:
            return [Note("disabled: it does not run by itself")]
        expression, zone = str(options["expression"]), options.get("timezone") or "UTC"
        moments = next_runs(expression, now, NEXT_RUNS, zone)
        if not moments:
            return [Note("it does not run again")]
        times = ", ".join(f"{moment:%a %d %b %H:%M}" for moment in moments)
        # AWS counts a rate from the moment when the rule was made.
        condition = ", if deployed now" if expression.strip().startswith("rate") else ""
        return [Note(f"next runs ({zone}{condition}): {times}")]

    def sample(self, options: Values, function: FunctionRef, **values: object) -> Any:
        """Return a scheduled event, or the constant input (EventBridge: events from EventBridge scheduled rules)."""
        if options.get("input") is not None:
            return options["input"]
        detail: object = json_of(values.get("detail"), {})
        source, arn = "aws.events", Rule(function).arn
        if uses_scheduler(options):
            source, arn = "aws.scheduler", SchedulerSchedule(function).arn
            detail = json.dumps(detail)  # Scheduler sends it as text.
        where = {"region": function.region, "account": function.account}
        return bridge_event(source, "Scheduled Event", detail, [arn], **where)

    def values_of(self, record: JSON) -> JSON:
        """Return the detail."""
        return {"detail": record["detail"]} if record.get("detail") else {}

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Fire the scheduled event now: the function is invoked as EventBridge does it, asynchronously."""
        return send_event(aws, function, self.sample(options, function, **values))


def _when(options: Values) -> str:
    schedule = parse_schedule(str(options["expression"]))
    if options.get("enabled") is False:
        return "disabled: it does not fire"
    if isinstance(schedule, Rate):
        unit = schedule.unit.lower()
        every = unit.removesuffix("s") if schedule.value == 1 else f"{schedule.value} {unit}"
        return f"fires every {every}, counted from the deploy"
    moments = next_runs(schedule, datetime.now(UTC), NEXT_RUNS, options.get("timezone") or "UTC")
    if not moments:
        return "its time has passed: it does not fire"
    local = [moment.astimezone().strftime("%a %d %b %Y %H:%M") for moment in moments]
    window = options.get("flexible_window")
    within = f", each up to {window} min later" if window else ""
    return f"fires next: {', '.join(local)} ({moments[0].astimezone().tzname()}){within}"
