"""Refusals that pass are waited for, all others end a deploy at once; each row of the table is injected."""

import time
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from nbchalice.aws.passing import REFUSALS, passing, read_patiently
from nbchalice.aws.target import connect
from nbchalice.deploy import execute as execution
from nbchalice.errors import DeployError
from nbchalice.events.leases import leases
from nbchalice.resources import upload_bucket

from ..roles import TRUST
from .harness import Foreign, app, deploy, handler, plan, s3, schedule, sns, sqs, unique
from .injection import disturbed_connection, refusal

SCHEDULE = schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna")
# Where AWS refuses, and what it says: a case for each row at least.
CASES = {
    "throttled": ("lambda", "CreateFunction", "TooManyRequestsException", 429, "Rate exceeded"),
    "throttled by its code": ("iam", "CreateRole", "Throttling", 400, "Rate exceeded"),
    "AWS's own fault": ("lambda", "AddPermission", "ServiceException", 500, "An error occurred"),
    "another change": (
        *("lambda", "UpdateFunctionConfiguration", "ResourceConflictException", 409),
        "The operation cannot be performed at this time. An update is in progress for resource",
    ),
    "a stream asked too often": (
        "lambda",
        "CreateFunction",
        "LimitExceededException",
        400,
        "Rate exceeded for stream x",
    ),
    "a queue just deleted": (
        *("sqs", "CreateQueue", "AWS.SimpleQueueService.QueueDeletedRecently", 400),
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    ),
    "another change of a schedule": (
        *("scheduler", "CreateSchedule", "ConflictException", 409),
        "Updating or deleting the resource can cause an inconsistent state.",
    ),
    "EC2 asked too often": (
        *("lambda", "CreateFunction", "InvalidParameterValueException", 400),
        "Your request has been throttled by EC2, please make sure you have enough API rate limit.",
    ),
    "a function that Lambda itself does not know": (
        *("lambda", "AddPermission", "ResourceNotFoundException", 404),
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:x",
    ),
    "a bucket that S3 itself does not know": (
        *("s3", "PutBucketLifecycleConfiguration", "NoSuchBucket", 404),
        "The specified bucket does not exist",
    ),
    "a role that Lambda does not know for a mapping": (
        *("lambda", "CreateEventSourceMapping", "InvalidParameterValueException", 400),
        "The provided execution role cannot be assumed by Lambda.",
    ),
    "rights of a destination": (
        *("lambda", "PutFunctionEventInvokeConfig", "InvalidParameterValueException", 400),
        "The function's execution role does not have permissions to call SendMessage on arn:aws:sqs:us-east-1:000000000000:x",
    ),
    "a role that Lambda does not know": (
        *("lambda", "CreateFunction", "InvalidParameterValueException", 400),
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    "rights of a queue": (
        *("lambda", "CreateEventSourceMapping", "InvalidParameterValueException", 400),
        "The provided execution role does not have permissions to call ReceiveMessage on SQS",
    ),
    "rights of a stream": (
        *("lambda", "CreateEventSourceMapping", "InvalidParameterValueException", 400),
        "Cannot access stream arn:aws:kinesis:x. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, ListShards, and ListStreams Actions on your stream in IAM.",
    ),
    "a key's grant": (
        *("lambda", "CreateFunction", "InvalidParameterValueException", 400),
        "Lambda was unable to configure access to your environment variables because the KMS key is invalid for "
        "CreateGrant. Please check your KMS key settings. KMS Exception: InvalidArnException KMS Message: ARN does not "
        "refer to a valid principal",
    ),
    "a role that Scheduler does not know": (
        *("scheduler", "CreateSchedule", "ValidationException", 400),
        "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
    ),
    "a role that IAM itself does not know": (
        *("iam", "PutRolePolicy", "NoSuchEntity", 404),
        "The role with name x cannot be found.",
    ),
    "a principal of a queue's policy": (
        *("sqs", "CreateQueue", "InvalidAttributeValue", 400),
        "Invalid value for the parameter Policy.",
    ),
    "a permission that S3 does not see": (
        *("s3", "PutBucketNotificationConfiguration", "InvalidArgument", 400),
        "Unable to validate the following destination configurations",
    ),
}
S3_REFUSES = {"PutBucketNotificationConfiguration": CASES["a permission that S3 does not see"][2:]}
FINAL = {
    "our own rights": (
        *("sqs", "SetQueueAttributes", "AccessDenied", 403),
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: sqs:setqueueattributes on resource: x",
    ),
    "our own rights at Lambda": (
        *("lambda", "CreateFunction", "AccessDeniedException", 403),
        "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: iam:PassRole on resource: x",
    ),
    "a checksum": (
        *("lambda", "CreateFunction", "InvalidParameterValueException", 400),
        "CodeSHA256 (a) is different from current CodeSHA256 in $LATEST (b). Please try again with the CodeSHA256.",
    ),
    "a quota": ("lambda", "CreateFunction", "InvalidParameterValueException", 400, "'MemorySize' value failed"),
    "the wrong call": (
        *("iam", "CreateRole", "InvalidParameterValueException", 400),
        "The role defined for the function cannot be assumed by Lambda.",
    ),
    "more than there may be": ("iam", "CreateRole", "LimitExceeded", 409, "Cannot exceed quota for Roles"),
}


class Refusing:
    """A connection on which AWS refuses the first calls of some operations; botocore itself tries none again."""

    def __init__(self, local_aws, answers, *, times, further=""):
        self.answers, self.times, self.further = answers, times, further
        self.calls = Counter()
        self.aws = disturbed_connection(local_aws, connect("local"), self, 1)

    def before_send(self, client, request, event_name):
        operation = event_name.rsplit(".", 1)[-1]
        if operation not in self.answers:
            return None
        self.calls[operation] += 1
        if self.calls[operation] > self.times:
            return None
        code, status, message = self.answers[operation]
        made = refusal(client.meta.service_model.protocol, request.url, code, status)
        text = made._content.replace(b"injected", message.encode())
        made._content = text.replace(b"</Code>", f"</Code>{self.further}".encode())
        return made


@pytest.fixture(scope="module")
def place(local_aws):
    return Foreign(connect("local"), unique("place"))


def whole(name, place):
    """An app whose deploy makes every call of the table."""
    return app(
        name,
        handler("tick", SCHEDULE),
        handler("ingest", s3(place.bucket, prefix=f"{name}/")),
        handler("announce", sns(place.topic), dlq=f"{name}-dead", on_failure=f"{name}-failed"),
        handler("price", sqs(place.queue, fix_visibility_timeout=True), timeout=60),
    )


def longer(made):
    """The app with other timeouts."""
    changed = [
        handler(h.name, *((t.source, t.options) for t in h.triggers), **{**h.settings, "timeout": 61})
        for h in made.handlers
    ]
    return app(made.name, *changed)


def case(service, operation, code, status, message):
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation
    )


