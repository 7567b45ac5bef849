"""Runs ``nbchalice`` for each line of words (JSON) that it is given, and tells what it wrote; the server sees its clock, too.

``presigned`` fetches an object by URLs that are signed now, and tells the statuses; ``sign`` signs a call, which ``deliver`` sends.
"""

import contextlib
import io
import json
import os
import sys
import urllib.request

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from nbchalice.aws.local.client import server, spawn
from nbchalice.cli import code_of

environment_of = spawn.server_environment


def with_clock(home, record):
    seen = {name: os.environ[name] for name in ("LD_PRELOAD", "SET_CLOCK")}
    return {**environment_of(home, record), **seen}


def client(version):
    return boto3.client("s3", **server.ensure_running().client_kwargs(), config=Config(signature_version=version))


def fetch(version):
    client("s3v4").create_bucket(Bucket="signed")
    client("s3v4").put_object(Bucket="signed", Key="k", Body=b"content")
    url = client(version).generate_presigned_url("get_object", {"Bucket": "signed", "Key": "k"}, ExpiresIn=60)
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - on this computer
        return answer.status


def sign():
    keys = server.ensure_running().client_kwargs()
    request = AWSRequest("GET", f"{keys['endpoint_url']}/2015-03-31/functions")
    SigV4Auth(Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"]), "lambda", "us-east-1").add_auth(
        request
    )
    return request.prepare()


def deliver(request):
    asked = urllib.request.Request(request.url, headers=dict(request.headers))  # noqa: S310 - on this computer
    with urllib.request.urlopen(asked) as answer:  # noqa: S310
        return answer.status


spawn.server_environment, signed = with_clock, None
if sys.argv[1:]:
    sys.exit(code_of(sys.argv[1:]))
for line in sys.stdin:
    words, out, err = json.loads(line), io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if words == ["queue"]:  # a busy machine may take its time over a message
            names = {"QueueName": "clock-orders", "Attributes": {"VisibilityTimeout": "600"}}
            boto3.client("sqs", **server.ensure_running().client_kwargs()).create_queue(**names)
            code = 0
        elif words == ["sign"]:
            signed, code = sign(), 0
        elif words == ["deliver"]:
            print(deliver(signed))
            code = 0
        elif words == ["presigned"]:
            print([fetch(version) for version in ("s3", "s3v4")])
            code = 0
        else:
            code = code_of(words)
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
