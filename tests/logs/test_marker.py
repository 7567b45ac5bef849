"""The line that links an invocation with what it handles."""

import json
import traceback
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbchalice.runtime.marker import MOST_IDS, PREFIX, ended, failed_of, ids_of, marked, started

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
            ["R", "a b/ä@e"],
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


def test_sqs_tells_the_attempt_others_do_not():
    assert read(started(sqs("1", "3", "2"), "r"))["attempt"] == 3
    assert "attempt" not in read(started({"id": "e", "detail-type": "x"}, "r"))


def test_no_message_text_in_it():
    assert "secret" not in started(sqs("1"), "r")


def test_it_is_bounded_with_a_count():
    content = read(started(sqs(*["1"] * 250), "r"))
    assert len(content["ids"]) == MOST_IDS and content["more"] == 250 - MOST_IDS
    assert len(started({"Records": [{"messageId": "x" * 100_000}]}, "r")) < 2000


def test_the_end_is_told_only_where_records_failed():
    assert ended(None, "r") is None and ended({"batchItemFailures": []}, "r") is None
    assert read(ended({"batchItemFailures": [{"itemIdentifier": "m1"}]}, "r")) == {"request_id": "r", "failed": ["m1"]}


def test_a_marked_handler_prints_and_returns(capsys):
    answer = {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert marked(lambda event, context: answer)(sqs("2"), CONTEXT) is answer
    first, last = capsys.readouterr().out.splitlines()
    assert read(first) == {"request_id": "r-1", "ids": ["m0"], "attempt": 2}
    assert read(last) == {"request_id": "r-1", "failed": ["m0"]}


def test_it_adds_no_frame_to_a_traceback():
    def handler(event, context):
        raise LookupError

    with pytest.raises(LookupError) as caught:
        marked(handler)({}, CONTEXT)
    assert [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][1:] == ["handler"]


def test_nothing_is_printed_without_a_request_id(capsys):
    assert marked(lambda event, context: 1)({}, None) == 1
    assert capsys.readouterr().out == ""


def test_a_marker_that_cannot_be_written_costs_nothing(monkeypatch):
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


@given(json_values)
def test_any_event_and_result_will_do(value):
    read(started(value, "r"))
    assert all(isinstance(text, str) for text in failed_of(value))
    ended(value, "r")
