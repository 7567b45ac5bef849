"""Nobody but the holder of the keys can use the local AWS, a web page least of all."""

import contextlib
import http.client
import json
import stat
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from nbchalice.aws.local.client import server

BODY = json.dumps({"QueueName": "intruder"})


def signed(local_aws, access_key=None, secret_key=None):
    headers = {"X-Amz-Target": "AmazonSQS.CreateQueue", "Content-Type": "application/x-amz-json-1.0"}
    request = AWSRequest("POST", f"{local_aws.endpoint}/", headers=headers, data=BODY)
    credentials = Credentials(access_key or local_aws.access_key, secret_key or local_aws.secret_key)
    SigV4Auth(credentials, "sqs", "us-east-1").add_auth(request)
    return dict(request.headers.items())


def send(local_aws, method, path, headers, body=None):
    port = int(local_aws.endpoint.rpartition(":")[2])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def queues(aws):
    return [url for url in aws("sqs").list_queues().get("QueueUrls", []) if url.endswith("/intruder")]


def test_a_signed_call_works(local_aws, aws):
    status, _ = send(local_aws, "POST", "/", signed(local_aws), BODY)
    assert status == 200
    assert queues(aws)
    aws("sqs").delete_queue(QueueUrl=queues(aws)[0])


@pytest.mark.parametrize(
    "change",
    [
        {"Host": "evil.example:80"},
        {"Host": "127.0.0.1"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Authorization": ""},
        {"X-Amz-Date": "20200101T000000Z"},
    ],
    ids=str,
)
def test_a_foreign_host_or_origin_or_a_broken_signature_changes_nothing(local_aws, aws, change):
    status, _ = send(local_aws, "POST", "/", {**signed(local_aws), **change}, BODY)
    assert status == 403
    assert not queues(aws)


@pytest.mark.parametrize("keys", [("AKIAIOSFODNN7EXAMPLE", None), (None, "wrong"), ("000000000000", "test")])
def test_a_wrong_key_or_secret_changes_nothing(local_aws, aws, keys):
    status, _ = send(local_aws, "POST", "/", signed(local_aws, *keys), BODY)
    assert status == 403
    assert not queues(aws)


def test_a_signed_body_cannot_be_replaced(local_aws, aws):
    status, _ = send(local_aws, "POST", "/", signed(local_aws), BODY.replace("intruder", "intrudes"))
    assert status == 403


def test_an_unsigned_simple_request_of_a_web_page_changes_nothing(local_aws, aws):
    form = "Action=CreateQueue&QueueName=intruder"
    assert send(local_aws, "POST", "/", {"Content-Type": "text/plain"}, form)[0] == 403
    assert send(local_aws, "GET", f"/?{form}", {})[0] == 403
    assert send(local_aws, "OPTIONS", "/", {"Origin": "https://evil.example"})[0] == 403
    assert not queues(aws)


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_nbchalice/reset", "/_nbchalice/stop", "/_nbchalice/info"])
@pytest.mark.parametrize("token", [None, "wrong"])
def test_administration_needs_the_token(local_aws, aws, path, token):
    queue = aws("sqs").create_queue(QueueName="survivor")["QueueUrl"]
    headers = {"X-NbChalice-Token": token} if token else {}
    assert send(local_aws, "POST", path, headers)[0] == 403
    assert send(local_aws, "POST", path, signed(local_aws), BODY)[0] == 403
    assert queue in aws("sqs").list_queues()["QueueUrls"]


def test_a_custom_resource_answers_without_a_token_and_at_its_own_address_only(local_aws):
    answer = "/_ministack/cfn-response/12345678-1234-1234-1234-123456789abc"
    assert send(local_aws, "PUT", answer, {}, b"{}")[0] == 200  # nobody waits for it: nothing happens
    for method, path in [
        ("POST", answer),
        ("GET", answer),
        ("PUT", f"{answer}/x"),
        ("PUT", "/_ministack/cfn-response/../reset"),
    ]:
        assert send(local_aws, method, path, {}, b"{}")[0] == 403, (method, path)
    assert send(local_aws, "PUT", answer, {"Origin": "https://evil.example"}, b"{}")[0] == 403


def test_health_gives_the_token_away_to_nobody(local_aws):
    record = json.loads((Path(local_aws.state_dir) / "server.json").read_text())
    status, body = send(local_aws, "GET", "/_nbchalice/health?nonce=1", {})
    assert status == 200
    assert record["token"] not in body.decode()


def test_answers_carry_no_cors_headers(local_aws):
    port = int(local_aws.endpoint.rpartition(":")[2])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("POST", "/", BODY, signed(local_aws))
        answer = connection.getresponse()
    assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control")]


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_work_and_bad_ones_do_not(local_aws, aws, version):
    s3 = boto3.client(
        "s3", config=Config(signature_version=version, s3={"addressing_style": "path"}), **local_aws.client_kwargs()
    )
    aws("s3").create_bucket(Bucket="presigned")
    aws("s3").put_object(Bucket="presigned", Key="a key/ü.txt", Body=b"content")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "a key/ü.txt"})
    path = url.removeprefix(local_aws.endpoint)
    assert send(local_aws, "GET", path, {}) == (200, b"content")
    assert send(local_aws, "GET", path.replace("Signature=", "Signature=0"), {})[0] == 403
    assert send(local_aws, "DELETE", path, {})[0] == 403


@pytest.mark.parametrize("key", ["plain", "with space", "ü/ä%2F+&=?#", "a//b", "tilde~(1)'*!"])
def test_any_object_key_can_be_signed(aws, key):
    aws("s3").create_bucket(Bucket="keys")
    aws("s3").put_object(Bucket="keys", Key=key, Body=b"x", Metadata={"m": "two  blanks"})
    assert aws("s3").get_object(Bucket="keys", Key=key)["Body"].read() == b"x"
    assert key in [item["Key"] for item in aws("s3").list_objects_v2(Bucket="keys", Prefix=key)["Contents"]]


def test_handlers_reach_the_local_aws_with_a_key_of_their_own(functions, local_aws):
    name = functions.make(
        "import boto3, os\ndef handler(e, c):\n    boto3.client('sqs').create_queue(QueueName='by-handler')\n    return os.environ['AWS_ACCESS_KEY_ID']\n"
    )
    failed, key, _ = functions.invoke(name)
    assert not failed
    assert key != local_aws.access_key


def test_files_are_readable_by_their_owner_only(local_aws):
    home = Path(local_aws.state_dir)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE((home / "server.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "server.log").stat().st_mode) == 0o600


def test_one_loopback_port_is_open_and_no_other(local_aws):
    sockets = psutil.Process(local_aws.pid).net_connections("inet")
    listening = [tuple(one.laddr) for one in sockets if one.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", int(local_aws.endpoint.rpartition(":")[2]))]


def test_the_server_gets_nothing_of_the_users_environment(local_aws):
    names = set(psutil.Process(local_aws.pid).environ())
    assert names, "it can be read"
    assert not {name for name in names if name.startswith("AWS_") or name.lower().endswith("_proxy")}
    assert "PYTHONPATH" not in names


def test_client_arguments_and_environment(local_aws):
    assert local_aws.client_kwargs()["endpoint_url"] == local_aws.env()["AWS_ENDPOINT_URL"] == local_aws.endpoint
    assert server.status() == local_aws
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        boto3.client("sqs", **{**local_aws.client_kwargs(), "aws_secret_access_key": "wrong"}).list_queues()
