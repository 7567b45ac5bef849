"""What `send` says of an event that nothing takes up: why, from what stands on the local AWS, in one sentence."""

import json
import threading

import pytest

from nbchalice.events.idle import lacks, trigger_blocks
from nbchalice.events.leases import HOLDER, queue_name, tags_of
from nbchalice.events.send import send
from nbchalice.resources.base import FunctionRef
from nbchalice.resources.event_source_mapping import EventSourceMapping, read_mappings

from ..gates import OPEN
from ..log_groups import read_lines
from ..roles import TRUST

PRELUDE = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
CODE = PRELUDE + "@app.{source}(**{options!r})\ndef price(event):\n    print('got it')\n"
WAITS = "import time; print('begun', flush=True)\n    while not is_open({gate}):\n        time.sleep(0.05)"


def made_with(deploy, source, code=CODE, settings=None, **options):
    return deploy(source, code.format(source=source, options=options), settings, **options)


def told(connection, made, wait=3.0, **values):
    """Send an event, and return the one sentence that says what became of it."""
    result = send(connection, made.source, made.options, made.ref, wait=wait, **values)
    assert (result.status, result.invocation) == ("queued", None), str(result)
    assert result.hint and "\n" not in result.hint and result.hint in str(result)
    print(result.hint)
    return result.hint


def mapping_id(connection, made):
    return read_mappings(connection, made.ref.name)[0]["UUID"]


def test_a_disabled_mapping(deploy, connection, name):
    made = made_with(deploy, "on_sqs_message", queue=name)
    client = connection.client("lambda")
    client.update_event_source_mapping(UUID=mapping_id(connection, made), Enabled=False)
    hint = told(connection, made, wait=60)
    assert hint == f"event source mapping {name} -> {made.ref.name} is disabled; deploy, and it is taken up then"


def test_a_missing_mapping(deploy, connection, name):
    made = made_with(deploy, "on_sqs_message", queue=name)
    connection.client("lambda").delete_event_source_mapping(UUID=mapping_id(connection, made))
    assert "does not exist; deploy, and it is taken up then" in told(connection, made, wait=60)


@pytest.mark.parametrize(
    ("source", "options", "values"),
    [
        ("on_sqs_message", {"queue": "{}"}, {}),
        ("on_sns_message", {"topic": "{}"}, {}),
        ("on_s3_event", {"bucket": "{}"}, {}),
        ("on_cw_event", {"event_pattern": {"source": ["{}"]}}, {}),
        ("schedule", {"expression": "rate(5 minutes)"}, {}),
    ],
)
def test_a_function_whose_concurrency_is_none(deploy, connection, name, source, options, values):
    made = made_with(deploy, source, **json.loads(json.dumps(options).replace("{}", name)))
    client = connection.client("lambda")
    client.put_function_concurrency(FunctionName=made.ref.name, ReservedConcurrentExecutions=0)
    hint = told(connection, made, wait=60, **values)
    assert hint.startswith("the function is throttled: its reserved concurrency is 0; give --reserved-concurrency")


def test_a_function_that_runs_as_often_as_it_may(deploy, connection, name, gate):
    waits = CODE.replace("print('got it')", WAITS.format(gate=gate.number)).replace("@app", f"{OPEN}\n@app")
    made = made_with(deploy, "on_sqs_message", waits, queue=name)
    client = connection.client("lambda")
    client.put_function_concurrency(FunctionName=made.ref.name, ReservedConcurrentExecutions=1)
    begun = threading.Event()
    send(
        connection,
        made.source,
        made.options,
        made.ref,
        wait=60,
        stop=begun,
        on_progress=lambda now: now.state == "running" and begun.set(),
    )
    hint = told(connection, made, wait=2)
    gate.open()
    assert hint == "the function is throttled: its reserved concurrency is 1, and 1 invocation runs"


