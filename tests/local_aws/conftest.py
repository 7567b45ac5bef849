"""Makes functions on the local AWS and waits for what they do."""

import contextlib
import io
import json
import sys
import uuid
import zipfile

import boto3
import pytest

from nbchalice.aws.local.client import server
from nbchalice.errors import LocalAWSError

from ..waiting import wait_until

ROLE = "arn:aws:iam::000000000000:role/test"
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
        settings = {"Timeout": 30, **settings}
        self.aws("lambda").create_function(
            FunctionName=name, Runtime=runtime, Role=ROLE, Handler=handler, Code={"ZipFile": archive(files)}, **settings
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
        logs = self.aws("logs")
        try:
            pages = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", limit=10000)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in pages]

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
