"""Amazon Kinesis: a function handles the records of a data stream through an event source mapping."""

from __future__ import annotations

import base64
import re
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from nbchalice.errors import AWSError
from nbchalice.polling import Pace, poll
from nbchalice.resources.base import (
    AWS,
    FunctionRef,
    OfTheUser,
    Preflight,
    Problem,
    Resource,
    or_missing,
    unless_denied,
)
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.resources.grants import Grant
from nbchalice.sources.base import Cause, Field, Note, Sent, Source
from nbchalice.sources.filters import deployed_filter, filter_problems, filters_of, passes_filter
from nbchalice.sources.given import text_of
from nbchalice.sources.options import Option
from nbchalice.sources.payloads import MOST_OF_STREAM, USUAL_OF_STREAM, bytes_of, require_room
from nbchalice.sources.raw_events import kinesis_record
from nbchalice.sources.streams import (
    DROPS,
    EVENT_FIELDS,
    PASSES,
    STARTING_ANYWHERE,
    STARTING_TIMESTAMP,
    STREAM_OPTIONS,
    describe_stream,
    mapping_of,
    reading,
    reports,
    stream_notes,
    stream_problems,
)
from nbchalice.sources.waiting import key_arn
from nbchalice.typed import JSON, Values

READING = (
    "DescribeStream", "DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards", "SubscribeToShard",
)  # fmt: skip
# Lambda, "Using event filtering with a Kinesis event source": the data decoded, beside what else a record has.
RECORD_FIELDS = (
    *EVENT_FIELDS, "approximateArrivalTimestamp", "data", "invokeIdentityArn", "kinesisSchemaVersion", "partitionKey",
    "sequenceNumber",
)  # fmt: skip
ACTIVE_WITHIN = 60.0
DEFAULT_DATA = '{"hello": "nbchalice"}'


def stream_arn(options: Values, function: FunctionRef) -> str:
    """Return the ARN of the stream that the options name."""
    return function.arn_of("kinesis", f"stream/{options['stream']}")


@dataclass(frozen=True)
class Stream(OfTheUser):
    """A stream of the user's."""

    kind: ClassVar[str] = "stream"
    stream: str

    @property
    def name(self) -> str:
        """The stream, as its ARN names it."""
        return f"stream/{self.stream}"

    def read(self, aws: AWS) -> JSON | None:
        """Return the stream's summary, or None."""
        with or_missing():
            answer = aws.client("kinesis").describe_stream_summary(StreamName=self.stream)
            return dict(answer["StreamDescriptionSummary"])
        return None

    def write(self, aws: AWS, current: object) -> None:
        """Create the stream with one shard; returns when it can be read."""
        aws.client("kinesis").create_stream(StreamName=self.stream, ShardCount=1)

        def active() -> bool:
            return (self.read(aws) or {}).get("StreamStatus") == "ACTIVE"

        if not poll(active, time.monotonic() + ACTIVE_WITHIN, Pace(0.01, 1.0)):
            raise AWSError(f"the stream {self.stream} is not active after {ACTIVE_WITHIN:.0f} s", "try again later")


