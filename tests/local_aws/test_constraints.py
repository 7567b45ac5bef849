"""Parameters that AWS refuses by its own models of the services, in its words; and such as it takes."""

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from nbchalice.names import LONGEST_RUN

from ..roles import BY_BOTH, TRUST, make_role
from .conftest import archive

HERE = "us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/r"
QUEUE = f"arn:aws:sqs:{HERE}:q"
FUNCTION = {
    "FunctionName": "constrained", "Role": ROLE, "Runtime": "python3.13", "Handler": "app.handler",
    "Code": {"ZipFile": archive({"app.py": "def handler(e, c): pass\n"})},
}  # fmt: skip
MAPPING = {"FunctionName": "constrained", "EventSourceArn": QUEUE}
SCHEDULE = {
    "Name": "constrained", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": QUEUE, "RoleArn": ROLE},
}  # fmt: skip
ROLE_PATTERN = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
LIST_PATTERN = "Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, "
AT_MOST, AT_LEAST = "Member must have value less than or equal to", "Member must have value greater than or equal to"
ENUM = "Member must satisfy enum value set: ["
# Service, operation, parameters, and what is said, of a value at a place.
REFUSED = [
    ("lambda", "create_function", {**FUNCTION, "Role": "r1"}, "Value 'r1' at 'role'", f"Member must satisfy regular expression pattern: {ROLE_PATTERN}"),
    ("lambda", "create_function", {**FUNCTION, "Architectures": ["x86_64", "arm64"]}, "Value '[x86_64, arm64]' at 'architectures'", "Member must have length less than or equal to 1"),
    ("lambda", "create_function", {**FUNCTION, "Architectures": ["sparc"]}, "Value '[sparc]' at 'architectures'", f"{ENUM}x86_64, arm64]"),
    ("lambda", "create_function", {**FUNCTION, "Runtime": "python9"}, "Value 'python9' at 'runtime'", ENUM),
    ("lambda", "create_function", {**FUNCTION, "Handler": "a b"}, "Value 'a b' at 'handler'", "Member must satisfy regular expression pattern: [^\\s]+"),
    ("lambda", "create_function", {**FUNCTION, "MemorySize": 64}, "Value '64' at 'memorySize'", f"{AT_LEAST} 128"),
    ("lambda", "create_function", {**FUNCTION, "MemorySize": 10_241}, "Value '10241' at 'memorySize'", f"{AT_MOST} 10240"),
    ("lambda", "create_function", {**FUNCTION, "Timeout": LONGEST_RUN + 1}, f"Value '{LONGEST_RUN + 1}' at 'timeout'", f"{AT_MOST} {LONGEST_RUN}"),
    ("lambda", "create_function", {**FUNCTION, "EphemeralStorage": {"Size": 100}}, "Value '100' at 'ephemeralStorage.size'", f"{AT_LEAST} 512"),
    ("lambda", "create_function", {**FUNCTION, "Description": "x" * 257}, "at 'description'", "Member must have length less than or equal to 256"),
    ("lambda", "create_function", {**FUNCTION, "Layers": ["none"]}, "Value '[none]' at 'layers'", LIST_PATTERN),
    ("lambda", "create_function", {**FUNCTION, "Environment": {"Variables": {"1a": "x"}}}, "Value at 'environment.variables'", "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]"),
    ("lambda", "create_function", {name: value for name, value in FUNCTION.items() if name != "Role"}, "Value null at 'role'", "Member must not be null"),
    ("lambda", "put_function_concurrency", {"FunctionName": "constrained", "ReservedConcurrentExecutions": -1}, "Value '-1' at 'reservedConcurrentExecutions'", f"{AT_LEAST} 0"),
    ("lambda", "create_event_source_mapping", {**MAPPING, "BatchSize": 10_001}, "Value '10001' at 'batchSize'", f"{AT_MOST} 10000"),
    ("lambda", "create_event_source_mapping", {**MAPPING, "MaximumBatchingWindowInSeconds": 301}, "Value '301' at 'maximumBatchingWindowInSeconds'", f"{AT_MOST} 300"),
    ("lambda", "create_event_source_mapping", {**MAPPING, "StartingPosition": "FIRST"}, "Value 'FIRST' at 'startingPosition'", ENUM),
    ("lambda", "create_event_source_mapping", {**MAPPING, "FunctionResponseTypes": ["None"]}, "Value '[None]' at 'functionResponseTypes'", f"{ENUM}ReportBatchItemFailures]"),
    ("lambda", "add_permission", {"FunctionName": "constrained", "StatementId": "example.com", "Action": "lambda:InvokeFunction", "Principal": "*"}, "Value 'example.com' at 'statementId'", "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"),
    ("lambda", "put_function_event_invoke_config", {"FunctionName": "constrained", "MaximumRetryAttempts": 3}, "Value '3' at 'maximumRetryAttempts'", f"{AT_MOST} 2"),
    ("lambda", "put_function_event_invoke_config", {"FunctionName": "constrained", "MaximumEventAgeInSeconds": 59}, "Value '59' at 'maximumEventAgeInSeconds'", f"{AT_LEAST} 60"),
    ("lambda", "publish_layer_version", {"LayerName": "l", "Content": FUNCTION["Code"], "CompatibleRuntimes": ["none"]}, "Value '[none]' at 'compatibleRuntimes'", ENUM),
    ("events", "put_rule", {"Name": "r", "ScheduleExpression": "rate(1 day)", "State": "ON"}, "Value 'ON' at 'state'", f"{ENUM}ENABLED, DISABLED"),
    ("events", "put_targets", {"Rule": "r", "Targets": [{"Id": "!@#$@!#$", "Arn": QUEUE}]}, "Value '!@#$@!#$' at 'targets.1.member.id'", "Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+"),
    ("events", "put_targets", {"Rule": "r", "Targets": [{"Id": "1", "Arn": QUEUE, "RetryPolicy": {"MaximumRetryAttempts": 186}}]}, "Value '186' at 'targets.1.member.retryPolicy.maximumRetryAttempts'", f"{AT_MOST} 185"),
    ("events", "create_connection", {"Name": "c", "AuthorizationType": "INVALID_AUTH_TYPE", "AuthParameters": {}}, "Value 'INVALID_AUTH_TYPE' at 'authorizationType'", f"{ENUM}BASIC, OAUTH_CLIENT_CREDENTIALS, API_KEY]"),
    ("scheduler", "create_schedule", {**SCHEDULE, "FlexibleTimeWindow": {"Mode": "SOMETIMES"}}, "Value 'SOMETIMES' at 'flexibleTimeWindow.mode'", f"{ENUM}OFF, FLEXIBLE]"),
    ("scheduler", "create_schedule", {**SCHEDULE, "Target": {"Arn": QUEUE, "RoleArn": "r"}}, "Value 'r' at 'target.roleArn'", "Member must satisfy regular expression pattern: ^arn:aws"),
    ("kinesis", "create_stream", {"StreamName": "s", "ShardCount": 0}, "Value '0' at 'shardCount'", f"{AT_LEAST} 1"),
    ("logs", "create_log_group", {"logGroupName": "constrained", "logGroupClass": "COLD"}, "Value 'COLD' at 'logGroupClass'", f"{ENUM}STANDARD, INFREQUENT_ACCESS"),
    ("iam", "create_role", {"RoleName": "constrained", "AssumeRolePolicyDocument": TRUST, "Description": "x" * 1001}, "at 'description'", "Member must have length less than or equal to 1000"),
    ("iam", "create_role", {"RoleName": "constrained", "AssumeRolePolicyDocument": TRUST, "Path": "a"}, "Value 'a' at 'path'", "Member must satisfy regular expression pattern"),
]  # fmt: skip
CODES = {"logs": "InvalidParameterException", "iam": "ValidationError"}


