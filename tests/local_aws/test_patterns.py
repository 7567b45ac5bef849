"""The local AWS refuses and matches patterns, filter policies and filter criteria as AWS does."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from tests.patterns.cases import MATCHED, ONLY_IN_BODY, REFUSED, REFUSED_BY_SNS

ENVELOPE = {
    "id": "1", "account": "000000000000", "source": "tea", "time": "2030-01-07T08:00:00Z", "region": "us-east-1",
    "resources": [], "detail-type": "poured",
}  # fmt: skip
PRINTS = "import json\ndef handler(event, context):\n    for r in event['Records']: print('GOT', {what})\n"
PREFIX = {"wildcard": "in/*"}


def new_name():
    return f"filter-{uuid.uuid4().hex[:8]}"


@pytest.mark.parametrize("kind", MATCHED)
def test_event_patterns_match_as_predicted(aws, kind):
    for pattern, event, passes in MATCHED[kind]:
        answer = aws("events").test_event_pattern(
            EventPattern=json.dumps({"detail": pattern}), Event=json.dumps({**ENVELOPE, "detail": event})
        )
        assert answer["Result"] is passes, (pattern, event)


@pytest.mark.parametrize("kind", REFUSED)
def test_event_patterns_are_refused_in_the_words_of_aws(aws, kind):
    for pattern, reason in REFUSED[kind]:
        with pytest.raises(ClientError) as caught:
            aws("events").put_rule(Name=new_name(), EventPattern=json.dumps(pattern))
        assert caught.value.response["Error"]["Code"] == "InvalidEventPatternException"
        assert f"Event pattern is not valid. Reason: {reason}" in caught.value.response["Error"]["Message"], pattern


def subscribed(aws, **attributes):
    """Return a function that publishes a message and returns whether a queue with this subscription has got it."""
    name = new_name()
    topic = aws("sns").create_topic(Name=name)["TopicArn"]
    queue = aws("sqs").create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{name}"
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)

    def arrives(message, **options):
        aws("sns").publish(TopicArn=topic, Message=message, **options)
        return bool(aws("sqs").receive_message(QueueUrl=queue).get("Messages"))

    return arrives


ATTRIBUTES = [
    ("150", "Number", {"numeric": [">=", 100]}, True),
    ("150", "String", {"numeric": [">=", 100]}, False),
    ('["a", "b"]', "String.Array", "b", True),
    ('["a", "b"]', "String", "b", False),
    ("green", "String", {"anything-but": {"prefix": "gr"}}, False),
    ("GREEN", "String", {"equals-ignore-case": "green"}, True),
    ("10.0.0.9", "String", {"cidr": "10.0.0.0/24"}, True),
]


def test_filter_policies_of_attributes(aws):
    for value, kind, rule, passes in ATTRIBUTES:
        arrives = subscribed(aws, FilterPolicy=json.dumps({"tea": [rule]}))
        given = {"tea": {"DataType": kind, "StringValue": value}}
        assert arrives("m", MessageAttributes=given) is passes, (value, kind, rule)
        assert not arrives("m")


BODIES = [
    ({"tea": [None]}, '{"tea": null}', True),
    ({"cup": {"size": ["big"]}}, '{"cup": [{"size": "small"}, {"size": "big"}]}', True),
    ({"cup": {"size": ["big"], "n": [1]}}, '{"cup": [{"size": "big", "n": 2}, {"size": "s", "n": 1}]}', False),
    ({"cup.size": ["big"]}, '{"cup": {"size": "big"}}', True),
    ({"$or": [{"a": [1]}, {"b": [{"numeric": ["<", 3]}]}]}, '{"b": 2}', True),
    ({"tea": ["green"]}, "green", False),
]


def test_filter_policies_of_bodies(aws):
    for policy, message, passes in BODIES:
        arrives = subscribed(aws, FilterPolicy=json.dumps(policy), FilterPolicyScope="MessageBody")
        assert arrives(message) is passes, (policy, message)


@pytest.mark.parametrize(("policy", "reason"), REFUSED_BY_SNS)
def test_filter_policies_are_refused_in_the_words_of_aws(aws, policy, reason):
    with pytest.raises(ClientError) as caught:
        subscribed(aws, FilterPolicy=json.dumps(policy))
    error = caught.value.response["Error"]
    assert error["Code"] == "InvalidParameter"
    assert error["Message"] == f"Invalid parameter: Attributes Reason: FilterPolicy: {reason}"


def test_a_subscription_keeps_its_policy_when_another_is_refused(aws):
    topic = aws("sns").create_topic(Name=new_name())["TopicArn"]
    arn = aws("sns").subscribe(
        TopicArn=topic, Protocol="email", Endpoint="tea@example.com", Attributes={"FilterPolicy": '{"a": [1]}'},
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]  # fmt: skip

    def put(name, value):
        aws("sns").set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, AttributeValue=value)

    for policy in [*ONLY_IN_BODY, {"a": [PREFIX]}]:
        with pytest.raises(ClientError, match="Invalid parameter: FilterPolicy: "):
            put("FilterPolicy", json.dumps(policy))
    with pytest.raises(ClientError, match=r"FilterPolicyScope: Invalid value \[Body\]"):
        put("FilterPolicyScope", "Body")
    assert aws("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["FilterPolicy"] == '{"a": [1]}'
    put("FilterPolicyScope", "MessageBody")
    put("FilterPolicy", json.dumps(ONLY_IN_BODY[0]))
    put("FilterPolicy", "{}")


QUEUED = [
    ({"tea": ["green"]}, '{"tea": "green"}', '{"tea": "black"}'),
    ({"tea": [None]}, '{"tea": null}', '{"tea": ""}'),
    ({"tea": [""]}, '{"tea": ""}', '{"tea": null}'),
    ({"cups": [3]}, '{"cups": 3.0}', '{"cups": "3"}'),
    ({"cups": [{"numeric": [">", 1, "<=", 5]}]}, '{"cups": 5}', '{"cups": "5"}'),
    ({"tea": [{"exists": True}]}, '{"tea": 1}', '{"tea": {"a": 1}}'),
    ({"tea": [{"exists": False}]}, '{"cup": 1}', '{"tea": 1}'),
    ({"tea": [{"prefix": "gr"}]}, '{"tea": "green"}', '{"tea": "agr"}'),
    ({"tea": [{"suffix": "en"}]}, '{"tea": "green"}', '{"tea": "ent"}'),
    ({"tea": [{"equals-ignore-case": "GREEN"}]}, '{"tea": "green"}', '{"tea": "greens"}'),
    ({"key": [PREFIX]}, '{"key": "in/a"}', '{"key": "out/a"}'),
    ({"ip": [{"cidr": "10.0.0.0/24"}]}, '{"ip": "10.0.0.9"}', '{"ip": "10.0.9.0"}'),
    ({"tea": [{"anything-but": ["green"]}]}, '{"tea": "black"}', '{"tea": "green"}'),
    ({"tea": [{"anything-but": {"prefix": "gr"}}]}, '{"tea": "black"}', '{"tea": "green"}'),
    ({"tea": [{"anything-but": {"suffix": ["en", "ck"]}}]}, '{"tea": "white"}', '{"tea": "black"}'),
    ({"key": [{"anything-but": PREFIX}]}, '{"key": "out/a"}', '{"key": "in/a"}'),
    ({"$or": [{"a": [1]}, {"b": [2]}]}, '{"b": 2}', '{"b": 1}'),
    ({"cups": {"size": ["big"]}}, '{"cups": [{"size": "big"}]}', '{"cups": "big"}'),
    ({"cup.size": ["big"]}, '{"cup": {"size": "big"}}', '{"cup": {"size": "small"}}'),
    (["green"], "green", '{"tea": "green"}'),
    ([{"prefix": "gr"}], "green", "black"),
]


def queue_of(aws, attributes=None):
    name = new_name()
    url = aws("sqs").create_queue(QueueName=name, Attributes=attributes or {})["QueueUrl"]
    return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"


def filtered(aws, function, arn, pattern, **settings):
    criteria = {"Filters": [{"Pattern": json.dumps(pattern)}]}
    aws("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=arn, FilterCriteria=criteria, **settings
    )


def test_a_queue_gives_what_its_filter_lets_through(aws, functions, eventually):
    function = functions.make(PRINTS.format(what="json.dumps([r['eventSourceARN'], r['body']])"))
    expected, queues = set(), []
    for body, passes, dropped in QUEUED:
        url, arn = queue_of(aws)
        for text in (dropped, passes):
            aws("sqs").send_message(QueueUrl=url, MessageBody=text)
        filtered(aws, function, arn, {"body": body})
        expected.add(f"GOT {json.dumps([arn, passes])}")
        queues.append(url)
    eventually(lambda: all(is_empty(aws, url) for url in queues))
    eventually(lambda: expected <= got(functions, function))
    assert got(functions, function) == expected


def is_empty(aws, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return all(found[name] == "0" for name in names)


def got(functions, function):
    return {line.strip() for line in functions.log(function) if line.startswith("GOT")}


def test_what_a_filter_drops_never_comes_back_though_the_batch_fails(aws, functions, eventually):
    dead, dead_arn = queue_of(aws)
    policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    url, arn = queue_of(aws, {"RedrivePolicy": policy, "VisibilityTimeout": "1"})
    entries = [{"Id": str(n), "MessageBody": json.dumps({"n": n})} for n in range(4)]
    aws("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    function = functions.make("def handler(event, context):\n    raise ValueError(len(event['Records']))\n", Timeout=1)
    filtered(aws, function, arn, {"body": {"n": [{"numeric": [">", 1]}]}}, BatchSize=10)
    found = set()

    def all_failed_ones_are_dead():
        received = aws("sqs").receive_message(QueueUrl=dead, MaxNumberOfMessages=10).get("Messages", [])
        found.update(message["Body"] for message in received)
        return len(found) >= 2 and is_empty(aws, url)

    eventually(all_failed_ones_are_dead)
    assert found == {'{"n": 2}', '{"n": 3}'}


@pytest.mark.parametrize("pattern", ["tea", '"tea"', "{}", '{"body": "green"}', '{"body": [{"like": "g"}]}'])
def test_filter_criteria_are_refused_in_the_words_of_aws(aws, functions, pattern):
    _, arn = queue_of(aws)
    function = functions.make("def handler(event, context): pass\n")
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*Invalid filter pattern definition\."):
        aws("lambda").create_event_source_mapping(
            FunctionName=function, EventSourceArn=arn, FilterCriteria={"Filters": [{"Pattern": pattern}]}
        )
    made = aws("lambda").create_event_source_mapping(FunctionName=function, EventSourceArn=arn)
    with pytest.raises(ClientError, match=r"Invalid filter pattern definition\."):
        aws("lambda").update_event_source_mapping(UUID=made["UUID"], FilterCriteria={"Filters": [{"Pattern": pattern}]})


def test_streams_give_what_their_filter_lets_through(aws, functions, eventually):
    name = new_name()
    aws("kinesis").create_stream(StreamName=name, ShardCount=1)
    eventually(lambda: aws("kinesis").describe_stream(StreamName=name)["StreamDescription"]["StreamStatus"] == "ACTIVE")
    for key, data in [("a", '{"n": 1}'), ("b", '{"n": 7}'), ("c", "seven"), ("d", '{"n": 7}')]:
        aws("kinesis").put_record(StreamName=name, PartitionKey=key, Data=data.encode())
    function = functions.make(PRINTS.format(what="r['kinesis']['partitionKey'], r['invokeIdentityArn']"))
    arn = aws("kinesis").describe_stream(StreamName=name)["StreamDescription"]["StreamARN"]
    pattern = {"data": {"n": [{"numeric": [">", 5]}]}, "partitionKey": [{"anything-but": "d"}]}
    filtered(aws, function, arn, pattern, StartingPosition="TRIM_HORIZON")
    eventually(lambda: got(functions, function))
    role = aws("lambda").get_function_configuration(FunctionName=function)["Role"]
    assert got(functions, function) == {f"GOT b {role}"}


def test_changes_of_a_table_are_filtered_by_their_values_with_types(aws, functions, eventually):
    name = new_name()
    stream = aws("dynamodb").create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]["LatestStreamArn"]  # fmt: skip
    function = functions.make(PRINTS.format(what="r['dynamodb']['Keys']['id']['S']"))
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"tea": {"S": [{"anything-but": ["green"]}]}}}}
    filtered(aws, function, stream, pattern, StartingPosition="TRIM_HORIZON")
    for key, tea in [("1", "green"), ("2", "black"), ("2", "white")]:
        aws("dynamodb").put_item(TableName=name, Item={"id": {"S": key}, "tea": {"S": tea}})
    aws("dynamodb").put_item(TableName=name, Item={"id": {"S": "3"}})
    aws("dynamodb").put_item(TableName=name, Item={"id": {"S": "4"}, "tea": {"S": "black"}})
    eventually(lambda: "GOT 4" in got(functions, function))
    assert got(functions, function) == {"GOT 2", "GOT 4"}


def test_a_rule_gives_what_its_pattern_matches(aws, functions, eventually):
    name = new_name()
    pattern = {"source": [name], "detail": {"cups": {"size": ["big"], "n": [{"numeric": [">", 1]}]}}}
    function = functions.make("def handler(event, context): print('GOT', event['detail']['at'])\n")
    aws("events").put_rule(Name=name, EventPattern=json.dumps(pattern))
    aws("events").put_targets(Rule=name, Targets=[{"Id": "1", "Arn": functions.arn(function)}])
    aws("lambda").add_permission(
        FunctionName=function, StatementId="s", Action="lambda:InvokeFunction", Principal="events.amazonaws.com"
    )
    apart, together = [{"size": "big", "n": 1}, {"size": "small", "n": 2}], [{"size": "big", "n": 2}]
    for at, cups in enumerate([apart, together]):
        detail = json.dumps({"cups": cups, "at": at})
        aws("events").put_events(Entries=[{"Source": name, "DetailType": "poured", "Detail": detail}])
    eventually(lambda: got(functions, function))
    assert got(functions, function) == {"GOT 1"}


def test_how_many_filters_there_are(record_property):
    assert len(QUEUED) > 19
    record_property("tried", ["filters of queues", len(QUEUED)])
    record_property("tried", ["filter policies of topics", len(ATTRIBUTES) + len(BODIES)])
