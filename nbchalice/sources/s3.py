"""Amazon S3: a function handles what happens in a bucket."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote_plus

from nbchalice.errors import AWSError
from nbchalice.sources.base import (
    AWS,
    JSON,
    Field,
    FunctionRef,
    Preflight,
    Problem,
    Resource,
    Sent,
    Source,
    or_missing,
    status_code,
    text_of,
)
from nbchalice.sources.locks import locked
from nbchalice.sources.options import Option, near
from nbchalice.sources.permission import Permission, principal_of, source_arn_of

PRINCIPAL = "s3.amazonaws.com"
# S3 may show an older configuration for a moment.
TRIES = 8
FIRST_PAUSE = 0.05
LONGEST_KEY = 1024
DEFAULT_EVENTS = ["s3:ObjectCreated:*"]
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
ALL_EVENTS = sorted(
    f"{group}:{kind}" if kind else group for group, kinds in EVENT_TYPES.items() for kind in (kinds or ("",))
)
KEY_OF_KIND = {
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
}


@dataclass(frozen=True)
class Notification:
    """One of our entries in a bucket's notification configuration.

    Parameters
    ----------
    function: the function to invoke.
    events: the S3 event types.
    prefix, suffix: what the object's key must begin and end with.
    """

    function: FunctionRef
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    def entry(self) -> JSON:
        """Return the entry as PutBucketNotificationConfiguration takes it."""
        # Unique and short whatever the prefix is: S3 takes 255 characters.
        told = json.dumps([sorted(self.events), self.prefix, self.suffix])
        entry: JSON = {
            "Id": f"{self.function.name}-{hashlib.sha256(told.encode()).hexdigest()[:12]}",
            "LambdaFunctionArn": self.function.arn,
            "Events": sorted(self.events),
        }
        rules = [{"Name": name, "Value": value} for name, value in self._rules() if value]
        return {**entry, "Filter": {"Key": {"FilterRules": rules}}} if rules else entry

    def _rules(self) -> list[tuple[str, str]]:
        return [("prefix", self.prefix), ("suffix", self.suffix)]


@dataclass(frozen=True)
class Bucket(Resource):
    """A bucket of the user's, made on the local AWS only where it is missing."""

    kind: ClassVar[str] = "bucket"
    bucket: str

    @property
    def name(self) -> str:
        """The bucket's name."""
        return self.bucket

    def read(self, aws: AWS) -> JSON | None:
        """Return what HeadBucket tells, or None."""
        with or_missing():
            return dict(aws.client("s3").head_bucket(Bucket=self.bucket))
        return None

    def differences(self, current: Any) -> list[str]:
        """Nothing: the bucket is the user's."""
        return []

    def write(self, aws: AWS, current: Any | None) -> None:
        """Create the bucket."""
        place = {} if aws.region == "us-east-1" else {"LocationConstraint": aws.region}
        extra = {"CreateBucketConfiguration": place} if place else {}
        aws.client("s3").create_bucket(Bucket=self.bucket, **extra)

    def delete(self, aws: AWS, current: Any) -> None:
        """Never: the bucket is the user's."""


