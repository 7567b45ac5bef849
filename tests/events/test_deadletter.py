"""Dead-letter queues of the local AWS."""

import json

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.events.deadletter import dead_letters_of
from nbchalice.handlers import Handler
from nbchalice.logs.tail import recent
from nbchalice.runtime.app import Trigger

CODE = (
    "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
    "@app.on_sqs_message(queue='q')\ndef price(event):\n    for r in event:\n        print('seen', r.body)\n"
)


@pytest.fixture
def dead(deploy, connection, name):
    """A queue with a dead-letter queue that holds three messages."""
    made = deploy("on_sqs_message", CODE, queue=name)
    sqs = connection.client("sqs")
    url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    sqs.set_queue_attributes(
        QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"], Attributes={"RedrivePolicy": policy}
    )
    for body in ("1", "2", "3"):
        kind = {"kind": {"DataType": "String", "StringValue": "test"}}
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=kind)
    handler = Handler("price", "price", (Trigger("on_sqs_message", {"queue": name}),), {})
    return made, dead_letters_of(connection, handler, made.ref)


def test_peeking_takes_nothing_out(dead):
    _, queue = dead
    assert queue.depth() == 3
    for _ in range(2):
        assert sorted(letter.body for letter in queue.peek()) == ["1", "2", "3"]
    assert queue.depth() == 3 and len(queue.peek(2)) == 2


def test_a_letter_becomes_the_event_that_failed(dead):
    _, queue = dead
    letter = queue.peek(1)[0]
    record = queue.event_of(queue.find(letter.message_id[:13]))["Records"][0]
    assert record["body"] == letter.body and record["eventSourceARN"] == queue.source_arn
    assert record["messageAttributes"]["kind"]["stringValue"] == "test"
    with pytest.raises(InvalidInputError, match="0 messages"):
        queue.find("none")


def test_redriven_messages_are_handled_again(dead, connection, eventually):
    made, queue = dead
    assert queue.redrive() == 3 and queue.depth() == 0
    seen = lambda: {r.message for i in recent(connection, made.ref.name) for r in i.records}  # noqa: E731
    eventually(lambda: seen() >= {"seen 1", "seen 2", "seen 3"})


def test_asynchronous_events_go_to_the_function_again(plain_function, connection, name, eventually):
    code = (
        "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
        "@app.on_sns_message(topic='t')\ndef price(event):\n    print('seen', event.message)\n"
    )
    ref = plain_function(code)
    url = connection.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    from nbchalice.sources import SOURCES

    event = SOURCES["on_sns_message"].sample({"topic": "t"}, ref, message="late")
    error = {"ErrorMessage": {"DataType": "String", "StringValue": "boom"}}
    connection.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(event), MessageAttributes=error)
    handler = Handler("price", "price", (Trigger("on_sns_message", {"topic": "t"}),), {"dlq": name})
    queue = dead_letters_of(connection, handler, ref)
    (letter,) = queue.peek()
    assert letter.error == "boom" and queue.event_of(letter) == event
    assert queue.redrive() == 1
    eventually(lambda: [r.message for i in recent(connection, ref.name) for r in i.records] == ["seen late"])


def test_a_handler_without_one_is_told_how_to_get_one(deploy, connection, name):
    made = deploy("on_sqs_message", CODE, queue=name)
    handler = Handler("price", "price", (Trigger("on_sqs_message", {"queue": name}),), {})
    with pytest.raises(InvalidInputError, match="no dead-letter queue") as error:
        dead_letters_of(connection, handler, made.ref)
    assert "redrive policy" in error.value.hint
