"""Calls of SQS that AWS refuses and MiniStack takes, and those that MiniStack lacks: queues of dead letters.

Messages that are moved back go the way of AWS's own task: to the queue that each came from, or to another one.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from ministack.services import sqs

from .message_rules import against_message_of_queue
from .queue_patches import queues_lock

Record = dict[str, Any]
SOURCE = "DeadLetterQueueSourceArn"  # of a dead letter: the queue that it came from
FIFO_ATTRIBUTES = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
ONLY_FIFO = "You can specify the {name} only when FifoQueue is set to true."
KNOWN = {
    "Policy", "RedrivePolicy", "RedriveAllowPolicy", "KmsMasterKeyId", "SqsManagedSseEnabled", "FifoQueue",
    *FIFO_ATTRIBUTES, *sqs._NUMERIC_ATTR_RANGES,
}  # fmt: skip
# The parameter of a call, and the longest time that it takes.
PERMISSIONS = ("allowAll", "denyAll", "byQueue")
MOST_SOURCES = 10
LONGEST = {"WaitTimeSeconds": 20, "VisibilityTimeout": 43_200}
stock_send = sqs._act_send_message
stock_send_batch = sqs._act_send_message_batch
stock_receive = sqs._act_receive_message
stock_change_visibility = sqs._act_change_visibility
stock_create = sqs._act_create_queue
stock_set_attributes = sqs._act_set_queue_attributes


def apply_queue_requests() -> None:
    """Put the changed parts in place, before those of the queues."""
    sqs._HANDLERS.update(
        {
            "SendMessage": send,
            "SendMessageBatch": send_batch,
            "ReceiveMessage": receive,
            "ChangeMessageVisibility": change_visibility,
            "CreateQueue": create,
            "SetQueueAttributes": set_attributes,
            "ListDeadLetterSourceQueues": list_sources,
            "StartMessageMoveTask": start_move,
            "ListMessageMoveTasks": list_moves,
            "CancelMessageMoveTask": cancel_move,
        }
    )


def invalid(message: str) -> Exception:
    """Return the error of a parameter."""
    error: Exception = sqs._Err("InvalidParameterValue", message)
    return error


def send(data: Record, url: str) -> Any:
    """Refuse attributes, ids and delays that SQS refuses (``_act_send_message``)."""
    queue = sqs._get_q(data.get("QueueUrl", url), "sqs:SendMessage")
    if wrong := against_message_of_queue(data, fifo=queue["is_fifo"]):
        raise invalid(wrong)
    answer = stock_send(data, url)
    if digest := sqs._md5_msg_attrs(data.get("MessageSystemAttributes")):
        answer["MD5OfMessageSystemAttributes"] = digest
    return answer


def send_batch(data: Record, url: str) -> Any:
    """Refuse single messages of a batch, and take the others (``_act_send_message_batch``)."""
    queue = sqs._get_q(data.get("QueueUrl", url), "sqs:SendMessage")
    entries = data.get("Entries") or []
    sqs._validate_batch_entries(entries, "SendMessageBatchRequestEntry")
    wrong = {entry["Id"]: against_message_of_queue(entry, fifo=queue["is_fifo"]) for entry in entries}
    right = [entry for entry in entries if not wrong[entry["Id"]]]
    answer = stock_send_batch({**data, "Entries": right}, url) if right else {"Successful": [], "Failed": []}
    for name, message in wrong.items():
        if message:
            failed = {"Id": name, "Code": "InvalidParameterValue", "Message": message, "SenderFault": True}
            answer["Failed"].append(failed)
    return answer


def require_times(data: Record) -> None:
    """Refuse times that are too long, or negative."""
    for name, most in LONGEST.items():
        given = data.get(name)
        if given is not None and not 0 <= int(given) <= most:
            raise invalid(
                f"Value {given} for parameter {name} is invalid. Reason: Must be >= 0 and <= {most}, if provided."
            )


def receive(data: Record, url: str) -> Any:
    """Refuse times that SQS refuses (``_act_receive_message``)."""
    require_times(data)
    return stock_receive(data, url)


def change_visibility(data: Record, url: str) -> Any:
    """Refuse times that SQS refuses (``_act_change_visibility``)."""
    require_times(data)
    return stock_change_visibility(data, url)


def create(data: Record, url: str) -> Any:
    """Refuse attributes that a queue of its kind does not have (``_act_create_queue``)."""
    attributes = data.get("Attributes") or {}
    is_fifo = str(attributes.get("FifoQueue")).lower() == "true"
    if "FifoQueue" in attributes and not is_fifo:
        raise sqs._Err("InvalidAttributeName", "Unknown Attribute FifoQueue.")
    source = f"arn:aws:sqs:{sqs.get_region()}:{sqs.get_account_id()}:{data.get('QueueName')}"
    require_attributes(attributes, is_fifo=is_fifo, source=source)
    return stock_create(data, url)


def set_attributes(data: Record, url: str) -> Any:
    """Refuse attributes that a queue of its kind does not have (``_act_set_queue_attributes``)."""
    queue, attributes = sqs._get_q(data.get("QueueUrl", url)), data.get("Attributes") or {}
    if "FifoQueue" in attributes and str(attributes["FifoQueue"]).lower() != str(queue["is_fifo"]).lower():
        text = "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
        raise sqs._Err("InvalidAttributeValue", text)
    require_attributes(attributes, is_fifo=queue["is_fifo"], source=queue["attributes"]["QueueArn"])
    return stock_set_attributes(data, url)


def require_attributes(attributes: Record, *, is_fifo: bool, source: str) -> None:
    """Refuse attributes that no queue has, or none of that kind; and dead-letter queues of another kind."""
    for name in attributes:
        if name not in KNOWN or (name == "ContentBasedDeduplication" and not is_fifo):
            raise sqs._Err("InvalidAttributeName", f"Unknown Attribute {name}.")
        if name in FIFO_ATTRIBUTES and not is_fifo:
            raise sqs._Err("InvalidAttributeName", ONLY_FIFO.format(name=name))
    if policy := attributes.get("RedrivePolicy"):
        require_dead_letters(str(policy), is_fifo=is_fifo, source=source)
    if allowed := attributes.get("RedriveAllowPolicy"):
        require_allowance(str(allowed))
    if (policy := attributes.get("Policy")) and not is_object(str(policy)):
        raise sqs._Err("InvalidAttributeValue", "Invalid value for the parameter Policy.")


def require_dead_letters(policy: str, *, is_fifo: bool, source: str) -> None:
    """Refuse dead-letter queues that are missing, of another kind, or that let nobody in."""
    target = json.loads(policy).get("deadLetterTargetArn") if is_object(policy) else None
    dead, reason = sqs._queue_by_arn(target) if isinstance(target, str) else None, ""
    if isinstance(target, str) and dead is None:
        reason = "Dead letter target does not exist."
    elif dead is not None and dead["is_fifo"] != is_fifo:
        reason = "Dead-letter queue must be same type of queue as the source."
    elif dead is not None and not lets_in(dead, source):
        reason = "Dead letter target does not allow this source queue; see its RedriveAllowPolicy."
    if reason:
        raise invalid(f"Value {policy} for parameter RedrivePolicy is invalid. Reason: {reason}")
    sqs._validate_redrive_policy(policy)


def is_object(document: str) -> bool:
    """Whether a document is a JSON object."""
    try:
        return isinstance(json.loads(document), dict)
    except ValueError:
        return False


def lets_in(dead: Record, source: str) -> bool:
    """Whether a queue takes the dead letters of another one."""
    policy = json.loads(dead["attributes"].get("RedriveAllowPolicy") or "{}")
    permission = policy.get("redrivePermission", "allowAll")
    return permission == "allowAll" or (permission == "byQueue" and source in policy.get("sourceQueueArns", ()))


def require_allowance(document: str) -> None:
    """Refuse what does not say whose dead letters a queue takes."""
    policy = json.loads(document) if is_object(document) else {}
    permission, sources = policy.get("redrivePermission"), policy.get("sourceQueueArns")
    named = isinstance(sources, list) and 0 < len(sources) <= MOST_SOURCES
    if permission not in PERMISSIONS or (permission == "byQueue") != named or (sources is not None) != named:
        raise invalid(
            f"Value {document} for parameter RedriveAllowPolicy is invalid. Reason: redrivePermission is allowAll, "
            f"denyAll, or byQueue with one to {MOST_SOURCES} sourceQueueArns."
        )


def sources_of(arn: str) -> Iterator[Record]:
    """Yield the queues whose dead letters go to a queue."""
    for queue in list(sqs._queues.values()):
        try:
            target = json.loads(queue["attributes"].get("RedrivePolicy") or "{}").get("deadLetterTargetArn")
        except (ValueError, AttributeError):
            continue
        if target == arn:
            yield queue


def list_sources(data: Record, url: str) -> Record:
    """Return the queues whose dead letters go to this one, in pages."""
    queue = sqs._get_q(data.get("QueueUrl", url), "sqs:ListDeadLetterSourceQueues")
    urls = sorted(source["url"] for source in sources_of(queue["attributes"]["QueueArn"]))
    begin, most = int(data.get("NextToken") or 0), int(data.get("MaxResults") or 1000)
    answer: Record = {"queueUrls": [sqs._externalize_url(each) for each in urls[begin : begin + most]]}
    if begin + most < len(urls):
        answer["NextToken"] = str(begin + most)
    return answer


def found(arn: str, parameter: str) -> Record:
    """Return the queue of an ARN; an error where there is none."""
    queue: Record | None = sqs._queue_by_arn(arn)
    if queue is None:
        text = f"The resource that you specified for the {parameter} parameter doesn't exist."
        raise sqs._Err("ResourceNotFoundException", text, 404)
    return queue


def start_move(data: Record, _: str) -> Record:
    """Move the messages of a dead-letter queue back to where they came from, or to another queue, at once."""
    source = found(data.get("SourceArn", ""), "SourceArn")
    arn, destination = source["attributes"]["QueueArn"], data.get("DestinationArn")
    if not any(sources_of(arn)):
        raise invalid("Source queue must be configured as a Dead Letter Queue.")
    target = found(destination, "DestinationArn") if destination else None
    with queues_lock:
        kept: list[Record] = []
        before = len(source["messages"])
        for message in source["messages"]:
            queue = target or sqs._queue_by_arn(message.get("sys", {}).get(SOURCE, ""))
            if queue is None or message["visible_at"] > time.time():
                kept.append(message)
            else:
                queue["messages"].append(moved_back(message))
        source["messages"] = kept
    sqs.esm_wake.set()
    task = {"taskId": str(uuid.uuid4()), "sourceArn": arn}
    count = before - len(kept)
    source.setdefault("moves", []).append(
        {
            "Status": "COMPLETED",
            "SourceArn": arn,
            **({"DestinationArn": destination} if destination else {}),
            "ApproximateNumberOfMessagesMoved": count,
            "ApproximateNumberOfMessagesToMove": count,
            "StartedTimestamp": int(time.time() * 1000),
        }
    )
    return {"TaskHandle": base64.b64encode(json.dumps(task).encode()).decode()}


def moved_back(message: Record) -> Record:
    """Return a dead letter as it is in a queue again: as a new message, received by nobody."""
    now = time.time()
    origin = {name: value for name, value in message.get("sys", {}).items() if name != SOURCE}
    fresh = {"receipt_handle": None, "visible_at": now, "sent_at": now, "receive_count": 0, "first_receive_at": None}
    return {**message, **fresh, "id": str(uuid.uuid4()), "sys": {**origin, "SentTimestamp": str(int(now * 1000))}}


def list_moves(data: Record, _: str) -> Record:
    """Return the newest moves of a queue's messages, one unless more are asked for."""
    moves = found(data.get("SourceArn", ""), "SourceArn").get("moves", [])
    return {"Results": moves[::-1][: int(data.get("MaxResults") or 1)]}


def cancel_move(data: Record, _: str) -> Record:
    """Say that a move is not under way: each is done at once."""
    try:
        json.loads(base64.b64decode(data.get("TaskHandle", ""), validate=True))["taskId"]
    except (ValueError, KeyError, TypeError):
        raise invalid("Value for parameter TaskHandle is invalid.") from None
    raise sqs._Err("ResourceNotFoundException", "Task does not exist.", 404)
