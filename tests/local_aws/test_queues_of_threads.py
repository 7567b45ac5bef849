"""Several threads of the local AWS change a queue at the same time, and nothing is lost, comes back, or is there twice."""

import itertools
import json

import pytest

from .test_patches import run

pytestmark = pytest.mark.local_aws

RACE = """
import importlib, json, threading
importlib.import_module("nbchalice_local_aws.server.queue_patches").apply_queues()
from ministack.services import sqs

URL, DEAD = (f"http://127.0.0.1:1/000000000000/{name}" for name in ("q", "dead"))
ARN = "arn:aws:sqs:us-east-1:000000000000:"

class Turn(dict):
    '''A message at which another thread gets its turn, as the interpreter may give it between any two steps.'''
    others = None
    def get(self, name, default=None):
        if Turn.others is not None:
            thread = threading.Thread(target=Turn.others)
            Turn.others = None
            thread.start()
            thread.join(0.1)  # it waits for the lock, or it is through
            threads.append(thread)
        return dict.get(self, name, default)
    def __getitem__(self, name):
        self.get(name)
        return dict.__getitem__(self, name)

def call(name, **data):
    return sqs._HANDLERS[name]({"QueueUrl": URL, **data}, URL)

def message(name, kind=dict, **more):
    handle = None if name == "turn" else name
    times = {"sent_at": 1e10, "visible_at": 0.0, "first_receive_at": None}
    made = kind(id=name, body=name, receipt_handle=handle, receive_count=0, md5_body="", md5_attrs="", sys={}, **times)
    made.update(message_attributes={}, group_id=None, dedup_id=None, seq=None, **more)
    return made

REMOVES = {
    "a batch that ended": lambda name: sqs._delete_messages_for_esm(URL, {name}),
    "DeleteMessage": lambda name: call("DeleteMessage", ReceiptHandle=name),
    "DeleteMessageBatch": lambda name: call("DeleteMessageBatch", Entries=[{"Id": "1", "ReceiptHandle": name}]),
    "a redrive policy": lambda name: sqs._dlq_sweep(sqs._queues[URL]),
    "retention": lambda name: sqs._expire_retained(sqs._queues[URL]),
}
MARKS = {"a redrive policy": {"receive_count": 3}, "retention": {"enqueued_at": 0.0}}
told = []
for first, second in json.loads(sys.stdin.read()):
    threads = []
    for url, name in ((URL, "q"), (DEAD, "dead")):
        sqs._queues[url] = {
            "attributes": {"QueueArn": ARN + name}, "messages": [], "is_fifo": False, "dedup_cache": {}, "fifo_seq": 0,
        }
        sqs._queue_name_to_url[name] = url
    policy = json.dumps({"deadLetterTargetArn": ARN + "dead", "maxReceiveCount": 3})
    sqs._queues[URL]["attributes"]["RedrivePolicy"] = policy
    sqs._queues[URL]["messages"] = [
        message("a", **MARKS.get(first, {})), message("turn", Turn), message("b", **MARKS.get(second, {})), message("c"),
    ]
    def others():
        REMOVES[second]("b")
        call("SendMessage", MessageBody="sent meanwhile")
    Turn.others = others
    REMOVES[first]("a")
    for thread in threads:
        thread.join()
    told.append([len(threads), *([m["body"] for m in sqs._queues[url]["messages"]] for url in (URL, DEAD))])
print(json.dumps(told))
"""
WAYS = ["a batch that ended", "DeleteMessage", "DeleteMessageBatch", "a redrive policy", "retention"]
PAIRS = list(itertools.product(WAYS, WAYS))


def test_two_threads_that_remove_messages_and_send_one_lose_none(local_aws, record_property):
    done = run(RACE, input=json.dumps(PAIRS))
    for pair, (turns, queue, dead) in zip(PAIRS, json.loads(done.stdout or done.stderr), strict=True):
        swept = [name for name, way in zip("ab", pair, strict=True) if way == "a redrive policy"]
        assert (turns, sorted(queue), sorted(dead)) == (1, ["c", "sent meanwhile", "turn"], swept), pair
    record_property("tried", ["pairs of threads that change a queue", len(PAIRS)])
