import copy
import json
import pickle
from datetime import datetime
from urllib.parse import quote_plus, unquote_plus

import pytest
from aws_lambda_powertools.utilities import data_classes
from aws_lambda_powertools.utilities.parser import models
from hypothesis import given
from hypothesis import strategies as st

from nbchalice import (
    CloudWatchEvent,
    DynamoDBEvent,
    KinesisEvent,
    LambdaFunctionEvent,
    S3Event,
    SNSEvent,
    SNSRecord,
    SQSEvent,
)
from nbchalice.runtime.events import unquoted
from nbchalice.runtime.records import BatchEvent

MODELS = {
    "schedule": models.EventBridgeModel,
    "cloudwatch_ec2": models.EventBridgeModel,
    "s3_put": models.S3Model,
    "s3_two": models.S3Model,
    "sns": models.SnsModel,
    "sns_no_subject": models.SnsModel,
    "sqs": models.SqsModel,
    "sqs_fifo": models.SqsModel,
    "kinesis": models.KinesisDataStreamModel,
    "dynamodb": models.DynamoDBStreamModel,
}


@pytest.mark.parametrize("name", MODELS)
def test_the_fixtures_have_the_shape_that_powertools_knows(name, event):
    if name == "kinesis":
        data = event(name)
        data["Records"].pop()
        MODELS[name].model_validate(data)
    else:
        MODELS[name].model_validate(event(name))


def test_a_scheduled_event_has_chalices_nine_attributes(event, context):
    raw = event("schedule")
    tick = CloudWatchEvent(raw, context)
    assert tick.to_dict() is raw
    assert tick.context is context
    assert (tick.version, tick.account, tick.region) == ("0", "123456789012", "eu-central-1")
    assert (tick.detail, tick.detail_type, tick.source) == ({}, "Scheduled Event", "aws.events")
    assert (tick.time, tick.event_id) == ("2026-01-31T09:00:00Z", raw["id"])
    assert tick.resources == raw["resources"]
    assert repr(tick) == "<CloudWatchEvent Scheduled Event from aws.events 2026-01-31T09:00:00Z>"


def test_an_event_of_a_pattern_agrees_with_powertools(event):
    raw = event("cloudwatch_ec2")
    mine, theirs = CloudWatchEvent(raw), data_classes.EventBridgeEvent(raw)
    assert (mine.detail, mine.detail_type, mine.source) == (theirs.detail, theirs.detail_type, theirs.source)
    assert (mine.event_id, mine.resources, mine.time) == (theirs.get_id, theirs.resources, theirs.time)


def test_the_schedulers_detail_is_parsed(event):
    assert CloudWatchEvent(event("scheduler")).detail == {}


@pytest.mark.parametrize("own", [{"task": "cleanup"}, [1, 2], 3, "now", None])
def test_a_schedules_own_input_reads_as_empty_but_is_all_there(own):
    tick = CloudWatchEvent(own)
    assert (tick.source, tick.detail, tick.resources, tick.event_id) == ("", {}, [], "")
    assert tick.to_dict() == own
    assert repr(own) in repr(tick)


def test_an_s3_event_unquotes_the_key_and_agrees_with_powertools(event):
    raw = event("s3_put")
    mine, theirs = S3Event(raw), data_classes.S3Event(raw)
    assert mine.key == theirs.object_key == "photos/sunny day, café.jpg"
    assert mine.bucket == theirs.bucket_name == "shop-photos"
    assert mine.event_name == theirs.record.event_name == "ObjectCreated:Put"
    assert (mine.size, mine.etag, mine.version_id) == (
        1024,
        "d41d8cd98f00b204e9800998ecf8427e",
        "096fKKXTRTtl3on89fVO.nfljtsv6qko",
    )
    assert repr(mine) == (
        "<S3Event 1 record: <S3Record ObjectCreated:Put s3://shop-photos/photos/sunny day, café.jpg>>"
    )


def test_all_records_of_an_s3_event_can_be_iterated(event, context):
    put = S3Event(event("s3_two"), context)
    assert len(put) == 2
    assert [(r.key, r.size, r.event_name, r.context) for r in put] == [
        ("a.jpg", 1, "ObjectCreated:Put", context),
        ("b.jpg", 2, "ObjectCreated:Copy", context),
    ]
    assert next(iter(put)).event_time == "2026-01-31T09:00:00.123Z"
    assert put.key == "a.jpg"


def test_a_removed_object_has_no_size_etag_or_version(event):
    gone = S3Event(event("s3_delete"))
    assert (gone.size, gone.etag, gone.version_id) == (None, None, None)


