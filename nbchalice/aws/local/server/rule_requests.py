"""Rules of EventBridge, their targets, events, and schedules that AWS refuses, and MiniStack takes."""

from __future__ import annotations

import json
import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ministack.services import eventbridge, scheduler

from .checks import Record, Wrong, put_before
from .trust import trusts

CODE = "ValidationException"
MOST_TARGETS = 5
RATE = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?!1 )[1-9]\d* (?:minutes|hours|days))\)")
# The form alone; which values a field takes is looked at before a deploy.
CRON = re.compile(r"cron\([^\s()]+( [^\s()]+){5}\)")
AT = re.compile(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)")
INPUTS = ("Input", "InputPath", "InputTransformer")
NOTHING = Wrong(CODE, "Parameter(s) EventPattern or ScheduleExpression must be specified.")
OTHER_BUS = Wrong(CODE, "ScheduleExpression is supported only on the default event bus.")
NO_EXPRESSION = Wrong(CODE, "Parameter ScheduleExpression is not valid.")
TOO_MANY = Wrong("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
NOT_TRUSTED = Wrong(CODE, "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
REQUIRED = ("Source", "DetailType", "Detail")


def apply_rule_requests() -> None:
    """Put the checks in place."""
    put_before(eventbridge, "_put_rule", against_rule, refused)
    put_before(eventbridge, "_put_targets", against_targets, refused)
    for name in ("_remove_targets", "_enable_rule", "_disable_rule", "_describe_rule", "_list_targets_by_rule"):
        put_before(eventbridge, name, against_missing, refused)
    put_before(scheduler, "_create_schedule", against_schedule, refused_by_scheduler)
    put_before(scheduler, "_update_schedule", against_schedule, refused_by_scheduler)


def refused(wrong: Wrong) -> Any:
    """Answer as EventBridge does."""
    return eventbridge.error_response_json(wrong.code, wrong.message, wrong.status)


def refused_by_scheduler(wrong: Wrong) -> Any:
    """Answer as EventBridge Scheduler does."""
    return scheduler._error(wrong.status, wrong.code, wrong.message)


def against_rule(data: Record) -> Wrong | None:
    """Return what EventBridge says against a rule, or None."""
    expression, bus = data.get("ScheduleExpression"), data.get("EventBusName") or "default"
    if not expression and not data.get("EventPattern"):
        return NOTHING
    if not expression:
        return None
    if bus != "default" and not bus.endswith("/default"):
        return OTHER_BUS
    return None if RATE.fullmatch(expression) or CRON.fullmatch(expression) else NO_EXPRESSION


def against_missing(data: Record) -> Wrong | None:
    """Return what EventBridge says of a rule that is not there, or None."""
    name, bus = data.get("Rule") or data.get("Name"), data.get("EventBusName") or "default"
    if eventbridge._rule_key(name, bus) in eventbridge._rules:
        return None
    return Wrong("ResourceNotFoundException", f"Rule {name} does not exist on EventBus {bus.rpartition('/')[2]}.")


def against_targets(data: Record) -> Wrong | None:
    """Return what EventBridge says against targets of a rule, or None."""
    if missing := against_missing(data):
        return missing
    targets = data.get("Targets") or []
    key = eventbridge._rule_key(data.get("Rule"), data.get("EventBusName") or "default")
    standing = {target["Id"] for target in eventbridge._targets.get(key) or []}
    if len(standing | {target["Id"] for target in targets}) > MOST_TARGETS:
        return TOO_MANY
    for target in targets:
        if wrong := against_target(target):
            return wrong
    return None


def against_target(target: Record) -> Wrong | None:
    """Return what EventBridge says against one target, or None."""
    name = target["Id"]
    if sum(each in target for each in INPUTS) > 1:
        return Wrong(CODE, f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}.")
    if "Input" in target and not is_json(target["Input"]):
        return Wrong(CODE, f"JSON syntax error in Input for target {name}.")
    path = target.get("InputPath")
    if path and not path.startswith("$"):
        return Wrong(CODE, f"Parameter InputPath of target {name} is not valid. Reason: {path} is no JSON path.")
    if target["Arn"].endswith(".fifo") and not (target.get("SqsParameters") or {}).get("MessageGroupId"):
        return Wrong(CODE, f"Parameter(s) SqsParameters must be specified for target: {name}.")
    return None


def is_json(text: object) -> bool:
    """Whether a text is JSON."""
    try:
        json.loads(str(text))
    except ValueError:
        return False
    return True


def against_event(entry: Record) -> Record | None:
    """Return what EventBridge says of an event that lacks something, or None."""
    for name in REQUIRED:
        if not entry.get(name):
            text = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": text}
    return None


def against_schedule(name: str, body: Record) -> Wrong | None:
    """Return what EventBridge Scheduler says against a schedule, or None."""
    expression, window = str(body.get("ScheduleExpression") or ""), body.get("FlexibleTimeWindow") or {}
    if expression and not any(form.fullmatch(expression) for form in (RATE, CRON, AT)):
        return Wrong(CODE, f"Invalid Schedule Expression {expression}.")
    if zone := body.get("ScheduleExpressionTimezone"):
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return Wrong(CODE, f"Invalid Schedule Expression Timezone {zone}.")
    if window.get("Mode") == "FLEXIBLE" and not window.get("MaximumWindowInMinutes"):
        return Wrong(CODE, "MaximumWindowInMinutes must be given where the mode of FlexibleTimeWindow is FLEXIBLE.")
    role = str((body.get("Target") or {}).get("RoleArn") or "")
    return NOT_TRUSTED if role and not trusts(role, "scheduler.amazonaws.com") else None
