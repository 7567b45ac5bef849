"""Makes functions on the local AWS and waits for what they do."""

import contextlib
import datetime
import io
import json
import sys
import uuid
import zipfile

import boto3
import botocore.auth
import pytest

from nbchalice.aws.local.client import server
from nbchalice.errors import LocalAWSError

from ..log_groups import read_lines
from ..roles import TRUST, make_role
from ..waiting import wait_until

RUNTIME = f"python3.{sys.version_info[1]}"


def archive(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(name, content)
    return buffer.getvalue()


def client(running, service):
    """Return a client of a local AWS that is not the test run's."""
    return boto3.client(service, **running.client_kwargs())


class Functions:
    """Lambda functions for tests."""

    archive = staticmethod(archive)

    def __init__(self, aws):
        self.aws = aws

    def make(self, code, *, handler="app.handler", runtime=RUNTIME, **settings):
        name = settings.pop("name", None) or f"f-{uuid.uuid4().hex[:10]}"
        files = code if isinstance(code, dict) else {"app.py": code}
        role = settings.pop("Role", None) or make_role(self.aws("iam"), "test")
        settings = {"Timeout": 30, **settings}
        self.aws("lambda").create_function(
            FunctionName=name, Runtime=runtime, Role=role, Handler=handler, Code={"ZipFile": archive(files)}, **settings
        )
        self.ready(name)
        return name

    def ready(self, name):
        wait_until(lambda: self.configuration(name)["LastUpdateStatus"] == "Successful")

    def configuration(self, name):
        return self.aws("lambda").get_function_configuration(FunctionName=name)

    def arn(self, name):
        return f"arn:aws:lambda:us-east-1:000000000000:function:{name}"

    def invoke(self, name, event=None, **options):
        answer = self.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **options)
        return answer.get("FunctionError"), json.loads(answer["Payload"].read() or "null"), answer

    def log(self, name):
        return read_lines(self.aws("logs"), name)

    def starts(self, name):
        return [message.split()[2] for message in self.log(name) if message.startswith("START RequestId")]


@pytest.fixture(scope="session")
def functions(aws):
    return Functions(aws)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of this test's own; whatever runs in it is ended."""
    folder = tmp_path / "home"
    monkeypatch.setenv("NBCHALICE_LOCAL_HOME", str(folder))
    yield folder
    with contextlib.suppress(LocalAWSError):
        server.stop()


@pytest.fixture
def shifted(monkeypatch):
    """``shifted(seconds)``: what is signed from now on is signed by a clock that is so much ahead."""
    now = botocore.auth.get_current_datetime

    def shift(seconds):
        def then(*arguments, **options):
            return now(*arguments, **options) + datetime.timedelta(seconds=seconds)

        monkeypatch.setattr(botocore.auth, "get_current_datetime", then)
        monkeypatch.setattr(botocore.auth.time, "time", lambda: now().timestamp() + seconds)

    return shift


def make(running, functions, code="def handler(e, c): return 1\n"):
    name = f"f-{uuid.uuid4().hex[:8]}"
    client(running, "lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=make_role(client(running, "iam"), "r"),
        Handler="app.handler",
        Code={"ZipFile": functions.archive({"app.py": code})},
    )
    return name


def unsaved():
    """Whether a crash would lose something."""
    return server.control("GET", "info")["unsaved"]


STANDING = {
    "sqs": lambda running: client(running, "sqs").list_queues().get("QueueUrls", []),
    "sns": lambda running: client(running, "sns").list_topics()["Topics"],
    "s3": lambda running: client(running, "s3").list_buckets()["Buckets"],
    "iam": lambda running: client(running, "iam").list_roles()["Roles"],
}


@pytest.fixture
def stopped(home):
    """A folder with a queue, a topic, a bucket and a role, saved by a server that was stopped."""
    running = server.ensure_running()
    client(running, "sqs").create_queue(QueueName="kept")
    client(running, "sns").create_topic(Name="kept")
    client(running, "s3").create_bucket(Bucket="kept")
    client(running, "s3").put_object(Bucket="kept", Key="k", Body=b"content")
    client(running, "iam").create_role(RoleName="kept", AssumeRolePolicyDocument=TRUST)
    server.stop()
    return home
