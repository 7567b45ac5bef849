"""Sample events: as AWS sends them, by powertools' models, and as the runtime reads them."""

import pytest
from aws_lambda_powertools.utilities.data_classes import (
    EventBridgeEvent,
    KinesisStreamEvent,
    S3Event,
    SNSEvent,
    SQSEvent,
)
from aws_lambda_powertools.utilities.parser import models

from nbchalice.resources.base import FunctionRef
from nbchalice.runtime.event_kinds import KINDS, ids_of
from nbchalice.sources import SOURCES

REF = FunctionRef("shop", "dev", "price", "eu-west-1", "123456789012")
STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024-01-01T00:00:00.000"
CASES = {
    "schedule": ({"expression": "rate(1 hour)"}, {"detail": '{"a": 1}'}, models.EventBridgeModel),
    "on_cw_event": (
        {
            "event_pattern": {
                "source": ["aws.ec2"],
                "detail-type": [{"prefix": "EC2"}],
                "detail": {"state": ["stopped"]},
            }
        },
        {},
        models.EventBridgeModel,
    ),
    "on_s3_event": ({"bucket": "shop", "prefix": "in/", "suffix": ".csv"}, {"message": "a;b"}, models.S3Model),
    "on_sns_message": (
        {"topic": "news"},
        {"message": "m", "subject": "s", "attribute": {"kind": "a"}},
        models.SnsModel,
    ),
    "on_sqs_message": ({"queue": "orders"}, {"message": "m", "attribute": {"kind": "a"}}, models.SqsModel),
    "on_kinesis_record": ({"stream": "clicks"}, {"message": '{"x": 1}', "key": "k"}, models.KinesisDataStreamModel),
    "on_dynamodb_record": (
        {"stream_arn": STREAM},
        {"message": '{"id": "1", "price": 2.5}'},
        models.DynamoDBStreamModel,
    ),
}


def sample(name):
    options, values, model = CASES[name]
    return SOURCES[name].sample(options, REF, **values), model


@pytest.mark.parametrize("name", CASES)
def test_powertools_takes_the_sample(name):
    event, model = sample(name)
    model.model_validate(event)


@pytest.mark.parametrize("name", CASES)
def test_the_runtime_reads_the_sample_and_knows_it_again(name):
    event, _ = sample(name)
    assert repr(KINDS[name].event_class(event))
    assert ids_of(event)


def test_what_the_form_says_is_in_the_sample():
    assert EventBridgeEvent(sample("schedule")[0]).detail == {"a": 1}
    matched = EventBridgeEvent(sample("on_cw_event")[0])
    assert (matched.source, matched.detail_type, matched.detail) == ("aws.ec2", "EC2", {"state": "stopped"})
    assert S3Event(sample("on_s3_event")[0]).object_key == "in/hello.csv"
    assert SNSEvent(sample("on_sns_message")[0]).sns_message == "m"
    record = next(iter(SQSEvent(sample("on_sqs_message")[0]).records))
    assert (record.body, record.message_attributes["kind"].string_value, record.queue_url) == (
        "m",
        "a",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/orders",
    )
    assert next(iter(KinesisStreamEvent(sample("on_kinesis_record")[0]).records)).kinesis.data_as_json() == {"x": 1}
    assert sample("on_dynamodb_record")[0]["Records"][0]["dynamodb"]["NewImage"] == {
        "id": {"S": "1"},
        "price": {"N": "2.5"},
    }


def test_a_scheduler_event_has_its_detail_as_text():
    event = SOURCES["schedule"].sample({"expression": "at(2030-01-01T09:00:00)"}, REF, detail={"a": 1})
    assert (event["source"], event["detail"]) == ("aws.scheduler", '{"a": 1}')
    assert event["resources"] == ["arn:aws:scheduler:eu-west-1:123456789012:schedule/default/shop-dev-price-event"]
    assert KINDS["schedule"].event_class(event).detail == {"a": 1}


def test_a_constant_input_is_the_event():
    assert SOURCES["schedule"].sample({"expression": "rate(1 hour)", "input": [1]}, REF) == [1]


def test_a_plain_function_takes_any_json():
    source = SOURCES["lambda_function"]
    assert source.sample({}, REF, message='{"a": [1]}') == {"a": [1]}
    assert source.sample({}, REF, message={"a": 1}) == {"a": 1}
    assert source.sample({}, REF) == {"hello": "nbchalice"}


@pytest.mark.parametrize(
    ("name", "options", "values"),
    [
        ("on_cw_event", {"event_pattern": {"source": ["shop"]}}, {"detail": "no json"}),
        ("schedule", {"expression": "rate(1 hour)"}, {"detail": "{'a': 1}"}),
        ("lambda_function", {}, {"message": "{"}),
        ("on_dynamodb_record", {"stream_arn": STREAM}, {"message": "item"}),
    ],
)
def test_text_that_is_not_json_is_told(name, options, values):
    from nbchalice.errors import InvalidInputError

    with pytest.raises(InvalidInputError, match="is not valid JSON") as caught:
        SOURCES[name].sample(options, REF, **values)
    assert caught.value.hint
