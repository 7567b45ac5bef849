"""A second opinion: the engine's calls against moto's server, which checks some of AWS's rules."""

import os
import subprocess
import sys

import pytest

from nbchalice.aws.target import Connection, Target
from nbchalice.deploy import engine
from nbchalice.errors import InvalidInputError, ProblemsError

from ..waiting import free_port, wait_until_answering
from .harness import app, deploy, handler, kinds, plan, s3, schedule, sns, sqs

pytestmark = pytest.mark.slow

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    import boto3
    from botocore.config import Config

    port = free_port()
    keep = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    log = tmp_path_factory.mktemp("moto") / "log"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env={**keep, "MOTO_LAMBDA_STUB_INSTALL": "1"}, stdout=out, stderr=out)
    endpoint = f"http://127.0.0.1:{port}"
    wait_until_answering(process, f"{endpoint}/moto-api/data.json", log)
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    config = Config(
        s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, proxies={}, max_pool_connections=64
    )

    def new_client(service, region):
        return session.client(service, region_name=region, endpoint_url=endpoint, config=config)

    yield Connection(Target("aws", "us-east-1", ACCOUNT, endpoint=endpoint), new_client)
    process.terminate()
    process.wait()


@pytest.fixture
def places(moto, name):
    moto.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "120"})
    moto.client("sns").create_topic(Name=name)
    moto.client("s3").create_bucket(Bucket=name)
    return name


def full(name, place, **options):
    return app(
        name,
        handler("tick", schedule(description="often")),
        handler("ingest", s3(place, prefix="in/"), log_retention=7),
        handler("announce", sns(place, filter_policy={"kind": ["new"]})),
        handler("price", sqs(place, **options), env={"AB": "1"}, memory=256),
    )


def test_deploy_again_edit_prune_and_delete(moto, places, name):
    made = full(name, places, batch_size=5)
    deploy(made, moto)
    writes = len(moto.writes)
    assert deploy(made, moto).changes == ()
    assert len(moto.writes) == writes
    edited = full(name, places, batch_size=2)
    assert kinds(deploy(edited, moto, code={"tick": "2"}).changes) == [
        ("update", "event source mapping"),
        ("update", "function"),
    ]
    fewer = app(name, *edited.handlers[1:])
    assert plan(fewer, moto).orphans == ("tick",)
    deploy(fewer, moto, code={"tick": "2"}, prune=True)
    assert deploy(fewer, moto, prune=True).changes == ()
    engine.delete(fewer, moto)
    functions = moto.client("lambda").list_functions()["Functions"]
    assert not [f for f in functions if name in f["FunctionName"]]
    assert not [r for r in moto.client("iam").list_roles()["Roles"] if name in r["RoleName"]]
    assert engine.delete(fewer, moto).changes == ()


def test_what_does_not_exist_on_real_aws_is_refused_with_the_command_that_makes_it(moto, name):
    made = app(
        name, handler("a", sqs(f"{name}-none")), handler("b", sns(f"{name}-none")), handler("c", s3(f"{name}-none"))
    )
    writes = len(moto.writes)
    with pytest.raises(ProblemsError) as refused:
        deploy(made, moto)
    text = str(refused.value)
    assert "3 problems" in text
    for command in ("aws sqs create-queue", "aws sns create-topic", "aws s3 mb"):
        assert command in text
    assert len(moto.writes) == writes


def test_a_queue_that_shows_messages_too_early_is_refused(moto, name):
    moto.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "10"})
    with pytest.raises(InvalidInputError, match="--fix-visibility-timeout") as refused:
        deploy(app(name, handler("a", sqs(name), timeout=20)), moto)
    assert "shows a message again after 10 s" in str(refused.value)


def test_every_request_is_checked_against_botocores_models(moto, connection):
    from botocore.exceptions import ParamValidationError

    for aws in (moto, connection):
        for service in ("lambda", "iam", "logs", "events", "sns", "sqs", "s3"):
            assert aws.client(service).meta.config.parameter_validation is True
        with pytest.raises(ParamValidationError):
            aws.client("lambda").get_function(Nonsense=1)
