"""Objects and notifications of buckets that S3 refuses, and MiniStack takes; checksums, which it does not answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from ministack.core import iam_evaluator
from ministack.services import lambda_svc, s3

from .checks import Record, Wrong, put_before

LONGEST_KEY = 1024  # bytes
MOST_METADATA = 2048  # bytes
METADATA = "x-amz-meta-"
INVALID = "InvalidArgument"
NOT_VALIDATED = Wrong(INVALID, "Unable to validate the following destination configurations")
NO_PERMISSION = "Not authorized to invoke function"
OVERLAP = Wrong(INVALID, "Configurations overlap. Configurations on the same bucket cannot share a common event type.")
SAME_ID = Wrong(INVALID, "Configuration id should be unique.")
# S3: "Supported event types for SQS, SNS, and Lambda"
EVENTS = frozenset(
    f"s3:{name}"
    for name in (
        "TestEvent", "ObjectCreated:*", "ObjectCreated:Put", "ObjectCreated:Post", "ObjectCreated:Copy",
        "ObjectCreated:CompleteMultipartUpload", "ObjectRemoved:*", "ObjectRemoved:Delete",
        "ObjectRemoved:DeleteMarkerCreated", "ObjectRestore:*", "ObjectRestore:Post", "ObjectRestore:Completed",
        "ObjectRestore:Delete", "ReducedRedundancyLostObject", "Replication:*",
        "Replication:OperationFailedReplication", "Replication:OperationMissedThreshold",
        "Replication:OperationReplicatedAfterThreshold", "Replication:OperationNotTracked",
        "LifecycleExpiration:*", "LifecycleExpiration:Delete", "LifecycleExpiration:DeleteMarkerCreated",
        "LifecycleTransition", "IntelligentTiering", "ObjectTagging:*", "ObjectTagging:Put", "ObjectTagging:Delete",
        "ObjectAcl:Put",
    )
)  # fmt: skip
stock_put_object = s3._put_object


def apply_object_requests() -> None:
    """Put the changed parts in place."""
    s3._put_object = put_object
    put_before(s3, "_put_object", against_object, refused)
    put_before(s3, "_put_bucket_notification", against_notifications, refused)


def refused(wrong: Wrong) -> Any:
    """Answer as S3 does."""
    return s3._error(wrong.code, wrong.message, wrong.status, extra=dict(wrong.more))


def against_object(bucket: str, key: str, body: bytes, headers: Record) -> Wrong | None:
    """Return what S3 says against the name or the metadata of an object, or None."""
    size = len(key.encode())
    if size > LONGEST_KEY:
        more = (("Size", str(size)), ("MaxSizeAllowed", str(LONGEST_KEY)))
        return Wrong("KeyTooLongError", "Your key is too long", more=more)
    size = 0
    for name, value in headers.items():
        size += len(name) - len(METADATA) + len(value) if name.startswith(METADATA) else 0
    if size > MOST_METADATA:
        more = (("Size", str(size)), ("MaxSizeAllowed", str(MOST_METADATA)))
        return Wrong("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", more=more)
    return None


def put_object(bucket: str, key: str, body: bytes, headers: Record) -> Any:
    """Answer with the checksums of what was written; CRC-64/NVME where none was given (``_put_object``)."""
    status, answered, content = stock_put_object(bucket, key, body, headers)
    written = s3._buckets[bucket]["objects"].get(key) if status == 200 else None
    if written is None:
        return status, answered, content
    checksums = written["checksums"]
    if not checksums and (computed := s3._compute_s3_checksum("CRC64NVME", body)):
        checksums = written["checksums"] = {"crc64nvme": computed}
    told = {f"x-amz-checksum-{name}": value for name, value in checksums.items()}
    return status, {**answered, **told, "x-amz-checksum-type": "FULL_OBJECT"}, content


def against_notifications(bucket: str, body: bytes, headers: Record | None = None) -> Wrong | None:
    """Return what S3 says against a bucket's notifications, or None."""
    try:
        root = s3.fromstring(body.decode("utf-8", errors="replace"))
    except ParseError:
        return None
    if wrong := next(against_filters(root), None):
        return wrong
    configurations = s3._parse_notification_config_raw(body.decode("utf-8", errors="replace"))
    if wrong := against_configurations(configurations):
        return wrong
    if (headers or {}).get("x-amz-skip-destination-validation", "").lower() == "true":
        return None
    for one in configurations:
        if not is_reachable(one, bucket):
            return replace(NOT_VALIDATED, more=(("ArgumentName1", one["arn"]), ("ArgumentValue1", NO_PERMISSION)))
    return None


def against_configurations(configurations: list[Record]) -> Wrong | None:
    """Return what S3 says against the events of a bucket's notifications, or None."""
    for event in itertools.chain.from_iterable(one["events"] for one in configurations):
        if event not in EVENTS:
            more = (("ArgumentName", "Event"), ("ArgumentValue", event))
            return Wrong(INVALID, "The event is not supported for notifications", more=more)
    ids = [one["id"] for one in configurations]
    if len({*ids}) < len(ids):
        return SAME_ID
    pairs = itertools.combinations(configurations, 2)
    return OVERLAP if any(overlap(one, other) for one, other in pairs) else None


def named(root: Element, name: str) -> Iterator[Element]:
    """Yield the elements of a name, with S3's namespace or without."""
    for element in root.iter():
        if element.tag.rpartition("}")[2] == name:
            yield element


def against_filters(root: Element) -> Iterator[Wrong]:
    """Yield what S3 says against the filters for names of objects."""
    for rules in named(root, "S3Key"):
        names = [(name.text or "").strip().lower() for name in named(rules, "Name")]
        for name in ("prefix", "suffix"):
            if names.count(name) > 1:
                yield Wrong(INVALID, f"Cannot specify more than one {name} rule in a filter.")
        if {*names} - {"prefix", "suffix"}:
            yield Wrong(INVALID, "filter rule name must be either prefix or suffix")


def overlap(one: Record, other: Record) -> bool:
    """Whether an object could be told by two notifications."""
    events = any(
        s3._event_matches(event, other["events"]) or s3._event_matches(another, one["events"])
        for event, another in itertools.product(one["events"], other["events"])
    )
    begin, begin2 = one["filter_prefix"] or "", other["filter_prefix"] or ""
    end, end2 = one["filter_suffix"] or "", other["filter_suffix"] or ""
    begins = begin.startswith(begin2) or begin2.startswith(begin)
    return events and begins and (end.endswith(end2) or end2.endswith(end))


def is_reachable(configuration: Record, bucket: str) -> bool:
    """Whether a function is there and lets S3 invoke it; and whether a queue is none that S3 cannot use."""
    arn = configuration["arn"]
    if configuration["type"] != "lambda":
        return not arn.endswith(".fifo")
    parts = arn.split(":")
    function = lambda_svc._functions.get_scoped(parts[4], parts[3], parts[6])
    if function is None:
        return False
    by_bucket = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="lambda:InvokeFunction",
        resource_arn=arn,
        region=parts[3],
        service_context={
            "aws:sourcearn": f"arn:aws:s3:::{bucket}",
            "aws:sourceaccount": s3._bucket_owner_account(bucket),
        },
    )
    decided = iam_evaluator.evaluate_resource_policy(function["policy"], by_bucket, service="s3.amazonaws.com")
    return bool(decided.decision == "Allow")
