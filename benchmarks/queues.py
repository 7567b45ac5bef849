"""How long a message takes when one, and when several handlers of queues are busy at the same time."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import time
import uuid
import zipfile
from pathlib import Path

from benchmarks.roles import make_role

MESSAGES = 1200
BUSY = (1, 4, 6, 8, 12)
ROUNDS = 2  # interleaved: on a shared machine only what ran side by side can be compared
CODE = "def handler(event, context):\n    return len(event['Records'])\n"


def drain(connection: object, handlers: int) -> tuple[float, int]:
    """Send messages to as many queues with a trivial handler each; return seconds, and cold starts but the first."""
    sqs, functions, logs = (connection.client(name) for name in ("sqs", "lambda", "logs"))  # type: ignore[attr-defined]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("app.py", CODE)
    role = make_role(connection.client("iam"))  # type: ignore[attr-defined]
    urls, names = [], [f"busy-{uuid.uuid4().hex[:8]}" for _ in range(handlers)]
    for name in names:
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        urls.append(url)
        functions.create_function(
            FunctionName=name,
            Runtime=f"python3.{sys.version_info[1]}",
            Role=role,
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
    return seconds, cold - handlers


def main() -> None:
    """Print how long a message takes, beside what it takes one handler alone, and the share of cold starts."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["NBCHALICE_LOCAL_HOME"] = str(Path(home) / "local-aws")
        from nbchalice.aws.local.client import server
        from nbchalice.aws.target import connect

        try:
            connection = connect("local")
            for _ in range(ROUNDS):
                alone = 0.0
                for handlers in BUSY:
                    seconds, cold = drain(connection, handlers)
                    alone = alone or seconds
                    print(
                        f"{handlers:2} busy handlers: {seconds / MESSAGES * 1000:4.1f} ms a message, "
                        f"{seconds / alone:3.1f} times one's, {cold / MESSAGES:4.1%} cold starts after the first"
                    )
        finally:
            server.stop()
