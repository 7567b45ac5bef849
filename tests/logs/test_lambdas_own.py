"""A second opinion: what Lambda's own Python runtime client writes, in both formats, is read right."""

import json
import logging
import sys
import traceback

import pytest

from nbchalice.logs.lines import read_line
from nbchalice.logs.parse import parse
from nbchalice.logs.records import LogEvent
from nbchalice.logs.tracebacks import from_exception

bootstrap = pytest.importorskip("awslambdaric.bootstrap")
from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # noqa: E402

R = "11111111-aaaa-4aaa-8aaa-111111111111"
START, REPORT = f"START RequestId: {R} Version: 1", f"REPORT RequestId: {R}\tDuration: 1.00 ms"


class Sink:
    def __init__(self, joined):
        self.joined, self.text = joined, ""

    def log_error(self, lines):
        self.text += self.joined.join(lines) + "\n"


def read(*lines):
    (got,) = parse([LogEvent(n, line, "s") for n, line in enumerate([START, *lines, REPORT])])
    return got


@pytest.fixture
def failure():
    code = compile("def price(text):\n    return float(text)\nprice('ten')\n", "shop.ipynb#cell 4", "exec")
    try:
        exec(code, {})
    except ValueError:
        kind, value, trace = sys.exc_info()
        return kind, value, trace.tb_next


@pytest.mark.parametrize("joined", ["\r", "\n"])
def test_an_exception_in_text_format(failure, joined):
    sink = Sink(joined)
    kind, value, trace = failure
    error = bootstrap.make_error(str(value), kind.__name__, traceback.format_tb(trace), R)
    bootstrap.log_error(error, sink)
    got = read(sink.text)
    assert (got.status, got.error.type, got.error.message) == ("error", "ValueError", str(value))
    assert [(f.cell, f.line, f.function) for f in got.error.frames] == [
        ("cell 4", 3, "<module>"),
        ("cell 4", 2, "price"),
    ]


def test_an_exception_in_json_format(failure):
    kind, value, trace = failure
    error = bootstrap.make_error(str(value), kind.__name__, traceback.format_tb(trace), R)
    got = read(json.dumps({"timestamp": "2024-05-01T10:00:00Z", "level": "ERROR", **error}))
    assert (got.status, str(got.error)) == ("error", f"ValueError: {value}")
    assert got.error.frame.line == 2


def test_records_in_both_formats(failure):
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, "caught %s", ("it",), failure)
    record.aws_request_id = R
    text = logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n").format(
        record
    )
    as_text, as_json = read(text), read(JsonFormatter().format(record))
    for got in (as_text, as_json):
        (only,) = got.records
        assert (got.status, only.level, only.message.splitlines()[0]) == ("ok", "ERROR", "caught it")
        assert only.message.splitlines()[-1] == str(failure[1]).join(["ValueError: ", ""])
    assert as_json.records[0].logger == "shop"


def test_the_kernels_own_exception_reads_alike(failure):
    error = from_exception(failure[1].with_traceback(failure[2]))
    assert [(f.cell, f.line, f.function) for f in error.frames] == [("cell 4", 3, "<module>"), ("cell 4", 2, "price")]
    assert error.text.endswith("could not convert string to float: 'ten'")


@pytest.mark.parametrize("field", ["exception", "other"])
def test_the_traceback_that_powertools_writes_beside_the_message_is_shown_with_it(field):
    trace = 'Traceback (most recent call last):\n  File "shop.ipynb#cell 4", line 3, in price\nValueError: bad'
    line = read_line(json.dumps({"level": "ERROR", "message": "caught", "service": "s", field: trace}))
    assert line.message == ("caught" if field == "other" else f"caught\n{trace}") and line.data[field] == trace
