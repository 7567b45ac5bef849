"""Amazon SNS: a function handles what is published to a topic."""

from __future__ import annotations

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
from nbchalice.sources.filters import pattern_problems
from nbchalice.sources.options import Option, json_value
from nbchalice.sources.permission import Permission, principal_of, source_arn_of
from nbchalice.sources.sqs import text_of

PRINCIPAL = "sns.amazonaws.com"
TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}(\.fifo)?")


def topic_arn(topic: str, home: FunctionRef | AWS) -> str:
    """Return the ARN of a topic given by ARN, or by the name of one in the function's own region and account."""
    if topic.startswith("arn:"):
        return topic
    return f"arn:{home.partition}:sns:{home.region}:{home.account}:{topic}"


def region_of(arn: str) -> str:
    """Return the region that an ARN names."""
    return arn.split(":")[3]


@dataclass(frozen=True)
class Topic(Resource):
    """A topic of the user's, made on the local AWS only where it is missing."""

    kind: ClassVar[str] = "topic"
    topic_arn: str

    @property
    def name(self) -> str:
        """The topic's name."""
        return self.topic_arn.rsplit(":", 1)[-1]

    def read(self, aws: AWS) -> JSON | None:
        """Return the topic's attributes, or None."""
        with or_missing():
            client = aws.client("sns", region_of(self.topic_arn))
            return dict(client.get_topic_attributes(TopicArn=self.topic_arn)["Attributes"])
        return None

    def differences(self, current: Any) -> list[str]:
        """Nothing: the topic is the user's."""
        return []

    def write(self, aws: AWS, current: Any | None) -> None:
        """Create the topic."""
        aws.client("sns", region_of(self.topic_arn)).create_topic(Name=self.name)

    def delete(self, aws: AWS, current: Any) -> None:
        """Never: the topic is the user's."""


@dataclass(frozen=True)
class Subscription(Resource):
    """The function's subscription to a topic (SNS: Subscribe); one for each topic and function.

    Parameters
    ----------
    function: the function.
    topic_arn: the topic, also of another region.
    filter_policy: JSON text of the filter policy, or an empty text.
    filter_scope: ``MessageAttributes`` or ``MessageBody``.
    redrive_dlq: ARN of the queue for messages that could not be delivered, or an empty text.
    """

    kind: ClassVar[str] = "subscription"
    function: FunctionRef
    topic_arn: str
    filter_policy: str = ""
    filter_scope: str = "MessageAttributes"
    redrive_dlq: str = ""

    @property
    def name(self) -> str:
        """The topic and the function."""
        return f"{self.topic_arn.rsplit(':', 1)[-1]} -> {self.function.name}"

    @property
    def key(self) -> str:
        """One topic and one function."""
        return f"{self.kind} {self.topic_arn} {self.function.name}"

    @property
    def needs(self) -> frozenset[str]:
        """The topic, and the permission to invoke the function."""
        permission = Permission(self.function, PRINCIPAL, self.topic_arn)
        return frozenset({permission.key, f"topic {self.topic_arn.rsplit(':', 1)[-1]}"})

    def read(self, aws: AWS) -> JSON | None:
        """Return the subscription's attributes, or None."""
        client = aws.client("sns", region_of(self.topic_arn))
        with or_missing():
            pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.topic_arn)
            for page in pages:
                for found in page["Subscriptions"]:
                    if found["Protocol"] == "lambda" and found["Endpoint"] == self.function.arn:
                        arn = found["SubscriptionArn"]
                        return dict(client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"])
        return None

    def wanted(self) -> dict[str, str]:
        """Return the attributes as SetSubscriptionAttributes takes them."""
        redrive = json.dumps({"deadLetterTargetArn": self.redrive_dlq}) if self.redrive_dlq else ""
        scope = {"FilterPolicyScope": self.filter_scope} if self.filter_policy else {}
        return {**scope, "FilterPolicy": self.filter_policy, "RedrivePolicy": redrive}

    def differences(self, current: JSON) -> list[str]:
        """Compare each attribute."""
        return [
            f"{name}: {current.get(name) or 'none'} -> {value or 'none'}"
            for name, value in self.wanted().items()
            if _parsed(current.get(name)) != _parsed(value)
        ]

    def write(self, aws: AWS, current: Any | None) -> None:
        """Subscribe, or set the attributes that differ."""
        client = aws.client("sns", region_of(self.topic_arn))
        wanted = self.wanted()
        if current is None:
            client.subscribe(
                TopicArn=self.topic_arn,
                Protocol="lambda",
                Endpoint=self.function.arn,
                Attributes={name: value for name, value in wanted.items() if value},
                ReturnSubscriptionArn=True,
            )
            return
        for name, value in wanted.items():
            if _parsed(current.get(name)) != _parsed(value):
                empty = "{}" if name == "FilterPolicy" else ""
                client.set_subscription_attributes(
                    SubscriptionArn=current["SubscriptionArn"],
                    AttributeName=name,
                    AttributeValue=value or empty,
                )

    def delete(self, aws: AWS, current: Any) -> None:
        """Unsubscribe."""
        with or_missing():
            aws.client("sns", region_of(self.topic_arn)).unsubscribe(SubscriptionArn=current["SubscriptionArn"])


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text) or None
    except (TypeError, ValueError):
        return text or None


