"""Messages sent through the real services of the local AWS, and the invocations that handled them."""

import json
import threading

import pytest

from nbchalice.errors import Interrupted
from nbchalice.events.send import send
from nbchalice.logs.tail import recent

from ..gates import OPEN

PRELUDE = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
SQS = (
    PRELUDE
    + """
@app.on_sqs_message(queue='{queue}', batch_size=10)
def price(event):
    for record in event:
        print("raw", record.body)
        app.log.info("%s -> %.2f", record.body, float(record.body) * 1.2)
"""
)


def messages(result):
    return [record.message for record in result.invocation.records]


def test_an_sqs_message_is_followed_to_its_invocation(deploy, connection, name):
    states = []
    made = deploy("on_sqs_message", SQS.format(queue=name), queue=name, batch_size=10)
    result = send(
        connection, made.source, made.options, made.ref, message="10", on_progress=lambda p: states.append(p.state)
    )
    assert result.status == "done" and result.ok and result.hint is None
    assert result.message_id in result.invocation.ids
    assert messages(result) == ["raw 10", "10 -> 12.00"]
    assert result.invocation.status == "ok" and result.invocation.duration_ms > 0 and result.invocation.attempt == 1
    assert states[0] == "queued" and states[-1] == "done"
    assert set(result.to_dict()) == {"message_id", "status", "hint", "note", "invocation"}
    json.dumps(result.to_dict())


def test_a_failure_shows_the_cell_and_returns_at_the_first_attempt(deploy, connection, name):
    made = deploy("on_sqs_message", SQS.format(queue=name), queue=name)
    result = send(connection, made.source, made.options, made.ref, message="ten")
    assert result.status == "failed" and not result.ok
    error = result.invocation.error
    assert (error.type, error.message) == ("ValueError", "could not convert string to float: 'ten'")
    assert (error.frames[-1].cell, error.frames[-1].line, error.frames[-1].function) == ("cell 4", 8, "price")
    assert "float(record.body)" in error.frames[-1].source
    assert [frame.cell for frame in error.frames] == ["cell 4"]
    assert "cell 4, line 8, in price" in str(result)


def test_a_function_that_fails_at_its_import_is_told_at_once(deploy, connection, name):
    code = SQS.format(queue=name) + "import os\nos.environ['NOT_ON_LAMBDA']\n"
    made = deploy("on_sqs_message", code, queue=name)
    result = send(connection, made.source, made.options, made.ref, message="10", wait=120)
    assert result.status == "failed" and not result.ok
    assert result.invocation.error.type == "KeyError" and result.invocation.error.frame.cell == "cell 4"
    assert "before the handler began" in result.hint and result.hint in str(result)


def test_who_does_not_want_to_wait_is_told_what_was_sent(deploy, connection, name):
    made = deploy("on_sqs_message", SQS.format(queue=name), queue=name)

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="was sent; its invocation was not waited for") as stopped:
        send(connection, made.source, made.options, made.ref, message="10", on_progress=stop)
    assert stopped.value.hint == "the logs of price show what becomes of it"


def test_an_sns_message(deploy, connection, name):
    code = PRELUDE + "@app.on_sns_message(topic='t')\ndef price(event):\n    app.log.warning('got %s', event.message)\n"
    made = deploy("on_sns_message", code, topic=name)
    result = send(connection, made.source, made.options, made.ref, message="hello", subject="s")
    assert result.status == "done"
    assert [(r.level, r.message) for r in result.invocation.records] == [("WARNING", "got hello")]


@pytest.mark.parametrize("way", [{}, {"via": "eventbridge"}])
def test_the_same_object_twice_is_two_invocations(deploy, connection, name, way):
    code = PRELUDE + "@app.on_s3_event(bucket='b')\ndef price(event):\n    print(event.key)\n"
    made = deploy("on_s3_event", code, bucket=name, **way)
    key = "in box/ä b+c.txt"
    first = send(connection, made.source, made.options, made.ref, message="same", key=key)
    second = send(connection, made.source, made.options, made.ref, message="same", key=key)
    assert messages(first) == messages(second) == [key]
    assert first.invocation.request_id != second.invocation.request_id
    assert [one.invocation.ids for one in (first, second)] == [(first.message_id,), (second.message_id,)]


