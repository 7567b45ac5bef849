"""Amazon DynamoDB: a function handles the changes of a table through its stream."""

from __future__ import annotations

import base64
import json
import random
import re
import time
import uuid
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from nbchalice.resources.arns import Arn
from nbchalice.resources.base import AWS, FunctionRef, Preflight, Problem, Resource, or_missing
from nbchalice.resources.event_source_mapping import EventSourceMapping
from nbchalice.resources.grants import Grant
from nbchalice.runtime.event_kinds import keys_id
from nbchalice.sources.base import Cause, Field, Note, Sent, Source
from nbchalice.sources.filters import deployed_filter, filter_problems, filters_of, passes_filter
from nbchalice.sources.given import json_of
from nbchalice.sources.options import Option
from nbchalice.sources.payloads import MOST_OF_TABLE, item_size, require_room
from nbchalice.sources.streams import (
    DROPS,
    EVENT_FIELDS,
    PASSES,
    STARTING_POSITION,
    STREAM_OPTIONS,
    describe_stream,
    mapping_of,
    reading,
    reports,
    stream_notes,
    stream_problems,
)
from nbchalice.typed import JSON, Values

STREAM_ARN = re.compile(
    r"arn:aws[a-z-]*:dynamodb:(?P<region>[a-z0-9-]+):\d{12}:table/(?P<table>[A-Za-z0-9_.-]+)/stream/[^/]+"
)
# How far the time of a change may be from those of the calls around it: machines of AWS differ a little.
EARLIER_SECONDS, LATER_SECONDS = 1, 6
READING = ("DescribeStream", "GetRecords", "GetShardIterator")
TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})


def table_of(options: Values) -> str:
    """Return the table's name."""
    parts = STREAM_ARN.fullmatch(options["stream_arn"])
    return parts["table"] if parts else ""


RECORD_FIELDS = (*EVENT_FIELDS, "dynamodb", "userIdentity")


