"""The rules for the six fields of AWS's cron expressions; the notebook checks them, Lambda need not.

They are those of "Cron expressions reference" in the EventBridge user guide.
"""

from __future__ import annotations

import re

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


class CronField:
    """What one of the six fields may hold.

    Parameters
    ----------
    name : str
        What the field is called in errors.
    low, high : int
        Smallest and largest number.
    names : list[str] or None
        Words for the numbers from ``low`` on.
    special : str
        Pattern of what is allowed besides lists, ranges and steps, as a whole.
    allowed : str
        ``special`` in words.
    steps : bool
        Whether ``/`` is allowed.
    """

    def __init__(
        self,
        name: str,
        low: int,
        high: int,
        *,
        names: list[str] | None = None,
        special: str = "",
        allowed: str = "",
        steps: bool = True,
    ) -> None:
        self.name, self.low, self.high, self.names, self.special, self.steps = (
            name,
            low,
            high,
            names or [],
            special,
            steps,
        )
        words = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        signs = "'*', lists (1,2), ranges (1-5)" + (", steps (0/5)" if steps else "")
        self.allowed = f"{low}-{high}{words}, with {signs}{allowed}"

    def check(self, text: str) -> None:
        """Raise ValueError unless ``text`` is allowed in this field."""
        if self.special and re.fullmatch(self.special, text, re.IGNORECASE):
            number = re.split("[LW#]", text, flags=re.IGNORECASE)[0]
            if re.fullmatch(r"\d+|[A-Z]{3}", number, re.IGNORECASE):
                self.number(number, text)
        else:
            self.values(text)

    def values(self, text: str) -> set[int]:
        """Return the numbers that lists, ranges and steps in ``text`` stand for; raises ValueError."""
        numbers: set[int] = set()
        for part in text.split(","):
            span, slash, step = part.partition("/")
            first, dash, last = span.partition("-")
            if span == "*":
                low, high = self.low, self.high
            else:
                low = self.number(first, text)
                high = self.number(last, text) if dash else self.high if slash else low
            if high < low:
                raise self.error(text, f"the range {span} runs backwards")
            if slash and not (self.steps and step.isdecimal() and 1 <= int(step) <= self.high):
                raise self.error(text, f"the step '/{step}' is not possible")
            numbers.update(range(low, high + 1, int(step) if slash else 1))
        return numbers

    def number(self, word: str, text: str) -> int:
        """Return the number that ``word``, a part of ``text``, stands for; raises ValueError."""
        if word.upper() in self.names:
            return self.names.index(word.upper()) + self.low
        if word.isdecimal() and self.low <= int(word) <= self.high:
            return int(word)
        raise self.error(text, "" if word == text else f"{word!r} is not possible")

    def error(self, text: str, why: str) -> ValueError:
        """Return the error for ``text``: field, what was given, what is allowed."""
        because = f" ({why})" if why else ""
        return ValueError(f"cron: {self.name} is {text!r}{because}; allowed is {self.allowed}")


FIELDS = (
    CronField("minutes", 0, 59),
    CronField("hours", 0, 23),
    CronField(
        "day of month", 1, 31, special=r"\?|L|LW|\d+W", allowed=", 'L' (last day), '15W' (nearest weekday), or '?'"
    ),
    CronField("month", 1, 12, names=MONTHS),
    CronField(
        "day of week",
        1,
        7,
        names=DAYS,
        special=r"\?|L|(\d+|[A-Z]{3})(L|#[1-5])",
        allowed=", '6L' (last Friday), '2#1' (first Monday), or '?'",
        steps=False,
    ),
    CronField("year", 1970, 2199),
)


def check(fields: list[str]) -> None:
    """Raise ValueError unless ``fields``, minutes first, are a cron expression."""
    for field, text in zip(FIELDS, fields, strict=True):
        field.check(text)
    day_of_month, day_of_week = fields[2], fields[4]
    marks = [day_of_month, day_of_week].count("?")
    if marks != 1:
        raise ValueError(
            f"cron: exactly one of day of month ({day_of_month!r}) and day of week ({day_of_week!r}) "
            f"must be '?', not {'both' if marks else 'neither'}"
        )
