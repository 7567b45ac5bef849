"""What AWS refuses for what stands or for how parts fit together, in its words; nothing is made or changed by it."""

import json

import pytest
from botocore.exceptions import ClientError

from nbchalice.handlers.settings import RESERVED_ENV
from nbchalice.names import LONGEST_RUN

from ..roles import ANYTHING, BY_LAMBDA, BY_SCHEDULER, make_role
from ..tables import table_with_stream
from .conftest import archive

HERE = "us-east-1:000000000000"
QUEUES, FUNCTIONS, ROLES = f"arn:aws:sqs:{HERE}:", f"arn:aws:lambda:{HERE}:function:", "arn:aws:iam::000000000000:role/"
STREAM = f"arn:aws:kinesis:{HERE}:stream/state"
NO_TABLE = f"arn:aws:dynamodb:{HERE}:table/none/stream/2024-11-18T14:36:44.149"
CODE = {"ZipFile": archive({"app.py": "def handler(e, c): pass\n"})}
FUNCTION = {
    "FunctionName": "unmade",
    "Runtime": "python3.13",
    "Handler": "app.handler",
    "Code": CODE,
    "Role": f"{ROLES}state",
}
OF_QUEUE = {"FunctionName": "state", "EventSourceArn": f"{QUEUES}state-free"}
OF_STREAM = {"FunctionName": "state", "EventSourceArn": STREAM, "StartingPosition": "LATEST"}
SCHEDULE = {
    "Name": "unmade", "ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": f"{FUNCTIONS}state", "RoleArn": f"{ROLES}state-scheduler"},
}  # fmt: skip
PARAMETER, EXISTS, MISSING = "InvalidParameterValueException", "ResourceConflictException", "ResourceNotFoundException"
WRONG, MALFORMED, S3 = "ValidationException", "MalformedPolicyDocument", "InvalidArgument"
UNSUPPORTED = "Unsupported {} parameter for given event source mapping type."
ALREADY = "already exists. Please update or delete the existing mapping with UUID "
NOT_ASSUMED = "The role defined for the function cannot be assumed by Lambda."
OVERLAP = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
UNREACHABLE = "Unable to validate the following destination configurations"
ENVIRONMENT = (
    "Lambda was unable to configure your environment variables because the environment variables you have provided "
)


def target(name, **more):
    return {"Id": name, "Arn": f"{FUNCTIONS}state", **more}


def policy(*statements, **more):
    return json.dumps({"Version": "2012-10-17", **more, "Statement": list(statements)})


def role(document):
    return {"RoleName": "unmade", "AssumeRolePolicyDocument": document}


def inline(*statements):
    return {"RoleName": "state", "PolicyName": "unmade", "PolicyDocument": policy(*statements)}


def told(*events, name="one", function="state", rules=()):
    entry = {"Id": name, "LambdaFunctionArn": f"{FUNCTIONS}{function}", "Events": list(events)}
    if rules:
        entry["Filter"] = {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in rules]}}
    return entry


def notifications(*entries, kind="LambdaFunctionConfigurations"):
    return {"Bucket": "state-bucket", "NotificationConfiguration": {kind: list(entries)}}


def attribute(**values):
    given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return {"QueueName": "unmade", "Attributes": given}


