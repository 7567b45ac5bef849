"""Calls of a handler that AWS refuses, or takes, are refused and taken here."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError


@pytest.mark.table("messages that SNS refuses")
@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"Message": ""}, "Empty message"),
        ({"Message": "m", "Subject": "s" * 101}, "Subject"),
        ({"Message": "m", "Subject": "two\nlines"}, "Subject"),
        ({"Message": "m", "MessageStructure": "json"}, "Message Structure - JSON message body failed to parse"),
        (
            {"Message": json.dumps({"sqs": "m"}), "MessageStructure": "json"},
            "Message Structure - No default entry in JSON message body",
        ),
    ],
)
def test_a_message_that_sns_refuses(aws, message, said):
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    with pytest.raises(ClientError) as caught:
        aws("sns").publish(TopicArn=topic, **message)
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("InvalidParameter", f"Invalid parameter: {said}")


@pytest.mark.parametrize(
    "message",
    [
        {"Message": " "},
        {"Message": "m", "Subject": "ü" * 100},
        {"Message": json.dumps({"default": "m"}), "MessageStructure": "json"},
    ],
)
def test_a_message_that_sns_takes(aws, message):
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    assert aws("sns").publish(TopicArn=topic, **message)["MessageId"]


def test_a_message_may_be_deleted_twice(aws):
    url = aws("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    aws("sqs").send_message(QueueUrl=url, MessageBody="m")
    handle = aws("sqs").receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    for _ in range(2):
        aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=handle)
    with pytest.raises(ClientError, match="ReceiptHandleIsInvalid"):
        aws("sqs").delete_message(QueueUrl=url, ReceiptHandle="no handle")


def test_a_rule_that_has_targets_is_not_deleted(aws):
    name, events = f"r-{uuid.uuid4().hex[:8]}", aws("events")
    events.put_rule(Name=name, ScheduleExpression="rate(1 day)")
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"}])
    with pytest.raises(ClientError, match=r"ValidationException.*Rule can't be deleted since it has targets\."):
        events.delete_rule(Name=name)
    events.remove_targets(Rule=name, Ids=["1"])
    events.delete_rule(Name=name)


def test_an_event_whose_detail_is_no_object_is_malformed_and_the_others_are_taken(aws):
    details = ["{}", "no JSON", "[1]", '{"a": 1}']
    entries = [{"Source": "tea", "DetailType": "poured", "Detail": detail} for detail in details]
    answer = aws("events").put_events(Entries=entries)
    assert answer["FailedEntryCount"] == 2
    assert [entry.get("ErrorCode") for entry in answer["Entries"]] == [None, "MalformedDetail", "MalformedDetail", None]
    assert aws("events").put_events(Entries=entries[1:2])["FailedEntryCount"] == 1
    with pytest.raises(ClientError, match="ValidationException"):
        aws("events").put_events(Entries=entries * 3)


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_an_event_that_is_no_json_is_refused(aws, functions, kind):
    name = functions.make("def handler(event, context): return event\n")
    with pytest.raises(ClientError, match=r"InvalidRequestContentException.*Could not parse request body into json"):
        aws("lambda").invoke(FunctionName=name, InvocationType=kind, Payload=b"{tea")
    assert functions.invoke(name)[0] is None
