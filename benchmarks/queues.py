"""How long a message takes when one, and when several handlers of queues are busy at the same time."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path

MESSAGES = 240
BUSY = (1, 2, 3, 4, 6, 8, 12)
CODE = "def handler(event, context):\n    return len(event['Records'])\n"


def drain(connection: object, handlers: int) -> tuple[float, float]:
    """Send messages to as many queues with a trivial handler each; return seconds and cold starts for a message."""
    sqs, functions, logs = (connection.client(name) for name in ("sqs", "lambda", "logs"))  # type: ignore[attr-defined]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("app.py", CODE)
    urls, names = [], [f"busy-{handlers}-{number}" for number in range(handlers)]
    for name in names:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        urls.append(url)
        functions.create_function(
            FunctionName=name,
            Runtime=f"python3.{sys.version_info[1]}",
            Role="arn:aws:iam::000000000000:role/r",
            Handler="app.handler",
            Code={"ZipFile": archive.getvalue()},
        )
    for number in range(MESSAGES // 10):
        url = urls[number % handlers]
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "m"} for n in range(10)])
    begun = time.perf_counter()
    for name in names:
        arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
        functions.create_event_source_mapping(EventSourceArn=arn, FunctionName=name, BatchSize=1)
    attributes = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for url in urls:
        while any(
            int(n) for n in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=attributes)["Attributes"].values()
        ):
            time.sleep(0.02)
    seconds = time.perf_counter() - begun
    time.sleep(0.5)
    cold = 0
    for name in names:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        cold += sum("Init Duration" in event["message"] for page in pages for event in page["events"])
        functions.delete_function(FunctionName=name)
    return seconds, cold / MESSAGES


def main() -> None:
    """Print the seconds for all messages and the share of cold starts."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["NBCHALICE_LOCAL_HOME"] = str(Path(home) / "local-aws")
        from nbchalice.aws.local.client import server
        from nbchalice.aws.target import connect

        try:
            connection = connect("local")
            for handlers in BUSY:
                seconds, cold = drain(connection, handlers)
                print(f"{handlers:2} busy handlers: {MESSAGES} messages in {seconds:5.1f} s, {cold:4.0%} cold starts")
        finally:
            server.stop()