ALLOWED = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
CREATED, PUT, REMOVED = "s3:ObjectCreated:*", "s3:ObjectCreated:Put", "s3:ObjectRemoved:*"
# Service, operation, parameters; code and words of the error.
REFUSED = {
    "a mapping of a missing queue": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "EventSourceArn": f"{QUEUES}none"}, PARAMETER, "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist."),
    "a queue shorter hidden than the function runs": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "EventSourceArn": f"{QUEUES}state-short"}, PARAMETER, "Queue visibility timeout: 30 seconds is less than Function timeout: 40 seconds"),
    "a second mapping of a queue": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "EventSourceArn": f"{QUEUES}state"}, EXISTS, f'An event source mapping with SQS arn (" {QUEUES}state ") and function (" state ") {ALREADY}'),
    "a second mapping, the function by its ARN": ("lambda", "create_event_source_mapping", {"FunctionName": f"{FUNCTIONS}state", "EventSourceArn": f"{QUEUES}state"}, EXISTS, f'An event source mapping with SQS arn (" {QUEUES}state ") and function (" state ") {ALREADY}'),
    "a batch of eleven without a window": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "BatchSize": 11}, PARAMETER, "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"),
    "a batch of eleven of a FIFO queue": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "EventSourceArn": f"{QUEUES}state.fifo", "BatchSize": 11}, PARAMETER, "The maximum batch size of a FIFO queue is 10"),
    "a window of a FIFO queue": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "EventSourceArn": f"{QUEUES}state.fifo", "MaximumBatchingWindowInSeconds": 1}, PARAMETER, "Batching window is not supported for FIFO queues"),
    "a queue with a starting position": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "StartingPosition": "LATEST"}, PARAMETER, UNSUPPORTED.format("StartingPosition")),
    "a queue that is bisected": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "BisectBatchOnFunctionError": True}, PARAMETER, UNSUPPORTED.format("BisectBatchOnFunctionError")),
    "a queue with a destination": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "DestinationConfig": {"OnFailure": {"Destination": f"{QUEUES}state"}}}, PARAMETER, UNSUPPORTED.format("DestinationConfig")),
    "a missing stream": ("lambda", "create_event_source_mapping", {**OF_STREAM, "EventSourceArn": f"{STREAM}-none"}, PARAMETER, f"Stream not found: {STREAM}-none"),
    "a stream of a missing table": ("lambda", "create_event_source_mapping", {**OF_STREAM, "EventSourceArn": NO_TABLE}, PARAMETER, f"Stream not found: {NO_TABLE}"),
    "a stream without a starting position": ("lambda", "create_event_source_mapping", {name: value for name, value in OF_STREAM.items() if name != "StartingPosition"}, WRONG, "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null"),
    "a stream at no time": ("lambda", "create_event_source_mapping", {**OF_STREAM, "StartingPosition": "AT_TIMESTAMP"}, PARAMETER, "StartingPositionTimestamp must be given"),
    "a table's stream at a time": ("lambda", "create_event_source_mapping", {**OF_STREAM, "EventSourceArn": NO_TABLE, "StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1}, PARAMETER, f"Unsupported starting position for arn type: {NO_TABLE}"),
    "a second mapping of a stream": ("lambda", "create_event_source_mapping", OF_STREAM, EXISTS, f'The event source arn (" {STREAM} ") and function (" state ") provided mapping {ALREADY}'),
    "a queue that the role may not read": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "FunctionName": "state-closed"}, PARAMETER, "The provided execution role does not have permissions to call DeleteMessage on SQS"),
    "a stream that the role may not read": ("lambda", "create_event_source_mapping", {**OF_STREAM, "FunctionName": "state-closed"}, PARAMETER, f"Cannot access stream {STREAM}. Please ensure the role can perform the GetRecords, GetShardIterator, DescribeStream, and ListStreams Actions"),
    "eleven filters": ("lambda", "create_event_source_mapping", {**OF_QUEUE, "FilterCriteria": {"Filters": [{"Pattern": '{"body": ["a"]}'}] * 11}}, PARAMETER, "Filter criteria can have at most 10 filters, and has 11."),
    "an alias of a missing version": ("lambda", "create_alias", {"FunctionName": "state", "Name": "live", "FunctionVersion": "7"}, MISSING, f"Function not found: {FUNCTIONS}state:7"),
    "an alias that moves to a missing version": ("lambda", "update_alias", {"FunctionName": "state", "Name": "now", "FunctionVersion": "7"}, MISSING, f"Function not found: {FUNCTIONS}state:7"),
    "an alias of $LATEST and another": ("lambda", "update_alias", {"FunctionName": "state", "Name": "now", "RoutingConfig": {"AdditionalVersionWeights": {"7": 0.5}}}, PARAMETER, "$LATEST is not supported for an alias pointing to more than 1 version"),
    "a role that is missing": ("lambda", "create_function", {**FUNCTION, "Role": f"{ROLES}none"}, PARAMETER, NOT_ASSUMED),
    "a role under another path": ("lambda", "create_function", {**FUNCTION, "Role": f"{ROLES}path/state"}, PARAMETER, NOT_ASSUMED),
    "a role for another service": ("lambda", "create_function", {**FUNCTION, "Role": f"{ROLES}state-scheduler"}, PARAMETER, NOT_ASSUMED),
    "a function that gets such a role": ("lambda", "update_function_configuration", {"FunctionName": "state", "Role": f"{ROLES}state-scheduler"}, PARAMETER, NOT_ASSUMED),
    "variables over 4 KB": ("lambda", "create_function", {**FUNCTION, "Environment": {"Variables": {"LONG": "x" * 4090}}}, PARAMETER, ENVIRONMENT + 'exceeded the 4KB limit. String measured: {"LONG":"xxx'),
    "a missing key": ("lambda", "create_function", {**FUNCTION, "KMSKeyArn": f"arn:aws:kms:{HERE}:key/none"}, PARAMETER, "Lambda was unable to configure access to your environment variables because the KMS key is invalid for CreateGrant."),
    "code in a missing bucket": ("lambda", "create_function", {**FUNCTION, "Code": {"S3Bucket": "state-none", "S3Key": "k"}}, PARAMETER, "Error occurred while GetObject. S3 Error Code: NoSuchBucket. S3 Error Message: The specified bucket does not exist"),
    "code in a missing object": ("lambda", "update_function_code", {"FunctionName": "state", "S3Bucket": "state-bucket", "S3Key": "none"}, PARAMETER, "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."),
    "fifty-one tags": ("lambda", "create_function", {**FUNCTION, "Tags": {f"k{number}": "v" for number in range(51)}}, PARAMETER, "A function can have at most 50 tags."),
    "a tag of AWS's": ("lambda", "create_function", {**FUNCTION, "Tags": {"aws:name": "v"}}, PARAMETER, "Tag keys that begin with aws: are reserved."),
    "a permission for nobody": ("lambda", "add_permission", {"FunctionName": "state", "StatementId": "unmade", "Action": "lambda:InvokeFunction", "Principal": "nobody"}, PARAMETER, "The provided principal was invalid. Please check the principal and try again."),
    "nearly all of the account's concurrency": ("lambda", "put_function_concurrency", {"FunctionName": "state", "ReservedConcurrentExecutions": 901}, PARAMETER, "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."),
    "a version of other code": ("lambda", "publish_version", {"FunctionName": "state", "CodeSha256": "other"}, PARAMETER, "CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ("),
    "the deletion of $LATEST": ("lambda", "delete_function", {"FunctionName": "state", "Qualifier": "$LATEST"}, PARAMETER, "$LATEST version cannot be deleted without deleting the function."),
    "a rule of nothing": ("events", "put_rule", {"Name": "unmade"}, WRONG, "Parameter(s) EventPattern or ScheduleExpression must be specified."),
    "a rate of one days": ("events", "put_rule", {"Name": "unmade", "ScheduleExpression": "rate(1 days)"}, WRONG, "Parameter ScheduleExpression is not valid."),
    "a rate of two day": ("events", "put_rule", {"Name": "unmade", "ScheduleExpression": "rate(2 day)"}, WRONG, "Parameter ScheduleExpression is not valid."),
    "a schedule on a bus of one's own": ("events", "put_rule", {"Name": "unmade", "ScheduleExpression": "rate(1 day)", "EventBusName": "state-bus"}, WRONG, "ScheduleExpression is supported only on the default event bus."),
    "six targets": ("events", "put_targets", {"Rule": "state", "Targets": [target(str(number)) for number in range(6)]}, "LimitExceededException", "The requested resource exceeds the maximum number allowed."),
    "a target with two inputs": ("events", "put_targets", {"Rule": "state", "Targets": [target("a", Input="{}", InputPath="$.a")]}, WRONG, "Only one of Input, InputPath, or InputTransformer must be provided for target a."),
    "a target whose input is no JSON": ("events", "put_targets", {"Rule": "state", "Targets": [target("a", Input="{a")]}, WRONG, "JSON syntax error in Input for target a."),
    "a target whose path is none": ("events", "put_targets", {"Rule": "state", "Targets": [target("a", InputPath="a.b")]}, WRONG, "Parameter InputPath of target a is not valid. Reason: a.b is no JSON path."),
    "a FIFO queue as target without a group": ("events", "put_targets", {"Rule": "state", "Targets": [{"Id": "a", "Arn": f"{QUEUES}state.fifo"}]}, WRONG, "Parameter(s) SqsParameters must be specified for target: a."),
    "targets of a missing rule": ("events", "put_targets", {"Rule": "none", "Targets": [target("a")]}, MISSING, "Rule none does not exist on EventBus default."),
    "a missing rule that is described": ("events", "describe_rule", {"Name": "none"}, MISSING, "Rule none does not exist on EventBus default."),
    "a missing rule that is enabled": ("events", "enable_rule", {"Name": "none"}, MISSING, "Rule none does not exist on EventBus default."),
    "events over 1 MB": ("events", "put_events", {"Entries": [{"Source": "a", "DetailType": "b", "Detail": json.dumps({"a": "ü" * 525_000})}]}, WRONG, "Total size of the entries in the request is over the limit."),
    "a role that Scheduler may not assume": ("scheduler", "create_schedule", {**SCHEDULE, "Target": {"Arn": f"{FUNCTIONS}state", "RoleArn": f"{ROLES}state"}}, WRONG, "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."),
    "a rate in parsecs": ("scheduler", "create_schedule", {**SCHEDULE, "ScheduleExpression": "rate(1 parsecs)"}, WRONG, "Invalid Schedule Expression rate(1 parsecs)."),
    "a time with a zone in it": ("scheduler", "create_schedule", {**SCHEDULE, "ScheduleExpression": "at(2030-12-31T23:59:59Z)"}, WRONG, "Invalid Schedule Expression at(2030-12-31T23:59:59Z)."),
    "a window without a length": ("scheduler", "create_schedule", {**SCHEDULE, "FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, WRONG, "MaximumWindowInMinutes must be given"),
    "a zone of another planet": ("scheduler", "create_schedule", {**SCHEDULE, "ScheduleExpressionTimezone": "Mars/Base"}, WRONG, "Invalid Schedule Expression Timezone Mars/Base."),
    "a trust policy that is no JSON": ("iam", "create_role", role("{a"), MALFORMED, "This policy contains invalid Json"),
    "a trust policy of nothing": ("iam", "create_role", role("{}"), MALFORMED, "Syntax errors in policy."),
    "a list for a trust policy": ("iam", "create_role", role("[]"), MALFORMED, "Syntax errors in policy."),
    "a misspelled element": ("iam", "create_role", role(policy({**BY_LAMBDA, "Actions": "sts:AssumeRole"})), MALFORMED, "Syntax errors in policy."),
    "a version of tomorrow": ("iam", "create_role", role(policy(BY_LAMBDA, Version="2030-01-01")), MALFORMED, "The policy must contain a valid version string"),
    "trust in nobody": ("iam", "create_role", role(policy({"Effect": "Allow", "Action": "sts:AssumeRole"})), MALFORMED, "Missing required field Principal"),
    "trust without an action": ("iam", "create_role", role(policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}})), MALFORMED, "Missing required field Action"),
    "trust with another action": ("iam", "create_role", role(policy({**BY_LAMBDA, "Action": "s3:GetObject"})), MALFORMED, "AssumeRole policy may only specify STS AssumeRole actions."),
    "trust in a resource": ("iam", "create_role", role(policy({**BY_LAMBDA, "Resource": "*"})), MALFORMED, "Has prohibited field Resource"),
    "trust with a wrong effect": ("iam", "create_role", role(policy({**BY_LAMBDA, "Effect": "Yes"})), MALFORMED, "Invalid effect: Yes"),
    "trust in no service": ("iam", "create_role", role(policy({**BY_LAMBDA, "Principal": {"Service": "lambda"}})), MALFORMED, 'Invalid principal in policy: "SERVICE":"lambda"'),
    "trust in a role that is missing": ("iam", "update_assume_role_policy", {"RoleName": "state", "PolicyDocument": policy({**BY_LAMBDA, "Principal": {"AWS": f"{ROLES}none"}})}, MALFORMED, f'Invalid principal in policy: "AWS":"{ROLES}none"'),
    "an id with a blank": ("iam", "create_role", role(policy({**BY_LAMBDA, "Sid": "a b"})), MALFORMED, "Statement IDs (SID) must be alpha-numeric."),
    "a long trust policy": ("iam", "create_role", role(policy(*[{**BY_LAMBDA, "Sid": f"s{number}"} for number in range(20)])), "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"),
    "permissions of somebody": ("iam", "put_role_policy", inline({**ALLOWED, "Principal": "*"}), MALFORMED, "Policy document should not specify a principal."),
    "permissions without a service": ("iam", "put_role_policy", inline({**ALLOWED, "Action": "GetObject"}), MALFORMED, "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
    "permissions for a name": ("iam", "put_role_policy", inline({**ALLOWED, "Resource": "bucket"}), MALFORMED, 'Resource bucket must be in ARN format or "*".'),
    "permissions for nothing": ("iam", "put_role_policy", inline({"Effect": "Allow", "Action": "s3:*"}), MALFORMED, "Policy statement must contain resources."),
    "permissions to do nothing": ("iam", "put_role_policy", inline({"Effect": "Allow", "Resource": "*"}), MALFORMED, "Policy statement must contain actions."),
    "permissions over 10 KB": ("iam", "put_role_policy", inline({**ALLOWED, "Resource": [f"arn:aws:s3:::{'x' * 60}{number}" for number in range(140)]}), "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role state"),
    "a policy that is missing": ("iam", "attach_role_policy", {"RoleName": "state", "PolicyArn": "arn:aws:iam::000000000000:policy/none"}, "NoSuchEntity", "Policy arn:aws:iam::000000000000:policy/none does not exist or is not attachable."),
    "a boundary that is missing": ("iam", "create_role", {**role(policy(BY_LAMBDA)), "PermissionsBoundary": "arn:aws:iam::000000000000:policy/none"}, "NoSuchEntity", "Scope ARN: arn:aws:iam::000000000000:policy/none does not exist or is not attachable."),
    "a key of 1,025 letters": ("s3", "put_object", {"Bucket": "state-bucket", "Key": "k" * 1025, "Body": b""}, "KeyTooLongError", "Your key is too long"),
    "a key of 513 umlauts": ("s3", "put_object", {"Bucket": "state-bucket", "Key": "ü" * 513, "Body": b""}, "KeyTooLongError", "Your key is too long"),
    "metadata over 2 KB": ("s3", "put_object", {"Bucket": "state-bucket", "Key": "k", "Body": b"", "Metadata": {"a": "x" * 2048}}, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"),
    "an event of no kind": ("s3", "put_bucket_notification_configuration", notifications(told("s3:ObjectCreate:*")), S3, "The event is not supported for notifications"),
    "two that are told of the same": ("s3", "put_bucket_notification_configuration", notifications(told(CREATED), told(PUT, name="two")), S3, OVERLAP),
    "two, of a folder and of one within": ("s3", "put_bucket_notification_configuration", notifications(told(PUT, rules=[("prefix", "a/")]), told(PUT, name="two", rules=[("Prefix", "a/b/")])), S3, OVERLAP),
    "two of one id": ("s3", "put_bucket_notification_configuration", notifications(told(CREATED), told(REMOVED)), S3, "Configuration id should be unique."),
    "two beginnings of names": ("s3", "put_bucket_notification_configuration", notifications(told(PUT, rules=[("prefix", "a"), ("prefix", "b")])), S3, "Cannot specify more than one prefix rule in a filter."),
    "the middle of a name": ("s3", "put_bucket_notification_configuration", notifications(told(PUT, rules=[("infix", "a")])), S3, "filter rule name must be either prefix or suffix"),
    "a missing function": ("s3", "put_bucket_notification_configuration", notifications(told(PUT, function="none")), S3, UNREACHABLE),
    "a function that S3 may not invoke": ("s3", "put_bucket_notification_configuration", notifications(told(PUT, function="state-closed")), S3, UNREACHABLE),
    "a function for another bucket": ("s3", "put_bucket_notification_configuration", {**notifications(told(PUT)), "Bucket": "state-other"}, S3, UNREACHABLE),
    "a FIFO queue that is told": ("s3", "put_bucket_notification_configuration", notifications({"QueueArn": f"{QUEUES}state.fifo", "Events": [PUT]}, kind="QueueConfigurations"), S3, UNREACHABLE),
    "dead letters to where they may not go": ("sqs", "create_queue", attribute(RedrivePolicy={"deadLetterTargetArn": f"{QUEUES}state-closed", "maxReceiveCount": 3}), "InvalidParameterValue", "Reason: Dead letter target does not allow this source queue; see its RedriveAllowPolicy."),
    "dead letters to nowhere": ("sqs", "create_queue", attribute(RedrivePolicy={"deadLetterTargetArn": f"{QUEUES}none", "maxReceiveCount": 3}), "InvalidParameterValue", "Reason: Dead letter target does not exist."),
    "dead letters from no kind of queue": ("sqs", "create_queue", attribute(RedriveAllowPolicy={"redrivePermission": "some"}), "InvalidParameterValue", "Reason: redrivePermission is allowAll, denyAll, or byQueue"),
    "dead letters from queues without a name": ("sqs", "create_queue", attribute(RedriveAllowPolicy={"redrivePermission": "byQueue"}), "InvalidParameterValue", "Reason: redrivePermission is allowAll, denyAll, or byQueue"),
    "a queue's policy that is no JSON": ("sqs", "create_queue", attribute(Policy="{a"), "InvalidAttributeValue", "Invalid value for the parameter Policy."),
    "a function of a FIFO topic": ("sns", "subscribe", {"TopicArn": f"arn:aws:sns:{HERE}:state.fifo", "Protocol": "lambda", "Endpoint": f"{FUNCTIONS}state"}, "InvalidParameter", "Endpoint Reason: Functions can not be subscribed to FIFO topics"),
    "a function that gets the bare message": ("sns", "subscribe", {"TopicArn": f"arn:aws:sns:{HERE}:state", "Protocol": "lambda", "Endpoint": f"{FUNCTIONS}state", "Attributes": {"RawMessageDelivery": "true"}}, "InvalidParameter", "RawMessageDelivery: Delivery protocol [lambda] does not support raw message delivery."),
    **{f"the variable {name}": ("lambda", "update_function_configuration", {"FunctionName": "state", "Environment": {"Variables": {name: "x"}}}, WRONG if name.startswith("_") else PARAMETER, "" if name.startswith("_") else f"{ENVIRONMENT}contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {name}") for name in RESERVED_ENV},
}  # fmt: skip


@pytest.fixture(scope="module")
def standing(aws, functions):
    """Something of each service, whose state decides."""
    iam, queues, s3 = aws("iam"), aws("sqs"), aws("s3")
    make_role(iam, "state")
    make_role(iam, "state-scheduler", trust=BY_SCHEDULER)
    for name, attributes in {
        "state": {"VisibilityTimeout": "40"}, "state-free": {"VisibilityTimeout": "40"}, "state-short": {},
        "state.fifo": {"VisibilityTimeout": "40", "FifoQueue": "true"},
        "state-closed": {"RedriveAllowPolicy": json.dumps({"redrivePermission": "denyAll"})},
        "state-open": {"RedriveAllowPolicy": json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [f"{QUEUES}state-source"]})},
    }.items():  # fmt: skip
        queues.create_queue(QueueName=name, Attributes=attributes)
    aws("kinesis").create_stream(StreamName="state", ShardCount=1)
    receiving = [{"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": f"{QUEUES}state-*"}]
    for name, allowed in {"state": ANYTHING, "state-closed": receiving}.items():
        code, may = "def handler(e, c): pass\n", make_role(iam, f"{name}-own", allowed)
        functions.make(code, name=name, Timeout=40, Role=may)
    aws("lambda").create_event_source_mapping(FunctionName="state", EventSourceArn=f"{QUEUES}state")
    aws("lambda").create_event_source_mapping(**OF_STREAM)
    aws("lambda").create_alias(FunctionName="state", Name="now", FunctionVersion="$LATEST")
    aws("lambda").add_permission(
        FunctionName="state", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::state-bucket", SourceAccount="000000000000",
    )  # fmt: skip
    aws("events").create_event_bus(Name="state-bus")
    aws("events").put_rule(Name="state", ScheduleExpression="rate(1 day)")
    for name in ("state-bucket", "state-other"):
        s3.create_bucket(Bucket=name)
    aws("sns").create_topic(Name="state")
    aws("sns").create_topic(Name="state.fifo", Attributes={"FifoTopic": "true"})