def test_s3s_test_event_has_a_bucket_but_no_record(event):
    test = S3Event(event("s3_test"))
    assert test.is_test
    assert test.bucket == "shop-photos"
    assert (len(test), list(test), bool(test)) == (0, [], True)
    with pytest.raises(ValueError, match="S3Event holds no record"):
        _ = test.key


def test_an_sns_event_agrees_with_powertools(event):
    raw = event("sns")
    mine, theirs = SNSEvent(raw), data_classes.SNSEvent(raw)
    assert (mine.message, mine.subject) == (theirs.sns_message, "prices")
    assert mine.message_attributes == {"kind": {"Type": "String", "Value": "update"}}
    record = theirs.record.sns
    assert (mine.message_id, mine.topic_arn, mine.timestamp) == (record.message_id, record.topic_arn, record.timestamp)
    assert mine.json() == {"item": "tea", "price": 3}
    assert [r.message for r in mine] == [mine.message]
    assert len(mine) == 1
    assert "prices" in repr(mine)


def test_a_message_without_subject_has_none(event):
    plain = SNSEvent(event("sns_no_subject"))
    assert plain.subject is None
    assert plain.message_attributes == {}
    with pytest.raises(ValueError, match="message 95df01b4.* is not JSON .*'hello'"):
        plain.json()


def test_an_sqs_event_agrees_with_powertools(event, context):
    raw = event("sqs")
    batch = SQSEvent(raw, context)
    assert len(batch) == 3
    for mine, theirs in zip(batch, data_classes.SQSEvent(raw).records, strict=True):
        assert (mine.body, mine.message_id, mine.receipt_handle) == (
            theirs.body,
            theirs.message_id,
            theirs.receipt_handle,
        )
        assert mine.receive_count == int(theirs.attributes.approximate_receive_count)
        assert (mine.event_source_arn, mine.queue_name) == (
            theirs.event_source_arn,
            theirs.queue_url.rpartition("/")[2],
        )
        assert mine.message_attributes["currency"]["stringValue"] == "EUR"
        assert mine.attributes["SenderId"] == "AIDAEXAMPLE"
        assert mine.message_group_id is None
        assert mine.context is context
    assert repr(batch) == "<SQSEvent 3 records: <SQSRecord 00000001-0000-4000-8000-000000000000 '3'>>"


def test_a_fifo_message_has_its_group(event):
    assert [record.message_group_id for record in SQSEvent(event("sqs_fifo"))] == ["table-7"] * 3


def test_a_body_is_parsed_as_json_or_named(event):
    first, second, _ = SQSEvent(event("sqs"))
    assert first.json() == 3
    with pytest.raises(ValueError, match=r"the body of message 00000002-.* is not JSON .*'x'"):
        second.json()


def test_a_kinesis_event_has_chalices_attributes(event):
    first, second = KinesisEvent(event("kinesis"))
    assert first.data == b'{"page": "/"}'
    assert first.json() == {"page": "/"}
    assert (first.partition_key, first.schema_version) == ("p-1", "1.0")
    assert first.sequence_number.endswith("1")
    assert first.timestamp == datetime(2026, 1, 31, 9, 0, 0, 500000)
    with pytest.raises(ValueError, match=r"the data of record \d+2 is not JSON"):
        second.json()
    assert repr(second).startswith("<KinesisRecord p-1 b'not json'")


def test_a_change_that_tells_no_time_has_none(event):
    raw = event("dynamodb")
    del raw["Records"][0]["dynamodb"]["ApproximateCreationDateTime"]
    untimed, timed = DynamoDBEvent(raw)
    assert untimed.timestamp is None and timed.timestamp is not None


def test_a_dynamodb_event_has_chalices_attributes(event):
    insert, remove = DynamoDBEvent(event("dynamodb"))
    assert (insert.event_name, insert.table_name, insert.aws_region) == ("INSERT", "prices", "eu-central-1")
    assert insert.keys == {"id": {"S": "tea"}}
    assert (insert.new_image["price"], insert.old_image) == ({"N": "3"}, None)
    assert (remove.new_image, remove.old_image["price"]) == (None, {"N": "3"})
    assert (insert.sequence_number, insert.size_bytes, insert.stream_view_type) == ("111", 26, "NEW_AND_OLD_IMAGES")
    assert insert.event_id.endswith("1")
    assert insert.timestamp == datetime(2026, 1, 31, 9, 0)
    assert repr(insert) == "<DynamoDBRecord INSERT prices {'id': {'S': 'tea'}}>"
    assert insert.event_source_arn.endswith("123")