def test_another_attempt_at_an_equal_object_is_not_ones_own(deploy, connection, name, gate, eventually):
    waits = f"    while not is_open({gate.number}):\n        time.sleep(0.05)\n    raise ValueError('no')\n"
    code = f"{PRELUDE}import time\n{OPEN}\n@app.on_s3_event(bucket='{name}')\ndef price(event):\n{waits}"
    made = deploy("on_s3_event", code, bucket=name)
    send(connection, made.source, made.options, made.ref, wait=0, message="same", key="a.txt")
    eventually(lambda: recent(connection, made.ref.name))
    nobody = {"Bucket": name, "NotificationConfiguration": {}}
    connection.client("s3").put_bucket_notification_configuration(**nobody)
    # The first one fails now, and is tried again.
    result = send(
        connection, made.source, made.options, made.ref, message="same", key="a.txt", on_progress=lambda _: gate.open()
    )
    assert (result.status, result.invocation) == ("queued", None)
    assert "does not notify the function" in result.hint


def test_another_attempt_at_an_equal_item_is_not_ones_own(deploy, connection, name):
    made_table = connection.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    options = {
        "stream_arn": made_table["TableDescription"]["LatestStreamArn"],
        "starting_position": "TRIM_HORIZON",
        "batch_size": 1,
        "maximum_retry_attempts": 2,
    }
    code = f"{PRELUDE}@app.on_dynamodb_record(**{options!r})\ndef price(event):\n    raise ValueError('no')\n"
    made = deploy("on_dynamodb_record", code, **options)
    sends = [send(connection, made.source, made.options, made.ref, message={"id": "1", "n": n}) for n in range(2)]
    first, second = (one.invocation.ids[0] for one in sends)  # the ids of their records
    assert first != second and [one.status for one in sends] == ["failed", "failed"]


def test_events_that_say_the_same_id_are_two(deploy, connection):
    code = PRELUDE + "@app.lambda_function()\ndef price(event, context):\n    raise KeyError(event['id'])\n"
    made, event = deploy("lambda_function", code), {"id": "mine", "detail-type": "x"}
    sends = [send(connection, made.source, made.options, made.ref, message=event) for _ in range(2)]
    assert [one.message_id for one in sends] == [one.invocation.request_id for one in sends]
    assert [one.invocation.attempt for one in sends] == [1, 1]


def test_a_schedule_fired_now(deploy, connection):
    code = PRELUDE + "@app.schedule('rate(5 minutes)')\ndef price(event):\n    print(event.event_id, event.detail)\n"
    made = deploy("schedule", code, expression="rate(5 minutes)")
    result = send(connection, made.source, made.options, made.ref, detail={"a": 1})
    assert messages(result) == [f"{result.message_id} {{'a': 1}}"]


def test_an_asynchronous_failure_is_its_first_attempt_and_the_retries_are_counted(deploy, connection, eventually):
    code = PRELUDE + "@app.schedule('rate(5 minutes)')\ndef price(event):\n    raise KeyError('x')\n"
    made = deploy("schedule", code, expression="rate(5 minutes)")
    result = send(connection, made.source, made.options, made.ref)
    assert (result.status, result.invocation.attempt, result.invocation.error.type) == ("failed", 1, "KeyError")
    found = eventually(lambda: len(i := [i for i in recent(connection, made.ref.name) if i.finished]) >= 3 and i)
    assert [i.attempt for i in found] == [1, 2, 3]
    assert {i.request_id for i in found} == {result.invocation.request_id}


def test_a_message_that_fails_alone_fails_its_invocation(deploy, connection, name):
    code = (
        PRELUDE
        + f"@app.on_sqs_message(queue='{name}', batch_size=10, per_record=True)\ndef price(record):\n    float(record.body)\n"
    )
    made = deploy("on_sqs_message", code, queue=name, batch_size=10, per_record=True)
    bad = send(connection, made.source, made.options, made.ref, message="ten")
    good = send(connection, made.source, made.options, made.ref, message="10")
    assert (bad.status, bad.invocation.status) == ("failed", "error")
    assert bad.invocation.error.type == "ValueError" and bad.invocation.error.frame.cell == "cell 4"
    assert good.status == "done"


def test_a_message_that_nobody_takes_stays_queued(deploy, connection, name):
    made = deploy("on_sqs_message", SQS.format(queue=name), queue=name)
    other = deploy("on_sqs_message", SQS.format(queue=name + "b"), queue=name + "b")
    result = send(connection, made.source, made.options, other.ref, wait=0.3, message="1")
    assert (result.status, result.invocation) == ("queued", None)
    assert result.to_dict()["invocation"] is None
    assert f"{made.ref.name} reads queue {name}, too" in result.hint
    assert result.message_id in result._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("handled", ["10", "no number"])
