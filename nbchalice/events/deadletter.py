"""Dead-letter queues: what is in them, put back, or handled in this process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbchalice.aws.errors import explain
from nbchalice.deploy.desired import is_made
from nbchalice.errors import InvalidInputError
from nbchalice.handlers import Handler
from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, FunctionRef, error_code
from nbchalice.sources.messages import EVERYTHING, sqs_event
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

HIDDEN_WHILE_PEEKING = 30
MISSING_OPERATION = {"InvalidAction", "UnknownOperation", "UnknownOperationException", "InvalidRequest"}
AT_ONCE = 10


@dataclass(frozen=True)
class DeadLetter:
    """A message of a dead-letter queue.

    Parameters
    ----------
    message_id : str
        Its id.
    body : str
        Its text.
    received : int
        How often it was received, also as a dead letter.
    sent : int
        Milliseconds since 1970 when it was sent first.
    error : str or None
        What the function's last attempt said, where the queue tells (asynchronous events), or None.
    raw : JSON
        The message as SQS hands it out.
    """

    message_id: str
    body: str
    received: int
    sent: int
    error: str | None
    raw: JSON

    def to_dict(self) -> JSON:
        """Return it as JSON-ready data."""
        return {name: value for name, value in vars(self).items() if name != "raw"}


class DeadLetterQueue:
    """The dead-letter queue of a handler.

    Parameters
    ----------
    aws : AWS
        where.
    arn : str
        The dead-letter queue.
    ref : FunctionRef
        The function that could not handle the messages.
    source_arn : str
        The queue they come from, or an empty text for asynchronous events of the function itself.
    """

    def __init__(self, aws: AWS, arn: str, ref: FunctionRef, source_arn: str = "") -> None:
        self.arn, self.source_arn, self._ref = arn, source_arn, ref
        queue = Arn.parse(arn)
        self.name = queue.name
        self._client = aws.client("sqs", queue.region)
        self._aws = aws
        with _explained(f"looking at queue {self.name}"):
            answer = self._client.get_queue_url(QueueName=self.name, QueueOwnerAWSAccountId=queue.account)
            self._url = str(answer["QueueUrl"])

    def depth(self) -> int:
        """Return how many messages there are, about (SQS: GetQueueAttributes)."""
        names: list[QueueAttributeNameType] = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with _explained(f"looking at queue {self.name}"):
            attributes = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)

    def peek(self, most: int = AT_ONCE) -> list[DeadLetter]:
        """Return some messages, which stay in the queue: they are shown to others again at once.

        Looking counts as receiving, so `DeadLetter.received` grows.
        """
        with _explained(f"looking into queue {self.name}"):
            messages_by_id: dict[str, JSON] = {}
            try:
                while len(messages_by_id) < most and (messages := self._receive(most - len(messages_by_id))):
                    messages_by_id.update({message["MessageId"]: message for message in messages})
            finally:
                for message in messages_by_id.values():
                    self._show(message)
        return [_letter(message) for message in messages_by_id.values()]

    def find(self, message_id: str) -> DeadLetter:
        """Return a message by its id, or by the beginning of it.

        Raises
        ------
        InvalidInputError
            It is not there, or several begin so.
        """
        letters = [letter for letter in self.peek(100) if letter.message_id.startswith(message_id)]
        if len(letters) != 1:
            text = f"{len(letters)} messages of {self.name} have the id {message_id!r}"
            raise InvalidInputError(text, "%chalice dlq HANDLER lists them")
        return letters[0]

    def event_of(self, letter: DeadLetter) -> object:
        """Return the event that the function did not handle."""
        if self.source_arn:
            return sqs_event([letter.raw], self.source_arn)
        try:
            return json.loads(letter.body)
        except ValueError:
            raise InvalidInputError(f"message {letter.message_id} holds no event", "it is not JSON") from None

    def redrive(self) -> int:
        """Let the function try all messages again; return how many there were (SQS: StartMessageMoveTask).

        Messages of a queue go back to it; asynchronous events are handed to the function.
        """
        depth = self.depth()
        with _explained(f"redriving queue {self.name}"):
            if self.source_arn and self._move_by_task():
                return depth
            count = 0
            # What fails again comes back while this goes on: it is not moved a second time.
            while count < depth and (messages := self._receive(AT_ONCE)):
                for message in messages:
                    self._put_back(message)
                    self._client.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                    count += 1
            return count

    def _move_by_task(self) -> bool:
        """Let SQS move the messages; the local AWS cannot."""
        if self._aws.local:
            return False
        try:
            self._client.start_message_move_task(SourceArn=self.arn)
        except Exception as error:
            if error_code(error) not in MISSING_OPERATION:
                raise
            return False
        return True

    def _put_back(self, message: JSON) -> None:
        if not self.source_arn:
            payload = message["Body"].encode()
            self._aws.client("lambda").invoke(FunctionName=self._ref.name, InvocationType="Event", Payload=payload)
            return
        source = Arn.parse(self.source_arn)
        client = self._aws.client("sqs", source.region)
        url = client.get_queue_url(QueueName=source.name, QueueOwnerAWSAccountId=source.account)["QueueUrl"]
        own = message.get("Attributes", {})
        group = own.get("MessageGroupId")
        fifo = (
            {"MessageGroupId": group, "MessageDeduplicationId": message["MessageId"]}
            if source.name.endswith(".fifo")
            else {}
        )
        attributes = {"MessageAttributes": given} if (given := message.get("MessageAttributes")) else {}
        client.send_message(QueueUrl=url, MessageBody=message["Body"], **attributes, **fifo)

    def _receive(self, most: int) -> list[JSON]:
        answer = self._client.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(most, AT_ONCE),
            VisibilityTimeout=HIDDEN_WHILE_PEEKING,
            WaitTimeSeconds=0 if self._aws.local else 1,
            **EVERYTHING,
        )
        return [dict(message) for message in answer.get("Messages", [])]

    def _show(self, message: JSON) -> None:
        self._client.change_message_visibility(
            QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Explain what AWS refuses in a block."""
    try:
        yield
    except Exception as error:
        raise explain(error, doing) from None


def _letter(message: JSON) -> DeadLetter:
    own = message.get("Attributes", {})
    reason = message.get("MessageAttributes", {}).get("ErrorMessage", {}).get("StringValue")
    received, sent = int(own.get("ApproximateReceiveCount", 0)), int(own.get("SentTimestamp", 0))
    return DeadLetter(message["MessageId"], message["Body"], received, sent, reason, message)


def dead_letters_of(aws: AWS, handler: Handler, ref: FunctionRef) -> DeadLetterQueue:
    """Return the dead-letter queue of a handler: its queue's, else the one for its asynchronous events.

    Raises
    ------
    InvalidInputError
        There is none.
    """
    for source, options in handler.sources():
        if not is_made(source, aws):
            continue
        with _explained(f"looking for the dead-letter queue of {source.describe(options)}"):
            queue = source.dead_letters(aws, options, ref)
        if queue is not None:
            return DeadLetterQueue(aws, queue.queue_arn, ref, queue.source_arn)
    if dlq := handler.setting("dlq"):
        return DeadLetterQueue(aws, dlq if dlq.startswith("arn:") else ref.arn_of("sqs", dlq), ref)
    raise InvalidInputError(
        f"{handler.name} has no dead-letter queue",
        "add --dlq QUEUE to it and deploy; a queue with a redrive policy has one already",
        handler.location,
    )
