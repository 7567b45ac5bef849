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


ARN = "arn:aws:sqs:us-east-1:000000000000:"
TEXT = {"DataType": "String", "StringValue": "x"}
INVALID = "InvalidParameterValue"


def attributes(**named):
    return {"MessageBody": "m", "MessageAttributes": named}


# What a message of a queue has, and what SQS says of it; FIFO queues last.
MESSAGES = {
    "an empty attribute": (attributes(e={**TEXT, "StringValue": ""}), "Message (user) attribute 'e' must contain a non-empty value of type 'String'."),
    "an attribute without a value": (attributes(e={"DataType": "Binary"}), "must contain a non-empty value of type 'Binary'."),
    "an unknown type": (attributes(e={**TEXT, "DataType": "Text"}), "supported type prefixes: Binary, Number, String."),
    "a number that is none": (attributes(e={"DataType": "Number", "StringValue": "x"}), "Can't cast the value of message (user) attribute 'e' to a number."),
    "an odd name": (attributes(**{"a b": TEXT}), "attribute name 'a b' is invalid"),
    "a name that ends with a dot": (attributes(**{"a.": TEXT}), "attribute name 'a.' is invalid"),
    "a reserved name": (attributes(**{"AWS.e": TEXT}), "reserved"),
    "a long name": (attributes(**{"x" * 257: TEXT}), "at most 256 bytes"),
    "eleven attributes": (attributes(**{f"a{n}": TEXT for n in range(11)}), "Number of message attributes [11] exceeds the allowed maximum [10]."),
    "a long delay": ({"MessageBody": "m", "DelaySeconds": 901}, "Reason: DelaySeconds must be >= 0 and <= 900."),
    "a deduplication id": ({"MessageBody": "m", "MessageDeduplicationId": "1"}, "not valid for this queue type."),
    "a group with a blank": ({"MessageBody": "m", "MessageGroupId": "a b"}, "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length."),
    "FIFO, a long group": ({"MessageBody": "m", "MessageGroupId": "g" * 129, "MessageDeduplicationId": "1"}, "MessageGroupId can only include"),
    "FIFO, an empty deduplication id": ({"MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": ""}, "Value  for parameter MessageDeduplicationId is invalid."),
}  # fmt: skip


def make_queue(aws, suffix="", **options):
    return aws("sqs").create_queue(QueueName=f"q-{uuid.uuid4().hex[:8]}{suffix}", **options)["QueueUrl"]


def error_of(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.mark.table("messages that SQS refuses")
@pytest.mark.parametrize("what", MESSAGES)
def test_a_message_that_sqs_refuses(aws, what):
    message, said = MESSAGES[what]
    options = {"suffix": ".fifo", "Attributes": {"FifoQueue": "true"}} if what.startswith("FIFO") else {}
    url, sqs = make_queue(aws, **options), aws("sqs")
    code, text = error_of(sqs.send_message, QueueUrl=url, **message)
    assert code == INVALID
    assert said in text
    good = {"MessageBody": "good", **({"MessageGroupId": "g", "MessageDeduplicationId": "2"} if options else {})}
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "bad", **message}, {"Id": "good", **good}])
    assert [one["Id"] for one in answer["Successful"]] == ["good"]
    assert [(one["Id"], one["Code"], one["Message"], one["SenderFault"]) for one in answer["Failed"]] == [
        ("bad", INVALID, text, True)
    ]
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]] == [
        "good"
    ]


def test_a_message_with_all_that_sqs_takes(aws):
    named = {f"a-{n}_.x": TEXT for n in range(8)}
    named |= {
        "n": {"DataType": "Number.int", "StringValue": "-1.5e3"},
        "b": {"DataType": "Binary.png", "BinaryValue": b"\0"},
    }
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    url = make_queue(aws)
    sent = aws("sqs").send_message(
        QueueUrl=url, MessageBody="m", MessageAttributes=named, MessageSystemAttributes=trace, MessageGroupId="!~a"
    )
    assert len(sent["MD5OfMessageSystemAttributes"]) == 32
    got = aws("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"][0]
    assert set(got["MessageAttributes"]) == set(named)
    assert got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]


