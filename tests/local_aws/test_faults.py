"""Injected faults: for tests of what clients do when AWS misbehaves."""

import json
import time

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, HTTPClientError

from nbchalice.aws.local.client import server


@pytest.fixture
def impatient(local_aws):
    def client(service):
        return boto3.client(service, config=Config(retries={"total_max_attempts": 1}), **local_aws.client_kwargs())

    return client


CALLS = {
    "sqs": lambda client: client.create_queue(QueueName="faulty"),
    "sns": lambda client: client.create_topic(Name="faulty"),
    "iam": lambda client: client.list_roles(),
    "lambda": lambda client: client.list_functions(),
    "s3": lambda client: client.list_buckets(),
}


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize(("action", "status"), [("throttle", 429), ("error", 500)])
def test_the_nth_call_fails_with_an_error_that_the_client_understands(faults, impatient, service, action, status):
    faults({"action": action, "service": service, "nth": 2})
    call = CALLS[service]
    call(impatient(service))
    with pytest.raises(ClientError) as caught:
        call(impatient(service))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert caught.value.response["Error"]["Code"] in ("ThrottlingException", "InternalFailure")
    call(impatient(service))


@pytest.mark.parametrize(("action", "done"), [("drop-before", False), ("drop-after", True)])
def test_a_lost_connection_before_and_after_the_call_was_processed(faults, impatient, action, done):
    name = f"queue-{action}"
    faults({"action": action, "service": "sqs", "operation": "CreateQueue"})
    with pytest.raises((ConnectionClosedError, EndpointConnectionError, HTTPClientError)):
        impatient("sqs").create_queue(QueueName=name)
    urls = impatient("sqs").list_queues().get("QueueUrls", [])
    assert any(url.endswith(name) for url in urls) is done


def test_retries_of_the_client_overcome_a_fault(faults, aws, local_aws):
    faults({"action": "error", "service": "sqs"}, {"action": "drop-before", "service": "sqs", "nth": 2})
    client = boto3.client("sqs", config=Config(retries={"total_max_attempts": 5}), **local_aws.client_kwargs())
    assert client.list_queues()


def test_calls_are_recorded_by_service_and_operation(faults, impatient, functions):
    name = functions.make("def handler(e, c): pass\n")
    faults(record=True)
    impatient("sqs").list_queues()
    impatient("sns").list_topics()
    impatient("lambda").get_function_configuration(FunctionName=name)
    impatient("lambda").invoke(FunctionName=name)
    impatient("s3").create_bucket(Bucket="recorded")
    impatient("s3").put_object(Bucket="recorded", Key="a/b", Body=b"")
    impatient("s3").get_bucket_notification_configuration(Bucket="recorded")
    impatient("scheduler").list_schedules()
    expected = [
        ["sqs", "ListQueues"],
        ["sns", "ListTopics"],
        ["lambda", "GetFunctionConfiguration"],
        ["lambda", "Invoke"],
        ["s3", "CreateBucket"],
        ["s3", "PutObject"],
        ["s3", "GetBucketNotificationConfiguration"],
        ["scheduler", "ListSchedules"],
    ]
    recorded = iter(server.control("GET", "faults")["calls"])
    # In this order; a kernel of another test may still call between them.
    assert all(call in recorded for call in expected)


def test_latency_is_added(faults, impatient):
    faults(latency_ms=300)
    started = time.monotonic()
    impatient("sqs").list_queues()
    assert time.monotonic() - started >= 0.3


def test_an_unknown_action_is_refused(local_aws):
    assert "unknown" in json.dumps(server.control("PUT", "faults", {"faults": [{"action": "explode"}]}))