def test_a_trigger_that_runs_as_often_as_it_may(deploy, connection, name, gate, eventually):
    waits = CODE.replace("print('got it')", WAITS.format(gate=gate.number)).replace("@app", f"{OPEN}\n@app")
    made = made_with(deploy, "on_sqs_message", waits, queue=name, maximum_concurrency=2)
    client = connection.client("sqs")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    for number in range(2):
        client.send_message(QueueUrl=url, MessageBody=str(number))
    eventually(lambda: read_lines(connection.client("logs"), made.ref.name).count("begun") == 2)
    hint = told(connection, made, wait=2)
    gate.open()
    assert hint == "the function is throttled: the trigger's maximum concurrency is 2, and 2 invocations run"


def test_a_message_behind_another_of_its_group(deploy, connection, name, gate, eventually):
    waits = CODE.replace("print('got it')", WAITS.format(gate=gate.number)).replace("@app", f"{OPEN}\n@app")
    made = made_with(deploy, "on_sqs_message", waits, queue=f"{name}.fifo")
    client = connection.client("sqs")
    url = client.get_queue_url(QueueName=f"{name}.fifo")["QueueUrl"]
    client.send_message(QueueUrl=url, MessageBody="1", MessageGroupId="g", MessageDeduplicationId="1")
    eventually(lambda: "begun" in read_lines(connection.client("logs"), made.ref.name))
    hint = told(connection, made, wait=2, group_id="g")
    gate.open()
    assert hint == f"a message before it is being handled: those of a group of queue {name}.fifo wait for one another"


@pytest.mark.parametrize(
    ("source", "notebook", "deployed", "values", "reason"),
    [
        (
            "on_sqs_message",
            {"queue": "{}"},
            {"queue": "{}", "filter": {"body": {"n": [1]}}},
            {"message": '{"n": 2}'},
            "the filter drops it",
        ),
        (
            "on_sns_message",
            {"topic": "{}"},
            {"topic": "{}", "filter_policy": {"kind": ["a"]}},
            {"attribute": {"kind": "b"}},
            "its filter policy does not match",
        ),
        (
            "on_s3_event",
            {"bucket": "{}"},
            {"bucket": "{}", "prefix": "in/"},
            {"key": "out/a.csv"},
            "the key does not begin with in/",
        ),
        (
            "on_s3_event",
            {"bucket": "{}"},
            {"bucket": "{}", "suffix": ".csv"},
            {"key": "a.txt"},
            "the key does not end with .csv",
        ),
        (
            "on_s3_event",
            {"bucket": "{}"},
            {"bucket": "{}", "events": ["s3:ObjectRemoved:*"]},
            {"key": "a.txt"},
            "it does not listen to created objects",
        ),
        (
            "on_cw_event",
            {"event_pattern": {"source": ["{}"]}},
            {"event_pattern": {"source": ["{}"], "detail": {"n": [1]}}},
            {"detail": {"n": 2}},
            "its event pattern does not match",
        ),
    ],
)
def test_what_only_the_deployed_trigger_drops(deploy, connection, name, source, notebook, deployed, values, reason):
    notebook, deployed = (json.loads(json.dumps(one).replace("{}", name)) for one in (notebook, deployed))
    made = made_with(deploy, source, **deployed)
    made.options = notebook
    hint = told(connection, made, wait=60, **values)
    assert hint.startswith("the trigger as it is deployed, not as the notebook has it, drops the event (")
    assert reason in hint and hint.endswith("; deploy, and send it again")
    made.options = deployed
    assert "not as the notebook has it" not in trigger_blocks(connection, made, values)


def test_a_topic_without_the_subscription_or_the_permission(deploy, connection, name):
    made = made_with(deploy, "on_sns_message", topic=name)
    permission, subscription = made.source.resources(made.options, made.ref)
    subscription.delete(connection, subscription.read(connection))
    assert f"subscription {name} -> {made.ref.name} does not exist" in told(connection, made, wait=60)
    permission.delete(connection, None)
    policy = f"the function's policy does not let sns.amazonaws.com for {name} invoke it; deploy, and send it again"
    assert told(connection, made, wait=60) == policy


def test_a_bucket_that_notifies_others_only(deploy, connection, name):
    made = made_with(deploy, "on_s3_event", bucket=name)
    connection.client("s3").put_bucket_notification_configuration(Bucket=name, NotificationConfiguration={})
    assert told(connection, made, wait=60).startswith(f"bucket {name} does not notify the function; ")


