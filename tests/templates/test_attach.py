"""The small function of templates, asked as Terraform's provider asks it: what is attached to a bucket and a queue of others."""

import json
from types import SimpleNamespace

import boto3
import pytest

from nbchalice.aws.target import connect
from nbchalice.templates import attach

from ..deploy.harness import unique, zipped
from ..roles import NOTHING, make_role

pytestmark = pytest.mark.local_aws


@pytest.fixture
def aws(local_aws, monkeypatch):
    for name, value in local_aws.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    return connect("local")


@pytest.fixture
def bucket(aws):
    """A bucket with somebody's own notification."""
    name = unique("files")
    queue = aws.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = aws.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    aws.client("s3").create_bucket(Bucket=name)
    theirs = {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectRemoved:*"]}
    aws.client("s3").put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"QueueConfigurations": [theirs]}
    )
    return name


@pytest.fixture
def function(aws, bucket):
    """The ARN of a function that the bucket may invoke."""
    name = unique("function")
    role = make_role(aws.client("iam"), name, NOTHING)
    made = aws.client("lambda").create_function(
        FunctionName=name, Runtime="python3.11", Role=role, Handler="a.b", Code={"ZipFile": zipped("")}
    )
    aws.client("lambda").add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{bucket}",
    )  # fmt: skip
    return made["FunctionArn"]


def asked(action, now, before=None):
    """The event as the provider makes it of an input (aws_lambda_invocation, lifecycle_scope CRUD)."""
    attach.applied({**now, "tf": {"action": action, "prev_input": before}}, None)


def standing(aws, bucket):
    told = aws.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    assert [one["Id"] for one in told["QueueConfigurations"]] == ["theirs"]
    ours = {one["Id"]: one["Events"] for one in told.get("LambdaFunctionConfigurations", [])}
    return ours, "EventBridgeConfiguration" in told


def test_entries_of_a_bucket_are_made_changed_and_taken_out_beside_those_of_others(aws, bucket, function):
    def entry(name, event):
        return {"Id": name, "LambdaFunctionArn": function, "Events": [event]}

    place = {"Bucket": bucket, "Account": aws.account}
    first = {
        **place,
        "Entries": [entry("shop-a-1", "s3:ObjectCreated:Put"), entry("shop-b-2", "s3:ObjectCreated:Copy")],
    }
    second = {**place, "Entries": [entry("shop-a-3", "s3:ObjectCreated:Post")], "TellsEventBridge": "true"}
    asked("create", first)
    assert standing(aws, bucket) == (
        {"shop-a-1": ["s3:ObjectCreated:Put"], "shop-b-2": ["s3:ObjectCreated:Copy"]},
        False,
    )
    asked("update", second, first)
    assert standing(aws, bucket) == ({"shop-a-3": ["s3:ObjectCreated:Post"]}, True)
    asked("delete", second, second)
    assert standing(aws, bucket) == ({}, True)


def test_an_entry_is_taken_out_also_where_a_change_failed_that_terraform_takes_for_done(aws, bucket, function):
    entry = {"Id": "shop-a-1", "LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:Put"]}
    wrong = {**entry, "Id": "shop-a-2", "Events": ["s3:NoSuchEvent"]}
    now, failed = ({"Bucket": bucket, "Account": aws.account, "Entries": [one]} for one in (entry, wrong))
    asked("create", now)
    with pytest.raises(Exception, match="InvalidArgument"):
        asked("update", failed, now)
    asked("delete", failed, failed)
    assert standing(aws, bucket) == ({}, False)


def test_a_bucket_that_has_gone_is_done_with(aws):
    gone = {"Bucket": unique("gone"), "Account": aws.account, "Entries": []}
    asked("delete", gone, gone)
    with pytest.raises(Exception, match="NoSuchBucket"):
        asked("create", gone)


def test_a_queue_gets_its_dead_letters_and_keeps_them(aws, bucket):
    url = aws.client("sqs").get_queue_url(QueueName=bucket)["QueueUrl"]
    arn = f"arn:aws:sqs:{aws.region}:{aws.account}:{bucket}"
    aws.client("sqs").create_queue(QueueName=f"{bucket}-dead")
    wanted = {"Queue": arn, "DeadLetterQueue": f"{arn}-dead", "Tries": 4}

    def policy():
        told = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
        return json.loads(told["Attributes"]["RedrivePolicy"])

    asked("create", wanted)
    assert policy() == {"deadLetterTargetArn": f"{arn}-dead", "maxReceiveCount": 4}
    asked("delete", wanted, wanted)
    assert policy()["deadLetterTargetArn"] == f"{arn}-dead"
    with pytest.raises(ValueError, match="it has another dead-letter queue already"):
        asked("create", {**wanted, "DeadLetterQueue": f"{arn}-other"})


def test_what_iam_does_not_know_yet_is_asked_for_again(aws, bucket, monkeypatch):
    iam, name, waited = aws.client("iam"), unique("attach"), []
    role = make_role(iam, name, NOTHING)
    keys = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="attach")["Credentials"]
    for variable, key in {
        "ACCESS_KEY_ID": "AccessKeyId",
        "SECRET_ACCESS_KEY": "SecretAccessKey",
        "SESSION_TOKEN": "SessionToken",
    }.items():
        monkeypatch.setenv(f"AWS_{variable}", keys[key])

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 2:
            make_role(iam, name)

    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=sleep))
    asked("create", {"Bucket": bucket, "Account": aws.account, "Entries": [], "TellsEventBridge": "true"})
    assert waited == [5, 5] and standing(aws, bucket) == ({}, True)


def test_what_iam_never_allows_is_told_in_the_end():
    denied = (None, {"Error": {"Code": "AccessDenied"}})
    assert [attach.pause(denied, attempts) for attempts in (1, 8, 9)] == [5, 5, None]
    assert attach.pause(None, 1) is None and attach.pause((None, {"Error": {"Code": "NoSuchBucket"}}), 1) is None
