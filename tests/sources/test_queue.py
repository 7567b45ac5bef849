"""Queues on the local AWS: every option of the mapping, dead-letter queues, visibility timeouts, names of all kinds."""

import json

import pytest

from nbchalice.resources.base import FunctionRef
from nbchalice.resources.queue import QueueRef
from nbchalice.sources import SOURCES

REF = FunctionRef("shop", "dev", "price", "eu-west-1", "123456789012")
FORMS = {
    "orders": ("orders", "eu-west-1", "123456789012"),
    "orders.fifo": ("orders.fifo", "eu-west-1", "123456789012"),
    "arn:aws:sqs:us-east-2:111122223333:orders": ("orders", "us-east-2", "111122223333"),
    "https://sqs.us-east-2.amazonaws.com/111122223333/orders": ("orders", "us-east-2", "111122223333"),
    "https://us-east-2.queue.amazonaws.com/111122223333/orders": ("orders", "us-east-2", "111122223333"),
    "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/orders": ("orders", "cn-north-1", "111122223333"),
    "http://localhost:4566/000000000000/orders/": ("orders", "eu-west-1", "000000000000"),
}


@pytest.mark.parametrize("text", FORMS)
def test_a_queue_by_name_arn_or_url(text):
    assert SOURCES["on_sqs_message"].problems({"queue": text}) == []
    queue = QueueRef.parse(text, REF)
    assert (queue.name, queue.region, queue.account) == FORMS[text]


def mapping_of(one):
    return one.aws.client("lambda").list_event_source_mappings(FunctionName=one.ref.name)["EventSourceMappings"][0]


def queue_attributes(one, queue):
    client = one.aws.client("sqs")
    return client.get_queue_attributes(
        QueueUrl=client.get_queue_url(QueueName=queue)["QueueUrl"], AttributeNames=["All"]
    )["Attributes"]


def test_options_that_are_removed_again_are_cleared(deployed, name):
    one = deployed(
        f"@app.on_sqs_message('{name}', batch_size=20, maximum_batching_window_in_seconds=2, maximum_concurrency=3,"
        " report_failures=True, filter={'body': {'n': [1]}})"
    )
    made = mapping_of(one)
    assert (made["BatchSize"], made["MaximumBatchingWindowInSeconds"], made["ScalingConfig"]) == (
        20,
        2,
        {"MaximumConcurrency": 3},
    )
    assert made["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert [json.loads(f["Pattern"]) for f in made["FilterCriteria"]["Filters"]] == [{"body": {"n": [1]}}]
    assert one.changes() == []
    one.change(f"@app.on_sqs_message('{name}')")
    assert ("update", "event source mapping") in one.changes()
    now = mapping_of(one)
    assert now["BatchSize"] == 1 and not now.get("MaximumBatchingWindowInSeconds")
    assert not now.get("ScalingConfig") and not now.get("FunctionResponseTypes")
    assert not (now.get("FilterCriteria") or {}).get("Filters")
    assert one.changes() == []


def test_a_dead_letter_queue_is_made_and_set(deployed, name):
    one = deployed(f"@app.on_sqs_message('{name}', max_receive_count=2, dlq='{name}-dead')")
    policy = json.loads(queue_attributes(one, name)["RedrivePolicy"])
    assert (policy["deadLetterTargetArn"].rsplit(":", 1)[-1], int(policy["maxReceiveCount"])) == (f"{name}-dead", 2)
    assert "DeadLetterConfig" not in one.aws.client("lambda").get_function_configuration(
        FunctionName=one.ref.name
    ) or not (
        one.aws.client("lambda")
        .get_function_configuration(FunctionName=one.ref.name)["DeadLetterConfig"]
        .get("TargetArn")
    )
    assert one.changes() == []
    one.change(f"@app.on_sqs_message('{name}', dlq='{name}-dead')")
    assert ("update", "redrive policy") in one.changes()
    assert int(json.loads(queue_attributes(one, name)["RedrivePolicy"])["maxReceiveCount"]) == 5
    one.delete()
    assert json.loads(queue_attributes(one, name)["RedrivePolicy"])["deadLetterTargetArn"].endswith(f"{name}-dead")


def test_messages_that_fail_for_good_reach_the_dead_letter_queue(deployed, name):
    one = deployed(
        f"@app.on_sqs_message('{name}', max_receive_count=1, dlq='{name}-dead', timeout=1)", "raise ValueError(event)"
    )
    client = one.aws.client("sqs")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    client.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    assert one.send(message="bad").status == "failed"
    dead = client.get_queue_url(QueueName=f"{name}-dead")["QueueUrl"]
    found = []
    while not found:
        found = client.receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages", [])
    assert found[0]["Body"] == "bad"


def test_another_dead_letter_queue_is_never_replaced(deployable, connection, name):
    client = connection.client("sqs")
    urls = {end: client.create_queue(QueueName=f"{name}{end}")["QueueUrl"] for end in ("", "-own")}
    arn = client.get_queue_attributes(QueueUrl=urls["-own"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    before = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 9})
    client.set_queue_attributes(QueueUrl=urls[""], Attributes={"RedrivePolicy": before})
    one = deployable(f"@app.on_sqs_message('{name}', dlq='{name}-dead')")
    with pytest.raises(Exception, match=f"of queue {name}: it sends to {name}-own after 9 tries already") as caught:
        one.deploy()
    assert "name the dead-letter queue that the queue has" in str(caught.value)
    assert queue_attributes(one, name)["RedrivePolicy"] == before


def test_a_visibility_timeout_that_is_too_short_is_told_and_can_be_fixed(deployable, connection, no_writes, name):
    connection.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "10"})
    one = deployable(f"@app.on_sqs_message('{name}', timeout=20)")
    with no_writes(), pytest.raises(Exception, match="shows a message again after 10 s") as caught:
        one.deploy()
    assert "--fix-visibility-timeout (sets 120 s: AWS advises six times the timeout), or --timeout 10" in str(
        caught.value
    )
    one.change(f"@app.on_sqs_message('{name}', timeout=20, fix_visibility_timeout=True)").deploy()
    assert queue_attributes(one, name)["VisibilityTimeout"] == "120"
    assert one.changes() == []


