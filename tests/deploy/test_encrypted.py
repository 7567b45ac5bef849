"""What a key of the user's encrypts: the role that is made may use the key, and one that is given is told what it needs."""

import json
from contextlib import suppress

import pytest

from nbchalice.aws.target import Connection, Target
from nbchalice.resources.upload_bucket import upload_bucket

from ..tables import table_with_stream
from .harness import app, deploy, handler, plan, s3, sns, sqs
from .test_passing import Refusing


@pytest.fixture
def key(connection):
    return connection.client("kms").create_key()["KeyMetadata"]["Arn"]


@pytest.fixture
def encrypted(connection, name, key):
    """Two queues with the key: one that is read, one for what failed."""
    for queue in (name, f"{name}-dead"):
        connection.client("sqs").create_queue(
            QueueName=queue, Attributes={"KmsMasterKeyId": key, "VisibilityTimeout": "120"}
        )
    return name


def allowed(connection, name):
    policy = connection.client("iam").get_role_policy(RoleName=name, PolicyName="nbchalice")["PolicyDocument"]
    return {json.dumps(one["Action"]): one["Resource"] for one in policy["Statement"] if "kms" in json.dumps(one)}


def test_the_role_may_read_the_queue_and_write_to_that_for_what_failed(connection, name, encrypted, key, place):
    made = app(
        name, handler("price", sqs(encrypted)), handler("announce", sns(place.topic), dlq=f"{encrypted}-dead"),
        handler("plain", sqs(place.queue)),
    )  # fmt: skip
    deploy(made, connection)
    assert allowed(connection, f"{name}-dev-price") == {'["kms:Decrypt"]': key}
    assert allowed(connection, f"{name}-dev-announce") == {'["kms:Decrypt", "kms:GenerateDataKey"]': key}
    assert allowed(connection, f"{name}-dev-plain") == {}
    assert plan(made, connection).changes == ()


def test_a_key_by_its_alias(connection, name, encrypted, key):
    connection.client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    url = connection.client("sqs").get_queue_url(QueueName=encrypted)["QueueUrl"]
    connection.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": f"alias/{name}"})
    deploy(app(name, handler("price", sqs(encrypted))), connection)
    assert list(allowed(connection, f"{name}-dev-price").values()) == [key]


def test_a_key_of_awss_own_needs_nothing(connection, name, encrypted):
    url = connection.client("sqs").get_queue_url(QueueName=encrypted)["QueueUrl"]
    connection.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": "alias/aws/sqs"})
    deploy(app(name, handler("price", sqs(encrypted))), connection)
    assert allowed(connection, f"{name}-dev-price") == {}


def test_a_queue_that_is_encrypted_later_changes_the_role(connection, name, place, key):
    made = app(name, handler("price", sqs(place.queue)))
    deploy(made, connection)
    url = connection.client("sqs").get_queue_url(QueueName=place.queue)["QueueUrl"]
    connection.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    assert [change.resource.kind for change in plan(made, connection).changes] == ["role"]


def test_a_role_of_ones_own_is_told_what_it_needs(connection, name, encrypted, key):
    role = f"arn:aws:iam::{connection.account}:role/own"
    told = plan(app(name, handler("price", sqs(encrypted), role=role)), connection).notes
    assert any(f"price: {role} needs kms:Decrypt on {key}" in note for note in told), told


def test_a_key_that_may_not_be_looked_at_is_told(connection, name, encrypted, key, local_aws):
    connection.client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    url = connection.client("sqs").get_queue_url(QueueName=encrypted)["QueueUrl"]
    connection.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": f"alias/{name}"})
    denying = Refusing(local_aws, {"DescribeKey": ("AccessDeniedException", 400, "not authorized")}, times=1000)
    told = plan(app(name, handler("price", sqs(encrypted))), denying.aws).notes
    assert any(
        "price: AWS denies DescribeKey, which tells what encrypts SQS" in note and "needs kms:Decrypt" in note
        for note in told
    ), told


def test_a_plan_asks_each_queue_once(connection, name, encrypted):
    made = app(name, handler("price", sqs(encrypted, fix_visibility_timeout=True), dlq=f"{encrypted}-dead"))
    before = len(connection.calls)
    plan(made, connection)
    assert connection.calls[before:].count(("sqs", "GetQueueAttributes")) == 2


