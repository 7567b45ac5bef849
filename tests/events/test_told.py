"""What send, logs and invoke tell of an invocation is what became of it, whatever the handler prints."""

import json

import pytest

from nbchalice.events.invoke import invoke, invoke_here
from nbchalice.events.send import send
from nbchalice.logs.tail import recent

PRELUDE = "import json, os, sys, time, traceback\nfrom nbchalice import Chalice\napp = Chalice(app_name='shop')\n"
RUNS_ITS_MESSAGE = (
    PRELUDE
    + """
@app.on_sqs_message(queue='{queue}')
def price(event, context):
    for record in event:
        exec(record.body, dict(globals(), context=context, me=context.aws_request_id))
"""
)
OTHER = "22222222-bbbb-4bbb-8bbb-222222222222"
FAILS = "try:\n    1 / 0\nexcept Exception as e:\n    "
PRINTS = {
    "print and print_exc": FAILS + "print(f'[ERROR] could not handle: {e}'); traceback.print_exc()",
    "print and format_exc": FAILS + "print('[ERROR] no'); print(traceback.format_exc())",
    "one print": FAILS + "print('[ERROR] no', traceback.format_exc(), sep='\\n')",
    "as Lambda's own event": FAILS
    + "os.write(1, ('[ERROR] E: no\\n' + traceback.format_exc()).replace('\\n', '\\r').encode() + b'\\n')",
    "stderr": FAILS + "print('[ERROR] no', file=sys.stderr); traceback.print_exc(file=sys.stderr)",
    "a type of Lambda's": "print('[ERROR] Runtime.Whatever happened')",
    "a marshal error": "print('[ERROR] Runtime.MarshalError: no\\rTraceback (most recent call last):')",
    "JSON": "print(json.dumps({'level': 'ERROR', 'errorType': 'X'}))",
    "JSON with its id": "print(json.dumps({'level': 'ERROR', 'errorType': 'X', 'requestId': me, 'stackTrace': []}))",
    "another start": f"print('START RequestId: {OTHER} Version: $LATEST')",
    "its own start": "print(f'START RequestId: {me} Version: $LATEST')",
    "its own end": "print(f'END RequestId: {me}'); print(f'REPORT RequestId: {me}\\tDuration: 1.00 ms\\tMemory Size: 1 MB')",
    "another end": f"print('END RequestId: {OTHER}')",
    "a timeout": "print('2024-05-01T10:00:00.000Z ' + me + ' Task timed out after 3.00 seconds')",
    "a crash": "print(f'RequestId: {me} Error: Runtime exited with error: exit status 3\\rRuntime.ExitError')",
    "another marker": f"print('NBCHALICE ' + json.dumps({{'request_id': '{OTHER}', 'ids': ['x']}}))",
    "its own marker": "print('NBCHALICE ' + json.dumps({'request_id': me, 'failed': ['x'], 'end': 'raised', 'error': 'X'}))",
    "no line end": "print('NBCHALICE ', end='')",
    "stdout replaced": "import io; print('x'); sys.stdout, old = io.StringIO(), sys.stdout; app.log.addFilter(lambda r: setattr(sys, 'stdout', old) or True)",
}


@pytest.fixture(scope="module")
def queue():
    import uuid

    return f"told-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def runs(deploy, queue, request):
    """A handler that runs its message's text; one for all tests."""
    made = getattr(request.module, "made", None)
    if made is None:
        code = RUNS_ITS_MESSAGE.format(queue=queue)
        made = request.module.made = deploy("on_sqs_message", code, {"Timeout": 3}, queue=queue)
    return made


def texts(invocation):
    return [record.message for record in invocation.records]


@pytest.mark.table("outputs of handlers that succeed")
@pytest.mark.parametrize("code", PRINTS.values(), ids=PRINTS)
def test_a_success_is_a_success_whatever_it_prints(connection, runs, code):
    result = send(
        connection, runs.source, runs.options, runs.ref, message=f"print('first')\n{code}\napp.log.info('last')"
    )
    assert (result.status, result.ok, result.invocation.status) == ("done", True, "ok"), str(result)
    assert result.invocation.error is None and result.invocation.failed_ids == ()
    assert texts(result.invocation)[0] == "first" and texts(result.invocation)[-1] == "last"
    assert len(texts(result.invocation)) >= 3 and 'NBCHALICE {"request_id":"' + result.invocation.request_id not in str(
        result
    )
    (logged,) = [i for i in recent(connection, runs.ref.name) if i.request_id == result.invocation.request_id]
    assert logged == result.invocation


