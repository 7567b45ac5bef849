"""Eight busy handlers at once, with poison and with what is not for them: nothing lost, doubled or out of order.

A twentieth of it in every run; `make test-all` sends all of it: 5,000 messages of queues (1,000 of them in 20 groups
besides), 500 objects and 500 notifications.
"""

import json
import os
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from nbchalice.logs.fetch import Reader

PART = int(os.environ.get("NBCHALICE_LOAD_PART", "20"))  # one part in so many of the whole load
GROUPS = 20
# What is handled is printed with a clock that all processes share. Poison is printed with what makes it come back soon.
MESSAGES = """import time
    for record in {records}:
        if "poison" in record.body:
            print("poison", record.body, record.to_dict()["receiptHandle"], flush=True)
            raise ValueError(record.body)
        print("handled", record.body.replace(" ", ""), time.monotonic_ns(), flush=True)"""
NOTIFICATIONS = """import time
    for record in event.to_dict()["Records"]:
        text = {text}
        if "poison" in text:
            print("poison", text, flush=True)
            raise ValueError(text)
        print("handled", text.replace(" ", ""), time.monotonic_ns(), flush=True)"""
WHOLE, EACH = MESSAGES.format(records="event"), MESSAGES.format(records="[event]")
PER_RECORD = "batch_size=10, per_record=True, max_receive_count=1"


