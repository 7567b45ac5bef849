"""Raw events as AWS sends them, for tests; every record has an id of its own."""

from __future__ import annotations

import uuid

from nbchalice.sources.messages import sqs_event
from nbchalice.sources.raw_events import (
    bridge_event,
    kinesis_record,
    s3_event,
    sns_event,
    sns_notification,
    sqs_message,
)
from nbchalice.typed import JSON

REGION = "us-west-2"
ACCOUNT = "123456789012"


class TestEventsClient:
    """Makes raw events as AWS sends them, each record with an id of its own; made by `Client`."""

    __test__ = False

    def generate_sqs_event(self, message_bodies: list[str], queue_name: str = "queue-name") -> JSON:
        """Return an SQS event with one record for each body (Lambda: "Using Lambda with Amazon SQS").

        Parameters
        ----------
        message_bodies : list[str]
            The messages' texts.
        queue_name : str
            Name of the queue; one that ends in ``.fifo`` gives records of one message group.
        """
        group_id = "default" if queue_name.endswith(".fifo") else ""
        messages = [sqs_message(body, group_id=group_id) for body in message_bodies]
        return sqs_event(messages, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_name}")

    def generate_sns_event(self, message: str, subject: str = "", message_attributes: JSON | None = None) -> JSON:
        """Return an SNS event (Lambda: "Using Lambda with Amazon SNS").

        Parameters
        ----------
        message : str
            The message's text.
        subject : str
            Default: an empty text.
        message_attributes : JSON or None
            ``{name: {"Type": ..., "Value": ...}}``. Default: Chalice's own example.
        """
        example = {"AttributeKey": {"Type": "String", "Value": "AttributeValue"}}
        topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:TopicName"
        attributes = example if message_attributes is None else message_attributes
        return sns_event(sns_notification(topic, message, subject, attributes), f"{topic}:{uuid.uuid4()}")

    def generate_s3_event(self, bucket: str, key: str, event_name: str = "ObjectCreated:Put") -> JSON:
        """Return an S3 event (S3: "Event message structure").

        Parameters
        ----------
        bucket : str
            Name of the bucket.
        key : str
            Key of the object as boto3 takes it; the event holds it URL-encoded, as S3 sends it.
        event_name : str
            Default: ``ObjectCreated:Put``.
        """
        return s3_event(bucket, key, event_name, REGION)

    def generate_cw_event(
        self, source: str, detail_type: str, detail: JSON, resources: list[str], region: str = REGION
    ) -> JSON:
        """Return an EventBridge event (EventBridge: "Event structure reference").

        Parameters
        ----------
        source : str
            For example ``aws.events``.
        detail_type : str
            For example ``Scheduled Event``.
        detail : JSON
            What happened.
        resources : list[str]
            ARNs.
        region : str
            Default: ``us-west-2``.
        """
        return bridge_event(source, detail_type, detail, resources, region=region, account=ACCOUNT)

    def generate_kinesis_event(self, message_bodies: list[bytes], stream_name: str = "stream-name") -> JSON:
        """Return a Kinesis event with one record for each body (Lambda: "Using Lambda with Kinesis").

        Parameters
        ----------
        message_bodies : list[bytes]
            The records' payloads.
        stream_name : str
            Name of the stream.
        """
        arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{stream_name}"
        role = f"arn:aws:iam::{ACCOUNT}:role/lambda-role"
        return {"Records": [kinesis_record(body, arn, role) for body in message_bodies]}