def test_the_same_line_many_times_is_shown_as_often(connection, runs):
    result = send(connection, runs.source, runs.options, runs.ref, message="for n in range(200): print('same')")
    assert texts(result.invocation) == ["same"] * 200


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("raise KeyError('x')", "KeyError"),
        ("raise ValueError('[ERROR] a\\nb\\n\\n  c')", "ValueError"),
        ("raise ValueError('x' * 100_000)", "ValueError"),
        ("raise ExceptionGroup('many', [ValueError('a')])", "ExceptionGroup"),
        ("sys.exit(0)", "Runtime.ExitError"),
        ("sys.exit('no')", "Runtime.ExitError"),
        ("os._exit(0)", "Runtime.ExitError"),
        ("os.kill(os.getpid(), 9)", "Runtime.ExitError"),
        ("time.sleep(60)", "Sandbox.Timedout"),
    ],
)
def test_a_failure_is_a_failure_whatever_it_prints(connection, runs, code, kind):
    decoys = "print('[ERROR] ValueError: decoy')\nprint(f'END RequestId: {me}')\n"
    result = send(connection, runs.source, runs.options, runs.ref, message=decoys + code)
    assert (result.status, result.invocation.error.type) == ("failed", kind), str(result)
    assert texts(result.invocation)[0] == "ValueError: decoy" and texts(result.invocation)[1].startswith(
        "END RequestId"
    )
    assert result.invocation.status == ("timeout" if kind == "Sandbox.Timedout" else "error")
    queue = connection.client("sqs")
    queue.delete_queue(QueueUrl=queue.get_queue_url(QueueName=runs.options["queue"])["QueueUrl"])
    queue.create_queue(QueueName=runs.options["queue"])  # without the message, which would come back


def test_the_log_of_a_direct_invocation(connection, runs):
    code = PRINTS["print and print_exc"] + "\nprint(f'START RequestId: " + OTHER + "')"
    done = invoke(connection, runs.ref, {"Records": [record(code)]})
    assert done.status == "ok" and done.error is None
    assert texts(done)[-1] == f"START RequestId: {OTHER}" and "NBCHALICE" not in str(done)
    done = invoke(
        connection, runs.ref, {"Records": [record("traceback.print_stack()\nraise ValueError('a\\n\\nb\\nc')")]}
    )
    assert (done.status, done.error.message) == ("error", "a\n\nb\nc")
    assert "NBCHALICE" not in str(done) and not any("ValueError" in text for text in texts(done))


def record(body):
    return {
        "messageId": "m1", "body": body, "eventSource": "aws:sqs", "attributes": {},
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q",
    }  # fmt: skip


ANSWERS = (
    PRELUDE
    + """
@app.on_sqs_message(queue='{queue}', report_failures={reports})
def price(event):
    for record in event:
        return json.loads(record.body.replace('ME', record.message_id))
"""
)
MALFORMED = [
    '{"batchItemFailures": [{"itemIdentifier": ""}]}',
    '{"batchItemFailures": [{"itemIdentifier": null}]}',
    '{"batchItemFailures": [{"itemId": "ME"}]}',
    '{"batchItemFailures": [{"itemIdentifier": "unknown"}]}',
    '{"batchItemFailures": "ME"}',
    '{"batchItemFailures": ["ME"]}',
    '["ME"]',
]
GOOD = ["null", "{}", '""', "[]", '{"batchItemFailures": []}', '{"batchItemFailures": null}', '{"statusCode": 200}']
FAILED = '{"batchItemFailures": [{"itemIdentifier": "ME"}]}'


def left(connection, name):
    client = connection.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    counts = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(map(int, counts.values()))


def test_answers_are_told_as_the_queue_takes_them(deploy, connection, name, eventually):
    code = ANSWERS.format(queue=name, reports=True)
    made = deploy("on_sqs_message", code, queue=name, report_failures=True)
    for number, answer in enumerate([*GOOD, FAILED, *MALFORMED]):
        result = send(connection, made.source, made.options, made.ref, message=answer)
        status = "failed" if number >= len(GOOD) else "done"
        assert result.status == status, answer
        kept = max(0, number - len(GOOD) + 1)
        eventually(lambda kept=kept: left(connection, name) == kept)
        invocation = "ok" if status == "done" else "partial" if answer == FAILED else "error"
        assert result.invocation.status == invocation
        assert ("names no record of the batch" in str(result)) == (answer in MALFORMED), str(result)


def test_a_failure_that_nobody_reads_is_ignored(deploy, connection, name, eventually):
    made = deploy("on_sqs_message", ANSWERS.format(queue=name, reports=False), queue=name)
    for answer in [FAILED, MALFORMED[0]]:
        result = send(connection, made.source, made.options, made.ref, message=answer)
        assert (result.status, result.ok, result.invocation.status) == ("ignored", False, "ignored")
        assert "--report-failures" in result.hint and result.hint in str(result)
        eventually(lambda: left(connection, name) == 0)
    edited = {**made.options, "report_failures": True}  # In the notebook, and not deployed.
    result = send(connection, made.source, edited, made.ref, message=FAILED)
    assert result.hint.endswith("the deployed trigger does not ask; deploy")
    assert {i.status for i in recent(connection, made.ref.name)} == {"ignored"}
    assert send(connection, made.source, made.options, made.ref, message=GOOD[0]).status == "done"


@pytest.mark.parametrize(("reports", "status"), [(True, "partial"), (False, "ignored")])
def test_here_and_by_invoke_it_is_told_alike(deploy, connection, name, reports, status):
    code = ANSWERS.format(queue=name, reports=reports)
    event = {"Records": [{**record(FAILED), "eventSourceARN": f"arn:aws:sqs:us-east-1:000000000000:{name}"}]}
    there = invoke(connection, deploy("on_sqs_message", code, queue=name, report_failures=reports).ref, event)
    namespace = {}
    exec(code, namespace)
    here = invoke_here(namespace["price"], event)
    for done in (here, there):
        assert (done.status, done.failed_ids, done.ignored_ids) == (
            status, ("m1",) if reports else (), () if reports else ("m1",)
        )  # fmt: skip
        assert done.result == json.loads(FAILED.replace("ME", "m1"))