class SNS(Source):
    """`@app.on_sns_message` and `%%on_sns_message` (Chalice: SNS Events)."""

    name = "on_sns_message"
    title = "SNS"
    event_class = "SNSEvent"
    argument = Option("topic", "name or ARN of an existing topic", metavar="TOPIC")
    options = (
        Option("filter_policy", "only messages that match this filter policy (JSON)", json_value, None, "JSON"),
        Option(
            "filter_scope",
            "what the filter policy looks at",
            default="MessageAttributes",
            metavar="SCOPE",
            choices=("MessageAttributes", "MessageBody"),
        ),
        Option("redrive_dlq", "ARN of a queue for messages that could not be delivered", metavar="ARN"),
    )
    fields = (
        Field("message", "Message", "area", "hello from nbchalice"),
        Field("subject", "Subject", help="up to 100 characters, one line"),
        Field("attribute", "Attributes", "pairs", help="message attributes, as text"),
    )

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what SNS would reject."""
        topic = str(options.get("topic"))
        name = topic.rsplit(":", 1)[-1]
        if topic.startswith("arn:") and (topic.count(":") != 5 or topic.split(":")[2] != "sns"):
            return [f"{topic!r} is no ARN of a topic: arn:aws:sns:REGION:ACCOUNT:NAME"]
        if not TOPIC_NAME.fullmatch(name):
            return [f"{name!r} is no topic name: up to 256 letters, digits, - and _"]
        if name.endswith(".fifo"):
            return [
                "a Lambda function cannot subscribe to a FIFO topic; "
                "subscribe a FIFO queue to it and use on_sqs_message with that queue"
            ]
        policy = options.get("filter_policy")
        return [] if policy is None else pattern_problems(policy, "--filter-policy")

    def describe(self, options: Mapping[str, Any]) -> str:
        """Return the trigger in a few words."""
        filtered = ", filtered" if options.get("filter_policy") else ""
        return f"topic {options['topic']}{filtered}"

    def resources(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return the permission and the subscription."""
        arn = topic_arn(options["topic"], function)
        policy = options.get("filter_policy")
        return [
            Permission(function, PRINCIPAL, arn),
            Subscription(
                function,
                arn,
                json.dumps(policy, sort_keys=True) if policy else "",
                options.get("filter_scope") or "MessageAttributes",
                options.get("redrive_dlq") or "",
            ),
        ]

    def playthings(self, options: Mapping[str, Any], function: FunctionRef) -> list[Resource]:
        """Return the topic."""
        return [Topic(topic_arn(options["topic"], function))]

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the subscriptions to the topics that may invoke the function."""
        arns = [source_arn_of(s) for s in policy if principal_of(s) == PRINCIPAL]
        return [Subscription(function, arn) for arn in arns if arn]

    def preflight(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef) -> Preflight:
        """Look whether the topic exists; on the local AWS a deploy makes it."""
        topic = Topic(topic_arn(options["topic"], function))
        if aws.local or topic.read(aws) is not None:
            return Preflight()
        region = region_of(topic.topic_arn)
        hint = f"aws sns create-topic --name {topic.name} --region {region}"
        return Preflight([Problem(f"topic {topic.name} does not exist in {region}", hint)])

    def sample(self, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> JSON:
        """Return an event with one notification (Lambda: Amazon SNS notification event)."""
        arn = topic_arn(options["topic"], function)
        message_id = str(uuid.uuid4())
        notification = {
            "SignatureVersion": "1",
            "Timestamp": "2019-01-02T12:45:07.000Z",
            "Signature": "sample",
            "SigningCertUrl": f"https://sns.{region_of(arn)}.amazonaws.com/SimpleNotificationService.pem",
            "MessageId": message_id,
            "Message": text_of(values.get("message"), "hello from nbchalice"),
            "MessageAttributes": {
                name: {"Type": "String", "Value": value} for name, value in dict(values.get("attribute") or {}).items()
            },
            "Type": "Notification",
            "UnsubscribeUrl": f"https://sns.{region_of(arn)}.amazonaws.com/?Action=Unsubscribe",
            "TopicArn": arn,
            "Subject": values.get("subject") or None,
        }
        record = {"EventVersion": "1.0", "EventSource": "aws:sns", "EventSubscriptionArn": f"{arn}:sample"}
        return {"Records": [{**record, "Sns": notification}]}

    def send(self, aws: AWS, options: Mapping[str, Any], function: FunctionRef, **values: Any) -> Sent:
        """Publish one message to the topic."""
        arn = topic_arn(options["topic"], function)
        extra: JSON = {"Subject": values["subject"]} if values.get("subject") else {}
        if attributes := dict(values.get("attribute") or {}):
            extra["MessageAttributes"] = {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            }
        message = text_of(values.get("message"), "hello from nbchalice")
        answer = aws.client("sns", region_of(arn)).publish(TopicArn=arn, Message=message, **extra)
        return Sent(answer["MessageId"], (answer["MessageId"],))
