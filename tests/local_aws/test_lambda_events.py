"""Events hold what they hold on AWS, with the names and types that they have there."""

import base64
import json
import re
import uuid

import pytest

from ..roles import let_in
from .test_events import make_queue, make_topic

PRINT = "import json\ndef handler(event, context): print('got', json.dumps(event))\n"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def printing(functions):
    return functions.make(PRINT)


@pytest.fixture
def events(functions, printing, eventually):
    """``events(check)``: the first events that a check finds among all that came, in the order they came."""

    def find(check, count=1):
        def found():
            lines = [line.removeprefix("got ") for line in functions.log(printing) if line.startswith("got ")]
            some = [event for event in map(json.loads, lines) if check(event)]
            return some if len(some) >= count else None

        return eventually(found)

    return find


def source_of(event):
    record = event["Records"][0]
    return record.get("eventSource") or record["EventSource"]


GIVEN = {
    "text": {"DataType": "String", "StringValue": "ü"},
    "number": {"DataType": "Number", "StringValue": "1.5"},
    "several": {"DataType": "String.Array", "StringValue": '["a", 1]'},
    "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
}
AS_NOTIFIED = {
    "text": {"Type": "String", "Value": "ü"},
    "number": {"Type": "Number", "Value": "1.5"},
    "several": {"Type": "String.Array", "Value": '["a", 1]'},
    "bytes": {"Type": "Binary", "Value": base64.b64encode(b"\x00\xff").decode()},
}


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize("bare", [False, True])
def test_a_notification_has_all_fields_in_order_also_the_empty_ones(batch, bare, aws, functions, printing, events):
    topic, text = make_topic(aws, functions.arn(printing)), uuid.uuid4().hex
    message = {"Message": text} if bare else {"Message": text, "Subject": "s", "MessageAttributes": GIVEN}
    if batch:
        aws("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": "1", **message}])
    else:
        aws("sns").publish(TopicArn=topic, **message)
    (event,) = events(lambda event: text in json.dumps(event))
    (record,) = event["Records"]
    assert sorted(record) == ["EventSource", "EventSubscriptionArn", "EventVersion", "Sns"]
    assert list(record["Sns"]) == [
        "Type", "MessageId", "TopicArn", "Subject", "Message", "Timestamp", "SignatureVersion", "Signature",
        "SigningCertUrl", "UnsubscribeUrl", "MessageAttributes",
    ]  # fmt: skip
    assert (record["Sns"]["Subject"], record["Sns"]["MessageAttributes"]) == (
        (None, {}) if bare else ("s", AS_NOTIFIED)
    )
    assert TIME.fullmatch(record["Sns"]["Timestamp"])