def test_a_stream_without_table_has_no_table_name(event):
    raw = event("dynamodb")
    raw["Records"][0]["eventSourceARN"] = "odd"
    assert next(iter(DynamoDBEvent(raw))).table_name == ""


def test_a_direct_invocation_keeps_the_raw_event(context):
    raw = {"a": 1}
    direct = LambdaFunctionEvent(raw, context)
    assert direct.event is direct.to_dict() is raw
    assert repr(direct) == "<LambdaFunctionEvent {'a': 1}>"


def test_a_long_event_is_shown_short():
    assert len(repr(LambdaFunctionEvent(json.loads('{"a": "%s"}' % ("x" * 999))))) < 100


@pytest.mark.parametrize(
    ("look", "error"),
    [
        (lambda event: event["Records"], r"'SQSEvent' object is no dictionary: .* is in \.to_dict\(\)\['Records'\]"),
        (lambda event: event.get("Records", []), r"'SQSEvent' object has no attribute 'get': .* \.to_dict\(\)\.get\("),
        (lambda event: next(iter(event))["body"], r"'SQSRecord' object is no dictionary: .* \.to_dict\(\)\['body'\]"),
        (lambda event: event.nothing, r"'SQSEvent' object has no attribute 'nothing'$"),
        (
            lambda event: "Records" in event,
            r"'SQSEvent' object is no dictionary: .* as in 'Records' in event\.to_dict\(\)",
        ),
        (lambda event: "body" not in next(iter(event)), r"'SQSRecord' object is no dictionary: .* 'body' in "),
        (lambda event: event[0], r"'SQSEvent' object is no list: list\(event\) has its records"),
        (lambda event: event[1:], r"'SQSEvent' object is no list: list\(event\) has its records"),
        (lambda event: dict(next(iter(event))), r"'SQSRecord' object is no dictionary: .* is in \.to_dict\(\)$"),
        (lambda event: {**next(iter(event))}, r"'SQSRecord' object has no attribute 'keys': |not a mapping"),
    ],
)
def test_an_event_that_is_taken_for_a_dictionary_says_where_that_is(event, look, error):
    with pytest.raises((TypeError, AttributeError), match=error):
        look(SQSEvent(event("sqs")))


@pytest.mark.parametrize("kind", [SQSEvent, KinesisEvent, DynamoDBEvent, S3Event, SNSEvent, CloudWatchEvent])
@pytest.mark.parametrize(
    "record", [{}, {"body": "x"}, {"body": None, "kinesis": None, "dynamodb": {}, "s3": {}, "Sns": []}]
)
def test_an_event_that_somebody_wrote_by_hand_needs_no_more_than_what_is_asked_of_it(kind, record):
    event = kind({"Records": [record, dict(record)]})
    assert repr(event).startswith(f"<{kind.__name__} ")
    if kind is CloudWatchEvent:
        return
    assert len([repr(one) for one in event]) == len(event) == 2
    if isinstance(event, BatchEvent):
        first, second = event
        first.done()
        assert first.is_done and not second.is_done and len(event.unfinished()) == 1


def test_a_message_with_a_body_alone_is_read():
    (record,) = SQSEvent({"Records": [{"body": "[1]"}]})
    assert record.json() == [1] and record.body == "[1]"
    with pytest.raises(KeyError, match="messageId"):
        str(record.message_id)


def test_an_event_can_be_copied(event):
    raw = event("sqs")
    assert copy.deepcopy(SQSEvent(raw)).to_dict() == pickle.loads(pickle.dumps(SQSEvent(raw))).to_dict() == raw


@given(st.text(st.sampled_from("%aAfF0Cc3+é /€🥛"), max_size=12) | st.text().map(quote_plus))
def test_a_key_is_unquoted_as_python_does(text):
    assert unquoted(text) == unquote_plus(text)


def test_a_notification_that_went_through_a_queue():
    """As the reference says to read it; SNS leaves out subject and attributes there where there are none."""
    envelope = {
        "Type": "Notification",
        "MessageId": "a1",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:news",
        "Message": "[1, 2]",
        "Timestamp": "2026-01-31T09:00:00.000Z",
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/x.pem",
    }
    (record,) = SQSEvent({"Records": [{"messageId": "m", "body": json.dumps(envelope)}]})
    inner = SNSRecord({"Sns": record.json()})
    assert (inner.message, inner.subject, inner.message_attributes) == ("[1, 2]", None, {})
    assert (inner.json(), inner.message_id, inner.topic_arn) == ([1, 2], "a1", envelope["TopicArn"])
