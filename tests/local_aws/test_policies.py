"""What counts for a role beside its own statements: other policies, conditions, several resources, and how a call is made."""

import json
import urllib.request

import boto3
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from ..roles import BY_LAMBDA, NOTHING, PERSON, make_role

HERE = "us-east-1:000000000000"
ROLE = "arn:aws:iam::000000000000:role/policies"
CALL = """
import boto3
def handler(event, context):
    try:
        boto3.client("sqs").list_queues()
    except Exception as error:
        return str(error)
"""


@pytest.fixture
def iam(aws):
    return aws("iam")


@pytest.fixture
def allow(iam):
    """``allow((action, arn), ...)``: what the role may do; statements are taken as they are."""

    def put(*allowed):
        statements = [
            one if isinstance(one, dict) else {"Effect": "Allow", "Action": one[0], "Resource": one[1]}
            for one in allowed
        ]
        return make_role(iam, "policies", [*NOTHING, *statements])

    return put


@pytest.fixture(scope="module")
def keys(aws):
    """Of a session, which does not end as an environment does that is idle."""
    make_role(aws("iam"), "policies", NOTHING)
    return keys_of(aws("sts").assume_role(RoleArn=ROLE, RoleSessionName="session")["Credentials"])


def keys_of(credentials):
    names = {"access_key_id": "AccessKeyId", "secret_access_key": "SecretAccessKey", "session_token": "SessionToken"}
    return {f"aws_{name}": credentials[key] for name, key in names.items()}


@pytest.fixture(scope="module")
def as_role(local_aws, keys):
    """``as_role(service)``: a client with the credentials of the role."""
    clients = {}

    def client(service, **settings):
        config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, **settings)
        name = (service, str(settings))
        if name not in clients:
            clients[name] = boto3.client(service, config=config, **{**local_aws.client_kwargs(), **keys})
        return clients[name]

    return client


def refusal(call, **arguments):
    """Return the message with which a call is refused, or an empty text."""
    try:
        call(**arguments)
    except ClientError as error:
        if "denied" not in error.response["Error"]["Code"].lower() and error.response["Error"]["Code"] != "403":
            raise
        return error.response["Error"]["Message"]
    return ""