class DynamoDB(Source):
    """`@app.on_dynamodb_record` and `%%on_dynamodb_record` (Chalice: DynamoDB Events)."""

    name = "on_dynamodb_record"
    title = "DynamoDB"
    asynchronous = False
    examples = ("arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2024-01-01T00:00:00.000",)
    argument = Option("stream_arn", "ARN of a table's stream", metavar="STREAM_ARN")
    options = (*STREAM_OPTIONS, STARTING_POSITION)
    fields = (Field("message", "Item", "json", "{}", "item to put, plain JSON; its key is made where it is missing"),)

    def check(self, options: Values) -> list[str]:
        """Return that there is no ARN of a stream."""
        arn = options.get("stream_arn")
        if arn and STREAM_ARN.fullmatch(arn):
            wrong = filter_problems(filters_of(options), "--filter", RECORD_FIELDS, "dynamodb")
            return stream_problems(options) + wrong
        table = arn.rpartition("/")[2] if arn else "TABLE"
        how = f"aws dynamodb describe-table --table-name {table} --query Table.LatestStreamArn"
        return [
            f"{arn!r} is not the ARN of a table's stream; {how} prints it" if arn else f"STREAM_ARN is missing; {how}"
        ]

    def notes(self, options: Values, settings: Values) -> list[str]:
        """Return what becomes of a batch that fails."""
        return stream_notes(options, settings)

    def unread(self, options: Values) -> str:
        """Return which option lets Lambda read it."""
        return "" if reports(options) else "add --report-failures"

    def clash(self, one: Values, other: Values, *, same_function: bool) -> str | None:
        """Return that a function has a stream twice: Lambda takes one mapping for a stream and a function."""
        if same_function and one["stream_arn"] == other["stream_arn"]:
            return f"the stream of table {table_of(one)} triggers the function twice; keep one of the triggers"
        return None

    def subject(self, options: Values) -> str:
        """Return the table's name."""
        return table_of(options)

    def describe(self, options: Values) -> str:
        """Return the trigger in a few words."""
        return describe_stream(f"changes of table {table_of(options)}", options)

    def causes(self, options: Values, function: FunctionRef) -> list[Cause]:
        """Return that items of the table are written."""
        cure = "write to another table, or only under a condition that comes to an end"
        table = str(options["stream_arn"]).partition("/stream/")[0]
        actions = "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"
        return [Cause(f"dynamodb:{action}", table, cure, stopped=False) for action in actions]

    def resources(self, options: Values, function: FunctionRef) -> list[Resource]:
        """Return the event source mapping."""
        return [mapping_of(options, function, options["stream_arn"])]

    def failure_target(self, options: Values, function: FunctionRef) -> str:
        """Return the function's dead-letter queue: a stream has none of its own."""
        return function.dlq

    def statements(self, options: Values, function: FunctionRef) -> list[JSON]:
        """Return what Lambda's poller does with the function's role (Lambda: execution role for DynamoDB)."""
        return reading(options["stream_arn"], "dynamodb", READING)

    def as_deployed(self, options: Values, resource: Resource, current: JSON) -> list[Values]:
        """Return the mapping's filter."""
        return deployed_filter(options, resource, current)

    def encryption_key(self, aws: AWS, options: Values, function: FunctionRef) -> str:
        """Return the table's key."""
        table: JSON = dict(aws.client("dynamodb").describe_table(TableName=table_of(options))["Table"])
        return (table.get("SSEDescription") or {}).get("KMSMasterKeyArn") or ""

    def attached(self, function: FunctionRef, policy: Sequence[JSON], mappings: Sequence[JSON]) -> list[Resource]:
        """Return the mappings of tables' streams."""
        arns = [m["EventSourceArn"] for m in mappings if ":dynamodb:" in m.get("EventSourceArn", "")]
        return [EventSourceMapping(function=function, source_arn=arn) for arn in arns]

    def grants(self, options: Values, function: FunctionRef) -> list[Grant]:
        """Return what who deploys and sends must be allowed for it, beside what its resources want."""
        table = function.arn_of("dynamodb", f"table/{table_of(options)}")
        return [Grant(("dynamodb:DescribeTable", "dynamodb:PutItem"), (table,), own=False)]

    def preflight(self, aws: AWS, options: Values, function: FunctionRef) -> Preflight:
        """Look at the table: it must be in the function's region, and its stream must be the one that was named."""
        arn, table = options["stream_arn"], table_of(options)
        region = Arn.parse(arn).region
        if region != function.region:
            hint = f"deploy to {region}, or use a table in {function.region}"
            return Preflight([Problem(f"table {table} is in {region}, the function in {function.region}", hint)])
        description: JSON | None = None
        with or_missing():
            description = aws.client("dynamodb").describe_table(TableName=table)["Table"]
        if description is None:
            hint = "create the table with a stream (StreamSpecification), and name the stream's ARN"
            return Preflight([Problem(f"table {table} does not exist in {region}", hint)])
        standing = description.get("LatestStreamArn")
        if standing == arn:
            return Preflight()
        if not standing:
            how = "--stream-specification StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES"
            hint = f"aws dynamodb update-table --table-name {table} {how}"
            return Preflight([Problem(f"table {table} has no stream", hint)])
        return Preflight([Problem(f"{arn} is not the stream of table {table}", f"it is {standing}")])

    def verdict(self, handler: str, options: Values, values: Values, function: FunctionRef) -> Note | None:
        """Return what the mapping's filter does with the item, if it is a new one."""
        if not filters_of(options):
            return None
        record = self.sample(options, function, **values)["Records"][0]
        if passes_filter(options, record):
            return Note(PASSES, True)
        # Only the table knows whether the item replaces another one, and which.
        changed = {**record, "eventName": "MODIFY"}
        if passes_filter(options, changed) or "OldImage" in json.dumps(options["filter"]):
            return Note("the filter drops it where it is a new item, and may let it through where it replaces one")
        return Note(DROPS, False)

    def sample(self, options: Values, function: FunctionRef, **values: object) -> JSON:
        """Return an event with one new item (Lambda: DynamoDB Streams record event)."""
        item = to_dynamodb(_item(values.get("message"))) or {"id": {"S": "1"}}
        name, value = next(iter(item.items()))
        record = {
            "eventID": uuid.uuid4().hex,
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": Arn.parse(options["stream_arn"]).region,
            "dynamodb": {
                "ApproximateCreationDateTime": 1545084650.0,
                "Keys": {name: value},
                "NewImage": item,
                "SequenceNumber": "4421584500000000017450439091",
                "SizeBytes": len(json.dumps(item)),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": options["stream_arn"],
        }
        return {"Records": [record]}

    def values_of(self, record: JSON) -> JSON:
        """Return the item as it was put, in DynamoDB's own form."""
        item = record.get("dynamodb", {}).get("NewImage")
        return {"message": item} if item else {}

    def send(self, aws: AWS, options: Values, function: FunctionRef, **values: object) -> Sent:
        """Put an item into the table; its key is made where it is missing."""
        client, table = aws.client("dynamodb"), table_of(options)
        described = client.describe_table(TableName=table)
        description = described["Table"]
        types = {entry["AttributeName"]: entry["AttributeType"] for entry in description["AttributeDefinitions"]}
        item = to_dynamodb(_item(values.get("message")))
        keys = [entry["AttributeName"] for entry in description["KeySchema"]]
        for name in keys:
            item.setdefault(name, _new_key(types[name]))
        require_room(item_size(item), MOST_OF_TABLE, "the item with the names of its attributes", "DynamoDB")
        answer = client.put_item(TableName=table, Item=item)
        key = {name: _as_event(item[name]) for name in keys}
        seconds = range(_second(described) - EARLIER_SECONDS, _second(answer) + LATER_SECONDS)
        ids = tuple(keys_id(key, second) for second in seconds)
        return Sent(str(answer["ResponseMetadata"].get("RequestId") or ids[0]), ids, shared=True)


def _second(answer: Any) -> int:
    """Return when AWS answered, by its own clock where it tells."""
    date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return int(parsedate_to_datetime(date).timestamp() if date else time.time())


def _as_event(value: JSON) -> JSON:
    # boto3 gives {"B": b"..."}, an event holds {"B": "base64"}.
    return {kind: _as_text(content) for kind, content in value.items()}


def _as_text(content: object) -> object:
    return base64.b64encode(content).decode() if isinstance(content, bytes) else content


def _item(message: object) -> JSON:
    item = json_of(message, {}) or {}
    if not isinstance(item, dict):
        raise ValueError(f"an item is a JSON object, not {item!r}")
    return item


def to_dynamodb(item: JSON) -> JSON:
    """Return an item in DynamoDB's own form; one that has it already stays as it is."""
    from decimal import Decimal

    from boto3.dynamodb.types import TypeSerializer

    if item and all(isinstance(value, dict) and len(value) == 1 and set(value) <= TYPES for value in item.values()):
        return item
    serializer = TypeSerializer()
    plain = json.loads(json.dumps(item), parse_float=Decimal)
    return {name: serializer.serialize(value) for name, value in plain.items()}


def _new_key(kind: str) -> JSON:
    """Return a key's value that hardly stands in the table yet."""
    if kind == "N":
        return {"N": str(random.randrange(10**12))}  # noqa: S311 - a key, not a secret
    return {kind: uuid.uuid4().hex if kind == "S" else uuid.uuid4().bytes}
