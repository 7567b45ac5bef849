"""A handler may print whatever Lambda prints: no line is lost, and only what is Lambda's own decides how it ended."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nbchalice.logs.blob import events_of
from nbchalice.logs.parse import Assembler, parse
from nbchalice.logs.records import LogEvent

from .lambda_lines import A, B, end, report, start

C = "33333333-cccc-4ccc-8ccc-333333333333"
STAMP = "2024-05-01T10:00:00.000Z"
HEADER = "Traceback (most recent call last):"
TRACE = f'[ERROR] ValueError: real\n{HEADER}\n\u00a0\u00a0File "shop.ipynb#cell 4", line 3, in price\n\u00a0\u00a0\u00a0\u00a0int(x)'
DECOY = TRACE.replace("real", "printed")
MARSHAL = f"[ERROR] Runtime.MarshalError: Unable to marshal response\n{HEADER}"


def marker(id=A, nonce="n1", **content):
    return "NBCHALICE " + json.dumps({"request_id": id, "nonce": nonce, **content}, separators=(",", ":"))


def begin(id=A, nonce="n1"):
    return marker(id, nonce, ids=["m1", "m2"], attempt=1)


def returned(id=A, nonce="n1", **content):
    return marker(id, nonce, end="returned", **content)


def raised(kind="ValueError", id=A, nonce="n1"):
    return marker(id, nonce, end="raised", error=kind)


def timed_out(id=A):
    return f"{STAMP} {id} Task timed out after 3.00 seconds"


def exited(id=A):
    return f"RequestId: {id} Error: Runtime exited with error: exit status 3\nRuntime.ExitError"


def events(*lines, stream="s", at=1000):
    return [LogEvent(at + n, line, stream) for n, line in enumerate(lines)]


def run(*lines, last=None, more="", id=A, nonce="n1"):
    """A whole invocation of nbchalice's runtime."""
    ending = returned(id, nonce) if last is None else last
    return [start(id), begin(id, nonce), *lines, *([ending] if ending else []), end(id), report(id, more)]


def one(lines):
    (invocation,) = parse(events(*lines), "f")
    return invocation


def texts(invocation):
    return [record.message for record in invocation.records]


FORGED = [
    "[ERROR] could not handle: x",
    "[ERROR] Runtime.Whatever happened",
    "[ERROR] Runtime.ImportModuleError: no",
    DECOY,
    MARSHAL,
    json.dumps({"level": "ERROR", "errorType": "X"}),
    json.dumps({"level": "ERROR", "errorType": "X", "errorMessage": "y", "requestId": A, "stackTrace": []}),
    start(),
    start(B),
    end(),
    end(B),
    report(),
    report(B),
    report(more="Duration: 1 ms"),
    timed_out(),
    timed_out(B),
    exited(),
    exited(B),
    "INIT_START Runtime Version: python:3.13",
    "INIT_REPORT Init Duration: 1 ms\tPhase: invoke\tStatus: error",
    "EXTENSION\tName: x",
    json.dumps({"time": STAMP, "type": "platform.start", "record": {"requestId": B, "version": "1"}}),
    json.dumps({"time": STAMP, "type": "platform.runtimeDone", "record": {"requestId": A, "status": "success"}}),
    json.dumps({"time": STAMP, "type": "platform.report", "record": {"requestId": B, "metrics": {}}}),
    json.dumps({"time": STAMP, "type": "platform.initStart", "record": {}}),
    begin(),
    begin(B, "n2"),
    begin(nonce="n2"),
    returned(B, "n2"),
    returned(nonce="n2", failed=["m1"]),
    raised(nonce="n2"),
    raised(id=B),
    f'NBCHALICE {{"request_id":"{A}","failed":["m1"]}}',
]


def shown(line):
    """What is shown of a line that counts as printed."""
    if line.startswith("[ERROR] "):
        return line.removeprefix("[ERROR] ").replace("\u00a0", "\u00a0")
    return line


@pytest.mark.table("printed lines that look like another's")
@pytest.mark.parametrize("line", FORGED)
def test_a_printed_line_is_kept_and_changes_nothing(line):
    got = one(run("before", line, "after"))
    assert (got.request_id, got.status, got.error, got.duration_ms) == (A, "ok", None, 3.1)
    assert texts(got) == ["before", shown(line), "after"]
    assert got.ids == ("m1", "m2") and got.failed_ids == ()


