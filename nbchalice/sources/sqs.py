"""Amazon SQS: a function handles the messages of a queue through an event source mapping."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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
)
from nbchalice.sources.filters import filter_problems
from nbchalice.sources.mapping import EventSourceMapping
from nbchalice.sources.options import Option, json_value

SERVICE_DEFAULT_VISIBILITY = 30
QUEUE_URL = re.compile(r"https?://[^/]+/(?P<account>\d{12})/(?P<name>[^/?]+)")


@dataclass(frozen=True)
class QueueRef:
    """A queue, from its name, ARN or URL."""

    name: str
    region: str
    account: str
    partition: str

    @classmethod
    def parse(cls, text: str, home: FunctionRef | AWS) -> QueueRef:
        """Understand a name, an ARN or a URL; a name is a queue of the function's own region and account."""
        if text.startswith("arn:"):
            _, partition, _, region, account, name = text.split(":", 5)
            return cls(name, region, account, partition)
        if found := QUEUE_URL.match(text):
            host = re.search(r"sqs\.([a-z0-9-]+)\.", text)
            return cls(found["name"], host[1] if host else home.region, found["account"], home.partition)
        return cls(text, home.region, home.account, home.partition)

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return f"arn:{self.partition}:sqs:{self.region}:{self.account}:{self.name}"

    @property
    def fifo(self) -> bool:
        """Whether it is a FIFO queue; AWS demands the ending of the name."""
        return self.name.endswith(".fifo")

    def url(self, aws: AWS) -> str:
        """Ask SQS for the queue's URL."""
        answer = aws.client("sqs", self.region).get_queue_url(QueueName=self.name, QueueOwnerAWSAccountId=self.account)
        return str(answer["QueueUrl"])


@dataclass(frozen=True)
class Queue(Resource):
    """A queue of the user's, made on the local AWS only where it is missing."""

    kind: ClassVar[str] = "queue"
    queue: QueueRef

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.queue.name

    def read(self, aws: AWS) -> str | None:
        """Return the queue's URL, or None."""
        with or_missing():
            return self.queue.url(aws)
        return None

    def differences(self, current: Any) -> list[str]:
        """Nothing: the queue is the user's."""
        return []

    def write(self, aws: AWS, current: Any | None) -> None:
        """Create the queue with SQS's own defaults."""
        attributes = {"FifoQueue": "true"} if self.queue.fifo else {}
        aws.client("sqs", self.queue.region).create_queue(QueueName=self.queue.name, Attributes=attributes)

    def delete(self, aws: AWS, current: Any) -> None:
        """Never: the queue is the user's."""


@dataclass(frozen=True)
class VisibilityTimeout(Resource):
    """The visibility timeout of a queue, raised to what AWS advises (Lambda: six times the function's timeout)."""

    kind: ClassVar[str] = "visibility timeout"
    queue: QueueRef
    seconds: int

    @property
    def name(self) -> str:
        """The queue's name."""
        return self.queue.name

    @property
    def needs(self) -> frozenset[str]:
        """The queue."""
        return frozenset({f"queue {self.queue.name}"})

    def merge(self, other: Resource) -> Resource:
        """Return the longer one."""
        assert isinstance(other, VisibilityTimeout)
        return self if self.seconds >= other.seconds else other

    def read(self, aws: AWS) -> int | None:
        """Return the seconds, or None where there is no queue."""
        with or_missing():
            return visibility_timeout(aws, self.queue)
        return None

    def differences(self, current: int) -> list[str]:
        """Longer is fine."""
        return [f"{current} s -> {self.seconds} s"] if current < self.seconds else []

    def write(self, aws: AWS, current: Any | None) -> None:
        """Set it (SQS: SetQueueAttributes)."""
        aws.client("sqs", self.queue.region).set_queue_attributes(
            QueueUrl=self.queue.url(aws), Attributes={"VisibilityTimeout": str(self.seconds)}
        )

    def delete(self, aws: AWS, current: Any) -> None:
        """Never: the queue is the user's."""


