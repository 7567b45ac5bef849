"""How long a message takes when one, and when several handlers of queues are busy at the same time."""

from __future__ import annotations

import io
import sys
import time
import uuid
import zipfile
from collections.abc import Iterator

from benchmarks.roles import make_role
from benchmarks.rows import Row, local_connection, measured, scratch

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


def rows() -> Iterator[Row]:
    """Yield how long a message takes, beside what it takes one handler alone, and the share of cold starts."""
    with scratch():
        connection = local_connection()
        found = [{handlers: drain(connection, handlers) for handlers in BUSY} for _ in range(ROUNDS)]
    for handlers in BUSY:
        name = f"{handlers} busy handlers" if handlers > 1 else "one busy handler"
        cold = max(one[handlers][1] for one in found) / MESSAGES
        note = f"at most {cold:.1%} of the messages after each first start cold"
        yield measured(name, "a message", [one[handlers][0] / MESSAGES * 1000 for one in found], "ms", note)
        if handlers > 1:
            yield measured(name, "beside one alone", [one[handlers][0] / one[1][0] for one in found], "times")
