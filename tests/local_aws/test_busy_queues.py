"""Several handlers of queues that are busy at the same time: warm environments, and no message that waits unseen."""

import json
import uuid

import pytest

from ..gates import OPEN

COUNTED = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
QUICK = "def handler(e, c): return len(e['Records'])\n"
GATED = (
    OPEN
    + """
import time
def handler(event, context):
    while not is_open({gate}):
        time.sleep(0.02)
"""
)


class Queue:
    """A queue with a dead-letter queue that takes what was received once and not handled, and its handler."""

    def __init__(self, aws, functions, code, *, fifo=False, **settings):
        self.sqs, self.aws, self.functions = aws("sqs"), aws, functions
        self.name = f"busy-{uuid.uuid4().hex[:8]}"
        ending, attributes = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        self.dead = self.sqs.create_queue(QueueName=f"{self.name}-dead{ending}", Attributes=attributes)["QueueUrl"]
        arn = f"arn:aws:sqs:us-east-1:000000000000:{self.name}"
        policy = json.dumps({"deadLetterTargetArn": f"{arn}-dead{ending}", "maxReceiveCount": 1})
        attributes |= {"RedrivePolicy": policy, "VisibilityTimeout": "600"}
        self.url = self.sqs.create_queue(QueueName=self.name + ending, Attributes=attributes)["QueueUrl"]
        self.arn, self.fifo = arn + ending, fifo
        self.function = functions.make(code, name=self.name, **settings)

    def send(self, count):
        for number in range(0, count, 10):
            extra = [{"MessageGroupId": f"g{n % 3}", "MessageDeduplicationId": f"{number + n}"} for n in range(10)]
            entries = [
                {"Id": str(n), "MessageBody": str(number + n), **(extra[n] if self.fifo else {})} for n in range(10)
            ]
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def connect(self, **settings):
        mappings = self.aws("lambda")
        mappings.create_event_source_mapping(EventSourceArn=self.arn, FunctionName=self.function, **settings)

    def counts(self, url=None):
        found = self.sqs.get_queue_attributes(QueueUrl=url or self.url, AttributeNames=COUNTED)["Attributes"]
        return [int(found[name]) for name in COUNTED]

    def drained(self):
        return self.counts() == [0, 0]

    def log(self):
        return self.functions.log(self.name)

    def cold_starts(self):
        return sum("Init Duration" in message for message in self.log())


@pytest.mark.parametrize("handlers", [4, 6, 8, 9])
def test_handlers_that_are_busy_together_stay_warm(aws, functions, eventually, handlers, record_property):
    queues, each = [Queue(aws, functions, QUICK) for _ in range(handlers)], 240 // handlers // 10 * 10 + 10
    for queue in queues:
        queue.send(each)
    for queue in queues:
        queue.connect(BatchSize=1)
    eventually(lambda: all(queue.drained() for queue in queues))
    assert all(queue.counts(queue.dead) == [0, 0] for queue in queues)
    again, messages = sum(queue.cold_starts() for queue in queues) - handlers, each * handlers
    record_property("told", f"{handlers} busy queues, {messages} messages: {again} cold starts after each one's first")
    assert again <= 0.05 * messages


def test_a_message_is_received_only_when_an_environment_is_free(aws, functions, eventually, gate):
    """Else it would wait unseen, come back after the visibility timeout, and be dead without having been tried."""
    queues = [Queue(aws, functions, GATED.format(gate=gate.number), Timeout=300) for _ in range(7)]
    for queue in queues:
        queue.send(20)
        queue.connect(BatchSize=1)

    def begun(queue):
        return sum(message.startswith("START") for message in queue.log())

    def received():
        return sum(queue.counts()[1] for queue in queues)

    eventually(lambda: all(queue.counts()[1] for queue in queues))  # none waits for the others' slow ones
    quick = Queue(aws, functions, QUICK)
    quick.send(10)
    quick.connect(BatchSize=1)
    eventually(quick.drained)
    assert received() <= 20  # twice the environments for events, never four for each function
    eventually(lambda: sum(begun(queue) for queue in queues) == received())
    gate.open()
    eventually(lambda: all(queue.drained() for queue in queues))
    assert all(queue.counts(queue.dead) == [0, 0] for queue in [*queues, quick])


@pytest.mark.parametrize("settings", [{"BatchSize": 10}, {"BatchSize": 3}])
def test_bursts_with_reserved_concurrency_batches_and_groups(aws, functions, eventually, settings):
    reserved = Queue(aws, functions, QUICK)
    aws("lambda").put_function_concurrency(FunctionName=reserved.function, ReservedConcurrentExecutions=1)
    queues = [reserved, Queue(aws, functions, QUICK, fifo=True), *(Queue(aws, functions, QUICK) for _ in range(3))]
    for queue in queues:
        queue.send(60)
        queue.connect(**settings)
    eventually(lambda: all(queue.drained() for queue in queues))
    assert all(queue.counts(queue.dead) == [0, 0] for queue in queues)


def test_a_filter_that_drops_all_keeps_no_place(aws, functions, eventually):
    """What is dropped before the function runs was expected by nobody."""
    dropped = Queue(aws, functions, QUICK)
    dropped.send(60)
    criteria = {"Filters": [{"Pattern": json.dumps({"body": {"never": ["x"]}})}]}
    dropped.connect(BatchSize=1, FilterCriteria=criteria)
    eventually(dropped.drained)
    after = Queue(aws, functions, QUICK)
    after.send(20)
    after.connect(BatchSize=1)
    eventually(after.drained)
    groups = aws("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{dropped.name}")["logGroups"]
    assert groups == [], "it never ran"
