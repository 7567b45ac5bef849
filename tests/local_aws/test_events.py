"""Events reach functions as on AWS: retried, and none lost."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from ..gates import OPEN
from ..log_groups import read_events
from ..roles import BY_SCHEDULER, let_in, make_role

COUNT = f"""
import os
{OPEN}
def handler(event, context):
    for record in event.get("Records", [event]):
        print("got", record.get("body") or record.get("Sns", {{}}).get("Message") or record.get("id"), flush=True)
    if is_open(os.environ["FAIL"]):
        raise RuntimeError("told to fail")
"""


@pytest.fixture
def counting(functions, gate):
    """A function that prints what it gets, and fails while a gate is open."""
    name = functions.make(COUNT, Environment={"Variables": {"FAIL": str(gate.number)}})
    return name, gate


def got(functions, name):
    return [message.removeprefix("got ") for message in functions.log(name) if message.startswith("got ")]


def make_queue(aws, **attributes):
    name = f"q-{uuid.uuid4().hex[:8]}"
    url = aws("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"


def hide(aws, url, seconds):
    """Let messages of a queue come back soon; Lambda looks at it only when the mapping is made."""
    aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})


def make_topic(aws, function_arn):
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4().hex[:8]}")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function_arn)
    return topic


def test_a_burst_of_200_notifications_and_200_messages_loses_nothing(aws, functions, counting, eventually):
    from nbchalice.aws.local.client import server

    name, _ = counting
    other = functions.make(COUNT, Environment={"Variables": {"FAIL": "1"}})
    topic = make_topic(aws, functions.arn(name))
    url, queue = make_queue(aws)
    aws("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=other, BatchSize=5)
    for start in range(0, 200, 10):
        entries = [{"Id": str(i), "Message": f"n{i}"} for i in range(start, start + 10)]
        assert not aws("sns").publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries).get("Failed")
        entries = [{"Id": str(i), "MessageBody": f"m{i}"} for i in range(start, start + 10)]
        assert not aws("sqs").send_message_batch(QueueUrl=url, Entries=entries).get("Failed")
    eventually(lambda: set(got(functions, name)) == {f"n{i}" for i in range(200)}, 120)
    eventually(lambda: set(got(functions, other)) == {f"m{i}" for i in range(200)}, 120)
    assert len(got(functions, name)) == 200
    assert len(got(functions, other)) == 200
    eventually(lambda: server.control("GET", "info")["workers"] <= 10)


@pytest.mark.parametrize("source", ["sns", "event", "rule"])
def test_a_failed_asynchronous_event_is_tried_three_times_under_one_request_id(
    aws, functions, counting, eventually, source
):
    name, gate = counting
    gate.open()
    if source == "sns":
        aws("sns").publish(TopicArn=make_topic(aws, functions.arn(name)), Message="x")
    elif source == "event":
        answer = aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"id": "x"}))
        assert answer["StatusCode"] == 202
    else:
        rule = f"r-{uuid.uuid4().hex[:8]}"
        aws("events").put_rule(Name=rule, EventPattern=json.dumps({"source": [rule]}))
        aws("events").put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": functions.arn(name)}])
        aws("events").put_events(Entries=[{"Source": rule, "DetailType": "t", "Detail": "{}"}])
    eventually(lambda: len(functions.starts(name)) == 3)
    assert len(set(functions.starts(name))) == 1
    if source == "event":
        assert functions.starts(name)[0] == answer["ResponseMetadata"]["RequestId"]


def test_a_retry_runs_the_code_deployed_in_the_meantime(aws, functions, counting, eventually):
    name, gate = counting
    gate.open()
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"id": "x"}))
    eventually(lambda: functions.starts(name))
    gate.close()
    eventually(lambda: len(functions.starts(name)) >= 2)
    assert functions.log(name)[-1].startswith("REPORT") or functions.log(name)


def test_events_over_the_reserved_concurrency_wait(aws, functions, counting, eventually):
    name, _ = counting
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    topic = make_topic(aws, functions.arn(name))
    for i in range(30):
        aws("sns").publish(TopicArn=topic, Message=f"n{i}")
    eventually(lambda: set(got(functions, name)) == {f"n{i}" for i in range(30)}, 120)


def test_a_failed_batch_comes_back_after_the_visibility_timeout(aws, functions, counting, eventually):
    name, gate = counting
    gate.open()
    url, queue = make_queue(aws)
    aws("lambda").create_event_source_mapping(EventSourceArn=queue, FunctionName=name, BatchSize=10)
    hide(aws, url, seconds=2)
    aws("sqs").send_message(QueueUrl=url, MessageBody="again")
    eventually(lambda: len(got(functions, name)) == 1)
    attributes = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=attributes)["Attributes"]
    assert sum(map(int, counts.values())) == 1
    gate.close()
    eventually(lambda: len(got(functions, name)) == 2)

    def empty():
        counts = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=attributes)["Attributes"]
        return sum(map(int, counts.values())) == 0

    eventually(empty)
    first, second = [event for event in read_events(aws("logs"), name) if event["message"] == "got again"]
    assert second["timestamp"] - first["timestamp"] >= 1500


@pytest.mark.parametrize(
    "answer",
    [
        "{'batchItemFailures': [{'itemIdentifier': 'unknown'}]}",
        "{'batchItemFailures': [{'itemIdentifier': ''}]}",
        "{'batchItemFailures': [{}]}",
        "{'batchItemFailures': 'x'}",
    ],
)
def test_a_malformed_partial_batch_response_fails_the_whole_batch(aws, functions, eventually, answer):
    url, queue = make_queue(aws)
    name = functions.make(f"def handler(e, c): return {answer}\n")
    aws("lambda").create_event_source_mapping(
        EventSourceArn=queue, FunctionName=name, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    hide(aws, url, seconds=1)
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")
    eventually(lambda: len(functions.starts(name)) >= 2)
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)


@pytest.mark.parametrize(
    "answer", ["None", "{}", "{'batchItemFailures': []}", "{'batchItemFailures': None}", "{'statusCode': 200}"]
)
def test_an_empty_partial_batch_response_is_a_success(aws, functions, eventually, answer):
    url, queue = make_queue(aws)
    name = functions.make(f"def handler(e, c): return {answer}\n")
    aws("lambda").create_event_source_mapping(
        EventSourceArn=queue, FunctionName=name, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    hide(aws, url, seconds=1)
    aws("sqs").send_message(QueueUrl=url, MessageBody="x")

    def gone():
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return functions.starts(name) and sum(map(int, counts.values())) == 0

    eventually(gone)
    assert len(functions.starts(name)) == 1


def test_an_object_in_a_bucket_invokes_the_function(aws, functions, eventually):
    name = functions.make("def handler(e, c): print('got', e['Records'][0]['s3']['object']['key'])\n")
    bucket = f"b-{uuid.uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=bucket)
    let_in(aws, name, "s3")
    configuration = {
        "LambdaFunctionConfigurations": [{"LambdaFunctionArn": functions.arn(name), "Events": ["s3:ObjectCreated:*"]}]
    }
    aws("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    aws("s3").put_object(Bucket=bucket, Key="photo.jpg", Body=b"x")
    eventually(lambda: got(functions, name) == ["photo.jpg"])


def test_a_schedule_fires_within_a_second_of_its_time(aws, functions, eventually):
    name = functions.make("def handler(e, c): print('got', e['id'])\n")
    at = (datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S")
    aws("scheduler").create_schedule(
        Name=f"s-{uuid.uuid4().hex[:8]}",
        ScheduleExpression=f"at({at})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": functions.arn(name),
            "RoleArn": make_role(aws("iam"), "scheduler", trust=BY_SCHEDULER),
            "Input": '{"id": "scheduled"}',
        },
    )
    eventually(lambda: got(functions, name) == ["scheduled"])


def test_an_event_waits_while_no_concurrency_is_left_to_the_function(aws, functions, eventually):
    name = functions.make("def handler(e, c): pass\n")
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"id": "patient"}))
    assert functions.starts(name) == []
    aws("lambda").delete_function_concurrency(FunctionName=name)
    eventually(lambda: len(functions.starts(name)) == 1)
