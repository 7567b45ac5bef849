"""What stands on a bucket: its notification configuration, of which only some entries are ours."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import time
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product, starmap
from typing import TYPE_CHECKING, ClassVar, cast

from nbchalice.errors import AWSError
from nbchalice.polling import Pace, poll
from nbchalice.resources.base import AWS, FunctionRef, Key, OfTheUser, Resource, key_of, or_missing
from nbchalice.resources.locks import locked
from nbchalice.resources.permission import Permission
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import NotificationConfigurationTypeDef

PRINCIPAL = "s3.amazonaws.com"
# S3 may show an older configuration for a moment.
SHOWN_WITHIN = 13.0
KEY_OF_KIND = {
    "LambdaFunctionConfigurations": "LambdaFunctionArn",
    "QueueConfigurations": "QueueArn",
    "TopicConfigurations": "TopicArn",
}
TARGETS = {"lambda": "function", "sqs": "queue", "sns": "topic"}


@dataclass(frozen=True)
class Notification:
    """One of our entries in a bucket's notification configuration.

    Parameters
    ----------
    function : FunctionRef
        The function to invoke.
    events : tuple[str, ...]
        The S3 event types.
    prefix, suffix : str
        What the object's key must begin and end with.
    """

    function: FunctionRef
    events: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    def entry(self) -> JSON:
        """Return the entry as PutBucketNotificationConfiguration takes it."""
        # Unique and short whatever the prefix is: S3 takes 255 characters.
        choice = json.dumps([sorted(self.events), self.prefix, self.suffix])
        entry: JSON = {
            "Id": f"{self.function.name}-{hashlib.sha256(choice.encode()).hexdigest()[:12]}",
            "LambdaFunctionArn": self.function.arn,
            "Events": sorted(self.events),
        }
        rules = [{"Name": name, "Value": value} for name, value in self._rules() if value]
        return {**entry, "Filter": {"Key": {"FilterRules": rules}}} if rules else entry

    def _rules(self) -> list[tuple[str, str]]:
        return [("prefix", self.prefix), ("suffix", self.suffix)]


@dataclass(frozen=True)
class Bucket(OfTheUser):
    """A bucket of the user's."""

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

    def write(self, aws: AWS, current: object) -> None:
        """Create the bucket."""
        place: JSON = {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
        aws.client("s3").create_bucket(Bucket=self.bucket, **({} if aws.region == "us-east-1" else place))


@dataclass(frozen=True)
class BucketEvents(Resource):
    """That a bucket tells EventBridge of what happens in it (S3: "Enabling Amazon EventBridge").

    All else of its notification configuration stays as it is. It is never turned off: other rules may live on it.
    """

    kind: ClassVar[str] = "bucket events"
    shared: ClassVar[bool] = True
    delivers: ClassVar[bool] = True
    bucket: str

    @property
    def name(self) -> str:
        """The bucket and EventBridge."""
        return f"{self.bucket} -> EventBridge"

    @property
    def needs(self) -> frozenset[Key]:
        """The bucket."""
        return frozenset({key_of("bucket", self.bucket)})

    def read(self, aws: AWS) -> JSON | None:
        """Return the bucket's notification configuration; None where the bucket is missing."""
        return BucketNotifications(self.bucket).read(aws)

    def differences(self, current: JSON) -> list[str]:
        """Return that EventBridge is not told: an empty configuration is what tells it."""
        return [] if "EventBridgeConfiguration" in current else ["EventBridge is not told of its events"]

    def blocks(self, current: JSON) -> str:
        """Return that EventBridge is not told."""
        return f"bucket {self.bucket} does not tell EventBridge of its events" if self.differences(current) else ""

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Add EventBridge to the configuration as it is now."""
        with locked(f"bucket {aws.account} {self.bucket}"):
            standing = self.read(aws) or {}
            put_notifications(aws, self.bucket, {**standing, "EventBridgeConfiguration": {}})

    def delete(self, aws: AWS, current: object) -> None:
        """Never: other rules may live on it."""


def put_notifications(aws: AWS, bucket: str, configuration: JSON, ours: Container[str] = ()) -> None:
    """Replace a bucket's notification configuration by one that was read and changed (S3).

    Raises
    ------
    AWSError
        S3 refuses all of it for an entry whose target is not among `ours`.
    """
    changed = cast("NotificationConfigurationTypeDef", configuration)
    client = aws.client("s3")
    try:
        client.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration=changed, ExpectedBucketOwner=aws.account
        )
    except client.exceptions.ClientError as error:
        for target, trouble in _refused_targets(cast("dict[str, str]", error.response["Error"])):
            if target not in ours:
                raise AWSError(
                    f"bucket {bucket}: S3 takes no notifications while somebody else's lead to {target}: {trouble}",
                    "remove that entry, or make its target again, and run this again",
                ) from None
        raise


def _refused_targets(details: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the ARNs whose validation failed, and why.

    S3 names them in pairs: ``ArgumentName1`` is ``arn:aws:sqs:us-east-1:123456789012:gone, null``, and
    ``ArgumentValue1`` ``The destination queue does not exist``.
    """
    for name, value in details.items():
        if name.startswith("ArgumentName") and (arn := re.match(r"arn:[^\s,]+", value)):
            yield arn[0], details.get(name.replace("Name", "Value"), "")


@dataclass(frozen=True)
class BucketNotifications(Resource):
    """Our entries in one bucket's notification configuration; all others stay as they are.

    S3 only knows how to replace the whole configuration, so all handlers of an app on one bucket are one resource
    (S3: PutBucketNotificationConfiguration). What was put is read again, and repeated when another writer came between.

    Parameters
    ----------
    bucket : str
        The bucket.
    notifications : tuple[Notification, ...]
        The entries that should stand.
    leaving : tuple[FunctionRef, ...]
        Functions of ours whose entries should go.
    """

    kind: ClassVar[str] = "bucket notification"
    delivers: ClassVar[bool] = True
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
    def key(self) -> Key:
        """One for each bucket."""
        return Key(f"{self.kind} {self.bucket}")

    @property
    def needs(self) -> frozenset[Key]:
        """The bucket, and the permission of each function."""
        permissions = {Permission(n.function, PRINCIPAL, self.bucket_arn(n.function)).key for n in self.notifications}
        return frozenset({*permissions, key_of("bucket", self.bucket)})

    @property
    def frees(self) -> frozenset[Key]:
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

    def standing(self, current: JSON) -> list[JSON]:
        """Return the entries of our functions, of a configuration that was read."""
        entries = current.get("LambdaFunctionConfigurations", [])
        return [entry for entry in entries if entry["LambdaFunctionArn"] in self._ours()]

    def differences(self, current: JSON) -> list[str]:
        """Compare our entries with the wanted ones, whatever their order."""
        now = {_comparable(entry): entry for entry in self.standing(current)}
        wanted = {_comparable(entry): entry for entry in (n.entry() for n in self.notifications)}
        added = [f"adds {brief(wanted[key])}" for key in wanted if key not in now]
        return added + [f"removes {brief(now[key])}" for key in now if key not in wanted]

    def blocks(self, current: JSON) -> str:
        """Return that it has no entry of ours."""
        return "" if self.standing(current) else f"bucket {self.bucket} does not notify the function"

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Put the configuration, as it is now, with our entries in it and all foreign ones unchanged."""

        def stands() -> bool:
            standing = self.read(aws) or {}
            if not self.differences(standing):
                return True
            put_notifications(aws, self.bucket, self.merged(standing), self._ours())
            return not self.differences(self.read(aws) or {})

        with locked(f"bucket {aws.account} {self.bucket}"):
            if poll(stands, time.monotonic() + SHOWN_WITHIN, Pace(0.05, 5.0, growth=2.0)):
                return
        raise AWSError(
            f"bucket {self.bucket}: another program keeps replacing the notification configuration",
            "find out which one, and run it again when it is done",
        )

    def merged(self, standing: JSON) -> JSON:
        """Return a configuration with our entries in it and all foreign ones unchanged."""
        merged = copy.deepcopy(standing)
        ours = [_comparable(entry) for entry in self.standing(merged)]
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
        overlapping = []
        for kind, arn_key in KEY_OF_KIND.items():
            for entry in current.get(kind, []):
                if entry[arn_key] in self._ours():
                    continue
                for mine in self.notifications:
                    if overlaps(mine.entry(), entry):
                        service, target = entry[arn_key].split(":")[2], entry[arn_key].rsplit(":", 1)[-1]
                        ours = f"of {mine.function.handler} on bucket {self.bucket}: {brief(mine.entry())}"
                        overlapping.append(f"{ours} overlaps with {brief(entry)} of {TARGETS[service]} {target}")
        return overlapping


def rules_of(entry: JSON) -> dict[str, str]:
    """Return what an object's key must begin and end with, by ``prefix`` and ``suffix``."""
    rules = entry.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    return {rule["Name"].lower(): rule.get("Value", "") for rule in rules}


def _comparable(entry: JSON) -> str:
    rules = {name: value for name, value in rules_of(entry).items() if value}
    return json.dumps([entry["LambdaFunctionArn"], sorted(entry["Events"]), rules], sort_keys=True)


def brief(entry: JSON) -> str:
    """Return an entry's events and filter in a few words."""
    rules = [f"{name} {value!r}" for name, value in rules_of(entry).items() if value]
    return " ".join([", ".join(entry["Events"]), *rules])


def overlaps(one: JSON, other: JSON) -> bool:
    """Whether S3 would refuse two entries: a common event and prefixes and suffixes that one key can satisfy."""
    if not any(starmap(_same_event, product(one["Events"], other["Events"]))):
        return False
    mine, theirs = rules_of(one), rules_of(other)
    # One key satisfies both only if one prefix begins with the other, and one suffix ends with the other:
    # in/2024/ and in/ overlap, in/ and out/ do not.
    a, b = mine.get("prefix", ""), theirs.get("prefix", "")
    c, d = mine.get("suffix", ""), theirs.get("suffix", "")
    return (a.startswith(b) or b.startswith(a)) and (c.endswith(d) or d.endswith(c))


def _same_event(a: str, b: str) -> bool:
    return a == b or (a.endswith("*") and b.startswith(a[:-1])) or (b.endswith("*") and a.startswith(b[:-1]))
