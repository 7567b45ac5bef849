"""Live mode against the local AWS: real events, handled by a function of this process."""

import json
import os
import socket
import subprocess
import sys
import uuid

import pytest

from nbchalice.events import leases as leases_module
from nbchalice.events.leases import Lease, leases, queue_name
from nbchalice.events.live import Live, repair, with_queue
from nbchalice.events.send import send
from nbchalice.logs.invocation import Invocation
from nbchalice.logs.tail import recent

from ..deploy.injection import refusal

PRELUDE = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
QUEUE = PRELUDE + "@app.on_sqs_message(queue='q')\ndef price(event):\n    print('deployed', [r.body for r in event])\n"
TOPIC = PRELUDE + "@app.on_sns_message(topic='t')\ndef price(event):\n    print('deployed', event.message)\n"
BUCKET = PRELUDE + "@app.on_s3_event(bucket='b')\ndef price(event):\n    print('deployed', event.key)\n"
SCHEDULE = PRELUDE + "@app.schedule('rate(1 minute)')\ndef price(event):\n    print('deployed', event.event_id)\n"


class Here:
    """Stands for the kernel's function."""

    def __init__(self):
        self.events, self.status = [], "ok"

    def __call__(self, event):
        self.events.append(event)
        return Invocation(str(uuid.uuid4()), "price", self.status)


@pytest.fixture
def go_live(connection):
    running = []

    def start(made, here):
        trouble, seen = [], []
        live = Live(connection, made.route, here, seen.append, trouble.append)
        live.trouble = trouble
        running.append(live)
        live.start()
        return live

    yield start
    for live in running:
        live.stop()


def visible(connection, queue, seconds="1"):
    """Make a queue show a message again at once."""
    url = connection.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    connection.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": seconds})
    return url


def deployed_runs(connection, made):
    return [r.message for i in recent(connection, made.ref.name) for r in i.records if "deployed" in r.message]


def test_messages_of_a_queue_come_here_and_then_to_lambda_again(deploy, connection, name, go_live, eventually):
    made, here = deploy("on_sqs_message", QUEUE, queue=name), Here()
    live = go_live(made, here)
    send(connection, made.source, made.options, made.ref, wait=0, message="1", attribute={"kind": "test"})
    eventually(lambda: here.events)
    record = here.events[0]["Records"][0]
    assert record["body"] == "1" and record["eventSource"] == "aws:sqs"
    assert record["messageAttributes"]["kind"]["stringValue"] == "test"
    assert [lease.handler for lease in leases(connection, made.ref.app, "dev")] == ["price"]
    live.stop()
    assert send(connection, made.source, made.options, made.ref, message="2").status == "done"
    assert deployed_runs(connection, made) == ["deployed ['2']"]
    assert len(here.events) == 1 and leases(connection, made.ref.app, "dev") == [] and not live.trouble


def test_a_failure_leaves_the_message_in_the_queue(deploy, connection, name, go_live, eventually):
    made, here = deploy("on_sqs_message", QUEUE, queue=name), Here()
    here.status = "error"
    go_live(made, here)
    visible(connection, name)
    send(connection, made.source, made.options, made.ref, wait=0, message="1")
    eventually(lambda: len(here.events) >= 2)
    here.status = "ok"
    assert {event["Records"][0]["body"] for event in here.events} == {"1"}
    assert int(here.events[1]["Records"][0]["attributes"]["ApproximateReceiveCount"]) > 1
    visible(connection, name, "60")  # else Lambda does not take the trigger back


def test_a_filter_counts_as_on_aws(deploy, connection, name, go_live, eventually):
    made, here = deploy("on_sqs_message", QUEUE, queue=name, filter={"body": {"kind": ["a"]}}), Here()
    go_live(made, here)
    for kind in ("b", "a"):
        message = json.dumps({"kind": kind})
        send(connection, made.source, made.options, made.ref, wait=0, message=message)
    eventually(lambda: here.events)
    assert [json.loads(e["Records"][0]["body"])["kind"] for e in here.events] == ["a"]


