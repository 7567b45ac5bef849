"""The quickstart, deployed by its template: its handlers handle events, and commands look at what the stack made."""

import json
from pathlib import Path

import pytest

from nbchalice.aws.target import connect
from nbchalice.cli import code_of

from ..deploy.harness import unique
from .configurations import problems, versions_for
from .stacks import PREFIX, delete_stack, put_stack

pytestmark = pytest.mark.local_aws
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"


@pytest.fixture
def call(capsys):
    def run(*words):
        capsys.readouterr()
        code = code_of([*words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "quickstart.ipynb"
    path.write_bytes(NOTEBOOK.read_bytes())
    return str(path)


@pytest.fixture
def aws(empty_local_aws):
    """A local AWS with what the quickstart's handlers are attached to."""
    connection = connect("local")
    connection.client("sqs").create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "60"})
    connection.client("sns").create_topic(Name="news")
    connection.client("s3").create_bucket(Bucket="uploads")
    return connection


def check_that_events_are_handled(call, notebook):
    """Send an event to each handler, and look at what it logged."""
    logged = {}
    for handler, words in {
        "price": ["--message", '{"item": "tea", "net": 10}'],
        "announce": ["--message", "hello", "--subject", "news"],
        "ingest": ["--key", "in/a.csv"],
        "every_hour": [],
    }.items():
        code, sent = call("send", notebook, handler, *words)
        assert code == 0, sent
        logged[handler] = [one["message"] for one in sent["invocation"]["records"]]
    assert all(logged.values()) and logged["price"] == ["tea costs 12.00"]


def check_that_commands_leave_it_alone(call, notebook):
    foreign = "function quickstart-dev-price exists and was not made by nbchalice"
    assert foreign in json.dumps(call("status", notebook)[1])
    code, refused = call("deploy", notebook)
    assert code != 0 and foreign in json.dumps(refused)
    assert call("delete", notebook, "--yes")[1]["changes"] == []


def functions(aws):
    return [one["FunctionName"] for one in aws.client("lambda").list_functions()["Functions"]]


def test_the_quickstart_as_a_stack_handles_an_event_of_each_source_and_vanishes(call, aws, notebook, tmp_path):
    out, bucket, name = tmp_path / "build", unique("code"), "quickstart-dev"
    assert call("package", notebook, "--format", "cloudformation", "--out", str(out))[0] == 0
    aws.client("s3").create_bucket(Bucket=bucket)
    for file in (out / "code").iterdir():
        aws.client("s3").put_object(Bucket=bucket, Key=PREFIX + file.name, Body=file.read_bytes())
    body = json.loads((out / "template.json").read_text())
    put_stack(aws, name, body, {"CodeBucket": bucket, "CodePrefix": PREFIX})
    check_that_events_are_handled(call, notebook)
    check_that_commands_leave_it_alone(call, notebook)
    assert len(functions(aws)) == 5
    delete_stack(aws, name)
    assert functions(aws) == []


def test_the_quickstart_of_terraform_has_the_form_and_the_arguments_of_the_provider(call, notebook, tmp_path):
    assert call("package", notebook, "--format", "terraform", "--out", str(tmp_path / "build"))[0] == 0
    body = json.loads((tmp_path / "build" / "main.tf.json").read_text())
    assert {version: list(problems(body, version)) for version in versions_for(body)} == {"5.100.0": [], "6.62.0": []}


@pytest.mark.slow
def test_the_quickstart_of_terraform_handles_an_event_of_each_source_and_leaves_what_others_attached(
    terraform, call, aws, notebook, tmp_path
):
    out = tmp_path / "build"
    assert call("package", notebook, "--format", "terraform", "--out", str(out))[0] == 0
    queue = f"arn:aws:sqs:{aws.region}:{aws.account}:orders"
    theirs = {"QueueConfigurations": [{"Id": "theirs", "QueueArn": queue, "Events": ["s3:ObjectRemoved:*"]}]}
    aws.client("s3").put_bucket_notification_configuration(Bucket="uploads", NotificationConfiguration=theirs)
    for words in (["init"], ["apply", "-auto-approve"]):
        terraform.run(out, *words)
    check_that_events_are_handled(call, notebook)
    check_that_commands_leave_it_alone(call, notebook)
    assert len(functions(aws)) == 5
    assert "No changes" in terraform.run(out, "plan", "-detailed-exitcode")
    terraform.run(out, "destroy", "-auto-approve")
    assert functions(aws) == []
    standing = aws.client("s3").get_bucket_notification_configuration(Bucket="uploads")
    assert {name: one for name, one in standing.items() if name != "ResponseMetadata"} == theirs
