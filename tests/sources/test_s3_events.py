"""Events of S3 through EventBridge: the bucket's configuration, the rule's pattern, and what the handler gets."""

import json

import pytest

from nbchalice.patterns import EVENT_PATTERN, Pattern
from nbchalice.resources.base import FunctionRef
from nbchalice.runtime.event_kinds import ids_of
from nbchalice.runtime.s3 import S3Event
from nbchalice.sources import SOURCES
from nbchalice.sources.s3 import ALL_EVENTS
from nbchalice.sources.s3_events import MEANS, pattern_of

SOURCE = SOURCES["on_s3_event"]
REF = FunctionRef("app", "dev", "price", "eu-west-1", "123456789012")
# S3, "EventBridge event message structure": what happened, and how it is told.
HAPPENED = {
    "put": ("Object Created", {"reason": "PutObject"}),
    "post": ("Object Created", {"reason": "POST Object"}),
    "copy": ("Object Created", {"reason": "CopyObject"}),
    "parts": ("Object Created", {"reason": "CompleteMultipartUpload"}),
    "deleted": ("Object Deleted", {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"}),
    "marked": ("Object Deleted", {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"}),
    "expired": ("Object Deleted", {"reason": "Lifecycle Expiration", "deletion-type": "Permanently Deleted"}),
    "restored": ("Object Restore Completed", {}),
    "tagged": ("Object Tags Added", {}),
}
NAMES = {
    "put": "ObjectCreated:Put", "post": "ObjectCreated:Post", "copy": "ObjectCreated:Copy",
    "parts": "ObjectCreated:CompleteMultipartUpload", "deleted": "ObjectRemoved:Delete",
    "marked": "ObjectRemoved:DeleteMarkerCreated", "expired": "LifecycleExpiration:Delete",
    "restored": "Object Restore Completed", "tagged": "Object Tags Added",
}  # fmt: skip


def event(what, key="in/a b.csv", bucket="uploads", size=5):
    kind, more = HAPPENED[what]
    stored = {"key": key, "sequencer": "1", **({} if "Deleted" in kind else {"size": size, "etag": "abc"})}
    detail = {"version": "0", "bucket": {"name": bucket}, "object": stored, "request-id": "R", **more}
    return {
        "version": "0", "id": "e-1", "detail-type": kind, "source": "aws.s3", "account": "1", "resources": [],
        "time": "2026-01-31T09:00:00Z", "region": "eu-west-1", "detail": detail,
    }  # fmt: skip


def options(**more):
    filled = {option.name: option.default for option in SOURCE.all_options()}
    return {**filled, "bucket": "uploads", "via": "eventbridge", **more}


def passing(**more):
    """What of what happens passes the rule's pattern."""
    made = options(**more)
    pattern = Pattern.of(pattern_of(made, made["events"] or ["s3:ObjectCreated:*"]), EVENT_PATTERN)
    return {what for what in HAPPENED if pattern.matches(event(what))}


@pytest.mark.parametrize(
    ("events", "passes"),
    [
        (None, {"put", "post", "copy", "parts"}),
        (["s3:ObjectCreated:Put"], {"put"}),
        (["s3:ObjectCreated:Put", "s3:ObjectCreated:Copy"], {"put", "copy"}),
        (["s3:ObjectRemoved:*"], {"deleted", "marked"}),
        (["s3:ObjectRemoved:Delete"], {"deleted"}),
        (["s3:LifecycleExpiration:*"], {"expired"}),
        (["s3:ObjectCreated:*", "s3:ObjectRemoved:DeleteMarkerCreated"], {"put", "post", "copy", "parts", "marked"}),
        (["s3:ObjectRestore:*", "s3:ObjectTagging:*"], {"restored", "tagged"}),
        (["s3:ObjectRestore:Post"], set()),
    ],
)
def test_the_rule_takes_what_the_event_types_say(events, passes):
    assert passing(events=events) == passes


@pytest.mark.parametrize(
    ("more", "key", "passes"),
    [
        ({"prefix": "in/"}, "in/a", True),
        ({"prefix": "in/"}, "out/in/a", False),
        ({"suffix": ".csv"}, "a.csv", True),
        ({"suffix": ".csv"}, "a.csv.gz", False),
        ({"prefix": "in/", "suffix": ".csv"}, "in/x/y.csv", True),
        ({"prefix": "in/", "suffix": ".csv"}, "in/x/y.txt", False),
        ({"prefix": "in/", "suffix": ".csv"}, "x/in/y.csv", False),
        # Letters that mean something in a wildcard stand for themselves.
        ({"prefix": "a*", "suffix": "\\z"}, "a*b\\z", True),
        ({"prefix": "a*", "suffix": "\\z"}, "axb\\z", False),
        ({"prefix": "ä b+"}, "ä b+c", True),
    ],
)
def test_keys_are_filtered_as_s3_does_it(more, key, passes):
    pattern = Pattern.of(pattern_of(options(**more), ["s3:ObjectCreated:*"]), EVENT_PATTERN)
    assert pattern.matches(event("put", key)) is passes
    verdict = SOURCE.verdict("price", options(**more), {"key": key}, REF)
    assert verdict.passes is passes


@pytest.mark.parametrize(
    ("more", "size", "passes"),
    [
        ({"min_size": 5}, 5, True), ({"min_size": 6}, 5, False), ({"max_size": 5}, 5, True), ({"max_size": 4}, 5, False),
        ({"min_size": 0, "max_size": 0}, 0, True), ({"min_size": 1, "max_size": 10, "prefix": "in/"}, 5, True),
    ],
)  # fmt: skip
def test_sizes_are_filtered(more, size, passes):
    pattern = Pattern.of(pattern_of(options(**more), ["s3:ObjectCreated:*"]), EVENT_PATTERN)
    assert pattern.matches(event("put", size=size)) is passes
    values = {"key": "in/x", "message": "x" * size}
    assert SOURCE.verdict("price", options(**more), values, REF).passes is passes


def test_other_buckets_do_not_pass():
    pattern = Pattern.of(pattern_of(options(), ["s3:ObjectCreated:*"]), EVENT_PATTERN)
    assert not pattern.matches(event("put", bucket="other"))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"via": None, "min_size": 1}, "--min-size needs --via eventbridge"),
        ({"via": "s3", "max_size": 1}, "--max-size needs --via eventbridge"),
        ({"via": "sqs"}, "--via is one of s3, eventbridge"),
        ({"min_size": 2, "max_size": 1}, "--min-size 2 is more than --max-size 1"),
        ({"events": ["s3:ObjectRemoved:*"], "min_size": 1}, "other events do not tell a size"),
        ({"events": ["s3:Replication:*"]}, "EventBridge gets no event like s3:Replication:*"),
    ],
)
def test_what_cannot_be_is_refused(more, words):
    (text,) = SOURCE.problems(options(**more))
    assert words in text