def test_a_rule_that_is_disabled_or_leads_elsewhere(deploy, connection, name):
    made = made_with(deploy, "on_cw_event", event_pattern={"source": [name]})
    client, rule = connection.client("events"), made.ref.event_name
    client.disable_rule(Name=rule)
    assert told(connection, made, wait=60).startswith(f"rule {rule} is disabled; ")
    client.enable_rule(Name=rule)
    client.remove_targets(Rule=rule, Ids=[t["Id"] for t in client.list_targets_by_rule(Rule=rule)["Targets"]])
    assert told(connection, made, wait=60).startswith(f"the function is no target of rule {rule}; ")


def test_a_message_that_is_delayed(deploy, connection, name):
    made = made_with(deploy, "on_sqs_message", queue=name)
    assert told(connection, made, wait=1, delay=60) == f"queue {name} holds it back for 60 s, its delay"


def test_a_message_that_waits_for_its_batch_to_fill(deploy, connection, name):
    made = made_with(deploy, "on_sqs_message", queue=name, batch_size=10, maximum_batching_window_in_seconds=60)
    assert (
        told(connection, made, wait=1, delay=60) == f"queue {name} holds it back for 60 s, its delay"
    )  # here none waits
    (mapping,) = [one for one in made.source.resources(made.options, made.ref) if one.delivers]
    assert mapping.gathers(mapping.read(connection)) == "Lambda waits up to 60 s for a batch of 10 records"


def test_a_message_that_a_program_has_taken(deploy, connection, name):
    made = made_with(deploy, "on_sqs_message", queue=name)
    client = connection.client("sqs")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    mapping = connection.client("lambda").update_event_source_mapping
    stolen = []

    def steal(progress):
        found = client.receive_message(QueueUrl=url, WaitTimeSeconds=1, VisibilityTimeout=60).get("Messages", [])
        stolen.extend(found)
        mapping(UUID=mapping_id(connection, made), Enabled=True)

    mapping(UUID=mapping_id(connection, made), Enabled=False)
    result = send(connection, made.source, made.options, made.ref, wait=1, on_progress=steal)
    assert stolen and result.hint.startswith(f"1 message is with a receiver of queue {name}; ")
    client.delete_message(QueueUrl=url, ReceiptHandle=stolen[0]["ReceiptHandle"])
    assert made.source.waits(connection, made.options, made.ref, {}) == (
        f"queue {name} is empty: somebody else has received it and deleted it"
    )


def test_a_duplicate_that_no_log_of_ours_holds(deploy, connection, name):
    name += ".fifo"
    made = made_with(deploy, "on_sqs_message", queue=name)
    client = connection.client("sqs")
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    mapping = connection.client("lambda").update_event_source_mapping
    mapping(UUID=mapping_id(connection, made), Enabled=False)
    client.send_message(QueueUrl=url, MessageBody="1", MessageGroupId="g", MessageDeduplicationId="d1")
    message = client.receive_message(QueueUrl=url)["Messages"][0]
    client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    mapping(UUID=mapping_id(connection, made), Enabled=True)
    hint = told(connection, made, wait=2, message="1", group_id="g", dedup_id="d1")
    assert hint.startswith(f"queue {name} is empty: it is a duplicate: for 5 minutes") and "d1" in hint


def test_a_stream_whose_last_batch_failed(deploy, connection, name):
    code = CODE.replace("print('got it')", "raise ValueError(event)")
    made = made_with(deploy, "on_kinesis_record", code, stream=name, batch_size=1, starting_position="TRIM_HORIZON")
    first = send(connection, made.source, made.options, made.ref, wait=60, message="1")
    assert first.status == "failed"
    hint = told(connection, made, wait=2, message="2")
    assert hint.startswith("the function failed on an earlier batch, and its shard hands out nothing else")


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_handler_that_is_live(deploy, connection, name, where):
    made = made_with(deploy, "on_sqs_message", queue=name)
    tags = tags_of(made.ref) if where == "here" else {**tags_of(made.ref), HOLDER: "other-host 7"}
    connection.client("sqs").create_queue(QueueName=queue_name(made.route), tags=tags)
    connection.client("lambda").update_event_source_mapping(UUID=mapping_id(connection, made), Enabled=False)
    hint = told(connection, made, wait=2)
    if where == "here":
        assert hint.startswith("price is live in this kernel: its deployed trigger is paused meanwhile, and its panel")
    else:
        assert (
            hint.startswith("price is live in process 7 on other-host: ") and "that is where this message goes" in hint
        )


