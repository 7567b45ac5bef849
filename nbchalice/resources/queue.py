"""Queues as sources of events and as dead-letter queues: names, and what is set on a queue of the user's."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, FunctionRef, Key, OfTheUser, Resource, key_of, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.text import counted
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
QUEUE_ARN = re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:(?P<name>[^:]+)")
QUEUE_URL = re.compile(r"https?://(?P<host>[^/]+)/(?P<account>\d{12})/(?P<name>[^/?]+)/?")
# The forms of SQS's hosts: sqs.REGION.amazonaws.com, and REGION.queue.amazonaws.com of old.
REGION_OF_HOST = re.compile(r"(?:sqs\.([a-z0-9-]+)\.|([a-z]{2}(?:-[a-z]+)+-\d)\.queue\.)")


def queue_problem(text: str) -> str | None:
    """Return why a text is neither name nor ARN nor URL of a queue, or None."""
    if text.startswith("arn:"):
        parts = QUEUE_ARN.fullmatch(text)
        if not parts:
            return f"{text!r} is not the ARN of a queue: arn:aws:sqs:REGION:ACCOUNT:NAME"
    elif "://" in text:
        parts = QUEUE_URL.fullmatch(text)
        if not parts:
            return f"{text!r} is not the URL of a queue: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME"
    else:
        parts = None
    name = parts["name"] if parts else text
    if not QUEUE_NAME.fullmatch(name):
        return f"{name!r} is not a queue name: up to 80 letters, digits, - and _, perhaps ending in .fifo"
    return None


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
            arn = Arn.parse(text)
            return cls(arn.resource, arn.region, arn.account, arn.partition)
        if parts := QUEUE_URL.match(text):
            host = REGION_OF_HOST.match(parts["host"])
            region = (host[1] or host[2]) if host else home.region
            return cls(parts["name"], region, parts["account"], home.partition)
        return cls(text, home.region, home.account, home.partition)

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return str(Arn(self.partition, "sqs", self.region, self.account, self.name))

    @property
    def fifo(self) -> bool:
        """Whether it is a FIFO queue; AWS demands the ending of the name."""
        return self.name.endswith(".fifo")

    def url(self, aws: AWS) -> str:
        """Ask SQS for the queue's URL."""
        answer = aws.client("sqs", self.region).get_queue_url(QueueName=self.name, QueueOwnerAWSAccountId=self.account)
        return str(answer["QueueUrl"])

    def attributes(self, aws: AWS, *names: QueueAttributeNameType) -> dict[str, str]:
        """Ask SQS for attributes of the queue; those that are not set are left out."""
        client = aws.client("sqs", self.region)
        answer = client.get_queue_attributes(QueueUrl=self.url(aws), AttributeNames=list(names))
        return {str(name): value for name, value in answer.get("Attributes", {}).items()}

    def settings(self, aws: AWS) -> dict[str, str]:
        """Ask SQS for what is set on the queue, all in one question: a plan wants several for different reasons."""
        return self.attributes(aws, "VisibilityTimeout", "RedrivePolicy", "KmsMasterKeyId")

    def set_attributes(self, aws: AWS, **attributes: str) -> None:
        """Set attributes of the queue (SQS: SetQueueAttributes)."""
        named = cast("dict[QueueAttributeNameType, str]", attributes)
        aws.client("sqs", self.region).set_queue_attributes(QueueUrl=self.url(aws), Attributes=named)


@dataclass(frozen=True)
class Queue(OfTheUser):
    """A queue of the user's."""

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

    def write(self, aws: AWS, current: object) -> None:
        """Create the queue with SQS's own defaults."""
        attributes: dict[QueueAttributeNameType, str] = {"FifoQueue": "true"} if self.queue.fifo else {}
        aws.client("sqs", self.queue.region).create_queue(QueueName=self.queue.name, Attributes=attributes)


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
    def needs(self) -> frozenset[Key]:
        """The queue."""
        return frozenset({key_of("queue", self.queue.name)})

    def merge(self, other: Resource) -> Resource:
        """Return the longer one."""
        assert isinstance(other, VisibilityTimeout)
        return self if self.seconds >= other.seconds else other

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        return [Grant(("sqs:SetQueueAttributes",), (self.queue.arn,), own=False)]

    def read(self, aws: AWS) -> int | None:
        """Return the seconds, or None where there is no queue."""
        with or_missing():
            return visibility_timeout(aws, self.queue)
        return None

    def differences(self, current: int) -> list[str]:
        """Longer is fine."""
        return [f"{current} s -> {self.seconds} s"] if current < self.seconds else []

    def write(self, aws: AWS, current: object) -> None:
        """Set it."""
        self.queue.set_attributes(aws, VisibilityTimeout=str(self.seconds))

    def delete(self, aws: AWS, current: object) -> None:
        """Never: the queue is the user's."""


@dataclass(frozen=True)
class RedrivePolicy(Resource):
    """Where a queue puts messages that were received too often (SQS: Dead-letter queues).

    The queue is the user's: a policy that names another dead-letter queue is never replaced, and the policy stays when
    the handler goes, so that no message is lost.

    Parameters
    ----------
    queue : QueueRef
        The queue.
    dlq : str
        ARN of its dead-letter queue.
    tries : int
        How often a message is received before it goes there.
    """

    kind: ClassVar[str] = "redrive policy"
    conflict_hint: ClassVar[str] = "name the dead-letter queue that the queue has, or leave out --dlq"
    queue: QueueRef
    dlq: str
    tries: int

    @property
    def name(self) -> str:
        """The queue and its dead-letter queue."""
        return f"{self.queue.name} -> {self.dlq.rsplit(':', 1)[-1]}"

    @property
    def key(self) -> Key:
        """One for each queue."""
        return Key(f"{self.kind} {self.queue.arn}")

    @property
    def needs(self) -> frozenset[Key]:
        """Both queues."""
        return frozenset({key_of("queue", self.queue.name), key_of("queue", self.dlq.rsplit(":", 1)[-1])})

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        return [Grant(("sqs:SetQueueAttributes",), (self.queue.arn,), own=False)]

    def read(self, aws: AWS) -> JSON | None:
        """Return the policy, empty where the queue has none; None where there is no queue."""
        with or_missing():
            return dict(json.loads(self.queue.settings(aws).get("RedrivePolicy") or "{}"))
        return None

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the queue has another dead-letter queue."""
        now = current.get("deadLetterTargetArn", self.dlq)
        if now == self.dlq:
            return []
        tries = counted(int(current.get("maxReceiveCount", 0)), "try", "tries")
        return [f"of queue {self.queue.name}: it sends to {now.rsplit(':', 1)[-1]} after {tries} already"]

    def differences(self, current: JSON) -> list[str]:
        """Compare the number of tries."""
        if not current:
            return [f"none -> {self.dlq.rsplit(':', 1)[-1]} after {counted(self.tries, 'try', 'tries')}"]
        now = int(current.get("maxReceiveCount", 0))
        return [f"tries: {now} -> {self.tries}"] if now != self.tries else []

    def write(self, aws: AWS, current: object) -> None:
        """Set it."""
        policy = {"deadLetterTargetArn": self.dlq, "maxReceiveCount": self.tries}
        self.queue.set_attributes(aws, RedrivePolicy=json.dumps(policy))

    def delete(self, aws: AWS, current: object) -> None:
        """Never: the queue is the user's."""


def visibility_timeout(aws: AWS, queue: QueueRef) -> int:
    """Ask SQS for how many seconds a received message stays hidden."""
    return int(queue.settings(aws)["VisibilityTimeout"])