def test_every_event_type_is_known_or_refused():
    for name in ALL_EVENTS:
        assert (SOURCE.problems(options(events=[name])) == []) is (name in MEANS)
    assert set(MEANS) <= set(ALL_EVENTS)


def test_triggers_through_eventbridge_do_not_overlap():
    one, other = options(), options(via=None)
    assert SOURCE.clash(one, one, same_function=False) is SOURCE.clash(one, other, same_function=False) is None
    assert SOURCE.clash(other, other, same_function=False)


@pytest.mark.parametrize("what", HAPPENED)
def test_the_handler_reads_the_event_as_ever(what):
    raw = event(what)
    made = S3Event(raw, None)
    (record,) = made
    assert (made.bucket, made.key, made.event_name) == ("uploads", "in/a b.csv", NAMES[what])
    assert (record.size, record.etag) == ((None, None) if "Deleted" in raw["detail-type"] else (5, "abc"))
    assert record.event_time == "2026-01-31T09:00:00Z" and record.version_id is None
    assert made.to_dict() == raw and not made.is_test and len(made) == 1
    assert ids_of(raw) == [raw["detail"]["request-id"]]


def notifications(one, bucket):
    found = one.aws.client("s3").get_bucket_notification_configuration(Bucket=bucket)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


@pytest.fixture
def noted(connection, name):
    """A bucket that tells a queue of somebody else's of removed objects."""
    queue = connection.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = connection.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    connection.client("s3").create_bucket(Bucket=name)
    entry = {"Id": "q", "QueueArn": arn, "Events": ["s3:ObjectRemoved:*"]}
    connection.client("s3").put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"QueueConfigurations": [entry]}
    )
    return name, {"QueueConfigurations": [entry]}


def test_an_object_comes_through_eventbridge_and_other_notifications_stay(deployed, noted):
    bucket, before = noted
    text = f"@app.on_s3_event('{bucket}', via='eventbridge', prefix='in/', suffix='.csv', min_size=3)"
    one = deployed(text, "print(event.key, event.size, event.event_name, sorted(event.to_dict())[0])")
    assert notifications(one, bucket) == {**before, "EventBridgeConfiguration": {}}
    assert one.plan().changes == ()
    sent = one.send(key="in/a b+ä.csv", message="12345")
    assert [record.message for record in sent.invocation.records] == ["in/a b+ä.csv 5 ObjectCreated:Put account"]
    assert one.send(key="in/small.csv", message="12").status == "dropped"
    # Turned off by hand, it is turned on again.
    one.aws.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=before)
    assert one.changes() == [("update", "bucket events")]
    one.change(text.replace(", min_size=3", ""))
    assert ("update", "rule") in one.changes()
    one.delete()
    assert notifications(one, bucket) == {**before, "EventBridgeConfiguration": {}}
    rules = one.aws.client("events").list_rules(NamePrefix=f"{one.name}-dev-")["Rules"]
    assert rules == []


def test_the_way_can_be_changed_and_changed_back(deployed, name):
    one = deployed(f"@app.on_s3_event('{name}')")
    one.change(f"@app.on_s3_event('{name}', via='eventbridge')")
    assert {("delete", "bucket notification"), ("create", "rule"), ("update", "bucket events")} <= set(one.changes())
    assert notifications(one, name) == {"EventBridgeConfiguration": {}}
    one.change(f"@app.on_s3_event('{name}')")
    assert {("create", "permission"), ("update", "bucket notification"), ("delete", "rule")} <= set(one.changes())
    assert one.plan().changes == ()


def test_two_handlers_may_want_the_same_objects_and_rules_are_numbered(deployed, name):
    text = f"@app.on_s3_event('{name}', via='eventbridge')\n@app.schedule('rate(1 hour)')"
    one = deployed(text)
    rules = one.aws.client("events").list_rules(NamePrefix=f"{one.name}-dev-")["Rules"]
    patterns = [json.loads(rule["EventPattern"])["source"] for rule in rules if rule.get("EventPattern")]
    assert sorted(rule["Name"] for rule in rules) == [f"{one.ref.name}-event", f"{one.ref.name}-event-2"]
    assert patterns == [["aws.s3"]]
    assert one.plan().changes == ()
