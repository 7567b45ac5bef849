"""Redirects of live mode: they lead a trigger's events to a queue instead of the deployed function, and back again.

Beginning and ending may be repeated, and ending needs nothing but the names: another process can do it after a crash.
"""

from __future__ import annotations

import copy
import json
import time
import uuid
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar

from nbchalice import patterns
from nbchalice.errors import AWSError
from nbchalice.polling import Pace, poll
from nbchalice.resources.base import AWS, FunctionRef, Resource
from nbchalice.resources.bucket import KEY_OF_KIND, BucketNotifications, put_notifications
from nbchalice.resources.bucket import PRINCIPAL as S3_SERVICE
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.resources.locks import locked
from nbchalice.resources.rule import PRINCIPAL as EVENTS
from nbchalice.resources.rule import TARGET_ID, Rule
from nbchalice.resources.topic import PRINCIPAL as SNS_SERVICE
from nbchalice.resources.topic import Subscription, region_of
from nbchalice.sources.messages import plain_event, queued_sns_event, sqs_event
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_events.type_defs import TargetTypeDef

PAUSED_WITHIN = 60.0
ENTRY = "nbchalice-live"
LAMBDA, QUEUE = "LambdaFunctionConfigurations", "QueueConfigurations"


@dataclass(frozen=True)
class Redirect(ABC):
    """How the events of one trigger reach a queue.

    Parameters
    ----------
    function : FunctionRef
        The deployed function.
    queue_arn : str
        The temporary queue.
    displaced : Resource
        The trigger's resource that is changed or removed meanwhile.

    Attributes
    ----------
    principal : str
        The service that sends to the temporary queue, or an empty text where none does.
    """

    function: FunctionRef
    queue_arn: str
    displaced: Resource

    principal: ClassVar[str] = ""

    @property
    def source_arn(self) -> str:
        """For whom the service sends to the temporary queue."""
        return ""

    @property
    def batch(self) -> int:
        """Most messages for one call."""
        return 1

    @property
    def polled_arn(self) -> str:
        """The queue that events are received from."""
        return self.queue_arn

    @abstractmethod
    def begin(self, aws: AWS) -> None:
        """Lead events to the queue; the deployed function gets none from now on."""

    @abstractmethod
    def end(self, aws: AWS) -> None:
        """Lead events to the deployed function again."""

    def event(self, messages: list[JSON]) -> object:
        """Return the event that the function gets for received messages, or None for nothing of interest."""
        return plain_event(messages[0])

    def wants(self, message: JSON) -> bool:
        """Whether the trigger's filter lets a message through."""
        return True

    def queue_policy(self) -> str:
        """Return the policy that lets the trigger's service send to the temporary queue."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": self.principal},
            "Action": "sqs:SendMessage",
            "Resource": self.queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.source_arn}},
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass(frozen=True)
class QueueRedirect(Redirect):
    """A queue is polled itself, while its event source mapping is disabled."""

    displaced: EventSourceMapping

    @property
    def batch(self) -> int:
        """Messages for one call: SQS hands out ten at the most."""
        return min(self.displaced.batch_size, 10)

    @property
    def polled_arn(self) -> str:
        """The user's queue."""
        return self.displaced.source_arn

    def begin(self, aws: AWS) -> None:
        """Disable the mapping, and wait until Lambda polls no more."""
        mapping = self.displaced
        current = mapping.read(aws)
        if current is None:
            return
        aws.client("lambda").update_event_source_mapping(UUID=current["UUID"], Enabled=False)

        def disabled() -> bool:
            return bool((mapping.read(aws) or {}).get("State", "Disabled") == "Disabled")

        if not poll(disabled, time.monotonic() + PAUSED_WITHIN, Pace(0.1, 1.0)):
            raise AWSError(f"{mapping.name} is not disabled after {PAUSED_WITHIN:.0f} s", "try again later")

    def end(self, aws: AWS) -> None:
        """Enable the mapping."""
        current = self.displaced.read(aws)
        if current is not None and current.get("State") in {"Disabled", "Disabling"}:
            aws.client("lambda").update_event_source_mapping(UUID=current["UUID"], Enabled=True)

    def event(self, messages: list[JSON]) -> object:
        """Return the batch."""
        return sqs_event(messages, self.polled_arn)

    def wants(self, message: JSON) -> bool:
        """Whether the mapping's filter lets it through; Lambda deletes what it does not."""
        record = patterns.record_view(sqs_event([message], self.polled_arn)["Records"][0])
        filters = [patterns.Pattern.parse(text, patterns.FILTER_CRITERIA) for text in self.displaced.filters]
        return not filters or any(one.matches(record) for one in filters)


