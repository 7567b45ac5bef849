"""Keeps what a stack attaches to things that it did not make: notifications of buckets, redrive policies of queues.

CloudFormation gives these to its own buckets and queues only. This function does it for the others, and leaves all
else of them as it is (CloudFormation: "Custom resources", a Lambda function that answers to a presigned address).
"""

import json
import urllib.request
from typing import Any

import boto3

KIND = "LambdaFunctionConfigurations"
GONE = ("NoSuchBucket", "404")


def lambda_handler(event: dict[str, Any], context: object) -> None:
    """Do what CloudFormation asks for, and answer where it says."""
    now, before = event["ResourceProperties"], event.get("OldResourceProperties", {})
    # Another bucket is another thing: CloudFormation asks to delete what was on the earlier one.
    name = now["Bucket"] if "Bucket" in now else now["Queue"]
    answer = {one: event[one] for one in ("StackId", "RequestId", "LogicalResourceId")} | {"PhysicalResourceId": name}
    attach = bucket if "Bucket" in now else queue
    try:
        attach(now, before, event["RequestType"] == "Delete")
        answer["Status"] = "SUCCESS"
    except Exception as error:
        print(repr(error))
        answer |= {"Status": "FAILED", "Reason": f"{name}: {error}"[:1000]}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")  # noqa: S310
    request.add_header("Content-Type", "")
    urllib.request.urlopen(request).close()  # noqa: S310


def bucket(now: dict[str, Any], before: dict[str, Any], gone: bool) -> None:
    """Put our entries into the notification configuration of a bucket, or take them out."""
    s3: Any = boto3.client("s3")
    earlier = before if before.get("Bucket") == now["Bucket"] else {}
    ours = {entry["Id"] for entry in [*now.get("Entries", []), *earlier.get("Entries", [])]}
    place = {"Bucket": now["Bucket"], "ExpectedBucketOwner": now["Account"]}
    try:
        standing = s3.get_bucket_notification_configuration(**place)
    except s3.exceptions.ClientError as error:
        if gone and error.response["Error"]["Code"] in GONE:
            return
        raise
    standing.pop("ResponseMetadata", None)
    kept = [entry for entry in standing.get(KIND, []) if entry.get("Id") not in ours]
    standing[KIND] = kept if gone else kept + now.get("Entries", [])
    if now.get("TellsEventBridge") == "true" and not gone:
        standing["EventBridgeConfiguration"] = {}
    s3.put_bucket_notification_configuration(**place, NotificationConfiguration=standing)


def queue(now: dict[str, Any], before: dict[str, Any], gone: bool) -> None:
    """Give a queue its dead-letter queue; it stays when the stack goes, so that no message is lost."""
    if gone:
        return
    _, _, _, region, account, name = now["Queue"].split(":")
    sqs: Any = boto3.client("sqs", region_name=region)
    url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
    standing = json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn", now["DeadLetterQueue"])
    if standing != now["DeadLetterQueue"]:
        raise ValueError(f"it has another dead-letter queue already, {standing}")
    policy = {"deadLetterTargetArn": now["DeadLetterQueue"], "maxReceiveCount": int(now["Tries"])}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
