"""When a schedule runs next: shown before it is deployed, so never shipped."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from nbchalice.runtime.cron import FIELDS
from nbchalice.runtime.expressions import parse_schedule
from nbchalice.runtime.schedules import At, Cron, Rate, ScheduleExpression

_UNITS = {"MINUTES": timedelta(minutes=1), "HOURS": timedelta(hours=1), "DAYS": timedelta(days=1)}


def next_runs(expression: str | ScheduleExpression, after: datetime, count: int = 5, tz: str = "UTC") -> list[datetime]:
    """Return the next moments at which a schedule runs.

    Parameters
    ----------
    expression : str or ScheduleExpression
        ``Rate``, ``Cron``, ``At``, or their text.
    after : datetime
        The moment to start from; without a time zone it is taken to be in ``tz``. A rate counts from here, as AWS
        counts from the moment the schedule was made.
    count : int
        How many moments at most; fewer where the schedule ends before.
    tz : str
        Time zone of the schedule. As on AWS ("Daylight savings time on EventBridge Scheduler"), a cron's moment that a
        clock change skips does not fire, and one that it repeats fires once.

    Returns the moments in ``tz``, in order. Raises ValueError for a wrong expression or an unknown time zone.
    """
    schedule = parse_schedule(expression)
    try:
        zone = ZoneInfo(tz)
    except (KeyError, OSError):
        raise ValueError(f"{tz!r} is not a time zone; write it as Europe/Vienna or UTC") from None
    start = after.astimezone(zone) if after.tzinfo else after.replace(tzinfo=zone)
    return list(islice(_moments(schedule, start, zone), count))


def _moments(schedule: ScheduleExpression, start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    if isinstance(schedule, Rate):
        period = schedule.value * _UNITS[schedule.unit.upper()]
        moment = start.astimezone(UTC)
        while True:
            moment += period
            yield moment.astimezone(zone)
    else:
        local = _cron(schedule, start) if isinstance(schedule, Cron) else _at(schedule)
        for wall in local:
            moment = wall.replace(tzinfo=zone)
            if moment.astimezone(UTC) > start.astimezone(UTC) and _exists(moment, zone):
                yield moment


def _at(schedule: ScheduleExpression) -> Iterator[datetime]:
    assert isinstance(schedule, At)
    yield schedule.when


def _exists(moment: datetime, zone: ZoneInfo) -> bool:
    # In Vienna 2:30 of the last Sunday of March does not exist: through UTC it comes back as 3:30.
    return moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment.replace(tzinfo=None)


def _cron(cron: Cron, start: datetime) -> Iterator[datetime]:
    """Yield the wall-clock times of ``cron`` from the day of ``start`` on."""
    # The days (L, 15W, 2#1) differ from month to month: `_days` reads them.
    minutes, hours, months, years = (
        sorted(field.values(text)) for field, text in zip(FIELDS, cron.fields(), strict=True) if field.name in _PLAIN
    )
    for year in years:
        for month in months:
            if (year, month) < (start.year, start.month):
                continue
            for day in _days(cron, year, month):
                if (year, month, day) < (start.year, start.month, start.day):
                    continue
                for hour in hours:
                    for minute in minutes:
                        yield datetime(year, month, day, hour, minute)


_PLAIN = {"minutes", "hours", "month", "year"}


def _days(cron: Cron, year: int, month: int) -> list[int]:
    """Return the days of a month on which ``cron`` fires."""
    length = calendar.monthrange(year, month)[1]
    text = str(cron.day_of_month).upper()
    if text == "?":
        return _days_by_week(str(cron.day_of_week).upper(), year, month, length)
    if text == "L":
        return [length]
    if text.endswith("W"):
        wanted = length if text == "LW" else int(text[:-1])
        return [_nearest_weekday(year, month, wanted, length)] if wanted <= length else []
    return sorted(day for day in FIELDS[2].values(text) if day <= length)


def _days_by_week(text: str, year: int, month: int, length: int) -> list[int]:
    field = FIELDS[4]
    if text == "L":
        text = "SAT"
    if text.endswith("L"):
        return _weekdays(year, month, length, {field.number(text[:-1], text)})[-1:]
    if "#" in text:
        day, _, nth = text.partition("#")
        return _weekdays(year, month, length, {field.number(day, text)})[int(nth) - 1 : int(nth)]
    return _weekdays(year, month, length, field.values(text))


def _weekdays(year: int, month: int, length: int, wanted: set[int]) -> list[int]:
    """Return the days of a month whose day of the week (1 is Sunday) is wanted."""
    return [day for day in range(1, length + 1) if date(year, month, day).isoweekday() % 7 + 1 in wanted]


def _nearest_weekday(year: int, month: int, day: int, length: int) -> int:
    """Return the weekday of the same month that is nearest to ``day``."""
    weekday = date(year, month, day).weekday()
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < length else day - 2
    return day