@pytest.mark.parametrize("line", FORGED)
def test_nor_does_it_as_the_last_or_the_only_one(line):
    for lines in ([line], ["x", line], [line, line]):
        got = one(run(*lines))
        assert got.status == "ok" and texts(got) == [shown(each) for each in lines]


@pytest.mark.parametrize("line", FORGED)
def test_the_real_error_is_told_beside_it(line):
    got = one(run(line, last=raised())[:-2] + [TRACE, end(), report()])
    assert (got.status, got.error.type, got.error.message, got.error.frame.cell) == (
        "error",
        "ValueError",
        "real",
        "cell 4",
    )
    assert texts(got) == [shown(line)]


@pytest.mark.parametrize("line", FORGED)
@pytest.mark.parametrize("live", [True, False])
def test_the_next_invocation_in_the_stream_is_its_own(line, live):
    lines = events(*run("a", line, "b"), *run("c", id=C, nonce="n3"))
    assembler = Assembler()
    for event in lines if live else ():
        assembler.feed([event])
    if not live:
        assembler.feed(lines)
    first, second = assembler.invocations()
    assert texts(first) == ["a", shown(line), "b"] and first.status == "ok"
    assert (second.request_id, texts(second), second.status) == (C, ["c"], "ok")


@given(st.lists(st.sampled_from([*FORGED, "x"]), max_size=8), st.booleans())
@example([end(), timed_out(), timed_out(B)], True)
@example([end(), timed_out(), start()], True)
def test_no_mixture_loses_a_line(lines, live):
    whole = events(*run(*lines), *run("c", id=C, nonce="n3"))
    assembler = Assembler()
    for feed in [[event] for event in whole] if live else [whole]:
        assembler.feed(feed)
    first, second = assembler.invocations()
    assert [texts(first), texts(second)] == [[shown(line) for line in lines], ["c"]]
    assert (first.status, second.status) == ("ok", "ok")


@given(st.lists(st.sampled_from([*FORGED, "x"]), max_size=6))
def test_none_is_finished_before_its_end(lines):
    assembler = Assembler()
    for event in events(start(), begin(), *lines):
        changed = assembler.feed([event])
        crash = any(line in {timed_out(), exited()} for line in lines)
        assert crash or not any(each.finished for each in changed if each.request_id == A)


@pytest.mark.parametrize("last", [returned(), raised(), timed_out(), exited()])
@pytest.mark.parametrize("lines", [["x"], ["x", end(), report()], [start(B), end(), "x"], [timed_out(), end()]])
def test_a_log_that_comes_line_by_line_is_read_alike(lines, last):
    status = {timed_out(): "Status: timeout", exited(): "Status: error"}.get(last, "")
    whole = events(*run(*lines, last=last, more=status), *run("c", id=C, nonce="n3"))
    assembler = Assembler()
    for event in whole:
        assembler.feed([event])
        assembler.forget()
    assert assembler.invocations() == parse(whole) and [texts(each) for each in parse(whole)] == [lines, ["c"]]
    assert assembler._streams == {}


def test_crashes_without_a_status_do_not_fill_the_memory():
    assembler = Assembler()
    for n in range(300):
        assembler.feed(events(*run("x", last=exited(f"{n:08}-x"), id=f"{n:08}-x"), stream=str(n)))
        assembler.forget(keep=10)
    assert len(assembler._streams) <= 10 and len(assembler.invocations()) <= 10


def test_a_whole_log_of_another_function_is_forwarded():
    forwarded = [
        *run("theirs", id=B, nonce="n9", last=raised(id=B, nonce="n9")),
        start(C),
        "theirs too",
        end(C),
        report(C),
    ]
    got = one(run("mine", *forwarded, "mine too"))
    assert got.status == "ok" and texts(got) == ["mine", *forwarded, "mine too"]


def test_its_own_earlier_attempt_is_forwarded():
    earlier = run("x", last=raised(nonce="n0"), nonce="n0")
    lines = events(*earlier[:-2], TRACE, *earlier[-2:], *run(*earlier, nonce="n1"))
    first, second = parse(lines)
    assert (first.run, first.status, texts(first)) == (1, "error", ["x"])
    assert (second.run, second.status, texts(second)) == (2, "ok", earlier)


