"""What helps against an error of AWS, by what it says; the code alone says too little ("InvalidParameterValue")."""

from __future__ import annotations

import re

from nbchalice.aws.refusals import REFUSED, missing_for, spelled
from nbchalice.resources.grants import ALL_PERMISSIONS

EXPRESSION = "correct the expression: rate(5 minutes), cron(0 9 ? * MON-FRI *) or at(2030-01-31T09:00:00)"
# Lambda, SQS, SNS, IAM and EventBridge: error messages of their APIs. The first row whose words are found counts.
BY_WORDS = (
    (
        r"Specified (Reserved)?ConcurrentExecutions for function (decreases|is greater)",
        "give a smaller --reserved-concurrency, or leave it out; an account keeps some runs for other functions, and "
        "a new account has 10 in all: ask AWS for a higher quota of concurrent executions",
    ),
    (
        r"'memorySize' failed to satisfy constraint|'MemorySize' value failed to satisfy constraint",
        "give a smaller --memory; new accounts have at most 3008 MB until AWS raises it",
    ),
    (
        r"Unzipped size must be smaller than",
        "ship less: --requirements FILE lists what to ship, and imports that the handler does not need can go",
    ),
    (
        r"Request must be smaller than \d+ bytes for the \w+ operation",
        "ship less: --requirements FILE lists what to ship, and %chalice bundle keeps large values apart",
    ),
    (
        r"environment variables you have provided exceeded the 4KB limit",
        "keep large values in a parameter or an object of S3, and give its name by --env",
    ),
    (
        r"Layer version .* does not exist",
        "correct --layer: aws lambda list-layer-versions --layer-name NAME lists them",
    ),
    (r"Layers are not in the same region", "give --layer a version of this region"),
    (r"Two different versions of the same layer", "give --layer only one version of each layer"),
    (r"Cannot reference more than 5 layers", "give --layer fewer times; the packages of a handler are one layer, too"),
    (r"InvalidSubnetID|DescribeSubnets", "correct --subnet: aws ec2 describe-subnets lists them"),
    (
        r"InvalidSecurityGroupID|DescribeSecurityGroups",
        "correct --security-group: aws ec2 describe-security-groups lists them",
    ),
    (
        r"destination ARN .* is invalid|The provided destination config",
        "correct --on-failure: its target must stand, in this region",
    ),
    (r"runtime parameter of \S+ is no longer supported", "give a newer --python"),
    (r"at 'runtime' failed to satisfy constraint", "give a --python that this region has"),
    (
        r"Queue visibility timeout: .* less than Function timeout",
        "add --fix-visibility-timeout, or give a shorter --timeout",
    ),
    (r"Unsupported starting position", "give --starting-position LATEST or TRIM_HORIZON"),
    (
        r"[Tt]he final policy size .* is bigger than the limit|policy size limit",
        "take triggers to a second handler: a function's policy has room for some 50",
    ),
    (
        r"(payload|Payload) is too large|exceeded maximum allowed payload size|smaller than \d+ bytes for the Invoke",
        "put the data into an object of S3, and send its key",
    ),
    (
        r"Message must be shorter than|Message too long|BatchRequestTooLong",
        "put the data into an object of S3, and send its key",
    ),
    (r"parameter DelaySeconds is invalid", "leave out --delay: the messages of a FIFO queue have none of their own"),
    (r"ContentBasedDeduplication enabled or MessageDeduplicationId", "add --dedup-id"),
    (r"must contain the parameter MessageGroupId|MessageGroupId is invalid", "add --group-id, letters and digits"),
    (
        r"Source queue must be configured as a Dead Letter Queue",
        "name it as the --dlq of the queue's handler, and deploy",
    ),
    (r"already a task running", "wait until the earlier redrive has ended"),
    (r"FilterPolicy", "correct --filter-policy; %chalice plan says what SNS takes"),
    (r"Invalid Schedule Expression", EXPRESSION),
    (
        r"Cannot exceed quota for (Roles|InstanceProfiles)",
        "delete roles that are not needed, or ask AWS for a higher quota",
    ),
    (
        r"Cannot exceed quota for (PolicySize|.*policy size)|Maximum policy size",
        "shorten --policy and --allow; one statement can name several ARNs",
    ),
    (
        r"[Tt]ag policy|TagPolicy",
        "correct --tag: the tag policy of your organisation says which values a key may have",
    ),
    (
        r"Scope ARN|(?<!iam:PutRole)PermissionsBoundary",
        "give the boundary that your organisation demands: --permissions-boundary ARN",
    ),
    (
        r"[Nn]ot authorized to perform:? sts:AssumeRole",
        "the trust policy of the role must let you take it, and your own policy must allow it: ask who keeps the role",
    ),
    (r"^Token expired: current date", "the token of the web identity is too old: the platform must write a new one"),
    (r"Cross-account pass role is not allowed", "give a --role of this account"),
    (
        r"unable to decrypt the environment variables",
        "the key must let the function's role use it; of a role that was made anew Lambda's grant is still for the "
        "former one: deploy once with another --role, and then without it",
    ),
    (
        r"(is|are) (disabled|pending deletion|not enabled).*KMS|KMS.*(disabled|pending deletion|not enabled)",
        "enable the key, or take another one",
    ),
    (
        r"(is not authorized to perform|Access ?Denied).*kms:|kms:\w+.*not authorized",
        "the policy of the key must allow it, too: ask who keeps the key",
    ),
    (r"^Zipped size must be smaller than", "ship less: %chalice bundle keeps large values apart"),
    (
        r"while GetObject\. S3 Error Code: NoSuch",
        "run it again: what went through the bucket is uploaded anew",
    ),
    (
        r"SQS Error Code: AWS\.SimpleQueueService\.NonExistentQueue",
        "correct the name of the queue, or make it: aws sqs create-queue --queue-name NAME, in the function's region",
    ),
    (
        r"Stream not found|Requested resource not found: Stream|Unrecognized event source",
        "correct the stream's name or ARN; a table's stream has a new ARN each time that it is switched on",
    ),
    (r"'startingPosition' failed", "give --starting-position LATEST or TRIM_HORIZON"),
    (
        r"Maximum batch window .* must be greater than 0",
        "add --maximum-batching-window-in-seconds 1, or give a --batch-size up to 10",
    ),
    (r"Invalid filter pattern definition", "correct --filter; %chalice plan says what Lambda takes"),
    (r"specify the function as a destination for itself", "give --on-failure another target than the function"),
    (
        r"'destinationConfig\.onFailure\.destination' failed",
        "correct --on-failure: its target must stand, in this region",
    ),
    (
        r"exceeds resource tag limit",
        "give --tag fewer times: a function has 50 at most, those of nbchalice counted",
    ),
    (
        r"lower than function's total provisioned concurrency",
        "give a larger --reserved-concurrency, or take the provisioned concurrency off the function",
    ),
    (r"'layers' failed", "correct --layer: the ARN of a layer's version ends with its number"),
    (r"'role' failed", "correct --role: arn:aws:iam::ACCOUNT:role/NAME"),
    (r"'vpcConfig\.subnetIds' failed", "correct --subnet: aws ec2 describe-subnets lists them"),
    (r"'vpcConfig\.securityGroupIds' failed", "correct --security-group: aws ec2 describe-security-groups lists them"),
    (r"'architectures' failed", "give --arch x86_64 or --arch arm64"),
    (
        r"at '(functionName|statementId|name)' failed",
        "choose another name for app, stage or handler: letters, digits and dashes, and not too long",
    ),
    (
        r"^Functions from '.*' are not reachable in this region",
        "give the ARN of a function of this region",
    ),
    (
        r"^Function (not found|does not exist)|^The function doesn't exist",
        "%chalice deploy makes it; %chalice status lists what stands",
    ),
    (
        r"code signing configuration .* can not be found",
        "the function's code signing configuration is gone; take it off the function",
    ),
    (
        r"(mapping|statement id|function url config|FunctionUrlConfig).* exists",
        "somebody made it meanwhile; run it again, and what stands is read anew",
    ),
    (r"Event pattern is not valid", "correct the event pattern; %chalice plan says what EventBridge takes"),
    (r"^Event bus .* does not exist", "correct --bus, or make it: aws events create-event-bus --name NAME"),
    (r"^Rule .* does not exist|^Event source mapping not found", "%chalice deploy makes it again"),
    (
        r"^Total size of the entries in the request is over",
        "put the data into an object of S3, and send its key",
    ),
    (
        r"PutEventsRequestEntry|^Parameter Event is not valid",
        "correct the source and the detail-type of the event pattern, and --detail, which must be JSON",
    ),
    (r"^Parameter ScheduleExpression is not valid", EXPRESSION),
    (
        r"^Policy arn:\S+ (does not exist|was not found)",
        "correct --permissions-boundary; aws iam list-policies lists them",
    ),
    (r"^Invalid parameter: Subject", "correct --subject: up to 100 characters in one line"),
    (r"^Invalid parameter: Empty message|contain the parameter MessageBody", "give a --message that is not empty"),
    (r"MessageGroupId parameter is required", "add --group-id, letters and digits"),
    (r"MessageGroupId parameter that is not valid", "leave out --group-id: the topic is no FIFO topic"),
    (r"MessageDeduplicationId parameter that is not valid", "leave out --dedup-id: the topic is no FIFO topic"),
    (r"parameter MessageDeduplicationId is invalid", "correct --dedup-id: letters, digits and punctuation"),
    (
        r"[Mm]essage( \(user\))? attribute|message attribute name|Duplicated keys are not allowed",
        "correct --attribute NAME:TYPE=VALUE: String, Number or Binary, not empty; names have letters, digits, - and _",
    ),
    (r"does not support nested filter policy", "add --filter-scope MessageBody, or correct --filter-policy"),
    (r"^Invalid parameter: (TopicArn|Topic Name|Topic$)", "correct the topic's name or ARN"),
    (
        r"^Batch requests cannot be longer|all the messages put together is more",
        "put the data into an object of S3, and send its key",
    ),
    (r"The receipt handle has expired", "it was received too long ago; look at the queue again"),
    (
        r"specified for the (SourceArn|DestinationArn) parameter doesn't exist",
        "the queue is gone; name the one that stands as --dlq, and deploy",
    ),
    (
        r"^The specified log (group|stream) does not exist",
        "the function has not written yet, or its log was deleted; send it an event",
    ),
    (
        r"'roleSessionName' failed|^arn:\S+ is invalid$",
        "correct role_arn and role_session_name in ~/.aws/config",
    ),
    (
        r"with an explicit deny in a service control policy",
        "your organisation forbids it for every role; ask who keeps its policies",
    ),
    (r"with an explicit deny in a permissions boundary", "the boundary of your own role forbids it; ask who set it"),
)  # fmt: skip
# What makes a thing that takes tags; a company may deny it without some of them (IAM: aws:RequestTag).
TAGGED = frozenset(
    {
        "events:PutRule", "iam:CreateRole", "lambda:CreateEventSourceMapping", "lambda:CreateFunction",
        "logs:CreateLogGroup", "s3:CreateBucket", "sqs:CreateQueue",
    }
)  # fmt: skip
# What may be denied for roles without a boundary (IAM: iam:PermissionsBoundary).
BOUNDED = frozenset(["iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy"])
DENIALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException")
BY_CODE = {
    "ExpiredToken": "log in again (for example aws sso login); the kernel need not be restarted",
    "ExpiredTokenException": "log in again (for example aws sso login); the kernel need not be restarted",
    "InvalidIdentityToken": "the token of the web identity is not valid any more, or not for this role; get a new one",
    "IDPCommunicationError": "run it again in a minute; the provider of the web identity did not answer",
    "InvalidClientTokenId": "check the credentials: aws sts get-caller-identity",
    "UnrecognizedClientException": "check the credentials: aws sts get-caller-identity",
    "SignatureDoesNotMatch": "check the secret key and this computer's clock",
    "RequestTimeTooSkewed": "set this computer's clock",
    **dict.fromkeys(
        ("ResourceConflictException", "PreconditionFailedException", "ConcurrentModificationException"),
        "something else is changing it; run it again when that is done",
    ),
    "DeleteConflict": "take off it what others attached to it, such as an instance profile, and run it again",
    "MalformedPolicyDocument": "correct --policy and --allow; IAM says where",
    "CodeSigningConfigNotFoundException": "the function's code signing configuration is gone; take it off the function",
    **dict.fromkeys(
        ("InvalidCodeSignatureException", "CodeVerificationFailedException"),
        "the function takes signed code only, which nbchalice does not make: give it a code signing configuration that "
        "warns (--code-signing ARN), or take its own off (aws lambda delete-function-code-signing-config)",
    ),
    "CodeStorageExceededException": "delete functions and layers that are not needed, or ask AWS for a higher quota",
    "LimitExceeded": "delete what is not needed, or ask AWS for a higher quota",
    "LimitExceededException": "delete what is not needed, or ask AWS for a higher quota",
    **dict.fromkeys(
        ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"),
        "AWS limits how often it is asked; run it again in a minute",
    ),
}