@pytest.fixture(autouse=True, scope="module")
def role(aws):
    """The role that the calls name."""
    make_role(aws("iam"), "r", trust=BY_BOTH)


@pytest.fixture(scope="module")
def unchecked(local_aws):
    """Clients that send what they are given."""
    clients = {}

    def client(service):
        if service not in clients:
            kwargs = local_aws.client_kwargs()
            clients[service] = boto3.client(service, config=Config(parameter_validation=False), **kwargs)
        return clients[service]

    return client


@pytest.mark.table("parameters that AWS's models refuse")
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: f"{case[1]} {case[3].split(' at ')[-1]}")
def test_what_the_model_of_a_service_does_not_take_is_refused(unchecked, case):
    service, operation, arguments, place, constraint = case
    with pytest.raises(ClientError) as caught:
        getattr(unchecked(service), operation)(**arguments)
    error = caught.value.response
    assert error["Error"]["Code"] == CODES.get(service, "ValidationException")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error["Error"]["Message"].startswith("1 validation error detected: Value")
    assert f"{place} failed to satisfy constraint: {constraint}" in error["Error"]["Message"]


def test_all_that_is_wrong_is_told_at_once(unchecked):
    wrong = {"Name": "a b" * 30, "ScheduleExpression": "rate(1 day)", "State": "ON"}
    with pytest.raises(ClientError) as caught:
        unchecked("events").put_rule(**wrong)
    said = caught.value.response["Error"]["Message"]
    assert said.startswith("3 validation errors detected: Value 'a ba b")
    assert [part.split("Member must ")[1].split()[0] for part in said.split("; ")] == ["satisfy", "have", "satisfy"]