def test_a_message_that_another_function_takes_is_told_with_its_name(deploy, connection, name, handled):
    made = deploy("on_sqs_message", SQS.format(queue=name), queue=name)
    other = deploy("on_sqs_message", SQS.format(queue=name + "b"), queue=name + "b")
    told = []
    result = send(
        connection,
        made.source,
        made.options,
        other.ref,
        wait=60,
        on_progress=lambda now: told.append(now.state),
        message=handled,
    )
    assert (result.status, result.ok, result.invocation, told) == ("taken", False, None, ["queued", "taken"])
    assert result.hint == (
        f"{made.ref.name} got the message: {made.ref.name} reads queue {name}, too: "
        "each message goes to one of its readers only"
    )


@pytest.mark.parametrize(
    ("source", "trigger", "values", "reason"),
    [
        ("on_sqs_message", {"queue": "{}", "filter": {"body": {"n": [1]}}}, {"message": '{"n": 2}'}, "the filter drops it"),
        ("on_sns_message", {"topic": "{}", "filter_policy": {"kind": ["a"]}}, {"attribute": {"kind": "b"}}, "does not match"),
        ("on_s3_event", {"bucket": "{}", "suffix": ".csv"}, {"key": "a.txt"}, "the key does not end with .csv"),
        ("on_cw_event", {"event_pattern": {"source": ["{}"], "detail": {"n": [1]}}}, {"detail": {"n": 2}}, "does not match"),
    ],
)  # fmt: skip
def test_what_the_trigger_drops_is_told_at_once(deploy, connection, name, source, trigger, values, reason):
    trigger = json.loads(json.dumps(trigger).replace("{}", name))
    code = PRELUDE + "def price(event):\n    print(event.to_dict())\n"
    decorated = code.replace("def price", f"@app.{source}(**{trigger!r})\ndef price")
    made = deploy(source, decorated, **trigger)
    told = []
    result = send(connection, made.source, made.options, made.ref, wait=0.2, on_progress=told.append, **values)
    assert [(progress.state, reason in progress.dropped) for progress in told] == [("dropped", True)]
    assert (result.status, result.invocation) == ("dropped", None) and not result.ok
    assert reason in str(result) and reason in result._repr_mimebundle_()["text/html"]
    assert recent(connection, made.ref.name) == []


def test_what_the_deployed_trigger_lets_through_counts_more_than_what_the_notebook_says(deploy, connection, name):
    made = deploy("on_sqs_message", SQS.format(queue=name), queue=name)
    options = {**made.options, "filter": {"body": {"n": [1]}}}
    assert send(connection, made.source, options, made.ref, message="10").status == "done"


def test_without_waiting_it_only_sends(deploy, connection, name):
    made = deploy("on_sqs_message", SQS.format(queue=name), queue=name)
    before = len(connection.calls)
    assert send(connection, made.source, made.options, made.ref, wait=0, message="1").status == "queued"
    assert not [call for call in connection.calls[before:] if call[0] == "logs"]


def test_a_running_invocation_is_told_as_such(deploy, connection, name, gate):
    waits = f"    print('begun', flush=True)\n    while not is_open({gate.number}):\n        time.sleep(0.05)\n"
    code = f"{PRELUDE}import time\n{OPEN}\n@app.on_sqs_message(queue='{name}')\ndef price(event):\n{waits}"
    made = deploy("on_sqs_message", code, queue=name)
    stop = threading.Event()
    result = send(
        connection,
        made.source,
        made.options,
        made.ref,
        wait=60,
        stop=stop,
        message="1",
        on_progress=lambda p: p.state == "running" and stop.set(),
    )
    gate.open()
    assert result.status == "running" and not result.invocation.finished
    assert "still runs" in result.hint


def test_what_aws_refuses_is_told(deploy, connection, name):
    from nbchalice.errors import AWSError

    made = deploy("on_sqs_message", SQS.format(queue=name), queue=name)
    with pytest.raises(AWSError, match="sending to SQS "):
        send(connection, made.source, {**made.options, "queue": name + "-gone"}, made.ref, wait=0, message="1")
