"""A handler that causes its own events is told before it is deployed."""

import pytest

from nbchalice.deploy.loops import loop_notes
from nbchalice.deploy.suggest import RESOURCES
from nbchalice.resources.base import FunctionRef

from .harness import handler, s3, sns, sqs

REF = FunctionRef("shop", "dev", "price", "us-east-1", "000000000000")
QUEUE = "arn:aws:sqs:us-east-1:000000000000:orders"
TOPIC = "arn:aws:sns:us-east-1:000000000000:news"
STREAM = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2024-01-01T00:00:00.000"
ORDERS, NEWS = sqs("orders"), sns("news")
SQS, SNS, S3 = (f"import boto3\nc = boto3.client('{service}')\n" for service in ("sqs", "sns", "s3"))
TABLE = "import boto3\nt = boto3.resource('dynamodb').Table('orders')\n"


def allow(action, arn):
    return {"Effect": "Allow", "Action": action, "Resource": arn}


CODE = "its code calls {}"
ROLE = "its role may do {} there"
TOLD = {  # the trigger, the module, what the role may do; the place and the evidence
    "a queue by its URL": (ORDERS, SQS + "c.send_message(QueueUrl='https://sqs.us-east-1.amazonaws.com/000000000000/orders')", [], "queue orders", CODE, "sqs:SendMessage"),
    "a queue asked for": (ORDERS, SQS + "u = c.get_queue_url(QueueName='orders')['QueueUrl']\nc.send_message(QueueUrl=u)", [], "queue orders", CODE, "sqs:SendMessage"),
    "a batch": (ORDERS, SQS + "c.send_message_batch(QueueUrl='orders', Entries=[])", [], "queue orders", CODE, "sqs:SendMessage"),
    "a queue that is not told": (ORDERS, SQS + "c.send_message(QueueUrl=os.environ['URL'])", [allow("sqs:*", QUEUE)], "queue orders", ROLE, "sqs:SendMessage"),
    "a client of elsewhere": (ORDERS, "from shop import send", [allow("sqs:SendMessage", QUEUE)], "queue orders", ROLE, "sqs:SendMessage"),
    "several queues": (ORDERS, "", [allow(["sqs:SendMessage"], [QUEUE + "-dead", "arn:aws:sqs:*:*:ord*"])], "queue orders", ROLE, "sqs:SendMessage"),
    "a topic": (NEWS, SNS + f"c.publish(TopicArn='{TOPIC}', Message='')", [], "topic news", CODE, "sns:Publish"),
    "a topic allowed": (NEWS, "", [allow("SNS:Publish", TOPIC)], "topic news", ROLE, "sns:Publish"),
    "a bucket": (s3("uploads"), S3 + "c.put_object(Bucket='uploads', Key=k)", [], "bucket uploads", CODE, "s3:PutObject"),
    "the bucket of the event": (s3("uploads"), S3 + "def f(event):\n    c.upload_file('x', event.bucket, 'y')", [], "bucket uploads", CODE, "s3:PutObject"),
    "a resource": (s3("uploads"), "import boto3\nboto3.resource('s3').Bucket('uploads').put_object(Key='k')", [], "bucket uploads", CODE, "s3:PutObject"),
    "a key with the prefix": (s3("uploads", prefix="in/"), S3 + "c.put_object(Bucket='uploads', Key=f'in/{n}')", [], "bucket uploads", CODE, "s3:PutObject"),
    "a key that is not told": (s3("uploads", prefix="in/"), S3 + "c.put_object(Bucket='uploads', Key=k)", [], "bucket uploads", CODE, "s3:PutObject"),
    "a key beneath": (s3("uploads", prefix="in/a"), S3 + "c.put_object(Bucket='uploads', Key='in/' + n)", [], "bucket uploads", CODE, "s3:PutObject"),
    "a key that is not told, and its prefix allowed, too": (s3("uploads", prefix="in/"), S3 + "c.put_object(Bucket='uploads', Key=k)", [allow("s3:PutObject", ["arn:aws:s3:::uploads/out/*", "arn:aws:s3:::uploads/in/a*"])], "bucket uploads", CODE, "s3:PutObject"),
    "removed objects": (s3("uploads", events=["s3:ObjectRemoved:*"]), S3 + "c.delete_object(Bucket='uploads', Key=k)", [], "bucket uploads", CODE, "s3:DeleteObject"),
    "a bucket allowed": (s3("uploads", prefix="in/"), "", [allow("s3:PutObject", "arn:aws:s3:::uploads/in/*")], "bucket uploads", ROLE, "s3:PutObject"),
    "a table": (("on_dynamodb_record", {"stream_arn": STREAM}), TABLE + "t.update_item(Key={})", [], "changes of table orders", CODE, "dynamodb:UpdateItem"),
}  # fmt: skip
QUIET = {
    "another queue": (ORDERS, SQS + "c.send_message(QueueUrl='others')", [allow("sqs:SendMessage", "arn:aws:sqs:*:*:*")]),
    "everything allowed": (ORDERS, SQS + "c.send_message(QueueUrl=u)", [allow("sqs:*", "*")]),
    "reading allowed": (s3("uploads"), S3 + "c.get_object(Bucket='uploads', Key=k)", [allow("s3:*", "arn:aws:s3:::uploads/*")]),
    "denied": (ORDERS, "", [{**allow("sqs:SendMessage", QUEUE), "Effect": "Deny"}]),
    "another bucket": (s3("uploads"), S3 + "c.put_object(Bucket='thumbs', Key=k)", [allow("s3:PutObject", "arn:aws:s3:::uploads/*")]),
    "another prefix": (s3("uploads", prefix="in/"), S3 + "k = f'out/{n}'\nc.put_object(Bucket='uploads', Key=k)", []),
    "another suffix": (s3("uploads", suffix=".csv"), S3 + "c.put_object(Bucket='uploads', Key=n + '.json')", []),
    "another prefix allowed": (s3("uploads", prefix="in/"), "", [allow("s3:PutObject", "arn:aws:s3:::uploads/out/*")]),
    "a key that is not told, and another prefix allowed": (s3("uploads", prefix="in/"), S3 + "c.put_object(Bucket='uploads', Key=k)", [allow("s3:PutObject", "arn:aws:s3:::uploads/out/*")]),
    "other events": (s3("uploads", events=["s3:ObjectRemoved:*"]), S3 + "c.put_object(Bucket='uploads', Key=k)", []),
    "another topic": (NEWS, SNS + f"c.publish(TopicArn='{TOPIC}s')", []),
    "no calls": (ORDERS, "x = 1", []),
}  # fmt: skip