def test_notifications_of_a_topic(deploy, connection, name, go_live, eventually):
    made, here = deploy("on_sns_message", TOPIC, topic=name), Here()
    live = go_live(made, here)
    send(connection, made.source, made.options, made.ref, wait=0, message="hello", subject="s")
    eventually(lambda: here.events)
    from nbchalice import SNSEvent

    event = SNSEvent(here.events[0], None)
    assert (event.message, event.subject) == ("hello", "s")
    live.stop()
    assert send(connection, made.source, made.options, made.ref, message="again").status == "done"
    assert deployed_runs(connection, made) == ["deployed again"]
    topic = connection.client("sns").list_subscriptions_by_topic(
        TopicArn=f"arn:aws:sns:{connection.region}:{connection.account}:{name}"
    )
    assert [s["Protocol"] for s in topic["Subscriptions"]] == ["lambda"]


def test_objects_of_a_bucket_and_foreign_notifications_stay(deploy, connection, name, go_live, eventually):
    made, here = deploy("on_s3_event", BUCKET, bucket=name, prefix="in/"), Here()
    s3, sqs = connection.client("s3"), connection.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    before = s3.get_bucket_notification_configuration(Bucket=name)
    before.pop("ResponseMetadata")
    rule = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "other/"}]}}
    before["QueueConfigurations"] = [
        {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectRemoved:*"], "Filter": rule}
    ]
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=before)
    live = go_live(made, here)
    send(connection, made.source, made.options, made.ref, wait=0, key="in/a b.txt", message="x")
    eventually(lambda: here.events)
    assert here.events[0]["Records"][0]["s3"]["object"]["key"] == "in/a+b.txt"
    during = s3.get_bucket_notification_configuration(Bucket=name)
    assert "LambdaFunctionConfigurations" not in during and len(during["QueueConfigurations"]) == 2
    live.stop()
    after = s3.get_bucket_notification_configuration(Bucket=name)
    assert [e["Id"] for e in after["QueueConfigurations"]] == ["theirs"]
    assert [e["LambdaFunctionArn"] for e in after["LambdaFunctionConfigurations"]] == [made.ref.arn]
    assert send(connection, made.source, made.options, made.ref, key="in/b.txt", message="y").status == "done"


def test_a_rule_has_the_process_as_its_target(deploy, connection, go_live, eventually):
    made, here = deploy("schedule", SCHEDULE, expression="rate(1 minute)"), Here()
    live = go_live(made, here)
    client = connection.client("events")
    (target,) = client.list_targets_by_rule(Rule=made.ref.event_name)["Targets"]
    assert target["Arn"] == made.ref.arn_of("sqs", queue_name(made.route))
    url = connection.client("sqs").get_queue_url(QueueName=queue_name(made.route))["QueueUrl"]
    event = made.source.sample(made.options, made.ref)  # what the rule sends when it fires
    connection.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(event))
    eventually(lambda: here.events)
    assert here.events[0]["detail-type"] == "Scheduled Event"
    live.stop()
    (target,) = client.list_targets_by_rule(Rule=made.ref.event_name)["Targets"]
    assert target["Arn"] == made.ref.arn