@pytest.mark.table("calls that AWS refuses for what stands")
@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(standing, aws, case):
    service, operation, arguments, code, words = case
    with pytest.raises(ClientError) as caught:
        getattr(aws(service), operation)(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert words in error["Message"]


def test_a_mapping_that_is_changed_is_looked_at_too(standing, aws):
    of = {"FunctionName": "state", "EventSourceArn": f"{QUEUES}state"}
    (mapping,) = aws("lambda").list_event_source_mappings(**of)["EventSourceMappings"]
    with pytest.raises(ClientError, match="Maximum batch window in seconds must be greater than 0"):
        aws("lambda").update_event_source_mapping(UUID=mapping["UUID"], BatchSize=11)
    changed = aws("lambda").update_event_source_mapping(
        UUID=mapping["UUID"], BatchSize=11, MaximumBatchingWindowInSeconds=1
    )
    assert changed["BatchSize"] == 11


def test_what_fits_is_taken(standing, aws):
    functions, events, s3 = aws("lambda"), aws("events"), aws("s3")
    table = table_with_stream(aws("dynamodb"), "state")["LatestStreamArn"]
    taken = [
        {**OF_QUEUE, "BatchSize": 10_000, "MaximumBatchingWindowInSeconds": 1, "FilterCriteria": {"Filters": [{"Pattern": '{"body": ["a"]}'}] * 10}},
        {**OF_QUEUE, "EventSourceArn": f"{QUEUES}state.fifo", "BatchSize": 10},
        {**OF_STREAM, "EventSourceArn": table, "StartingPosition": "TRIM_HORIZON", "BisectBatchOnFunctionError": True},
    ]  # fmt: skip
    for settings in taken:
        functions.create_event_source_mapping(**settings)
    events.put_rule(Name="state-pattern", EventPattern='{"source": ["a"]}', EventBusName="state-bus")
    events.put_targets(Rule="state", Targets=[target(str(number), Input="{}") for number in range(5)])
    events.put_targets(Rule="state", Targets=[target("4", InputPath="$.detail")])
    pair = [told(PUT, rules=[("prefix", "a/"), ("suffix", ".csv")]), told(PUT, name="two", rules=[("suffix", ".txt")])]
    s3.put_bucket_notification_configuration(**notifications(*pair))
    s3.put_object(Bucket="state-bucket", Key="ü" * 512, Body=b"", Metadata={"a": "x" * 2047})
    longest = {"FunctionName": "state-closed", "Timeout": LONGEST_RUN}
    assert functions.update_function_configuration(**longest)["Timeout"] == LONGEST_RUN
    policy = json.dumps({"deadLetterTargetArn": f"{QUEUES}state-open", "maxReceiveCount": 3})
    aws("sqs").create_queue(QueueName="state-source", Attributes={"RedrivePolicy": policy})
    aws("scheduler").create_schedule(**{**SCHEDULE, "Name": "state", "ScheduleExpressionTimezone": "Europe/Vienna"})


def test_events_that_lack_something_fail_alone(standing, aws):
    whole = {"Source": "a", "DetailType": "b", "Detail": "{}"}
    entries = [{**whole, missing: ""} for missing in whole] + [whole]
    answer = aws("events").put_events(Entries=entries)
    told_of = [entry.get("ErrorMessage") for entry in answer["Entries"]]
    assert answer["FailedEntryCount"] == 3
    assert told_of == [f"Parameter {name} is not valid. Reason: {name} is a required argument." for name in whole] + [
        None
    ]


@pytest.mark.parametrize(
    ("algorithm", "name", "value"),
    [(None, "ChecksumCRC32", "jNwWgw=="), ("SHA256", "ChecksumSHA256", "LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE=")],
)  # fmt: skip
def test_s3_answers_with_the_checksum_of_what_was_written(standing, aws, algorithm, name, value):
    asked = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    answer = aws("s3").put_object(Bucket="state-bucket", Key="sum", Body=b"x", **asked)
    assert answer[name] == value
    assert answer["ChecksumType"] == "FULL_OBJECT"
