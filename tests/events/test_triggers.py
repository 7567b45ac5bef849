"""Which of several triggers is meant."""

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.events.triggers import labels, route_of, routes
from nbchalice.handlers import Handler
from nbchalice.resources.base import FunctionRef
from nbchalice.runtime.app import Trigger

REF = FunctionRef("shop", "dev", "both", "eu-west-1", "123456789012")
TRIGGERS = (
    Trigger("on_sqs_message", {"queue": "orders"}),
    Trigger("on_sns_message", {"topic": "arn:aws:sns:eu-west-1:123456789012:news"}),
    Trigger("schedule", {"expression": "rate(1 hour)"}),
    Trigger("schedule", {"expression": "rate(1 day)"}),
    Trigger("on_s3_event", {"bucket": "shop", "prefix": "a/"}),
    Trigger("on_s3_event", {"bucket": "shop", "prefix": "b/"}),
)
BOTH = Handler("both", "both", TRIGGERS, {})


@pytest.mark.parametrize(
    ("wanted", "values", "number"),
    [
        ("sqs", {}, 0),
        ("on_sqs_message", {}, 0),
        ("orders", {}, 0),
        ("SQS orders", {}, 0),
        ("news", {}, 1),
        ("rate(1 day)", {}, 3),
        ("bucket shop, s3:ObjectCreated:*, prefix b/", {}, 5),
        (None, {"subject": "hello"}, 1),
        (None, {"message": "x", "delay": 3}, 0),
        (None, {"key": "b/x"}, 5),
        ("shop", {"key": "neither"}, 4),
    ],
)
def test_it_goes_by_kind_by_name_and_by_what_the_event_has(wanted, values, number):
    route = route_of(BOTH, REF, wanted, values)
    assert (route.source.name, route.options) == (TRIGGERS[number].source, TRIGGERS[number].options)


@pytest.mark.parametrize(
    ("wanted", "values", "message"),
    [
        ("kinesis", {}, "both has no source 'kinesis'"),
        ("schedule", {}, "both has several sources"),
        (None, {"message": "x"}, "both has several sources"),
        (None, {}, "both has several sources"),
    ],
)
def test_what_is_not_clear_names_all(wanted, values, message):
    with pytest.raises(InvalidInputError) as error:
        route_of(BOTH, REF, wanted, values)
    assert error.value.message == message
    hint = 'one of: "SQS orders", "SNS news", "Schedule rate(1 hour)", "Schedule rate(1 day)", "bucket shop, s3:'
    assert hint in error.value.hint


def test_rules_are_numbered_and_equal_labels_told_apart():
    assert [route.ref.number for route in routes(BOTH, REF)] == [1, 1, 1, 2, 1, 1]
    assert len(set(labels(routes(BOTH, REF)))) == len(TRIGGERS)


def test_a_single_one_is_meant_always():
    single = Handler("both", "both", TRIGGERS[:1], {})
    assert route_of(single, REF, values={"key": "x"}).label == "SQS orders"
    with pytest.raises(InvalidInputError, match="no source 'sns'") as error:
        route_of(single, REF, "sns")
    assert error.value.hint == 'add --source "SQS orders"'