def test_a_queue_that_hides_nothing_is_refused_before_any_write(deployable, connection, no_writes, name):
    connection.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})
    one = deployable(f"@app.on_sqs_message('{name}')")
    with no_writes(), pytest.raises(Exception, match=f"queue {name} shows a message again after 0 s") as caught:
        one.deploy()
    assert str(caught.value).endswith(
        "fix: add --fix-visibility-timeout (sets 360 s: AWS advises six times the timeout)"
    )
    one.change(f"@app.on_sqs_message('{name}', fix_visibility_timeout=True)").deploy()
    assert queue_attributes(one, name)["VisibilityTimeout"] == "360"


def test_without_a_timeout_the_queues_is_taken_and_said(deployable, connection, name):
    connection.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "7"})
    one = deployable(f"@app.on_sqs_message('{name}')")
    assert one.deploy().plan.notes == (f"price: timeout 7 s, the visibility timeout of queue {name}",)
    assert one.aws.client("lambda").get_function_configuration(FunctionName=one.ref.name)["Timeout"] == 7
    assert one.handler.notes() == ["timeout: the queue's visibility timeout where that is shorter than 60 s"]


def test_a_fifo_queue_with_a_function_that_takes_one_record(deployed, name):
    one = deployed(
        f"@app.on_sqs_message('{name}.fifo', per_record=True, batch_size=10)",
        "print(event.message_group_id, event.body)",
    )
    assert mapping_of(one)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    result = one.send(message="hi", group_id="g")
    assert result.ok and result.invocation.records[0].message == "g hi"


def test_what_aws_would_say_of_a_queue_is_told_before(real, registered):
    source, options = registered(lambda app: app.on_sqs_message("no-such-queue")).sources()[0]
    ref = FunctionRef("shop", "dev", "price", real.region, real.account)
    missing = source.preflight(real, options, ref).problems[0]
    assert missing.message == f"queue no-such-queue does not exist in {real.region}"
    assert missing.hint == f"aws sqs create-queue --queue-name no-such-queue --region {real.region}"
    elsewhere = {"queue": "arn:aws:sqs:eu-west-3:123456789012:q"}
    assert "is in eu-west-3, the function in us-east-1" in source.preflight(real, elsewhere, ref).problems[0].message


def test_attached_finds_the_mappings_of_queues_only():
    mappings = [{"EventSourceArn": f"arn:aws:{service}:us-east-1:1:x"} for service in ("sqs", "kinesis", "dynamodb")]
    found = {
        name: SOURCES[name].attached(REF, [], mappings)
        for name in ("on_sqs_message", "on_kinesis_record", "on_dynamodb_record")
    }
    assert {name: [r.source_arn for r in resources] for name, resources in found.items()} == {
        "on_sqs_message": ["arn:aws:sqs:us-east-1:1:x"],
        "on_kinesis_record": ["arn:aws:kinesis:us-east-1:1:x"],
        "on_dynamodb_record": ["arn:aws:dynamodb:us-east-1:1:x"],
    }