def test_each_row_of_the_table_has_a_case():
    met = {passing(case(*values)) for values in CASES.values()}
    assert met == set(REFUSALS)
    assert [name for name, values in FINAL.items() if passing(case(*values))] == []
    assert all(row.source for row in REFUSALS)


def through_the_bucket(connection, monkeypatch):
    """Let zips go through the account's bucket, whose rules are not yet as a deploy wants them."""
    monkeypatch.setattr(upload_bucket, "DIRECT_LIMIT", 10)
    client, bucket = connection.client("s3"), upload_bucket.upload_bucket(connection.account, connection.region)
    client.create_bucket(Bucket=bucket)
    client.delete_bucket_lifecycle(Bucket=bucket)


@pytest.mark.parametrize("name_of_case", CASES)
def test_what_passes_is_tried_again(name_of_case, name, place, local_aws, connection, record_property, monkeypatch):
    _, operation, *answer = CASES[name_of_case]
    made = whole(name, place)
    if operation == "UpdateFunctionConfiguration":
        deploy(made, connection)
        made = longer(made)
    if operation == "PutBucketLifecycleConfiguration":
        through_the_bucket(connection, monkeypatch)
    refusing = Refusing(local_aws, {operation: answer}, times=2)
    begun = time.monotonic()
    deploy(made, refusing.aws)
    record_property("told", f"Refusal that passes: {name_of_case}: {time.monotonic() - begun:.1f} s")
    assert refusing.calls[operation] > 2, f"{operation} was not called"
    assert plan(made, connection).changes == ()


@pytest.mark.parametrize("name_of_case", FINAL)
def test_what_is_final_is_said_at_once(name_of_case, name, place, local_aws):
    _, operation, *answer = FINAL[name_of_case]
    refusing = Refusing(local_aws, {operation: answer}, times=1000)
    with pytest.raises(DeployError) as stopped:
        deploy(app(name, handler("price", sqs(place.queue, fix_visibility_timeout=True), timeout=300)), refusing.aws)
    assert refusing.calls[operation] == 1
    assert answer[2] in stopped.value.message


