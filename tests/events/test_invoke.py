"""Functions invoked directly: deployed ones on the local AWS, and those of this process."""

import json
import logging
import sys
import threading
import uuid

import pytest

from nbchalice import Chalice
from nbchalice.errors import AWSError, InvalidInputError
from nbchalice.events.invoke import invoke, invoke_here
from nbchalice.resources.base import FunctionRef

CODE = """from nbchalice import Chalice
app = Chalice(app_name='shop')
@app.lambda_function()
def price(event, context):
    app.log.info("asked for %s", event)
    print("raw")
    return {"total": event["amount"] * 2}
"""


def test_a_deployed_function_answers_with_its_log(connection, plain_function):
    ref = plain_function(CODE)
    done = invoke(connection, ref, {"amount": 3})
    assert (done.status, done.result) == ("ok", {"total": 6})
    assert [r.message for r in done.records] == ["asked for {'amount': 3}", "raw"]
    assert done.duration_ms is not None and done.memory_mb == 128 and done.started > 1_600_000_000_000
    assert json.loads(json.dumps(done.to_dict()))["result"] == {"total": 6}
    assert invoke(connection, ref, {"amount": 4}).init_ms is None


def test_its_exception_comes_with_cell_and_line(connection, plain_function):
    failed = invoke(connection, plain_function(CODE), {})
    assert (failed.status, failed.error.type, failed.error.message) == ("error", "KeyError", "'amount'")
    frame = failed.error.frames[-1]
    assert (frame.cell, frame.line, frame.function) == ("cell 4", 7, "price")
    assert frame.source == 'return {"total": event["amount"] * 2}'
    assert len(failed.error.frames) == 1


SAYING = """from nbchalice import Chalice
app = Chalice(app_name='shop')
@app.lambda_function()
def price(event):
    for number in range(event["times"]):
        app.log.info("first %s\\nsecond\\n\\nfourth", number)
        print("raw")
        try:
            {}["tea"]
        except KeyError:
            app.log.exception("lost\\nand more")
        print("x" * event["wide"])
"""


@pytest.mark.parametrize(("times", "wide"), [(1, 1), (3, 500), (60, 2000)])
def test_messages_of_several_lines_stay_whole_and_none_is_cut_off(connection, plain_function, times, wide):
    done = invoke(connection, plain_function(SAYING), {"times": times, "wide": wide})
    said = [record.message for record in done.records]
    assert said[::4] == [f"first {number}\nsecond\n\nfourth" for number in range(times)]
    assert said[1::4] == ["raw"] * times and said[3::4] == ["x" * wide] * times
    assert all(one.startswith("lost\nand more\nTraceback") and one.endswith("KeyError: 'tea'") for one in said[2::4])
    assert done.status == "ok" and done.duration_ms is not None


def test_who_may_not_read_the_log_gets_what_came_with_the_answer(connection, plain_function, monkeypatch):
    ref = plain_function(SAYING)
    monkeypatch.setattr("nbchalice.logs.fetch.log_group_name", lambda name: "/aws/lambda/of-somebody-else")
    said = [record.message for record in invoke(connection, ref, {"times": 1, "wide": 1}).records]
    assert said[0].startswith("first 0") and said[-1] == "x"


def test_its_timeout_is_told(connection, plain_function):
    code = "from nbchalice import Chalice\nimport time\napp = Chalice(app_name='shop')\n@app.lambda_function()\ndef price(event):\n    time.sleep(60)\n"
    late = invoke(connection, plain_function(code, Timeout=1), {})
    assert late.status == "timeout" and "timed out" in late.error.message


def test_a_crash_is_told(connection, plain_function):
    code = "from nbchalice import Chalice\nimport os\napp = Chalice(app_name='shop')\n@app.lambda_function()\ndef price(event):\n    os._exit(3)\n"
    crashed = invoke(connection, plain_function(code), {})
    assert (crashed.status, crashed.error.type) == ("error", "Runtime.ExitError")
    assert crashed.error.message == "Runtime exited with error: exit status 3" and crashed.records == ()