def test_a_queues_own_policy_allows_and_denies(aws, allow, as_role):
    url = aws("sqs").create_queue(QueueName="policies")["QueueUrl"]
    allow()
    arguments = {"QueueUrl": url, "MessageBody": "x"}
    send = as_role("sqs").send_message
    assert "no identity-based policy allows the sqs:sendmessage action" in refusal(send, **arguments)

    def of_queue(effect, principal):
        arn = f"arn:aws:sqs:{HERE}:policies"
        statement = {"Effect": effect, "Principal": {"AWS": principal}, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    of_queue("Allow", ROLE)
    assert not refusal(send, **arguments)
    of_queue("Allow", "arn:aws:iam::000000000000:root")
    assert refusal(send, **arguments)
    allow(("sqs:*", "*"))
    of_queue("Deny", ROLE)
    assert "with an explicit deny in a resource-based policy" in refusal(send, **arguments)


def test_a_buckets_own_policy_allows(aws, allow, as_role):
    aws("s3").create_bucket(Bucket="policies")
    allow()
    put = {"Bucket": "policies", "Key": "k", "Body": b"x"}
    assert refusal(as_role("s3").put_object, **put)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::policies/*"}
    aws("s3").put_bucket_policy(
        Bucket="policies", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert not refusal(as_role("s3").put_object, **put)
    aws("s3").delete_bucket_policy(Bucket="policies")


def test_attached_policies_count_awss_own_and_the_accounts(iam, allow, as_role):
    allow()
    read = as_role("s3").list_buckets
    assert refusal(read)
    managed = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    iam.attach_role_policy(RoleName="policies", PolicyArn=managed)
    assert not refusal(read)
    iam.detach_role_policy(RoleName="policies", PolicyArn=managed)
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sqs:List*", "Resource": "*"}}
    own = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="policies", PolicyArn=own)
    assert (bool(refusal(as_role("sqs").list_queues)), bool(refusal(read))) == (False, True)
    iam.detach_role_policy(RoleName="policies", PolicyArn=own)
    iam.delete_policy(PolicyArn=own)


def test_a_boundary_narrows(iam, allow, as_role):
    allow(("*", "*"))
    boundary = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
    arn = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(boundary))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="policies", PermissionsBoundary=arn)
    assert "because no permissions boundary allows the sqs:listqueues action" in refusal(as_role("sqs").list_queues)
    assert not refusal(as_role("s3").list_buckets)
    allow(("s3:*", "*"))
    assert "because no identity-based policy allows" in refusal(as_role("sqs").list_queues)
    allow(("*", "*"))
    iam.delete_role_permissions_boundary(RoleName="policies")
    iam.delete_policy(PolicyArn=arn)
    assert not refusal(as_role("sqs").list_queues)


def test_the_policy_of_a_key_must_allow_too(aws, allow, as_role):
    statement = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Decrypt", "Resource": "*"}
    key = aws("kms").create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))["KeyMetadata"]
    allow(("kms:*", "*"))
    encrypt = {"KeyId": key["KeyId"], "Plaintext": b"x"}
    assert "because no resource-based policy allows the kms:Encrypt action" in refusal(
        as_role("kms").encrypt, **encrypt
    )
    assert not refusal(as_role("kms").decrypt, CiphertextBlob=aws("kms").encrypt(**encrypt)["CiphertextBlob"])


def test_conditions_count(aws, allow, as_role):
    aws("s3").create_bucket(Bucket="policies")
    prefix = {"StringLike": {"s3:prefix": "in/*"}}
    allow({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": prefix})
    listed = as_role("s3").list_objects_v2
    assert not refusal(listed, Bucket="policies", Prefix="in/")
    assert refusal(listed, Bucket="policies", Prefix="out/")
    region = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    allow({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": region})
    assert refusal(listed, Bucket="policies", Prefix="in/")


def test_an_object_that_is_missing_is_told_to_who_may_list_the_bucket(aws, allow, as_role):
    aws("s3").create_bucket(Bucket="policies")
    read, head = as_role("s3").get_object, as_role("s3").head_object
    missing = {"Bucket": "policies", "Key": "no such"}
    allow(("s3:GetObject", "arn:aws:s3:::policies/*"))
    assert 's3:ListBucket on resource: "arn:aws:s3:::policies"' in refusal(read, **missing)
    assert refusal(head, **missing) == "Forbidden"
    allow(("s3:GetObject", "arn:aws:s3:::policies/*"), ("s3:ListBucket", "arn:aws:s3:::policies"))
    for call, code in [(read, "NoSuchKey"), (head, "404")]:
        with pytest.raises(ClientError) as caught:
            call(**missing)
        assert caught.value.response["Error"]["Code"] == code
    allow(("s3:GetObject", "arn:aws:s3:::*"))
    with pytest.raises(ClientError, match="NoSuchBucket"):
        read(Bucket="no-such-bucket", Key="k")


COPY = {"Bucket": "policies", "MetadataDirective": "REPLACE"}
# (service, operation, arguments), and the permissions that it takes together.
TOGETHER = {
    "a copy": (
        "s3", "copy_object", {"Bucket": "policies", "Key": "to", "CopySource": {"Bucket": "policies", "Key": "from"}},
        [("s3:PutObject", "arn:aws:s3:::policies/to"), ("s3:GetObject", "arn:aws:s3:::policies/from")],
    ),
    "tags": (
        "s3", "put_object", {"Bucket": "policies", "Key": "k", "Body": b"", "Tagging": "a=b"},
        [("s3:PutObject", "arn:aws:s3:::policies/*"), ("s3:PutObjectTagging", "arn:aws:s3:::policies/*")],
    ),
    "several objects": (
        "s3", "delete_objects", {"Bucket": "policies", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}},
        [("s3:DeleteObject", "arn:aws:s3:::policies/a"), ("s3:DeleteObject", "arn:aws:s3:::policies/b")],
    ),
    "two buses": (
        "events", "put_events", {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}, {"Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": "other"}]},
        [("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default"), ("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/other")],
    ),
    "two tables": (
        "dynamodb", "batch_get_item", {"RequestItems": {"one": {"Keys": [{"id": {"S": "1"}}]}, "two": {"Keys": [{"id": {"S": "1"}}]}}},
        [("dynamodb:BatchGetItem", f"arn:aws:dynamodb:{HERE}:table/one"), ("dynamodb:BatchGetItem", f"arn:aws:dynamodb:{HERE}:table/two")],
    ),
    "a transaction": (
        "dynamodb", "transact_write_items", {"TransactItems": [{"Delete": {"TableName": "one", "Key": {"id": {"S": "1"}}}}, {"Update": {"TableName": "two", "Key": {"id": {"S": "1"}}, "UpdateExpression": "REMOVE a"}}]},
        [("dynamodb:DeleteItem", f"arn:aws:dynamodb:{HERE}:table/one"), ("dynamodb:UpdateItem", f"arn:aws:dynamodb:{HERE}:table/two")],
    ),
    "statements": (
        "dynamodb", "batch_execute_statement", {"Statements": [{"Statement": "SELECT * FROM one WHERE id='1'"}, {"Statement": 'UPDATE "two" SET a=1 WHERE id=\'1\''}]},
        [("dynamodb:PartiQLSelect", f"arn:aws:dynamodb:{HERE}:table/one"), ("dynamodb:PartiQLUpdate", f"arn:aws:dynamodb:{HERE}:table/two")],
    ),
    "parameters": (
        "ssm", "get_parameters", {"Names": ["plain", "/deep/one:2"]},
        [("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/plain"), ("ssm:GetParameters", f"arn:aws:ssm:{HERE}:parameter/deep/one")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOGETHER)
def test_a_call_about_several_things_takes_permission_for_each(aws, allow, as_role, name):
    service, operation, arguments, permissions = TOGETHER[name]
    aws("s3").create_bucket(Bucket="policies")
    aws("s3").put_object(Bucket="policies", Key="from", Body=b"x")
    call = getattr(as_role(service), operation)
    for left_out in permissions:
        allow(*[one for one in permissions if one != left_out])
        assert f"{left_out[0]} on resource: {left_out[1]}".split("*")[0] in refusal(call, **arguments).replace('"', "")
    allow(*permissions)
    try:
        call(**arguments)
    except ClientError as error:
        assert "denied" not in str(error).lower()


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_urls_and_forms_that_a_handler_presigned_can_what_its_role_can(aws, allow, as_role, version):
    aws("s3").create_bucket(Bucket="policies")
    aws("s3").put_object(Bucket="policies", Key="k", Body=b"content")
    s3 = as_role("s3", signature_version=version)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "policies", "Key": "k"})
    form = s3.generate_presigned_post("policies", "form.txt")
    allow()
    assert opened(url)[0] == 403
    assert posted(form)[0] == 403
    allow(("s3:GetObject", "arn:aws:s3:::policies/k"), ("s3:PutObject", "arn:aws:s3:::policies/form.txt"))
    assert opened(url) == (200, b"content")
    assert posted(form)[0] == 204


def opened(request):
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def posted(form):
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    ]
    parts.append('--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello\r\n--x--\r\n')
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    return opened(urllib.request.Request(form["url"], "".join(parts).encode(), headers, method="POST"))


@pytest.mark.parametrize("key", ["out/", "out//a", "out/ü +%2F?&=#", "/out/a", "out/a*b"])
def test_any_key_is_known_as_it_is(aws, allow, as_role, key):
    aws("s3").create_bucket(Bucket="policies")
    folder = key[: key.index("out") + 4]
    put = {"Bucket": "policies", "Key": key, "Body": b""}
    allow(("s3:*", f"arn:aws:s3:::policies/{folder}*"))
    assert not refusal(as_role("s3").put_object, **put)
    assert not refusal(
        as_role("s3").copy_object, **{**COPY, "Key": key, "CopySource": {"Bucket": "policies", "Key": key}}
    )
    allow({"Effect": "Allow", "Action": "s3:*", "NotResource": f"arn:aws:s3:::policies/{folder}*"})
    assert f'on resource: "arn:aws:s3:::policies/{key}" because' in refusal(as_role("s3").put_object, **put)


def test_a_large_upload_that_is_denied_leaves_the_connection_in_order(aws, allow, as_role):
    aws("s3").create_bucket(Bucket="policies")
    allow()
    assert refusal(as_role("s3").put_object, Bucket="policies", Key="large", Body=bytes(20_000_000))
    assert refusal(as_role("s3").put_object, Bucket="policies", Key="small", Body=b"x")
    assert "large" not in [one["Key"] for one in aws("s3").list_objects_v2(Bucket="policies").get("Contents", [])]


def test_records_of_a_stream_are_read_by_an_iterator_that_knows_the_stream(aws, allow, as_role):
    aws("kinesis").create_stream(StreamName="policies", ShardCount=1)
    shard = {"StreamName": "policies", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
    iterator = aws("kinesis").get_shard_iterator(**shard)["ShardIterator"]
    read = as_role("kinesis").get_records
    allow(("kinesis:GetRecords", f"arn:aws:kinesis:{HERE}:stream/other"))
    assert f"on resource: arn:aws:kinesis:{HERE}:stream/policies" in refusal(read, ShardIterator=iterator)
    allow(("kinesis:GetRecords", f"arn:aws:kinesis:{HERE}:stream/policies"))
    assert not refusal(read, ShardIterator=iterator)
    aws("kinesis").delete_stream(StreamName="policies")


def test_a_role_that_a_handler_assumes_may_do_what_that_role_may(iam, allow, as_role, local_aws):
    lists = [{"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}]
    other = make_role(iam, "assumed", lists, BY_LAMBDA)
    allow()
    assume = {"RoleArn": other, "RoleSessionName": "me"}
    assert "because no identity-based policy allows" in refusal(as_role("sts").assume_role, **assume)
    allow(("sts:AssumeRole", other))
    assert refusal(as_role("sts").assume_role, **assume).endswith(
        f"not authorized to perform: sts:AssumeRole on resource: {other}"
    )
    make_role(iam, "assumed", lists, {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"})
    given = as_role("sts").assume_role(**assume)["Credentials"]
    settings = {**local_aws.client_kwargs(), **keys_of(given)}
    assert boto3.client("sts", **settings).get_caller_identity()["Arn"].endswith(":assumed-role/assumed/me")
    assert not refusal(boto3.client("sqs", **settings).list_queues)
    assert "assumed-role/assumed/me is not authorized" in refusal(boto3.client("ssm", **settings).describe_parameters)


def test_a_person_takes_only_a_role_that_trusts_them(iam, aws):
    take = {"RoleArn": make_role(iam, "mistrusting", NOTHING, BY_LAMBDA), "RoleSessionName": "me"}
    assert refusal(aws("sts").assume_role, **take).endswith(
        f"User: {PERSON} is not authorized to perform: sts:AssumeRole on resource: {take['RoleArn']}"
    )
    make_role(iam, "mistrusting", NOTHING)
    assert not refusal(aws("sts").assume_role, **take)


def test_what_needs_no_permission_is_not_refused(allow, as_role):
    allow()
    assert as_role("sts").get_caller_identity()["Arn"].startswith("arn:aws:sts::000000000000:assumed-role/policies/")


def test_a_role_of_a_real_account_may_do_nothing_and_the_error_says_so(functions):
    missing = "arn:aws:iam::123456789012:role/service-role/no-such"
    _, refused, _ = functions.invoke(functions.make(CALL, Role=missing))
    assert refused.endswith("the local AWS has no role no-such; make it there, with the policies that it has on AWS")


def test_a_call_whose_permission_nobody_knows_is_refused_and_the_error_says_so(allow, local_aws, keys):
    allow(("*", "*"))
    request = AWSRequest("PATCH", f"{local_aws.endpoint}/policies")
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    S3SigV4Auth(Credentials(*(keys[name] for name in names)), "s3", "us-east-1").add_auth(request)
    headers = dict(request.headers.items())
    status, body = opened(urllib.request.Request(request.url, headers=headers, method="PATCH"))
    assert (status, b"nobody knows which permission PATCH /policies of s3 takes on AWS" in body) == (403, True)