def test_keys_that_may_not_be_looked_at_are_told_in_one_line(connection, name, encrypted, key, local_aws):
    connection.client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    for queue in (encrypted, f"{encrypted}-dead"):
        url = connection.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
        connection.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": f"alias/{name}"})
    denying = Refusing(local_aws, {"DescribeKey": ("AccessDeniedException", 400, "not authorized")}, times=1000)
    made = app(name, handler("price", sqs(encrypted), dlq=f"{encrypted}-dead"), handler("again", sqs(encrypted)))
    (told,) = [note for note in plan(made, denying.aws).notes if "AWS denies DescribeKey" in note]
    assert told.startswith("price and again: AWS denies DescribeKey, which tells what encrypts SQS queue")
    assert told.endswith("with a key of yours, their roles need kms:Decrypt on it")


def encrypted_bucket(connection, name, key):
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    with suppress(connection.client("s3").exceptions.BucketAlreadyOwnedByYou):
        connection.client("s3").create_bucket(Bucket=name)
    connection.client("s3").put_bucket_encryption(
        Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule] if key else []}
    )


def encrypted_stream(connection, name, key):
    client = connection.client("kinesis")
    client.create_stream(StreamName=name, ShardCount=1)
    client.start_stream_encryption(StreamName=name, EncryptionType="KMS", KeyId=key)
    return "on_kinesis_record", {"stream": name}


def encrypted_table(connection, name, key):
    sealed = {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}}
    return "on_dynamodb_record", {
        "stream_arn": table_with_stream(connection.client("dynamodb"), name, **sealed)["LatestStreamArn"]
    }


def objects(connection, name, key):
    encrypted_bucket(connection, name, key)
    return s3(name)


def objects_by_events(connection, name, key):
    encrypted_bucket(connection, name, key)
    return s3(name, via="eventbridge")


@pytest.mark.parametrize("make", [encrypted_stream, encrypted_table, objects, objects_by_events])
def test_the_role_may_read_what_a_key_of_the_users_encrypts(connection, name, key, make):
    made = app(name, handler("price", make(connection, name, key)))
    deploy(made, connection)
    assert allowed(connection, f"{name}-dev-price") == {'["kms:Decrypt"]': key}
    assert plan(made, connection).changes == ()


def test_the_role_may_write_what_failed_to_an_encrypted_bucket_and_look_at_it(connection, name, key):
    encrypted_bucket(connection, name, key)
    deploy(app(name, handler("price", ("lambda_function", {}), on_failure=f"arn:aws:s3:::{name}")), connection)
    assert allowed(connection, f"{name}-dev-price") == {'["kms:GenerateDataKey"]': key}
    policy = connection.client("iam").get_role_policy(RoleName=f"{name}-dev-price", PolicyName="nbchalice")
    on_bucket = {
        one["Action"]: one["Resource"]
        for one in policy["PolicyDocument"]["Statement"]
        if str(one["Action"]).startswith("s3:")
    }
    assert on_bucket == {"s3:PutObject": f"arn:aws:s3:::{name}/*", "s3:ListBucket": f"arn:aws:s3:::{name}"}


@pytest.mark.parametrize(
    ("settings", "actions"), [({"record": 5}, '["kms:GenerateDataKey"]'), ({"record": 5, "kms_key": "own"}, None)]
)
def test_the_role_may_record_into_an_encrypted_bucket(connection, name, key, settings, actions):
    own = {"kms_key": key} if "kms_key" in settings else {}
    bucket = upload_bucket(connection.account, connection.region)
    encrypted_bucket(connection, bucket, key)
    try:
        made = app(name, handler("price", ("lambda_function", {}), **{**settings, **own}))
        deploy(made, connection)
        found = allowed(connection, f"{name}-dev-price")
        assert found == ({actions: key} if actions else {'"kms:GenerateDataKey"': key})
    finally:
        connection.client("s3").delete_bucket_encryption(Bucket=bucket)


