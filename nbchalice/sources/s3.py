"""Amazon S3: a function handles what happens in a bucket."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from nbchalice.errors import InvalidInputError
from nbchalice.resources.base import AWS, FunctionRef, Preflight, Problem, Resource, status_code
from nbchalice.resources.bucket import (
    PRINCIPAL,
    Bucket,
    BucketEvents,
    BucketNotifications,
    Notification,
    brief,
    overlaps,
    rules_of,
)
from nbchalice.resources.grants import ALL_PERMISSIONS, Grant
from nbchalice.resources.permission import Permission, principal_of, source_arn_of
from nbchalice.resources.rule import Rule, attached_rules, name_problems, rule_of
from nbchalice.sources.base import Cause, Field, Note, Sent, Source
from nbchalice.sources.given import text_of
from nbchalice.sources.options import Option
from nbchalice.sources.raw_events import s3_event
from nbchalice.sources.redirects import BucketRedirect, Redirect, RuleRedirect
from nbchalice.sources.s3_events import (
    OPTIONS,
    is_through_events,
    pattern_of,
    sample_of,
    size_problems,
    way_problems,
)
from nbchalice.sources.waiting import bucket_key
from nbchalice.text import near
from nbchalice.typed import JSON, Values

LONGEST_KEY = 1024
CONTENT = "hello from nbchalice"
DEFAULT_EVENTS = ["s3:ObjectCreated:*"]
SIZES = ("min_size", "max_size")
# S3: "Supported event types for SQS, SNS, and Lambda".
EVENT_TYPES = {
    "s3:TestEvent": (),
    "s3:ObjectCreated": ("*", "Put", "Post", "Copy", "CompleteMultipartUpload"),
    "s3:ObjectRemoved": ("*", "Delete", "DeleteMarkerCreated"),
    "s3:ObjectRestore": ("*", "Post", "Completed", "Delete"),
    "s3:ReducedRedundancyLostObject": (),
    "s3:Replication": (
        "*",
        "OperationFailedReplication",
        "OperationMissedThreshold",
        "OperationReplicatedAfterThreshold",
        "OperationNotTracked",
    ),
    "s3:LifecycleExpiration": ("*", "Delete", "DeleteMarkerCreated"),
    "s3:LifecycleTransition": (),
    "s3:IntelligentTiering": (),
    "s3:ObjectTagging": ("*", "Put", "Delete"),
    "s3:ObjectAcl:Put": (),
    "s3:ObjectRetention:Put": (),
    "s3:ObjectAnnotation": ("*", "Put", "Delete"),
}


def _all_events() -> list[str]:
    events: list[str] = []
    for group, kinds in EVENT_TYPES.items():
        events += [f"{group}:{kind}" for kind in kinds] or [group]
    return sorted(events)


ALL_EVENTS = _all_events()


def notification_entry(options: Values) -> JSON:
    """Return what the options say as an entry of a notification configuration, without a function."""
    rules = [{"Name": name, "Value": options[name]} for name in ("prefix", "suffix") if options.get(name)]
    return {"Events": list(options.get("events") or DEFAULT_EVENTS), "Filter": {"Key": {"FilterRules": rules}}}


class S3(Source):
    """`@app.on_s3_event` and `%%on_s3_event` (Chalice: S3 Events; S3: Event Notifications)."""

    name = "on_s3_event"
    title = "S3"
    live_for = "buckets"
    examples = (
        "uploads",
        "uploads --prefix in/ --suffix .csv --events s3:ObjectCreated:*",
        "uploads --via eventbridge --min-size 1 --suffix .csv",
    )
    argument = Option("bucket", "name of an existing bucket", metavar="BUCKET")
    options = (
        Option(
            "events",
            "S3 event type, for example s3:ObjectRemoved:*",
            default=None,
            metavar="EVENT",
            repeats=True,
        ),
        Option("prefix", "only keys that begin with this", metavar="TEXT"),
        Option("suffix", "only keys that end with this", metavar="TEXT"),
        *OPTIONS,
    )
    fields = (
        Field("key", "Key", help="key of the object; made to match prefix and suffix when empty"),
        Field("message", "Content", "area", CONTENT),
        Field("file", "File", "file", help="path of a file to upload instead of the content"),
    )

    def check(self, options: Values) -> list[str]:
        """Return what S3 would reject."""
        bucket = options.get("bucket")
        if not bucket:
            return ["BUCKET is missing: give the name of a bucket"]
        wrong = []
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket) or ".." in bucket:
            wrong.append(
                f"{bucket!r} is not a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens "
                "(give the name, not an ARN or URL)"
            )
        events = options.get("events")
        if events is not None and not events:
            wrong.append("--events is empty; leave it out for s3:ObjectCreated:*")
        unknown = [event for event in events or [] if event not in ALL_EVENTS]
        wrong += [f"{event!r} is not an S3 event type; {near(str(event), ALL_EVENTS)}" for event in unknown]
        for name in ("prefix", "suffix"):
            if len((options.get(name) or "").encode()) > LONGEST_KEY:
                wrong.append(f"--{name} is longer than {LONGEST_KEY} bytes, as no key can be")
        return wrong or way_problems(options, events_of(options))

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return what a person should know of the way through EventBridge."""
        if not is_through_events(options):
            return []
        return [
            f"bucket {options['bucket']} will tell EventBridge of all that happens in it, and goes on with that",
            "the event is EventBridge's: S3Event reads it as ever, its to_dict() has detail in place of Records",
        ]

    def is_numbered(self, options: Values) -> bool:
        """Whether it has a rule."""
        return is_through_events(options)

    def clash(self, one: Values, other: Values, *, same_function: bool) -> str | None:
        """Return which entries S3 would call overlapping."""
        if one["bucket"] != other["bucket"] or is_through_events(one) or is_through_events(other):
            return None
        a, b = (notification_entry(options) for options in (one, other))
        return f"{brief(a)} of bucket {one['bucket']} overlaps with {brief(b)}" if overlaps(a, b) else None

    def event_values(self, options: Values) -> dict[str, str]:
        """Return the bucket."""
        return {"bucket": str(options["bucket"])}

    def causes(self, options: Values, function: FunctionRef) -> list[Cause]:
        """Return that objects with such keys are written or removed, as the events say."""
        arn = f"arn:{function.partition}:s3:::{options['bucket']}/*"
        cure = "use another bucket, or keys that --prefix or --suffix of the trigger leave out"
        place = arn, cure, options.get("prefix") or "", options.get("suffix") or ""
        events = options.get("events") or DEFAULT_EVENTS
        actions = {"s3:ObjectCreated": "s3:PutObject", "s3:ObjectRemoved": "s3:DeleteObject"}
        causes = {group: action for group, action in actions.items() if any(one.startswith(group) for one in events)}
        return [Cause(action, *place) for action in causes.values()]

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        words = [f"bucket {options['bucket']}", ", ".join(options.get("events") or DEFAULT_EVENTS)]
        words += [f"{name} {options[name]}" for name in ("prefix", "suffix") if options.get(name)]
        words += [f"{name.replace('_', ' ')} {options[name]}" for name in SIZES if options.get(name) is not None]
        return ", ".join([*words, *(["through EventBridge"] if is_through_events(options) else [])])

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the permission and the bucket's notification, or a rule and that the bucket tells EventBridge."""
        if is_through_events(options):
            rule = _rule(options, function)
            return [rule.permission, rule, BucketEvents(options["bucket"])]
        arn = f"arn:{function.partition}:s3:::{options['bucket']}"
        return [Permission(function, PRINCIPAL, arn, function.account), _notifications(options, function)]

    def redirect(self, options: Values, function: FunctionRef, queue_arn: str) -> Redirect:
        """Return how a queue takes the function's place in the bucket's notification configuration, or as a target."""
        if is_through_events(options):
            return RuleRedirect(function, queue_arn, _rule(options, function))
        return BucketRedirect(function, queue_arn, _notifications(options, function))

    def local_resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the bucket."""
        return [Bucket(options["bucket"])]

    def as_deployed(self, options: Values, resource: Resource, current: JSON) -> list[Values]:
        """Return the event types, prefix and suffix of each of the function's entries."""
        if not isinstance(resource, BucketNotifications):
            return [options]
        empty = {"prefix": None, "suffix": None}
        return [
            {**options, **empty, **rules_of(entry), "events": entry["Events"]} for entry in resource.standing(current)
        ]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the buckets, and the rules, that may invoke the function."""
        arns = [source_arn_of(s) for s in policy if principal_of(s) == PRINCIPAL]
        buckets = [BucketNotifications(arn.rsplit(":", 1)[-1], leaving=(function,)) for arn in arns if arn]
        return [*buckets, *attached_rules(function, policy)]

    def encryption_key(self, aws: AWS, options: Values, function: FunctionRef) -> str:
        """Return the bucket's key: the handler reads the objects that the events are about."""
        return bucket_key(aws, options["bucket"], function.region, function.account)

    def grants(self, options: Values, function: FunctionRef) -> list[Grant]:
        """Return what who deploys and sends must be allowed for it, beside what its resources want."""
        bucket = f"arn:{function.partition}:s3:::{options['bucket']}"
        keys = f"{bucket}/{options.get('prefix') or ''}*{options.get('suffix') or ''}"
        of_bucket = ("GetBucketNotification", "GetEncryptionConfiguration", "ListBucket", "PutBucketNotification")
        return [
            Grant(tuple(f"s3:{name}" for name in of_bucket), (bucket,), own=False),
            Grant(("s3:PutObject",), (keys,), own=False),
        ]

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Look at the bucket: it must exist, be in the function's region, and have no overlapping notification."""
        bucket = options["bucket"]
        try:
            standing = Bucket(bucket).read(aws)
        except aws.client("s3").exceptions.ClientError as error:
            if status_code(error) != 403:
                raise
            message = f"bucket {bucket} belongs to another account, or you may not see it"
            hint = f"ask for s3:ListBucket on arn:{function.partition}:s3:::{bucket}, or use a bucket of your own"
            return Preflight([Problem(message, f"{hint}; {ALL_PERMISSIONS}")])
        if standing is None:
            if aws.local:
                return Preflight()
            hint = f"aws s3 mb s3://{bucket} --region {function.region}"
            return Preflight([Problem(f"bucket {bucket} does not exist", hint)])
        region = standing.get("BucketRegion") or function.region
        if region != function.region:
            hint = f"deploy to {region}, or use a bucket in {function.region}"
            return Preflight([Problem(f"bucket {bucket} is in {region}, the function in {function.region}", hint)])
        return Preflight(name_problems(function) if is_through_events(options) else [])

    def templates(self, options: Values, function: FunctionRef) -> dict[str, JSON]:
        """Return objects whose keys the prefix and the suffix let through."""
        return {
            **super().templates(options, function),
            "key with blanks": {"key": matching_key(options, "a b+c ä"), "message": CONTENT},
            "CSV": {"key": matching_key(options, "table"), "message": "a,b,c\n1,2,3\n"},
            "JSON": {"key": matching_key(options, "item"), "message": '{"hello": "nbchalice"}'},
        }

    def settled(self, options: Values, values: Values) -> Values:
        """Return the values with the key: it is the same object for all handlers of the bucket."""
        return {**values, "key": key_of(options, values)}

    def shares_events(self, one: Values, other: Values, function: FunctionRef) -> bool:
        """Whether both listen to one bucket."""
        return bool(one["bucket"] == other["bucket"])

    def verdict(self, handler: str, options: Values, values: Values, function: FunctionRef) -> Note | None:
        """Return whether the event type, the prefix and the suffix let the object through."""
        key, wrong = key_of(options, values), size_problems(options, len(content_of(values)))
        listens = events_of(options)
        if not any("s3:ObjectCreated:Put".startswith(event.rstrip("*")) for event in listens):
            wrong.append("it does not listen to created objects")
        if not key.startswith(options.get("prefix") or ""):
            wrong.append(f"the key does not begin with {options['prefix']}")
        if not key.endswith(options.get("suffix") or ""):
            wrong.append(f"the key does not end with {options['suffix']}")
        if wrong:
            return Note(f"{handler}: {'; '.join(wrong)}", False)
        return Note(f"{handler} gets {key}", True)

    def sample(self, options: Values, function: FunctionRef, **values: object) -> JSON:
        """Return an event with one object (S3: Event message structure)."""
        content = content_of(values)
        event, place, key = events_of(options)[0], options["bucket"], key_of(options, values)
        if is_through_events(options):
            return sample_of(options, event, key, content, function)
        name = event.removeprefix("s3:").replace("*", "Put")
        return s3_event(place, key, name, function.region, content=content, partition=function.partition)

    def values_of(self, record: JSON) -> JSON:
        """Return the key; what the object holds is not in the event."""
        stored = record.get("s3", {}).get("object") or record.get("detail", {}).get("object") or {}
        key = str(stored.get("key", ""))
        return {"key": unquote_plus(key) if "s3" in record else key} if key else {}

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: Any) -> Sent:
        """Put an object into the bucket."""
        content = content_of(values)
        key = key_of(options, values)
        if not key:
            raise InvalidInputError("the key is empty, which S3 does not take", "leave out --key, or give one")
        if len(key.encode()) > LONGEST_KEY:
            raise InvalidInputError(f"the key has {len(key.encode())} bytes; S3 takes {LONGEST_KEY}", "shorten --key")
        answer = aws.client("s3").put_object(Bucket=options["bucket"], Key=key, Body=content)
        # The event's own (S3: Event message structure); one of an equal object has the same key and tag.
        request_id = str(answer["ResponseMetadata"]["RequestId"])
        return Sent(request_id, (request_id,))


