"""Amazon Kinesis: a function handles the records of a data stream through an event source mapping."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from nbchalice.errors import AWSError
from nbchalice.polling import Pace, poll
from nbchalice.resources.base import AWS, FunctionRef, Preflight, Problem, Resource, or_missing
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.sources.base import Field, Note, Sent, Source, text_of
from nbchalice.sources.filters import filter_problems, filters_of, passes_filter
from nbchalice.sources.options import Option
from nbchalice.sources.raw_events import kinesis_record
from nbchalice.sources.streams import DROPS, EVENT_FIELDS, PASSES, STREAM_OPTIONS, describe_stream, mapping_of, reading
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
class Stream(Resource):
    """A stream of the user's, made on the local AWS only where it is missing."""

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

    def differences(self, current: object) -> list[str]:
        """Nothing: the stream is the user's."""
        return []

    def write(self, aws: AWS, current: object) -> None:
        """Create the stream with one shard; returns when it can be read."""
        aws.client("kinesis").create_stream(StreamName=self.stream, ShardCount=1)

        def active() -> bool:
            return (self.read(aws) or {}).get("StreamStatus") == "ACTIVE"

        if not poll(active, time.monotonic() + ACTIVE_WITHIN, Pace(0.01, 1.0)):
            raise AWSError(f"the stream {self.stream} is not active after {ACTIVE_WITHIN:.0f} s", "try again later")

    def delete(self, aws: AWS, current: object) -> None:
        """Never: the stream is the user's."""


class Kinesis(Source):
    """`@app.on_kinesis_record` and `%%on_kinesis_record` (Chalice: Kinesis Events)."""

    name = "on_kinesis_record"
    title = "Kinesis"
    asynchronous = False
    examples = ("clicks", "clicks --batch-size 50 --starting-position TRIM_HORIZON")
    argument = Option("stream", "name of an existing stream", metavar="STREAM")
    options = STREAM_OPTIONS
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
        return filter_problems(filters_of(options), "--filter", RECORD_FIELDS, "data")

    def clash(self, one: Values, other: Values, *, same_function: bool) -> str | None:
        """Return that a function has a stream twice: Lambda takes one mapping for a stream and a function."""
        if same_function and one["stream"] == other["stream"]:
            return f"stream {one['stream']} triggers the function twice; keep one of the triggers"
        return None

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        return describe_stream(f"stream {options['stream']}", options)

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

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the mappings of streams."""
        arns = [m["EventSourceArn"] for m in mappings if ":kinesis:" in m.get("EventSourceArn", "")]
        return [EventSourceMapping(function=function, source_arn=arn) for arn in arns]

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

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Put one record into the stream."""
        answer = aws.client("kinesis").put_record(
            StreamName=options["stream"],
            Data=text_of(values.get("message"), DEFAULT_DATA).encode(),
            PartitionKey=values.get("key") or str(uuid.uuid4()),
        )
        event_id = f"{answer['ShardId']}:{answer['SequenceNumber']}"
        return Sent(event_id, (event_id,))