@dataclass(frozen=True)
class BucketNotifications(Resource):
    """Our entries in one bucket's notification configuration; all others stay as they are.

    S3 only knows how to replace the whole configuration, so all handlers of an app on one bucket are one resource
    (S3: PutBucketNotificationConfiguration). What was put is read again, and repeated when another writer came between.

    Parameters
    ----------
    bucket: the bucket.
    notifications: the entries that should stand.
    leaving: functions of ours whose entries should go.
    """

    kind: ClassVar[str] = "bucket notification"
    shared: ClassVar[bool] = True
    conflict_hint: ClassVar[str] = (
        "narrow --prefix, --suffix or --events until both cannot match one key, or remove the other entry"
    )
    bucket: str
    notifications: tuple[Notification, ...] = ()
    leaving: tuple[FunctionRef, ...] = ()

    @property
    def name(self) -> str:
        """The bucket and the functions."""
        functions = dict.fromkeys(n.function.name for n in self.notifications)
        return f"{self.bucket} -> {', '.join(functions)}" if functions else self.bucket

    @property
    def key(self) -> str:
        """One for each bucket."""
        return f"{self.kind} {self.bucket}"

    @property
    def needs(self) -> frozenset[str]:
        """The bucket, and the permission of each function."""
        permissions = {Permission(n.function, PRINCIPAL, self.bucket_arn(n.function)).key for n in self.notifications}
        return frozenset({*permissions, f"bucket {self.bucket}"})

    @property
    def frees(self) -> frozenset[str]:
        """The permissions of the functions whose entries go."""
        return frozenset(Permission(f, PRINCIPAL, self.bucket_arn(f)).key for f in self.leaving)

    def bucket_arn(self, function: FunctionRef) -> str:
        """Return the bucket's ARN."""
        return f"arn:{function.partition}:s3:::{self.bucket}"

    def merge(self, other: Resource) -> BucketNotifications:
        """Return both in one; a function that has an entry does not leave."""
        assert isinstance(other, BucketNotifications)
        notifications = tuple(dict.fromkeys(self.notifications + other.notifications))
        staying = {n.function.arn for n in notifications}
        leaving = (f for f in dict.fromkeys(self.leaving + other.leaving) if f.arn not in staying)
        return replace(self, notifications=notifications, leaving=tuple(leaving))

    def _ours(self) -> set[str]:
        return {n.function.arn for n in self.notifications} | {f.arn for f in self.leaving}

    def read(self, aws: AWS) -> JSON | None:
        """Return the whole configuration, also of other people's entries; None where the bucket is missing."""
        with or_missing():
            answer = aws.client("s3").get_bucket_notification_configuration(Bucket=self.bucket)
            return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        return None

    def _standing(self, current: JSON) -> list[JSON]:
        entries = current.get("LambdaFunctionConfigurations", [])
        return [entry for entry in entries if entry["LambdaFunctionArn"] in self._ours()]

    def differences(self, current: JSON) -> list[str]:
        """Compare our entries with the wanted ones, whatever their order."""
        now = {_comparable(entry): entry for entry in self._standing(current)}
        wanted = {_comparable(entry): entry for entry in (n.entry() for n in self.notifications)}
        added = [f"adds {_brief(wanted[key])}" for key in wanted if key not in now]
        return added + [f"removes {_brief(now[key])}" for key in now if key not in wanted]

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Put the configuration, as it is now, with our entries in it and all foreign ones unchanged."""
        pause = FIRST_PAUSE
        with locked(f"bucket {aws.account} {self.bucket}"):
            for _ in range(TRIES):
                standing = self.read(aws) or {}
                if not self.differences(standing):
                    return
                aws.client("s3").put_bucket_notification_configuration(
                    Bucket=self.bucket,
                    NotificationConfiguration=self.merged(standing),
                    ExpectedBucketOwner=aws.account,
                )
                if not self.differences(self.read(aws) or {}):
                    return
                time.sleep(pause)
                pause *= 2
        raise AWSError(
            f"bucket {self.bucket}: another program keeps replacing the notification configuration",
            "find out which one, and run it again when it is done",
        )

    def merged(self, standing: JSON) -> JSON:
        """Return a configuration with our entries in it and all foreign ones unchanged."""
        merged = copy.deepcopy(standing)
        ours = [_comparable(entry) for entry in self._standing(merged)]
        wanted = {_comparable(entry): entry for entry in (n.entry() for n in self.notifications)}
        kept = [
            entry
            for entry in merged.get("LambdaFunctionConfigurations", [])
            if entry["LambdaFunctionArn"] not in self._ours() or _comparable(entry) in wanted
        ]
        added = [entry for key, entry in wanted.items() if key not in ours]
        merged["LambdaFunctionConfigurations"] = kept + added
        if not merged["LambdaFunctionConfigurations"]:
            del merged["LambdaFunctionConfigurations"]
        return merged

    def delete(self, aws: AWS, current: JSON) -> None:
        """Take our entries out."""
        leaving = tuple(n.function for n in self.notifications) + self.leaving
        gone = BucketNotifications(self.bucket, leaving=leaving)
        if gone.differences(current):
            gone.write(aws, current)

    def conflicts(self, current: JSON) -> list[str]:
        """Return which foreign entries S3 would call overlapping with ours, naming both."""
        found = []
        for kind, arn_key in KEY_OF_KIND.items():
            for entry in current.get(kind, []):
                if entry[arn_key] in self._ours():
                    continue
                for mine in self.notifications:
                    if overlaps(mine.entry(), entry):
                        target = entry[arn_key].rsplit(":", 1)[-1]
                        found.append(f"{_brief(mine.entry())} overlaps with {_brief(entry)} of {target}")
        return found


def _rules_of(entry: JSON) -> dict[str, str]:
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return {rule["Name"].lower(): rule.get("Value", "") for rule in rules}


def _comparable(entry: JSON) -> str:
    rules = {name: value for name, value in _rules_of(entry).items() if value}
    return json.dumps([entry["LambdaFunctionArn"], sorted(entry["Events"]), rules], sort_keys=True)


def _brief(entry: JSON) -> str:
    rules = [f"{name} {value!r}" for name, value in _rules_of(entry).items() if value]
    return " ".join([", ".join(entry["Events"]), *rules])


def overlaps(one: JSON, other: JSON) -> bool:
    """Whether S3 would refuse two entries: a common event and prefixes and suffixes that one key can satisfy."""
    if not any(_same_event(a, b) for a in one["Events"] for b in other["Events"]):
        return False
    mine, theirs = _rules_of(one), _rules_of(other)
    a, b = mine.get("prefix", ""), theirs.get("prefix", "")
    c, d = mine.get("suffix", ""), theirs.get("suffix", "")
    return (a.startswith(b) or b.startswith(a)) and (c.endswith(d) or d.endswith(c))


def _same_event(a: str, b: str) -> bool:
    return a == b or (a.endswith("*") and b.startswith(a[:-1])) or (b.endswith("*") and a.startswith(b[:-1]))


def notification_entry(options: Mapping[str, Any]) -> JSON:
    """Return what the options say as an entry of a notification configuration, without a function."""
    rules = [{"Name": name, "Value": options[name]} for name in ("prefix", "suffix") if options.get(name)]
    return {"Events": list(options.get("events") or DEFAULT_EVENTS), "Filter": {"Key": {"FilterRules": rules}}}


class S3(Source):
    """`@app.on_s3_event` and `%%on_s3_event` (Chalice: S3 Events; S3: Event Notifications)."""

    name = "on_s3_event"
    title = "S3"
    event_class = "S3Event"
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
    )
    fields = (
        Field("key", "Key", help="key of the object; made to match prefix and suffix when empty"),
        Field("message", "Content", "area", "hello from nbchalice"),
        Field("file", "File", "file", help="path of a file to upload instead of the content"),
    )

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what S3 would reject."""
        bucket = options.get("bucket")
        if not bucket:
            return ["BUCKET is missing: give the name of a bucket"]
        found = []
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket) or ".." in bucket:
            found.append(
                f"{bucket!r} is no bucket name: 3 to 63 lower-case letters, digits, dots and hyphens "
                "(give the name, not an ARN or URL)"
            )
        events = options.get("events")
        if events is not None and not events:
            found.append("--events is empty; leave it out for s3:ObjectCreated:*")
        unknown = [event for event in events or [] if event not in ALL_EVENTS]
        found += [f"{event!r} is no S3 event type; {near(str(event), ALL_EVENTS)}" for event in unknown]
        for name in ("prefix", "suffix"):
            if len((options.get(name) or "").encode()) > LONGEST_KEY:
                found.append(f"--{name} is longer than {LONGEST_KEY} bytes, as no key can be")
        return found

    def clash(self, one: Mapping[str, Any], other: Mapping[str, Any], *, same_function: bool) -> str | None:
        """Return which entries S3 would call overlapping."""
        if one["bucket"] != other["bucket"]:
            return None
        a, b = (notification_entry(options) for options in (one, other))
        return f"{_brief(a)} of bucket {one['bucket']} overlaps with {_brief(b)}" if overlaps(a, b) else None

    def describe(self, options: Mapping[str, Any]) -> str:
        """Return the trigger in a few words."""
        words = [f"bucket {options['bucket']}", ", ".join(options.get("events") or DEFAULT_EVENTS)]
        words += [f"{name} {options[name]}" for name in ("prefix", "suffix") if options.get(name)]
        return ", ".join(words)

    def resources(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return the permission and the bucket's notification."""
        bucket = options["bucket"]
        events = tuple(options.get("events") or DEFAULT_EVENTS)
        entry = Notification(function, events, options.get("prefix") or "", options.get("suffix") or "")
        return [
            Permission(function, PRINCIPAL, f"arn:{function.partition}:s3:::{bucket}", function.account),
            BucketNotifications(bucket, (entry,)),
        ]

    def playthings(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return the bucket."""
        return [Bucket(options["bucket"])]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the buckets that may invoke the function."""
        arns = [source_arn_of(s) for s in policy if principal_of(s) == PRINCIPAL]
        return [BucketNotifications(arn.rsplit(":", 1)[-1], leaving=(function,)) for arn in arns if arn]

    def preflight(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef) -> Preflight:
        """Look at the bucket: it must exist, be in the function's region, and have no overlapping notification."""
        bucket = options["bucket"]
        try:
            found = Bucket(bucket).read(aws)
        except aws.client("s3").exceptions.ClientError as error:
            if status_code(error) != 403:
                raise
            message = f"bucket {bucket} belongs to another account, or you may not see it"
            return Preflight([Problem(message, "use a bucket of your own account, or ask for s3:ListBucket on it")])
        if found is None:
            if aws.local:
                return Preflight()
            hint = f"aws s3 mb s3://{bucket} --region {function.region}"
            return Preflight([Problem(f"bucket {bucket} does not exist", hint)])
        region = found.get("BucketRegion") or function.region
        if region != function.region:
            hint = f"deploy to {region}, or use a bucket in {function.region}"
            return Preflight([Problem(f"bucket {bucket} is in {region}, the function in {function.region}", hint)])
        return Preflight()

    def sample(self, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> JSON:
        """Return an event with one object (S3: Event message structure)."""
        content = text_of(values.get("message"), "hello from nbchalice")
        stored = {
            "key": quote_plus(values.get("key") or matching_key(options), safe="/"),
            "size": len(content.encode()),
            "eTag": "0123456789abcdef0123456789abcdef",
            "sequencer": "0A1B2C3D4E5F678901",
        }
        bucket = options["bucket"]
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": function.region,
            "eventTime": "1970-01-01T00:00:00.000Z",
            "eventName": (options.get("events") or DEFAULT_EVENTS)[0].removeprefix("s3:").replace("*", "Put"),
            "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
            "requestParameters": {"sourceIPAddress": "127.0.0.1"},
            "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "sample"},
            "s3": {
                "s3SchemaVersion": "1.0",
                "configurationId": "sample",
                "bucket": {
                    "name": bucket,
                    "ownerIdentity": {"principalId": "A3NL1KOZZKExample"},
                    "arn": f"arn:{function.partition}:s3:::{bucket}",
                },
                "object": stored,
            },
        }
        return {"Records": [record]}

    def send(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> Sent:
        """Put an object into the bucket."""
        content = text_of(values.get("message"), "hello from nbchalice").encode()
        if values.get("file"):
            content = Path(values["file"]).expanduser().read_bytes()
        key = values.get("key") or (Path(values["file"]).name if values.get("file") else matching_key(options))
        answer = aws.client("s3").put_object(Bucket=options["bucket"], Key=key, Body=content)
        request_id = answer["ResponseMetadata"].get("RequestId", "")
        etag = answer["ETag"].strip('"')
        return Sent(request_id or f"{key}@{etag}", (request_id, f"{key}@{etag}"))


def matching_key(options: Mapping[str, Any]) -> str:
    """Return a key that the prefix and the suffix let through."""
    return f"{options.get('prefix') or ''}hello{options.get('suffix') or '.txt'}"
