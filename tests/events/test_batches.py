"""What becomes of a batch's messages on the local AWS: none is lost, and what is told of them is what happened."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from nbchalice.events.send import send
from nbchalice.logs.tail import recent
from nbchalice.sources import SOURCES

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
TRIGGER = {"queue_arn": None, "batch_size": 10, "report_failures": True}


@pytest.fixture
def filled(connection, name):
    """Queues that hold the four messages already, so that the first look of a mapping takes them together."""

    def make(ending="", bodies=BODIES):
        client = connection.client("sqs")
        fifo = {"FifoQueue": "true"} if ending else {}
        url = client.create_queue(QueueName=name + ending, Attributes={"VisibilityTimeout": "60", **fifo})["QueueUrl"]
        group = {"MessageGroupId": "g"} if ending else {}
        entries = [
            {"Id": str(n), "MessageBody": body, **group, **({"MessageDeduplicationId": str(n)} if ending else {})}
            for n, body in enumerate(bodies)
        ]
        sent = client.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
        return name + ending, url, [each["MessageId"] for each in sorted(sent, key=lambda each: each["Id"])]

    return make


@pytest.fixture
def begin(connection):
    """Make the mapping of a queue whose messages come back after a second, which Lambda does not take at first."""

    def make(ref, url, **trigger):
        functions = connection.client("lambda")
        functions.put_function_concurrency(FunctionName=ref.name, ReservedConcurrentExecutions=0)
        for resource in SOURCES["on_sqs_message"].resources(trigger, ref):
            if resource.read(connection) is None:
                resource.write(connection, None)
        connection.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
        functions.delete_function_concurrency(FunctionName=ref.name)

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


@pytest.mark.table("shapes of batches")
@pytest.mark.parametrize(
    ("code", "ending"),
    [(COLLECT, ""), (COLLECT, ".fifo"), (COMPREHENSION, ""), (CHUNKS, ""), (POOL, ""), (LEAVES, "")],
)
def test_a_function_that_fails_gets_the_whole_batch_again(deploy, filled, begin, ended, code, ending):
    queue, url, ids = filled(ending)
    made = deploy("lambda_function", of(queue, code))
    begin(made.ref, url, **{**TRIGGER, "queue": queue})
    first, second, *_ = ended(made, 2)
    assert first.ids == tuple(ids) and first.status == "error" and first.failed_ids == ()
    assert sorted(second.ids) == sorted(ids) and (first.attempt, second.attempt) == (1, 2)


def test_a_message_called_done_is_deleted_and_the_others_come_back(deploy, filled, begin, ended):
    queue, url, ids = filled()
    made = deploy("lambda_function", of(queue, DONE))
    begin(made.ref, url, **{**TRIGGER, "queue": queue})
    first, second, *_ = ended(made, 2)
    assert first.ids == tuple(ids) and first.status == "partial" and first.failed_ids == tuple(ids[2:])
    assert first.error.type == "json.decoder.JSONDecodeError"
    assert sorted(second.ids) == sorted(ids[2:])


EACH = """
def price(record):
    if "{broken" in record.body:
        raise ValueError("broken")
    if record.body == "mine too":
        raise KeyError("mine")
"""
ANSWERS = """
def price(event):
    return {"batchItemFailures": [{"itemIdentifier": r.message_id} for r in event if r.body == "{broken"]}
"""
LATER = """
def price(event):
    bodies = [record.body for record in event]
    json.loads(bodies[0])
"""
REPORTS = {"report_failures": True}
PER_RECORD = {"report_failures": True, "per_record": True}


@pytest.fixture
def send_beside(connection, deploy, filled, begin, eventually):
    """Send a message that gets into one batch with others; the first of these was delivered before."""

    def make(code, options, body, before=("{broken",), ending=""):
        queue, url, ids = filled(ending, before)
        made = deploy("lambda_function", of(queue, code, f"**{options}"))
        client = connection.client("sqs")
        (first,) = client.receive_message(QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=0)["Messages"]
        assert first["MessageId"] == ids[0]
        source, values = SOURCES["on_sqs_message"], {"message": body, **({"group_id": "g"} if ending else {})}
        trigger = {"queue": queue, "queue_arn": None, "batch_size": 10, **options}
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(send, connection, source, trigger, made.ref, wait=60, **values)
            count = {"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]}
            eventually(
                lambda: (
                    client.get_queue_attributes(**count)["Attributes"]["ApproximateNumberOfMessages"]
                    == str(len(before) + 1)
                )
            )
            begin(made.ref, url, **trigger)
            return sending.result(), ids

    return make


@pytest.mark.parametrize("ending", ["", ".fifo"])
@pytest.mark.parametrize(("code", "options"), [(COLLECT, REPORTS), (COLLECT, {}), (DONE, REPORTS), (EACH, PER_RECORD)])
def test_a_message_is_not_blamed_for_anothers_error(send_beside, code, options, ending):
    result, (broken,) = send_beside(code, options, '{"order": 1}', ending=ending)
    handled = options == PER_RECORD and not ending
    if handled:
        assert (result.status, result.ok, result.invocation.error) == ("done", True, None)
        assert result.hint == f"this message was handled; another message of its batch failed (id {broken})"
    else:
        assert (result.status, result.ok) == ("failed", False)
        assert result.hint == (
            f"the batch failed because of another message (id {broken}); this one will be delivered again"
        )
    assert result.invocation.attempt == 1
    assert str(result).splitlines()[1] == f"  {result.hint}"
    assert (result.to_dict()["status"], result.to_dict()["hint"]) == (result.status, result.hint)


def test_a_message_that_an_answer_does_not_name_is_done(send_beside):
    result, (broken,) = send_beside(ANSWERS, REPORTS, "good")
    assert (result.status, result.invocation.error, broken in result.hint) == ("done", None, True)


def test_of_two_that_fail_each_has_its_own_error(send_beside):
    result, _ = send_beside(EACH, PER_RECORD, "mine too")
    assert (result.status, str(result.invocation.error), result.hint) == ("failed", "KeyError: 'mine'", None)


def test_a_message_that_makes_its_batch_fail_is_blamed(send_beside):
    result, _ = send_beside(COLLECT, REPORTS, "{broken", before=["1"])
    assert (result.status, result.hint) == ("failed", None)


def test_a_batch_that_fails_when_all_were_read_is_told_to_fail_as_a_whole(send_beside):
    result, _ = send_beside(LATER, REPORTS, "1")
    assert result.hint == "the batch of 2 messages failed as a whole, and all of them will be delivered again"