@pytest.mark.parametrize(
    ("name_of_case", "hint"),
    [
        ("a role that Lambda does not know", "the role's trust policy must let lambda.amazonaws.com take it"),
        ("rights of a queue", "the role lacks the permission that the message names"),
        ("a permission that S3 does not see", "get-bucket-notification-configuration --bucket BUCKET"),
    ],
)
def test_what_was_known_long_ago_is_waited_for_for_seconds_only(
    name_of_case, hint, name, place, local_aws, connection, monkeypatch
):
    monkeypatch.setattr(execution, "UNTIL_KNOWN", 3600.0)
    monkeypatch.setattr(execution, "UNTIL_KNOWN_STANDING", 0.2)
    _, operation, *answer = CASES[name_of_case]
    made = whole(name, place)
    if operation == "CreateFunction":
        connection.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
        made = app(name, handler("alone", role=f"arn:aws:iam::{connection.account}:role/{name}"))
    else:
        deploy(made, connection)
        made = longer(app(name, *(h for h in made.handlers if h.name in {"ingest", "price"})))
        for mapping in connection.client("lambda").list_event_source_mappings(FunctionName=f"{name}-dev-price")[
            "EventSourceMappings"
        ]:
            connection.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
        rest = connection.client("s3").get_bucket_notification_configuration(Bucket=place.bucket)
        del rest["ResponseMetadata"], rest["LambdaFunctionConfigurations"]
        connection.client("s3").put_bucket_notification_configuration(
            Bucket=place.bucket, NotificationConfiguration=rest
        )
    refusing = Refusing(local_aws, {operation: answer}, times=1_000_000)
    with pytest.raises(DeployError) as stopped:
        deploy(made, refusing.aws)
    assert refusing.calls[operation] > 1
    assert answer[2] in stopped.value.message and hint in stopped.value.hint


def test_what_was_just_made_is_waited_for_for_two_minutes(name, place, local_aws, monkeypatch):
    """Only the seconds that AWS is given are fewer here: of a role of this very deploy they are those for what is new."""
    assert (execution.UNTIL_KNOWN, execution.UNTIL_KNOWN_STANDING) == (120.0, 20.0)
    monkeypatch.setattr(execution, "UNTIL_KNOWN", 0.5)
    monkeypatch.setattr(execution, "UNTIL_KNOWN_STANDING", 0.0)
    _, operation, *answer = CASES["a role that Lambda does not know"]
    refusing = Refusing(local_aws, {operation: answer}, times=1_000_000)
    with pytest.raises(DeployError, match="cannot be assumed by Lambda"):
        deploy(app(name, handler("alone", sqs(place.queue))), refusing.aws)
    assert refusing.calls[operation] > 1


def test_the_table_is_in_the_documentation():
    told = Path("docs/real-aws.md").read_text()
    assert [row.source for row in REFUSALS if f"| {row.source} |" not in told] == []
    assert told.count("| AWS has time |") + told.count("| AWS knows it |") == len(REFUSALS)


def test_an_entry_of_somebody_elses_that_leads_nowhere_is_named(name, place, local_aws):
    gone = "arn:aws:sqs:us-east-1:123456789012:gone"
    further = f"<ArgumentName1>{gone}, null</ArgumentName1><ArgumentValue1>The destination queue does not exist</ArgumentValue1>"
    refusing = Refusing(local_aws, S3_REFUSES, times=1000, further=further)
    with pytest.raises(DeployError, match="somebody else's lead to") as stopped:
        deploy(app(name, handler("ingest", s3(place.bucket, prefix=f"{name}/"))), refusing.aws)
    assert refusing.calls.total() == 1
    assert f"{gone}: The destination queue does not exist" in stopped.value.message
    assert "remove that entry, or make its target again" in stopped.value.hint


def test_an_entry_of_ours_that_s3_does_not_see_yet_is_waited_for(name, place, local_aws, connection):
    ours = f"arn:aws:lambda:{connection.region}:{connection.account}:function:{name}-dev-ingest"
    further = (
        f"<ArgumentName1>{ours}, null</ArgumentName1><ArgumentValue1>Not authorized to invoke function</ArgumentValue1>"
    )
    refusing = Refusing(local_aws, S3_REFUSES, times=2, further=further)
    deploy(app(name, handler("ingest", s3(place.bucket, prefix=f"{name}/"))), refusing.aws)
    assert refusing.calls.total() == 3


READS = ("GetPolicy", "GetFunction", "ListEventSourceMappings", "ListRoles", "GetQueueAttributes", "ListQueues")


def test_reads_that_are_throttled_are_asked_again(name, place, local_aws, connection):
    """Lambda's GetPolicy may be called 15 times a second, and many handlers are read side by side."""
    made = whole(name, place)
    deploy(made, connection)
    refusing = Refusing(local_aws, dict.fromkeys(READS, ("ThrottlingException", 400, "Rate exceeded")), times=2)
    assert plan(made, refusing.aws).changes == ()
    assert min(refusing.calls[operation] for operation in READS if operation != "ListQueues") > 2
    refusing.calls.clear()
    assert leases(refusing.aws, name, "dev") == []
    assert refusing.calls["ListQueues"] == 3


def test_a_read_that_is_denied_is_not_asked_again():
    asked = []

    def read():
        asked.append(1)
        raise case("lambda", "GetPolicy", "AccessDeniedException", 403, "no")

    with pytest.raises(ClientError):
        read_patiently(read)
    assert len(asked) == 1


def test_a_read_that_is_throttled_for_ever_is_given_up():
    def read():
        raise case("lambda", "GetPolicy", "TooManyRequestsException", 429, "Rate exceeded")

    with pytest.raises(ClientError, match="Rate exceeded"):
        read_patiently(read, patience=0.0)