def test_a_role_that_is_made_anew_is_told_where_the_function_has_variables(connection, name):
    """Lambda's grant on the key of the variables is for the role's own id, which another role of that name has not."""
    target = Target("aws", connection.region, connection.account, endpoint=connection.target.endpoint)
    aws = Connection(target, connection.client)
    made = app(
        name, handler("price", ("lambda_function", {}), env={"AB": "1"}), handler("plain", ("lambda_function", {}))
    )
    assert not any("made anew" in note for note in deploy(made, aws).plan.notes)
    for role in (f"{name}-dev-price", f"{name}-dev-plain"):
        aws.client("iam").delete_role_policy(RoleName=role, PolicyName="nbchalice")
        aws.client("iam").delete_role(RoleName=role)
    (told,) = [note for note in plan(made, aws).notes if "made anew" in note]
    assert told.startswith("price: its role is made anew") and "deploy once with another --role" in told
    assert not any("made anew" in note for note in plan(made, connection).notes)


LOGS_KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def group_of(connection, name):
    (group,) = connection.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-dev-price")[
        "logGroups"
    ]
    return group


def pure(name, **settings):
    return app(name, handler("price", ("lambda_function", {}), **settings))


def test_logs_and_variables_get_their_keys(connection, name, key):
    made = pure(name, log_kms_key=LOGS_KEY, kms_key=key, env={"AB": "1"})
    deploy(made, connection)
    assert group_of(connection, name)["kmsKeyId"] == LOGS_KEY
    client = connection.client("lambda")
    assert client.get_function_configuration(FunctionName=f"{name}-dev-price")["KMSKeyArn"] == key
    assert plan(made, connection).changes == ()
    client.update_function_configuration(FunctionName=f"{name}-dev-price", KMSKeyArn="")
    (change,) = plan(made, connection).changes
    assert "KMSKeyArn" in change.reason
    # What is not asked for stays, as an organisation may have set it.
    deploy(made, connection)
    assert [change.resource.kind for change in plan(pure(name, env={"AB": "1"}), connection).changes] in (
        [],
        ["function"],
    )
    deploy(pure(name, env={"AB": "1"}), connection)
    assert client.get_function_configuration(FunctionName=f"{name}-dev-price")["KMSKeyArn"] == key
    assert group_of(connection, name)["kmsKeyId"] == LOGS_KEY


def test_another_key_of_a_log_group_is_put(connection, name):
    """The local AWS does not have AssociateKmsKey: the call is checked against its model."""
    from nbchalice.resources.base import FunctionRef
    from nbchalice.resources.log_group import LogGroup
    from nbchalice.testing.model import ModelAWS

    deploy(pure(name), connection)
    standing = group_of(connection, name)
    group = LogGroup(FunctionRef(name, "dev", "price", "us-east-1", "000000000000"), kms_key=LOGS_KEY)
    assert group.differences(standing) == [f"key: none -> {LOGS_KEY}"]
    aws = ModelAWS()
    group.write(aws, standing)
    assert aws.calls == [("logs", "AssociateKmsKey", {"logGroupName": standing["logGroupName"], "kmsKeyId": LOGS_KEY})]
    assert group.differences({**standing, "kmsKeyId": LOGS_KEY}) == []


def test_the_class_of_a_log_group_is_set_once(connection, name):
    from nbchalice.errors import InvalidInputError

    made = pure(name, log_class="INFREQUENT_ACCESS")
    deploy(made, connection)
    assert group_of(connection, name)["logGroupClass"] == "INFREQUENT_ACCESS"
    assert plan(made, connection).changes == plan(pure(name), connection).changes == ()
    assert "class STANDARD only" in made.handlers[0].notes()[-1]
    with pytest.raises(InvalidInputError, match="has the class INFREQUENT_ACCESS, which AWS cannot change to STANDARD"):
        plan(pure(name, log_class="STANDARD"), connection)
    from nbchalice.deploy import engine

    engine.delete(made, connection)


@pytest.mark.parametrize("setting", ["kms_key", "log_kms_key"])
@pytest.mark.parametrize(
    "value", ["alias/mine", "1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws:kms:us-east-1:1:alias/x"]
)
def test_what_is_not_the_arn_of_a_key_is_refused(setting, value):
    (wrong,) = pure("app", **{setting: value}).handlers[0].problems()
    assert f"{setting} {value!r} is not the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID" in wrong.message
