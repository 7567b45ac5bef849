"""The line that links an invocation with what it handles."""

import io
import json
import re
import traceback
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nbchalice.runtime.event_kinds import ids_of
from nbchalice.runtime.invocation_lines import MOST_IDS, PREFIX, marked, returned, started

CONTEXT = SimpleNamespace(aws_request_id="r-1")


def read(line):
    assert line.startswith(PREFIX) and "\n" not in line
    return json.loads(line.removeprefix(PREFIX))


def sqs(*counts):
    return {
        "Records": [
            {"messageId": f"m{n}", "body": "secret", "attributes": {"ApproximateReceiveCount": count}}
            for n, count in enumerate(counts)
        ]
    }


@pytest.mark.parametrize(
    ("event", "ids"),
    [
        (sqs("1"), ["m0"]),
        ({"Records": [{"Sns": {"MessageId": "n1", "Message": "secret"}}]}, ["n1"]),
        (
            {
                "Records": [
                    {
                        "responseElements": {"x-amz-request-id": "R"},
                        "s3": {"object": {"key": "a+b/%C3%A4", "eTag": '"e"'}},
                    }
                ]
            },
            ["R"],
        ),
        ({"id": "e1", "detail-type": "Scheduled Event"}, ["e1"]),
        ({"id": "mine", "what": "ever"}, []),
        ({"Records": [{"eventID": "shard:1"}]}, ["shard:1"]),
        ([1, 2], []),
        (None, []),
        ({"Records": "x"}, []),
    ],
)
def test_ids(event, ids):
    assert ids_of(event) == ids


def kinesis(*numbers):
    return {"Records": [{"eventID": f"shard:{n}", "kinesis": {"sequenceNumber": str(n)}} for n in numbers]}


def table(*numbers):
    return {"Records": [{"eventID": f"e{n}", "dynamodb": {"SequenceNumber": str(n)}} for n in numbers]}


def failures(*names):
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


def asked(event):
    return True


def not_asked(event):
    return False


def unknown(event):
    return None


def test_sqs_tells_the_attempt_others_do_not():
    assert started(sqs("1", "3", "2"))["attempt"] == 3
    assert started({"id": "e", "detail-type": "x"})["attempt"] is None


def test_no_message_text_in_it():
    assert "secret" not in str(started(sqs("1")))


def test_it_is_bounded_with_a_count():
    content = started(sqs(*["1"] * 250))
    assert len(content["ids"]) == MOST_IDS and content["more"] == 250 - MOST_IDS
    assert len(str(started({"Records": [{"messageId": "x" * 100_000}]}))) < 2000


@pytest.mark.parametrize("reads", [asked, not_asked, unknown, None])
@pytest.mark.parametrize("result", [None, "done", {}, {"statusCode": 200}, failures()])
def test_the_end_of_a_success(result, reads):
    assert returned(result, sqs("1", "1"), reads) == {"end": "returned"}


@pytest.mark.parametrize("result", [object(), {1, 2}, b"x", (n for n in ())])
def test_a_result_of_which_lambda_may_make_no_json(result):
    assert returned(result, sqs("1")) == {"end": "unsure"}


@pytest.mark.parametrize(
    ("event", "answer", "ids"),
    [
        (sqs("1", "1"), failures("m1"), ["m1"]),
        (kinesis(1, 2), failures("2"), ["shard:2"]),
        (table(1, 2), failures("1"), ["e1"]),
    ],
)
def test_records_that_failed_and_those_that_nobody_asked_for(event, answer, ids):
    assert (
        returned(answer, event, asked)
        == returned(answer, event, unknown)
        == {"end": "returned", "failed": ids, "more": 0}
    )
    assert returned(answer, event, not_asked) == {"end": "returned", "ignored": ids, "more": 0}


def test_a_malformed_answer_is_all_of_them():
    answer = failures("m1", "")
    assert returned(answer, sqs("1", "1"), asked) == {"end": "returned", "wrong": "{'itemIdentifier': ''}"}
    assert returned(answer, sqs("1", "1"), not_asked) == {"end": "returned", "ignored": ["m0", "m1"], "more": 0}
    assert returned(answer, sqs("1", "1"), unknown) == {"end": "returned"}
    assert returned(failures("x"), {"Records": [{"Sns": {"MessageId": "n"}}]}, not_asked)["ignored"] == []


def test_a_marked_handler_prints_and_returns(capfd):
    answer = failures("m0")
    assert marked(lambda event, context: answer)(sqs("2"), CONTEXT) is answer
    first, last = map(read, capfd.readouterr().out.splitlines())
    assert first == {"request_id": "r-1", "nonce": first["nonce"], "ids": ["m0"], "more": 0, "attempt": 2}
    assert last == {"request_id": "r-1", "nonce": first["nonce"], "end": "returned", "failed": ["m0"], "more": 0}


def test_a_marked_handler_raises(capfd):
    def handler(event, context):
        raise LookupError("no")

    with pytest.raises(LookupError):
        marked(handler)({}, CONTEXT)
    first, last = map(read, capfd.readouterr().out.splitlines())
    assert last == {"request_id": "r-1", "nonce": first["nonce"], "end": "raised", "error": "LookupError"}


def test_each_call_has_its_own_nonce(capfd):
    handler = marked(lambda event, context: None)
    for _ in range(3):
        handler({}, CONTEXT)
    lines = [read(line)["nonce"] for line in capfd.readouterr().out.splitlines()]
    assert len(set(lines)) == 3 and lines[::2] == lines[1::2]


@pytest.mark.parametrize("stream", [None, "closed", "kept"])
def test_a_handler_that_takes_stdout_away_does_not_take_its_end_away(capfd, monkeypatch, stream):
    def handler(event, context):
        replaced = io.StringIO()
        if stream == "closed":
            replaced.close()
        monkeypatch.setattr("sys.stdout", None if stream is None else replaced)

    marked(handler)({}, CONTEXT)
    assert len(capfd.readouterr().out.splitlines()) == 2


def test_its_end_comes_after_what_was_printed(capfd):
    marked(lambda event, context: print("a", end=""))({}, CONTEXT)
    assert re.fullmatch(r"NBCHALICE .*\naNBCHALICE .*\n", capfd.readouterr().out)


def test_it_adds_no_frame_to_a_traceback():
    def handler(event, context):
        raise LookupError

    with pytest.raises(LookupError) as caught:
        marked(handler)({}, CONTEXT)
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][1:] == ["handler"]


def test_nothing_is_printed_without_a_request_id(capfd):
    assert marked(lambda event, context: 1)({}, None) == 1
    assert capfd.readouterr().out == ""


def test_a_marker_that_cannot_be_written_costs_nothing(monkeypatch):
    def refuse(*arguments):
        raise OSError

    monkeypatch.setattr("os.dup", refuse)
    monkeypatch.setattr("sys.stdout", None)
    assert marked(lambda event, context: 1)(sqs("1"), CONTEXT) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Records",
                    "Sns",
                    "s3",
                    "object",
                    "key",
                    "eTag",
                    "attributes",
                    "ApproximateReceiveCount",
                    "messageId",
                    "id",
                    "detail-type",
                    "batchItemFailures",
                    "itemIdentifier",
                ]
            ),
            inner,
        )
    ),
)


@pytest.mark.slow
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(json_values, json_values)
def test_any_event_and_result_will_do(event, result):
    json.dumps(started(event))
    for reads in (asked, not_asked, unknown):
        json.dumps(returned(result, event, reads))
