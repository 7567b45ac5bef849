"""Events of S3 by way of EventBridge: which of its events a trigger means, as a rule's pattern and as a sample.

Amazon S3: "Using EventBridge" (event types), "EventBridge event message structure".
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable

from nbchalice.resources.base import FunctionRef
from nbchalice.sources.options import Option
from nbchalice.sources.raw_events import bridge_event
from nbchalice.text import near
from nbchalice.typed import JSON, Values

SOURCE = "aws.s3"
# EventBridge: the largest number that a pattern takes.
LARGEST = 5_000_000_000
SIZED = "with --via eventbridge: only objects of so many bytes"
OPTIONS = (
    Option("via", "how the events come: from the bucket itself, or through EventBridge", choices=("s3", "eventbridge")),
    Option("min_size", f"{SIZED} or more", int, None, "BYTES", minimum=0, maximum=LARGEST),
    Option("max_size", f"{SIZED} or less", int, None, "BYTES", minimum=0, maximum=LARGEST),
)
# Of each S3 event type: the detail types of EventBridge, and what the detail then has.
MADE, GONE = "Object Created", "Object Deleted"
BY_CALL: JSON = {"reason": ["DeleteObject"]}
BY_RULE: JSON = {"reason": ["Lifecycle Expiration"]}
FOREVER: JSON = {"deletion-type": ["Permanently Deleted"]}
MARKED: JSON = {"deletion-type": ["Delete Marker Created"]}
MEANS: dict[str, tuple[tuple[str, ...], JSON]] = {
    "s3:ObjectCreated:*": ((MADE,), {}),
    "s3:ObjectCreated:Put": ((MADE,), {"reason": ["PutObject"]}),
    "s3:ObjectCreated:Post": ((MADE,), {"reason": ["POST Object"]}),
    "s3:ObjectCreated:Copy": ((MADE,), {"reason": ["CopyObject"]}),
    "s3:ObjectCreated:CompleteMultipartUpload": ((MADE,), {"reason": ["CompleteMultipartUpload"]}),
    "s3:ObjectRemoved:*": ((GONE,), BY_CALL),
    "s3:ObjectRemoved:Delete": ((GONE,), BY_CALL | FOREVER),
    "s3:ObjectRemoved:DeleteMarkerCreated": ((GONE,), BY_CALL | MARKED),
    "s3:LifecycleExpiration:*": ((GONE,), BY_RULE),
    "s3:LifecycleExpiration:Delete": ((GONE,), BY_RULE | FOREVER),
    "s3:LifecycleExpiration:DeleteMarkerCreated": ((GONE,), BY_RULE | MARKED),
    "s3:ObjectRestore:*": (("Object Restore Initiated", "Object Restore Completed", "Object Restore Expired"), {}),
    "s3:ObjectRestore:Post": (("Object Restore Initiated",), {}),
    "s3:ObjectRestore:Completed": (("Object Restore Completed",), {}),
    "s3:ObjectRestore:Delete": (("Object Restore Expired",), {}),
    "s3:LifecycleTransition": (("Object Storage Class Changed",), {}),
    "s3:IntelligentTiering": (("Object Access Tier Changed",), {}),
    "s3:ObjectAcl:Put": (("Object ACL Updated",), {}),
    "s3:ObjectTagging:*": (("Object Tags Added", "Object Tags Deleted"), {}),
    "s3:ObjectTagging:Put": (("Object Tags Added",), {}),
    "s3:ObjectTagging:Delete": (("Object Tags Deleted",), {}),
}


def is_through_events(options: Values) -> bool:
    """Whether the events come through EventBridge."""
    return options.get("via") == "eventbridge"


def way_problems(options: Values, events: Iterable[str]) -> list[str]:
    """Return what EventBridge does not have, or what only EventBridge has."""
    sizes = [f"--{name.replace('_', '-')}" for name in ("min_size", "max_size") if options.get(name) is not None]
    if not is_through_events(options):
        return [f"{sizes[0]} needs --via eventbridge: S3 itself does not look at sizes"] if sizes else []
    unknown = [event for event in events if event not in MEANS]
    wrong = [f"EventBridge gets no event like {event}; leave out --via, or {near(event, MEANS)}" for event in unknown]
    least, most = options.get("min_size"), options.get("max_size")
    if least is not None and most is not None and least > most:
        wrong.append(f"--min-size {least} is more than --max-size {most}, so that no object can match")
    if sizes and not all(event.startswith("s3:ObjectCreated:") for event in events):
        wrong.append(f"{sizes[0]} is for created objects: other events do not tell a size")
    return wrong


def pattern_of(options: Values, events: Iterable[str]) -> JSON:
    """Return the pattern of the rule: bucket, key, size, and what happened."""
    stored: JSON = {name: [rule] for name, rule in (("key", _key_rule(options)), ("size", _size_rule(options))) if rule}
    place: JSON = {"bucket": {"name": [options["bucket"]]}, **({"object": stored} if stored else {})}
    kinds: dict[str, list[str]] = {}
    for names, more in (MEANS[event] for event in dict.fromkeys(events)):
        kinds.setdefault(json.dumps(more), []).extend(names)
    ways = [
        {"detail-type": list(dict.fromkeys(names)), "detail": {**place, **json.loads(more)}}
        for more, names in kinds.items()
    ]
    return {"source": [SOURCE], **ways[0]} if len(ways) == 1 else {"source": [SOURCE], "$or": ways}


def _key_rule(options: Values) -> JSON:
    prefix, suffix = options.get("prefix") or "", options.get("suffix") or ""
    if prefix and suffix:
        return {"wildcard": f"{_literal(prefix)}*{_literal(suffix)}"}
    return {"prefix": prefix} if prefix else {"suffix": suffix} if suffix else {}


def _literal(text: str) -> str:
    """Return a text as a wildcard expression that matches only it: in*.csv is in\\*.csv."""
    return text.replace("\\", "\\\\").replace("*", "\\*")


def _size_rule(options: Values) -> JSON:
    least, most = options.get("min_size"), options.get("max_size")
    if least is not None and least == most:  # A range has to have room.
        return {"numeric": ["=", least]}
    bounds: list[object] = []
    for sign, name in ((">=", "min_size"), ("<=", "max_size")):
        bounds += [sign, options[name]] if options.get(name) is not None else []
    return {"numeric": bounds} if bounds else {}


def size_problems(options: Values, size: int) -> list[str]:
    """Return why the sizes of the trigger leave out an object of so many bytes."""
    least, most = options.get("min_size"), options.get("max_size")
    wrong = [f"its {size:,} bytes are less than {least:,}"] if least is not None and size < least else []
    return [*wrong, f"its {size:,} bytes are more than {most:,}"] if most is not None and size > most else wrong


def sample_of(options: Values, event: str, key: str, content: bytes, function: FunctionRef) -> JSON:
    """Return the event of one object as EventBridge hands it on; the key is as it is, not URL-encoded."""
    names, more = MEANS[event]
    stored: JSON = {"key": key, "sequencer": uuid.uuid4().hex[:16].upper()}
    if names[0] != GONE:
        stored |= {"size": len(content), "etag": hashlib.md5(content, usedforsecurity=False).hexdigest()}
    detail = {
        "version": "0",
        "bucket": {"name": options["bucket"]},
        "object": stored,
        "request-id": uuid.uuid4().hex[:16].upper(),
        "requester": function.account,
        "source-ip-address": "127.0.0.1",
        **({"reason": "PutObject"} if names[0] == MADE else {}),
        **({"deletion-type": "Permanently Deleted"} if names[0] == GONE else {}),
        **{name: values[0] for name, values in more.items()},
    }
    arn = f"arn:{function.partition}:s3:::{options['bucket']}"
    return bridge_event(SOURCE, names[0], detail, [arn], region=function.region, account=function.account)
