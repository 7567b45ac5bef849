from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from nbchalice import Rate
from nbchalice.sources.schedule_times import next_runs

START = datetime(2026, 1, 30, 12, 7, tzinfo=UTC)


def shown(expression, count=4, after=START, **options):
    return [moment.strftime("%Y-%m-%d %H:%M") for moment in next_runs(expression, after, count, **options)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(5 minutes)", ["2026-01-30 12:12", "2026-01-30 12:17"]),
        (Rate(1, Rate.DAYS), ["2026-01-31 12:07", "2026-02-01 12:07"]),
        ("cron(0/15 * * * ? *)", ["2026-01-30 12:15", "2026-01-30 12:30"]),
        ("cron(7 12 * * ? *)", ["2026-01-31 12:07", "2026-02-01 12:07"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-30 18:00", "2026-02-02 18:00"]),
        ("cron(0 8 L * ? *)", ["2026-01-31 08:00", "2026-02-28 08:00"]),
        ("cron(0 8 LW * ? *)", ["2026-02-27 08:00", "2026-03-31 08:00"]),
        ("cron(0 8 1W * ? *)", ["2026-02-02 08:00", "2026-03-02 08:00"]),
        ("cron(0 8 15W 2,8 ? *)", ["2026-02-16 08:00", "2026-08-14 08:00"]),
        ("cron(0 8 31W * ? *)", ["2026-03-31 08:00", "2026-05-29 08:00"]),
        ("cron(0 8 ? * 6L *)", ["2026-02-27 08:00", "2026-03-27 08:00"]),
        ("cron(0 8 ? * L *)", ["2026-01-31 08:00", "2026-02-07 08:00"]),
        ("cron(0 8 ? * 3#2 *)", ["2026-02-10 08:00", "2026-03-10 08:00"]),
        ("cron(0 8 ? * MON#5 *)", ["2026-03-30 08:00", "2026-06-29 08:00"]),
        ("cron(0 8 29 FEB ? *)", ["2028-02-29 08:00", "2032-02-29 08:00"]),
        ("cron(0 8 30,31 * ? *)", ["2026-01-31 08:00", "2026-03-30 08:00"]),
        ("cron(0 8 1 1 ? 2025-2027)", ["2027-01-01 08:00"]),
        ("cron(0 8 30 2 ? *)", []),
        ("at(2026-02-01T09:00:00)", ["2026-02-01 09:00"]),
        ("at(2026-01-01T09:00:00)", []),
    ],
)
def test_the_next_moments_are_those_of_the_calendar(expression, expected):
    assert shown(expression, count=2) == expected


def test_a_time_zone_moves_the_clock():
    vienna = next_runs("cron(0 9 * * ? *)", START, 1, tz="Europe/Vienna")
    assert vienna == [datetime(2026, 1, 31, 8, 0, tzinfo=UTC)]
    assert vienna[0].tzinfo == ZoneInfo("Europe/Vienna")


def test_a_moment_that_the_clock_change_skips_does_not_fire():
    spring = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert shown("cron(30 2 * * ? *)", 3, spring, tz="Europe/Vienna") == [
        "2026-03-28 02:30",
        "2026-03-30 02:30",
        "2026-03-31 02:30",
    ]


def test_a_moment_that_the_clock_change_repeats_fires_once():
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert shown("cron(30 2 * * ? *)", 2, autumn, tz="Europe/Vienna") == ["2026-10-25 02:30", "2026-10-26 02:30"]


def test_a_day_of_a_rate_is_24_hours():
    autumn = datetime(2026, 10, 24, 12, tzinfo=ZoneInfo("Europe/Vienna"))
    assert shown("rate(1 day)", 1, autumn, tz="Europe/Vienna") == ["2026-10-25 11:00"]


def test_a_naive_moment_is_in_the_schedules_zone():
    assert shown("rate(1 hour)", 1, datetime(2026, 1, 1, 12), tz="Asia/Tokyo") == ["2026-01-01 13:00"]


def test_an_unknown_time_zone_is_refused():
    with pytest.raises(ValueError, match="'Vienna' is not a time zone; write it as Europe/Vienna or UTC"):
        next_runs("rate(1 hour)", START, tz="Vienna")


def test_moments_are_in_order_and_apart():
    moments = next_runs("cron(*/7 */5 ? * MON,SUN *)", START, 200)
    assert moments == sorted(set(moments))
    assert min(b - a for a, b in zip(moments, moments[1:], strict=False)) >= timedelta(minutes=1)
