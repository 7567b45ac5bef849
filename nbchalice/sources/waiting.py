"""What a queue, and the key that encrypts a queue, stream or bucket, tell of an event that nothing has taken up."""

from __future__ import annotations

from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, or_missing
from nbchalice.resources.queue import QueueRef
from nbchalice.text import counted
from nbchalice.typed import JSON, Values


def queue_waits(aws: AWS, queue: QueueRef, values: Values | None, duplicate: str) -> str:
    """Return where a message that was sent is by now (SQS: GetQueueAttributes).

    Parameters
    ----------
    aws : AWS
        Where to ask.
    queue : QueueRef
        The queue.
    values : Values or None
        What the message was made of; None where no one message is meant.
    duplicate : str
        Why the queue may have dropped it, or an empty text.
    """
    told = queue.attributes(
        aws,
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
        "DelaySeconds",
        "VisibilityTimeout",
    )
    waiting = int(told.get("ApproximateNumberOfMessages", 0))
    held = int(told.get("ApproximateNumberOfMessagesNotVisible", 0))
    if int(told.get("ApproximateNumberOfMessagesDelayed", 0)):
        if values is None:
            return f"queue {queue.name} holds messages back for a while, their delay"
        return f"queue {queue.name} holds it back for {values.get('delay') or told.get('DelaySeconds')} s, its delay"
    if held:
        return _behind(queue, held, waiting, told.get("VisibilityTimeout", ""))
    if values is None or waiting > 1:
        wait = counted(waiting, "message waits", "messages wait")
        return f"{wait} in queue {queue.name}" if waiting else f"queue {queue.name} is empty"
    if waiting:
        return f"it waits in queue {queue.name}, and nobody has received it"
    reason = f"it is a duplicate: {duplicate}" if duplicate else "somebody else has received it and deleted it"
    return f"queue {queue.name} is empty: {reason}"


def _behind(queue: QueueRef, held: int, waiting: int, visibility: str) -> str:
    if queue.fifo and waiting:
        return f"a message before it is being handled: those of a group of queue {queue.name} wait for one another"
    text = counted(held, "message is", "messages are")
    return f"{text} with a receiver of queue {queue.name}; what it does not delete comes back {visibility} s later"


def bucket_key(aws: AWS, bucket: str, region: str, account: str) -> str:
    """Return the ARN of the key of the user's that a bucket takes where nobody names one; an empty text for none.

    Parameters
    ----------
    aws : AWS
        Where to ask.
    bucket, region, account : str
        The bucket, and where it is.
    """
    rules: list[JSON] = []
    with or_missing("ServerSideEncryptionConfigurationNotFoundError"):
        answer: JSON = dict(aws.client("s3").get_bucket_encryption(Bucket=bucket))
        rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
    defaults = [rule.get("ApplyServerSideEncryptionByDefault") or {} for rule in rules]
    return next(
        (key_arn(aws, one["KMSMasterKeyID"], region, account) for one in defaults if one.get("KMSMasterKeyID")), ""
    )


def key_arn(aws: AWS, key: str, region: str, account: str) -> str:
    """Return the ARN of a key as a service names it; an empty text for one of AWS's own, which anybody may use.

    Parameters
    ----------
    aws : AWS
        Where to ask.
    key : str
        An ARN, an id or an alias.
    region, account : str
        Where the queue or stream is.
    """
    if not key or key.rpartition(":")[2].startswith("alias/aws/"):
        return ""
    if key.rpartition(":")[2].startswith("alias/"):
        return str(aws.client("kms", region).describe_key(KeyId=key)["KeyMetadata"]["Arn"])
    return key if key.startswith("arn:") else str(Arn(aws.partition, "kms", region, account, f"key/{key}"))
