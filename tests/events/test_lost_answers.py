"""What is asked for once happens once, also when the answer is late or lost."""

import threading
import time

import pytest

from nbchalice.aws.local.client import server
from nbchalice.aws.target import Connection
from nbchalice.errors import LostAnswerError
from nbchalice.events import invoke as invoking
from nbchalice.events import live
from nbchalice.events.deadletter import DeadLetterQueue
from nbchalice.events.invoke import invoke
from nbchalice.events.send import send

from ..gates import OPEN
from ..log_groups import read_lines

WAITS = f"""from nbchalice import Chalice
import time
{OPEN}
app = Chalice(app_name='shop')
@app.lambda_function()
def price(event):
    print("began")
    while not is_open(event["gate"]):
        time.sleep(0.02)
    return "ended"
"""
QUICK = """from nbchalice import Chalice
app = Chalice(app_name='shop')
@app.lambda_function()
def price(event):
    print("began")
"""


@pytest.fixture
def hurried(connection):
    """A connection whose clients wait a second for an answer, unless told otherwise."""
    from nbchalice.aws import target

    def new_client(service, region, patience=1.0):
        made = target._session(region_name=region, **keys)
        config = target._config(patience, s3={"addressing_style": "path"}, proxies={})
        return made.client(service, endpoint_url=connection.target.endpoint, config=config)

    running = server.ensure_running()
    keys = {"aws_access_key_id": running.access_key, "aws_secret_access_key": running.secret_key}
    return Connection(connection.target, new_client)


def begun(connection, ref):
    """How often the function was run."""
    return sum("began" in line for line in read_lines(connection.client("logs"), ref.name))


def test_a_run_longer_than_other_answers_are_waited_for_is_one_run(
    connection, hurried, plain_function, gate, eventually
):
    ref = plain_function(WAITS)

    def open_late():
        eventually(lambda: begun(connection, ref))  # the environment's start takes as long as it likes
        time.sleep(1.5)
        gate.open()

    threading.Thread(target=open_late).start()
    done = invoke(hurried, ref, {"gate": gate.number})
    assert (done.status, done.result) == ("ok", "ended")
    assert done.duration_ms > 1000
    eventually(lambda: begun(connection, ref) == 1)


@pytest.mark.parametrize(("deployed", "in_notebook"), [(1, 60), (900, 60), (20, 5)])
def test_the_answer_is_waited_for_longer_than_the_function_that_stands_may_run(
    connection, plain_function, monkeypatch, deployed, in_notebook
):
    ref = plain_function(QUICK, Timeout=deployed)
    asked = []
    client = connection.client
    monkeypatch.setattr(connection, "client", lambda *a, **k: asked.append(k.get("patience")) or client(*a, **k))
    invoke(connection, ref, {})
    assert asked[-1] > deployed
    assert client("lambda", patience=asked[-1]).meta.config.read_timeout == asked[-1]


def test_an_answer_that_does_not_come_in_time_is_told_and_the_function_is_not_run_again(
    connection, plain_function, gate, monkeypatch, eventually
):
    ref = plain_function(WAITS, Timeout=20)
    monkeypatch.setattr(invoking, "MARGIN", -19.0)
    with pytest.raises(LostAnswerError, match=r"invoking .* \(after \d+ s\): the answer was lost.*[Tt]ime") as caught:
        invoke(connection, ref, {"gate": gate.number})
    assert "not asked a second time" in caught.value.message
    assert caught.value.hint == "the function may still be running; its log: %chalice logs price"
    gate.open()
    eventually(lambda: any(line.startswith("REPORT") for line in read_lines(connection.client("logs"), ref.name)))
    eventually(lambda: begun(connection, ref) == 1)


@pytest.mark.parametrize("fault", ["drop-after", "drop-before", "error"])
def test_an_invocation_without_an_answer_is_not_repeated(connection, plain_function, faults, fault, eventually):
    ref = plain_function(QUICK)
    faults({"action": fault, "service": "lambda", "operation": "Invoke"}, record=True)
    with pytest.raises(LostAnswerError):
        invoke(connection, ref, {})
    assert server.control("GET", "faults")["calls"].count(["lambda", "Invoke"]) == 1
    eventually(lambda: begun(connection, ref) == (fault == "drop-after"))


def test_an_invocation_that_was_throttled_is_repeated(connection, plain_function, faults, eventually):
    ref = plain_function(QUICK)
    faults({"action": "throttle", "service": "lambda", "operation": "Invoke"}, record=True)
    assert invoke(connection, ref, {}).status == "ok"
    eventually(lambda: begun(connection, ref) == 1)


def test_a_server_that_is_not_reached_is_asked_again(connection):
    """A port nobody listens on: the call was surely not received."""
    from nbchalice.aws import target

    tries = []

    def new_client(service, region):
        session = target._session(aws_access_key_id="a", aws_secret_access_key="b", region_name=region)
        client = session.client(service, endpoint_url="http://127.0.0.1:9", config=target._config(proxies={}))
        client.meta.events.register("request-created", lambda **_: tries.append(service))
        return client

    client = Connection(connection.target, new_client).client("sqs")
    with pytest.raises(Exception, match="Could not connect") as caught:
        client.send_message(QueueUrl="http://127.0.0.1:9/000000000000/q", MessageBody="m")
    assert not isinstance(caught.value, LostAnswerError)
    assert len(tries) > 1


