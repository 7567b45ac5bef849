"""Fixtures of all tests: a local AWS of the test run's own."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory):
    """A local AWS with its own folder, ports and keys, ended with the test run."""
    from nbchalice.aws.local import server

    before = {name: os.environ.get(name) for name in ("NBCHALICE_LOCAL_HOME", "NBCHALICE_LOCAL_RETRY_DELAYS")}
    os.environ["NBCHALICE_LOCAL_HOME"] = str(tmp_path_factory.mktemp("local-aws"))
    os.environ["NBCHALICE_LOCAL_RETRY_DELAYS"] = "0.1,0.2"
    try:
        yield server.ensure_running()
    finally:
        server.stop()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@pytest.fixture(scope="session")
def aws(local_aws):
    """``aws("sqs")``: boto3 clients of the local AWS."""
    import boto3
    from botocore.config import Config

    clients = {}

    def client(service):
        if service not in clients:
            config = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, read_timeout=120)
            clients[service] = boto3.client(service, config=config, **local_aws.client_kwargs())
        return clients[service]

    return client


@pytest.fixture(scope="session", autouse=True)
def no_real_aws(tmp_path_factory):
    """Keep the developer's own credentials, configuration and running local AWS out of the tests."""
    empty: Path = tmp_path_factory.mktemp("no-aws") / "none"
    overrides = {
        "AWS_CONFIG_FILE": str(empty),
        "AWS_SHARED_CREDENTIALS_FILE": str(empty),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    dropped = [name for name in os.environ if name.startswith("AWS_")]
    saved = {name: os.environ.pop(name) for name in dropped}
    os.environ.update(overrides)
    yield
    for name in overrides:
        os.environ.pop(name, None)
    os.environ.update(saved)
