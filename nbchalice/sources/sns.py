"""Amazon SNS: a function handles what is published to a topic."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nbchalice.errors import InvalidInputError
from nbchalice.patterns import SCOPES, check_policy, policy_passes
from nbchalice.resources.base import AWS, FunctionRef, Preflight, Problem, Resource, status_code, unless_denied
from nbchalice.resources.grants import ALL_PERMISSIONS, Grant
from nbchalice.resources.permission import Permission, principal_of, source_arn_of
from nbchalice.resources.queue import Queue, QueueRef, queue_problem
from nbchalice.resources.topic import PRINCIPAL, Subscription, Topic, region_of, topic_arn
from nbchalice.sources.attributes import USAGE, attributes_of, given, notified
from nbchalice.sources.base import Cause, Field, Note, Sent, Source
from nbchalice.sources.filters import policy_problems
from nbchalice.sources.given import message_text
from nbchalice.sources.options import Option, json_value
from nbchalice.sources.payloads import MOST_OF_TOPIC, USUAL_OF_TOPIC, message_size, require_room
from nbchalice.sources.raw_events import sns_event, sns_notification
from nbchalice.sources.redirects import Redirect, TopicRedirect
from nbchalice.typed import JSON, Values

TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")
TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[^:]+")
LONGEST_SUBJECT = 100
DEFAULT_MESSAGE = "hello from nbchalice"


def _redrive_queue(options: Values, function: FunctionRef) -> QueueRef:
    """Return the queue of the redrive policy: SNS wants it in the topic's region and account."""
    topic = topic_arn(options["topic"], function).split(":")
    return QueueRef.parse(options["redrive_dlq"], replace(function, region=topic[3], account=topic[4]))


def _subscription(options: Values, function: FunctionRef) -> Subscription:
    policy = options.get("filter_policy")
    return Subscription(
        function,
        topic_arn(options["topic"], function),
        json.dumps(policy, sort_keys=True) if policy else "",
        options.get("filter_scope") or "MessageAttributes",
        _redrive_queue(options, function).arn if options.get("redrive_dlq") else "",
    )


def subject_problem(subject: str) -> str | None:
    """Return why SNS would refuse a subject, or None (SNS: Publish)."""
    if len(subject) > LONGEST_SUBJECT:
        return f"the subject has {len(subject)} characters; SNS takes up to {LONGEST_SUBJECT}"
    if not subject.isprintable():
        return "the subject must be one line of text without control characters"
    return None


def message_of(values: Values) -> str:
    """Return the text to publish."""
    return message_text(values, DEFAULT_MESSAGE, "SNS")


