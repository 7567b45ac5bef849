"""What AWS says when a deploy, a send or a delete cannot go on, and what helps."""

import pytest
from botocore.exceptions import ClientError

from nbchalice.aws.errors import explain
from nbchalice.aws.hints import BY_WORDS, hint_for

PARAMETER = "InvalidParameterValueException"
# In AWS's form, with names of our own: code, message, and a word of the hint.
SAID = [
    (PARAMETER, "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [10].", "--reserved-concurrency"),
    (PARAMETER, "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [10].", "a new account has 10 in all"),
    (PARAMETER, "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to 3008", "3008 MB"),
    ("ValidationException", "1 validation error detected: Value '4096' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 3008", "--memory"),
    (PARAMETER, "Unzipped size must be smaller than 262144000 bytes", "--requirements"),
    ("RequestEntityTooLargeException", "Request must be smaller than 70167211 bytes for the CreateFunction operation", "%chalice bundle"),
    (PARAMETER, "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {}", "--env"),
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
    ("InvalidParameterValue", "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly", "--deduplication-id"),
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
    ("KMS.DisabledException", "arn:aws:kms:eu-west-1:123456789012:key/k is disabled. (Service: AWSKMS; KMS)", "quota|enable|key"),
    ("AccessDeniedException", "User: arn:aws:iam::1:user/ann is not authorized to perform: kms:CreateGrant on resource: k", "policy of the key"),
    ("AccessDeniedException", "User: u is not authorized to perform: lambda:CreateFunction on resource: f with an explicit deny in a service control policy", "organisation forbids"),
    ("AccessDenied", "User: u is not authorized to perform: iam:CreateRole on resource: r with an explicit deny in a permissions boundary", "own role forbids"),
    ("AccessDeniedException", "User: u is not authorized to perform: lambda:GetFunction on resource: f", "ask for lambda:GetFunction; "),
    ("AccessDenied", "Access Denied", "the permission that the message names"),
    ("MalformedPolicyDocument", "Syntax errors in policy.", "--policy"),
    ("CodeVerificationFailedException", "The code signature failed one or more of the validation checks", "signed code"),
    ("CodeStorageExceededException", "Code storage limit exceeded.", "quota"),
    ("ResourceConflictException", "The operation cannot be performed at this time. An update is in progress", "something else is changing it"),
    ("TooManyRequestsException", "Rate exceeded", "in a minute"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "message", "word"), SAID)
def test_an_error_that_people_meet_says_what_helps(code, message, word):
    error = explain(ClientError({"Error": {"Code": code, "Message": message}}, "CreateFunction"), "creating it")
    assert message in error.message
    assert any(one in (error.hint or "") for one in word.split("|")), error.hint


def test_each_row_has_a_message_and_the_first_that_fits_counts():
    met = {hint_for("", message) for _, message, _ in SAID}
    assert met >= {hint for _, hint in BY_WORDS}


def test_nothing_is_made_up_where_nothing_is_known():
    assert hint_for("StrangeException", "something new") is None
