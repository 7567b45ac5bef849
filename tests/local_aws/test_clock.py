"""A computer's clock that is set by an hour, while the local AWS runs or between two starts, and what the day after brings."""

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
from ministack.services import cloudwatch_logs, eventbridge, lambda_svc, scheduler, sqs
now = time.time()
event = {"timestamp": now * 1000, "ingestionTime": now * 1000}
cloudwatch_logs._log_groups["g"] = {"streams": {"s": {"events": [event], "lastEventTimestamp": now * 1000}}}
message = {"sent_at": now, "visible_at": now + 30, "first_receive_at": None}
sqs._queues["q"] = {"messages": [message], "dedup_cache": {"d": {"expire": now + 300}}}
eventbridge._rules["r"] = {"CreationTime": now}
scheduler._schedules["s"] = {"CreationDate": now}
fired = eventbridge._rule_last_fired, scheduler._schedule_last_fired, lambda_svc._esm_backoff_until
for times in fired:
    times["x"] = now
clock, stock = clocks.Clock(), time.time
moved = []
for back in (0, 5, 3605, 3605, 5, 3605):
    time.time = lambda: stock() - back
    moved.append(round(clock.seconds_ahead(), -1))
clocks.move_back(3600)
found = [*message.values(), sqs._queues["q"]["dedup_cache"]["d"]["expire"], *(times["x"] for times in fired)]
found += [eventbridge._rules["r"]["CreationTime"], scheduler._schedules["s"]["CreationDate"]]
found += [event["timestamp"] / 1000, event["ingestionTime"] / 1000]
print(json.dumps([moved, [one and round(one - now) for one in found]]))
"""
ASLEEP = """
import importlib, json, time
clocks = importlib.import_module("nbchalice_local_aws.server.clock_patches")
from ministack.services import sqs
now = time.time()
received, delayed, back = ({"visible_at": now - 3600 + at, "receive_count": count} for at, count in ((30, 1), (30, 0), (-1, 1)))
sqs._queues["q"] = {"messages": [received, delayed, back], "dedup_cache": {}}
clocks.hold_received(3600)
print(json.dumps([round(one["visible_at"] - now) for one in (received, delayed, back)]))
"""
EXPIRED = """
import importlib, json, time
streams = importlib.import_module("nbchalice_local_aws.server.stream_patches")
from ministack.services import kinesis, lambda_svc
arn, day, now = "arn:aws:kinesis:us-east-1:000000000000:stream/s", 86400, time.time()
records = [{"ApproximateArrivalTimestamp": now - age, "Data": age} for age in (2 * day, day + 1, 60, 0)]
stream = {"StreamARN": arn, "RetentionPeriodHours": 24, "shards": {"0": {"records": records}}}
kinesis._streams["s"] = stream
lambda_svc._esms["m"] = {"UUID": "m", "EventSourceArn": arn}
lambda_svc._kinesis_positions["m"] = place = {"0": 3}
kinesis._shard_iterators["i"] = iterator = {"stream_arn": arn, "shard_id": "0", "position": 3}
streams.apply_streams()
kinesis._expire_records(stream)
told = [len(records), place["0"]]
list(lambda_svc._iter_all_esms())
told += [len(records), place["0"], iterator["position"]]
place["0"] = 9  # as it was saved before places moved along
list(lambda_svc._iter_all_esms())
print(json.dumps([*told, place["0"]]))
"""


def test_while_it_runs_what_waits_goes_on_waiting_for_as_long_as_before(local_aws):
    done = run(RUNNING)
    moved, times = json.loads(done.stdout or done.stderr)
    assert moved == [0, 0, -HOUR, 0, HOUR, -HOUR]
    assert times == [-HOUR, 30 - HOUR, None, 300 - HOUR, -HOUR, -HOUR, -HOUR, -HOUR, -HOUR, -HOUR, -HOUR]


def test_what_a_receiver_has_stays_with_it_though_the_computer_slept(local_aws):
    done = run(ASLEEP)
    assert json.loads(done.stdout or done.stderr) == [30, 30 - HOUR, -1 - HOUR]


def test_records_that_a_stream_keeps_no_longer_do_not_take_the_mappings_place_along(local_aws):
    """Its function got nothing any more, the day after."""
    done = run(EXPIRED)
    assert json.loads(done.stdout or done.stderr) == [4, 3, 2, 1, 1, 2]


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
