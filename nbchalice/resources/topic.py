"""What stands on a topic: the topic itself, and the function's subscription to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, FunctionRef, Key, OfTheUser, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.permission import Permission
from nbchalice.typed import JSON

PRINCIPAL = "sns.amazonaws.com"


def topic_arn(topic: str, home: FunctionRef | AWS) -> str:
    """Return the ARN of a topic given by ARN, or by the name of one in the function's own region and account."""
    if topic.startswith("arn:"):
        return topic
    return str(Arn(home.partition, "sns", home.region, home.account, topic))


def region_of(arn: str) -> str:
    """Return the region that an ARN names."""
    return Arn.parse(arn).region


@dataclass(frozen=True)
class Topic(OfTheUser):
    """A topic of the user's."""

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

    def write(self, aws: AWS, current: object) -> None:
        """Create the topic."""
        aws.client("sns", region_of(self.topic_arn)).create_topic(Name=self.name)


@dataclass(frozen=True)
class Subscription(Resource):
    """The function's subscription to a topic (SNS: Subscribe); one for each topic and function.

    Parameters
    ----------
    function : FunctionRef
        The function.
    topic_arn : str
        The topic, also of another region.
    filter_policy : str
        JSON text of the filter policy, or an empty text.
    filter_scope : str
        ``MessageAttributes`` or ``MessageBody``.
    redrive_dlq : str
        ARN of the queue for messages that could not be delivered, or an empty text.
    """

    kind: ClassVar[str] = "subscription"
    delivers: ClassVar[bool] = True
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
    def key(self) -> Key:
        """One topic and one function."""
        return Key(f"{self.kind} {self.topic_arn} {self.function.name}")

    @property
    def needs(self) -> frozenset[Key]:
        """The topic, and the permission to invoke the function."""
        permission = Permission(self.function, PRINCIPAL, self.topic_arn)
        queues = {key_of("queue", self.redrive_dlq.rsplit(":", 1)[-1])} if self.redrive_dlq else set()
        return frozenset({permission.key, key_of("topic", self.topic_arn.rsplit(":", 1)[-1]), *queues})

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = ("GetSubscriptionAttributes", "ListSubscriptionsByTopic", "SetSubscriptionAttributes", "Subscribe")
        actions = tuple(f"sns:{name}" for name in (*names, "Unsubscribe"))
        return [Grant(actions, (self.topic_arn, f"{self.topic_arn}:*"), own=False)]

    def read(self, aws: AWS) -> JSON | None:
        """Return the subscription's attributes, or None."""
        client = aws.client("sns", region_of(self.topic_arn))
        with or_missing():
            pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.topic_arn)
            for page in pages:
                for subscription in page["Subscriptions"]:
                    if subscription["Protocol"] == "lambda" and subscription["Endpoint"] == self.function.arn:
                        arn = subscription["SubscriptionArn"]
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

    def blocks(self, current: JSON) -> str:
        """Return that nobody has confirmed it, as a topic of another account may ask for."""
        return "the subscription waits to be confirmed" if current.get("PendingConfirmation") == "true" else ""

    def write(self, aws: AWS, current: JSON | None) -> None:
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

    def delete(self, aws: AWS, current: JSON) -> None:
        """Unsubscribe."""
        with or_missing():
            aws.client("sns", region_of(self.topic_arn)).unsubscribe(SubscriptionArn=current["SubscriptionArn"])


def _parsed(text: str | None) -> object:
    try:
        return json.loads(text or "null") or None
    except ValueError:
        return text
