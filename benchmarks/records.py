"""A handler's time for each record of a full batch of a queue, beside a bare function, Chalice and Powertools.

Each runs in a process that has loaded what AWS's runtime loads, with the log thrown away; by turns, in one run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cold_start import CODE, NBCHALICE, PYTHON, ours, packed
from benchmarks.rows import Row, measured

RUNS, BATCH = 9, 10
WHAT = f"each record of a batch of {BATCH}, its body logged"
CALL = """
import json, logging, os, sys, time
from types import SimpleNamespace
from awslambdaric import bootstrap, lambda_config, lambda_runtime_client
sys.path.insert(0, sys.argv[1])
told, sys.stdout = sys.stdout, open(os.devnull, "w")
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
import lambda_function
event = json.loads(sys.argv[2])
context = SimpleNamespace(aws_request_id="r", function_name="f", memory_limit_in_mb=128, invoked_function_arn="a")
handle = getattr(lambda_function, "lambda_handler")
for _ in range(50):
    handle(event, context)
begun = time.process_time()
for _ in range(500):
    handle(event, context)
print((time.process_time() - begun) / 500 / len(event["Records"]) * 1e6, file=told)
"""
# By default Chalice logs errors only.
LOGGED = CODE["Chalice"].replace("@app", "import logging\napp.log.setLevel(logging.INFO)\n\n@app")
TYPED = """
from dataclasses import dataclass
from nbchalice import Chalice

app = Chalice(app_name="shop")

@dataclass
class Order:
    item: str
    amount: float

@app.on_sqs_message(queue="orders", per_record=True)
def price(order: Order):
    app.log.info("%s", order.item)
"""


def event() -> str:
    """Return a full batch, as SQS sends it."""
    queue = {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:orders"}
    times = {"SentTimestamp": "1700000000000", "ApproximateReceiveCount": "1"}
    body = {"body": json.dumps({"item": "tea", "amount": 2.5}), "attributes": times, "messageAttributes": {}}
    records = [
        {"messageId": f"m{number}", "receiptHandle": "r", **queue, **body, "awsRegion": "us-east-1"}
        for number in range(BATCH)
    ]
    return json.dumps({"Records": records})


def rows() -> Iterator[Row]:
    """Yield the microseconds of the processor for each record."""
    with tempfile.TemporaryDirectory() as folder:
        folders = dict[str, Path]()
        for name, found in packed(Path(folder), {**CODE, "Chalice": LOGGED}):
            if isinstance(found, Row):
                yield found
            else:
                folders[name] = found
        for name, text in (("nbchalice", NBCHALICE), ("nbchalice, typed and one by one", TYPED)):
            folders[name] = Path(folder) / name
            ours(folders[name], PYTHON, text)
        taken: dict[str, list[float]] = {name: [] for name in folders}
        environment = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "us-east-1"}
        for _ in range(RUNS):
            for name, place in folders.items():
                command = [sys.executable, "-c", CALL, place, event()]
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise RuntimeError(f"{name}: {done.stderr}")
                taken[name].append(float(done.stdout.splitlines()[-1]))
    for name, values in taken.items():
        yield measured(name, WHAT, values, "µs", "of the processor")