class Kinesis(Source):
    """`@app.on_kinesis_record` and `%%on_kinesis_record` (Chalice: Kinesis Events)."""

    name = "on_kinesis_record"
    title = "Kinesis"
    asynchronous = False
    examples = ("clicks", "clicks --batch-size 50 --starting-position TRIM_HORIZON --report-failures --bisect")
    argument = Option("stream", "name of an existing stream", metavar="STREAM")
    options = (*STREAM_OPTIONS, STARTING_ANYWHERE, STARTING_TIMESTAMP)
    fields = (
        Field("message", "Data", "area", DEFAULT_DATA),
        Field("key", "Partition key", help="records with one key stay in order; made when empty"),
    )

    def check(self, options: Values) -> list[str]:
        """Return what Kinesis would reject (Kinesis: CreateStream)."""
        stream = options.get("stream")
        if not stream:
            return ["STREAM is missing: give the name of a stream"]
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", stream):
            text = "up to 128 letters, digits, _, . and - (give the name, not an ARN)"
            return [f"{stream!r} is not a stream name: {text}"]
        return stream_problems(options) + filter_problems(filters_of(options), "--filter", RECORD_FIELDS, "data")

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return what becomes of a batch that fails."""
        return stream_notes(options, settings)

    def unread(self, options: Values) -> str:
        """Return which option lets Lambda read it."""
        return "" if reports(options) else "add --report-failures"

    def clash(self, one: Values, other: Values, *, same_function: bool) -> str | None:
        """Return that a function has a stream twice: Lambda takes one mapping for a stream and a function."""
        if same_function and one["stream"] == other["stream"]:
            return f"stream {one['stream']} triggers the function twice; keep one of the triggers"
        return None

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        return describe_stream(f"stream {options['stream']}", options)

    def causes(self, options: Values, function: FunctionRef) -> list[Cause]:
        """Return that records are put into the stream."""
        cure = "put records into another stream, or only under a condition that comes to an end"
        actions = "kinesis:PutRecord", "kinesis:PutRecords"
        return [Cause(action, stream_arn(options, function), cure, stopped=False) for action in actions]

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the event source mapping."""
        return [mapping_of(options, function, stream_arn(options, function), (Stream(options["stream"]).key,))]

    def local_resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the stream."""
        return [Stream(options["stream"])]

    def failure_target(self, options: Values, function: FunctionRef) -> str:
        """Return the function's dead-letter queue: a stream has none of its own."""
        return function.dlq

    def statements(self, options: Values, function: FunctionRef) -> list[JSON]:
        """Return what Lambda's poller does with the function's role (Lambda: execution role for Kinesis)."""
        return reading(stream_arn(options, function), "kinesis", READING)

    def as_deployed(self, options: Values, resource: Resource, current: JSON) -> list[Values]:
        """Return the mapping's filter."""
        return deployed_filter(options, resource, current)

    def encryption_key(self, aws: AWS, options: Values, function: FunctionRef) -> str:
        """Return the stream's key."""
        key = (Stream(options["stream"]).read(aws) or {}).get("KeyId") or ""
        return key_arn(aws, key, function.region, function.account)

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the mappings of streams."""
        arns = [m["EventSourceArn"] for m in mappings if ":kinesis:" in m.get("EventSourceArn", "")]
        return [EventSourceMapping(function=function, source_arn=arn) for arn in arns]

    def grants(self, options: Values, function: FunctionRef) -> list[Grant]:
        """Return what who deploys and sends must be allowed for it, beside what its resources want."""
        actions = ("kinesis:DescribeStreamSummary", "kinesis:PutRecord")
        return [Grant(actions, (stream_arn(options, function),), own=False)]

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Look whether the stream exists; on the local AWS a deploy makes it."""
        stream = options["stream"]
        if aws.local or Stream(stream).read(aws) is not None:
            return Preflight()
        hint = f"aws kinesis create-stream --stream-name {stream} --shard-count 1 --region {function.region}"
        return Preflight([Problem(f"stream {stream} does not exist in {function.region}", hint)])

    def verdict(self, handler: str, options: Values, values: Values, function: FunctionRef) -> Note | None:
        """Return what the mapping's filter does with the record."""
        if not filters_of(options):
            return None
        passes = passes_filter(options, self.sample(options, function, **values)["Records"][0])
        return Note(PASSES if passes else DROPS, passes)

    def sample(self, options: Values, function: FunctionRef, **values: Any) -> JSON:
        """Return an event with one record (Lambda: Kinesis record event)."""
        data = text_of(values.get("message"), DEFAULT_DATA).encode()
        role = f"arn:{function.partition}:iam::{function.account}:role/{function.name}"
        record = kinesis_record(data, stream_arn(options, function), role, values.get("key") or "1")
        return {"Records": [record]}

    def values_of(self, record: JSON) -> JSON:
        """Return the data, if it is text, and the partition key."""
        told = record.get("kinesis", {})
        with suppress(ValueError):  # binascii's and UnicodeDecodeError are such
            return {"message": base64.b64decode(told["data"]).decode(), "key": told["partitionKey"]}
        return {}

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Put one record into the stream."""
        data, key = text_of(values.get("message"), DEFAULT_DATA).encode(), str(values.get("key") or uuid.uuid4())
        _require_room(aws, options["stream"], bytes_of([data, key]))
        answer = aws.client("kinesis").put_record(StreamName=options["stream"], Data=data, PartitionKey=key)
        event_id = f"{answer['ShardId']}:{answer['SequenceNumber']}"
        return Sent(event_id, (event_id,))


def _require_room(aws: AWS, stream: str, size: int) -> None:
    """Raise InvalidInputError where a record is larger than a stream takes; one that is not usual asks the stream."""
    most = MOST_OF_STREAM
    if USUAL_OF_STREAM < size <= MOST_OF_STREAM:
        with unless_denied():
            most = int((Stream(stream).read(aws) or {}).get("MaxRecordSizeInKiB", USUAL_OF_STREAM // 1024)) * 1024
    require_room(size, most, "the record with its partition key", f"stream {stream}")
