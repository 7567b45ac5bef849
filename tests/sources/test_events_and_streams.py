"""EventBridge patterns, Kinesis, DynamoDB and plain functions on the local AWS."""

import json

import pytest
from botocore.exceptions import ParamValidationError

from nbchalice.errors import InvalidInputError
from nbchalice.resources.base import FunctionRef
from nbchalice.sources import SOURCES
from nbchalice.sources.dynamodb import table_of, to_dynamodb
from nbchalice.sources.payloads import item_size


def messages(result):
    assert result.ok, result
    return [record.message for record in result.invocation.records]


def test_events_that_match_a_pattern(deployed, name):
    one = deployed(
        f"@app.on_cw_event({{'source': ['{name}'], 'detail': {{'n': [1, 2]}}}})", "print(event.source, event.detail)"
    )
    assert messages(one.send()) == [f"{name} {{'n': 1}}"]
    assert messages(one.send(detail='{"n": 2}')) == [f"{name} {{'n': 2}}"]
    assert one.changes() == []
    one.change(f"@app.on_cw_event({{'source': ['{name}']}})")
    assert one.changes() == [("update", "function"), ("update", "rule")]
    one.change("@app.schedule('rate(1 hour)')")
    assert ("update", "rule") in one.changes()
    rule = one.aws.client("events").describe_rule(Name=f"{one.name}-dev-price-event")
    assert rule["ScheduleExpression"] == "rate(1 hour)" and not rule.get("EventPattern")


def test_an_event_of_aws_itself_goes_to_the_function_directly(deployed):
    one = deployed("@app.on_cw_event({'source': ['aws.ec2']})", "print(event.source)")
    assert messages(one.send()) == ["aws.ec2"]


def test_records_of_a_stream(deployed, name):
    one = deployed(
        f"@app.on_kinesis_record('{name}', batch_size=10)", "print([(r.partition_key, r.data) for r in event])"
    )
    assert messages(one.send(message="hi", key="k")) == ["[('k', b'hi')]"]
    assert one.changes() == []
    one.change(f"@app.on_kinesis_record('{name}', batch_size=20, maximum_batching_window_in_seconds=1)")
    assert ("update", "event source mapping") in one.changes()
    with pytest.raises(Exception, match="starts at LATEST and cannot be changed to TRIM_HORIZON"):
        one.change(f"@app.on_kinesis_record('{name}', starting_position='TRIM_HORIZON')").deploy()


def test_failed_records_of_a_stream_go_to_its_dead_letter_queue(deployed, name):
    one = deployed(f"@app.on_kinesis_record('{name}', dlq='{name}-dead')")
    (made,) = one.aws.client("lambda").list_event_source_mappings(FunctionName=one.ref.name)["EventSourceMappings"]
    arn = f"arn:aws:sqs:{one.aws.region}:{one.aws.account}:{name}-dead"
    assert made["DestinationConfig"]["OnFailure"] == {"Destination": arn}
    assert one.changes() == []
    policy = one.aws.client("iam").get_role_policy(RoleName=one.ref.name, PolicyName="nbchalice")["PolicyDocument"]
    assert {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn} in policy["Statement"]


@pytest.fixture
def table(connection, name):
    made = connection.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return made["TableDescription"]["LatestStreamArn"]


def test_changes_of_a_table(deployed, table):
    one = deployed(
        f"@app.on_dynamodb_record('{table}', starting_position='TRIM_HORIZON')",
        "print([(r.event_name, r.new_image['price']) for r in event])",
    )
    assert messages(one.send(message='{"price": 2.5}')) == ["[('INSERT', {'N': '2.5'})]"]
    assert messages(one.send(message='{"price": {"S": "x"}}')) == ["[('INSERT', {'S': 'x'})]"]
    assert one.changes() == []


MOST = 400 * 1024
# Items in plain JSON or in DynamoDB's own form, with a text in them.
ITEMS = {
    "a text": lambda text: {"id": "1", "at": 7, "n": text[1:]},
    "letters of two bytes": lambda text: {"id": "1", "at": 7, "ä": text[1:] + "ä"},
    "a list of all kinds": lambda text: {"id": "1", "at": 7, "n": [text, True, None, 12345, [], {"ab": "c"}]},
    "its own form": lambda text: {
        "id": {"S": "1"},
        "at": {"N": "7"},
        "n": {"SS": [text, "ab"]},
        "b": {"M": {"c": {"B": "12"}}},
    },
}