DEAD_STANDARD = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": f"{ARN}dead-standard", "maxReceiveCount": 1})}
QUEUES = {
    "an attribute that no queue has": ("a", {"Nonsense": "1"}, "InvalidAttributeName", "Unknown Attribute Nonsense."),
    "not FIFO": ("a", {"FifoQueue": "false"}, "InvalidAttributeName", "Unknown Attribute FifoQueue."),
    "an attribute of FIFO queues": ("a", {"ContentBasedDeduplication": "true"}, "InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication."),
    "a scope": ("a", {"DeduplicationScope": "queue"}, "InvalidAttributeName", "You can specify the DeduplicationScope only when FifoQueue is set to true."),
    "dead letters to another kind": ("a.fifo", {"FifoQueue": "true", **DEAD_STANDARD}, INVALID, "Reason: Dead-letter queue must be same type of queue as the source."),
}  # fmt: skip


@pytest.mark.table("queues that SQS refuses")
@pytest.mark.parametrize("what", QUEUES)
def test_a_queue_that_sqs_refuses(aws, what):
    name, given, code, said = QUEUES[what]
    aws("sqs").create_queue(QueueName="dead-standard")
    name = f"{uuid.uuid4().hex[:8]}{name}"
    told = error_of(aws("sqs").create_queue, QueueName=name, Attributes=given)
    assert told[0] == code
    assert told[1].endswith(said)
    with pytest.raises(aws("sqs").exceptions.QueueDoesNotExist):
        aws("sqs").get_queue_url(QueueName=name)


@pytest.mark.parametrize("fifo", [True, False])
def test_a_queue_stays_what_it_is(aws, fifo):
    url = make_queue(aws, *([".fifo"] if fifo else []), **({"Attributes": {"FifoQueue": "true"}} if fifo else {}))
    told = error_of(aws("sqs").set_queue_attributes, QueueUrl=url, Attributes={"FifoQueue": str(not fifo).lower()})
    assert told == (
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    )


@pytest.mark.parametrize(
    ("name", "value", "most"), [("WaitTimeSeconds", 21, 20), ("VisibilityTimeout", 43_201, 43_200)]
)
def test_a_time_that_is_too_long_is_refused(aws, name, value, most):
    said = f"Value {value} for parameter {name} is invalid. Reason: Must be >= 0 and <= {most}, if provided."
    assert error_of(aws("sqs").receive_message, QueueUrl=make_queue(aws), **{name: value}) == (INVALID, said)


def test_several_messages_may_be_deleted_twice(aws):
    url = make_queue(aws)
    aws("sqs").send_message(QueueUrl=url, MessageBody="m")
    handle = aws("sqs").receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
    entries = [{"Id": "1", "ReceiptHandle": handle}, {"Id": "2", "ReceiptHandle": "no handle"}]
    for _ in range(2):
        answer = aws("sqs").delete_message_batch(QueueUrl=url, Entries=entries)
        assert [one["Id"] for one in answer["Successful"]] == ["1"]
        assert [one["Code"] for one in answer["Failed"]] == ["ReceiptHandleIsInvalid"]


@pytest.fixture
def dead(aws):
    """``dead(count)``: a queue, its dead-letter queue and so many dead letters in that."""
    sqs = aws("sqs")

    def make(count):
        name = f"q-{uuid.uuid4().hex[:8]}"
        letters = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        policy = json.dumps({"deadLetterTargetArn": f"{ARN}{name}-dead", "maxReceiveCount": 1})
        url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})[
            "QueueUrl"
        ]
        for number in range(count):
            sqs.send_message(QueueUrl=url, MessageBody=f"m{number}", MessageAttributes={"a": TEXT})
        for _ in range(2):  # the first try, and the one that finds that there was one
            sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return name, url, letters

    return make