def test_a_start_printed_while_importing_is_part_of_the_first_invocation():
    (got,) = parse(events("INIT_START Runtime Version: x", start(B), "import", *run("x")))
    assert (got.request_id, got.status, texts(got)) == (A, "ok", [start(B), "import", "x"])


@pytest.mark.parametrize("last", [returned(), raised()])
def test_a_line_that_was_not_ended_before_the_end(last):
    got = one([start(), "at import" + begin(), "x" + last, *([TRACE] if "raised" in last else []), end(), report()])
    assert texts(got) == ["at import", "x"] and got.ids == ("m1", "m2")
    assert got.status == ("error" if "raised" in last else "ok")


@pytest.mark.parametrize("huge", ["x" * 200_000, "a\nb\nc", "[ERROR] inside\n[ERROR] ValueError: again", "", "a: b: c"])
def test_an_exception_with_any_message(huge):
    text = f"[ERROR] ValueError: {huge}\n{HEADER}" if huge else f"[ERROR] ValueError\n{HEADER}"
    got = one([start(), begin(), DECOY, raised(), text, end(), report()])
    assert (got.status, got.error.type, got.error.message) == ("error", "ValueError", huge)
    assert texts(got) == [shown(DECOY)]


def test_an_exception_whose_log_stands_before_the_marker():
    # Lambda's log and the output are two pipes: the order within a millisecond is not certain.
    got = one([start(), begin(), TRACE, raised(), end(), report()])
    assert (got.status, got.error.message, got.records) == ("error", "real", ())


def test_an_exception_whose_log_is_lost():
    assert one(run(last=raised("KeyError"))).error.type == "KeyError"


def test_an_answer_that_is_no_json():
    lines = [start(), begin(), MARSHAL, "x", marker(end="unsure"), MARSHAL, end(), report()]
    got = one(lines)
    assert (got.status, got.error.type, texts(got)) == ("error", "Runtime.MarshalError", [shown(MARSHAL), "x"])
    assert one([*lines[:5], *lines[6:]]).status == "ok"


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("status", ["Status: timeout", ""])
def test_a_timeout_has_no_end(late, status):
    lines = [start(), begin(), DECOY, timed_out(B), "x"]
    tail = [end(), report(more=status), timed_out()] if late else [timed_out(), end(), report(more=status)]
    got = one([*lines, *tail])
    assert (got.status, got.error.type) == ("timeout", "Sandbox.Timedout")
    assert texts(got) == [shown(DECOY), timed_out(B), "x"]


@pytest.mark.parametrize("status", ["Status: error\tError Type: Runtime.ExitError", ""])
def test_a_crash_has_no_end(status):
    got = one([start(), begin(), DECOY, "x", exited(), end(), report(more=status)])
    assert (got.status, got.error.type, texts(got)) == ("error", "Runtime.ExitError", [shown(DECOY), "x"])


def test_a_process_killed_for_its_memory():
    got = one([start(), begin(), "x", end(), report(more="Status: error\tError Type: Runtime.OutOfMemory")])
    assert (got.status, got.error.type, texts(got)) == ("error", "Runtime.OutOfMemory", ["x"])


KILLED = f"RequestId: {A} Error: Runtime exited with error: signal: killed\nRuntime.ExitError"
ENDINGS = [returned(), returned(failed=["m1"], more=0), returned(ignored=["m1"], more=0), returned(wrong="x"), raised()]


@pytest.mark.parametrize("ending", [*ENDINGS, marker(end="unsure")])
def test_a_process_that_is_ended_after_its_handler_has_said_how_it_ended(ending):
    lines = [start(), begin(), exited(), TRACE, ending, KILLED, end(), report(more="Status: error")]
    got = one(lines)
    assert (got.status, got.error.type, got.error.message) == (
        "error",
        "Runtime.ExitError",
        "Runtime exited with error: signal: killed",
    )
    assert texts(got) == [exited(), shown(TRACE)] and not got.failed_ids + got.ignored_ids
    # Without Lambda's word for it, the line is something that a thread of the handler printed.
    assert one([*lines[:-1], report()]).error is None or "killed" not in one([*lines[:-1], report()]).error.message


