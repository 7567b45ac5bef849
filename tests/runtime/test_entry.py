"""The package on Lambda: in processes of their own, because they configure logging."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

SHOP = """\
import logging
from nbchalice import Chalice
app = Chalice(app_name="shop")

RATE = 1.2

@app.on_sqs_message("orders", batch_size=10)
def price(event):
    for record in event:
        app.log.debug("looking")
        app.log.info("%s -> %.2f", record.body, float(record.body) * RATE)
        logging.getLogger(__name__).info("from the module")
        logging.info("contents: ", record.body)
        print("plain")

@app.on_sqs_message("orders", batch_size=10, report_failures=True)
def partial(event):
    for record in event:
        float(record.body)
        record.done()
"""
CELLS = [
    {"cell": "cell 2", "id": "a", "line": 5, "count": 1, "cell_line": 1},
    {"cell": "cell 4", "id": "b", "line": 8, "count": 7, "cell_line": 2},
]
STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.fixture
def package(tmp_path):
    def write(source=SHOP, function="price"):
        (tmp_path / "notebook_code.py").write_text(source)
        manifest = {"function": function, "notebook": "shop.ipynb", "cells": CELLS}
        (tmp_path / "nbchalice.json").write_text(json.dumps(manifest))
        (tmp_path / "lambda_function.py").write_text(
            "from pathlib import Path\nfrom nbchalice.runtime.entry import load_handler\n"
            "lambda_handler = load_handler(Path(__file__).parent)\n"
        )
        return tmp_path

    return write


PLAIN = """\
import json, sys
from lambda_function import lambda_handler
class Context: aws_request_id = "req-1"
print(json.dumps(lambda_handler(json.loads(sys.argv[1]), Context())))
"""
AWS = """\
import json, sys
from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller
class Client:
    marshaller = LambdaMarshaller()
    def post_invocation_result(self, invoke_id, result, *rest): print("RESULT", result)
    def post_invocation_error(self, invoke_id, error, *rest): print("ERROR", error)
sink = bootstrap.StandardLogSink()
bootstrap._setup_logging(bootstrap._AWS_LAMBDA_LOG_FORMAT, bootstrap._AWS_LAMBDA_LOG_LEVEL, sink)
try:
    handler = bootstrap._get_handler("lambda_function.lambda_handler")
except Exception as error:
    print("INIT", type(error).__name__, getattr(error, "msg", error))
else:
    bootstrap._GLOBAL_AWS_REQUEST_ID = "req-1"
    bootstrap.handle_event_request(Client(), handler, "req-1", sys.argv[1].encode(), "application/json", "{}", "{}", "arn", 0, None, sink)
"""


def run(script, root, event, **env):
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(event)],
        cwd=root,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{root}:{Path.cwd()}", **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout, done.stderr


def good(event):
    raw = event("sqs")
    del raw["Records"][1:]
    return raw


@pytest.mark.parametrize("script", [PLAIN, AWS], ids=["without-a-root-handler", "awslambdaric"])
class TestLogging:
    def lines(self, out):
        import re

        return [re.sub(STAMP, "TIME", line) for line in out.splitlines()]

    def test_every_record_is_written_once_in_lambdas_format(self, script, package, event):
        out, err = run(script, package(), good(event))
        assert err == ""
        assert self.lines(out)[:4] == [
            "[INFO]\tTIME\treq-1\t3 -> 3.60",
            "[INFO]\tTIME\treq-1\tfrom the module",
            "[INFO]\tTIME\treq-1\tcontents:  ('3',)",
            "plain",
        ]

    def test_debug_shows_debug_records_of_the_app(self, script, package, event):
        out, _ = run(script, package(SHOP.replace("RATE = 1.2", "RATE = 1.2; app.debug = True")), good(event))
        assert "[DEBUG]\tTIME\treq-1\tlooking" in self.lines(out)

    def test_lambdas_log_level_is_respected(self, script, package, event):
        out, _ = run(script, package(), good(event), AWS_LAMBDA_LOG_LEVEL="ERROR")
        assert "[INFO]" not in out
        assert "plain" in out

    def test_a_level_set_by_the_user_is_kept(self, script, package, event):
        source = SHOP.replace("RATE = 1.2", "RATE = 1.2; logging.getLogger().setLevel('WARNING')")
        lines = self.lines(run(script, package(source), good(event))[0])
        assert "[INFO]\tTIME\treq-1\t3 -> 3.60" in lines
        assert "[INFO]\tTIME\treq-1\tfrom the module" not in lines

    def test_an_unconfigured_log_is_left_alone(self, script, package, event):
        source = SHOP.replace('app_name="shop"', 'app_name="shop", configure_logs=False')
        assert "[INFO]\tTIME\treq-1\t3 -> 3.60" in self.lines(run(script, package(source), good(event))[0])

    def test_a_partial_failure_is_logged_and_returned(self, script, package, event):
        out, _ = run(script, package(function="partial"), event("sqs"))
        assert "[ERROR]\tTIME\treq-1\t2 of 3 messages failed" in self.lines(out)
        assert "ValueError: could not convert string to float: 'x'" in out
        assert '{"batchItemFailures": [{"itemIdentifier": "00000002-' in out


def test_an_exception_has_the_cells_name_in_its_stack_trace(package, event):
    out, _ = run(AWS, package(), event("sqs"))
    error = json.loads(next(line for line in out.splitlines() if line.startswith("ERROR {"))[6:])
    assert error["errorType"] == "ValueError"
    assert error["errorMessage"] == "could not convert string to float: 'x'"
    (frame,) = error["stackTrace"]
    assert frame.startswith('  File "shop.ipynb#cell 4", line 5, in price\n    app.log.info("%s -> %.2f"')


def test_an_import_error_is_lambdas_own(package, event):
    out, _ = run(AWS, package("import pandas_is_missing\n" + SHOP), event("sqs"))
    assert "INIT FaultException Unable to import module 'lambda_function': No module named 'pandas_is_missing'" in out


def test_a_missing_handler_is_named_with_those_that_exist(package):
    _, err = run("import lambda_function", package(function="prize"), {})
    assert "RuntimeError: shop.ipynb registers no handler 'prize'; its handlers are: partial, price\n" in err
    _, err = run("import lambda_function", package("x = 1\n"), {})
    assert "shop.ipynb registers no handler 'price'; its handlers are: none\n" in err


def test_a_handler_of_any_app_and_name_is_found(package, event):
    source = SHOP.replace('"orders", batch_size=10)\ndef price', '"orders", name="cost")\ndef price')
    source += "other = Chalice('other')\n@other.schedule('rate(1 day)')\ndef tick(event):\n    print('tock')\n"
    assert "3.60" in run(PLAIN, package(source, "cost"), good(event))[0]
    assert "tock" in run(PLAIN, package(source, "tick"), event("schedule"))[0]


def test_imports_during_load_can_log(package, event):
    out, err = run(PLAIN, package(SHOP + textwrap.dedent("app.log.warning('loading')\n")), good(event))
    assert "\tloading" in out
    assert err == ""
