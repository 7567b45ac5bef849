"""Python handlers behave as on Lambda."""

import json

import pytest

from ..gates import OPEN
from ..log_groups import read_streams


def test_an_exception_becomes_awss_error_document_and_the_worker_stays_warm(functions):
    name = functions.make(
        "runs = []\n"
        "def handler(event, context):\n"
        "    runs.append(1)\n"
        "    if event: raise ValueError('boom')\n"
        "    return len(runs)\n"
    )
    assert functions.invoke(name)[1] == 1
    failed, payload, answer = functions.invoke(name, {"fail": True})
    assert failed == "Unhandled"
    assert (payload["errorType"], payload["errorMessage"]) == ("ValueError", "boom")
    assert payload["requestId"] == answer["ResponseMetadata"]["RequestId"]
    assert payload["stackTrace"][0].startswith('  File "/var/task/app.py", line 4, in handler\n')
    assert functions.invoke(name)[1] == 3


def test_logging_print_and_subprocess_output_reach_the_log_in_order(functions):
    name = functions.make(
        """
import logging, subprocess
logging.getLogger().setLevel("INFO")
def handler(event, context):
    print("one")
    logging.info("two\\nlines")
    subprocess.run(["echo", "three"])
    logging.getLogger("lib").warning("four")
    return context.aws_request_id
"""
    )
    _, request_id, _ = functions.invoke(name)
    messages = functions.log(name)
    kinds = [message.split("\t")[0].split(" ")[0] for message in messages]
    assert kinds == ["INIT_START", "START", "one", "[INFO]", "three", "[WARNING]", "END", "REPORT"]
    level, stamp, identity, text = messages[3].split("\t")
    assert (level, identity, text) == ("[INFO]", request_id, "two\nlines")
    assert stamp.endswith("Z")


@pytest.mark.parametrize(
    ("code", "handler", "kind"),
    [
        ("import no_such_module_xyz", "app.handler", "Runtime.ImportModuleError"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("def broken(:", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("raise KeyError('at import')", "app.handler", "KeyError"),
        ("x = 1", "app", "Runtime.MalformedHandlerName"),
        ("import sys; sys.exit(3)", "app.handler", "Runtime.ExitError"),
    ],
)
def test_code_that_cannot_be_loaded(functions, code, handler, kind):
    name = functions.make(code, handler=handler)
    for _ in range(2):
        failed, payload, _ = functions.invoke(name)
        assert failed == "Unhandled"
        assert payload["errorType"] == kind


def test_log_lines_appear_while_the_handler_runs(functions, aws, gate, eventually):
    name = functions.make(
        OPEN
        + """
import time
def handler(event, context):
    print("begun")
    while not is_open(event["gate"]):
        time.sleep(0.01)
"""
    )
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"gate": gate.number}))
    eventually(lambda: "begun" in functions.log(name))
    assert not any(message.startswith("END") for message in functions.log(name))
    gate.open()
    eventually(lambda: any(message.startswith("END") for message in functions.log(name)))


