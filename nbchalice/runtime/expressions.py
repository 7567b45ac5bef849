"""Schedule expressions as text; stays in the notebook, as Lambda needs only what they stand for."""

from __future__ import annotations

import re

from .schedules import At, Cron, Rate, ScheduleExpression


def parse_schedule(text: str | ScheduleExpression) -> ScheduleExpression:
    """Return the ``Rate``, ``Cron`` or ``At`` that ``text`` stands for.

    Parameters
    ----------
    text : str or ScheduleExpression
        ``rate(5 minutes)``, ``cron(0 18 ? * MON-FRI *)``, ``at(2030-01-31T09:00:00)``, or an expression already made.

    Raises ValueError that says what is wrong and what is allowed.
    """
    if isinstance(text, ScheduleExpression):
        return text
    match = re.fullmatch(r"\s*(rate|cron|at)\((.*)\)\s*", text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(
            f"{text!r} is not a schedule; write rate(5 minutes), cron(0 18 ? * MON-FRI *) or at(2030-01-31T09:00:00)"
        )
    kind, inner = match.groups()
    if kind == "at":
        return At(inner.strip())
    if kind == "rate":
        return _parse_rate(inner)
    fields = inner.split()
    if len(fields) != 6:
        names = "minutes, hours, day of month, month, day of week, year"
        raise ValueError(f"cron: there must be six fields ({names}), not {len(fields)}: {inner!r}")
    return Cron(*fields)


def _parse_rate(inner: str) -> Rate:
    value, _, unit = inner.strip().partition(" ")
    if not re.fullmatch("[0-9]+", value) or int(value) < 1:
        raise ValueError(f"rate: the value must be a whole number of 1 or more, not {value!r}")
    units = ("minute", "hour", "day") if int(value) == 1 else ("minutes", "hours", "days")
    if unit.strip() not in units:
        raise ValueError(
            f"rate: with {value} the unit must be {units[0]}, {units[1]} or {units[2]}, not {unit.strip()!r}"
        )
    return Rate(int(value), unit.strip().removesuffix("s") + "s")
