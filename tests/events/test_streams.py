"""Streams of the local AWS handle a batch that fails as Lambda does: no record is lost, none holds up the others."""

import json
import time

import pytest

from nbchalice.logs.tail import recent

PRELUDE = "from nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
CODE = (
    PRELUDE
    + """
@app.on_kinesis_record(**{options!r})
def price(event):
    texts = [record.data.decode() for record in event]
    print("batch", *texts)
    if "bad" in texts:
        {end}
"""
)
RAISES = "raise ValueError('bad')"
REPORTS = (
    "return {'batchItemFailures': [{'itemIdentifier': r.sequence_number} for r in event if r.data.decode() == 'bad']}"
)


@pytest.fixture
def batches(deploy, connection, name, eventually):
    """``batches([...records], count, **options)``: so many batches that the function got, as texts."""

    def run(records, count, end=RAISES, **options):
        options = {"stream": name, "starting_position": "TRIM_HORIZON", **options}
        made_stream(connection, name, records)
        made = deploy("on_kinesis_record", CODE.format(options=options, end=end), **options)
        return wait_for(made, count)

    def wait_for(made, count):
        return eventually(lambda: len(got := batches_of(connection, made)) >= count and (made, got))

    run.wait_for = wait_for
    return run


def batches_of(connection, made):
    texts = [record.message for one in recent(connection, made.ref.name) for record in one.records]
    return [text.split()[1:] for text in texts if text.startswith("batch ")]


def made_stream(connection, name, records):
    client = connection.client("kinesis")
    client.create_stream(StreamName=name, ShardCount=1)
    client.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    client.put_records(StreamName=name, Records=[{"Data": text.encode(), "PartitionKey": "k"} for text in records])


def dead_letters(connection, queue):
    client = connection.client("sqs")
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    found = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
    return [json.loads(message["Body"]) for message in found]


@pytest.fixture
def dead(connection, deploy, name):
    """A queue for what is given up, of which `tell_of_failures` tells the mapping."""
    queue = f"{name}-dead"
    connection.client("sqs").create_queue(QueueName=queue)
    return queue


@pytest.mark.parametrize(
    ("records", "end", "options", "wanted"),
    [
        (
            ["bad", "last"],
            RAISES,
            {"batch_size": 1, "maximum_retry_attempts": 2},
            [["bad"], ["bad"], ["bad"], ["last"]],
        ),
        (["bad", "last"], RAISES, {"batch_size": 1, "maximum_retry_attempts": 0}, [["bad"], ["last"]]),
        (["bad", "last"], REPORTS, {"batch_size": 1, "maximum_retry_attempts": 5}, [["bad"], ["last"]]),  # nobody asked
        (
            ["a", "b", "bad", "c", "last"],
            RAISES,
            {"bisect": True, "maximum_retry_attempts": 0},
            [["a", "b", "bad", "c", "last"], ["a", "b", "bad"], ["a", "b"], ["bad"], ["c", "last"]],
        ),
        (
            ["a", "bad", "last"],
            REPORTS,
            {"report_failures": True, "maximum_retry_attempts": 1},
            [["a", "bad", "last"], ["bad", "last"]],
        ),
        (
            ["a", "b", "bad", "c", "last"],
            REPORTS,
            {"report_failures": True, "bisect": True, "maximum_retry_attempts": 0},
            [["a", "b", "bad", "c", "last"], ["bad", "c", "last"], ["bad", "c"], ["bad"], ["c"], ["last"]],
        ),
    ],
)
def test_a_batch_that_fails_is_tried_again_as_the_mapping_says(batches, records, end, options, wanted):
    _, got = batches(records, len(wanted), end, **options)
    assert got == wanted


EACH = """
@app.on_kinesis_record(**{options!r})
def price(record):
    text = record.data.decode()
    print("batch", text)
    if text == "bad":
        raise ValueError(text)
"""
IN_CHUNKS = """
@app.on_kinesis_record(**{options!r})
def price(event):
    for record in event:
        text = record.data.decode()
        print("batch", text)
        if text != "bad":
            record.done()
    raise ValueError("some failed")
"""