@pytest.mark.parametrize("batch", [False, True])
def test_a_queue_gets_attributes_of_notifications_as_they_were_given(batch, aws):
    url, queue = make_queue(aws)
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes=raw)
    message = {"Message": "m", "MessageAttributes": {name: one for name, one in GIVEN.items() if name != "several"}}
    if batch:
        aws("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=[{"Id": "1", **message}])
    else:
        aws("sns").publish(TopicArn=topic, **message)
    (got,) = aws("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert got["MessageAttributes"] == message["MessageAttributes"]


def test_attributes_of_a_message_have_the_empty_lists(aws, printing, events):
    url, queue = make_queue(aws)
    reads = {"EventSourceArn": queue, "FunctionName": printing, "BatchSize": 1}
    mapping = aws("lambda").create_event_source_mapping(**reads)["UUID"]
    given = {name: one for name, one in GIVEN.items() if name != "several"}
    aws("sqs").send_message(QueueUrl=url, MessageBody="with", MessageAttributes=given)
    aws("sqs").send_message(QueueUrl=url, MessageBody="without")
    got = events(lambda event: source_of(event) == "aws:sqs", 2)
    aws("lambda").delete_event_source_mapping(UUID=mapping)
    attributes = {event["Records"][0]["body"]: event["Records"][0]["messageAttributes"] for event in got}
    lists = {"stringListValues": [], "binaryListValues": []}
    assert attributes == {
        "with": {
            "text": {"stringValue": "ü", **lists, "dataType": "String"},
            "number": {"stringValue": "1.5", **lists, "dataType": "Number"},
            "bytes": {"binaryValue": base64.b64encode(b"\x00\xff").decode(), **lists, "dataType": "Binary"},
        },
        "without": {},
    }


@pytest.mark.parametrize("way", ["function", "queue", "topic"])
def test_a_removed_object_has_neither_size_nor_tag(way, aws, functions, printing, events, eventually):
    url, queue = make_queue(aws)
    to = {"function": functions.arn(printing), "queue": queue}
    if way == "topic":
        to["topic"] = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
        aws("sns").subscribe(TopicArn=to["topic"], Protocol="sqs", Endpoint=queue)
    bucket, kind = f"b-{uuid.uuid4().hex[:8]}", {"function": "LambdaFunction", "queue": "Queue", "topic": "Topic"}[way]
    aws("s3").create_bucket(Bucket=bucket)
    if way == "function":
        let_in(aws, printing, "s3")
    entry = {f"{kind}Arn": to[way], "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
    aws("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={f"{kind}Configurations": [entry]}
    )
    aws("s3").put_object(Bucket=bucket, Key="a", Body=b"abc")
    aws("s3").delete_object(Bucket=bucket, Key="a")

    def queued():
        answer = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
        found = [json.loads(body["Message"]) if "Message" in body else body for body in bodies]
        return [event for event in found if "Records" in event] if len(found) >= 2 else None

    if way == "function":
        got = events(lambda event: bucket in json.dumps(event), 2)
    else:
        got = eventually(lambda: (found := queued()) and len(found) >= 2 and found)
    things = {record["eventName"]: record["s3"]["object"] for event in got for record in event["Records"]}
    assert sorted(things["ObjectCreated:Put"]) == ["eTag", "key", "sequencer", "size"]
    assert things["ObjectCreated:Put"]["size"] == 3
    assert sorted(things["ObjectRemoved:Delete"]) == ["key", "sequencer"]


SIZES = [
    ({"Id": {"N": "1"}}, {"ä": {"S": "ü"}}, 12),
    ({"Id": {"N": "-1.50"}}, {"b": {"B": b"1234"}}, 15),
    ({"Id": {"S": "k"}}, {"l": {"L": [{"S": "a"}, {"BOOL": True}]}, "m": {"M": {"x": {"NULL": True}}}}, 21),
    ({"Id": {"S": "k2"}}, {"s": {"SS": ["a", "bc"]}, "n": {"NS": ["10", "7"]}}, 17),
]


@pytest.fixture(scope="module")
def table(aws):
    made = {}

    def of(kind):
        if kind not in made:
            name = f"t-{uuid.uuid4().hex[:8]}"
            aws("dynamodb").create_table(
                TableName=name,
                KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": kind}],
                BillingMode="PAY_PER_REQUEST",
                StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
            )
            made[kind] = name
        return made[kind]

    return of


def sizes_of(aws, name):
    """Return the sizes of all changes of a table."""
    streams = aws("dynamodbstreams")
    arn = aws("dynamodb").describe_table(TableName=name)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    asked = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    records = streams.get_records(ShardIterator=streams.get_shard_iterator(**asked)["ShardIterator"])["Records"]
    return [record["dynamodb"]["SizeBytes"] for record in records]


@pytest.mark.parametrize(("key", "values", "size"), SIZES)
def test_a_change_of_an_item_tells_its_size(key, values, size, aws, table):
    name = table(next(iter(key["Id"])))
    aws("dynamodb").put_item(TableName=name, Item={**key, **values})
    assert sizes_of(aws, name)[-1] == size


def test_the_sizes_are_those_of_awss_example(aws, table):
    name, key = table("N"), {"Id": {"N": "101"}}
    aws("dynamodb").put_item(TableName=name, Item={**key, "Message": {"S": "New item!"}})
    aws("dynamodb").put_item(TableName=name, Item={**key, "Message": {"S": "This item has changed"}})
    aws("dynamodb").delete_item(TableName=name, Key=key)
    assert sizes_of(aws, name)[-3:] == [26, 59, 38]


def test_an_answer_over_lambdas_limit_is_an_error(functions):
    name = functions.make("def handler(event, context): return 'x' * event\n")
    assert len(functions.invoke(name, 6_291_554)[1]) == 6_291_554
    failed, error, _ = functions.invoke(name, 6_291_555)
    assert (failed, error["errorType"]) == ("Unhandled", "Function.ResponseSizeTooLarge")
    assert error["errorMessage"] == ("Response payload size exceeded maximum allowed payload size (6291556 bytes).")
