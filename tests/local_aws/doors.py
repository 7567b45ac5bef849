"""Requests as they are sent, byte for byte, to the doors of the local AWS."""

import contextlib
import http.client
import re

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MB = 1024 * 1024
DAY, WEEK = 86_400, 604_800


def send(local_aws, method, path, headers=(), body=None):
    """Send exactly these headers; return the status and what was said."""
    port = int(local_aws.endpoint.rpartition(":")[2])
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path.removeprefix(local_aws.endpoint), body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()


def code_of(answer):
    """Return the code of an error, however its protocol writes it."""
    status, body = answer
    text = body.decode()
    found = re.search(r"<Code>(.*?)</Code>", text) or re.search(r'"(?:__type|Code|code)": ?"(.*?)"', text)
    return status, found and found[1].partition("#")[2] or found and found[1]


def signed(local_aws, *, service="sqs", keys=(), region="us-east-1", **request):
    """Return the headers of a call that a client signed, here ListQueues."""
    headers = {"X-Amz-Target": "AmazonSQS.ListQueues", "Content-Type": "application/x-amz-json-1.0"}
    wanted = {"method": "POST", "url": f"{local_aws.endpoint}/", "headers": headers, "data": "{}", **request}
    made = AWSRequest(**wanted)
    credentials = Credentials(*(keys or (local_aws.access_key, local_aws.secret_key)))
    (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, region).add_auth(made)
    return dict(made.headers.items())


def chunks(size, part=MB):
    """Give so many bytes without saying before how many they are."""
    for _ in range(size // part):
        yield b"x" * part