def test_no_such_function(connection):
    ref = FunctionRef("none", "dev", uuid.uuid4().hex, connection.region, connection.account)
    with pytest.raises(AWSError, match="does not exist") as caught:
        invoke(connection, ref, {})
    assert caught.value.hint == "deploy it first"


def test_an_event_that_is_no_json(connection):
    ref = FunctionRef("none", "dev", "x", connection.region, connection.account)
    with pytest.raises(InvalidInputError, match="not JSON-ready"):
        invoke(connection, ref, {"a": object()})


@pytest.fixture
def app():
    made = Chalice(app_name=f"shop-{uuid.uuid4().hex}")

    @made.on_sqs_message(queue="orders", report_failures=True)
    def price(event):
        for record in event:
            made.log.info("%s", float(record.body))
            logging.getLogger("lib").info("from a library")
            print("a\nb", end="")
            print("oops", file=sys.stderr)

    return made


def sqs(*bodies):
    return {
        "Records": [{"messageId": f"m{n}", "body": body, "eventSource": "aws:sqs"} for n, body in enumerate(bodies)]
    }


def test_here_collects_records_and_result(app, capsys):
    done = invoke_here(app.handlers["price"], sqs("1"))
    assert done.status == "ok" and done.result == {"batchItemFailures": []} and done.ids == ("m0",)
    assert [(r.level, r.message) for r in done.records] == [
        ("INFO", "1.0"),
        ("INFO", "from a library"),
        ("", "a"),
        ("", "oops"),
        ("", "b"),
    ]
    assert done.records[0].logger == app.app_name and done.duration_ms >= 0
    assert capsys.readouterr() == ("", "")


def test_here_tells_which_records_failed(app):
    @app.on_sqs_message(queue="others", per_record=True)
    def each(record):
        float(record.body)

    done = invoke_here(each, sqs("1", "x", "2"))
    assert (done.status, done.failed_ids, done.error.type) == ("partial", ("m1",), "ValueError")
    done = invoke_here(app.handlers["price"], sqs("1", "x", "2"))
    assert (done.status, done.failed_ids, done.error.type) == ("error", (), "ValueError")


def test_here_keeps_an_exception(app):
    @app.on_sns_message(topic="t")
    def failing(event):
        raise LookupError("<b>gone</b>")

    done = invoke_here(
        app.handlers["failing"], {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": ""}}]}
    )
    assert (done.status, done.error.type, done.error.message) == ("error", "LookupError", "<b>gone</b>")
    assert [frame.function for frame in done.error.frames] == ["failing"]
    assert "<b>gone" not in done._repr_mimebundle_()["text/html"]


def test_here_names_the_kernels_cell(app):
    @app.lambda_function()
    def failing(event):
        sys.exit(2)

    done = invoke_here(app.handlers["failing"], {}, cell_of_file=lambda file: "cell 9" if file == __file__ else None)
    assert (done.error.type, done.error.frame.cell) == ("SystemExit", "cell 9")


def test_here_puts_logging_and_output_back(app):
    root = logging.getLogger()
    before = (root.handlers, root.level, app.log.handlers, app.log.level, sys.stdout, sys.stderr)
    invoke_here(app.handlers["price"], sqs("1"))
    assert before == (root.handlers, root.level, app.log.handlers, app.log.level, sys.stdout, sys.stderr)


def test_here_leaves_other_threads_alone(capsys):
    app = Chalice(app_name=f"shop-{uuid.uuid4().hex}")

    @app.lambda_function()
    def quiet(event):
        def other():
            print("from elsewhere", flush=True)
            app.log.warning("logged elsewhere")

        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    assert invoke_here(app.handlers["quiet"], {}).records == ()
    out = capsys.readouterr().out
    assert "from elsewhere" in out and "logged elsewhere" in out


def test_here_the_context_is_lambdas(app):
    @app.lambda_function()
    def context_of(event, context):
        return [
            context.function_name,
            context.memory_limit_in_mb,
            context.get_remaining_time_in_millis() > 4000,
            len(context.aws_request_id),
        ]

    assert invoke_here(app.handlers["context_of"], {}, timeout=5, memory=256).result == ["context_of", "256", True, 36]