@dataclass
class Sent:
    """What one handler is sent, by what is to become of it."""

    good: list = field(default_factory=list)
    poison: list = field(default_factory=list)
    foreign: list = field(default_factory=list)

    @classmethod
    def of(cls, count, poison=0, foreign=0, form="m{}"):
        """Good ones, with poison and what is for somebody else spread between them."""
        poison, foreign = (-(-number // PART) for number in (poison, foreign))
        texts = [form.format(number) for number in range(max(1, count // PART))]
        return cls(texts, [f"poison-{form.format(n)}" for n in range(poison)], [f"foreign-{n}" for n in range(foreign)])

    def mixed(self):
        parts = (self.good, self.poison, self.foreign)
        places = [(place / len(part), text) for part in parts for place, text in enumerate(part)]
        return [text for _, text in sorted(places)]


class Watched:
    """A handler, and what its log has told so far."""

    def __init__(self, one, sent):
        self.one, self.sent = one, sent
        self._reader, self._start = Reader(one.aws, one.ref.name), 0
        self.handled, self.poisoned = [], []

    def read(self):
        for event in self._reader.read(self._start):
            self._start = max(self._start, event.timestamp - 2000)
            word, *rest = event.message.split()[:3] or [""]
            if word == "handled":
                self.handled.append((int(rest[1]), rest[0]))
            elif word == "poison":
                self.poisoned.append(rest)
                self.come_back(*rest)
        return self

    def come_back(self, text, receipt=None):
        """Do not wait for the visibility timeout."""
        if receipt:
            client, queue = self.one.aws.client("sqs"), self.one.trigger()[1]["queue"]
            url = client.get_queue_url(QueueName=queue)["QueueUrl"]
            client.change_message_visibility(QueueUrl=url, ReceiptHandle=receipt, VisibilityTimeout=0)

    def is_done(self, tries):
        self.read()
        return len(self.handled) >= len(self.sent.good) and len(self.poisoned) >= tries * len(self.sent.poison)


def in_batches(texts, send):
    with ThreadPoolExecutor(2) as senders:
        list(senders.map(send, [texts[at : at + 10] for at in range(0, len(texts), 10)]))


def send_messages(aws, queue, bodies):
    url = aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]

    def send(batch):
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(batch)]
        aws.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)

    in_batches(bodies, send)


def send_groups(aws, queue, bodies):
    """Send one after the other, each group's in order."""
    url = aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
    for at in range(0, len(bodies), 10):
        aws.client("sqs").send_message_batch(
            QueueUrl=url,
            Entries=[
                {
                    "Id": str(n),
                    "MessageBody": body,
                    "MessageGroupId": body.split("-")[-2],
                    "MessageDeduplicationId": body,
                }
                for n, body in enumerate(bodies[at : at + 10])
            ],
        )


def send_objects(aws, bucket, texts):
    def put(text):
        key = f"out/{text}.csv" if text.startswith("foreign") else f"in/{text}.csv"
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")

    with ThreadPoolExecutor(2) as senders:
        list(senders.map(put, texts))


def publish(aws, topic, texts):
    arn = f"arn:aws:sns:us-east-1:000000000000:{topic}"

    def send(batch):
        entries = [
            {
                "Id": str(number),
                "Message": text,
                "MessageAttributes": {"kind": {"DataType": "String", "StringValue": text.split("-")[0]}},
            }
            for number, text in enumerate(batch)
        ]
        aws.client("sns").publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)

    in_batches(texts, send)


def letters(aws, queue):
    """All that a dead-letter queue holds."""
    client, bodies = aws.client("sqs"), []
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    while found := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
        bodies += [message["Body"] for message in found]
    return bodies


def left_in(aws, queue):
    client = aws.client("sqs")
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    return sum(map(int, client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def groups_sent():
    """Twenty groups whose messages take turns, a quarter of them with poison at the end, which nothing follows."""
    each = max(3, 50 // PART)
    good = [f"g{group}-{number}" for number in range(each) for group in range(GROUPS)]
    return Sent(good, [f"poison-g{group}-{each}" for group in range(0, GROUPS, 4)])


def test_eight_busy_handlers(deployed, connection, name, eventually, record_property):
    sales = [json.dumps({"kind": "sale", "n": n}) for n in range(max(1, 800 // PART))]
    foreign = [json.dumps({"kind": "gift", "n": n}) for n in range(max(1, 200 // PART))]
    load = {
        "whole batches": ("on_sqs_message(queue='{}a', batch_size=10)", WHOLE, Sent.of(2000), send_messages),
        "one by one": ("on_sqs_message(queue='{}b')", WHOLE, Sent.of(500), send_messages),
        "per record": (f"on_sqs_message(queue='{{}}c', dlq='{{}}c-dead', {PER_RECORD})", EACH, Sent.of(1460, 40), send_messages),
        "filtered": (
            "on_sqs_message(queue='{}d', batch_size=10, filter={{'body': {{'kind': ['sale']}}}}, dlq='{}d-dead', max_receive_count=1)",
            WHOLE, Sent(sales, [], foreign), send_messages,
        ),
        "groups": (
            f"on_sqs_message(queue='{{}}e.fifo', dlq='{{}}e-dead.fifo', {PER_RECORD}, skip_failed_groups=True)",
            EACH, groups_sent(), send_groups,
        ),
        "objects": (
            "on_s3_event('{}f', prefix='in/')",
            NOTIFICATIONS.format(text="record['s3']['object']['key'][3:-4]"), Sent.of(500, 0, 50), send_objects,
        ),
        "notifications": (
            "on_sns_message('{}g', filter_policy={{'kind': [{{'anything-but': 'foreign'}}]}})",
            NOTIFICATIONS.format(text="record['Sns']['Message']"), Sent.of(250, 0, 50), publish,
        ),
        "poisoned topic": (
            "on_sns_message('{}h', dlq='{}h-dead')",
            NOTIFICATIONS.format(text="record['Sns']['Message']"), Sent.of(240, 10), publish,
        ),
    }  # fmt: skip
    watched, sends = {}, []
    for title, (trigger, body, sent, send) in load.items():
        text = f"@app.{trigger.replace('{}', name).replace('{{', '{').replace('}}', '}')}"
        watched[title] = one = Watched(deployed(text, body), sent)
        place = next(value for key, value in one.one.trigger()[1].items() if key in ("queue", "bucket", "topic"))
        sends.append((send, connection, place, sent.mixed() if title != "groups" else sent.good + sent.poison))
    begun = time.monotonic()
    with ThreadPoolExecutor(len(sends)) as senders:
        list(senders.map(lambda one: one[0](*one[1:]), sends))
    tries = {title: 3 if title == "poisoned topic" else 1 for title in watched}
    queues = [f"{name}{letter}" for letter in ("a", "b", "c", "d", "e.fifo")]
    eventually(lambda: not [title for title, one in watched.items() if not one.is_done(tries[title])], 280)
    eventually(lambda: sum(left_in(connection, queue) for queue in queues) == 0)
    seconds = time.monotonic() - begun
    dead = {"per record": f"{name}c-dead", "filtered": f"{name}d-dead", "groups": f"{name}e-dead.fifo"}
    dead["poisoned topic"] = f"{name}h-dead"
    for title, queue in dead.items():
        eventually(lambda queue=queue, title=title: left_in(connection, queue) >= len(watched[title].sent.poison))
    for title, one in watched.items():
        counted = Counter(text for _, text in one.read().handled)
        assert counted == Counter(text.replace(" ", "") for text in one.sent.good), title
        assert Counter(text for text, *_ in one.poisoned) == dict.fromkeys(one.sent.poison, tries[title]), title
    found = {title: letters(connection, queue) for title, queue in dead.items()}
    found["poisoned topic"] = [re.search(r"poison-m\d+", body)[0] for body in found["poisoned topic"]]
    assert {title: sorted(bodies) for title, bodies in found.items()} == {
        title: sorted(watched[title].sent.poison) for title in dead
    }
    order = [text.split("-") for _, text in sorted(watched["groups"].handled)]
    for group in {group for group, _ in order}:
        numbers = [int(number) for each, number in order if each == group]
        assert numbers == sorted(numbers), group
    numbers = [sum(len(getattr(one.sent, kind)) for one in watched.values()) for kind in ("good", "poison", "foreign")]
    record_property(
        "told",
        f"load: {numbers[0]} events through 8 handlers in {seconds:.1f} s, each handled once, {GROUPS} groups in order; "
        f"{numbers[1]} poisoned, all in the dead-letter queues; {numbers[2]} for others, none handled",
    )
