"""How much of what the local AWS had acknowledged is gone after `kill -9`: messages, objects and functions."""

from __future__ import annotations

import io
import os
import random
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.roles import make_role
from benchmarks.rows import Row, measured, scratch

ROUNDS = 3
STANDING = (0, 10_000)  # messages that stand in the queue before: so much more has to be written
FEWEST, MOST = 1.5, 4.0  # seconds until the kill


def archive() -> bytes:
    """Return a function's zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        bundle.writestr("app.py", "def handler(event, context): return 1\n")
    return buffer.getvalue()


def go_on(do: Callable[[int], object], done: list[float], dead: threading.Event) -> None:
    """Do something again and again until the server is dead, and note when each was acknowledged."""
    number = 0
    while not dead.is_set():
        try:
            do(number)
        except Exception:  # noqa: BLE001 - the server is gone
            return
        done.append(time.monotonic())
        number += 1


def measure(standing: int) -> tuple[float, int, int]:
    """Return the age of the oldest acknowledged thing that is gone, how many are gone, and how many there were."""
    import boto3
    from botocore.config import Config

    from nbchalice.aws.local.client import server

    def client(service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return boto3.client(service, config=config, **server.ensure_running().client_kwargs())

    sqs, s3, functions = client("sqs"), client("s3"), client("lambda")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    s3.create_bucket(Bucket="bucket")
    for first in range(0, standing, 10):
        entries = [{"Id": str(n), "MessageBody": f"stands {first + n} {'x' * 200}"} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    code, role = archive(), make_role(client("iam"))
    settings = {"Runtime": "python3.13", "Role": role, "Handler": "app.handler", "Code": {"ZipFile": code}}
    work: list[Callable[[int], object]] = [
        lambda n: sqs.send_message(QueueUrl=url, MessageBody=str(n)),
        lambda n: s3.put_object(Bucket="bucket", Key=str(n), Body=b"x"),
        lambda n: functions.create_function(FunctionName=f"f{n}", **settings),
    ]
    done: list[list[float]] = [[] for _ in work]
    dead = threading.Event()
    threads = [threading.Thread(target=go_on, args=(do, each, dead)) for do, each in zip(work, done, strict=True)]
    for thread in threads:
        thread.start()
    dead.wait(random.uniform(FEWEST, MOST))  # noqa: S311 - any moment
    running = server.ensure_running()
    killed = time.monotonic()
    os.kill(running.pid, signal.SIGKILL)
    dead.set()
    for thread in threads:
        thread.join()
    sqs, s3, functions = client("sqs"), client("s3"), client("lambda")
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    objects = sum(
        len(page.get("Contents", [])) for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket")
    )
    made = sum(len(page["Functions"]) for page in functions.get_paginator("list_functions").paginate())
    found = [int(counts["ApproximateNumberOfMessages"]) - standing, objects, made]
    gone = [each[count:] for each, count in zip(done, found, strict=True)]
    server.reset()
    oldest = max((killed - each[0] for each in gone if each), default=0.0)
    return oldest, sum(map(len, gone)), sum(map(len, done))


def rows() -> Iterator[Row]:
    """Yield how old the oldest lost thing was, and how many were lost."""
    for standing in STANDING:
        with scratch():
            found = [measure(standing) for _ in range(ROUNDS)]
        ages = [age for age, _, _ in found]
        lost, all_of_them = (sum(each[column] for each in found) for column in (1, 2))
        name = f"{standing:,} messages stand"
        aim = "hit" if max(ages) < 1 else "missed"
        note = f"of {all_of_them:,} acknowledged {lost} were gone; aim: under a second: {aim}"
        yield measured(name, "age of the oldest thing lost by a kill", ages, "s", note)
