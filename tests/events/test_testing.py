"""The test client: Chalice's interface, events as AWS sends them."""

import json
import os
from datetime import datetime
from decimal import Decimal

import pytest

from nbchalice import Chalice, S3Event, SNSEvent, SQSEvent
from nbchalice.errors import InvalidInputError
from nbchalice.testing import Client


@pytest.fixture
def app():
    return Chalice(app_name="shop")


def test_sqs_records_are_distinct(app):
    @app.on_sqs_message(queue="orders")
    def handle(event):
        assert isinstance(event, SQSEvent)
        return [[r.body, r.message_id, r.receipt_handle, r.queue_name] for r in event]

    with Client(app) as client:
        got = client.lambda_.invoke("handle", client.events.generate_sqs_event(["a", "b"], queue_name="orders")).payload
    assert [row[0] for row in got] == ["a", "b"] and {row[3] for row in got} == {"orders"}
    assert len({row[1] for row in got}) == len({row[2] for row in got}) == 2


@pytest.mark.parametrize("key", ["a b.txt", "ä/ü+1%.csv", "100%", "plain", "q?&=#.txt"])
def test_s3_keys_are_really_encoded(app, key):
    @app.on_s3_event(bucket="b")
    def handle(event):
        assert isinstance(event, S3Event)
        return [event.bucket, event.key]

    client = Client(app)
    event = client.events.generate_s3_event(bucket="b", key=key)
    assert " " not in event["Records"][0]["s3"]["object"]["key"]
    assert client.lambda_.invoke("handle", event).payload == ["b", key]
    removed = client.events.generate_s3_event("b", key, "ObjectRemoved:Delete")
    assert "size" not in removed["Records"][0]["s3"]["object"]


def test_sns(app):
    @app.on_sns_message(topic="t")
    def handle(event):
        assert isinstance(event, SNSEvent)
        return [event.message, event.subject, event.message_attributes]

    client = Client(app)
    made = client.events.generate_sns_event(
        "hello", subject="s", message_attributes={"a": {"Type": "String", "Value": "1"}}
    )
    assert client.lambda_.invoke("handle", made).payload == ["hello", "s", {"a": {"Type": "String", "Value": "1"}}]
    assert "AttributeKey" in client.events.generate_sns_event("x")["Records"][0]["Sns"]["MessageAttributes"]


def test_schedule(app):
    @app.schedule("rate(1 hour)")
    def handle(event):
        return [event.source, event.detail_type, event.detail, event.resources, event.region]

    client = Client(app)
    event = client.events.generate_cw_event(
        source="aws.events", detail_type="Scheduled Event", detail={"a": 1}, resources=["arn"], region="eu-west-1"
    )
    assert client.lambda_.invoke("handle", event).payload == [
        "aws.events",
        "Scheduled Event",
        {"a": 1},
        ["arn"],
        "eu-west-1",
    ]


def test_kinesis(app):
    @app.on_kinesis_record(stream="s")
    def handle(event):
        return [record.data.decode() for record in event]

    client = Client(app)
    event = client.events.generate_kinesis_event([b"a", b"b"], stream_name="s")
    assert client.lambda_.invoke("handle", event).payload == ["a", "b"]


def test_the_environment_is_the_handlers_and_is_put_back(app, tmp_path, monkeypatch):
    monkeypatch.setenv("LEVEL", "outside")
    (tmp_path / ".chalice").mkdir()
    config = {
        "environment_variables": {"LEVEL": "all", "AREA": "1"},
        "stages": {"prod": {"lambda_memory_size": 512, "environment_variables": {"LEVEL": "prod"}}},
    }
    (tmp_path / ".chalice" / "config.json").write_text(json.dumps(config))

    @app.lambda_function(env={"OWN": "yes"})
    def handle(event, context):
        return [os.environ["LEVEL"], os.environ["OWN"], context.memory_limit_in_mb, event]

    client = Client(app, stage_name="prod", project_dir=str(tmp_path))
    assert client.lambda_.invoke("handle").payload == ["prod", "yes", "512", {}]
    assert os.environ["LEVEL"] == "outside" and "OWN" not in os.environ


def test_what_a_handler_raises_is_raised(app):
    @app.lambda_function()
    def handle(event, context):
        raise LookupError("no")

    with pytest.raises(LookupError):
        Client(app).lambda_.invoke("handle", {})


def test_errors_say_what_is_there(app):
    @app.lambda_function()
    def handle(event, context):
        return datetime.now()

    client = Client(app)
    with pytest.raises(InvalidInputError, match="no handler 'other'") as caught:
        client.lambda_.invoke("other")
    assert caught.value.hint == "its handlers are: handle"
    with pytest.raises(InvalidInputError, match="result of handle is not JSON-ready"):
        client.lambda_.invoke("handle", {})
    with pytest.raises(InvalidInputError, match="event is not JSON-ready"):
        client.lambda_.invoke("handle", {1: {2}})


def test_powertools_reads_the_events(app):
    from aws_lambda_powertools.utilities import parser
    from aws_lambda_powertools.utilities.parser.models import KinesisDataStreamModel, SnsModel, SqsModel

    events = Client(app).events
    parser.parse(events.generate_sqs_event(["a"]), SqsModel)
    parser.parse(events.generate_sns_event("a", "s"), SnsModel)
    parser.parse(events.generate_kinesis_event([b"{}"]), KinesisDataStreamModel)


@pytest.mark.parametrize("value", [[b"a", b"b"], {"price": Decimal("1.10"), "items": [b"a"]}, b"plain"], ids=repr)
def test_what_json_has_not_and_lambda_writes_is_given_as_it_is(app, value):
    """As Chalice's client gives it; what Lambda cannot write stays an error."""
    app.lambda_function(name="give")(lambda event, context: value)
    assert Client(app).lambda_.invoke("give").payload == value


def test_what_lambda_cannot_write_is_an_error_also_beside_what_it_can(app):
    app.lambda_function(name="give")(lambda event, context: [b"\xff", Decimal(1), {1, 2}])
    with pytest.raises(InvalidInputError, match="result of give is not JSON-ready"):
        Client(app).lambda_.invoke("give")


def test_chalices_client_for_routes_is_said_not_to_be_here(app):
    with pytest.raises(AttributeError, match="client.lambda_ invokes handlers"):
        Client(app).http.get("/")


def test_the_context_has_all_that_lambdas_has(capsys):
    app = Chalice("shop")

    @app.lambda_function()
    def tell(event, context):
        context.log("seen")
        return [context.identity.cognito_identity_id, context.tenant_id, context.client_context]

    with Client(app) as client:
        assert client.lambda_.invoke("tell").payload == [None, None, None]
    assert capsys.readouterr().out == "seen"
