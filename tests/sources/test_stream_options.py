"""What Lambda has for streams: retries, age, bisecting, reported failures, parallel batches, windows, where to begin."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from nbchalice.errors import NbChaliceError
from nbchalice.resources.base import FunctionRef
from nbchalice.sources import SOURCES
from nbchalice.testing.model import ModelAWS

REF = FunctionRef("shop", "dev", "price", "eu-west-1", "123456789012")
WITH_DLQ = FunctionRef("shop", "dev", "price", "eu-west-1", "123456789012", dlq="arn:aws:sqs:eu-west-1:123456789012:d")
STREAMS = {
    "on_kinesis_record": {"stream": "clicks"},
    "on_dynamodb_record": {"stream_arn": "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2024-01-01T00:00:00.000"},
}  # fmt: skip
BY_DEFAULT = {
    "BisectBatchOnFunctionError": False,
    "FunctionResponseTypes": [],
    "MaximumRetryAttempts": -1,
    "MaximumRecordAgeInSeconds": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
EVERYTHING = {
    "report_failures": True,
    "bisect": True,
    "maximum_retry_attempts": 0,
    "maximum_record_age_in_seconds": 60,
    "parallelization_factor": 10,
    "tumbling_window_in_seconds": 900,
}
ALL_SET = {
    "BisectBatchOnFunctionError": True,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "MaximumRetryAttempts": 0,
    "MaximumRecordAgeInSeconds": 60,
    "ParallelizationFactor": 10,
    "TumblingWindowInSeconds": 900,
}

both = pytest.mark.parametrize("source", STREAMS)


def mapping(source, ref=REF, **options):
    (made,) = SOURCES[source].resources({**STREAMS[source], **options}, ref)
    return made


def set_of(settings):
    return {name: settings[name] for name in BY_DEFAULT}


@both
def test_each_option_is_a_setting_of_the_mapping(source):
    assert set_of(mapping(source).wanted()) == BY_DEFAULT
    assert set_of(mapping(source, **EVERYTHING).wanted()) == ALL_SET


@both
def test_what_is_made_is_what_lambda_knows(source):
    for options in ({}, EVERYTHING):
        aws = ModelAWS()
        mapping(source, **options).write(aws, None)
        mapping(source, **options).write(aws, {"UUID": "0" * 36})
        made, changed = [values for _, name, values in aws.calls if name.endswith("EventSourceMapping")]
        assert set_of(changed) == (ALL_SET if options else BY_DEFAULT)
        assert {name: made[name] for name in BY_DEFAULT if name in made} == (ALL_SET if options else {})


@both
def test_what_stands_is_compared_setting_by_setting(source):
    stands = {**mapping(source, **EVERYTHING).wanted(), "State": "Enabled"}
    assert mapping(source, **EVERYTHING).differences(stands) == []
    assert "MaximumRetryAttempts: 0 -> -1" in mapping(source).differences(stands)
    assert "MaximumRetryAttempts: -1 -> 0" in mapping(source, **EVERYTHING).differences({"State": "Enabled"})
    assert len(mapping(source, **EVERYTHING).differences({"BatchSize": 100, "State": "Enabled"})) == len(BY_DEFAULT)


@both
def test_a_dead_letter_queue_gets_what_fails_before_it_expires(source):
    retries = "MaximumRetryAttempts"
    assert mapping(source, WITH_DLQ).wanted()[retries] == 4
    assert mapping(source, WITH_DLQ, maximum_retry_attempts=0).wanted()[retries] == 0
    assert mapping(source, WITH_DLQ, maximum_retry_attempts=-1).wanted()[retries] == -1
    assert mapping(source, WITH_DLQ, maximum_record_age_in_seconds=60).wanted()[retries] == -1


@both
@pytest.mark.parametrize(
    ("options", "dlq", "note"),
    [
        ({}, None, "is tried again until it succeeds or expires, and holds up its shard meanwhile"),
        ({}, "dead", "is given up after 5 tries: queue dead is told of it"),
        ({"maximum_retry_attempts": 0}, "dead", "is given up after 1 try: queue dead is told of it"),
        ({"maximum_retry_attempts": 2}, None, "is given up after 3 tries: it is dropped, and nobody is told"),
        ({"maximum_record_age_in_seconds": 60}, "dead", "is given up when it is 60 s old: queue dead"),
        ({"maximum_retry_attempts": -1}, "dead", "queue dead is told of a batch that fails when its records expire"),
        ({"per_record": True}, "dead", "all behind it in the batch; with --bisect that record alone"),
        ({"parallelization_factor": 2}, None, "the local AWS does without --parallelization-factor"),
        ({"tumbling_window_in_seconds": 9}, None, "the local AWS does without --tumbling-window-in-seconds"),
    ],
)
def test_what_becomes_of_a_batch_that_fails_is_said(source, options, dlq, note):
    notes = SOURCES[source].notes({**STREAMS[source], **options}, {"dlq": dlq} if dlq else {})
    assert any(note in text for text in notes), notes


@both
@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"maximum_retry_attempts": -2}, "--maximum-retry-attempts is -1 to 10000, not -2"),
        ({"maximum_retry_attempts": 10_001}, "--maximum-retry-attempts is -1 to 10000"),
        ({"maximum_record_age_in_seconds": 0}, "--maximum-record-age-in-seconds is -1 or 60 to 604800, not 0"),
        ({"maximum_record_age_in_seconds": 59}, "--maximum-record-age-in-seconds is -1 or 60 to 604800, not 59"),
        ({"maximum_record_age_in_seconds": 604_801}, "--maximum-record-age-in-seconds is -1 to 604800"),
        ({"parallelization_factor": 0}, "--parallelization-factor is 1 to 10, not 0"),
        ({"parallelization_factor": 11}, "--parallelization-factor is 1 to 10, not 11"),
        ({"tumbling_window_in_seconds": 901}, "--tumbling-window-in-seconds is 0 to 900"),
        ({"bisect": "yes"}, "--bisect wants true or false"),
        ({"maximum_retry_attempts": "3"}, "--maximum-retry-attempts wants a whole number"),
        ({"starting_position": "AT_TIMESTAMP"}, "AT_TIMESTAMP"),
        ({"starting_position_timestamp": "2024-01-01"}, "starting"),
    ],
)
def test_what_lambda_would_refuse_is_told_before(source, options, problem):
    problems = SOURCES[source].problems({**STREAMS[source], **options})
    assert any(problem in text for text in problems), problems


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"starting_position_timestamp": "2024-01-01"}, "needs --starting-position AT_TIMESTAMP"),
        ({"starting_position": "AT_TIMESTAMP"}, "needs --starting-position-timestamp TIME"),
        ({"starting_position": "AT_TIMESTAMP", "starting_position_timestamp": "noon"}, "'noon' is no time"),
        ({"starting_position": "AT_TIMESTAMP", "starting_position_timestamp": "2999-01-01"}, "is in the future"),
    ],
)
def test_a_time_to_begin_at_is_checked(options, problem):
    (told,) = SOURCES["on_kinesis_record"].problems({"stream": "clicks", **options})
    assert problem in told


def test_a_time_to_begin_at_cannot_be_changed():
    at = {"starting_position": "AT_TIMESTAMP", "starting_position_timestamp": "2024-01-31T09:00"}
    assert SOURCES["on_kinesis_record"].problems({"stream": "clicks", **at}) == []
    made, aws = mapping("on_kinesis_record", **at), ModelAWS()
    made.write(aws, None)
    values = next(values for _, name, values in aws.calls if name == "CreateEventSourceMapping")
    assert values["StartingPositionTimestamp"] == datetime(2024, 1, 31, 9, tzinfo=UTC)
    stands = {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": datetime(2024, 1, 31, 9, tzinfo=UTC)}
    assert made.conflicts(stands) == []
    later = {**stands, "StartingPositionTimestamp": datetime(2024, 1, 31, 10, tzinfo=UTC)}
    (told,) = made.conflicts(later)
    assert "starts at 2024-01-31T10:00:00+00:00 and cannot be changed to 2024-01-31T09:00:00+00:00" in told
    (told,) = mapping("on_kinesis_record").conflicts(stands)
    assert "cannot be changed to LATEST" in told
    remove = "aws lambda delete-event-source-mapping --uuid 5f3a-1"
    assert made.conflict_fix({**later, "UUID": "5f3a-1"}).endswith(remove)


def test_a_deploy_sets_and_clears_them(deployed, name):
    trigger = (
        f"@app.on_kinesis_record('{name}', report_failures=True, bisect=True, maximum_retry_attempts=0, dlq='{name}-d')"
    )
    one = deployed(trigger, "pass")

    def stands():
        return one.aws.client("lambda").list_event_source_mappings(FunctionName=one.ref.name)["EventSourceMappings"][0]

    assert stands()["MaximumRetryAttempts"] == 0 and stands()["BisectBatchOnFunctionError"] is True
    assert one.changes() == []
    one.change(f"@app.on_kinesis_record('{name}', maximum_retry_attempts=3)")
    assert ("update", "event source mapping") in one.changes()
    one.deploy()
    assert (stands()["MaximumRetryAttempts"], stands()["BisectBatchOnFunctionError"]) == (3, False)
    assert stands()["FunctionResponseTypes"] == [] and one.changes() == []


def test_what_is_refused_changes_nothing(deployed, name):
    one = deployed(f"@app.on_kinesis_record('{name}')", "pass")
    before = len(one.aws.writes)
    one.change(f"@app.on_kinesis_record('{name}', maximum_record_age_in_seconds=10)")
    with pytest.raises(NbChaliceError, match="maximum_record_age_in_seconds is -1 or 60 to 604800, not 10"):
        one.deploy()
    assert len(one.aws.writes) == before


def test_the_magic_takes_them():
    from nbchalice.handlers.line import read_values

    line = "clicks --bisect --report-failures --maximum-retry-attempts -1 --maximum-record-age-in-seconds 60 --parallelization-factor 2"
    values = read_values(SOURCES["on_kinesis_record"], line, ())
    assert values["maximum_retry_attempts"] == -1 and values["bisect"] is True and values["parallelization_factor"] == 2
    soon = (datetime.now(UTC) - timedelta(days=1)).isoformat(timespec="minutes")
    line = f"clicks --starting-position AT_TIMESTAMP --starting-position-timestamp {soon}"
    values = read_values(SOURCES["on_kinesis_record"], line, ())
    assert SOURCES["on_kinesis_record"].problems(json.loads(json.dumps(values))) == []
