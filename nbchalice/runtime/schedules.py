"""Schedule expressions: ``rate(...)``, ``cron(...)`` and ``at(...)``, checked before AWS sees them.

The rules are those of "Schedule types on EventBridge Scheduler" and "Creating a rule that runs on a schedule".
"""

from __future__ import annotations

from abc import ABC, abstractmethod


class ScheduleExpression(ABC):
    """Base of ``Rate``, ``Cron`` and ``At``; equal when their text is."""

    @abstractmethod
    def to_string(self) -> str:
        """Return the expression as AWS takes it."""

    def __str__(self) -> str:
        return self.to_string()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ScheduleExpression) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())


class Rate(ScheduleExpression):
    """A fixed rate, for example ``Rate(5, unit=Rate.MINUTES)``.

    Parameters
    ----------
    value : int
        How many units lie between two events, a whole number of 1 or more.
    unit : str
        ``Rate.MINUTES``, ``Rate.HOURS`` or ``Rate.DAYS``.

    Raises ValueError for any other value or unit.
    """

    MINUTES = "MINUTES"
    HOURS = "HOURS"
    DAYS = "DAYS"

    def __init__(self, value: int, unit: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"rate: the value must be a whole number of 1 or more, not {value!r}")
        if not isinstance(unit, str) or unit.upper() not in (self.MINUTES, self.HOURS, self.DAYS):
            raise ValueError(f"rate: the unit must be Rate.MINUTES, Rate.HOURS or Rate.DAYS, not {unit!r}")
        self.value = value
        self.unit = unit

    def to_string(self) -> str:
        """Return for example ``rate(5 minutes)``, with the singular for 1."""
        unit = self.unit.lower()
        return f"rate({self.value} {unit[:-1] if self.value == 1 else unit})"

    def __repr__(self) -> str:
        return f"Rate({self.value}, unit=Rate.{self.unit.upper()})"


class Cron(ScheduleExpression):
    """A cron expression of AWS, in UTC unless the schedule has a time zone.

    Parameters
    ----------
    minutes : str or int
        0-59.
    hours : str or int
        0-23.
    day_of_month : str or int
        1-31, ``L`` (last), ``15W`` (weekday nearest to the 15th), ``LW``, or ``?``.
    month : str or int
        1-12 or JAN-DEC.
    day_of_week : str or int
        1-7 or SUN-SAT, ``6L`` (last Friday), ``2#1`` (first Monday), or ``?``.
    year : str or int
        1970-2199.

    All take ``*``, lists, ranges, and all but the day of the week steps (``0/15``). Exactly one of the two days must
    be ``?``. Raises ValueError that names the field, what was given and what is allowed.
    """

    def __init__(  # noqa: PLR0917 - Chalice's parameters
        self,
        minutes: str | int,
        hours: str | int,
        day_of_month: str | int,
        month: str | int,
        day_of_week: str | int,
        year: str | int,
    ) -> None:
        self.minutes, self.hours, self.day_of_month = minutes, hours, day_of_month
        self.month, self.day_of_week, self.year = month, day_of_week, year
        try:
            from .cron import check
        except ImportError:
            # That module does not ship: what reaches Lambda was checked before.
            return
        check(self.fields())

    def fields(self) -> list[str]:
        """Return the six fields as text, minutes first."""
        values = (self.minutes, self.hours, self.day_of_month, self.month, self.day_of_week, self.year)
        return [str(value) for value in values]

    def to_string(self) -> str:
        """Return for example ``cron(0 18 ? * MON-FRI *)``."""
        return f"cron({' '.join(self.fields())})"

    def __repr__(self) -> str:
        return f"Cron({', '.join(map(repr, self.fields()))})"


class At(ScheduleExpression):
    """One moment, for example ``At("2030-01-31T09:00:00")``: EventBridge Scheduler's one-time schedule.

    Parameters
    ----------
    when : str
        ``yyyy-mm-ddThh:mm:ss`` in the schedule's time zone.

    Raises ValueError for another form or a date that does not exist.
    """

    def __init__(self, when: str) -> None:
        from datetime import datetime

        try:
            self.when = datetime.strptime(when, "%Y-%m-%dT%H:%M:%S")
        except ValueError as error:
            raise ValueError(f"at: {when!r} is not a moment of the form yyyy-mm-ddThh:mm:ss ({error})") from None

    def to_string(self) -> str:
        """Return for example ``at(2030-01-31T09:00:00)``."""
        return f"at({self.when.isoformat()})"

    def __repr__(self) -> str:
        return f"At({self.when.isoformat()!r})"