SENT = {
    "on_sqs_message": ({"queue": "NAME"}, {}, ("sqs", "SendMessage")),
    "on_sns_message": ({"topic": "NAME"}, {}, ("sns", "Publish")),
    "on_s3_event": ({"bucket": "NAME"}, {"key": "k"}, ("s3", "PutObject")),
    "on_cw_event": ({"event_pattern": {"source": ["NAME"]}}, {}, ("events", "PutEvents")),
    "schedule": ({"expression": "rate(5 minutes)"}, {}, ("lambda", "Invoke")),
}


@pytest.mark.parametrize("source", SENT)
@pytest.mark.parametrize("fault", ["drop-after", "error"])
def test_what_send_sends_is_never_sent_twice(deploy, connection, faults, name, source, fault):
    options, values, (service, operation) = SENT[source]
    options = {
        key: {"source": [name]} if isinstance(value, dict) else value.replace("NAME", name)
        for key, value in options.items()
    }
    handler = QUICK.replace("lambda_function()", f"{source}({', '.join(f'{k}={v!r}' for k, v in options.items())})")
    deployed = deploy(source, handler, **options)
    faults({"action": fault, "service": service, "operation": operation}, record=True)
    with pytest.raises(LostAnswerError, match="sending to .*: the answer was lost") as caught:
        send(connection, deployed.source, deployed.options, deployed.ref, **values)
    assert "%chalice logs price" in caught.value.hint
    assert server.control("GET", "faults")["calls"].count([service, operation]) == 1


def test_a_fifo_message_is_sent_again_because_the_queue_knows_it(connection, faults, name):
    sqs = connection.client("sqs")
    url = sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    faults({"action": "drop-after", "service": "sqs", "operation": "SendMessage"}, record=True)
    sqs.send_message(QueueUrl=url, MessageBody="m", MessageGroupId="g", MessageDeduplicationId="1")
    assert server.control("GET", "faults")["calls"].count(["sqs", "SendMessage"]) == 2
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert found["Attributes"]["ApproximateNumberOfMessages"] == "1"


@pytest.mark.parametrize("to_queue", [True, False])
def test_a_dead_letter_whose_way_back_was_lost_stays_and_is_told(connection, plain_function, faults, name, to_queue):
    ref = plain_function(QUICK)
    sqs = connection.client("sqs")
    sqs.create_queue(QueueName=name)
    url = sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    letters = DeadLetterQueue(
        connection, ref.arn_of("sqs", f"{name}-dead"), ref, ref.arn_of("sqs", name) if to_queue else ""
    )
    operation = ["sqs", "SendMessage"] if to_queue else ["lambda", "Invoke"]
    faults({"action": "drop-after", "service": operation[0], "operation": operation[1]}, record=True)
    with pytest.raises(LostAnswerError, match=f"redriving queue {name}-dead: the answer was lost"):
        letters.redrive()
    assert server.control("GET", "faults")["calls"].count(operation) == 1
    assert letters.depth() == 1


def test_events_that_live_mode_hands_back_are_kept_until_the_function_has_them(deploy, connection, faults, name):
    handler = QUICK.replace("lambda_function()", f"on_sns_message({name!r})")
    deployed = deploy("on_sns_message", handler, topic=name)
    redirect = live.redirect_of(deployed.route)
    url = live._make_queue(connection, redirect)
    redirect.begin(connection)
    topic = deployed.ref.arn_of("sns", name)
    for body in ("1", "2", "3"):
        connection.client("sns").publish(TopicArn=topic, Message=body)
    connection.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    faults({"action": "drop-before", "service": "lambda", "operation": "Invoke", "nth": 2}, record=True)
    with pytest.raises(LostAnswerError, match="handing an event back"):
        live.restore(connection, redirect, url)
    assert server.control("GET", "faults")["calls"].count(["lambda", "Invoke"]) == 2
    live.restore(connection, redirect, url)
    assert server.control("GET", "faults")["calls"].count(["lambda", "Invoke"]) == 4


def test_what_a_killed_live_process_had_taken_is_handed_back(deploy, connection, faults, name):
    deployed = deploy("on_sns_message", QUICK.replace("lambda_function()", f"on_sns_message({name!r})"), topic=name)
    redirect = live.redirect_of(deployed.route)
    url = live._make_queue(connection, redirect)
    redirect.begin(connection)
    connection.client("sns").publish(TopicArn=deployed.ref.arn_of("sns", name), Message="1")
    sqs = connection.client("sqs")
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, VisibilityTimeout=2)["Messages"]
    faults(record=True)
    live.restore(connection, redirect, url)  # Nobody deleted it: its process is gone.
    assert server.control("GET", "faults")["calls"].count(["lambda", "Invoke"]) == 1


def test_the_kernel_can_be_interrupted_while_a_function_runs(connection, plain_function, gate, eventually):
    import os
    import signal

    from nbchalice.errors import Interrupted

    ref = plain_function(WAITS, Timeout=900)
    waits = threading.Event()
    waits.set()

    def press():
        eventually(lambda: begun(connection, ref))
        if waits.is_set():  # a Ctrl-C that comes late would end some other test
            os.kill(os.getpid(), signal.SIGINT)

    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        with pytest.raises(Interrupted, match="was not waited for"):
            invoke(connection, ref, {"gate": gate.number})
    finally:
        waits.clear()
        gate.open()
        pressing.join()
