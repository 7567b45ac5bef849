"""Fixtures of all tests: a local AWS of the test run's own, and no way to any other AWS."""

import os
import signal
from pathlib import Path

import pytest

from .lambda_client import run_zip


def pytest_configure():
    """Let Ctrl-C interrupt, as in a terminal: a shell starts what runs in the background with the signal ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def no_other_aws(tmp_path_factory):
    """Keep the developer's credentials, configuration and local AWS out of the tests; end what they start."""
    nothing = str(tmp_path_factory.mktemp("no-aws") / "none")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", nothing)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", nothing)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("NBCHALICE_LOCAL_HOME", str(tmp_path_factory.mktemp("local-aws")))
        patch.setenv("NBCHALICE_LOCAL_RETRY_DELAYS", "0.1,0.2")
        patch.setenv("NBCHALICE_LOCAL_EXTENSIONS", str(Path(__file__).parent / "local_aws" / "faults.py"))
        yield
        from nbchalice.aws.local.client import server

        server.stop()


@pytest.fixture(scope="session")
def local_aws(no_other_aws):
    """The local AWS of the test run."""
    from nbchalice.aws.local.client import server

    return server.ensure_running()


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


@pytest.fixture(scope="session")
def run_on_lambda():
    """Runs an unpacked zip with AWS's own client, as Lambda does."""
    return run_zip


def pytest_collection_modifyitems(items):
    """Mark what asks for the local AWS; begin with the file that takes longest, so that the workers end together."""
    for item in items:
        if {"local_aws", "aws"} & set(item.fixturenames):
            item.add_marker("local_aws")
    items.sort(key=lambda item: "test_crash" not in item.nodeid)


@pytest.fixture(scope="session", autouse=True)
def no_unasked_local_aws(request, no_other_aws):
    """Where tests of the local AWS are left out, none of the others may start one unnoticed."""
    yield
    if "not local_aws" in request.config.option.markexpr:
        from nbchalice.aws.local.client import server

        assert server.status() is None, "a test started a local AWS without the marker local_aws"
