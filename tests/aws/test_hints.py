"""What AWS says when a deploy, a send or a delete cannot go on, and what helps."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from nbchalice.aws.errors import explain
from nbchalice.aws.hints import BY_CODE, BY_WORDS, hint_for

PARAMETER, VALIDATION = "InvalidParameterValueException", "ValidationException"
# In AWS's form, with names of our own: code, message, and a word of the hint.
SAID = [
    ("AccessDenied", "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/x", "trust policy"),
    ("ExpiredTokenException", "Token expired: current date/time 1764433284 must be before the expiration date/time 1764432284", "must write a new one"),
    (PARAMETER, "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].", "--reserved-concurrency"),
    (PARAMETER, "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [10].", "a new account has 10 in all"),
    (PARAMETER, "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008", "3008 MB"),
    ("ValidationException", "1 validation error detected: Value '4096' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 3008", "--memory"),
    (PARAMETER, "Unzipped size must be smaller than 262144000 bytes", "--requirements"),
    ("RequestEntityTooLargeException", "Request must be smaller than 70167211 bytes for the CreateFunction operation", "%chalice bundle"),
    (PARAMETER, "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit.", "--env"),
    (PARAMETER, "Layer version arn:aws:lambda:eu-west-1:123456789012:layer:shop:9 does not exist.", "list-layer-versions"),
    (PARAMETER, "Layers are not in the same region as the function. Layers are expected to be in region eu-west-1.", "of this region"),
    (PARAMETER, "Two different versions of the same layer are not allowed to be referenced in the same function.", "one version"),
    (PARAMETER, "Cannot reference more than 5 layers.", "fewer times"),
    (PARAMETER, "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound.", "--subnet"),
    (PARAMETER, "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound.", "--security-group"),
    (PARAMETER, "The destination ARN arn:aws:lambda:eu-west-1:123456789012:function:gone is invalid.", "--on-failure"),
    (PARAMETER, "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda functions.", "newer --python"),
    (PARAMETER, "Value python3.15 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [python3.14]", "--python that this region has"),
    (PARAMETER, "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds", "--fix-visibility-timeout"),
    (PARAMETER, "Unsupported starting position for arn type: arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/s", "--starting-position"),
    ("PolicyLengthExceededException", "The final policy size (20719) is bigger than the limit (20480).", "second handler"),
    ("RequestTooLargeException", "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)", "S3"),
    ("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.", "S3"),
    ("InvalidParameter", "Invalid parameter: Message too long", "S3"),
    ("InvalidParameterValue", "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid for this queue type.", "--delay"),
    ("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly", "--dedup-id"),
    ("MissingParameter", "The request must contain the parameter MessageGroupId.", "--group-id"),
    ("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.", "--dlq"),
    ("InvalidParameterValue", "There is already a task running. Only one active task is allowed for a source queue arn at a given time.", "earlier redrive"),
    ("InvalidParameter", "Invalid parameter: FilterPolicy: Unrecognized match type x", "--filter"),
    ("ValidationException", "Invalid Schedule Expression rate(10 seconds).", "rate(5 minutes)"),
    ("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000", "quota"),
    ("LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role r", "--policy"),
    ("TagPolicyException", "The tag policy does not allow the specified value for the following tag key: 'CostCenter'.", "which values a key may have"),
    ("AccessDenied", "User: u is not authorized to perform: iam:CreateRole on resource: r because no identity-based policy allows the iam:CreateRole action", "--permissions-boundary ARN"),
    ("AccessDeniedException", "User: u is not authorized to perform: lambda:CreateFunction on resource: f with an explicit deny in a service control policy", "--tag KEY=VALUE"),
    ("NoSuchEntity", "Scope ARN: arn:aws:iam::123456789012:policy/limit does not exist or is not attachable.", "--permissions-boundary"),
    (PARAMETER, "Cross-account pass role is not allowed.", "--role of this account"),
    ("KMSAccessDeniedException", "Lambda was unable to decrypt the environment variables because KMS access was denied. KMS Exception: AccessDeniedException", "with another --role"),
    ("KMS.DisabledException", "arn:aws:kms:eu-west-1:123456789012:key/k is disabled. (Service: AWSKMS; KMS)", "quota|enable|key"),
    ("AccessDeniedException", "User: arn:aws:iam::1:user/ann is not authorized to perform: kms:CreateGrant on resource: k", "policy of the key"),
    ("AccessDeniedException", "User: u is not authorized to perform: lambda:CreateFunction on resource: f with an explicit deny in a service control policy", "organisation forbids"),
    ("AccessDenied", "User: u is not authorized to perform: iam:CreateRole on resource: r with an explicit deny in a permissions boundary", "own role forbids"),
    ("AccessDeniedException", "User: u is not authorized to perform: lambda:GetFunction on resource: f", "ask for lambda:GetFunction; "),
    ("AccessDenied", "Access Denied", "the permission that CreateFunction needs"),
    ("MalformedPolicyDocument", "Syntax errors in policy.", "--policy"),
    ("CodeVerificationFailedException", "The code signature failed one or more of the validation checks", "signed code"),
    ("CodeStorageExceededException", "Code storage limit exceeded.", "quota"),
    ("ResourceConflictException", "The operation cannot be performed at this time. An update is in progress", "something else is changing it"),
    ("TooManyRequestsException", "Rate exceeded", "in a minute"),
    ("RequestEntityTooLargeException", "Zipped size must be smaller than 52428800 bytes", "%chalice bundle"),
    (PARAMETER, "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist.", "uploaded anew"),
    (PARAMETER, "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.", "create-queue"),
    (PARAMETER, "Stream not found: arn:aws:kinesis:eu-west-1:123456789012:stream/clicks", "the stream's name"),
    (PARAMETER, "Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.", "--starting-position"),
    (PARAMETER, "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10", "--maximum-batching-window-in-seconds"),
    (PARAMETER, "Invalid filter pattern definition.", "--filter"),
    (PARAMETER, "You can't specify the function as a destination for itself.", "--on-failure"),
    (VALIDATION, "Value 'arn:aws:lambda' at 'destinationConfig.onFailure.destination' failed to satisfy constraint", "--on-failure"),
    (PARAMETER, "Number of tags exceeds resource tag limit.", "--tag"),
    (PARAMETER, "ReservedConcurrentExecutions 1 should not be lower than function's total provisioned concurrency [2].", "larger --reserved-concurrency"),
    (VALIDATION, "Value '[arn:aws:lambda:eu-west-1:123456789012:layer:x]' at 'layers' failed to satisfy constraint", "ends with its number"),
    (VALIDATION, "Value 'r1' at 'role' failed to satisfy constraint", "--role"),
    (VALIDATION, "Value '[s]' at 'vpcConfig.subnetIds' failed to satisfy constraint", "--subnet"),
    (VALIDATION, "Value '[g]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint", "--security-group"),
    (VALIDATION, "Value '[X86_64]' at 'architectures' failed to satisfy constraint", "--arch x86_64"),
    (VALIDATION, "Value 'a:b' at 'functionName' failed to satisfy constraint", "another name"),
    ("ResourceNotFoundException", "Functions from 'eu-west-2' are not reachable in this region ('eu-west-1')", "of this region"),
    ("ResourceNotFoundException", "Function not found: arn:aws:lambda:eu-west-1:123456789012:function:shop-dev-price", "%chalice deploy"),
    ("ResourceNotFoundException", "The Lambda code signing configuration arn:x can not be found.", "code signing"),
    ("ResourceConflictException", "The statement id (s3) provided already exists. Please provide a new statement id", "read anew"),
    ("InvalidEventPatternException", "Event pattern is not valid. Reason: Empty arrays are not allowed", "EventBridge takes"),
    ("ResourceNotFoundException", "Event bus shop does not exist.", "--bus"),
    ("ResourceNotFoundException", "Rule shop-dev-tick-event does not exist on EventBus default.", "makes it again"),
    (VALIDATION, "Total size of the entries in the request is over the limit.", "S3"),
    (VALIDATION, "Parameter Event is not valid.", "--detail"),
    (VALIDATION, "Parameter ScheduleExpression is not valid.", "rate(5 minutes)"),
    ("NoSuchEntity", "Policy arn:aws:iam::123456789012:policy/limit does not exist or is not attachable.", "--permissions-boundary"),
    ("InvalidParameter", "Invalid parameter: Subject", "--subject"),
    ("InvalidParameter", "Invalid parameter: Empty message", "--message"),
    ("InvalidParameter", "Invalid parameter: The MessageGroupId parameter is required for FIFO topics", "--group-id"),
    ("InvalidParameter", "Invalid parameter: MessageGroupId Reason: The request includes MessageGroupId parameter that is not valid for this topic type", "leave out --group-id"),
    ("InvalidParameter", "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type", "leave out --dedup-id"),
    ("InvalidParameterValue", "Value a b for parameter MessageDeduplicationId is invalid. Reason: alphanumeric", "--dedup-id"),
    ("ParameterValueInvalid", "The message attribute 'a' with type 'Number' must use field 'String'.", "--attribute"),
    ("InvalidParameter", "Invalid parameter: Filter policy scope MessageAttributes does not support nested filter policy", "--filter-scope MessageBody"),
    ("InvalidParameter", "Invalid parameter: TopicArn", "topic's name"),
    ("BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.", "S3"),
    ("InvalidParameterValue", "Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", "again"),
    ("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.", "--dlq"),
    ("ResourceNotFoundException", "The specified log group does not exist.", "not written yet"),
    ("ValidationError", "arn:aws:iam:role is invalid", "role_arn"),
    ("NoSuchBucket", "The specified bucket does not exist", "%chalice local create bucket NAME"),
    ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", "%chalice local create queue NAME"),
    ("NotFound", "Topic does not exist", "%chalice local create topic NAME"),
    ("PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id.", "something else is changing it"),
    ("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.", "instance profile"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "message", "word"), SAID)
def test_an_error_that_people_meet_says_what_helps(code, message, word):
    error = explain(ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction"), "creating it")
    assert message in error.message
    assert any(one in (error.hint or "") for one in word.split("|")), error.hint


def test_each_row_has_a_message_and_the_first_that_fits_counts():
    met = {hint_for("", message) for _, message, _ in SAID}
    assert met >= {hint for _, hint in BY_WORDS}


def test_each_option_that_is_advised_exists():
    hints = [hint for _, hint in BY_WORDS] + [*BY_CODE.values(), *(hint_for(code, said) for code, said, _ in SAID)]
    options = {option for hint in hints for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", without_commands(hint))}
    reference = Path("docs/reference.md").read_text()
    assert len(options) > 20
    assert {option for option in options if not re.search(rf"`{option}[ `]", reference)} == set()


def without_commands(hint):
    """A hint without the options of the AWS CLI."""
    return re.sub(r"aws \w+ [a-z-]+( --[a-z-]+ [A-Z]+)*", "", hint)


def test_what_aws_does_not_allow_to_be_validated_of_others_is_not_blamed_on_our_destination():
    assert hint_for("InvalidArgument", "Unable to validate the following destination configurations") is None


def test_values_of_the_environment_are_not_repeated():
    said = 'the environment variables you have provided exceeded the 4KB limit. String measured: {"TOKEN":"hush"}'
    error = explain(ClientError({"Error": {"Code": PARAMETER, "Message": said}}, "CreateFunction"))
    assert "4KB limit." in error.message and "hush" not in str(error)


def test_what_aws_says_is_told_in_one_line_of_bearable_length():
    said = "Value x at 'runtime' failed\n to satisfy: [" + "python3.11, " * 200 + "]"
    error = explain(ClientError({"Error": {"Code": PARAMETER, "Message": said}}, "CreateFunction"))
    assert "failed to satisfy: [python3.11, " in error.message
    assert len(error.message) < 700 and error.message.endswith(" …") and "\n" not in error.message


RECORDED = Path(os.environ.get("NBCHALICE_ORACLES", "none")) / "errors_recorded.jsonl"
# Of what AWS was seen to answer, by service: how many answers, and how many of them say nothing that helps. What a deploy,
# a send or a delete cannot meet needs no help: aliases, archives, text messages to phones, log deliveries.
UNHELPED = {
    "dynamodbstreams": 0, "events": 21, "iam": 79, "lambda": 67, "logs": 22, "s3": 2, "scheduler": 0, "sns": 59, "sqs": 17,
    "sts": 4,
}  # fmt: skip


@pytest.mark.skipif(not RECORDED.exists(), reason="NBCHALICE_ORACLES names no folder of recorded answers")
def test_recorded_answers_are_explained():
    without = Counter(dict.fromkeys(UNHELPED, 0))
    for one in map(json.loads, RECORDED.read_text().splitlines()):
        answer = {
            "Error": {"Code": one["code"], "Message": one["message"]},
            "ResponseMetadata": {"HTTPStatusCode": one["status"]},
        }
        error = explain(ClientError(answer, "Call"), "doing it")
        assert error.message.startswith(f"doing it: AWS says {one['code']}: ") and "\n" not in error.message
        assert len(error.message) < 700
        without[one["service"]] += error.hint is None
    assert without <= Counter(UNHELPED), without


def test_nothing_is_made_up_where_nothing_is_known():
    assert hint_for("StrangeException", "something new") is None