def test_each_thing_that_they_take_is_taken(unchecked, aws):
    full = {
        **FUNCTION, "FunctionName": "taken", "Role": "arn:aws:iam::000000000001:role/a/path/r", "MemorySize": 10_240, "Timeout": LONGEST_RUN,
        "Description": "ü" * 256, "EphemeralStorage": {"Size": 10_240}, "Environment": {"Variables": {"AB": "", "a_1": "ü"}},
        "Tags": {"a:b": "x y"}, "DeadLetterConfig": {"TargetArn": QUEUE}, "Architectures": ["arm64"], "TracingConfig": {"Mode": "Active"},
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []}, "LoggingConfig": {"LogFormat": "JSON", "LogGroup": "/aws/lambda/x"},
    }  # fmt: skip
    functions = unchecked("lambda")
    arn = functions.create_function(**full)["FunctionArn"]
    functions.get_waiter("function_active_v2").wait(FunctionName="taken")
    functions.update_function_configuration(FunctionName="taken", DeadLetterConfig={"TargetArn": ""}, KMSKeyArn="")
    functions.tag_resource(Resource=arn, Tags={"a": "b"})
    on_failure = {"OnFailure": {"Destination": QUEUE}}
    functions.put_function_event_invoke_config(FunctionName=arn, MaximumRetryAttempts=0, DestinationConfig=on_failure)
    functions.add_permission(
        FunctionName=arn, StatementId="a_B-1", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::b", SourceAccount="000000000000",
    )  # fmt: skip
    unchecked("scheduler").create_schedule(
        **{**SCHEDULE, "Name": "taken", "Target": {"Arn": arn, "RoleArn": full["Role"], "Input": '{"a": "ü"}', "RetryPolicy": {"MaximumRetryAttempts": 0}}},
        ScheduleExpressionTimezone="Europe/Berlin", State="DISABLED",
    )  # fmt: skip
    tags = [{"Key": "nbchalice:app", "Value": "x"}]
    unchecked("iam").create_role(
        RoleName="taken", Path="/a/b/", AssumeRolePolicyDocument=TRUST, Description="ü", Tags=tags
    )
    unchecked("logs").create_log_group(logGroupName="/taken/x", logGroupClass="INFREQUENT_ACCESS", tags={"a": "b"})
    functions.delete_function(FunctionName="taken")
    unchecked("scheduler").delete_schedule(Name="taken")