def queue_of(options: Mapping[str, Any], home: FunctionRef | AWS) -> QueueRef:
    """Return the queue that the options name."""
    return QueueRef.parse(options.get("queue_arn") or options["queue"], home)


class SQS(Source):
    """`@app.on_sqs_message` and `%%on_sqs_message` (Chalice: SQS Events; Lambda: Using Lambda with Amazon SQS)."""

    name = "on_sqs_message"
    title = "SQS"
    event_class = "SQSEvent"
    argument = Option("queue", "name, ARN or URL of an existing queue", metavar="QUEUE")
    options = (
        Option("batch_size", "most messages per invocation", int, 1, "N", minimum=1, maximum=10_000),
        Option("queue_arn", "ARN of the queue, instead of its name", metavar="ARN"),
        Option(
            "maximum_batching_window_in_seconds",
            "how long Lambda may wait to fill a batch",
            int,
            0,
            "SECONDS",
            minimum=0,
            maximum=300,
        ),
        Option("maximum_concurrency", "most invocations at once", int, None, "N", minimum=2, maximum=1000),
        Option("report_failures", "a failed batch returns only its failed messages to the queue", bool, False),
        Option("per_record", "call the function once for each message, with one SQSRecord", bool, False),
        Option("filter", "only messages that match this event pattern (JSON)", json_value, None, "JSON"),
        Option(
            "fix_visibility_timeout", "raise the queue's visibility timeout to six times the function's", bool, False
        ),
        Option(
            "max_receive_count", "tries before a message goes to the dead-letter queue", int, None, "N", maximum=1000
        ),
    )
    fields = (
        Field("message", "Body", "area", '{"hello": "nbchalice"}'),
        Field("attribute", "Attributes", "pairs", help="message attributes, as text"),
        Field("group_id", "Group id", help="FIFO queues: messages of one group stay in order"),
        Field("dedup_id", "Deduplication id", help="FIFO queues"),
        Field("delay", "Delay (s)", "number", help="0 to 900 seconds"),
    )

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what Lambda would reject (Lambda: CreateEventSourceMapping)."""
        found = []
        queue = str(options.get("queue") or options.get("queue_arn") or "")
        if not queue or (options.get("queue") and options.get("queue_arn")):
            return ["give either queue or queue_arn"]
        name = QUEUE_URL.sub(lambda match: match["name"], queue).rsplit(":", 1)[-1]
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}(\.fifo)?", name) or len(name) > 80:
            found.append(f"{name!r} is no queue name: up to 80 letters, digits, - and _, perhaps ending in .fifo")
        size, window = options.get("batch_size") or 1, options.get("maximum_batching_window_in_seconds") or 0
        fifo = name.endswith(".fifo")
        if fifo and size > 10:
            found.append(f"--batch-size is 1 to 10 for a FIFO queue, not {size}")
        if fifo and window:
            found.append("a FIFO queue has no batching window; leave out --maximum-batching-window-in-seconds")
        if not fifo and size > 10 and window < 1:
            found.append("--batch-size over 10 needs --maximum-batching-window-in-seconds of at least 1")
        return found + filter_problems(patterns_of(options), "--filter")

    def describe(self, options: Mapping[str, Any]) -> str:
        """Return the trigger in a few words."""
        size = options.get("batch_size") or 1
        words = [
            f"queue {options.get('queue') or options.get('queue_arn')}",
            f"batches of {size}" if size > 1 else "",
        ]
        words.append("reports failures" if reports(options) else "")
        return ", ".join(word for word in words if word)

    def resources(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return the event source mapping, and the queue's visibility timeout where it is to be set."""
        fix = [VisibilityTimeout(queue_of(options, function), 6 * function.timeout)]
        return [
            *(fix if options.get("fix_visibility_timeout") else []),
            EventSourceMapping(
                function=function,
                source_arn=queue_of(options, function).arn,
                batch_size=options.get("batch_size") or 1,
                window=options.get("maximum_batching_window_in_seconds") or 0,
                maximum_concurrency=options.get("maximum_concurrency"),
                filters=tuple(json.dumps(p, sort_keys=True) for p in patterns_of(options)),
                report_failures=reports(options),
            ),
        ]

    def playthings(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return the queue."""
        return [Queue(queue_of(options, function))]

    def statements(self, options: Mapping[str, Any], function: FunctionRef) -> list[JSON]:
        """Return what Lambda's poller does with the function's role (Lambda: execution role for SQS)."""
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        return [{"Effect": "Allow", "Action": actions, "Resource": queue_of(options, function).arn}]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the mappings of queues."""
        arns = [m["EventSourceArn"] for m in mappings if ":sqs:" in m.get("EventSourceArn", "")]
        return [EventSourceMapping(function=function, source_arn=arn) for arn in arns]

    def preflight(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef) -> Preflight:
        """Look at the queue: it must exist, and keep a message hidden for as long as the function may run."""
        queue = queue_of(options, function)
        if queue.region != function.region:
            hint = f"use a queue in {function.region}, or deploy to {queue.region}"
            return Preflight(
                [Problem(f"queue {queue.name} is in {queue.region}, the function in {function.region}", hint)]
            )
        visibility: int | None = None
        with or_missing():
            visibility = visibility_timeout(aws, queue)
        if visibility is None:
            if not aws.local:
                hint = f"aws sqs create-queue --queue-name {queue.name} --region {queue.region}"
                return Preflight([Problem(f"queue {queue.name} does not exist in {queue.region}", hint)])
            visibility = SERVICE_DEFAULT_VISIBILITY
        return (
            Preflight()
            if options.get("fix_visibility_timeout")
            else Preflight(timeout=visibility, limit=f"queue {queue.name}")
        )

    def sample(self, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> JSON:
        """Return an event with one message (Lambda: Amazon SQS message event)."""
        body = text_of(values.get("message"), '{"hello": "nbchalice"}')
        message_id = str(uuid.uuid4())
        queue = queue_of(options, function)
        record = {
            "messageId": message_id,
            "receiptHandle": f"sample-{message_id}",
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1545082649183",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1545082649185",
                **({"MessageGroupId": values.get("group_id") or "default"} if queue.fifo else {}),
            },
            "messageAttributes": {
                name: {
                    "stringValue": value,
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String",
                }
                for name, value in dict(values.get("attribute") or {}).items()
            },
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": queue.arn,
            "awsRegion": queue.region,
        }
        return {"Records": [record]}

    def send(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> Sent:
        """Send one message to the queue."""
        queue = queue_of(options, aws)
        extra: JSON = {}
        if queue.fifo:
            extra["MessageGroupId"] = values.get("group_id") or "default"
            extra["MessageDeduplicationId"] = values.get("dedup_id") or str(uuid.uuid4())
        if values.get("delay"):
            extra["DelaySeconds"] = int(values["delay"])
        if attributes := dict(values.get("attribute") or {}):
            extra["MessageAttributes"] = {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            }
        body = text_of(values.get("message"), '{"hello": "nbchalice"}')
        answer = aws.client("sqs", queue.region).send_message(QueueUrl=queue.url(aws), MessageBody=body, **extra)
        return Sent(answer["MessageId"], (answer["MessageId"],))


def text_of(value: Any, default: str) -> str:
    """Return a message as text: JSON for anything but text."""
    if value is None or value == "":
        return default
    return value if isinstance(value, str) else json.dumps(value)


def reports(options: Mapping[str, Any]) -> bool:
    """Whether the function's answer names the messages that failed."""
    return bool(options.get("report_failures") or options.get("per_record"))


def patterns_of(options: Mapping[str, Any]) -> list[JSON]:
    """Return the filter's patterns; one pattern may be given without a list."""
    given = options.get("filter")
    return [] if given is None else given if isinstance(given, list) else [given]


def visibility_timeout(aws: AWS, queue: QueueRef) -> int:
    """Ask SQS for how many seconds a received message stays hidden."""
    answer = aws.client("sqs", queue.region).get_queue_attributes(
        QueueUrl=queue.url(aws), AttributeNames=["VisibilityTimeout"]
    )
    return int(answer["Attributes"]["VisibilityTimeout"])