@pytest.mark.parametrize("what", ITEMS)
def test_an_item_that_is_too_large_is_refused_before_it_is_put(connection, table, what):
    make = ITEMS[what]
    size = item_size(to_dynamodb(make("x" * 100))) - 100
    source, options = SOURCES["on_dynamodb_record"], {"stream_arn": table}
    reference = FunctionRef("app", "dev", "h", connection.region, connection.account)
    assert source.send(connection, options, reference, message=make("x" * (MOST - size))).ids
    with pytest.raises(InvalidInputError, match="has 409,601 bytes; DynamoDB takes 409,600") as refused:
        source.send(connection, options, reference, message=make("x" * (MOST - size + 1)))
    assert refused.value.code == "event-too-large"
    client = connection.client("dynamodb")
    with pytest.raises(client.exceptions.ClientError, match="Item size has exceeded the maximum allowed size"):
        client.put_item(TableName=table_of(options), Item=to_dynamodb(make("x" * (MOST - size + 1))))


def test_of_what_is_no_item_boto3_says_what_is_wrong(connection, table):
    source, options = SOURCES["on_dynamodb_record"], {"stream_arn": table}
    reference = FunctionRef("app", "dev", "h", connection.region, connection.account)
    with pytest.raises(ParamValidationError):
        source.send(connection, options, reference, message={"id": {"S": "1"}, "at": {"N": "7"}, "n": {"L": 5}})


def test_what_aws_would_say_of_a_tables_stream_is_told_before(connection, table):
    source = SOURCES["on_dynamodb_record"]
    ref = FunctionRef("shop", "dev", "price", connection.region, connection.account)
    assert source.preflight(connection, {"stream_arn": table}, ref).problems == []
    old = table.rpartition("/")[0] + "/2001-01-01T00:00:00.000"
    found = source.preflight(connection, {"stream_arn": old}, ref).problems[0]
    assert "is not the stream of table" in found.message and found.hint == f"it is {table}"
    missing = f"arn:aws:dynamodb:{connection.region}:{connection.account}:table/none/stream/1"
    assert "table none does not exist" in source.preflight(connection, {"stream_arn": missing}, ref).problems[0].message
    elsewhere = table.replace(connection.region, "eu-west-3")
    assert (
        "is in eu-west-3, the function in"
        in source.preflight(connection, {"stream_arn": elsewhere}, ref).problems[0].message
    )


def test_a_plain_function_is_invoked(deployed):
    one = deployed("@app.lambda_function()", "print(event['n'])")
    assert messages(one.send(message='{"n": 7}')) == ["7"]
    assert one.changes() == []


def test_several_triggers_on_one_function(deployed, name):
    decorators = f"@app.on_sqs_message('{name}')\n@app.on_sns_message('{name}')\n@app.on_s3_event('{name}')\n@app.schedule('rate(1 hour)')"
    one = deployed(decorators, "print(type(event).__name__)")
    seen = [messages(one.send(number))[-1] for number in range(4)]
    assert sorted(seen) == ["CloudWatchEvent", "S3Event", "SNSEvent", "SQSEvent"]
    assert one.changes() == []
    one.change(f"@app.on_sns_message('{name}')")
    done = one.changes()
    assert {kind for action, kind in done if action == "delete"} >= {"rule", "event source mapping", "permission"}


def test_records_of_a_stream_pass_a_filter_or_are_told_as_dropped(deployed, name):
    pattern = {"data": {"n": [{"numeric": [">", 5]}]}}
    one = deployed(f"@app.on_kinesis_record('{name}', filter={pattern})", "print([r.data for r in event])")
    mapping = one.aws.client("lambda").list_event_source_mappings(FunctionName=one.ref.name)["EventSourceMappings"][0]
    assert [json.loads(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]] == [pattern]
    assert one.send(message='{"n": 7}').ok and one.changes() == []
    dropped = one.send(message='{"n": 1}')
    assert dropped.status == "dropped" and "does not hand the record to the function" in dropped.hint
    one.change(f"@app.on_kinesis_record('{name}')", "print([r.data for r in event])").deploy()
    assert one.send(message='{"n": 1}').ok


TABLE = {"stream_arn": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2030"}
OLD = {"dynamodb": {"OldImage": {"n": {"N": ["1"]}}}}


@pytest.mark.parametrize(
    ("pattern", "passes"),
    [
        ({"eventName": ["INSERT"]}, True),
        ({"dynamodb": {"NewImage": {"n": {"N": ["7"]}}}}, True),
        ({"dynamodb": {"NewImage": {"n": {"N": [7]}}}}, False),
        ({"eventName": ["REMOVE"]}, False),
        ({"eventName": ["MODIFY"]}, None),
        (OLD, None),
        ([OLD, {"eventName": ["INSERT"]}], True),
    ],
)
def test_what_a_filter_does_with_an_item(pattern, passes):
    source, ref = SOURCES["on_dynamodb_record"], FunctionRef("shop", "dev", "price", "us-east-1", "123456789012")
    assert source.problems({**TABLE, "filter": pattern}) == []
    note = source.verdict("price", {**TABLE, "filter": pattern}, {"message": '{"id": "1", "at": 7, "n": 7}'}, ref)
    assert note.passes is passes, note
