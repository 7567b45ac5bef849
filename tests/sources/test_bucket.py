"""Buckets on the local AWS: filters, foreign entries, overlaps."""

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.resources.base import FunctionRef
from nbchalice.resources.bucket import Notification, overlaps
from nbchalice.sources import SOURCES
from nbchalice.sources.s3 import ALL_EVENTS, content_of, notification_entry

REF = FunctionRef("shop", "dev", "price", "us-east-1", "123456789012")


def entry(**options):
    return notification_entry({"bucket": "b", **options})


OVERLAPS = [
    ({}, {}, True),
    ({"prefix": "a/"}, {"prefix": "b/"}, False),
    ({"prefix": "a/"}, {"prefix": "a/b/"}, True),
    ({"prefix": "a/"}, {"suffix": ".csv"}, True),
    ({"suffix": ".csv"}, {"suffix": ".tsv"}, False),
    ({"suffix": ".gz"}, {"suffix": ".csv.gz"}, True),
    ({"prefix": "a", "suffix": ".csv"}, {"prefix": "a", "suffix": ".tsv"}, False),
    ({"events": ["s3:ObjectCreated:Put"]}, {"events": ["s3:ObjectCreated:*"]}, True),
    ({"events": ["s3:ObjectCreated:Put"]}, {"events": ["s3:ObjectCreated:Post"]}, False),
    ({"events": ["s3:ObjectRemoved:*"]}, {"events": ["s3:ObjectCreated:*"]}, False),
]


@pytest.mark.parametrize(("one", "other", "expected"), OVERLAPS)
def test_overlaps(one, other, expected):
    assert overlaps(entry(**one), entry(**other)) is expected
    assert overlaps(entry(**other), entry(**one)) is expected


def test_ids_differ_and_are_short_whatever_the_filter_is():
    variants = [("s3:ObjectCreated:*",), ("s3:ObjectRemoved:*",)]
    ids = {
        Notification(REF, events, prefix, suffix).entry()["Id"]
        for events in variants
        for prefix in ("", "a" * 900)
        for suffix in ("", ".csv")
    }
    assert len(ids) == 8 and all(len(text) <= 255 for text in ids)


def test_every_event_type_is_one_that_botocore_knows():
    import botocore.session

    known = set(botocore.session.get_session().get_service_model("s3").shape_for("Event").enum)
    assert known <= set(ALL_EVENTS)


def configuration(one, bucket):
    answer = one.aws.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return {key: value for key, value in answer.items() if key.endswith("Configurations")}


def test_prefix_suffix_and_events_reach_s3_and_change(deployed, name):
    one = deployed(f"@app.on_s3_event('{name}', prefix='in/', suffix='.csv')", "print(event.bucket, event.key)")
    result = one.send(message="a;b")
    assert result.ok and result.invocation.records[0].message == f"{name} in/hello.csv"
    assert one.changes() == []
    one.change(f"@app.on_s3_event('{name}', events=['s3:ObjectRemoved:*'])", "print(event.key)").deploy()
    (entry,) = configuration(one, name)["LambdaFunctionConfigurations"]
    assert entry["Events"] == ["s3:ObjectRemoved:*"] and not entry.get("Filter", {}).get("Key", {}).get("FilterRules")


def test_two_entries_of_one_function(deployed, name):
    one = deployed(
        f"@app.on_s3_event('{name}', prefix='a/')\n@app.on_s3_event('{name}', prefix='b/')", "print(event.key)"
    )
    assert len(configuration(one, name)["LambdaFunctionConfigurations"]) == 2
    assert one.send(key="a/1").ok and one.send(key="b/1").ok
    assert one.changes() == []


def test_an_overlap_with_a_foreign_entry_is_found_before_anything_changes_and_names_both(
    deployable, connection, no_writes, name
):
    s3, sqs = connection.client("s3"), connection.client("sqs")
    s3.create_bucket(Bucket=name)
    arn = f"arn:aws:sqs:{connection.region}:{connection.account}:{name}"
    sqs.create_queue(QueueName=name)
    foreign = {"QueueConfigurations": [{"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=foreign)
    one = deployable(f"@app.on_s3_event('{name}', prefix='in/')")
    before = configuration(one, name)
    with no_writes(), pytest.raises(Exception) as caught:
        one.deploy()
    text = str(caught.value)
    assert f"on bucket {name}: s3:ObjectCreated:* prefix 'in/' overlaps with s3:ObjectCreated:* of queue {name}" in text
    assert "narrow --prefix, --suffix or --events" in text
    assert configuration(one, name) == before


def test_what_aws_would_say_of_a_bucket_is_told_before(real, connection, name):
    source = SOURCES["on_s3_event"]
    ref = FunctionRef("shop", "dev", "price", real.region, real.account)
    missing = source.preflight(real, {"bucket": name}, ref).problems[0]
    assert (missing.message, missing.hint) == (
        f"bucket {name} does not exist",
        f"aws s3 mb s3://{name} --region {real.region}",
    )
    connection.client("s3").create_bucket(Bucket=name)
    assert source.preflight(real, {"bucket": name}, ref).problems == []


def test_a_file_and_a_message_are_two_contents(tmp_path):
    """The message was left out without a word, and stood in the list of events as what was sent."""
    file = tmp_path / "a.csv"
    file.write_text("a,b")
    assert content_of({"file": str(file)}) == b"a,b"
    with pytest.raises(InvalidInputError, match="--file and --message are two contents of one object"):
        content_of({"file": str(file), "message": "hi"})