@pytest.mark.parametrize(
    ("code", "option", "wanted"),
    [
        (EACH, "per_record", [["a"], ["bad"], ["bad"], ["bad"], ["last"]]),
        pytest.param(
            IN_CHUNKS,
            "report_failures",
            [["a"], ["bad"], ["last"], ["bad"], ["last"], ["bad"], ["last"]],
            marks=pytest.mark.slow,
        ),
    ],
    ids=["per_record", "done"],
)
def test_of_records_that_are_handled_one_by_one_none_is_skipped(
    deploy, connection, name, batches, code, option, wanted
):
    """Halved from the one that fails on, until that is alone, and given up alone."""
    options = {"stream": name, "starting_position": "TRIM_HORIZON", "bisect": True, "maximum_retry_attempts": 0}
    options[option] = True
    made_stream(connection, name, ["a", "bad", "last"])
    made = deploy("on_kinesis_record", PRELUDE + code.format(options=options), **options)
    assert batches.wait_for(made, len(wanted))[1] == wanted


def test_records_that_come_meanwhile_are_handled_after_the_piece_and_not_lost(batches, connection, name):
    made, got = batches(["bad"], 1, maximum_retry_attempts=3)
    connection.client("kinesis").put_record(StreamName=name, Data=b"late", PartitionKey="k")
    assert got[0] == ["bad"] and batches.wait_for(made, 5)[1] == [["bad"]] * 4 + [["late"]]


def test_a_dead_letter_queue_is_told_where_the_records_are(deploy, connection, name, dead, eventually):
    made_stream(connection, name, ["bad"])
    options = {"stream": name, "starting_position": "TRIM_HORIZON", "maximum_retry_attempts": 3}
    made = deploy("on_kinesis_record", CODE.format(options=options, end=RAISES), **options)
    tell_of_failures(connection, made, dead)
    (letter,) = eventually(lambda: dead_letters(connection, dead))
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert letter["requestContext"]["approximateInvokeCount"] == 4
    info = letter["KinesisBatchInfo"]
    assert (info["batchSize"], info["shardId"], info["streamArn"]) == (
        1, "shardId-000000000000", f"arn:aws:kinesis:{connection.region}:{connection.account}:stream/{name}",
    )  # fmt: skip
    assert info["startSequenceNumber"] == info["endSequenceNumber"]


def test_a_mapping_may_begin_at_a_time(batches, connection, name):
    made_stream(connection, f"{name}t", ["before"])
    client, begun = connection.client("kinesis"), int(time.time())
    while int(time.time()) == begun:  # Lambda takes whole seconds
        time.sleep(0.05)
    client.put_record(StreamName=f"{name}t", Data=b"last", PartitionKey="k")
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(begun + 1))
    position = {"starting_position": "AT_TIMESTAMP", "starting_position_timestamp": at}
    assert batches(["of another stream"], 1, stream=f"{name}t", **position)[1] == [["last"]]


def test_records_that_are_too_old_are_given_up_without_a_try(deploy, connection, name, dead, eventually):
    made_stream(connection, name, ["bad"])
    options = {"stream": name, "starting_position": "TRIM_HORIZON"}
    made = deploy("on_kinesis_record", CODE.format(options=options, end=RAISES), **options)
    tell_of_failures(connection, made, dead, MaximumRecordAgeInSeconds=1)
    (letter,) = eventually(lambda: dead_letters(connection, dead))
    assert letter["requestContext"]["condition"] == "RecordAgeExceeded"
    connection.client("kinesis").put_record(StreamName=name, Data=b"last", PartitionKey="k")
    assert eventually(lambda: ["last"] in batches_of(connection, made))


def tell_of_failures(connection, made, queue, **settings):
    arn = f"arn:aws:sqs:{connection.region}:{connection.account}:{queue}"
    client = connection.client("lambda")
    mapping = client.list_event_source_mappings(FunctionName=made.ref.name)["EventSourceMappings"][0]["UUID"]
    destination = {"OnFailure": {"Destination": arn}}
    client.update_event_source_mapping(UUID=mapping, DestinationConfig=destination, **settings)


def test_changes_of_a_table_are_bisected_too(deploy, connection, name, eventually):
    client = connection.client("dynamodb")
    made_table = client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )
    for text in ("a", "bad", "last"):
        client.put_item(TableName=name, Item={"id": {"S": text}})
    options = {
        "stream_arn": made_table["TableDescription"]["LatestStreamArn"],
        "starting_position": "TRIM_HORIZON",
        "bisect": True,
        "maximum_retry_attempts": 0,
    }
    code = CODE.replace("on_kinesis_record", "on_dynamodb_record").replace(
        "record.data.decode()", "record.keys['id']['S']"
    )
    made = deploy("on_dynamodb_record", code.format(options=options, end=RAISES), **options)

    got = eventually(lambda: len(got := batches_of(connection, made)) >= 5 and got)
    assert got == [["a", "bad", "last"], ["a", "bad"], ["a"], ["bad"], ["last"]]
