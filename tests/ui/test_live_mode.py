"""`%chalice live` in an IPython shell."""

import json
import os
import re
import signal
import subprocess
import sys

import boto3
import pytest

from nbchalice.testing import TestEventsClient

from ..notebooks import write
from ..waiting import wait_until

pytestmark = pytest.mark.timeout(180)
CELL = """%%on_sqs_message live-orders
def price(event):
    for record in event:
        app.log.info("{word} %s", record.body)
        float(record.body)
"""


@pytest.fixture
def live(run, local_aws):
    run("%chalice app livemode")
    run(CELL.format(word="first"))
    run("%chalice deploy")
    run.shell.kernel = object()  # as in a kernel that nbclient drives
    yield run
    del run.shell.kernel
    from nbchalice.ui.live_mode import RUNNING

    RUNNING.stop_all()


def test_the_next_message_meets_the_edited_cell(live):
    viewer = live("%chalice live price")
    assert "price is live on local AWS" in str(viewer)
    live("%chalice send price --message 1 --wait 0")
    wait_until(lambda: [r["message"] for r in viewer.records] == ["first 1"])
    live(CELL.format(word="second"))
    live("%chalice send price --message 2 --wait 0")
    wait_until(lambda: "second 2" in [r["message"] for r in viewer.records])
    live("%chalice send price --message three --wait 0")
    failed = wait_until(lambda: [i for i in viewer.invocations if i.status == "error"])[0]
    assert failed.error.frame.line == 5 and failed.error.frame.cell.startswith("cell ")
    assert failed.error.frame.source == "float(record.body)"


def test_it_says_that_it_stops_no_loop(live):
    viewer = live("%chalice live price")
    assert "no loop is stopped here: events that the handler causes itself come back until you stop it" in str(viewer)


LOOP = """%%on_sqs_message live-orders
def price(event):
    import boto3
    for record in event:
        app.log.info("round %s", record.body)
        sqs = boto3.client("sqs")
        url = sqs.get_queue_url(QueueName="live-orders")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=str(int(record.body) + 1))
"""


def test_a_loop_goes_on_until_it_is_stopped_and_does_what_you_may(live, aws):
    """On Lambda it would end after 16 rounds, and its role may not even send."""
    viewer = live("%chalice live price")
    live(LOOP)
    live("%chalice send price --message 1 --wait 0")
    wait_until(lambda: "round 20" in [r["message"] for r in viewer.records])
    live("%chalice live price --stop")
    aws("sqs").purge_queue(QueueUrl=aws("sqs").get_queue_url(QueueName="live-orders")["QueueUrl"])


COPY = """%%on_sqs_message live-orders
def price(event):
    import os
    import boto3
    for record in event:
        boto3.client("s3").put_object(Bucket="live-copies", Key=record.body, Body=b"")
        app.log.info("%s %s", record.body, sorted(name for name in os.environ if name.startswith("AWS_S")))
"""


