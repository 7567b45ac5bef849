"""Points in time as people write and read them: ``10m``, ``2h``, ``1d``, or ISO 8601."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from nbchalice.errors import InvalidInputError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
HINT = "write 30s, 10m, 2h, 1d, 1w, or a time such as 2030-01-31T09:00 (UTC)"


def parse_time(text: str | float | datetime | timedelta, now: datetime | None = None) -> datetime:
    """Return the point in time that a text means (AWS CLI: ``aws logs tail --since``).

    Parameters
    ----------
    text : str or float or datetime or timedelta
        How long ago (``10m``, ``2h``, ``1d``, a `timedelta`, seconds as a number), or a point in time (ISO 8601 or a
        `datetime`); without an offset it is UTC.
    now : datetime or None
        Default: the present.

    Raises
    ------
    InvalidInputError
        It is none of these.
    """
    now = now or datetime.now(UTC)
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    try:
        if isinstance(text, timedelta):
            return now - text
        if isinstance(text, int | float):
            return now - timedelta(seconds=text)
        if match := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])\s*", text):
            return now - timedelta(seconds=float(match[1]) * UNITS[match[2]])
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError, TypeError, AttributeError):
        raise InvalidInputError(f"{text!r} is not a point in time", HINT) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def to_ms(moment: datetime) -> int:
    """Return milliseconds since 1970, not below 0."""
    return max(0, int(moment.timestamp() * 1000))


def moment(milliseconds: int) -> str:
    """Return a point in time as it is shown, in UTC as `parse_time` reads it: ``2030-01-31 09:00:00 UTC``."""
    return f"{_utc(milliseconds):%Y-%m-%d %H:%M:%S} UTC"


def now() -> str:
    """Return the present as it is shown."""
    return moment(to_ms(datetime.now(UTC)))


def clock(milliseconds: int) -> str:
    """Return the time of day in UTC, with milliseconds: ``09:00:00.125``."""
    return f"{_utc(milliseconds):%H:%M:%S}.{milliseconds % 1000:03d}"


def _utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC)
