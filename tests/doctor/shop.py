"""Two apps that between them have every source and every resource, on things that are somebody's own."""

import random
from dataclasses import dataclass, field, replace

import pytest

from nbchalice.resources import upload_bucket

from ..deploy.harness import app, handler, package, s3, schedule, sns, sqs, unique
from ..deploy.test_bundles import Big
from ..deploy.test_layers_and_uploads import Dependencies
from ..tables import table_with_stream

ACCOUNT = "000000000000"
# A zip of more bytes goes through the bucket, in these tests.
DIRECT_LIMIT = 1500


@dataclass(frozen=True)
class Place:
    """What handlers are attached to: all of one name, and what has another one."""

    name: str
    table_stream: str = ""
    key: str = ""
    boundary: str = ""
    role: str = ""

    @property
    def dead(self):
        """The queue for failed events."""
        return f"{self.name}-dead"


@dataclass(frozen=True)
class Shop:
    """An app before and after an edit of all that can be edited, its code, and what it is attached to."""

    place: Place
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


def first(place):
    """The sources that most have."""
    name = unique("least")
    return Shop(
        place, _first(name, place), _first(name, place, edited=True), again="price", live=("hourly", "price"), letters=("ready", "price"),
        roles=("price", "tick-event"), rules=(("hourly-event", "default"),),
    )  # fmt: skip


def _first(name, place, *, edited=False):
    common = {} if edited else {"tag": {"team": "a"}}
    made = [
        handler("tick", schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna" if edited else "UTC"), **common),
        handler("hourly", schedule("rate(2 hours)" if edited else "rate(1 hour)"), **common),
        handler("ingest", s3(place.name, prefix="in/", suffix=".csv"), **common),
        handler("announce", sns(place.name, filter_policy={"kind": ["a" if edited else "b"]}), **common),
        handler(
            "price",
            sqs(place.name, batch_size=2 if edited else 1),
            timeout=9 if edited else 8,
            dlq=place.dead,
            **common,
        ),
        handler("ready", ("lambda_function", {}), reserved_concurrency=None if edited else 1, dlq=place.dead, **common),
    ]
    if edited:
        made[2] = replace(made[2], settings={"log_retention": 7})
    return app(name, *made)


def second(place):
    """The other sources, keys, layers, what goes through the bucket, and where failed events go."""
    large = package("# " + random.Random(1).randbytes(2000).hex() + "\ndef lambda_handler(event, context):\n    pass\n")
    packs = {
        "layered": {"layer": Dependencies("1" * 64)},
        "scored": {"bundles": (Big(b"a model"),)},
        "bulky": {"zip": large.zip, "code_sha256": large.code_sha256},
    }
    name = unique("other")
    return Shop(
        place, _second(name, place), _second(name, place, edited=True), packs, "secret", live=("objects", "sealed"), letters=("clicks", "sealed"),
        roles=("secret", "bulky"), rules=(("orders-event", place.name), ("events-event", "default")),
    )  # fmt: skip


def _second(name, place, *, edited=False):
    new = int(edited)
    detail = {"event_pattern": {"source": [f"shop{new}"]}}
    return app(
        name,
        handler("clicks", ("on_kinesis_record", {"stream": place.name, "batch_size": 5 + new}), dlq=place.dead),
        handler("changes", ("on_dynamodb_record", {"stream_arn": place.table_stream, "batch_size": 5 + new})),
        handler("orders", ("on_cw_event", {**detail, "bus": place.name}), on_failure=arn_of("sns", place.name)),
        handler("events", ("on_cw_event", detail), **({} if edited else {"on_failure": arn_of("events", f"event-bus/{place.name}")})),
        handler("objects", s3(place.name, via="eventbridge", prefix="big/", min_size=1 + new)),
        handler("web", ("lambda_function", {"url": "public" if edited else "iam"})),
        handler("secret", ("lambda_function", {}), kms_key=place.key, env={"AB": str(new)}, **({"log_retention": 7} if edited else {})),
        handler("hidden", ("lambda_function", {}), log_kms_key=place.key),
        handler("shared", ("lambda_function", {}), log_group=f"/team/{place.name}", code_signing=SIGNING, memory=128 + new),
        handler("sealed", sqs(f"{place.name}-sealed", batch_size=1 + new), dlq=place.dead),
        handler("layered", ("lambda_function", {}), retries=new, on_failure=place.dead),
        handler("scored", ("lambda_function", {}), memory=256 + new, on_failure=f"arn:aws:s3:::{place.name}"),
        handler("bulky", ("lambda_function", {}), max_age=60 + new, permissions_boundary=place.boundary),
        handler("lent", ("lambda_function", {}), role=place.role, memory=256 + new),
    )  # fmt: skip


SIGNING = f"arn:aws:lambda:us-east-1:{ACCOUNT}:code-signing-config:csc-{'a' * 17}"


def arn_of(service, resource):
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


def places(aws):
    """Make what the apps' handlers are attached to."""
    client, name = aws.client, unique("place")
    client("sqs").create_queue(QueueName=f"{name}-dead")
    client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})
    client("sns").create_topic(Name=name)
    client("s3").create_bucket(Bucket=name)
    client("events").create_event_bus(Name=name)
    client("kinesis").create_stream(StreamName=name, ShardCount=1)
    table = table_with_stream(client("dynamodb"), name)
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    client("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=key)
    sealed = {"VisibilityTimeout": "60", "KmsMasterKeyId": f"alias/{name}"}
    client("sqs").create_queue(QueueName=f"{name}-sealed", Attributes=sealed)
    client("logs").create_log_group(logGroupName=f"/team/{name}")
    anything = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    boundary = client("iam").create_policy(PolicyName=name, PolicyDocument=anything)["Policy"]["Arn"]
    trust = anything.replace('"Action": "*", "Resource": "*"', TRUST)
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    return Place(name, table["LatestStreamArn"], key, boundary, role)


TRUST = '"Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"'


def small_limit():
    """Let zips of a few bytes go through the bucket; returns what undoes it."""
    patch = pytest.MonkeyPatch()
    patch.setattr(upload_bucket, "DIRECT_LIMIT", DIRECT_LIMIT)
    return patch.undo
