"""How far the clock that signs may be off, and how large a request may be: as on AWS, for each service."""

import contextlib
import http.client
import json
import re
import urllib.parse
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from nbchalice.aws.local.client import environment

from .doors import DAY, MB, chunks, code_of, send, signed

ROOT = Path(__file__).parents[2]
FUNCTIONS = "/2015-03-31/functions"
# A call of each service, and how many minutes its clock may be off.
CLOCKS = {
    "sqs": (15, "POST", "/", {}),
    "s3": (15, "GET", "/", {"headers": {}, "data": ""}),
    "lambda": (5, "GET", f"{FUNCTIONS}/", {"headers": {}, "data": ""}),
    "logs": (5, "POST", "/", {"headers": {"X-Amz-Target": "Logs_20140328.DescribeLogGroups", "Content-Type": "application/x-amz-json-1.1"}}),
    "events": (5, "POST", "/", {"headers": {"X-Amz-Target": "AWSEvents.ListRules", "Content-Type": "application/x-amz-json-1.1"}}),
}  # fmt: skip


@pytest.mark.parametrize("service", CLOCKS)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_may_be_off_by_so_many_minutes(service, sign, local_aws, shifted):
    minutes, method, path, more = CLOCKS[service]
    call = {"service": service, "method": method, "url": local_aws.endpoint + path, "data": "{}", **more}
    shifted(sign * (minutes - 1) * 60)
    assert send(local_aws, method, path, signed(local_aws, **call), call["data"])[0] == 200
    shifted(sign * (minutes + 1) * 60)
    status, text = send(local_aws, method, path, signed(local_aws, **call), call["data"])
    assert status in (400, 403)
    assert re.search(rb"RequestTimeTooSkewed|Signature (expired|not yet current)", text)


@pytest.mark.parametrize("seconds", [-10 * DAY, 10 * DAY])
def test_a_request_of_another_day_is_refused(seconds, local_aws, shifted):
    shifted(seconds)
    answer = send(local_aws, "POST", "/", signed(local_aws), "{}")
    assert code_of(answer) == (403, "SignatureDoesNotMatch")
    assert (b"Signature expired: " if seconds < 0 else b"Signature not yet current: ") in answer[1]
    asked = {"method": "GET", "url": f"{local_aws.endpoint}/", "headers": {}, "data": ""}
    assert code_of(send(local_aws, "GET", "/", signed(local_aws, service="s3", **asked))) == (
        403,
        "RequestTimeTooSkewed",
    )


def test_a_presigned_url_may_be_signed_fifteen_minutes_ahead(local_aws, shifted):
    s3 = boto3.client("s3", config=Config(signature_version="s3v4"), **local_aws.client_kwargs())
    shifted(14 * 60)
    assert send(local_aws, "GET", s3.generate_presigned_url("list_buckets"))[0] == 200
    shifted(16 * 60)
    answer = send(local_aws, "GET", s3.generate_presigned_url("list_buckets"))
    assert answer[0] == 403
    assert b"Request is not yet valid" in answer[1]


LARGE = {  # what is sent, how many bytes it may have, and what is said of one more
    "the code of a function": ("lambda", "POST", FUNCTIONS, 70_167_211, "RequestEntityTooLargeException", "for the CreateFunction operation"),
    "new code": ("lambda", "PUT", f"{FUNCTIONS}/f/code", 70_167_211, "RequestEntityTooLargeException", "for the UpdateFunctionCode operation"),
    "a layer": ("lambda", "POST", "/2018-10-31/layers/l/versions", 70_167_211, "RequestEntityTooLargeException", "for the PublishLayerVersion operation"),
    "an object": ("s3", "PUT", "/b/k", 5 * 1024 * MB, "EntityTooLarge", "exceeds the maximum allowed size"),
    "another request": ("sqs", "POST", "/", 16 * MB, "RequestEntityTooLarge", "limit of 16777216 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("what", LARGE)
def test_what_says_that_it_is_too_large_is_refused(what, local_aws):
    service, method, path, most, code, said = LARGE[what]
    headers = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD", "Content-Length": str(most + 1)}
    call = {"service": service, "method": method, "url": local_aws.endpoint + path, "headers": headers, "data": b""}
    address = urllib.parse.urlsplit(local_aws.endpoint)
    with contextlib.closing(http.client.HTTPConnection(address.hostname, address.port, timeout=60)) as connection:
        connection.putrequest(method, path)
        for name, value in signed(local_aws, **call).items():
            connection.putheader(name, value)
        connection.endheaders()
        size = min(most + 1, 128 * MB)  # so much is read and thrown away
        for part in [*chunks(size - size % MB), b"x" * (size % MB)]:
            connection.send(part)
        answer = connection.getresponse()
        assert answer.status in (400, 413)
        text = answer.read().decode()
    assert code in text
    assert said in text


def test_a_message_of_a_queue_has_sqs_own_limit(aws):
    url = aws("sqs").create_queue(QueueName="large-messages")["QueueUrl"]
    assert aws("sqs").send_message(QueueUrl=url, MessageBody="x" * MB)["MessageId"]
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*Message must be shorter than 1048576 bytes\."):
        aws("sqs").send_message(QueueUrl=url, MessageBody="x" * (MB + 1))


def test_the_environments_are_as_large_as_is_said(local_aws):
    """By README and reference, and when they are made."""
    folders = [environment.server_folder(), environment.handler_packages()]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert abs(sum(path.stat().st_size for path in files) / 1e6 - environment.SIZE_MB) < 25
    for name in ("README.md", "docs/reference.md"):
        said = re.search(r"(?:environment|folder)[^.]*?about (\d+) MB", (ROOT / name).read_text())
        assert int(said[1]) == environment.SIZE_MB


def test_a_body_is_read_up_to_its_limit(local_aws):
    assert code_of(send(local_aws, "POST", "/", signed(local_aws), chunks(20 * MB))) == (413, "RequestEntityTooLarge")
    headers = {**signed(local_aws), "Content-Length": str(200 * MB)}
    with contextlib.suppress(ConnectionError):
        assert code_of(send(local_aws, "POST", "/", headers, chunks(200 * MB)))[0] == 413


@pytest.mark.parametrize(
    ("kind", "most", "said"),
    [
        ("RequestResponse", 6 * MB, "Request must be smaller than 6291456 bytes for the InvokeFunction operation"),
        ("Event", MB, "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"),
    ],
)
def test_an_event_has_lambdas_size_at_most(kind, most, said, functions, aws):
    name = functions.make("def handler(event, context): return len(event)\n")
    invoke = {"FunctionName": name, "InvocationType": kind}
    assert aws("lambda").invoke(Payload=json.dumps("x" * (most - 2)), **invoke)["StatusCode"] in (200, 202)
    with pytest.raises(ClientError) as caught:
        aws("lambda").invoke(Payload=json.dumps("x" * (most - 1)), **invoke)
    error = caught.value.response
    assert (error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Code"], error["Error"]["Message"]) == (
        413,
        "RequestEntityTooLargeException",
        said,
    )
