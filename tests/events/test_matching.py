"""Filters as the services apply them, and what the form says before an event is sent."""

from datetime import UTC, datetime

import pytest

from nbchalice.events.preview import preview
from nbchalice.handlers import Handler
from nbchalice.resources.base import FunctionRef
from nbchalice.runtime.app import Trigger
from nbchalice.sources import SOURCES
from nbchalice.sources.matching import body_of, matches

REF = FunctionRef("shop", "dev", "price", "eu-west-1", "123456789012")


@pytest.mark.parametrize(
    ("pattern", "value", "passes"),
    [
        ({"a": ["x"]}, {"a": "x"}, True),
        ({"a": ["x"]}, {"a": "y"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": ["x", "y"]}, {"a": ["z", "y"]}, True),
        ({"a": [1]}, {"a": 1.0}, True),
        ({"a": [1]}, {"a": "1"}, False),
        ({"a": [True]}, {"a": 1}, False),
        ({"a": [None]}, {"a": None}, True),
        ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
        ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
        ({"a": {"b": ["x"]}}, {"a": [{"b": "z"}, {"b": "x"}]}, True),
        ({"a": {"b": [{"exists": False}]}}, {}, True),
        ({"a": [{"prefix": "in/"}]}, {"a": "in/x"}, True),
        ({"a": [{"suffix": ".csv"}]}, {"a": "x.txt"}, False),
        ({"a": [{"prefix": {"equals-ignore-case": "IN/"}}]}, {"a": "in/x"}, True),
        ({"a": [{"anything-but": ["x"]}]}, {"a": "y"}, True),
        ({"a": [{"anything-but": "x"}]}, {"a": "x"}, False),
        ({"a": [{"anything-but": {"prefix": "x"}}]}, {"a": "xy"}, False),
        ({"a": [{"anything-but": "x"}]}, {}, False),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 5}, True),
        ({"a": [{"numeric": [">", 0, "<=", 5]}]}, {"a": 6}, False),
        ({"a": [{"numeric": ["=", 5]}]}, {"a": "5"}, False),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [{"exists": True}]}, {}, False),
        ({"a": [{"wildcard": "in/*.csv"}]}, {"a": "in/monday.csv"}, True),
        ({"a": [{"wildcard": "in/*.csv"}]}, {"a": "in/monday.txt"}, False),
        ({"a": [{"equals-ignore-case": "TEA"}]}, {"a": "tea"}, True),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.7"}, True),
        ({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "tea"}, False),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True),
        ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"a": "y"}, False),
        ({"a": ["x"]}, "no object", False),
    ],
)
def test_patterns(pattern, value, passes):
    assert matches(pattern, value) is passes


def test_a_body_that_is_no_json_stays_text():
    assert body_of('{"a": 1}') == {"a": 1} and body_of("tea") == "tea" and body_of(None) is None


def notes(source, options, values, *handlers):
    found = preview(SOURCES[source], options, values, handlers, REF, now=datetime(2030, 1, 7, 8, tzinfo=UTC))
    return [(note.text, note.passes) for note in found]


def handler(name, source, **options):
    return Handler(name, name, (Trigger(source, options),), {})


def test_which_handlers_of_a_topic_get_a_message():
    one = handler("one", "on_sns_message", topic="news", filter_policy={"kind": ["a"]})
    two = handler("two", "on_sns_message", topic="news")
    body = handler("body", "on_sns_message", topic="news", filter_policy={"n": [1]}, filter_scope="MessageBody")
    other = handler("other", "on_sns_message", topic="sport")
    found = notes(
        "on_sns_message", {"topic": "news"}, {"message": '{"n": 1}', "attribute": {"kind": "b"}}, one, two, body, other
    )
    assert [passes for _, passes in found] == [False, True, True]
    assert "one: its filter policy does not match" in found[0][0]


def test_which_handlers_of_a_bucket_get_an_object():
    one = handler("one", "on_s3_event", bucket="b", prefix="in/", suffix=".csv")
    gone = handler("gone", "on_s3_event", bucket="b", events=["s3:ObjectRemoved:*"])
    found = notes("on_s3_event", {"bucket": "b"}, {"key": "in/a.txt"}, one, gone)
    assert found == [
        ("one: the key does not end with .csv", False),
        ("gone: it does not listen to created objects", False),
    ]
    assert notes("on_s3_event", {"bucket": "b", "prefix": "in/"}, {}, one)[0][0].startswith("one: ")


def test_a_queue_without_filter_says_nothing_and_one_with_it_does():
    assert notes("on_sqs_message", {"queue": "q"}, {"message": "x"}) == []
    options = {"queue": "q", "filter": {"body": {"kind": ["a"]}}}
    assert notes("on_sqs_message", options, {"message": '{"kind": "a"}'}) == [("the filter lets it through", True)]
    assert notes("on_sqs_message", options, {"message": "x"})[0][1] is False


def test_a_schedule_tells_its_next_runs():
    (text, passes) = notes("schedule", {"expression": "cron(0 9 ? * MON-FRI *)"}, {})[0]
    assert text.startswith("next runs (UTC): Mon 07 Jan 09:00, Tue 08 Jan 09:00") and passes is None


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("on_sqs_message", {"queue": "q"}),
        ("on_sns_message", {"topic": "t"}),
        ("on_s3_event", {"bucket": "b", "prefix": "in/"}),
        ("schedule", {"expression": "rate(1 hour)"}),
    ],
)
def test_every_template_makes_a_sample_event(source, options):
    made = SOURCES[source].templates(options, REF)
    assert next(iter(made)) == "sample" and len(made) > 1
    for values in made.values():
        assert SOURCES[source].sample(options, REF, **values)
