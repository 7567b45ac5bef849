"""A computer's clock that is set back by an hour, while the local AWS runs or between two starts."""

import json
import os
import time

import pytest

from nbchalice.aws.local.client import server
from nbchalice.aws.target import connect

from .conftest import client
from .test_patches import run

pytestmark = pytest.mark.local_aws
HOUR = 3600

RUNNING = """
import importlib, json, time
clocks = importlib.import_module("nbchalice_local_aws.server.clock_patches")
from ministack.services import eventbridge, lambda_svc, scheduler, sqs
now = time.time()
message = {"sent_at": now, "visible_at": now + 30, "first_receive_at": None}
sqs._queues["q"] = {"messages": [message], "dedup_cache": {"d": {"expire": now + 300}}}
eventbridge._rules["r"] = {"CreationTime": now}
scheduler._schedules["s"] = {"CreationDate": now}
fired = eventbridge._rule_last_fired, scheduler._schedule_last_fired, lambda_svc._esm_backoff_until
for times in fired:
    times["x"] = now
clock, stock = clocks.Clock(), time.time
moved = []
for back in (0, 0, 3600, 3600, 0, 3601):
    time.time = lambda: stock() - back
    moved.append(round(clock.seconds_back(), -1))
clocks.move_back(3600)
found = [*message.values(), sqs._queues["q"]["dedup_cache"]["d"]["expire"], *(times["x"] for times in fired)]
found += [eventbridge._rules["r"]["CreationTime"], scheduler._schedules["s"]["CreationDate"]]
print(json.dumps([moved, [one and round(one - now) for one in found]]))
"""


def test_while_it_runs_what_waits_goes_on_waiting_for_as_long_as_before(local_aws):
    done = run(RUNNING)
    moved, times = json.loads(done.stdout or done.stderr)
    assert moved == [0, 0, HOUR, 0, 0, HOUR]  # forward is no matter
    assert times == [-HOUR, 30 - HOUR, None, 300 - HOUR, -HOUR, -HOUR, -HOUR, -HOUR, -HOUR]


def test_what_was_saved_at_a_later_time_is_there_at_once_and_it_is_told(home, capsys):
    running = server.ensure_running()
    url = client(running, "sqs").create_queue(QueueName="kept")["QueueUrl"]
    client(running, "sqs").send_message(QueueUrl=url, MessageBody="m")
    server.stop()
    path = home / "state" / "sqs.json"
    document = json.loads(path.read_text())
    (queue,) = document["payload"]["queues"]["data"].values()
    for name in ("sent_at", "visible_at"):
        queue["messages"][0][name] += HOUR
    path.write_text(json.dumps(document))
    os.utime(path, (time.time() + HOUR, time.time() + HOUR))
    connect("local")
    told = capsys.readouterr().err
    assert told.startswith("the clock of this computer was set back by 3") and told.count("\n") == 1
    assert client(server.status(), "sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "m"
