"""Two apps that between them have every source and every resource, on things that are somebody's own."""

import random
from dataclasses import dataclass, field, replace

import pytest

from nbchalice.resources import upload_bucket

from ..deploy.harness import app, handler, package, s3, schedule, sns, sqs, unique
from ..deploy.test_bundles import Big
from ..deploy.test_layers_and_uploads import Dependencies

ACCOUNT = "000000000000"
NAME, PLACE, OTHER = unique("least"), unique("place"), unique("other")
DLQ = f"{PLACE}-dead"
# A zip of more bytes goes through the bucket, in these tests.
DIRECT_LIMIT = 1500


@dataclass(frozen=True)
class Place:
    """What the second app's handlers are attached to."""

    table_stream: str = ""
    key: str = ""
    boundary: str = ""
    role: str = ""


@dataclass(frozen=True)
class Shop:
    """An app before and after an edit of all that can be edited, and its code."""

    made: object
    edited: object
    packs: dict = field(default_factory=dict)
    # Which handler is invoked and rolled back, which are live, and whose dead letters are looked at.
    again: str = ""
    live: tuple = ()
    letters: tuple = ()
    # What somebody changes by hand: roles, and rules with their bus.
    roles: tuple = ()
    rules: tuple = ()

    def packages(self, made, code="1"):
        return lambda: {one.name: replace(package(code), **self.packs.get(one.name, {})) for one in made.handlers}


def first():
    """The sources that most have."""
    return Shop(
        _first(), _first(edited=True), again="price", live=("hourly", "price"), letters=("ready", "price"),
        roles=("price", "tick-event"), rules=(("hourly-event", "default"),),
    )  # fmt: skip


def _first(*, edited=False):
    common = {} if edited else {"tag": {"team": "a"}}
    made = [
        handler("tick", schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna" if edited else "UTC"), **common),
        handler("hourly", schedule("rate(2 hours)" if edited else "rate(1 hour)"), **common),
        handler("ingest", s3(PLACE, prefix="in/", suffix=".csv"), **common),
        handler("announce", sns(PLACE, filter_policy={"kind": ["a" if edited else "b"]}), **common),
        handler("price", sqs(PLACE, batch_size=2 if edited else 1), timeout=9 if edited else 8, dlq=DLQ, **common),
        handler("ready", ("lambda_function", {}), reserved_concurrency=None if edited else 1, dlq=DLQ, **common),
    ]
    if edited:
        made[2] = replace(made[2], settings={"log_retention": 7})
    return app(NAME, *made)


def second(place):
    """The other sources, keys, layers, what goes through the bucket, and where failed events go."""
    large = package("# " + random.Random(1).randbytes(2000).hex() + "\ndef lambda_handler(event, context):\n    pass\n")
    packs = {
        "layered": {"layer": Dependencies("1" * 64)},
        "scored": {"bundles": (Big(b"a model"),)},
        "bulky": {"zip": large.zip, "code_sha256": large.code_sha256},
    }
    return Shop(
        _second(place), _second(place, edited=True), packs, "secret", live=("objects", "sealed"), letters=("clicks", "sealed"),
        roles=("secret", "bulky"), rules=(("orders-event", PLACE), ("events-event", "default")),
    )  # fmt: skip


def _second(place, *, edited=False):
    new = int(edited)
    detail = {"event_pattern": {"source": [f"shop{new}"]}}
    return app(
        OTHER,
        handler("clicks", ("on_kinesis_record", {"stream": PLACE, "batch_size": 5 + new}), dlq=DLQ),
        handler("changes", ("on_dynamodb_record", {"stream_arn": place.table_stream, "batch_size": 5 + new})),
        handler("orders", ("on_cw_event", {**detail, "bus": PLACE}), on_failure=arn_of("sns", PLACE)),
        handler("events", ("on_cw_event", detail), **({} if edited else {"on_failure": arn_of("events", f"event-bus/{PLACE}")})),
        handler("objects", s3(PLACE, via="eventbridge", prefix="big/", min_size=1 + new)),
        handler("web", ("lambda_function", {"url": "public" if edited else "iam"})),
        handler("secret", ("lambda_function", {}), kms_key=place.key, env={"A": str(new)}, **({"log_retention": 7} if edited else {})),
        handler("hidden", ("lambda_function", {}), log_kms_key=place.key),
        handler("sealed", sqs(f"{PLACE}-sealed", batch_size=1 + new), dlq=DLQ),
        handler("layered", ("lambda_function", {}), retries=new, on_failure=DLQ),
        handler("scored", ("lambda_function", {}), memory=256 + new, on_failure=f"arn:aws:s3:::{PLACE}"),
        handler("bulky", ("lambda_function", {}), max_age=60 + new, permissions_boundary=place.boundary),
        handler("lent", ("lambda_function", {}), role=place.role, memory=256 + new),
    )  # fmt: skip


def arn_of(service, resource):
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


def places(aws):
    """Make what the apps' handlers are attached to."""
    client = aws.client
    client("sqs").create_queue(QueueName=DLQ)
    client("sqs").create_queue(QueueName=PLACE, Attributes={"VisibilityTimeout": "60"})
    client("sns").create_topic(Name=PLACE)
    client("s3").create_bucket(Bucket=PLACE)
    client("events").create_event_bus(Name=PLACE)
    client("kinesis").create_stream(StreamName=PLACE, ShardCount=1)
    table = client("dynamodb").create_table(
        TableName=PLACE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    client("kms").create_alias(AliasName=f"alias/{PLACE}", TargetKeyId=key)
    sealed = {"VisibilityTimeout": "60", "KmsMasterKeyId": f"alias/{PLACE}"}
    client("sqs").create_queue(QueueName=f"{PLACE}-sealed", Attributes=sealed)
    anything = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    boundary = client("iam").create_policy(PolicyName=PLACE, PolicyDocument=anything)["Policy"]["Arn"]
    trust = anything.replace('"Action": "*", "Resource": "*"', TRUST)
    role = client("iam").create_role(RoleName=PLACE, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    return Place(table["LatestStreamArn"], key, boundary, role)


TRUST = '"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"'


def small_limit():
    """Let zips of a few bytes go through the bucket; returns what undoes it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(upload_bucket, "DIRECT_LIMIT", DIRECT_LIMIT)
    return patch.undo