def hint_for(code: str, message: str, operation: str = "") -> str | None:
    """Return what helps against an error of AWS, or None where nothing more is known than it says.

    Parameters
    ----------
    code : str
        AWS's code, for example ``InvalidParameterValueException``.
    message : str
        What AWS says with it.
    operation : str
        The call that it answers. Default: not known.
    """
    if missing := missing_for(code, message):
        return missing
    words = next((hint for pattern, hint in BY_WORDS if re.search(pattern, message, re.DOTALL)), None)
    refused = REFUSED.search(message) if code in DENIALS else None
    if not refused and code in DENIALS:
        # S3 and some others do not say what was denied.
        return words or f"ask for the permission that {operation or 'the call'} needs; {ALL_PERMISSIONS}"
    if not refused:
        return words or BY_CODE.get(code)
    resource = refused["quoted"] or refused["arn"]
    action = spelled(refused["service"].lower(), refused["name"])
    asked = f"ask for {action}{f' on {resource}' if resource else ''}; {ALL_PERMISSIONS}"
    return "; ".join([words or asked, *_demands(action)])


def _demands(action: str) -> list[str]:
    """Return what an organisation may want to be given for an action; its denial does not say on what terms."""
    ways = []
    if action in BOUNDED:
        ways.append(
            "where it wants a boundary on roles, give --permissions-boundary ARN, or a role that stands: --role ARN"
        )
    if action in TAGGED:
        ways.append("where it wants tags, give --tag KEY=VALUE")
    return [f"your organisation may have rules: {', and '.join(ways)}"] if ways else []