def notes(trigger, code, statements):
    made = handler("price", trigger)
    source, options = made.sources()[0]
    return loop_notes(made, code, REF, statements, source.event_values(options))


@pytest.mark.parametrize("case", TOLD)
def test_a_handler_that_causes_its_own_events_is_told_in_one_line(case):
    trigger, code, statements, place, evidence, action = TOLD[case]
    (note,) = notes(trigger, code, statements)
    assert note.startswith(f"price may invoke itself by {place} ({evidence.format(action)}), ")
    ends = "until Lambda stops the loop after 16 rounds, and in live mode until you do"
    assert (ends in note) == ("table" not in case)
    assert "another" in note.rpartition("; ")[2]


@pytest.mark.parametrize("case", QUIET)
def test_a_handler_that_does_not_is_left_alone(case):
    assert notes(*QUIET[case]) == []


def test_a_call_whose_resource_nobody_can_tell_leaves_it_to_the_role(monkeypatch):
    """As of the source of another package, whose service's ARNs are not known."""
    monkeypatch.delitem(RESOURCES, "sns")
    code = SNS + f"c.publish(TopicArn='{TOPIC}', Message='')"
    (note,) = notes(NEWS, code, [allow("sns:Publish", TOPIC)])
    assert f"({ROLE.format('sns:Publish')})" in note
    assert notes(NEWS, code, [allow("sns:Publish", "*")]) == []