def test_a_timeout_ends_the_handler_and_the_next_call_starts_afresh(functions):
    name = functions.make(
        "import time\nn = []\ndef handler(e, c):\n    n.append(1)\n    time.sleep(e.get('s', 0))\n    return len(n)\n",
        Timeout=1,
    )
    assert functions.invoke(name)[1] == 1
    failed, payload, answer = functions.invoke(name, {"s": 60})
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert failed
    assert payload == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {request_id} Error: Task timed out after 1.00 seconds",
    }
    assert any(message.endswith(f"{request_id} Task timed out after 1.00 seconds") for message in functions.log(name))
    assert functions.invoke(name)[1] == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import sys; sys.exit(3)", "Runtime exited with error: exit status 3"),
        ("import os; os._exit(0)", "Runtime exited without providing a reason"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_handler_that_ends_its_process(functions, code, message):
    name = functions.make(
        f"def handler(e, c):\n    print('last words', end='')\n    import sys; sys.stdout.flush()\n    {code}\n"
    )
    failed, payload, answer = functions.invoke(name)
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert failed
    assert payload == {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request_id} Error: {message}"}
    assert "last words" in functions.log(name)
    assert functions.log(name)[-1].startswith("REPORT")


def test_a_result_that_is_not_json(functions):
    name = functions.make("def handler(e, c): return {1, 2}\n")
    assert functions.invoke(name)[1]["errorType"] == "Runtime.MarshalError"


@pytest.mark.parametrize("value", [None, "text", "ünï", 1.5, [1, {"a": None}], {"statusCode": 200}, True])
def test_every_kind_of_result(functions, value):
    name = functions.make("def handler(e, c): return e['value']\n")
    assert functions.invoke(name, {"value": value})[1] == value


def test_large_events_results_and_output(functions):
    name = functions.make("def handler(e, c):\n    for i in range(20000): print('line', i)\n    return e['text'] * 2\n")
    failed, result, _ = functions.invoke(name, {"text": "x" * 2_000_000})
    assert not failed
    assert len(result) == 4_000_000
    lines = set()
    token = {}
    for stream in read_streams(functions.aws("logs"), name):
        while True:
            page = functions.aws("logs").get_log_events(
                logGroupName=f"/aws/lambda/{name}", logStreamName=stream, startFromHead=True, **token
            )
            lines |= {event["message"] for event in page["events"]}
            if not page["events"] or token.get("nextToken") == page["nextForwardToken"]:
                break
            token = {"nextToken": page["nextForwardToken"]}
    assert {f"line {i}" for i in range(20000)} <= lines


def test_output_of_forks_threads_and_odd_bytes_does_not_break_the_worker(functions):
    name = functions.make(
        """
import logging, multiprocessing, os, subprocess, sys, threading
def child(): logging.warning("from a fork")
def handler(event, context):
    os.write(1, b"\\xff\\xfe\\x00 odd\\n" + b"\\0nbchalice:\\n")
    process = multiprocessing.get_context("fork").Process(target=child); process.start(); process.join()
    threads = [threading.Thread(target=logging.warning, args=("thread %d", i)) for i in range(20)]
    [t.start() for t in threads]; [t.join() for t in threads]
    subprocess.Popen(["sleep", "1000"])
    sys.stdout.close()
    return "fine"
"""
    )
    assert functions.invoke(name)[1] == "fine"
    text = "\n".join(functions.log(name))
    assert "from a fork" in text
    assert "thread 19" in text


def test_log_tail_and_report(functions):
    import base64

    name = functions.make("def handler(e, c): print('hello')\n")
    _, _, answer = functions.invoke(name, LogType="Tail")
    tail = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert "hello" in tail
    assert "Init Duration" in tail[-1]
    assert int(tail[-1].split("Max Memory Used: ")[1].split()[0]) > 5
    _, _, answer = functions.invoke(name, LogType="Tail")
    assert "Init Duration" not in base64.b64decode(answer["LogResult"]).decode()


def test_warm_invocations_share_a_log_stream(functions):
    name = functions.make("def handler(e, c): return c.log_stream_name\n")
    first, second = functions.invoke(name)[1], functions.invoke(name)[1]
    assert first == second
    assert read_streams(functions.aws("logs"), name) == [first]


def test_a_handler_that_invokes_itself_does_not_wait_for_its_own_worker(functions):
    name = functions.make(
        """
import boto3, json
def handler(event, context):
    if event["depth"] == 0: return 0
    answer = boto3.client("lambda").invoke(FunctionName=context.function_name, Payload=json.dumps({"depth": event["depth"] - 1}))
    return 1 + json.loads(answer["Payload"].read())
"""
    )
    assert functions.invoke(name, {"depth": 6})[1] == 6


@pytest.mark.parametrize(
    "told", ["logging.exception('it failed')", "traceback.print_exc()", "print(traceback.format_exc())"]
)
def test_a_traceback_names_the_folders_of_lambda_however_it_is_told(functions, told):
    name = functions.make(
        "import logging, traceback\n"
        "def handler(event, context):\n"
        "    try:\n"
        "        raise ValueError('boom')\n"
        "    except ValueError:\n"
        f"        {told}\n"
    )
    functions.invoke(name)
    told = "\n".join(functions.log(name))
    assert 'File "/var/task/app.py", line 4, in handler' in told and "/tmp/" not in told
