"""What a function that records its events leaves out of them, and what it does where it cannot keep them."""

import base64
import json
import time
import traceback
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest

from nbchalice.packaging.shipped import needed_modules
from nbchalice.runtime.recording import VARIABLE, recorded
from nbchalice.runtime.redaction import redacted

INNER = json.dumps({"customer": {"email": "a@b.c", "city": "Ulm"}, "email": "kept"})
LEFT = {"customer": {"email": "[redacted]", "city": "Ulm"}, "email": "kept"}


def text(value):
    return base64.b64encode(value.encode()).decode()


@pytest.mark.parametrize(
    ("wrap", "unwrap"),
    [
        (json.loads, lambda event: event),
        (lambda inner: {"detail": [json.loads(inner)]}, lambda event: event["detail"][0]),
        (lambda inner: {"Records": [{"body": inner}]}, lambda event: json.loads(event["Records"][0]["body"])),
        (
            lambda inner: {"Records": [{"body": json.dumps({"Message": inner})}]},
            lambda event: json.loads(json.loads(event["Records"][0]["body"])["Message"]),
        ),
        (
            lambda inner: {"Records": [{"kinesis": {"data": text(inner)}}]},
            lambda event: json.loads(base64.b64decode(event["Records"][0]["kinesis"]["data"])),
        ),
    ],
    ids=["itself", "list", "queue", "topic to queue", "stream"],
)
def test_a_field_is_left_out_wherever_it_stands(wrap, unwrap):
    event = wrap(INNER)
    before = json.dumps(event)
    assert unwrap(redacted(event, ["customer.email"])) == LEFT
    assert json.dumps(event) == before, "the handler gets the whole event"


def test_a_value_of_dynamodb_keeps_its_form():
    image = {
        "customer": {"M": {"email": {"S": "a@b.c"}, "phones": {"L": [{"M": {"number": {"N": "1"}}}]}}},
        "id": {"N": "1"},
    }
    left = {
        "customer": {"M": {"email": {"S": "[redacted]"}, "phones": {"L": [{"M": {"number": {"S": "[redacted]"}}}]}}},
        "id": {"N": "1"},
    }
    event = {"Records": [{"dynamodb": {"NewImage": image}}]}
    assert redacted(event, ["customer.email", "phones.number"]) == {"Records": [{"dynamodb": {"NewImage": left}}]}


@pytest.mark.parametrize("name", ["password", "api_key", "API-Key", "apiKey", "Authorization", "access_token"])
def test_what_is_called_a_credential_is_left_out_unasked(name):
    assert redacted({"headers": {name: "x", "keys": 1}}, []) == {"headers": {name: "[redacted]", "keys": 1}}


@pytest.mark.parametrize("body", ["hello", "{no json", '{"a": 1,  "b": 2}', "[1.50]", ""])
def test_what_has_no_such_field_stays_letter_by_letter(body):
    assert redacted({"body": body, "data": text(body)}, ["email"]) == {"body": body, "data": text(body)}


def test_what_cannot_be_kept_costs_the_event_nothing_and_is_told_once(monkeypatch, caplog):
    place = {"bucket": "b", "prefix": "p/", "owner": "1" * 12, "keep": 2, "redact": [], "key": ""}
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(VARIABLE, json.dumps(place))
    run = recorded(lambda event, context: event["n"])
    assert [run({"n": number}, SimpleNamespace(aws_request_id="r")) for number in (1, 2)] == [1, 2]
    (told,) = [one.getMessage() for one in caplog.records if one.name == "nbchalice"]
    assert told.startswith("events are not recorded, and handled all the same: Could not connect")
    monkeypatch.setenv(VARIABLE, "nonsense")
    assert recorded(lambda event, context: event)(3, None) == 3


@pytest.mark.local_aws
def test_the_last_ones_are_kept_though_the_clock_was_set_back(local_aws, aws, monkeypatch):
    """Those of before bear later times in their names."""
    bucket = f"kept-{uuid.uuid4().hex[:8]}"
    aws("s3").create_bucket(Bucket=bucket)
    aws("s3").put_object(Bucket=bucket, Key=f"p/{(time.time_ns() // 1_000_000) + 3_600_000:013}-later.json", Body=b"{}")
    place = {"bucket": bucket, "prefix": "p/", "owner": "0" * 12, "keep": 2, "redact": [], "key": ""}
    for name, value in (("ACCESS_KEY_ID", local_aws.access_key), ("SECRET_ACCESS_KEY", local_aws.secret_key)):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_aws.endpoint)
    monkeypatch.setenv(VARIABLE, json.dumps(place))
    run = recorded(lambda event, context: None)
    for number in "123":
        run({}, SimpleNamespace(aws_request_id=number))
    keys = [one["Key"] for one in aws("s3").list_objects_v2(Bucket=bucket)["Contents"]]
    assert [key.rpartition("-")[2] for key in keys] == ["2.json", "3.json"]


def test_a_traceback_has_no_frame_of_the_recording(monkeypatch):
    monkeypatch.setenv(VARIABLE, "nonsense")

    def handler(event, context):
        raise ValueError(event)

    with pytest.raises(ValueError, match="x") as raised:
        recorded(handler)("x", None)
    files = [Path(frame.filename).name for frame in traceback.extract_tb(raised.value.__traceback__)]
    assert files == ["test_recording.py", "test_recording.py"]


def test_the_code_that_records_ships_where_it_is_asked_for_only():
    names = {"nbchalice.runtime.recording", "nbchalice.runtime.redaction"}
    assert not names & needed_modules(["app.on_sqs_message('a')", "getattr(app, 'x')"])
    assert names <= needed_modules(["import nbchalice.runtime.recording"])


@pytest.mark.parametrize("path", ["items.0.email", "items[0].email", "items[*].email", "items.*.email", "items.email"])
def test_a_place_of_a_list_is_all_of_its_places(path):
    event = {
        "Records": [{"body": json.dumps({"items": [{"email": "a@example.org"}, {"email": "b@example.org", "n": 1}]})}]
    }
    assert "example.org" not in json.dumps(redacted(event, [path]))
    assert redacted({"items": {"0": {"email": "a"}, "1": 2}}, ["items.0.email"]) == {
        "items": {"0": {"email": "[redacted]"}, "1": 2}
    }
