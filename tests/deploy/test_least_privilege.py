"""With policies enforced, a handler can do what its trigger and its --allow need, and nothing else."""

import json
import subprocess
from dataclasses import replace

import pytest

from nbchalice.aws.target import Connection, Target
from nbchalice.deploy import engine
from nbchalice.deploy.desired import App

from ..waiting import free_port, wait_until_answering
from .harness import app, arn, handler, package, s3, schedule, sns, sqs
from .test_bundles import Big

pytestmark = pytest.mark.local_aws

# Calls what the event says and answers with the error's code; counts messages into the queue named in it.
CODE = """
import botocore.exceptions, botocore.session

def lambda_handler(event, context):
    service, operation, arguments = event.get("call", [None, None, None])
    if service is None:
        return
    client = botocore.session.get_session().create_client(service)
    try:
        getattr(client, operation)(**arguments)
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        return "denied" if "Denied" in code or code == "AuthorizationError" else code
    return "allowed"
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A MiniStack that enforces policies, on a loopback port of its own."""
    import boto3
    from botocore.config import Config

    from nbchalice.aws.local.client.environment import server_python

    folder = tmp_path_factory.mktemp("strict")
    port = free_port()
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(folder), "STATE_DIR": str(folder), "S3_DATA_DIR": str(folder / "s3"),
        "BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "AUTH": "true",
        "LAMBDA_EXECUTOR": "local", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0", "DOCKER_HOST": "unix:///nowhere",
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    log, command = folder / "log", [str(server_python()), "-m", "ministack.app"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=out, stderr=out)
    endpoint = f"http://127.0.0.1:{port}"
    wait_until_answering(process, f"{endpoint}/_ministack/ready", log)
    session = boto3.Session(aws_access_key_id="000000000000", aws_secret_access_key="x", region_name="us-east-1")
    config = Config(s3={"addressing_style": "path"}, proxies={}, max_pool_connections=64)

    def new_client(service, region):
        return session.client(service, region_name=region, endpoint_url=endpoint, config=config)

    yield Connection(Target("local", "us-east-1", "000000000000", endpoint=endpoint), new_client)
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def shop(strict):
    """Six handlers; one of them may write to a bucket, two load bundles."""
    made = app(
        "shop",
        handler("tick", schedule()),
        handler("ingest", s3("uploads"), allow=[("s3:GetObject", "arn:aws:s3:::uploads/*")]),
        handler("announce", sns("news")),
        handler("price", sqs("orders"), allow=[("sqs:SendMessage", arn("sqs", "results"))]),
        handler("dropping", ("lambda_function", {})),
        handler("scoring", ("lambda_function", {})),
    )
    assert isinstance(made, App)
    for queue in ("results", "other"):
        strict.client("sqs").create_queue(QueueName=queue)
    strict.client("s3").create_bucket(Bucket="other")
    code = package(CODE)
    loaded = {"scoring": (Big(b"model"),), "dropping": (Big(b"other"),)}
    engine.deploy(made, lambda: {h.name: replace(code, bundles=loaded.get(h.name, ())) for h in made.handlers}, strict)
    strict.client("s3").put_object(Bucket="uploads", Key="a", Body=b"1")
    return made


def url(aws, queue):
    return aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]


def group(name):
    return f"/aws/lambda/shop-dev-{name}"


def bundle(content):
    return (
        "s3",
        "get_object",
        {"Bucket": "nbchalice-000000000000-us-east-1", "Key": f"bundles/shop/dev/{Big(content).sha256}"},
    )


CALLS = {
    "write its own logs": lambda aws, name: ("logs", "create_log_stream", {"logGroupName": group(name), "logStreamName": "x"}),
    "write logs of another": lambda aws, name: ("logs", "create_log_stream", {"logGroupName": group("x"), "logStreamName": "x"}),
    "read the bucket": lambda aws, name: ("s3", "get_object", {"Bucket": "uploads", "Key": "a"}),
    "write to the bucket": lambda aws, name: ("s3", "put_object", {"Bucket": "uploads", "Key": "b", "Body": "1"}),
    "read another bucket": lambda aws, name: ("s3", "get_object", {"Bucket": "other", "Key": "a"}),
    "receive from the queue": lambda aws, name: ("sqs", "receive_message", {"QueueUrl": url(aws, "orders")}),
    "look at the queue": lambda aws, name: ("sqs", "get_queue_attributes", {"QueueUrl": url(aws, "orders")}),
    "send to the queue": lambda aws, name: ("sqs", "send_message", {"QueueUrl": url(aws, "orders"), "MessageBody": "1"}),
    "send to the results": lambda aws, name: ("sqs", "send_message", {"QueueUrl": url(aws, "results"), "MessageBody": "1"}),
    "send to another queue": lambda aws, name: ("sqs", "send_message", {"QueueUrl": url(aws, "other"), "MessageBody": "1"}),
    "publish to the topic": lambda aws, name: ("sns", "publish", {"TopicArn": arn("sns", "news"), "Message": "1"}),
    "change its rule": lambda aws, name: ("events", "disable_rule", {"Name": "shop-dev-tick-event"}),
    "invoke itself": lambda aws, name: ("lambda", "invoke", {"FunctionName": f"shop-dev-{name}"}),
    "read its bundle": lambda aws, name: bundle(b"other" if name == "dropping" else b"model"),
    "read the bundle of another": lambda aws, name: bundle(b"other" if name == "scoring" else b"model"),
    "read its own role": lambda aws, name: ("iam", "get_role", {"RoleName": f"shop-dev-{name}"}),
}  # fmt: skip

ALLOWED = {
    "tick": {"write its own logs"},
    "ingest": {"write its own logs", "read the bucket"},
    "announce": {"write its own logs"},
    "price": {"write its own logs", "receive from the queue", "look at the queue", "send to the results"},
    "dropping": {"write its own logs", "read its bundle"},
    "scoring": {"write its own logs", "read its bundle"},
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_handler_may_do_what_it_needs_and_nothing_else(strict, shop, name):
    found = {}
    for what, call in CALLS.items():
        payload = json.dumps({"call": call(strict, name)}).encode()
        answer = strict.client("lambda").invoke(FunctionName=f"shop-dev-{name}", Payload=payload)
        found[what] = json.loads(answer["Payload"].read())
    assert found == {what: "allowed" if what in ALLOWED[name] else "denied" for what in CALLS}


def test_lambda_takes_messages_from_the_queue_with_the_role(strict, shop, eventually):
    """The poller acts with the handler's role: it must be able to receive and delete."""
    client = strict.client("sqs")
    client.send_message(QueueUrl=url(strict, "orders"), MessageBody="{}")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def empty():
        counts = client.get_queue_attributes(QueueUrl=url(strict, "orders"), AttributeNames=names)["Attributes"]
        return set(counts.values()) == {"0"}

    eventually(empty)
