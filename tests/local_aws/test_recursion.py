"""A function that causes its own events is stopped after 16 rounds, as on Lambda."""

import json
import re
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError

from nbchalice.aws.target import connect
from nbchalice.logs.tail import recent

from .test_events import make_queue, make_topic
from .test_failed_events import make_bucket, received

LOOP = """
import boto3, json, os
def handler(event, context):
    print("round", os.environ["_X_AMZN_TRACE_ID"].rpartition(":")[2], json.dumps(event))
    client = boto3.client(os.environ["SERVICE"])
    getattr(client, os.environ["OPERATION"])(**json.loads(os.environ["ARGUMENTS"].replace("NEW", context.aws_request_id)))
"""
MOST = 16
HEADER = "X-Amzn-Trace-Id"


def looping(functions, service, operation, arguments, **settings):
    """Make a function that does one call each time."""
    variables = {"SERVICE": service, "OPERATION": operation, "ARGUMENTS": json.dumps(arguments)}
    name = functions.make(LOOP, Environment={"Variables": variables}, **settings)
    functions.aws("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    return name


def rounds(functions, name):
    return [int(line.split()[1]) for line in functions.log(name) if line.startswith("round ")]


def stopped(functions, name):
    return [line for line in functions.log(name) if "recursive loop" in line]


def set_calls(functions, name, arguments):
    """Let a function call what could not be named before it stood."""
    variables = functions.configuration(name)["Environment"]["Variables"]
    changed = {**variables, "ARGUMENTS": json.dumps(arguments)}
    functions.aws("lambda").update_function_configuration(FunctionName=name, Environment={"Variables": changed})
    functions.ready(name)


def bucket_loop(functions, aws, dead):
    name = looping(functions, "s3", "put_object", {}, DeadLetterConfig={"TargetArn": dead})
    bucket = make_bucket(aws, functions.arn(name))
    set_calls(functions, name, {"Bucket": bucket, "Key": "NEW", "Body": "x"})
    return name, lambda: aws("s3").put_object(Bucket=bucket, Key="first", Body=b"x")


def topic_loop(functions, aws, dead):
    name = looping(functions, "sns", "publish", {}, DeadLetterConfig={"TargetArn": dead})
    topic = make_topic(aws, functions.arn(name))
    set_calls(functions, name, {"TopicArn": topic, "Message": "NEW"})
    return name, lambda: aws("sns").publish(TopicArn=topic, Message="first")


def call_loop(functions, aws, dead):
    name = f"f-{uuid.uuid4().hex[:10]}"
    calls = {"FunctionName": name, "InvocationType": "Event"}
    looping(functions, "lambda", "invoke", calls, name=name, DeadLetterConfig={"TargetArn": dead})
    return name, lambda: aws("lambda").invoke(**calls, Payload=b"{}")


def queued_topic_loop(functions, aws, dead):
    """A topic that a queue is subscribed to."""
    url, queue = make_queue(aws, VisibilityTimeout="30", RedrivePolicy=json.dumps(redrive(dead)))
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    name = looping(functions, "sns", "publish", {"TopicArn": topic, "Message": "NEW"})
    aws("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
    return name, lambda: aws("sqs").send_message(QueueUrl=url, MessageBody="first")


def redrive(dead):
    return {"deadLetterTargetArn": dead, "maxReceiveCount": 1}


def queue_loop(functions, aws, dead):
    url, queue = make_queue(aws, VisibilityTimeout="30", RedrivePolicy=json.dumps(redrive(dead)))
    name = looping(functions, "sqs", "send_message", {"QueueUrl": url, "MessageBody": "NEW"})
    aws("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
    return name, lambda: aws("sqs").send_message(QueueUrl=url, MessageBody="first")


LOOPS = [
    queue_loop,
    topic_loop,
    bucket_loop,
    pytest.param(call_loop, marks=pytest.mark.slow),
    pytest.param(queued_topic_loop, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_a_loop_ends_after_16_rounds_and_the_log_says_so(loop, functions, aws, eventually):
    url, dead = make_queue(aws)
    name, begin = loop(functions, aws, dead)
    begin()
    (line,) = eventually(lambda: stopped(functions, name))
    eventually(lambda: sorted(rounds(functions, name)) == list(range(1, MOST + 1)))
    assert f"after {MOST} rounds: {functions.arn(name)}" in line
    assert "put-function-recursion-config" in line
    shown = [found for found in recent(connect("local"), name) if found.error]
    assert [found.error.type for found in shown] == ["Lambda.RecursiveInvocationException"]
    if loop in (topic_loop, bucket_loop, call_loop):
        letter = eventually(lambda: received(aws, url))[0]
        assert "recursive loop" in letter["MessageAttributes"]["ErrorMessage"]["StringValue"]


@pytest.mark.slow
def test_each_event_begins_a_chain_of_its_own(functions, aws, eventually):
    name, begin = topic_loop(functions, aws, make_queue(aws)[1])
    begin()
    begin()
    eventually(lambda: len(stopped(functions, name)) == 2)
    eventually(lambda: sorted(rounds(functions, name)) == sorted(2 * list(range(1, MOST + 1))))


TRACE = "import os\ndef handler(event, context): return os.environ['_X_AMZN_TRACE_ID']\n"


def fields_of(trace):
    return dict(part.partition("=")[::2] for part in trace.split(";"))


@pytest.fixture
def traced(local_aws):
    """``traced(service, trace)``: a client that sends a trace id along, as in a handler."""

    def make(service, trace):
        client = boto3.client(service, **local_aws.client_kwargs())
        client.meta.events.register("before-call", lambda params, **_: params["headers"].update({HEADER: trace}))
        return client

    return make


def test_each_invocation_has_a_trace_id_that_continues_the_one_of_its_cause(functions, traced):
    name = functions.make(TRACE)
    first = fields_of(functions.invoke(name)[1])
    assert re.fullmatch("1-[0-9a-f]{8}-[0-9a-f]{24}", first["Root"])
    assert (first["Sampled"], first["Lineage"].partition(":")[2]) == ("0", "1")
    cause = f"Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=deadbeef:3,{first['Lineage']}"
    answer = traced("lambda", cause).invoke(FunctionName=name)
    second = fields_of(json.loads(answer["Payload"].read()))
    assert second["Root"] == "1-5759e988-bd862e3fe1be46a994272793"
    assert second["Parent"] != "53995c3f42cd8ad8"
    assert (second["Sampled"], second["Lineage"]) == ("1", f"deadbeef:3,{first['Lineage'][:-1]}2")


def test_a_call_in_a_loop_is_refused_unless_the_function_allows_it(functions, aws, traced):
    name = functions.make(TRACE)
    own = fields_of(functions.invoke(name)[1])["Lineage"].partition(":")[0]
    client = traced("lambda", f"Root=1-0-0;Lineage={own}:{MOST}")
    with pytest.raises(client.exceptions.RecursiveInvocationException, match="recursive loop"):
        client.invoke(FunctionName=name)
    assert traced("lambda", f"Root=1-0-0;Lineage={own}:{MOST - 1}").invoke(FunctionName=name)["StatusCode"] == 200
    aws("lambda").put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert json.loads(client.invoke(FunctionName=name)["Payload"].read()).endswith(f"{own}:{MOST + 1}")


def test_a_function_takes_two_words_only(functions, aws):
    name = functions.make(TRACE)
    with pytest.raises(ClientError, match=r"ValidationException.*at 'recursiveLoop'.*\[Allow, Terminate\]"):
        aws("lambda").put_function_recursion_config(FunctionName=name, RecursiveLoop="Never")


@pytest.mark.parametrize(
    "header", ["x", "Lineage=", "Lineage=:", "Lineage=a:b,c", ";;=", "Root=1;Lineage=a:9999999999999"]
)
def test_an_odd_trace_id_hurts_nobody(header, functions, traced):
    name = functions.make(TRACE)
    answer = traced("lambda", header).invoke(FunctionName=name)
    assert "FunctionError" not in answer
    assert fields_of(json.loads(answer["Payload"].read()))["Lineage"].endswith(":1")


def test_a_message_tells_the_trace_id_of_the_handler_that_sent_it(aws, traced):
    url, queue = make_queue(aws)
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0;Lineage=deadbeef:3"
    aws("sqs").send_message(QueueUrl=url, MessageBody="of a person")
    traced("sqs", trace).send_message(QueueUrl=url, MessageBody="of a handler")
    traced("sqs", trace).send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "of a batch"}])
    traced("sns", trace).publish(TopicArn=topic, Message="of a topic")
    asked = {"MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"]}
    messages = aws("sqs").receive_message(QueueUrl=url, **asked)["Messages"]
    of = {message["Body"]: message["Attributes"].get("AWSTraceHeader") for message in messages}
    assert of.pop("of a person") is None
    assert list(of.values()) == [trace] * 3
