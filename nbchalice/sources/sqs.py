"""Amazon SQS: a function handles the messages of a queue through an event source mapping."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from nbchalice.errors import InvalidInputError
from nbchalice.resources.base import AWS, FunctionRef, Preflight, Problem, Resource, or_missing, status_code
from nbchalice.resources.event_source_mapping import EventSourceMapping, other_functions
from nbchalice.resources.grants import ALL_PERMISSIONS, Grant
from nbchalice.resources.queue import (
    Queue,
    QueueRef,
    RedrivePolicy,
    VisibilityTimeout,
    queue_problem,
    visibility_timeout,
)
from nbchalice.sources.attributes import USAGE, attributes_of, given
from nbchalice.sources.base import Cause, DeadLetters, Field, Note, Sent, Source
from nbchalice.sources.filters import deployed_filter, filter_problems, filter_texts, filters_of, passes_filter
from nbchalice.sources.given import message_text
from nbchalice.sources.messages import sqs_event
from nbchalice.sources.options import BATCHING_WINDOW, Option, flag_of, json_value
from nbchalice.sources.payloads import MOST_OF_QUEUE, message_size, require_room
from nbchalice.sources.pollers import POLLERS, poller_notes, poller_problems, pollers_of
from nbchalice.sources.raw_events import sqs_message
from nbchalice.sources.redirects import QueueRedirect, Redirect
from nbchalice.sources.s3 import S3
from nbchalice.sources.sns import SNS, notification_of
from nbchalice.sources.waiting import key_arn, queue_waits
from nbchalice.text import counted
from nbchalice.typed import JSON, Values

SERVICE_DEFAULT_VISIBILITY = 30
# Lambda, "Creating and configuring an Amazon SQS event source mapping": five tries or more before a dead-letter queue.
DEFAULT_TRIES = 5
DEFAULT_BODY = '{"hello": "nbchalice"}'
# Lambda, "Using event filtering with an Amazon SQS event source": the fields of a record.
RECORD_FIELDS = (
    "body", "attributes", "messageAttributes", "messageId", "receiptHandle", "md5OfBody", "eventSource",
    "eventSourceARN", "awsRegion",
)  # fmt: skip


def queue_text(options: Values) -> str:
    """Return how the options name the queue."""
    return str(options.get("queue_arn") or options.get("queue") or "")


def is_fifo(options: Values) -> bool:
    """Whether the options name a FIFO queue."""
    return queue_text(options).endswith(".fifo")


def queue_of(options: Values, home: FunctionRef | AWS) -> QueueRef:
    """Return the queue that the options name."""
    return QueueRef.parse(queue_text(options), home)


class SQS(Source):
    """`@app.on_sqs_message` and `%%on_sqs_message` (Chalice: SQS Events; Lambda: Using Lambda with Amazon SQS)."""

    name = "on_sqs_message"
    title = "SQS"
    live_for = "queues"
    examples = ("orders", "orders.fifo --batch-size 10 --report-failures", "orders --min-pollers 2 --max-pollers 20")
    asynchronous = False
    argument = Option("queue", "name, ARN or URL of an existing queue", metavar="QUEUE")
    options = (
        Option("batch_size", "most messages per invocation", int, 1, "N", minimum=1, maximum=10_000),
        Option("queue_arn", "ARN of the queue, instead of its name", metavar="ARN"),
        BATCHING_WINDOW,
        Option("maximum_concurrency", "most invocations at once", int, None, "N", minimum=2, maximum=1000),
        *POLLERS,
        Option(
            "report_failures",
            "only messages that the answer names as failed come back; after an exception all but those called done()",
            bool,
            False,
        ),
        Option(
            "per_record",
            "call the function once for each message, with one SQSRecord; only those that fail come back",
            bool,
            False,
        ),
        Option(
            "skip_failed_groups",
            "with --per-record: in a FIFO queue a failure ends its message group only, the others go on",
            bool,
            False,
        ),
        Option("filter", "only messages that match this event pattern (JSON)", json_value, None, "JSON"),
        Option(
            "fix_visibility_timeout", "raise the queue's visibility timeout to six times the function's", bool, False
        ),
        Option(
            "max_receive_count",
            f"tries before a message goes to the queue of --dlq; default: {DEFAULT_TRIES}",
            int,
            None,
            "N",
            minimum=1,
            maximum=1000,
        ),
    )
    fields = (
        Field("message", "Body", "area", DEFAULT_BODY),
        Field("attribute", "Attributes", "pairs", help=USAGE, types=("String", "Number", "Binary")),
        Field(
            "group_id",
            "Group id",
            help="in a FIFO queue one group stays in order (default when empty), in others it has a fair share",
        ),
        Field("dedup_id", "Deduplication id", help="the same one within 5 minutes is dropped; a new one when empty"),
        Field("delay", "Delay (s)", "number", help="0 to 900 seconds", minimum=0, maximum=900),
    )

    def check(self, options: Values) -> list[str]:
        """Return what Lambda would reject (Lambda: CreateEventSourceMapping)."""
        queue = queue_text(options)
        if not queue or (options.get("queue") and options.get("queue_arn")):
            return ["give one queue, not two" if queue else "QUEUE is missing: give the name, ARN or URL of a queue"]
        if wrong := queue_problem(queue):
            return [wrong]
        errors = []
        if options.get("skip_failed_groups") and not (queue.endswith(".fifo") and options.get("per_record")):
            errors.append("--skip-failed-groups is for a FIFO queue with --per-record")
        size, window = options.get("batch_size") or 1, options.get("maximum_batching_window_in_seconds") or 0
        fifo = queue.endswith(".fifo")
        if fifo and size > 10:
            errors.append(f"--batch-size is 1 to 10 for a FIFO queue, not {size}")
        if fifo and window:
            errors.append("a FIFO queue has no batching window; leave out --maximum-batching-window-in-seconds")
        if not fifo and size > 10 and window < 1:
            errors.append("--batch-size over 10 needs --maximum-batching-window-in-seconds of at least 1")
        errors += poller_problems(options)
        return errors + filter_problems(filters_of(options), "--filter", RECORD_FIELDS, "body")

    def check_settings(self, options: Values, settings: Values) -> list[str]:
        """Return how the queue and its dead-letter queue contradict each other (SQS: Dead-letter queues)."""
        queue, dlq = queue_text(options), settings.get("dlq")
        if not dlq:
            return ["--max-receive-count needs --dlq QUEUE"] if options.get("max_receive_count") else []
        if not isinstance(dlq, str) or queue_problem(dlq):
            return ["--dlq of a queue's handler is a queue: give its name or ARN"]
        if dlq.rsplit(":", 1)[-1] == queue.rsplit(":", 1)[-1].rsplit("/", 1)[-1]:
            return ["--dlq is the queue itself; give another queue"]
        if dlq.endswith(".fifo") != queue.endswith(".fifo"):
            kind = "FIFO" if queue.endswith(".fifo") else "standard"
            return [f"--dlq {dlq}: the dead-letter queue of a {kind} queue is a {kind} queue too"]
        return []

    def clash(self, one: Values, other: Values, *, same_function: bool) -> str | None:
        """Return that a function has a queue twice: Lambda takes one mapping for a queue and a function."""
        if same_function and queue_text(one) == queue_text(other):
            return f"queue {queue_text(one)} triggers the function twice; keep one of the triggers"
        return None

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return where the timeout comes from, and what a person may not expect."""
        notes = []
        if settings.get("timeout") is None and self.shortens_timeout(options):
            notes.append("timeout: the queue's visibility timeout where that is shorter than 60 s")
        if settings.get("dlq"):
            tries = options.get("max_receive_count") or DEFAULT_TRIES
            notes.append(f"a message goes to queue {settings['dlq']} after {counted(tries, 'try', 'tries')}")
        return notes + poller_notes(options)

    def unread(self, options: Values) -> str:
        """Return which option lets Lambda read it."""
        return "" if reports(options) else "add --report-failures"

    def subject(self, options: Values) -> str:
        """Return the queue's name."""
        return queue_text(options).rsplit("/", 1)[-1].rsplit(":", 1)[-1]

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        size = options.get("batch_size") or 1
        words = [
            f"queue {queue_text(options)}",
            f"batches of {size}" if size > 1 else "",
        ]
        words.append("reports failures" if reports(options) else "")
        return ", ".join(word for word in words if word)

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the event source mapping, and what is to be set on the queue."""
        queue = queue_of(options, function)
        resources: list[Resource] = []
        if options.get("fix_visibility_timeout"):
            resources.append(VisibilityTimeout(queue, 6 * function.timeout))
        if function.dlq:
            resources.append(RedrivePolicy(queue, function.dlq, options.get("max_receive_count") or DEFAULT_TRIES))
        return [*resources, mapping_of(options, function)]

    def redirect(self, options: Values, function: FunctionRef, queue_arn: str) -> Redirect:
        """Return how the queue is polled while its mapping is disabled."""
        return QueueRedirect(function, queue_arn, mapping_of(options, function))

    def local_resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the queue."""
        return [Queue(queue_of(options, function))]

    def statements(self, options: Values, function: FunctionRef) -> list[JSON]:
        """Return what Lambda's poller does with the function's role (Lambda: execution role for SQS)."""
        actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
        return [{"Effect": "Allow", "Action": actions, "Resource": queue_of(options, function).arn}]

    def as_deployed(self, options: Values, resource: Resource, current: JSON) -> list[Values]:
        """Return the mapping's filter."""
        return deployed_filter(options, resource, current)

    def waits(self, aws: AWS, options: Values, function: FunctionRef, values: Values | None) -> str:
        """Return where the queue has the message, or how many it has."""
        duplicate = self.duplicate(options, values) if values is not None else ""
        return queue_waits(aws, queue_of(options, function), values, duplicate)

    def encryption_key(self, aws: AWS, options: Values, function: FunctionRef) -> str:
        """Return the queue's key."""
        queue = queue_of(options, function)
        key = queue.settings(aws).get("KmsMasterKeyId", "")
        return key_arn(aws, key, queue.region, queue.account)

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the mappings of queues."""
        arns = [m["EventSourceArn"] for m in mappings if ":sqs:" in m.get("EventSourceArn", "")]
        return [EventSourceMapping(function=function, source_arn=arn, of_queue=True) for arn in arns]

    def grants(self, options: Values, function: FunctionRef) -> list[Grant]:
        """Return what who deploys and sends must be allowed for it, beside what its resources want."""
        names = ("DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage", "SendMessage")
        return [Grant(tuple(f"sqs:{name}" for name in names), (queue_of(options, function).arn,), own=False)]

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Look at the queue: it must exist, and keep a message hidden for as long as the function may run."""
        queue = queue_of(options, function)
        if queue.region != function.region:
            hint = f"use a queue in {function.region}, or deploy to {queue.region}"
            return Preflight(
                [Problem(f"queue {queue.name} is in {queue.region}, the function in {function.region}", hint)]
            )
        visibility: int | None = None
        try:
            with or_missing():
                visibility = visibility_timeout(aws, queue)
        except aws.client("sqs", queue.region).exceptions.ClientError as error:
            if status_code(error) != 403:
                raise
            hint = f"the queue's policy, or yours, must allow sqs:GetQueueUrl and sqs:GetQueueAttributes on {queue.arn}"
            message = f"queue {queue.name} of account {queue.account} may not be read"
            return Preflight([Problem(message, f"{hint}; {ALL_PERMISSIONS}")])
        if visibility is None:
            if not aws.local:
                hint = f"aws sqs create-queue --queue-name {queue.name} --region {queue.region}"
                return Preflight([Problem(f"queue {queue.name} does not exist in {queue.region}", hint)])
            visibility = SERVICE_DEFAULT_VISIBILITY
        if not self.shortens_timeout(options):
            return Preflight()
        return Preflight(timeout=visibility, limit=f"queue {queue.name}")

    def shortens_timeout(self, options: Values) -> bool:
        """Whether the queue's visibility timeout is taken as it is."""
        return not options.get("fix_visibility_timeout")

    def shared(self, options: Values, function: FunctionRef) -> str | None:
        """Return the queue's ARN."""
        return queue_of(options, function).arn

    def causes(self, options: Values, function: FunctionRef) -> list[Cause]:
        """Return that a message is sent to the queue."""
        cure = "send to another queue, or only under a condition that comes to an end"
        return [Cause("sqs:SendMessage", queue_of(options, function).arn, cure)]

    def competing_functions(self, aws: AWS, options: Values, function: FunctionRef) -> list[str]:
        """Return which other functions read the queue (Lambda: ListEventSourceMappings)."""
        return other_functions(aws, queue_of(options, function).arn, function.name)

    def competing_consumers(self, aws: AWS, options: Values, function: FunctionRef) -> str | None:
        """Return which other functions read the queue: each of its messages goes to one of them only."""
        queue = queue_of(options, function)
        names = self.competing_functions(aws, options, function)
        if not names:
            return None
        verb = "reads" if len(names) == 1 else "read"
        return f"{', '.join(names)} {verb} queue {queue.name}, too: each message goes to one of its readers only"

    def dead_letters(self, aws: AWS, options: Values, function: FunctionRef) -> DeadLetters | None:
        """Return the queue of the redrive policy that stands (SQS: GetQueueAttributes)."""
        queue = queue_of(options, function)
        policy = queue.settings(aws).get("RedrivePolicy")
        return DeadLetters(json.loads(policy)["deadLetterTargetArn"], queue.arn) if policy else None

    def form_fields(self, options: Values) -> list[Field]:
        """Return the fields for the queue: FIFO queues have deduplication, the others a delay."""
        foreign = {"delay"} if is_fifo(options) else {"dedup_id"}
        return [field for field in self.fields if field.name not in foreign]

    def repeated(self, options: Values, values: Values) -> Values:
        """Return the values with a deduplication id: by it a FIFO queue knows a message again."""
        if not is_fifo(options):
            return values
        return {**values, "dedup_id": values.get("dedup_id") or str(uuid.uuid4())}

    def distinct(self, options: Values, values: Values) -> Values:
        """Return the values without a deduplication id: `send` then makes a new one each time."""
        return {name: value for name, value in values.items() if name != "dedup_id"}

    def duplicate(self, options: Values, values: Values) -> str:
        """Return for how long a FIFO queue knows a deduplication id again."""
        if not is_fifo(options) or not values.get("dedup_id"):
            return ""
        return (
            f"for 5 minutes the queue drops what has the same deduplication id; give another than {values['dedup_id']}"
        )

    def templates(self, options: Values, function: FunctionRef) -> dict[str, JSON]:
        """Return texts, and what a queue gets from a bucket and from a topic."""
        stored = S3().sample({"bucket": "uploads"}, function)
        published = SNS().sample({"topic": "news"}, function, message="We open at nine", subject="Opening")
        return {
            **super().templates(options, function),
            "text": {"message": "hello from nbchalice"},
            "with an attribute": {"message": '{"hello": "nbchalice"}', "attribute": {"kind": "test"}},
            "S3 notification": {"message": json.dumps(stored, indent=2)},
            "SNS notification": {"message": json.dumps(notification_of(published), indent=2)},
        }

    def verdict(self, handler: str, options: Values, values: Values, function: FunctionRef) -> Note | None:
        """Return what the mapping's filter does with the message."""
        if not filters_of(options):
            return None
        passes = passes_filter(options, self.sample(options, function, **values)["Records"][0])
        text = "the filter lets it through" if passes else "the filter drops it: Lambda deletes the message unhandled"
        return Note(text, passes)

    def sample(self, options: Values, function: FunctionRef, **values: Any) -> JSON:
        """Return an event with one message (Lambda: Amazon SQS message event)."""
        queue = queue_of(options, function)
        group_id = values.get("group_id") or ("default" if queue.fifo else "")
        message = sqs_message(body_of(values), attributes=attributes_of(values), group_id=group_id)
        return sqs_event([message], queue.arn)

    def values_of(self, record: JSON) -> JSON:
        """Return the body, the attributes and the group."""
        group = {"group_id": one} if (one := record.get("attributes", {}).get("MessageGroupId")) else {}
        return {"message": record.get("body", ""), **given(record.get("messageAttributes", {})), **group}

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: Any) -> Sent:
        """Send one message to the queue."""
        queue = queue_of(options, aws)
        extra: JSON = {}
        if queue.fifo:
            extra["MessageDeduplicationId"] = values.get("dedup_id") or str(uuid.uuid4())
        if foreign := [name for name in ("delay" if queue.fifo else "dedup_id",) if values.get(name)]:
            kind = "FIFO" if queue.fifo else "standard"
            raise InvalidInputError(f"a {kind} queue has no {flag_of(foreign[0])}", f"leave it out for {queue.name}")
        if group_id := values.get("group_id") or ("default" if queue.fifo else ""):
            extra["MessageGroupId"] = group_id
        if values.get("delay"):
            extra["DelaySeconds"] = int(values["delay"])
        if attributes := attributes_of(values):
            extra["MessageAttributes"] = attributes
        body = body_of(values)
        require_room(message_size(body, attributes), MOST_OF_QUEUE, "the message with its attributes", "SQS")
        answer = aws.client("sqs", queue.region).send_message(QueueUrl=queue.url(aws), MessageBody=body, **extra)
        return Sent(answer["MessageId"], (answer["MessageId"],))


def body_of(values: Values) -> str:
    """Return the body to send."""
    return message_text(values, DEFAULT_BODY, "SQS")


def mapping_of(options: Values, function: FunctionRef) -> EventSourceMapping:
    """Return the mapping of the queue to the function."""
    queue = queue_of(options, function)
    return EventSourceMapping(
        function=function,
        source_arn=queue.arn,
        batch_size=options.get("batch_size") or 1,
        window=options.get("maximum_batching_window_in_seconds") or 0,
        maximum_concurrency=options.get("maximum_concurrency"),
        pollers=tuple(pollers_of(options).items()),
        filters=filter_texts(options),
        report_failures=reports(options),
        of_queue=True,
        after=(Queue(queue).key, VisibilityTimeout(queue, 0).key),
    )


def reports(options: Values) -> bool:
    """Whether the function's answer names the messages that failed."""
    return bool(options.get("report_failures") or options.get("per_record"))
