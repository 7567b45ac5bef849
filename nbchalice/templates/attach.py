"""Keeps what a stack attaches to buckets and queues that it did not make, and leaves all else of them as it is.

CloudFormation attaches to its own only; Terraform takes away what others attached.
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
    # CloudFormation deletes what was on another one.
    name = now.get("Bucket") or now["Queue"]
    answer = {one: event[one] for one in ("StackId", "RequestId", "LogicalResourceId")}
    answer["PhysicalResourceId"] = name
    try:
        attach(now, before, event["RequestType"] == "Delete")
        answer["Status"] = "SUCCESS"
    except Exception as error:
        print(repr(error))
        answer |= {"Status": "FAILED", "Reason": f"{name}: {error}"[:1000]}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")  # noqa: S310
    request.add_header("Content-Type", "")
    urllib.request.urlopen(request).close()  # noqa: S310


def applied(event: dict[str, Any], context: object) -> None:
    """Do what Terraform asks for (aws_lambda_invocation)."""
    asked = event.pop("tf")
    attach(event, asked["prev_input"] or {}, asked["action"] == "delete")


def attach(now: dict[str, Any], before: dict[str, Any], gone: bool) -> None:
    """Attach it."""
    (bucket if "Bucket" in now else queue)(now, before, gone)


def client(service: Any, **where: Any) -> Any:
    """Return a client that waits until IAM knows what it may."""
    made: Any = boto3.client(service, **where)
    made.meta.events.register("needs-retry", pause)
    return made


def pause(response: Any, attempts: int, **_: Any) -> int | None:
    """Return seconds to the next try."""
    error = str(response and response[1].get("Error"))
    return 5 if attempts < 9 and "AccessDenied" in error else None


def bucket(now: dict[str, Any], before: dict[str, Any], gone: bool) -> None:
    """Put our entries into the notifications of a bucket, or take them out."""
    s3 = client("s3")
    ours = {of(one) for one in [*now.get("Entries", []), *before.get("Entries", [])]}
    place = {"Bucket": now["Bucket"], "ExpectedBucketOwner": now["Account"]}
    try:
        standing = s3.get_bucket_notification_configuration(**place)
    except s3.exceptions.ClientError as error:
        if gone and error.response["Error"]["Code"] in GONE:
            return
        raise
    standing.pop("ResponseMetadata", None)
    kept = [one for one in standing.get(KIND, []) if of(one) not in ours]
    standing[KIND] = kept if gone else kept + now.get("Entries", [])
    if now.get("TellsEventBridge") == "true" and not gone:
        standing["EventBridgeConfiguration"] = {}
    s3.put_bucket_notification_configuration(**place, NotificationConfiguration=standing)


def of(entry: dict[str, Any]) -> str:
    """Return whose it is: the id without the hash."""
    return str(entry["Id"]).rpartition("-")[0]


def queue(now: dict[str, Any], before: dict[str, Any], gone: bool) -> None:
    """Give a queue its dead-letter queue, for good."""
    if gone:
        return
    region, account, name = now["Queue"].split(":")[3:]
    sqs = client("sqs", region_name=region)
    url = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
    standing = json.loads(attributes.get("RedrivePolicy", "{}")).get("deadLetterTargetArn", now["DeadLetterQueue"])
    if standing != now["DeadLetterQueue"]:
        raise ValueError(f"it has another dead-letter queue already, {standing}")
    policy = {"deadLetterTargetArn": now["DeadLetterQueue"], "maxReceiveCount": int(now["Tries"])}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
