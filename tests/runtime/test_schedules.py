import re

import pytest

from nbchalice import At, Cron, Rate
from nbchalice.runtime.expressions import parse_schedule


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Rate(1, unit=Rate.HOURS), "rate(1 hour)"),
        (Rate(2, unit=Rate.HOURS), "rate(2 hours)"),
        (Rate(5, Rate.MINUTES), "rate(5 minutes)"),
        (Rate(1, "days"), "rate(1 day)"),
    ],
)
def test_a_rate_is_written_as_aws_takes_it(rate, text):
    assert rate.to_string() == str(rate) == text
    assert parse_schedule(text) == rate
    assert hash(parse_schedule(text)) == hash(rate)
    assert eval(repr(rate)) == rate


@pytest.mark.parametrize("value", [0, -1, 1.5, "1", True, None])
def test_a_rate_needs_a_whole_positive_value(value):
    with pytest.raises(ValueError, match=rf"^rate: the value must be a whole number of 1 or more, not {value!r}$"):
        Rate(value, unit=Rate.HOURS)


@pytest.mark.parametrize("unit", ["SECONDS", "", None, "hour"])
def test_a_rate_needs_a_known_unit(unit):
    with pytest.raises(ValueError, match=f"must be Rate.MINUTES, Rate.HOURS or Rate.DAYS, not {unit!r}"):
        Rate(5, unit=unit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate(1 minutes)", "rate: with 1 the unit must be minute, hour or day, not 'minutes'"),
        ("rate(5 minute)", "rate: with 5 the unit must be minutes, hours or days, not 'minute'"),
        ("rate(0 minutes)", "rate: the value must be a whole number of 1 or more, not '0'"),
        ("rate(-1 minutes)", "rate: the value must be a whole number of 1 or more, not '-1'"),
        ("rate(1.5 hours)", "rate: the value must be a whole number of 1 or more, not '1.5'"),
        ("rate(5)", "rate: with 5 the unit must be minutes, hours or days, not ''"),
        ("rate()", "rate: the value must be a whole number of 1 or more, not ''"),
        ("rate(5 Minutes)", "rate: with 5 the unit must be minutes, hours or days, not 'Minutes'"),
        ("every 5 minutes", "'every 5 minutes' is not a schedule; write rate(5 minutes), cron("),
        (
            "cron(0 18 * * *)",
            "cron: there must be six fields (minutes, hours, day of month, month, day of week, year), not 5",
        ),
        ("at(tomorrow)", "at: 'tomorrow' is not a moment of the form yyyy-mm-ddThh:mm:ss"),
        ("at(2026-02-30T09:00:00)", "at: '2026-02-30T09:00:00' is not a moment"),
    ],
)
def test_a_wrong_expression_says_what_is_allowed(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        parse_schedule(text)


@pytest.mark.parametrize("other", [5, None, b"rate(1 hour)"])
def test_a_schedule_is_text_or_an_expression(other):
    with pytest.raises(ValueError, match="is not a schedule"):
        parse_schedule(other)


@pytest.mark.parametrize(
    "text",
    [
        "0 10 * * ? *",
        "15 12 * * ? *",
        "0 18 ? * MON-FRI *",
        "0 8 1 * ? *",
        "0/15 * * * ? *",
        "0/10 * ? * MON-FRI *",
        "0/5 8-17 ? * MON-FRI *",
        "0/30 20-2/3,5 ? JAN-mar,12 2,WED 2026-2030".replace("20-2/3", "20-22/2"),
        "0 9 L * ? *",
        "0 9 LW * ? *",
        "0 9 3W * ? *",
        "0 9 */2 * ? 1970-2199/2",
        "0 9 ? * 6L *",
        "0 9 ? * FRIL *",
        "0 9 ? * L *",
        "0 9 ? * 3#2 *",
        "59 23 31 12 ? 2199",
    ],
)
def test_cron_takes_what_aws_documents(text):
    cron = parse_schedule(f"cron({text})")
    assert cron.to_string() == f"cron({text})"
    assert eval(repr(cron)) == cron == Cron(*text.split())


def test_cron_takes_numbers_as_chalice_does():
    assert Cron(0, 18, "?", "*", "MON-FRI", "*").to_string() == "cron(0 18 ? * MON-FRI *)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("60 * * * ? *", "cron: minutes is '60'; allowed is 0-59, with '*', lists (1,2), ranges (1-5), steps (0/5)"),
        ("-1 * * * ? *", "cron: minutes is '-1' ('' is not possible); allowed"),
        ("0/0 * * * ? *", "cron: minutes is '0/0' (the step '/0' is not possible); allowed"),
        ("0/x * * * ? *", "cron: minutes is '0/x' (the step '/x' is not possible); allowed"),
        ("/5 * * * ? *", "cron: minutes is '/5' ('' is not possible); allowed"),
        ("0 24 * * ? *", "cron: hours is '24'; allowed is 0-23"),
        ("0 22-2 * * ? *", "cron: hours is '22-2' (the range 22-2 runs backwards); allowed is 0-23"),
        ("0 0 0 * ? *", "cron: day of month is '0'; allowed is 1-31"),
        ("0 0 32W * ? *", "cron: day of month is '32W' ('32' is not possible); allowed"),
        ("0 0 1,,2 * ? *", "cron: day of month is '1,,2' ('' is not possible); allowed"),
        ("0 0 1 13 ? *", "cron: month is '13'; allowed is 1-12 or JAN-DEC"),
        ("0 0 1 JUNE ? *", "cron: month is 'JUNE'; allowed"),
        ("0 0 ? * 0 *", "cron: day of week is '0'; allowed is 1-7 or SUN-SAT"),
        ("0 0 ? * 8L *", "cron: day of week is '8L' ('8' is not possible); allowed"),
        (
            "0 0 ? * 2#6 *",
            "cron: day of week is '2#6' ('2#6' is not possible)".replace(" ('2#6' is not possible)", "; allowed"),
        ),
        ("0 0 ? * 3#1,6#3 *", "cron: day of week is '3#1,6#3' ('3#1' is not possible); allowed"),
        ("0 0 ? * MON/2 *", "cron: day of week is 'MON/2' (the step '/2' is not possible); allowed"),
        ("0 0 1 * ? 1969", "cron: year is '1969'; allowed is 1970-2199"),
        ("0 0 ? ? 2 *", "cron: month is '?'; allowed"),
        ("0 0 1 * 2 *", "cron: exactly one of day of month ('1') and day of week ('2') must be '?', not neither"),
        ("0 0 * * * *", "cron: exactly one of day of month ('*') and day of week ('*') must be '?', not neither"),
        ("0 0 ? * ? *", "cron: exactly one of day of month ('?') and day of week ('?') must be '?', not both"),
    ],
)
def test_a_wrong_cron_names_the_field_what_was_given_and_what_is_allowed(text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        parse_schedule(f"cron({text})")


def test_one_moment_can_be_given():
    moment = parse_schedule(" at(2030-01-31T09:00:00) ")
    assert moment == At("2030-01-31T09:00:00")
    assert str(moment) == "at(2030-01-31T09:00:00)"
    assert eval(repr(moment)) == moment


def test_expressions_differ_by_their_text():
    assert Rate(1, Rate.DAYS) != Rate(24, Rate.HOURS)
    assert Rate(1, Rate.DAYS) != "rate(1 day)"
    assert parse_schedule(rate := Rate(1, Rate.DAYS)) is rate