def test_it_can_be_started_again_at_once(deploy, connection, name, go_live, eventually):
    """SQS refuses a queue for 60 seconds whose name was that of a deleted one."""
    made, here = deploy("on_sns_message", TOPIC, topic=name), Here()
    deleted = {queue_name(made.route), queue_name(made.route, 2)}

    def just_deleted(request, **_):
        if json.loads(request.body)["QueueName"] in deleted:
            return refusal("json", request.url, "AWS.SimpleQueueService.QueueDeletedRecently", 400)
        return None

    events = connection.client("sqs").meta.events
    events.register("before-send.sqs.CreateQueue", just_deleted)
    try:
        live = go_live(made, here)
        (lease,) = leases(connection, made.ref.app, "dev")
        assert lease.is_of(made.route) and lease.queue == queue_name(made.route, 3)
        send(connection, made.source, made.options, made.ref, wait=0, message="hello")
        eventually(lambda: here.events)
        live.stop()
        redirect, _ = with_queue(connection, made.route)
        redirect.begin(connection)
        repair(connection, leases(connection, made.ref.app, "dev"), {"price": [made.route]})  # its process died
    finally:
        events.unregister("before-send.sqs.CreateQueue", just_deleted)
    assert send(connection, made.source, made.options, made.ref, message="2").status == "done"
    assert leases(connection, made.ref.app, "dev") == []


def test_what_failed_on_a_temporary_queue_goes_to_the_deployed_function(deploy, connection, name, go_live, eventually):
    made, here = deploy("on_sns_message", TOPIC, topic=name), Here()
    here.status = "error"
    live = go_live(made, here)
    send(connection, made.source, made.options, made.ref, wait=0, message="left over")
    eventually(lambda: here.events)
    live.stop()
    eventually(lambda: deployed_runs(connection, made) == ["deployed left over"])


def test_after_the_death_of_the_process_the_trigger_is_repaired(deploy, connection, name, local_aws):
    made = deploy("on_sqs_message", QUEUE, queue=name)
    code = f"""
import os
from nbchalice.aws.target import connect
from nbchalice.events.live import Live
from nbchalice.events.triggers import Route
from nbchalice.sources import SOURCES
from nbchalice.sources.base import FunctionRef
aws = connect("local")
ref = FunctionRef({made.ref.app!r}, "dev", "price", aws.region, aws.account)
Live(aws, Route(SOURCES["on_sqs_message"], {{"queue": {name!r}}}, ref), print, print, print).start()
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ)).returncode == 9
    (lease,) = leases(connection, made.ref.app, "dev")
    assert lease.dead and not lease.mine
    mappings = connection.client("lambda").list_event_source_mappings(FunctionName=made.ref.name)
    assert mappings["EventSourceMappings"][0]["State"] == "Disabled"
    repair(connection, [lease], {"price": [made.route]})
    assert leases(connection, made.ref.app, "dev") == []
    assert send(connection, made.source, made.options, made.ref, message="1").status == "done"


def test_who_is_alive_is_told_from_who_is_not(monkeypatch):
    monkeypatch.setattr(leases_module.time, "time", lambda: 1_000_000.0)
    here = Lease("price", socket.gethostname(), os.getpid(), 0, "")
    assert here.mine and not here.dead and "in this kernel" in str(here)
    assert not Lease("price", "elsewhere", 1, 999_950, "").dead
    assert Lease("price", "elsewhere", 1, 999_000, "").dead


def test_a_kernel_that_ended_and_that_nobody_waited_for_is_dead(eventually):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    lease = Lease("price", socket.gethostname(), ended.pid, 0, "")
    try:
        eventually(lambda: lease.dead)
        os.kill(ended.pid, 0)  # its number is still taken
        assert "which has ended" in str(lease)
    finally:
        ended.wait()


def test_the_names_of_temporary_queues_are_valid(connection):
    from nbchalice.events.triggers import Route
    from nbchalice.resources.base import FunctionRef
    from nbchalice.sources import SOURCES

    ref = FunctionRef("a" * 60, "dev", "h" * 60, "r", "0" * 12)
    names = [queue_name(Route(SOURCES["on_sqs_message"], {"queue": name}, ref)) for name in ("one", "two")]
    assert queue_name(Route(SOURCES["on_sqs_message"], {"queue": "one"}, ref), 9) == names[0] + "-9"
    assert len(names[0] + "-9") <= 80 and names[0] != names[1] and all(map(leases_module.ENDING.search, names))
