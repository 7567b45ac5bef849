"""A handler calls AWS with temporary credentials of its function's role, and may do what that role may."""

import json
import urllib.request

import boto3
import pytest
from botocore.exceptions import ClientError

from nbchalice.deploy.suggest import policy, suggested
from nbchalice.resources.base import FunctionRef

from ..roles import NOTHING, make_role
from ..waiting import wait_until

REVEAL = """
import boto3, os
def handler(event, context):
    if event.get("exit"):
        os._exit(1)
    if event.get("who"):
        return boto3.client("sts").get_caller_identity()["Arn"]
    names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    return {name.lower().removesuffix("_id") + ("_id" if name.endswith("_ID") else ""): os.environ[name] for name in names}
"""


def is_refused(local_aws, **keys):
    with pytest.raises(ClientError) as refused:
        boto3.client("sqs", **{**local_aws.client_kwargs(), **keys}).list_queues()
    return refused.value.response["Error"]["Code"] in {"InvalidClientTokenId", "ExpiredToken"}


def test_each_environment_has_credentials_of_the_functions_role_which_end_with_it(functions, aws, local_aws):
    name = functions.make(REVEAL)
    _, first, _ = functions.invoke(name)
    aws("s3").create_bucket(Bucket="permits")
    aws("s3").put_object(**KEY, Body="x")
    url = boto3.client("s3", **{**local_aws.client_kwargs(), **first}).generate_presigned_url("get_object", Params=KEY)
    assert functions.invoke(name, {"who": True})[1] == f"arn:aws:sts::000000000000:assumed-role/test/{name}"
    functions.invoke(name, {"exit": True})
    _, second, _ = functions.invoke(name)
    assert not set(first.values()) & set(second.values())
    assert is_refused(local_aws, **first)
    with urllib.request.urlopen(url) as answer:  # as on AWS, where the credentials last some hours
        assert answer.read() == b"x"


@pytest.mark.parametrize("token", [None, "", "another"])
def test_a_temporary_key_without_its_token_is_refused(functions, local_aws, token):
    _, keys, _ = functions.invoke(functions.make(REVEAL))
    assert is_refused(local_aws, **{**keys, "aws_session_token": token})


