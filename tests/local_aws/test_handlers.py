"""Python handlers behave as on Lambda."""

import json

import pytest


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


def test_log_lines_appear_while_the_handler_runs(functions, aws, tmp_path, eventually):
    go = tmp_path / "go"
    name = functions.make(
        """
import os, time
def handler(event, context):
    print("begun")
    while not os.path.exists(event["go"]):
        time.sleep(0.01)
"""
    )
    aws("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"go": str(go)}))
    eventually(lambda: "begun" in functions.log(name))
    assert not any(message.startswith("END") for message in functions.log(name))
    go.touch()
    eventually(lambda: any(message.startswith("END") for message in functions.log(name)))
