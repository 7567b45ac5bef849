"""Raw events as AWS sends them, for tests; every record has an id of its own."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

JSON = dict[str, Any]
REGION = "us-west-2"
ACCOUNT = "123456789012"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _now_ms() -> str:
    return str(int(datetime.now(UTC).timestamp() * 1000))


def _records(make: Callable[[Any], JSON], items: Sequence[Any]) -> JSON:
    return {"Records": [make(item) for item in items]}


class TestEventsClient:
    """Makes raw events as AWS sends them, each record with an id of its own; made by `Client`."""

    __test__ = False

    def generate_sqs_event(self, message_bodies: list[str], queue_name: str = "queue-name") -> JSON:
        """Return an SQS event with one record for each body (Lambda: "Using Lambda with Amazon SQS").

        Parameters
        ----------
        message_bodies: the messages' texts.
        queue_name: name of the queue; one that ends in ``.fifo`` gives records of one message group.
        """
        fifo = {"MessageGroupId": "default"} if queue_name.endswith(".fifo") else {}

        def record(body: str) -> JSON:
            message_id = str(uuid.uuid4())
            return {
                "messageId": message_id,
                "receiptHandle": f"receipt-{message_id}",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": _now_ms(),
                    "SenderId": "sender-id",
                    "ApproximateFirstReceiveTimestamp": _now_ms(),
                    **fifo,
                },
                "messageAttributes": {},
                "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_name}",
                "awsRegion": REGION,
            }

        return _records(record, message_bodies)

    def generate_sns_event(self, message: str, subject: str = "", message_attributes: JSON | None = None) -> JSON:
        """Return an SNS event (Lambda: "Using Lambda with Amazon SNS").

        Parameters
        ----------
        message: the message's text.
        subject: default: an empty text.
        message_attributes: ``{name: {"Type": ..., "Value": ...}}``. Default: Chalice's own example.
        """
        example = {"AttributeKey": {"Type": "String", "Value": "AttributeValue"}}
        topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:TopicName"
        notification = {
            "Type": "Notification",
            "MessageId": str(uuid.uuid4()),
            "TopicArn": topic,
            "Subject": subject,
            "Message": message,
            "Timestamp": _now(),
            "SignatureVersion": "1",
            "Signature": "signature",
            "SigningCertUrl": f"https://sns.{REGION}.amazonaws.com/cert.pem",
            "UnsubscribeUrl": f"https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe",
            "MessageAttributes": example if message_attributes is None else message_attributes,
        }
        subscription = f"{topic}:{uuid.uuid4()}"
        record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription}
        return {"Records": [{**record, "Sns": notification}]}

    def generate_s3_event(self, bucket: str, key: str, event_name: str = "ObjectCreated:Put") -> JSON:
        """Return an S3 event (S3: "Event message structure").

        Parameters
        ----------
        bucket: name of the bucket.
        key: key of the object as boto3 takes it; the event holds it URL-encoded, as S3 sends it.
        event_name: default: ``ObjectCreated:Put``.
        """
        stored: JSON = {"key": quote_plus(key, safe="/"), "sequencer": uuid.uuid4().hex[:16].upper()}
        if "Removed" not in event_name:
            stored.update(size=0, eTag=hashlib.md5(b"", usedforsecurity=False).hexdigest())
        record = {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": REGION,
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
                    "arn": f"arn:aws:s3:::{bucket}",
                },
                "object": stored,
            },
        }
        return {"Records": [record]}

    def generate_cw_event(
        self, source: str, detail_type: str, detail: JSON, resources: list[str], region: str = REGION
    ) -> JSON:
        """Return an EventBridge event (EventBridge: "Event structure reference").

        Parameters
        ----------
        source: for example ``aws.events``.
        detail_type: for example ``Scheduled Event``.
        detail: what happened.
        resources: ARNs.
        region: default: ``us-west-2``.
        """
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": ACCOUNT,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": resources,
            "detail": detail,
        }

    def generate_kinesis_event(self, message_bodies: list[bytes], stream_name: str = "stream-name") -> JSON:
        """Return a Kinesis event with one record for each body (Lambda: "Using Lambda with Kinesis").

        Parameters
        ----------
        message_bodies: the records' payloads.
        stream_name: name of the stream.
        """

        def record(body: bytes) -> JSON:
            number = str(uuid.uuid4().int)
            return {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "1",
                    "sequenceNumber": number,
                    "data": base64.b64encode(body).decode(),
                    "approximateArrivalTimestamp": datetime.now(UTC).timestamp(),
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"shardId-000000000000:{number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": f"arn:aws:iam::{ACCOUNT}:role/lambda-role",
                "awsRegion": REGION,
                "eventSourceARN": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream_name}",
            }

        return _records(record, message_bodies)