def bodies(aws, url):
    got = aws("sqs").receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=0,
        MessageAttributeNames=["All"],
        MessageSystemAttributeNames=["All"],
    )
    return {message["Body"]: message for message in got.get("Messages", [])}


@pytest.mark.parametrize("to", ["where they came from", "another queue"])
def test_dead_letters_are_moved_back(aws, dead, to):
    name, url, letters = dead(3)
    sqs, arn = aws("sqs"), f"{ARN}{name}-dead"
    assert sqs.list_dead_letter_source_queues(QueueUrl=letters)["queueUrls"] == [url]
    other = make_queue(aws)
    options = {"DestinationArn": f"{ARN}{other.rpartition('/')[2]}"} if to == "another queue" else {}
    ids = {message["MessageId"] for message in bodies(aws, letters).values()}
    assert len(ids) == 3
    task = sqs.start_message_move_task(SourceArn=arn, **options)["TaskHandle"]
    [moved] = sqs.list_message_move_tasks(SourceArn=arn)["Results"]
    assert (moved["Status"], moved["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
    assert moved.get("DestinationArn") == options.get("DestinationArn")
    assert not bodies(aws, letters)
    back = bodies(aws, other if options else url)
    assert sorted(back) == ["m0", "m1", "m2"]
    for message in back.values():  # new ones, with a receive count of their own
        assert message["MessageId"] not in ids
        assert message["Attributes"]["ApproximateReceiveCount"] == "1"
        assert "DeadLetterQueueSourceArn" not in message["Attributes"]
        assert message["MessageAttributes"]["a"]["StringValue"] == "x"
    assert error_of(sqs.cancel_message_move_task, TaskHandle=task) == (
        "ResourceNotFoundException",
        "Task does not exist.",
    )


def test_a_move_that_sqs_refuses(aws, dead):
    name, _, _ = dead(0)
    sqs, missing = aws("sqs"), "The resource that you specified for the {} parameter doesn't exist."
    move = sqs.start_message_move_task
    assert error_of(move, SourceArn=f"{ARN}{name}") == (
        INVALID,
        "Source queue must be configured as a Dead Letter Queue.",
    )
    assert error_of(move, SourceArn=f"{ARN}none") == ("ResourceNotFoundException", missing.format("SourceArn"))
    told = error_of(move, SourceArn=f"{ARN}{name}-dead", DestinationArn=f"{ARN}none")
    assert told == ("ResourceNotFoundException", missing.format("DestinationArn"))
    assert error_of(sqs.cancel_message_move_task, TaskHandle="x") == (
        INVALID,
        "Value for parameter TaskHandle is invalid.",
    )


# What a notification has, the code and the words of SNS.
PARAMETER = "ParameterValueInvalid"
NOTIFICATIONS = {
    "an empty text": ({"a": {**TEXT, "StringValue": ""}}, "The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String'."),
    "no bytes": ({"a": {"DataType": "Binary", "BinaryValue": b""}}, "The message attribute 'a' must contain non-empty message attribute value for message attribute type 'Binary'."),
    "bytes for a text": ({"a": {"DataType": "String", "BinaryValue": b"x"}}, "The message attribute 'a' with type 'String' must use field 'String'."),
    "a text for bytes": ({"a": {"DataType": "Binary", "StringValue": "x"}}, "The message attribute 'a' with type 'Binary' must use field 'Binary'."),
    "an unknown type": ({"a": {**TEXT, "DataType": "Text"}}, "The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."),
    "a number that is none": ({"a": {**TEXT, "DataType": "Number"}}, "Could not cast message attribute 'a' value to number."),
    "a long name": ({"x" * 257: TEXT}, "Length of message attribute name must be less than 256 bytes."),
    "an odd name": ({"a^b": TEXT}, "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."),
    "a dot first": ({".a": TEXT}, "Invalid message attribute name starting with character '.' was found."),
    "a dot last": ({"a.": TEXT}, "Invalid message attribute name ending with character '.' was found."),
    "two dots": ({"a..b": TEXT}, "Message attribute name can not have successive '.' character."),
}  # fmt: skip


@pytest.mark.table("attributes that SNS refuses")
@pytest.mark.parametrize("what", NOTIFICATIONS)
def test_attributes_that_sns_refuses(aws, what):
    named, said = NOTIFICATIONS[what]
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    assert error_of(aws("sns").publish, TopicArn=topic, Message="m", MessageAttributes=named) == (PARAMETER, said)


def test_of_a_batch_sns_refuses_single_messages(aws):
    url, sns = make_queue(aws), aws("sns")
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=ARN + url.rpartition("/")[2], Attributes={"RawMessageDelivery": "true"}
    )
    bad = [{"Id": "empty", "Message": ""}, {"Id": "odd", "Message": "m", "MessageAttributes": {"a..b": TEXT}}]
    good = [{"Id": str(n), "Message": f"good{n}", "MessageAttributes": {"a": TEXT}} for n in range(2)]
    publish = lambda *entries: sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=[*entries])  # noqa: E731
    answer = publish(bad[0], good[0], bad[1], good[1])
    assert [one["Id"] for one in answer["Successful"]] == ["0", "1"]
    assert [(one["Id"], one["Code"]) for one in answer["Failed"]] == [("empty", "InvalidParameter"), ("odd", PARAMETER)]
    assert sorted(bodies(aws, url)) == ["good0", "good1"]
    assert not publish(*bad)["Successful"]
    for name, said in [("message.id", "contains an impermissible character"), ("m" * 81, "is too long")]:
        told = error_of(lambda name=name: publish({"Id": name, "Message": "m"}))
        assert told == ("InvalidBatchEntryId", f"The Id of a batch entry in the batch request {said}: {name}")


