"""Names that AWS refuses, and such as it takes, given to whatever has a name."""

import json
import re
import urllib.parse
import uuid
from dataclasses import dataclass
from pathlib import Path

import boto3
import botocore.handlers
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from nbchalice.aws.local.server import launcher

from ..roles import BY_BOTH, TRUST, make_role
from .conftest import archive

ROLE = "arn:aws:iam::000000000000:role/r"
ALLOW = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
CODE = {"ZipFile": archive({"app.py": "def handler(e, c): pass\n"})}
LONG = "x" * 300
ODD = ["a b", "tür", "a:b", "a\nb"]  # hardly any service takes these
VALIDATION, PARAMETER = "ValidationException", "InvalidParameterException"
PATTERN = "failed to satisfy constraint: Member must satisfy regular expression pattern"
TOO_LONG = "failed to satisfy constraint: Member must have length less than or equal to"
IAM = "The specified value for"
QUEUE = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
FIFO_QUEUE = "must end with .fifo suffix and be 1 to 80 in length."
FIFO = {"FifoQueue": "true"}


@pytest.fixture(autouse=True, scope="module")
def role(aws):
    """The role that the calls name."""
    make_role(aws("iam"), "r", trust=BY_BOTH)


@dataclass
class Case:
    """How something is made, and what is said of the names that AWS refuses."""

    service: str
    call: str
    arguments: dict
    refused: dict
    taken: list
    code: str = VALIDATION


def odd(words=PATTERN, *more):
    return dict.fromkeys([*ODD, *more], words)


