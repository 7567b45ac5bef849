"""Records of streams: Lambda tries a batch again from the first record that failed, and no record is skipped."""

import json

import pytest

from nbchalice import DynamoDBRecord, KinesisRecord
from nbchalice.runtime.invocation_lines import returned

KINDS = {
    "kinesis": lambda app, **options: app.on_kinesis_record("clicks", **options),
    "dynamodb": lambda app, **options: app.on_dynamodb_record("arn:aws:dynamodb:us-east-1:1:table/t/stream/s", **options),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def batch(event, kind):
    """``batch("good", "bad", ...)``: a batch of AWS's own records with these event ids and sequence numbers."""

    def made(*names):
        record = event(kind)["Records"][0]
        inner, number = ("kinesis", "sequenceNumber") if kind == "kinesis" else ("dynamodb", "SequenceNumber")
        records = []
        for place, name in enumerate(names):
            copied = json.loads(json.dumps(record))
            copied["eventID"] = f"{place}-{name}"
            copied[inner][number] = f"n{place}"
            records.append(copied)
        return {"Records": records}

    return made


@pytest.fixture
def handler(app, kind):
    """``handler(function, **options)`` registers a function for the stream."""
    return lambda function, **options: KINDS[kind](app, **options)(function)


def name_of(record):
    return record.to_dict()["eventID"].partition("-")[2]


def failures(place):
    return {"batchItemFailures": [{"itemIdentifier": f"n{place}"}] if place is not None else []}


@pytest.mark.parametrize(
    ("names", "failed", "handled"),
    [
        (["a", "b"], None, ["a", "b"]),
        (["a", "bad", "c"], 1, ["a", "bad"]),
        (["a", "b", "bad"], 2, ["a", "b", "bad"]),
        (["a", "bad", "bad"], 1, ["a", "bad"]),
    ],
)
def test_per_record_stops_at_the_first_that_fails(handler, batch, names, failed, handled, capsys):
    calls = []

    def price(record):
        calls.append(name_of(record))
        assert name_of(record) != "bad"

    made = handler(price, per_record=True)
    assert (made(batch(*names), None), calls) == (failures(failed), handled)
    told = f"record {failed}-bad failed" if failed is not None else ""
    assert told in capsys.readouterr().out


def test_where_the_first_of_all_fails_the_call_fails(handler, batch, capsys):
    """So that Lambda halves the batch with --bisect, gives up no record but it, and counts an error."""

    def price(record):
        raise ValueError(name_of(record))

    with pytest.raises(ValueError, match="bad"):
        handler(price, per_record=True)(batch("bad", "b"), None)
    assert capsys.readouterr().out == ""


def test_the_function_is_given_the_record_and_what_it_answers_counts(handler, batch, kind):
    seen = []

    def price(record):
        seen.append(type(record))
        return {"batchItemFailures": [{"itemIdentifier": record.sequence_number}] if name_of(record) == "bad" else []}

    assert handler(price, per_record=True)(batch("a", "bad", "c"), None) == failures(1)
    assert seen == [KinesisRecord if kind == "kinesis" else DynamoDBRecord] * 2


@pytest.mark.parametrize(
    ("done", "failed"),
    [([0], 1), ([0, 1], 2), ([1, 2], "all"), ([0, 2], 1), ([], "all"), ([0, 1, 2, 3], None)],
    ids=str,
)
def test_after_an_exception_a_batch_is_tried_from_the_first_that_was_not_called_done(handler, batch, done, failed):
    def load(event):
        for place, record in enumerate(event):
            if place in done:
                record.done()
        raise ValueError("later")

    made = handler(load, report_failures=True)
    if failed == "all":
        with pytest.raises(ValueError, match="later"):
            made(batch(*"abcd"), None)
    else:
        answer = made(batch(*"abcd"), None)
        assert answer["batchItemFailures"][:1] == failures(failed)["batchItemFailures"]


def test_nothing_is_inferred(handler, batch):
    def collect(event):
        rows = []
        for record in event:
            rows.append(record.to_dict())
            assert name_of(record) != "bad"

    with pytest.raises(AssertionError):
        handler(collect, report_failures=True)(batch("a", "bad", "c"), None)


def test_an_answer_is_passed_on_and_any_other_means_that_all_is_done(handler, batch):
    made = handler(lambda event: failures(1), report_failures=True)
    assert made(batch("a", "b"), None) == failures(1)
    assert handler(lambda event: "done", report_failures=True)(batch("a", "b"), None) == failures(None)


def test_done_without_the_option_is_said_to_count_for_nothing(handler, batch, capsys):
    def load(event):
        for record in event:
            record.done()
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        handler(load)(batch("a", "b"), None)
    assert "record.done() needs report_failures: the whole batch comes back" in capsys.readouterr().out


def test_what_stands_behind_the_first_failed_is_not_told_as_done(handler, batch):
    """It comes back with it, whatever the function did with it."""
    made = handler(lambda event: None, report_failures=True)
    raw = batch("a", "bad", "c", "d")
    told = returned(
        {"batchItemFailures": [{"itemIdentifier": "n2"}, {"itemIdentifier": "n1"}]}, raw, made.reads_failures
    )
    assert told["failed"] == ["1-bad", "2-c", "3-d"]
    unread = handler(lambda event: None)
    assert returned(failures(1), raw, unread.reads_failures)["ignored"] == ["1-bad"]
