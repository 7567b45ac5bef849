"""Messages as SQS hands them out -> the events that Lambda would make of them."""

from __future__ import annotations

import base64
import json

from nbchalice.resources.arns import Arn
from nbchalice.sources.raw_events import sns_event
from nbchalice.typed import JSON

EVERYTHING: JSON = {"AttributeNames": ["All"], "MessageAttributeNames": ["All"]}
RENAMED = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}


def sqs_event(messages: list[JSON], queue_arn: str) -> JSON:
    """Return the event of a batch (Lambda: Amazon SQS message event)."""
    region = Arn.parse(queue_arn).region
    return {"Records": [_record(message, queue_arn, region) for message in messages]}


def _record(message: JSON, queue_arn: str, region: str) -> JSON:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {n: _attribute(a) for n, a in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def _attribute(attribute: JSON) -> JSON:
    value: JSON = {"dataType": attribute.get("DataType", "String"), "stringListValues": [], "binaryListValues": []}
    if "BinaryValue" in attribute:
        value["binaryValue"] = base64.b64encode(attribute["BinaryValue"]).decode()
    else:
        value["stringValue"] = attribute.get("StringValue", "")
    return value


def queued_sns_event(message: JSON, subscription_arn: str) -> JSON:
    """Return the event of a notification that came through a queue (Lambda: Amazon SNS notification event)."""
    envelope = json.loads(message["Body"])
    notification = {RENAMED.get(name, name): value for name, value in envelope.items()}
    notification.setdefault("Subject", None)
    notification.setdefault("MessageAttributes", {})
    return sns_event(notification, subscription_arn)


def plain_event(message: JSON) -> object:
    """Return the event that the message's body is (S3 notifications, EventBridge)."""
    return json.loads(message["Body"])
