"""Raw events as AWS sends them, for tests and samples: each has ids of its own, and happens now."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote_plus

from nbchalice.resources.arns import Arn
from nbchalice.typed import JSON


def sqs_message(body: str, *, attributes: Mapping[str, JSON] | None = None, group_id: str = "") -> JSON:
    """Return a message as SQS hands it out (SQS: ReceiveMessage); `sqs_event` makes an event of such."""
    message_id, now = str(uuid.uuid4()), str(int(datetime.now(UTC).timestamp() * 1000))
    own = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": now,
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": now,
    }
    return {
        "MessageId": message_id,
        "ReceiptHandle": f"receipt-{message_id}",
        "Body": body,
        "Attributes": {**own, "MessageGroupId": group_id} if group_id else own,
        "MessageAttributes": dict(attributes or {}),
        "MD5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
    }


def sns_notification(topic_arn: str, message: str, subject: str | None, attributes: JSON) -> JSON:
    """Return a notification as a function gets it (Lambda: Amazon SNS notification event)."""
    host = f"https://sns.{topic_arn.split(':')[3]}.amazonaws.com"
    return {
        "SignatureVersion": "1",
        "Timestamp": _now(),
        "Signature": "signature",
        "SigningCertUrl": f"{host}/SimpleNotificationService.pem",
        "MessageId": str(uuid.uuid4()),
        "Message": message,
        "MessageAttributes": attributes,
        "Type": "Notification",
        "UnsubscribeUrl": f"{host}/?Action=Unsubscribe",
        "TopicArn": topic_arn,
        "Subject": subject,
    }


def sns_event(notification: JSON, subscription_arn: str) -> JSON:
    """Return the event of a notification."""
    record = {"EventVersion": "1.0", "EventSource": "aws:sns", "EventSubscriptionArn": subscription_arn}
    return {"Records": [{**record, "Sns": notification}]}


def s3_event(
    bucket: str, key: str, event_name: str, region: str, *, content: bytes = b"", partition: str = "aws"
) -> JSON:
    """Return the event of one object (S3: Event message structure); the key is URL-encoded, as S3 sends it."""
    stored: JSON = {"key": quote_plus(key, safe="/"), "sequencer": uuid.uuid4().hex[:16].upper()}
    if "Removed" not in event_name:
        stored.update(size=len(content), eTag=hashlib.md5(content, usedforsecurity=False).hexdigest())
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": region,
        "eventTime": _now(),
        "eventName": event_name,
        "userIdentity": {"principalId": "AWS:EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper(), "x-amz-id-2": uuid.uuid4().hex},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "config-id",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "EXAMPLE"},
                "arn": f"arn:{partition}:s3:::{bucket}",
            },
            "object": stored,
        },
    }
    return {"Records": [record]}


def bridge_event(
    source: str, detail_type: str, detail: object, resources: list[str], *, region: str, account: str
) -> JSON:
    """Return an event of EventBridge's (EventBridge: Event structure reference)."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": resources,
        "detail": detail,
    }


def kinesis_record(data: bytes, stream_arn: str, role_arn: str, key: str = "1") -> JSON:
    """Return a record of a data stream (Lambda: Kinesis record event)."""
    number = str(uuid.uuid4().int)
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": key,
            "sequenceNumber": number,
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": datetime.now(UTC).timestamp(),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"shardId-000000000000:{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role_arn,
        "awsRegion": Arn.parse(stream_arn).region,
        "eventSourceARN": stream_arn,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