REF = FunctionRef("shop", "dev", "price", "eu-west-1", "123456789012")
MAPPING = EventSourceMapping(REF, "arn:aws:kinesis:eu-west-1:123456789012:stream/clicks", starting_position="LATEST")


@pytest.mark.parametrize(
    ("current", "blocks", "delays"),
    [
        ({"State": "Enabled", "LastProcessingResult": "OK"}, "", ""),
        ({"State": "Enabled", "LastProcessingResult": "No records processed"}, "", ""),
        ({"State": "Creating", "StartingPosition": "LATEST"}, "", "not ready yet (it is creating), and what is sent before"),
        ({"State": "Creating", "StartingPosition": "TRIM_HORIZON"}, "", "is not ready yet (it is creating)"),
        ({"State": "Enabling"}, "", "is not ready yet (it is enabling)"),
        ({"State": "Disabling", "StateTransitionReason": "User action"}, "is disabling", ""),
        ({"State": "Disabled", "StateTransitionReason": "Lambda lost access"}, "as Lambda says: Lambda lost access", ""),
        (
            {"State": "Enabled", "LastProcessingResult": "PROBLEM: Cannot access KMS key"},
            "cannot work, as Lambda says: PROBLEM: Cannot access KMS key",
            "",
        ),
        ({"State": "Enabled", "LastProcessingResult": "PROBLEM: Function call failed"}, "", "failed on an earlier batch"),
    ],
)  # fmt: skip
def test_what_a_mapping_tells_of_itself(current, blocks, delays):
    told = MAPPING.blocks(current)
    assert blocks in told and bool(blocks) == bool(told)
    if not told:
        assert delays in MAPPING.delays(current) and bool(delays) == bool(MAPPING.delays(current))


def test_a_queue_goes_on_where_a_batch_failed():
    queue = EventSourceMapping(REF, "arn:aws:sqs:eu-west-1:123456789012:orders", of_queue=True)
    current = {"State": "Enabled", "LastProcessingResult": "PROBLEM: Function call failed"}
    assert queue.blocks(current) == queue.delays(current) == ""


def test_what_a_role_does_not_allow(connection, name):
    client = connection.client("iam")
    client.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    queue, key = "arn:aws:sqs:us-east-1:000000000000:orders", "arn:aws:kms:us-east-1:000000000000:key/1"
    allowed = [{"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": queue}]
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    client.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    wanted = [
        {"Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": queue},
        {"Action": "kms:Decrypt", "Resource": key},
    ]
    assert lacks(connection, name, wanted) == [f"--allow sqs:DeleteMessage={queue}", f"--allow kms:Decrypt={key}"]


def test_the_key_of_a_queue(deploy, connection, name):
    made = made_with(deploy, "on_sqs_message", queue=name)
    queue = connection.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]

    def key_for(value):
        connection.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"KmsMasterKeyId": value})
        return made.source.encryption_key(connection, made.options, made.ref)

    made_key = connection.client("kms").create_key()["KeyMetadata"]
    connection.client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=made_key["KeyId"])
    assert key_for("alias/aws/sqs") == ""
    assert key_for(made_key["KeyId"]) == key_for(f"alias/{name}") == key_for(made_key["Arn"]) == made_key["Arn"]


def test_what_was_not_waited_for_has_nothing_to_explain(deploy, connection, name):
    made = made_with(deploy, "on_sqs_message", queue=name)
    assert "it was not waited for" in told(connection, made, wait=0)
