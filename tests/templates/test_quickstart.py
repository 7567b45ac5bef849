"""The quickstart, deployed by its template: its handlers handle events, and commands look at what the stack made."""

import json
from pathlib import Path

import pytest

from nbchalice.aws.target import connect
from nbchalice.cli import code_of

from ..deploy.harness import unique
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


def test_the_quickstart_as_a_stack_handles_an_event_of_each_source_and_vanishes(call, empty_local_aws, tmp_path):
    aws, out = connect("local"), tmp_path / "build"
    notebook = tmp_path / "quickstart.ipynb"
    notebook.write_bytes(NOTEBOOK.read_bytes())
    assert call("package", str(notebook), "--format", "cloudformation", "--out", str(out))[0] == 0
    aws.client("sqs").create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "60"})
    aws.client("sns").create_topic(Name="news")
    aws.client("s3").create_bucket(Bucket="uploads")
    bucket, name = unique("code"), "quickstart-dev"
    aws.client("s3").create_bucket(Bucket=bucket)
    for file in (out / "code").iterdir():
        aws.client("s3").put_object(Bucket=bucket, Key=PREFIX + file.name, Body=file.read_bytes())
    body = json.loads((out / "template.json").read_text())
    put_stack(aws, name, body, {"CodeBucket": bucket, "CodePrefix": PREFIX})
    logged = {}
    for handler, words in {
        "price": ["--message", '{"item": "tea", "net": 10}'],
        "announce": ["--message", "hello", "--subject", "news"],
        "ingest": ["--key", "in/a.csv"],
        "every_hour": [],
    }.items():
        code, sent = call("send", str(notebook), handler, *words)
        assert code == 0, sent
        logged[handler] = [one["message"] for one in sent["invocation"]["records"]]
    assert all(logged.values()) and logged["price"] == ["tea costs 12.00"]
    foreign = "function quickstart-dev-price exists and was not made by nbchalice"
    assert foreign in json.dumps(call("status", str(notebook))[1])
    code, refused = call("deploy", str(notebook))
    assert code != 0 and foreign in json.dumps(refused)
    assert call("delete", str(notebook), "--yes")[1]["changes"] == []
    assert len(aws.client("lambda").list_functions()["Functions"]) == 5
    delete_stack(aws, name)
    assert aws.client("lambda").list_functions()["Functions"] == []