class SNS(Source):
    """`@app.on_sns_message` and `%%on_sns_message` (Chalice: SNS Events)."""

    name = "on_sns_message"
    title = "SNS"
    live_for = "topics"
    examples = ("news", """news --filter-policy '{"kind": ["sale"]}'""")
    argument = Option("topic", "name or ARN of an existing topic", metavar="TOPIC")
    options = (
        Option("filter_policy", "only messages that match this filter policy (JSON)", json_value, None, "JSON"),
        Option(
            "filter_scope",
            "what the filter policy looks at",
            default="MessageAttributes",
            metavar="SCOPE",
            choices=SCOPES,
        ),
        Option("redrive_dlq", "queue for messages that could not be delivered: name or ARN", metavar="QUEUE"),
    )
    fields = (
        Field("message", "Message", "area", DEFAULT_MESSAGE),
        Field("subject", "Subject", help="up to 100 characters, one line"),
        Field("attribute", "Attributes", "pairs", help=USAGE, types=("String", "Number", "String.Array", "Binary")),
    )

    def check(self, options: Values) -> list[str]:
        """Return what SNS would reject."""
        topic = options.get("topic")
        if not topic:
            return ["TOPIC is missing: give the name or ARN of a topic"]
        if topic.startswith("arn:") and not TOPIC_ARN.fullmatch(topic):
            return [f"{topic!r} is not the ARN of a topic: arn:aws:sns:REGION:ACCOUNT:NAME"]
        name = topic.rsplit(":", 1)[-1] if topic.startswith("arn:") else topic
        if not TOPIC_NAME.fullmatch(name):
            return [f"{name!r} is not a topic name: up to 256 letters, digits, - and _"]
        if name.endswith(".fifo"):
            return [
                "a Lambda function cannot subscribe to a FIFO topic; "
                "subscribe a FIFO queue to it and use on_sqs_message with that queue"
            ]
        return self._check_policies(options)

    def _check_policies(self, options: Values) -> list[str]:
        policy, dlq = options.get("filter_policy"), options.get("redrive_dlq")
        scope = options.get("filter_scope") or "MessageAttributes"
        errors = [] if policy is None else policy_problems(policy, scope, "--filter-policy")
        if policy is None and scope != "MessageAttributes":
            errors.append("--filter-scope needs --filter-policy")
        if dlq and (wrong := queue_problem(dlq)):
            errors.append(f"--redrive-dlq: {wrong}")
        elif dlq and dlq.endswith(".fifo"):
            errors.append("--redrive-dlq must be a standard queue, as the topic is a standard topic; not a FIFO queue")
        elif (
            dlq
            and dlq.startswith("arn:")
            and options["topic"].startswith("arn:")
            and dlq.split(":")[3:5] != options["topic"].split(":")[3:5]
        ):
            errors.append("--redrive-dlq must be in the region and account of the topic")
        return errors

    def clash(self, one: Values, other: Values, *, same_function: bool) -> str | None:
        """Return that a function has a topic twice: SNS keeps one subscription for a topic and a function."""
        if same_function and one["topic"] == other["topic"]:
            return f"topic {one['topic']} triggers the function twice; keep one, and put both filters into it"
        return None

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return what the queue of the redrive policy needs."""
        dlq = options.get("redrive_dlq")
        return [f"the policy of queue {dlq} must let sns.amazonaws.com send messages"] if dlq else []

    def subject(self, options: Values) -> str:
        """Return the topic's name."""
        return str(options["topic"]).rsplit(":", 1)[-1]

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        filtered = ", filtered" if options.get("filter_policy") else ""
        return f"topic {options['topic']}{filtered}"

    def causes(self, options: Values, function: FunctionRef) -> list[Cause]:
        """Return that a message is published to the topic."""
        cure = "publish to another topic, or let --filter-policy leave out what the function publishes"
        return [Cause("sns:Publish", topic_arn(options["topic"], function), cure)]

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the permission and the subscription."""
        subscription = _subscription(options, function)
        return [Permission(function, PRINCIPAL, subscription.topic_arn), subscription]

    def redirect(self, options: Values, function: FunctionRef, queue_arn: str) -> Redirect:
        """Return how a queue takes the function's place among the topic's subscribers."""
        return TopicRedirect(function, queue_arn, _subscription(options, function))

    def local_resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the topic, and the queue of the redrive policy."""
        queues = [Queue(_redrive_queue(options, function))] if options.get("redrive_dlq") else []
        return [Topic(topic_arn(options["topic"], function)), *queues]

    def as_deployed(self, options: Values, resource: Resource, current: JSON) -> list[Values]:
        """Return the filter policy of the subscription."""
        if not isinstance(resource, Subscription):
            return [options]
        policy = json.loads(current.get("FilterPolicy") or "{}") or None
        scope = current.get("FilterPolicyScope") if policy else None
        return [{**options, "filter_policy": policy, "filter_scope": scope}]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the subscriptions to the topics that may invoke the function."""
        arns = [source_arn_of(s) for s in policy if principal_of(s) == PRINCIPAL]
        return [Subscription(function, arn) for arn in arns if arn]

    def grants(self, options: Values, function: FunctionRef) -> list[Grant]:
        """Return what who deploys and sends must be allowed for it, beside what its resources want."""
        return [Grant(("sns:GetTopicAttributes", "sns:Publish"), (topic_arn(options["topic"], function),), own=False)]

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Look whether the topic and the queue of the redrive policy exist; on the local AWS a deploy makes them."""
        if aws.local:
            return Preflight()
        topic = Topic(topic_arn(options["topic"], function))
        region = region_of(topic.topic_arn)
        problems = []
        try:
            standing = topic.read(aws)
        except aws.client("sns", region).exceptions.ClientError as error:
            if status_code(error) != 403:
                raise
            hint = f"its policy, or yours, must allow sns:GetTopicAttributes on {topic.topic_arn}"
            return Preflight([Problem(f"topic {topic.name} may not be read", f"{hint}; {ALL_PERMISSIONS}")])
        if standing is None:
            hint = f"aws sns create-topic --name {topic.name} --region {region}"
            problems.append(Problem(f"topic {topic.name} does not exist in {region}", hint))
        if options.get("redrive_dlq") and Queue(queue := _redrive_queue(options, function)).read(aws) is None:
            hint = f"aws sqs create-queue --queue-name {queue.name} --region {queue.region}"
            problems.append(Problem(f"queue {queue.name} of --redrive-dlq does not exist in {queue.region}", hint))
        return Preflight(problems)

    def templates(self, options: Values, function: FunctionRef) -> dict[str, JSON]:
        """Return messages with and without a subject."""
        return {
            **super().templates(options, function),
            "with a subject": {"message": "We open at nine", "subject": "Opening"},
            "JSON with an attribute": {"message": '{"hello": "nbchalice"}', "attribute": {"kind": "test"}},
        }

    def shares_events(self, one: Values, other: Values, function: FunctionRef) -> bool:
        """Whether both listen to one topic."""
        return topic_arn(one["topic"], function) == topic_arn(other["topic"], function)

    def verdict(self, handler: str, options: Values, values: Values, function: FunctionRef) -> Note | None:
        """Return what the filter policy does with the message."""
        policy = options.get("filter_policy")
        if not policy:
            return Note(f"{handler} gets every message of the topic", True)
        scope = options.get("filter_scope") or "MessageAttributes"
        passes = policy_passes(check_policy(policy, scope), scope, message_of(values), attributes_of(values))
        what = "lets it through" if passes else "does not match: SNS drops it"
        return Note(f"{handler}: its filter policy {what}", passes)

    def sample(self, options: Values, function: FunctionRef, **values: Any) -> JSON:
        """Return an event with one notification (Lambda: Amazon SNS notification event)."""
        arn = topic_arn(options["topic"], function)
        attributes = {name: notified(attribute) for name, attribute in attributes_of(values).items()}
        notification = sns_notification(arn, message_of(values), values.get("subject") or None, attributes)
        return sns_event(notification, f"{arn}:sample")

    def values_of(self, record: JSON) -> JSON:
        """Return the message, the subject and the attributes."""
        told = record.get("Sns", {})
        subject = {"subject": told["Subject"]} if told.get("Subject") else {}
        return {"message": told.get("Message", ""), **subject, **given(told.get("MessageAttributes", {}))}

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: Any) -> Sent:
        """Publish one message to the topic."""
        arn = topic_arn(options["topic"], function)
        subject = values.get("subject")
        if subject and (wrong := subject_problem(subject)):
            raise InvalidInputError(wrong, "shorten --subject, or put the text into --message")
        extra: JSON = {"Subject": subject} if subject else {}
        if attributes := attributes_of(values):
            extra["MessageAttributes"] = attributes
        message = message_of(values)
        require_room_in_topic(aws, arn, message_size(message, attributes))
        answer = aws.client("sns", region_of(arn)).publish(TopicArn=arn, Message=message, **extra)
        return Sent(answer["MessageId"], (answer["MessageId"],))


def require_room_in_topic(aws: AWS, arn: str, size: int) -> None:
    """Raise InvalidInputError where a message is larger than a topic takes; one that is not usual asks the topic."""
    most = MOST_OF_TOPIC
    if USUAL_OF_TOPIC < size <= MOST_OF_TOPIC:
        with unless_denied():
            most = int((Topic(arn).read(aws) or {}).get("MaximumMessageSize", USUAL_OF_TOPIC))
    require_room(size, most, "the message with its attributes", f"topic {arn.rsplit(':', 1)[-1]}")


def notification_of(event: JSON) -> JSON:
    """Return what a queue that is subscribed to the topic gets (SNS: "Fanout to Amazon SQS queues").

    Parameters
    ----------
    event : JSON
        The event that a function gets.
    """
    names = {"SigningCertUrl": "SigningCertURL", "UnsubscribeUrl": "UnsubscribeURL"}
    notification = event["Records"][0]["Sns"]
    return {names.get(name, name): value for name, value in notification.items() if name != "MessageAttributes"}