def events_of(options: Values) -> list[str]:
    """Return the S3 event types of a trigger."""
    return list(options.get("events") or DEFAULT_EVENTS)


def content_of(values: Values) -> bytes:
    """Return the content of a test object: that of a file, or the message."""
    if values.get("file"):
        if values.get("message") not in (None, "", CONTENT):  # A form shows its own content until another is typed.
            raise InvalidInputError("--file and --message are two contents of one object", "give one of them")
        return _read(str(values["file"]))
    return text_of(values.get("message"), CONTENT).encode()


def _rule(options: Values, function: FunctionRef) -> Rule:
    return rule_of(function, pattern=json.dumps(pattern_of(options, events_of(options)), sort_keys=True))


def _notifications(options: Values, function: FunctionRef) -> BucketNotifications:
    events = tuple(options.get("events") or DEFAULT_EVENTS)
    entry = Notification(function, events, options.get("prefix") or "", options.get("suffix") or "")
    return BucketNotifications(options["bucket"], (entry,))


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        where = "the path is one of the computer that runs the kernel"
        raise InvalidInputError(f"file {path} cannot be read: {error.strerror}", where) from None


def key_of(options: Values, values: Values) -> str:
    """Return the key of a test object: the one that was given, the file's name, or one that matches."""
    if values.get("key") is not None:
        return str(values["key"])
    return Path(values["file"]).name if values.get("file") else matching_key(options)


def matching_key(options: Values, name: str = "hello") -> str:
    """Return a key with a name in it that the prefix and the suffix let through."""
    return f"{options.get('prefix') or ''}{name}{options.get('suffix') or '.txt'}"
