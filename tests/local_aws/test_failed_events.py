"""Asynchronous events that a function cannot handle are told of as on Lambda, and can be put back."""

import json
import uuid

import pytest

from nbchalice.aws.target import connect
from nbchalice.events.deadletter import DeadLetterQueue
from nbchalice.resources.base import FunctionRef

from ..gates import OPEN
from ..roles import let_in
from .test_events import make_queue, make_topic

FAILING = f"""
import json, os
{OPEN}
def handler(event, context):
    print("got", json.dumps(event, sort_keys=True), context.aws_request_id)
    if is_open(os.environ["FAIL"]):
        raise ValueError("no, " + "ü" * 600)
"""


def make_bucket(aws, arn):
    bucket = f"b-{uuid.uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=bucket)
    let_in(aws, arn, "s3")
    to = {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    aws("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=to)
    return bucket


def cause(kind, aws, arn):
    """Let an asynchronous event of a kind come to a function."""
    if kind == "invoke":
        event = {"id": "dead", "text": "Grüße \x07 \ud83d", "n": [1.5, None]}
        aws("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=json.dumps(event))
    elif kind == "sns":
        aws("sns").publish(TopicArn=make_topic(aws, arn), Message="late", Subject="s")
    elif kind == "s3":
        aws("s3").put_object(Bucket=make_bucket(aws, arn), Key="a b.txt", Body=b"x")
    else:
        rule = f"r-{uuid.uuid4().hex[:8]}"
        aws("events").put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
        aws("events").put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
        aws("events").put_events(Entries=[{"Source": rule, "DetailType": "t", "Detail": "{}"}])


def received(aws, url):
    asked = {"MessageAttributeNames": ["All"], "VisibilityTimeout": 0}
    return aws("sqs").receive_message(QueueUrl=url, **asked).get("Messages")


def got(functions, name):
    """Return event and request id of each invocation."""
    lines = [line.strip() for line in functions.log(name) if line.startswith("got ")]
    return [line.removeprefix("got ").rsplit(" ", 1) for line in lines]


@pytest.mark.parametrize("kind", ["invoke", "sns", "s3", "rule"])
def test_a_dead_letter_is_the_event_as_it_was_and_can_be_put_back(kind, aws, functions, gate, eventually):
    url, queue = make_queue(aws)
    variables = {"Variables": {"FAIL": str(gate.number)}}
    ref = FunctionRef("shop", "dev", uuid.uuid4().hex[:8], "us-east-1", "000000000000")
    settings = {"DeadLetterConfig": {"TargetArn": queue}, "Environment": variables}
    name = functions.make(FAILING, name=ref.name, **settings)
    aws("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    gate.open()
    cause(kind, aws, functions.arn(name))
    (letter,) = eventually(lambda: received(aws, url))
    eventually(lambda: len(got(functions, name)) == 2)
    event, request_id = got(functions, name)[-1]
    assert json.dumps(json.loads(letter["Body"]), sort_keys=True) == event
    attributes = {key: (one["DataType"], one["StringValue"]) for key, one in letter["MessageAttributes"].items()}
    error = ("no, " + "ü" * 600).encode()[:1024].decode(errors="ignore")
    assert attributes == {
        "RequestID": ("String", request_id),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", error),
    }
    gate.close()
    letters = DeadLetterQueue(connect("local"), queue, ref)
    (seen,) = letters.peek()
    assert seen.error == error
    assert letters.redrive() == 1
    eventually(lambda: len(got(functions, name)) == 3)
    assert got(functions, name)[-1][0] == event
    assert letters.depth() == 0


def test_a_destination_gets_the_record_of_a_failed_invocation(aws, functions, gate, eventually):
    url, queue = make_queue(aws)
    name = functions.make(FAILING, Environment={"Variables": {"FAIL": str(gate.number)}})
    to = {"OnFailure": {"Destination": queue}}
    aws("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1, DestinationConfig=to)
    gate.open()
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"id": 1}')
    (message,) = eventually(lambda: received(aws, url))
    record = json.loads(message["Body"])
    assert "MessageAttributes" not in message
    assert record["requestContext"] == {
        "requestId": record["requestContext"]["requestId"],
        "functionArn": f"{functions.arn(name)}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 2,
    }
    assert record["requestPayload"] == {"id": 1}
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorType"] == "ValueError"
    assert record["version"] == "1.0"


def test_a_topic_may_take_dead_letters_too(aws, functions, eventually):
    url, queue = make_queue(aws)
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    failing = "def handler(event, context): raise ValueError('no')\n"
    name = functions.make(failing, DeadLetterConfig={"TargetArn": topic})
    aws("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"id": 1}')
    (message,) = eventually(lambda: received(aws, url))
    notification = json.loads(message["Body"])
    assert json.loads(notification["Message"]) == {"id": 1}
    assert notification["MessageAttributes"]["ErrorMessage"] == {"Type": "String", "Value": "no"}
