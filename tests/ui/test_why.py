"""`%chalice why`: what keeps events from a handler, from what stands, without sending one."""

import json

import pytest
from botocore.exceptions import ClientError

from nbchalice.cli import code_of
from nbchalice.events import why as of_events

from ..notebooks import write
from ..waiting import wait_until

pytestmark = pytest.mark.local_aws

CELL = """%%on_sqs_message {name} --dlq {name}-failed --max-receive-count 1
def price(event):
    for record in event:
        print(float(record.body))
"""


def mapping(run, **settings):
    client = run.notebook.connect().client("lambda")
    (one,) = client.list_event_source_mappings(FunctionName=f"{run.notebook.app_name()}-dev-price")[
        "EventSourceMappings"
    ]
    client.update_event_source_mapping(UUID=one["UUID"], **settings)


def put(run, queue, body):
    client = run.notebook.connect().client("sqs")
    client.send_message(QueueUrl=client.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=body)


def test_what_is_not_deployed(run, name):
    run(CELL.format(name=name))
    told = run("%chalice why price")
    assert told.why.is_blocked and not told.why.triggers
    assert f"price is not deployed ({name}-dev-price does not exist); deploy it first" in told.text


def test_a_queue_that_is_gone(deployed, name):
    client = deployed.notebook.connect().client("sqs")
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])
    told = deployed("%chalice why price")
    assert told.text.startswith("price: its events do not arrive")
    assert f"SQS {name} does not exist; a deploy makes it" in told.text
    deployed("%chalice deploy")
    deployed("%chalice send price --message 5")
    assert "nothing keeps its events" in deployed("%chalice why price").text


def test_where_nothing_keeps_events_away(deployed, name):
    deployed("%chalice send price --message 5")
    told = deployed("%chalice why price")
    assert told.text.startswith("price: nothing keeps its events from it · ")
    (trigger,) = told.why.triggers
    assert (trigger.trigger, trigger.blocked, trigger.seen) == (f"SQS {name}", (), (f"queue {name} is empty",))
    assert told.why.last.ok and "last invocation" in told.text and told.why.dead_letters == (f"{name}-failed", 0)


def test_a_mapping_that_is_off_and_a_message_that_waits(deployed, name):
    mapping(deployed, Enabled=False)
    put(deployed, name, "5")
    put(deployed, f"{name}-failed", "five")
    told = deployed("%chalice why price")
    (trigger,) = told.why.triggers
    assert trigger.blocked == (f"event source mapping {name} -> {name}-dev-price is disabled; deploy",)
    assert trigger.seen == (f"1 message waits in queue {name}",)
    assert f"1 message waits in {name}-failed: %chalice dlq price" in told.text
    assert "its events do not arrive" in told.html and "%chalice dlq price" in told.html
    data = json.loads(json.dumps(told.to_dict()))
    assert data["is_blocked"] and data["dead_letters"] == {"queue": f"{name}-failed", "messages": 1}


def test_an_event_that_fails_for_ever_is_told_where_nothing_takes_it(run, name):
    """Nothing kept events away, and the queue's one message ran every second."""
    client = run.notebook.connect().client("sqs")
    client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "1"})
    run(CELL.format(name=name).replace(f" --dlq {name}-failed --max-receive-count 1", " --timeout 1"))
    run("%chalice deploy")
    put(run, name, "five")
    told = wait_until(
        lambda: (text := run("%chalice why price").text) and "no dead-letter queue takes it" in text and text
    )
    assert "time it came, and comes back" in told
    run("%chalice delete --yes")
    client.delete_queue(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"])


def test_every_reason_of_every_trigger_is_told(run, name):
    run("from nbchalice import Rate\n@app.schedule(Rate(1, Rate.HOURS))\n"
        f"@app.on_sqs_message('{name}')\n"
        "def price(event):\n    pass")  # fmt: skip
    run("%chalice deploy")
    client = run.notebook.connect().client("lambda")
    client.put_function_concurrency(FunctionName=f"{run.notebook.app_name()}-dev-price", ReservedConcurrentExecutions=0)
    mapping(run, Enabled=False)
    why = run("%chalice why price").why
    assert why.blocked[0].startswith("the function is throttled: its reserved concurrency is 0")
    assert {one.trigger: bool(one.blocked) for one in why.triggers} == {
        f"SQS {name}": True,
        "Schedule rate(1 hour)": False,
    }
    assert any("next runs" in text for one in why.triggers for text in one.seen)
    assert [one.trigger for one in run("%chalice why price --source sqs").why.triggers] == [f"SQS {name}"]


def test_a_filter_is_asked_about_the_event_that_is_meant(run, name):
    run(f"%%on_sqs_message {name}" + """ --filter '{"body": {"kind": ["sale"]}}'\ndef price(event):\n    pass""")
    run("%chalice deploy")
    assert not run("%chalice why price").why.is_blocked
    assert "the filter drops it" in run("""%chalice why price --message '{"kind": "offer"}'""").text
    run("""%chalice send price --preview --save offer --message '{"kind": "offer"}'""")
    assert run("%chalice why price --saved offer").why.is_blocked
    assert not run("""%chalice why price --saved offer --message '{"kind": "sale"}'""").why.is_blocked


def test_who_is_live_has_the_events(deployed, name):
    from nbchalice.ui.live_mode import LiveHandler

    live = LiveHandler(deployed.notebook, "price", None)
    live.start()
    try:
        told = deployed("%chalice why price")
        assert "price is live in this kernel" in told.text and "that is where the events go" in told.text
    finally:
        live.stop()


def test_what_aws_does_not_let_be_asked_is_told(deployed, monkeypatch):
    def refuse(*_, **__):
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "FilterLogEvents")

    monkeypatch.setattr(of_events, "recent", refuse)
    why = deployed("%chalice why price").why
    assert why.seen == ("the log could not be looked at: AWS denies FilterLogEvents",) and not why.is_blocked


def test_the_command_line_tells_it_as_json(deployed, name, tmp_path, capsys):
    path = write(tmp_path / "shop.ipynb", ["%load_ext nbchalice", f"%chalice app {name}", CELL.format(name=name)])
    mapping(deployed, Enabled=False)
    assert code_of(["why", str(path), "price", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["triggers"][0]["blocked"] and not told["blocked"] and told["last_invocation"] is None