OF_IAM = {**odd(IAM, "a/b", "a#b"), LONG: TOO_LONG, "": PATTERN}
MODELLED = {**odd(PATTERN, "a/b", "a#b", ""), LONG: f"2 {TOO_LONG}"[2:]}
CASES = {
    "sqs:CreateQueue": Case(
        "sqs", "create_queue", {"QueueName": "NAME"}, {**odd(QUEUE, "a/b", "a#b", "a.fifo", "x" * 81), "": "must contain the parameter QueueName"},
        ["a_B-1", "x" * 80], "InvalidParameterValue",
    ),
    "sqs:CreateQueue, FIFO": Case(
        "sqs", "create_queue", {"QueueName": "NAME", "Attributes": FIFO}, odd(FIFO_QUEUE, "a", ".fifo", "x" * 76 + ".fifo"),
        ["a_B-1.fifo", "x" * 75 + ".fifo"], "InvalidParameterValue",
    ),
    "sns:CreateTopic": Case(
        "sns", "create_topic", {"Name": "NAME"}, odd("Invalid parameter: Topic Name", "a/b", "a#b", "a.fifo", LONG, ""),
        ["a_B-1", "x" * 256], "InvalidParameter",
    ),
    "sns:CreateTopic, FIFO": Case(
        "sns", "create_topic", {"Name": "NAME", "Attributes": {"FifoTopic": "true"}}, odd("Fifo Topic names must end with .fifo", "a"),
        ["a_B-1.fifo"], "InvalidParameter",
    ),
    "s3:CreateBucket": Case(
        "s3", "create_bucket", {"Bucket": "NAME"},
        dict.fromkeys([*ODD, "a#b", "ab", "Abc", "a_bc", "-abc", "abc-", "a..b", "10.0.0.1", "xn--abc", "abc-s3alias", "x" * 64], "The specified bucket is not valid."),
        ["abc", "a.b-c", "x" * 63], "InvalidBucketName",
    ),
    "lambda:CreateFunction": Case(
        "lambda", "create_function", {"FunctionName": "NAME", "Role": ROLE, "Runtime": "python3.13", "Handler": "app.handler", "Code": CODE},
        {**dict.fromkeys(["a b", "tür", "a\nb", "a/b", "a#b", ""], PATTERN), LONG: TOO_LONG}, ["a_B-1", "x" * 64],
    ),
    "lambda:CreateFunction, otherwise": Case(
        "lambda", "create_function", {"FunctionName": "NAME", "Role": ROLE, "Runtime": "python3.13", "Handler": "app.handler", "Code": CODE},
        {"a:b": "Aliases and versions do not support this operation", "x" * 65: "Member must have length less than or equal to 64"}, [], "InvalidParameterValueException",
    ),
    "lambda:CreateAlias": Case(
        "lambda", "create_alias", {"FunctionName": "OTHER", "Name": "NAME", "FunctionVersion": "$LATEST"},
        {**MODELLED, "12": PATTERN}, ["a_B-1", "x" * 128],
    ),
    "lambda:PublishLayerVersion": Case(
        "lambda", "publish_layer_version", {"LayerName": "NAME", "Content": CODE},
        {**odd(PATTERN, "a/b", "a#b"), LONG: TOO_LONG}, ["a_B-1", "x" * 140],
    ),
    "lambda:AddPermission": Case(
        "lambda", "add_permission", {"FunctionName": "OTHER", "StatementId": "NAME", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"},
        MODELLED, ["a_B-1", "x" * 100],
    ),
    "events:PutRule": Case("events", "put_rule", {"Name": "NAME", "ScheduleExpression": "rate(1 day)"}, MODELLED, ["a_B-1.c", "x" * 64]),
    "events:PutTargets": Case(
        "events", "put_targets", {"Rule": "OTHER", "Targets": [{"Id": "ok", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"}, {"Id": "NAME", "Arn": "arn:aws:sqs:us-east-1:000000000000:q"}]},
        {**MODELLED, "a b": "Value 'a b' at 'targets.2.member.id' failed to satisfy constraint"}, ["a_B-1.c", "x" * 64],
    ),
    "events:CreateEventBus": Case("events", "create_event_bus", {"Name": "NAME"}, {**MODELLED, "a/b": "Event bus name must not contain '/'."}, ["a_B-1.c", "x" * 256]),
    "events:CreateArchive": Case(
        "events", "create_archive", {"ArchiveName": "NAME", "EventSourceArn": "arn:aws:events:us-east-1:000000000000:event-bus/default"}, MODELLED, ["a_B-1.c"],
    ),
    "events:CreateConnection": Case(
        "events", "create_connection",
        {"Name": "NAME", "AuthorizationType": "API_KEY", "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}}}, MODELLED, ["a_B-1.c"],
    ),
    "events:CreateApiDestination": Case(
        "events", "create_api_destination", {"Name": "NAME", "ConnectionArn": "OTHER", "InvocationEndpoint": "https://127.0.0.1/", "HttpMethod": "POST"}, MODELLED, ["a_B-1.c"],
    ),
    "scheduler:CreateSchedule": Case(
        "scheduler", "create_schedule",
        {"Name": "NAME", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {"Arn": "arn:aws:sqs:us-east-1:000000000000:q", "RoleArn": ROLE}},
        {**MODELLED, "": "No route"}, ["a_B-1.c", "x" * 64],
    ),
    "scheduler:CreateSchedule, GroupName": Case(
        "scheduler", "create_schedule",
        {"Name": "s", "GroupName": "NAME", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}, "Target": {"Arn": "arn:aws:sqs:us-east-1:000000000000:q", "RoleArn": ROLE}},
        MODELLED, ["default"],
    ),
    "scheduler:CreateScheduleGroup": Case("scheduler", "create_schedule_group", {"Name": "NAME"}, {**odd(PATTERN, "a/b", "a#b"), LONG: TOO_LONG}, ["a_B-1.c"]),
    "iam:CreateRole": Case("iam", "create_role", {"RoleName": "NAME", "AssumeRolePolicyDocument": TRUST}, OF_IAM, ["a_B-1.c+=,@", "x" * 64], "ValidationError"),
    "iam:PutRolePolicy": Case("iam", "put_role_policy", {"RoleName": "OTHER", "PolicyName": "NAME", "PolicyDocument": ALLOW}, OF_IAM, ["a_B-1.c+=,@", "x" * 128], "ValidationError"),
    "iam:CreatePolicy": Case("iam", "create_policy", {"PolicyName": "NAME", "PolicyDocument": ALLOW}, OF_IAM, ["a_B-1.c+=,@", "x" * 128], "ValidationError"),
    "iam:CreateUser": Case("iam", "create_user", {"UserName": "NAME"}, OF_IAM, ["a_B-1.c+=,@"], "ValidationError"),
    "iam:CreateGroup": Case("iam", "create_group", {"GroupName": "NAME"}, OF_IAM, ["a_B-1.c+=,@"], "ValidationError"),
    "logs:CreateLogGroup": Case("logs", "create_log_group", {"logGroupName": "NAME"}, {**odd(PATTERN, ""), "x" * 513: TOO_LONG}, ["/a_B-1.c#d", LONG], PARAMETER),
    "logs:CreateLogStream": Case(
        "logs", "create_log_stream", {"logGroupName": "OTHER", "logStreamName": "NAME"},
        {"a:b": PATTERN, "a*b": PATTERN, "x" * 513: TOO_LONG, "": "have length greater than or equal to 1"}, ["2026/11/28/[$LATEST]0 ü#", LONG], PARAMETER,
    ),
    "logs:CreateLogStream, logGroupName": Case("logs", "create_log_stream", {"logGroupName": "NAME", "logStreamName": "s"}, odd(), [], PARAMETER),
    "logs:PutSubscriptionFilter": Case(
        "logs", "put_subscription_filter", {"logGroupName": "OTHER", "filterName": "NAME", "filterPattern": "", "destinationArn": "FUNCTION"},
        {"a:b": PATTERN, "x" * 513: TOO_LONG}, ["a b"], PARAMETER,
    ),
    "logs:PutMetricFilter": Case(
        "logs", "put_metric_filter",
        {"logGroupName": "OTHER", "filterName": "NAME", "filterPattern": "", "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]},
        {"a:b": PATTERN, "x" * 513: TOO_LONG}, ["a b"], PARAMETER,
    ),
    "dynamodb:CreateTable": Case(
        "dynamodb", "create_table",
        {"TableName": "NAME", "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"},
        {**odd(PATTERN, "a/b", "a#b"), LONG: TOO_LONG, "ab": "have length greater than or equal to 3"}, ["a_B-1.c", "x" * 255],
    ),
    "kinesis:CreateStream": Case("kinesis", "create_stream", {"StreamName": "NAME", "ShardCount": 1}, MODELLED, ["a_B-1.c", "x" * 128]),
    "kinesis:RegisterStreamConsumer": Case("kinesis", "register_stream_consumer", {"StreamARN": "OTHER", "ConsumerName": "NAME"}, MODELLED, ["a_B-1.c"]),
    "firehose:CreateDeliveryStream": Case(
        "firehose", "create_delivery_stream", {"DeliveryStreamName": "NAME", "S3DestinationConfiguration": {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::bbb"}}, MODELLED, ["a_B-1.c"],
    ),
    "states:CreateStateMachine": Case(
        "stepfunctions", "create_state_machine", {"name": "NAME", "definition": '{"StartAt": "a", "States": {"a": {"Type": "Pass", "End": true}}}', "roleArn": ROLE},
        dict.fromkeys(["a b", "a/b", "a#b", "a:b", "a\nb", "a?", "x" * 81, ""], "Invalid Name: "), ["a_B-1.c", "tür", "x" * 80], "InvalidName",
    ),
    "secretsmanager:CreateSecret": Case("secretsmanager", "create_secret", {"Name": "NAME", "SecretString": "s"}, odd("Invalid name. Must be a valid name", "a#b"), ["/a_B-1.c+=@!", LONG]),
    "ssm:PutParameter": Case(
        "ssm", "put_parameter", {"Name": "NAME", "Value": "v", "Type": "String"},
        {**odd("mix of letters, numbers and the following 3 symbols .-_", "a#b", "ssm1", "/aws/x"), "a/b": "fully qualified name"}, ["/a/B_1.c-d", "a_B-1.c", LONG],
    ),
    "kms:CreateAlias": Case(
        "kms", "create_alias", {"AliasName": "alias/NAME", "TargetKeyId": "OTHER"}, {"a b": PATTERN, "tür": PATTERN, "a#b": PATTERN, "a\nb": PATTERN, LONG: TOO_LONG, "": "Invalid identifier"}, ["a_B-1:/c"],
    ),
    "cloudformation:CreateStack": Case(
        "cloudformation", "create_stack", {"StackName": "NAME", "TemplateBody": '{"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}}'}, odd(PATTERN, "a/b", "a_b", "1a", LONG), ["a-B1"], "ValidationError",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def unchecked(local_aws):
    """Clients that send what they are given, also what botocore itself would refuse."""
    clients = {}

    def client(service):
        if service not in clients:
            config = Config(s3={"addressing_style": "path"}, parameter_validation=False)
            clients[service] = made = boto3.client(service, config=config, **local_aws.client_kwargs())
            made.meta.events.unregister("before-parameter-build.s3", botocore.handlers.validate_bucket_name)
        return clients[service]

    return client


@pytest.fixture(scope="module")
def others(aws, functions):
    """What some calls need besides: a function, a rule, a role, a log group, a key ..."""
    name = f"o-{uuid.uuid4().hex[:8]}"
    function = functions.make("def handler(e, c): pass\n", name=name)
    aws("events").put_rule(Name=name, ScheduleExpression="rate(1 day)")
    aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    aws("logs").create_log_group(logGroupName=name)
    aws("kinesis").create_stream(StreamName=name, ShardCount=1)
    connection = aws("events").create_connection(
        Name=name,
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}},
    )
    special = {
        "kms": aws("kms").create_key()["KeyMetadata"]["KeyId"],
        "kinesis": f"arn:aws:kinesis:us-east-1:000000000000:stream/{name}",
        "create_api_destination": connection["ConnectionArn"],
    }
    return lambda case: (special.get(case.call) or special.get(case.service, name), functions.arn(function))


def filled(value, names):
    """Put names in their places."""
    if isinstance(value, dict):
        return {key: filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    return re.sub("|".join(names), lambda match: names[match[0]], value) if isinstance(value, str) else value


@pytest.mark.parametrize("title", CASES)
def test_a_name_is_refused_and_taken_as_by_aws(unchecked, others, title, record_property):
    case = CASES[title]
    other, function = others(case)
    call = getattr(unchecked(case.service), case.call)

    def give(name):
        return call(**filled(case.arguments, {"NAME": name, "OTHER": other, "FUNCTION": function}))

    for name, words in case.refused.items():
        with pytest.raises(ClientError) as caught:
            give(name)
        error = caught.value.response["Error"]
        assert words in error["Message"], (name, error)
        assert error["Code"] == case.code or name == "", (name, error)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400, name
    for name in case.taken:
        give(name)
    record_property("tried", ("names, refused or taken", len(case.refused) + len(case.taken)))


def test_nothing_is_made_of_a_name_that_is_refused(unchecked, aws):
    before = made(aws)
    for title, case in CASES.items():
        if title in STANDING:
            with pytest.raises(ClientError):
                getattr(unchecked(case.service), case.call)(**filled(case.arguments, {"NAME": "a b", "OTHER": "o"}))
    assert made(aws) == before


STANDING = {
    "sqs:CreateQueue": lambda aws: aws("sqs").list_queues().get("QueueUrls"),
    "sns:CreateTopic": lambda aws: aws("sns").list_topics()["Topics"],
    "s3:CreateBucket": lambda aws: [bucket["Name"] for bucket in aws("s3").list_buckets()["Buckets"]],
    "lambda:CreateFunction": lambda aws: [one["FunctionName"] for one in aws("lambda").list_functions()["Functions"]],
    "events:PutRule": lambda aws: [rule["Name"] for rule in aws("events").list_rules()["Rules"]],
    "scheduler:CreateSchedule": lambda aws: [one["Name"] for one in aws("scheduler").list_schedules()["Schedules"]],
    "iam:CreateRole": lambda aws: [role["RoleName"] for role in aws("iam").list_roles()["Roles"]],
    "logs:CreateLogGroup": lambda aws: [one["logGroupName"] for one in aws("logs").describe_log_groups()["logGroups"]],
    "kinesis:CreateStream": lambda aws: aws("kinesis").list_streams()["StreamNames"],
}


def made(aws):
    return {title: listed(aws) for title, listed in STANDING.items()}


def test_each_row_of_the_table_has_a_case():
    text = (Path(launcher.__file__).parent / "names.py").read_text()
    rows = set(re.findall(r'Naming\("(\w+)", "(\w+)"', text)) | {
        ("iam", n) for n in re.findall(r'of_iam\("(\w+)"', text)
    }
    assert len(rows) > 12
    assert rows <= {tuple(title.partition(",")[0].split(":")) for title in CASES}


def test_a_form_of_an_older_sdk_is_read_too(local_aws, aws):
    """SQS's API of before 2023, in which boto3 sent a form."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    from botocore.httpsession import URLLib3Session

    kwargs = local_aws.client_kwargs()
    fifo = {"Attribute.1.Name": "FifoQueue", "Attribute.1.Value": "true"}
    for name, more, words in [("a b", {}, QUEUE), ("a", fifo, FIFO_QUEUE), ("old.fifo", fifo, "QueueUrl")]:
        body = urllib.parse.urlencode({"Action": "CreateQueue", "QueueName": name, **more})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest("POST", kwargs["endpoint_url"] + "/", headers, body)
        key = Credentials(kwargs["aws_access_key_id"], kwargs["aws_secret_access_key"])
        SigV4Auth(key, "sqs", "us-east-1").add_auth(request)
        assert words in URLLib3Session().send(request.prepare()).text
