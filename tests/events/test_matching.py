"""What the form says before an event is sent: who gets it, and whether a filter lets it through."""

from datetime import UTC, datetime

import pytest

from nbchalice.events.preview import preview
from nbchalice.handlers import Handler
from nbchalice.resources.base import FunctionRef
from nbchalice.runtime.app import Trigger
from nbchalice.sources import SOURCES

REF = FunctionRef("shop", "dev", "price", "eu-west-1", "123456789012")


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