@pytest.mark.parametrize("way", ["live", "invoke", "replay"])
def test_what_runs_here_finds_the_local_aws_where_the_target_is_that(live, aws, monkeypatch, tmp_path, way):
    """It found the AWS of the kernel, which may be a real one, though nothing real is to happen."""
    aws("s3").create_bucket(Bucket="live-copies")
    session = boto3.Session(aws_access_key_id="AKIAELSEWHERE", aws_secret_access_key="x", region_name="eu-west-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    own = {"AWS_ACCESS_KEY_ID": "AKIAELSEWHERE", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "y"}
    own |= {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    live(COPY)
    if way == "live":
        viewer = live("%chalice live price")
        live("%chalice send price --message live --wait 0")
        wait_until(
            lambda: (
                "live ['AWS_SECRET_ACCESS_KEY', 'AWS_SHARED_CREDENTIALS_FILE']"
                in [r["message"] for r in viewer.records]
            )
        )
        # Where the credentials come from is of no interest, and not told on Lambda either.
        assert [r["logger"] for r in viewer.records if "Found" in r["message"]] == []
        live("%chalice live price --stop")
    else:
        live("%chalice deploy")
        live("%chalice send price --message replay --wait 5")
        event = TestEventsClient().generate_sqs_event(["invoke"], queue_name="live-orders")
        (tmp_path / "event.json").write_text(json.dumps(event))
        line = f"invoke price --here --event {tmp_path}/event.json" if way == "invoke" else "replay price"
        live(f"%chalice {line}")
    kept = aws("s3").list_objects_v2(Bucket="live-copies")["Contents"]
    assert way in [one["Key"] for one in kept]
    assert boto3.DEFAULT_SESSION is session
    assert own.items() <= dict(os.environ).items()
    assert "AWS_CONFIG_FILE" in os.environ and os.environ["AWS_CONFIG_FILE"] != os.devnull


CLIENTS = """import boto3
S3 = boto3.client("s3", endpoint_url="http://127.0.0.1:9", region_name="us-east-1")
COPIES = boto3.resource("s3", endpoint_url="http://127.0.0.1:9", region_name="us-east-1").Bucket("live-clients")
"""
BY_CLIENTS = """%%on_sqs_message live-orders
def price(event):
    for record in event:
        S3.put_object(Bucket="live-clients", Key=record.body, Body=b"")
        COPIES.put_object(Key="by-resource-" + record.body, Body=b"")
        app.log.info("copied %s", record.body)
"""


@pytest.mark.parametrize("way", ["live", "invoke"])
def test_clients_that_cells_made_of_another_aws_are_of_the_local_one_while_it_runs_here(live, aws, tmp_path, way):
    """They are made at the top of a cell, as Lambda advises; where the kernel has keys, they are of a real account."""
    aws("s3").create_bucket(Bucket="live-clients")
    live(CLIENTS)
    live(BY_CLIENTS)
    before = live.shell.user_ns["S3"], live.shell.user_ns["COPIES"].meta.client
    if way == "live":
        viewer = live("%chalice live price")
        live("%chalice send price --message live --wait 0")
        wait_until(lambda: "copied live" in [r["message"] for r in viewer.records])
        live("%chalice live price --stop")
    else:
        event = TestEventsClient().generate_sqs_event(["invoke"], queue_name="live-orders")
        (tmp_path / "event.json").write_text(json.dumps(event))
        assert live(f"%chalice invoke price --here --event {tmp_path}/event.json").status == "ok"
    kept = {one["Key"] for one in aws("s3").list_objects_v2(Bucket="live-clients")["Contents"]}
    assert {way, f"by-resource-{way}"} <= kept
    assert (live.shell.user_ns["S3"], live.shell.user_ns["COPIES"].meta.client) == before
    assert before[0].meta.endpoint_url == before[1].meta.endpoint_url == "http://127.0.0.1:9"


def test_status_says_so_and_stopping_puts_the_trigger_back(live):
    live("%chalice live price")
    assert "price is live in this kernel" in str(live("%chalice status"))
    assert "no longer live" in str(live("%chalice live price --stop"))
    status = live("%chalice status")
    assert [h.state for h in status.handlers] == ["deployed"] and not status.handlers[0].drift
    assert "live in" not in str(status)
    assert live("%chalice send price --message 1").status == "done"
    assert "is not live" in str(live.error("%chalice live price --stop"))


def test_a_deploy_ends_it(live):
    live("%chalice live price")
    live("%chalice deploy")
    assert live("%chalice send price --message 1").status == "done"


BOTH = """@app.on_sqs_message(queue="live-both")
@app.on_sns_message(topic="live-news")
@app.on_s3_event(bucket="live-shop", prefix="a/")
@app.on_s3_event(bucket="live-shop", prefix="b/")
def both(event):
    app.log.info("here %s", type(event).__name__)
"""


def test_all_sources_of_a_handler_come_here_or_one_of_them(live):
    live(BOTH)
    live("%chalice deploy")
    here = lambda: [record["message"] for record in viewer.records]  # noqa: E731
    viewer = live("%chalice live both")
    assert str(live("%chalice status")).count("both is live in this kernel") == 1
    for words in ("--source sqs", "--source sns", "--key a/x", "--key b/x"):
        live(f"%chalice send both --message 1 --wait 0 {words}")
    wait_until(lambda: sorted(here()) == ["here S3Event", "here S3Event", "here SNSEvent", "here SQSEvent"])
    viewer = live("%chalice live both --source sns")
    assert live("%chalice send both --message 1 --source sqs").ok
    live("%chalice send both --message 1 --source sns --wait 0")
    wait_until(lambda: here() == ["here SNSEvent"])
    live("%chalice live both --stop")
    for words in ("--source sns", "--key a/y", "--key b/y"):
        assert live(f"%chalice send both --message 1 {words}").ok
    assert not live("%chalice status").handlers[-1].drift


def test_what_cannot_be_live_says_why(live):
    live("%%schedule cron(0 9 ? * MON-FRI *) --timezone Europe/Vienna\ndef daily(event):\n    pass")
    assert "live mode is not for" in str(live.error("%chalice live daily"))


def test_send_follows_the_message_into_live_mode(live):
    live("%chalice live price")
    done = live("%chalice send price --message 7")
    assert done.status == "done" and [record.message for record in done.invocation.records] == ["first 7"]
    failed = live("%chalice send price --message seven")
    assert failed.status == "failed" and failed.invocation.error.frame.source == "float(record.body)"
    assert "price is live in this kernel" in str(live("%chalice plan"))


def test_send_tells_which_other_process_has_the_message(live, tmp_path):
    path = tmp_path / "elsewhere.ipynb"
    cells = ["%load_ext nbchalice", "%chalice app livemode", CELL.format(word="elsewhere")]
    write(path, cells)
    command = [sys.executable, "-m", "nbchalice", "live", str(path), "price", "--json"]
    other = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: "is live in process" in str(live("%chalice status")))
        sent = live("%chalice send price --message 8")
        assert sent.status == "queued"
        assert (
            f"price is live in process {other.pid} on" in sent.hint and "that is where this message goes" in sent.hint
        )
        assert "elsewhere 8" in other.stdout.readline()
    finally:
        other.send_signal(signal.SIGINT)
        other.communicate(timeout=60)
    assert live("%chalice send price --message 9").status == "done"


def test_a_plan_tells_which_changes_only_undo_live_mode(live):
    live("%%schedule rate(1 hour)\ndef tick(event):\n    pass")
    live(BOTH)
    live("%chalice deploy")
    live("%chalice live both")
    live("%chalice live tick")
    plan = live("%chalice plan")
    assert {change.resource.kind for change in plan.changes} == {
        "bucket notification", "subscription", "event source mapping", "rule"
    }  # fmt: skip
    assert all(change.reason.endswith(": live mode paused it") for change in plan.changes)
    assert "both is live in this kernel" in str(plan) and "a deploy ends that, and puts it back" in str(plan)
    live(BOTH.replace("here", "there"))
    reasons = {change.resource.kind: change.reason for change in live("%chalice plan").changes}
    assert re.fullmatch(r"code \(cell \d+, former cell \d+\)", reasons["function"])
    live("%chalice deploy")
    assert not live("%chalice plan").changes


@pytest.fixture
def elsewhere(live, tmp_path):
    """Another process that is live for one of the sources of `both`."""
    live(BOTH)
    live("%chalice deploy")
    path = tmp_path / "elsewhere.ipynb"
    cells = ["%load_ext nbchalice", "%chalice app livemode", BOTH]
    write(path, cells)
    command = [sys.executable, "-m", "nbchalice", "live", str(path), "both", "--source", "sns", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: "is live in process" in str(live("%chalice status")))
    yield process
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    live("%chalice status")


def test_only_the_events_of_the_trigger_that_is_live_elsewhere_go_there(live, elsewhere, monkeypatch):
    monkeypatch.setattr("nbchalice.events.follow.LIVE_SECONDS", 0)
    assert "goes" in live("%chalice send both --message 1 --source sns").hint
    sent = [live(f"%chalice send both --message 1 {words}") for words in ("--source sqs", "--key a/x")]
    assert [one.status for one in sent] == ["done", "done"]


def test_a_deploy_beside_another_live_process_says_so(live, elsewhere):
    assert "it and the deployed function both take its events" in str(live("%chalice deploy"))


def test_a_live_mode_that_died_is_not_told_as_live(live, elsewhere):
    elsewhere.kill()
    elsewhere.communicate()
    plan = str(live("%chalice plan"))
    assert f"both was live in process {elsewhere.pid}" in plan and "is live" not in plan
    sent = live("%chalice send both --message 1 --source sns")
    assert sent.status == "queued" and "which has ended" in sent.hint and "%chalice status" in sent.hint
    live("%chalice status")
    wait_until(lambda: "here SNSEvent" in str(live("%chalice logs both")))
