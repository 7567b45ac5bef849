"""What becomes of a batch's messages on the local AWS: none is lost, and what is told of them is what happened."""

import pytest

from nbchalice.logs.tail import recent

PRELUDE = "import json\nfrom nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
BODIES = ['{"order": 1}', '{"order": 2}', "{broken", '{"order": 4}']
COLLECT = """
def price(event):
    rows = []
    for record in event:
        rows.append(json.loads(record.body))
    print("written", len(rows))
"""
COMPREHENSION = """
def price(event):
    print("written", len([record.json() for record in event]))
"""
CHUNKS = """
def write(rows):
    if "{broken" in rows:
        raise OSError("no")

def price(event):
    rows = []
    for record in event:
        rows.append(record.body)
        if len(rows) == 3:
            write(rows)
            rows = []
"""
POOL = """
from concurrent.futures import ThreadPoolExecutor
def price(event):
    with ThreadPoolExecutor() as pool:
        for record in event:
            pool.submit(json.loads, record.body).result()
"""
LEAVES = """
def price(event):
    for record in event:
        if record.body == "{broken":
            raise SystemExit(1)
"""
DONE = """
def price(event):
    for record in event:
        json.loads(record.body)
        record.done()
"""


@pytest.fixture
def filled(connection, name):
    """Queues that hold the four messages already, so that the first look of a mapping takes them together."""

    def make(ending="", bodies=BODIES):
        client = connection.client("sqs")
        fifo = {"FifoQueue": "true"} if ending else {}
        url = client.create_queue(QueueName=name + ending, Attributes={"VisibilityTimeout": "1", **fifo})["QueueUrl"]
        group = {"MessageGroupId": "g"} if ending else {}
        entries = [
            {"Id": str(n), "MessageBody": body, **group, **({"MessageDeduplicationId": str(n)} if ending else {})}
            for n, body in enumerate(bodies)
        ]
        sent = client.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
        return name + ending, url, [each["MessageId"] for each in sorted(sent, key=lambda each: each["Id"])]

    return make


@pytest.fixture
def ended(connection, eventually):
    """Wait until so many invocations of a function have ended, and return them."""

    def wait(made, count):
        def found():
            ended = [each for each in recent(connection, made.ref.name) if each.finished]
            return ended if len(ended) >= count else None

        return eventually(found)

    return wait


def of(queue, code, options="report_failures=True"):
    return PRELUDE + code.replace("def price(", f"@app.on_sqs_message('{queue}', batch_size=10, {options})\ndef price(")


@pytest.mark.parametrize(
    ("code", "ending"),
    [(COLLECT, ""), (COLLECT, ".fifo"), (COMPREHENSION, ""), (CHUNKS, ""), (POOL, ""), (LEAVES, "")],
)
def test_a_function_that_fails_gets_the_whole_batch_again(deploy, filled, ended, code, ending):
    queue, _, ids = filled(ending)
    made = deploy("on_sqs_message", of(queue, code), queue=queue, batch_size=10, report_failures=True)
    first, second, *_ = ended(made, 2)
    assert first.ids == tuple(ids) and first.status == "error" and first.failed_ids == ()
    assert sorted(second.ids) == sorted(ids) and (first.attempt, second.attempt) == (1, 2)


def test_a_message_called_done_is_deleted_and_the_others_come_back(deploy, filled, ended):
    queue, _, ids = filled()
    made = deploy("on_sqs_message", of(queue, DONE), queue=queue, batch_size=10, report_failures=True)
    first, second, *_ = ended(made, 2)
    assert first.ids == tuple(ids) and first.status == "partial" and first.failed_ids == tuple(ids[2:])
    assert first.error.type == "json.decoder.JSONDecodeError"
    assert sorted(second.ids) == sorted(ids[2:])