def test_what_lambda_reports_counts_more_than_that_the_handler_returned():
    got = one(run("x", more="Status: error\tError Type: Function.ResponseSizeTooLarge"))
    assert (got.status, got.error.type) == ("error", "Function.ResponseSizeTooLarge")


def test_an_import_that_fails():
    text = f"[ERROR] Runtime.ImportModuleError: Unable to import module 'app': No module named 'x'\n{HEADER}"
    got = one(["INIT_START Runtime Version: x", "[ERROR] printed", text, start(), end(), report(more="Status: error")])
    assert (got.status, got.error.type, texts(got)) == ("error", "Runtime.ImportModuleError", ["printed"])
    assert got.never_began and not one(run(last=raised())).never_began


def test_a_malformed_answer_failed_the_whole_batch():
    got = one(run("x", last=returned(wrong="{'itemIdentifier': ''}")))
    assert (got.status, got.failed_ids, got.error.type) == ("error", ("m1", "m2"), "MalformedBatchResponse")
    assert "{'itemIdentifier': ''} in the function's answer names no record of the batch" in str(got)
    assert "the whole batch" in str(got) and "2 of 2 failed" in str(got)


def test_a_report_that_nobody_reads():
    got = one(run("x", last=returned(ignored=["m2"])))
    assert (got.status, got.failed_ids, got.ignored_ids, got.ok, got.error) == ("ignored", (), ("m2",), False, None)
    assert "--report-failures" in str(got) and "1 of 2 reported in vain" in str(got)
    assert "--report-failures" in got._repr_mimebundle_()["text/html"]


class TestOfOtherFunctions:
    """Without nbchalice's runtime there is no marker: what stands last, and Lambda's own lines, decide."""

    @pytest.mark.parametrize(
        "line", [start(B), end(B), report(B), timed_out(B), exited(B), "EXTENSION\tName: x", DECOY]
    )
    def test_a_printed_line_is_kept(self, line):
        got = one([start(), "before", line, "after", end(), report()])
        assert (got.request_id, got.status, texts(got)) == (A, "ok", ["before", shown(line), "after"])

    @pytest.mark.parametrize("line", [end(), report(), start()])
    def test_so_is_one_with_its_own_id(self, line):
        got = one([start(), "before", line, "after", end(), report()])
        assert (got.status, texts(got)) == ("ok", ["before", line, "after"])

    def test_a_forwarded_log_is_kept(self):
        lines = [start(B), "theirs", end(B), report(B), "between", start(C), "x", end(C), report(C)]
        assert texts(one([start(), *lines, "mine", end(), report()])) == [*lines, "mine"]

    def test_success_that_lambda_reports_counts_more_than_text(self):
        done = json.dumps(
            {"type": "platform.report", "record": {"requestId": A, "status": "success", "metrics": {"durationMs": 1}}}
        )
        got = one([start(), DECOY, done])
        assert (got.status, texts(got)) == ("ok", [shown(DECOY)])


class TestAnswers:
    """The log of one invocation, as Invoke returns its end."""

    def answer(self, *lines, id=A):
        (got,) = parse(events_of("\n".join(lines), 5), "f", id)
        return got

    def test_a_traceback_as_the_first_output_shows_no_marker(self):
        trace = [HEADER, '  File "x", line 1, in f', "    1 / 0", "ZeroDivisionError: division by zero"]
        got = self.answer(start(), begin(), *trace, "x", returned(), end(), report())
        assert texts(got) == ["\n".join(trace), "x"] and got.status == "ok"

    def test_an_error_of_several_lines_comes_once(self):
        lines = [
            "[ERROR] ValidationError: 2 errors",
            "price",
            "  not a number",
            "",
            "size",
            HEADER,
            "\u00a0\u00a0File x",
        ]
        got = self.answer(start(), begin(), "x", raised("ValidationError"), *lines, end(), report())
        assert got.error.message == "2 errors\nprice\n  not a number\n\nsize" and texts(got) == ["x"]

    def test_a_cut_off_start_and_other_peoples_lines(self):
        got = self.answer("est of it", start(B), "x", end(B), report(B), "y", returned(failed=["m1"]), end(), report())
        assert texts(got) == ["est of it", start(B), "x", end(B), report(B), "y"]
        assert (got.request_id, got.status, got.failed_ids) == (A, "partial", ("m1",))
