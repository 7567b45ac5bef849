"""Log events, as Lambda writes them, into invocations."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbchalice.logs.blob import events_of
from nbchalice.logs.lines import read_line
from nbchalice.logs.parse import Assembler, parse
from nbchalice.logs.records import LogEvent

from .lambda_lines import A, B, end, report, start

STAMP = "2024-05-01T10:00:00.000Z"
TRACE = (
    "[ERROR] ValueError: bad: price\n"
    "Traceback (most recent call last):\n"
    '\u00a0\u00a0File "shop.ipynb#cell 4", line 3, in price\n'
    "\u00a0\u00a0\u00a0\u00a0return float(text)\n"
    '\u00a0\u00a0File "/var/task/lib/x.py", line 9, in inner\n'
    "\u00a0\u00a0\u00a0\u00a0int('x') + \\\n"
    "\u00a0\u00a0\u00a0\u00a0~~~~^^^^\n"
)


def events(*lines, stream="s", start=1000):
    return [LogEvent(start + n, line, stream) for n, line in enumerate(lines)]


def record(text, id=A, level="INFO"):
    return f"[{level}]\t{STAMP}\t{id}\t{text}\n"


def marker(**content):
    return "NBCHALICE " + json.dumps({"request_id": A, **content})


def one(*lines):
    (invocation,) = parse(events(*lines), "f")
    return invocation


def test_a_plain_run():
    got = one(
        "INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: arn:x",
        start(),
        record("two\nlines"),
        "raw\n",
        end(),
        report(more="Init Duration: 120.5 ms\t\n"),
    )
    assert (got.request_id, got.function, got.status, got.attempt) == (A, "f", "ok", 1)
    assert (got.duration_ms, got.billed_ms, got.memory_mb, got.max_memory_mb, got.init_ms, got.cold) == (
        3.1,
        4,
        128,
        38,
        120.5,
        True,
    )
    assert [(r.level, r.message, r.timestamp) for r in got.records] == [("INFO", "two\nlines", 1002), ("", "raw", 1003)]
    assert got.started == 1001 and got.error is None


@pytest.mark.parametrize("space", [" ", "\t"])
def test_report_with_tabs_or_spaces(space):
    got = one(start(), end(), report().replace("\t", space) + "Status: timeout")
    assert (got.duration_ms, got.billed_ms, got.status, got.error.type) == (3.1, 4.0, "timeout", "Sandbox.Timedout")


@pytest.mark.parametrize("joined", ["\n", "\r"])
def test_an_exception(joined):
    got = one(start(), TRACE.replace("\n", joined), end(), report())
    assert (got.status, got.error.type, got.error.message) == ("error", "ValueError", "bad: price")
    first, second = got.error.frames
    assert (first.cell, first.line, first.function, first.source) == ("cell 4", 3, "price", "return float(text)")
    assert (second.cell, second.line, second.source) == (None, 9, "int('x') + \\")
    assert got.error.frame is first and got.records == ()


def test_what_is_printed_line_by_line_is_no_exception_of_lambdas():
    got = one(start(), *TRACE.splitlines(), end(), report())
    assert (got.status, got.error) == ("ok", None)
    assert [r.message for r in got.records] == ["ValueError: bad: price", *TRACE.splitlines()[1:]]


def test_an_error_counts_before_its_report():
    assert one(start(), TRACE).status == "error"
    assert one(start(), "x").status == "running"


def test_the_users_own_error_lines_do_not_fail_it():
    got = one(start(), record("handled", level="ERROR"), "[ERROR] printed: by hand", "more", end(), report())
    assert got.status == "ok" and [r.message for r in got.records] == ["handled", "printed: by hand", "more"]
    assert [r.level for r in got.records] == ["ERROR", "ERROR", ""]


@pytest.mark.parametrize("late", [True, False])
def test_a_timeout(late):
    text = f"{STAMP} {A} Task timed out after 3.00 seconds\n\n"
    lines = [start(), end(), report(), text] if late else [start(), text, end(), report(more="Status: timeout")]
    got = one(*lines)
    assert (got.status, got.error.type, got.error.message) == (
        "timeout",
        "Sandbox.Timedout",
        "Task timed out after 3.00 seconds",
    )


def test_a_crash():
    got = one(
        start(),
        f"RequestId: {A} Error: Runtime exited with error: exit status 3\nRuntime.ExitError",
        end(),
        report(more="Status: error\tError Type: Runtime.ExitError"),
    )
    assert (got.status, got.error.type) == ("error", "Runtime.ExitError") and "exit status 3" in got.error.message
    assert (
        one(start(), end(), report(more="Status: error\tError Type: Runtime.OutOfMemory")).error.type
        == "Runtime.OutOfMemory"
    )
    assert one(start(), f"RequestId: {A} handled", end(), report()).status == "ok"


def test_a_failed_import():
    text = "[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'"
    got = one("INIT_START Runtime Version: x", text + "\nTraceback (most recent call last):", start(), end(), report())
    assert (got.status, got.error.type) == ("error", "Runtime.ImportModuleError")
    assert one(start(), text).error.message.endswith("'x'")


def test_a_message_of_several_lines():
    got = one(start(), "[ERROR] ValueError: one\ntwo: three\nTraceback (most recent call last):\n", end(), report())
    assert (got.error.type, got.error.message) == ("ValueError", "one\ntwo: three")


def test_markers_are_read_and_hidden():
    lines = [
        marker(ids=["m1", "m2"], attempt=3, more=7),
        "NBCHALICE nonsense",
        marker(failed=["m2"]),
    ]
    got = one(start(), *lines, end(), report())
    assert (got.ids, got.failed_ids, got.attempt, got.ids_cut, got.status) == (("m1", "m2"), ("m2",), 3, 7, "partial")
    assert [r.message for r in got.records] == ["NBCHALICE nonsense"]
    assert got.handles(("m1",)) and got.handles((A,)) and not got.handles(("m3",))


def test_a_reported_record_brings_its_traceback():
    logged = 'message m2 failed\nTraceback (most recent call last):\n  File "shop.ipynb#cell=7", line 2, in f\n    x\nValueError: no: x'
    got = one(start(), record(logged, level="ERROR"), marker(failed=["m2"]), end(), report())
    assert (got.status, got.error.type, got.error.message, got.error.frame.cell) == (
        "partial",
        "ValueError",
        "no: x",
        "7",
    )


def test_streams_interleave():
    one_stream = events(start(A), "a1", "a2", end(A), report(A), stream="s1")
    other = events(start(B), "b1", "b2", end(B), report(B), stream="s2")
    mixed = [event for pair in zip(one_stream, other, strict=True) for event in pair]
    got = parse(mixed)
    assert {i.request_id: [r.message for r in i.records] for i in got} == {A: ["a1", "a2"], B: ["b1", "b2"]}


def test_events_out_of_order():
    lines = events(start(), "x", record("y"), end(), report())
    assert parse(reversed(lines)) == parse(lines)


def test_late_events_find_their_run():
    assembler = Assembler()
    assembler.feed(events(start(), end(), report()))
    (changed,) = assembler.feed([LogEvent(999, record("late"), "s")])
    assert [r.message for r in changed.records] == ["late"] and len(assembler.invocations()) == 1


def test_a_report_before_its_start():
    assembler = Assembler()
    assembler.feed(events(report()))
    assembler.feed(events(start(), start=900))
    (got,) = assembler.invocations()
    assert got.status == "ok" and got.started == 900 and got.attempt == 1


def test_lines_before_a_window_and_of_the_import_belong_to_the_next_known_id():
    assert [r.message for r in one("tail of it", end(), report()).records] == ["tail of it"]
    assert [r.message for r in one("at import", start(), "x", end(), report()).records] == ["at import", "x"]
    assert parse(events("only print")) == []


def test_retries_share_the_request_id():
    run = (start(), TRACE, end(), report())
    got = parse([*events(*run), *events(*run, start=2000), *events(*run, stream="t", start=3000)])
    assert [(i.attempt, i.key) for i in got] == [(1, (A, 1)), (2, (A, 2)), (3, (A, 3))]


def test_one_after_the_other_in_a_stream():
    got = parse(events(start(A), "a", end(A), report(A), start(B), "b", end(B), report(B)))
    assert [[r.message for r in i.records] for i in got] == [["a"], ["b"]]


def test_memory_is_bounded():
    assembler = Assembler("f", most_records=10)
    (got,) = assembler.feed(events(start(), *map(str, range(100))))
    assert [r.message for r in got.records] == [str(n) for n in range(90, 100)] and got.records_cut == 90
    for n in range(50):
        assembler.feed(events(start(f"{n:08}-x"), report(f"{n:08}-x"), stream=f"s{n}"))
    assembler.forget(keep=5)
    assert len(assembler.invocations()) == 6


class TestJson:
    """The JSON log format."""

    def line(self, **content):
        return json.dumps({"timestamp": STAMP, **content}) + "\n"

    def platform(self, kind, **content):
        return json.dumps({"time": STAMP, "type": f"platform.{kind}", "record": {"requestId": A, **content}})

    def run(self, *lines, status="success"):
        metrics = {
            "durationMs": 3.1,
            "billedDurationMs": 4,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 38,
            "initDurationMs": 99.5,
        }
        return one(
            json.dumps({"time": STAMP, "type": "platform.initStart", "record": {"phase": "init"}}),
            self.platform("start", version="$LATEST"), *lines, self.platform("runtimeDone", status=status),
            self.platform("report", metrics=metrics, status=status),
        )  # fmt: skip

    def test_records_and_numbers(self):
        got = self.run(self.line(level="WARN", message="hi", logger="shop", requestId=A, price=3), "raw")
        assert (got.status, got.duration_ms, got.memory_mb, got.init_ms) == ("ok", 3.1, 128, 99.5)
        (first, second) = got.records
        assert (first.level, first.message, first.logger, first.fields) == ("WARN", "hi", "shop", {"price": 3})
        assert (second.level, second.message) == ("", "raw")

    def test_an_exception(self):
        stack = ['  File "shop.ipynb#cell 4", line 3, in price\n    float(x)\n']
        got = self.run(
            self.line(level="ERROR", errorType="ValueError", errorMessage="no", requestId=A, stackTrace=stack),
            status="error",
        )
        assert (got.status, got.error.type, got.error.message, got.error.frame.line) == ("error", "ValueError", "no", 3)

    def test_a_logged_exception_is_a_record(self):
        stack = ['  File "shop.ipynb#cell 4", line 3, in price\n']
        got = self.run(
            self.line(
                level="ERROR",
                message="caught",
                logger="x",
                errorType="ValueError",
                errorMessage="no",
                requestId=A,
                stackTrace=stack,
            )
        )
        assert got.status == "ok" and got.records[0].message.endswith("ValueError: no")

    def test_a_timeout(self):
        assert self.run(status="timeout").status == "timeout"

    def test_a_request_id_of_the_users_own_is_none_of_lambdas(self):
        got = self.run(self.line(level="INFO", message="api", requestId=B))
        assert [r.message for r in got.records] == ["api"]

    def test_json_that_is_no_log_record_is_a_print(self):
        got = self.run('{"a": 1}', '{"level": 3, "message": "x"}', "{broken")
        assert [r.message for r in got.records] == ['{"a": 1}', '{"level": 3, "message": "x"}', "{broken"]


def test_the_log_of_an_answer():
    text = "\n".join(
        [
            start(),
            record("x").rstrip(),
            record("y", level="ERROR") + 'Traceback (most recent call last):\n  File "a#b", line 1, in c\nKeyError: 1',
            "raw",
            *TRACE.splitlines(),
            end(),
            report(),
        ]
    )
    (got,) = parse(events_of(text, 5))
    assert got.error.type == "ValueError" and len(got.error.frames) == 2
    assert [r.message.splitlines()[0] for r in got.records] == ["x", "y", "raw"]
    assert got.records[1].message.endswith("KeyError: 1") and got.started == 1714557600000


def test_a_chain_and_a_group_of_exceptions_are_each_one_record_of_the_answer():
    chain = 'Traceback (most recent call last):\n  File "x.py", line 1, in f\nKeyError: 1'
    because = "\n\nThe above exception was the direct cause of the following exception:\n\n"
    group = (
        "  + Exception Group Traceback (most recent call last):\n  | ExceptionGroup: many (1 sub-exception)\n  +-+----"
    )
    text = "\n".join(
        [
            start(),
            record(f"led\n{chain}{because}{chain}"),
            record(f"full\n{group}").rstrip("\n"),
            "after",
            end(),
            report(),
        ]
    )
    (got,) = parse(events_of(text, 5))
    assert [r.message for r in got.records] == [f"led\n{chain}{because}{chain}", f"full\n{group}", "after"]


def test_to_dict_is_json():
    got = one(start(), record("x"), TRACE, end(), report())
    content = json.loads(json.dumps(got.to_dict()))
    assert {"request_id", "status", "duration_ms", "attempt", "records", "error"} <= set(content)
    assert content["error"]["frames"][0] == {
        "cell": "cell 4",
        "line": 3,
        "function": "price",
        "source": "return float(text)",
        "file": "shop.ipynb#cell 4",
    }


pieces = st.sampled_from(
    [
        start(),
        end(),
        report(),
        TRACE,
        record("x"),
        "[ERROR] ",
        "[ERROR] X: y",
        "NBCHALICE {",
        'NBCHALICE {"request_id":"a","ids":3}',
        "Traceback (most recent call last):",
        '  File "',
        '{"type":"platform.report","record":{"requestId":"a","metrics":{"durationMs":"x"}}}',
        '{"level":"x","errorType":[]}',
        "Duration: 1e999 ms",
        '{"level":"INFO","message":{"a":1},"stackTrace":[1]}',
        "\u00a0",
        "{" * 2000,
        "[" * 100,
    ]
)
garbage = st.lists(st.one_of(pieces, st.text()), max_size=4).map("".join)


@pytest.mark.slow
@given(st.lists(st.builds(LogEvent, st.integers(0, 5), garbage, st.sampled_from(["s", "t"]))))
def test_no_log_is_too_strange(found):
    for invocation in parse(found):
        json.dumps(invocation.to_dict())
        bundle = invocation._repr_mimebundle_()
        assert "<script" not in bundle["text/html"] and bundle["text/plain"]
    assert isinstance(Assembler().feed(found), list)


@given(garbage)
def test_no_line_and_no_answer_is_too_strange(text):
    assert read_line(text).kind
    events_of(text, 0)