@dataclass(frozen=True)
class TopicRedirect(Redirect):
    """The temporary queue is subscribed to the topic in place of the function, with the same filter policy."""

    displaced: Subscription
    principal = SNS_SERVICE

    @property
    def source_arn(self) -> str:
        """The topic."""
        return self.displaced.topic_arn

    def begin(self, aws: AWS) -> None:
        """Subscribe the queue, and unsubscribe the function."""
        subscription = self.displaced
        wanted = {name: value for name, value in subscription.wanted().items() if value and name != "RedrivePolicy"}
        client = aws.client("sns", region_of(self.source_arn))
        if self._queue_subscription(aws) is None:
            client.subscribe(
                TopicArn=self.source_arn,
                Protocol="sqs",
                Endpoint=self.queue_arn,
                Attributes=wanted,
                ReturnSubscriptionArn=True,
            )
        if (current := subscription.read(aws)) is not None:
            subscription.delete(aws, current)

    def end(self, aws: AWS) -> None:
        """Subscribe the function again, and unsubscribe the queue."""
        subscription = self.displaced
        if subscription.read(aws) is None:
            subscription.write(aws, None)
        if (arn := self._queue_subscription(aws)) is not None:
            aws.client("sns", region_of(self.source_arn)).unsubscribe(SubscriptionArn=arn)

    def _queue_subscription(self, aws: AWS) -> str | None:
        client = aws.client("sns", region_of(self.source_arn))
        pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.source_arn)
        for subscription in chain.from_iterable(page["Subscriptions"] for page in pages):
            if subscription["Endpoint"] == self.queue_arn:
                return str(subscription["SubscriptionArn"])
        return None

    def event(self, messages: list[JSON]) -> object:
        """Return the notification."""
        return queued_sns_event(messages[0], f"{self.source_arn}:live")


@dataclass(frozen=True)
class BucketRedirect(Redirect):
    """The bucket notifies the temporary queue in place of the function; all other entries stay as they are."""

    displaced: BucketNotifications
    principal = S3_SERVICE

    @property
    def source_arn(self) -> str:
        """The bucket."""
        return f"arn:{self.function.partition}:s3:::{self.displaced.bucket}"

    def begin(self, aws: AWS) -> None:
        """Put the queue's entries in the place of all of the function's, with the same events and key filters."""
        with self._lock():
            current = self.displaced.read(aws) or {}
            mine = self._entries(current, LAMBDA, self.function.arn)
            if not mine and not self._entries(current, QUEUE, self.queue_arn):
                mine = [notification.entry() for notification in self.displaced.notifications]
            entries = [{**_target(QUEUE, entry, self.queue_arn), "Id": f"{ENTRY}-{uuid.uuid4()}"} for entry in mine]
            self._put(aws, self._moved(current, LAMBDA, self.function.arn, QUEUE, entries))

    def end(self, aws: AWS) -> None:
        """Put the function's entries back, in one call."""
        with self._lock():
            current = self.displaced.read(aws)
            if current is not None and (mine := self._entries(current, QUEUE, self.queue_arn)):
                entries = [_target(LAMBDA, entry, self.function.arn) for entry in mine]
                self._put(aws, self._moved(current, QUEUE, self.queue_arn, LAMBDA, entries))

    def _lock(self) -> AbstractContextManager[None]:
        return locked(f"bucket {self.function.account} {self.displaced.bucket}")

    def _put(self, aws: AWS, configuration: JSON) -> None:
        put_notifications(aws, self.displaced.bucket, configuration, {self.queue_arn, self.function.arn})

    def _entries(self, configuration: JSON, kind: str, arn: str) -> list[JSON]:
        return [entry for entry in configuration.get(kind, []) if entry[KEY_OF_KIND[kind]] == arn]

    def _moved(self, configuration: JSON, kind: str, arn: str, to: str, entries: list[JSON]) -> JSON:
        """Return a configuration without the entries of a kind for an ARN, and with others of the other kind."""
        changed = copy.deepcopy(configuration)
        changed[kind] = [entry for entry in changed.get(kind, []) if entry[KEY_OF_KIND[kind]] != arn]
        changed[to] = [*changed.get(to, []), *entries]
        return {name: value for name, value in changed.items() if value}

    def event(self, messages: list[JSON]) -> object:
        """Return the notification; S3's test event is of no interest."""
        event = plain_event(messages[0])
        return event if isinstance(event, dict) and "Records" in event else None


def _target(kind: str, entry: JSON, arn: str) -> JSON:
    """Return a notification's entry with another target."""
    rest = {name: value for name, value in entry.items() if name not in {"Id", *KEY_OF_KIND.values()}}
    return {**rest, KEY_OF_KIND[kind]: arn}


@dataclass(frozen=True)
class RuleRedirect(Redirect):
    """The rule has the temporary queue as its target in place of the function."""

    displaced: Rule
    principal = EVENTS

    @property
    def source_arn(self) -> str:
        """The rule."""
        return self.displaced.arn

    def begin(self, aws: AWS) -> None:
        """Replace the target."""
        rule = self.displaced
        if rule.read(aws) is not None:
            target: TargetTypeDef = {**rule.target(), "Id": TARGET_ID, "Arn": self.queue_arn}
            rule.lead(aws, target)

    def end(self, aws: AWS) -> None:
        """Make the function the target again."""
        rule = self.displaced
        if rule.read(aws) is not None:
            rule.lead(aws, rule.target())