# What is called, as `client(service).operation(**arguments)`, and the one statement that allows it.
CALL = """
import boto3, botocore.exceptions
clients = {}
def handler(event, context):
    service, operation, arguments = event
    client = clients.setdefault(service, boto3.client(service))
    try:
        getattr(client, operation)(**arguments)
    except botocore.exceptions.ClientError as error:
        return {**error.response["Error"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    return None
"""
REF = FunctionRef("permits", "dev", "f", "us-east-1", "000000000000")
HERE = "us-east-1:000000000000"
BUCKET, OBJECT = "arn:aws:s3:::permits", "arn:aws:s3:::permits/a key.txt"
QUEUE, TOPIC = f"arn:aws:sqs:{HERE}:permits", f"arn:aws:sns:{HERE}:permits"
TABLE, STREAM = f"arn:aws:dynamodb:{HERE}:table/permits", f"arn:aws:kinesis:{HERE}:stream/permits"
KEY = {"Bucket": "permits", "Key": "a key.txt"}
URL = {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/000000000000/permits"}
ITEM = {"id": {"S": "1"}}
ENTRY = {"Source": "shop", "DetailType": "t", "Detail": "{}"}
GROUP = f"arn:aws:logs:{HERE}:log-group:permits"
METRIC = {"Namespace": "shop", "MetricData": [{"MetricName": "m", "Value": 1.0}]}
# (service, operation, arguments): (code, status, what is allowed, its ARN)
CALLS = [
    ("s3", "put_object", {**KEY, "Body": "x"}, "AccessDenied", 403, "s3:PutObject", OBJECT),
    ("s3", "get_object", KEY, "AccessDenied", 403, "s3:GetObject", OBJECT),
    ("s3", "head_object", KEY, "403", 403, "s3:GetObject", OBJECT),
    ("s3", "delete_object", {**KEY, "Key": "gone"}, "AccessDenied", 403, "s3:DeleteObject", f"{BUCKET}/gone"),
    ("s3", "list_objects_v2", {"Bucket": "permits"}, "AccessDenied", 403, "s3:ListBucket", BUCKET),
    ("s3", "list_buckets", {}, "AccessDenied", 403, "s3:ListAllMyBuckets", "*"),
    ("s3", "create_multipart_upload", KEY, "AccessDenied", 403, "s3:PutObject", OBJECT),
    ("s3", "get_object_tagging", KEY, "AccessDenied", 403, "s3:GetObjectTagging", OBJECT),
    ("sqs", "send_message", {**URL, "MessageBody": "x"}, "AccessDenied", 403, "sqs:SendMessage", QUEUE),
    ("sqs", "send_message_batch", {**URL, "Entries": [{"Id": "1", "MessageBody": "x"}]}, "AccessDenied", 403, "sqs:SendMessage", QUEUE),
    ("sqs", "receive_message", URL, "AccessDenied", 403, "sqs:ReceiveMessage", QUEUE),
    ("sqs", "get_queue_url", {"QueueName": "permits"}, "AccessDenied", 403, "sqs:GetQueueUrl", QUEUE),
    ("sqs", "list_queues", {}, "AccessDenied", 403, "sqs:ListQueues", "*"),
    ("sns", "publish", {"TopicArn": TOPIC, "Message": "x"}, "AuthorizationError", 403, "sns:Publish", TOPIC),
    ("sns", "publish_batch", {"TopicArn": TOPIC, "PublishBatchRequestEntries": [{"Id": "1", "Message": "x"}]}, "AuthorizationError", 403, "sns:Publish", TOPIC),
    ("dynamodb", "put_item", {"TableName": "permits", "Item": ITEM}, "AccessDeniedException", 400, "dynamodb:PutItem", TABLE),
    ("dynamodb", "batch_get_item", {"RequestItems": {"permits": {"Keys": [ITEM]}}}, "AccessDeniedException", 400, "dynamodb:BatchGetItem", TABLE),
    ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": {"TableName": "permits", "Item": ITEM}}]}, "AccessDeniedException", 400, "dynamodb:PutItem", TABLE),
    ("dynamodb", "execute_statement", {"Statement": 'SELECT * FROM "permits"'}, "AccessDeniedException", 400, "dynamodb:PartiQLSelect", TABLE),
    ("kinesis", "put_record", {"StreamName": "permits", "Data": "x", "PartitionKey": "1"}, "AccessDeniedException", 400, "kinesis:PutRecord", STREAM),
    ("kinesis", "put_records", {"StreamARN": STREAM, "Records": [{"Data": "x", "PartitionKey": "1"}]}, "AccessDeniedException", 400, "kinesis:PutRecords", STREAM),
    ("events", "put_events", {"Entries": [ENTRY]}, "AccessDeniedException", 400, "events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"),
    ("secretsmanager", "get_secret_value", {"SecretId": "permits"}, "AccessDeniedException", 400, "secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{HERE}:secret:permits-??????"),
    ("ssm", "get_parameter", {"Name": "/shop/permits"}, "AccessDeniedException", 400, "ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/shop/permits"),
    ("ssm", "get_parameters", {"Names": ["/shop/permits"]}, "AccessDeniedException", 400, "ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/shop/permits"),
    ("ssm", "get_parameters_by_path", {"Path": "/shop"}, "AccessDeniedException", 400, "ssm:GetParametersByPath", f"arn:aws:ssm:{HERE}:parameter/shop/*"),
    ("lambda", "invoke", {"FunctionName": "permits"}, "AccessDeniedException", 403, "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:permits"),
    ("lambda", "invoke", {"FunctionName": "permits", "Qualifier": "prod"}, "AccessDeniedException", 403, "lambda:InvokeFunction", f"arn:aws:lambda:{HERE}:function:permits:prod"),
    ("logs", "create_log_group", {"logGroupName": "permits"}, "AccessDeniedException", 400, "logs:CreateLogGroup", GROUP),
    ("logs", "filter_log_events", {"logGroupName": "permits"}, "AccessDeniedException", 400, "logs:FilterLogEvents", f"{GROUP}:*"),
    ("kms", "encrypt", {"KeyId": "alias/permits", "Plaintext": "x"}, "AccessDeniedException", 400, "kms:Encrypt", f"arn:aws:kms:{HERE}:key/*"),
    ("stepfunctions", "start_execution", {"stateMachineArn": f"arn:aws:states:{HERE}:stateMachine:permits"}, "AccessDeniedException", 400, "states:StartExecution", f"arn:aws:states:{HERE}:stateMachine:permits"),
    ("ses", "send_email", {"Source": "Shop <shop@example.com>", "Destination": {"ToAddresses": ["a@example.com"]}, "Message": {"Subject": {"Data": "s"}, "Body": {}}}, "AccessDenied", 403, "ses:SendEmail", f"arn:aws:ses:{HERE}:identity/example.com"),
    ("sesv2", "send_email", {"FromEmailAddress": "shop@example.com", "Content": {"Raw": {"Data": "x"}}}, "AccessDeniedException", 403, "ses:SendRawEmail", f"arn:aws:ses:{HERE}:identity/shop@example.com"),
    ("cloudwatch", "put_metric_data", METRIC, None, None, "cloudwatch:PutMetricData", "*"),
    ("firehose", "put_record", {"DeliveryStreamName": "permits", "Record": {"Data": "x"}}, "AccessDeniedException", 400, "firehose:PutRecord", f"arn:aws:firehose:{HERE}:deliverystream/permits"),
    ("athena", "list_work_groups", {}, "AccessDeniedException", 400, "athena:ListWorkGroups", "*"),
]  # fmt: skip


@pytest.fixture(scope="module")
def role(aws):
    """``role(*statements)``: the role of the function that makes calls is allowed these alone."""

    def allow(*statements):
        return make_role(aws("iam"), "permits", [*statements, *NOTHING])

    return allow


def is_made(kinesis):
    """Make the stream, which may still be on its way out, as another module's tests come in between."""
    try:
        kinesis.create_stream(StreamName="permits", ShardCount=1)
    except kinesis.exceptions.ResourceInUseException:
        return False
    return True


@pytest.fixture(scope="module")
def resources(aws):
    """What the calls are about; ``permits`` is the name of each."""
    aws("s3").create_bucket(Bucket="permits")
    aws("s3").put_object(**KEY, Body="x")
    aws("sqs").create_queue(QueueName="permits")
    aws("sns").create_topic(Name="permits")
    keys = {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    attributes = [{"AttributeName": "id", "AttributeType": "S"}]
    aws("dynamodb").create_table(TableName="permits", AttributeDefinitions=attributes, **keys)
    wait_until(lambda: is_made(aws("kinesis")))
    aws("secretsmanager").create_secret(Name="permits", SecretString="x")
    aws("ssm").put_parameter(Name="/shop/permits", Value="x", Type="String", Overwrite=True)
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    aws("kms").create_alias(AliasName="alias/permits", TargetKeyId=key)
    yield
    aws("dynamodb").delete_table(TableName="permits")
    aws("secretsmanager").delete_secret(SecretId="permits", ForceDeleteWithoutRecovery=True)
    aws("kms").delete_alias(AliasName="alias/permits")
    aws("kinesis").delete_stream(StreamName="permits")


@pytest.fixture(scope="module")
def call(functions, role, resources):
    """``call(service, operation, **arguments)``: what a handler of that role gets: None, or an error."""
    name = functions.make(CALL, Role=role())

    def make(service, operation, **arguments):
        failed, answer, _ = functions.invoke(name, [service, operation, arguments])
        assert not failed, answer
        return answer

    make.function = name
    return make


def marked(case):
    return case if case[1] in IN_EVERY_RUN else pytest.param(*case, marks=pytest.mark.slow)


def filled_in(statements):
    """What a person makes of the names that a suggestion leaves open."""
    return json.loads(json.dumps(statements).replace("<parameter>", "shop*").replace("<table>", "permits"))


IN_EVERY_RUN = {"put_object", "head_object", "send_message_batch", "publish", "transact_write_items", "get_parameters"}


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code", "status", "action", "arn"), [*map(marked, CALLS)]
)
def test_a_call_takes_the_permission_that_it_takes_on_aws(
    call, role, service, operation, arguments, code, status, action, arn, local_aws
):
    role()
    refused = call(service, operation, **arguments)
    if code:
        assert (refused["Code"], refused["status"]) == (code, status)
    if operation != "head_object":
        who = f"User: arn:aws:sts::000000000000:assumed-role/permits/{call.function} is not authorized to perform: "
        assert refused["Message"].startswith(who)
        assert f"{who}{action}".lower() in refused["Message"].lower()
        assert (
            refused["Message"].lower().endswith(f"because no identity-based policy allows the {action} action".lower())
        )
    role({"Effect": "Allow", "Action": action, "Resource": arn})
    allowed = call(service, operation, **arguments)
    assert allowed is None or "denied" not in f"{allowed['Code']} {allowed['Message']}".lower()
    literals = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    suggestion = suggested(
        f"import boto3\ndef handler(event):\n    boto3.client('{service}').{operation}({literals})", REF
    )
    role(*filled_in(policy(suggestion)["Statement"]))
    allowed = call(service, operation, **arguments)
    assert allowed is None or "denied" not in f"{allowed['Code']} {allowed['Message']}".lower(), suggestion
    role({"Effect": "Allow", "Action": action, "Resource": "*"}, {"Effect": "Deny", "Action": action, "Resource": "*"})
    denied = call(service, operation, **arguments)
    assert denied["Code"] == refused["Code"]
    assert operation == "head_object" or "with an explicit deny in an identity-based policy" in denied["Message"]