SUBSCRIPTIONS = {
    "a protocol": ({"Protocol": "pigeon", "Endpoint": "x"}, "Amazon SNS does not support this protocol string: pigeon"),
    "a way to deliver": ({"Protocol": "sqs", "Endpoint": f"{ARN}q", "Attributes": {"RawMessageDelivery": "raw"}}, "Attributes Reason: RawMessageDelivery: Invalid value [raw]. Must be true or false."),
    "a FIFO queue": ({"Protocol": "sqs", "Endpoint": f"{ARN}q.fifo"}, "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"),
}  # fmt: skip


@pytest.mark.parametrize("what", SUBSCRIPTIONS)
def test_a_subscription_that_sns_refuses(aws, what):
    given, said = SUBSCRIPTIONS[what]
    sns = aws("sns")
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    assert error_of(sns.subscribe, TopicArn=topic, **given) == ("InvalidParameter", f"Invalid parameter: {said}")
    arn = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"{ARN}q")["SubscriptionArn"]
    change = {"SubscriptionArn": arn, "AttributeName": "RawMessageDelivery"}
    told = error_of(sns.set_subscription_attributes, **change, AttributeValue="raw")
    assert told[1] == "Invalid parameter: RawMessageDelivery: Invalid value [raw]. Must be true or false."
    sns.set_subscription_attributes(**change, AttributeValue="true")


def test_errors_of_sns_are_caught_by_their_names(aws):
    sns = aws("sns")
    topic = sns.create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    with pytest.raises(sns.exceptions.NotFoundException, match=r"Topic does not exist$"):
        sns.publish(TopicArn=f"{topic}x", Message="m")
    with pytest.raises(sns.exceptions.InvalidParameterException, match="not valid for this topic type"):
        sns.publish(TopicArn=topic, Message="m", MessageDeduplicationId="1")
    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.publish(Message="m")
