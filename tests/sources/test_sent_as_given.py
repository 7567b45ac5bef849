"""What is sent is what was given: attributes with types, groups, empty messages; and a duplicate is told."""

import ast
import uuid

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.resources.base import FunctionRef
from nbchalice.sources import SOURCES
from nbchalice.sources.attributes import attributes_of

REF = FunctionRef("shop", "dev", "price", "us-east-1", "123456789012")
SHOWN = "r = event.to_dict()['Records'][0]; print('GOT', {k: r.get('Sns', r)[k] for k in %r})"

TYPES = {
    "kind": ("sale", {"DataType": "String", "StringValue": "sale"}),
    "price:Number": ("150", {"DataType": "Number", "StringValue": "150"}),
    "price:Number.float": ("-1.5e3", {"DataType": "Number.float", "StringValue": "-1.5e3"}),
    "photo:Binary": ("aGk=", {"DataType": "Binary", "BinaryValue": b"hi"}),
    "photo:Binary.png": ("iVA=", {"DataType": "Binary.png", "BinaryValue": b"\x89P"}),
    "tags:String.Array": ('["a", 1]', {"DataType": "String.Array", "StringValue": '["a", 1]'}),
    "a.b-c_d:String": ("x=y", {"DataType": "String", "StringValue": "x=y"}),
}


@pytest.mark.parametrize("typed", TYPES)
def test_types_of_attributes(typed):
    value, expected = TYPES[typed]
    assert attributes_of({"attribute": {typed: value}}) == {typed.split(":")[0]: expected}


REFUSED = {
    "e": ("", "attribute e is empty"),
    "price:number": ("1", "attribute price has the type 'number', which there is not"),
    "price:": ("", "attribute price is empty"),
    "price:Number": ("cheap", "attribute price is a Number, and 'cheap' is none"),
    "n:Number": ("nan", "attribute n is a Number"),
    "photo:Binary": ("hi!", "attribute photo is Binary, and 'hi!' is not base64"),
    "tags:String.Array": ("a,b", "attribute tags is a String.Array, and 'a,b' is no list"),
    "a b": ("x", "'a b' cannot name an attribute"),
    "AWS.x": ("x", "'AWS.x' cannot name an attribute"),
    "a..b": ("x", "'a..b' cannot name an attribute"),
    "a.": ("x", "'a.' cannot name an attribute"),
}


@pytest.mark.parametrize("typed", REFUSED)
def test_attributes_that_aws_refuses(typed):
    value, reason = REFUSED[typed]
    with pytest.raises(InvalidInputError) as caught:
        attributes_of({"attribute": {typed: value}})
    assert str(caught.value.message).startswith(reason) and caught.value.hint


@pytest.mark.parametrize(
    ("attribute", "passes"),
    [({"price": "150"}, False), ({"price:Number": "150"}, True), ({"price:Number": "9"}, False)],
)
def test_a_policy_of_numbers_wants_a_number(attribute, passes):
    options = {"topic": "news", "filter_policy": {"price": [{"numeric": [">=", 100]}]}}
    source = SOURCES["on_sns_message"]
    note = source.verdict("price", options, {"message": "m", "attribute": attribute}, REF)
    assert note.passes is passes


EMPTY = {
    "on_sqs_message": ({"queue": "q"}, {"message": ""}, "the message is empty, which SQS does not take"),
    "on_sns_message": ({"topic": "t"}, {"message": ""}, "the message is empty, which SNS does not take"),
    "on_s3_event": ({"bucket": "b"}, {"key": ""}, "the key is empty, which S3 does not take"),
    "lambda_function": ({}, {"message": ""}, "'' is not valid JSON"),
    "on_cw_event": ({"event_pattern": {"source": ["tea"]}}, {"detail": ""}, "'' is not valid JSON"),
}


@pytest.mark.parametrize("name", EMPTY)
def test_what_is_empty_and_may_not_be_is_refused(connection, no_writes, name):
    options, values, reason = EMPTY[name]
    with no_writes(), pytest.raises(InvalidInputError, match=reason):
        SOURCES[name].send(connection, options, REF, **values)


def test_what_is_empty_and_may_be_is_sent():
    assert SOURCES["on_s3_event"].sample({"bucket": "b"}, REF, message="")["Records"][0]["s3"]["object"]["size"] == 0
    kinesis = SOURCES["on_kinesis_record"].sample({"stream": "s"}, REF, message="")
    assert kinesis["Records"][0]["kinesis"]["data"] == ""
    pattern = {"event_pattern": {"source": ["tea"], "detail": {"kind": ["green"]}}}
    source = SOURCES["on_cw_event"]
    assert source.sample(pattern, REF, detail="{}")["detail"] == {}
    assert source.sample(pattern, REF)["detail"] == {"kind": "green"}
    assert source.sample(pattern, REF, **source.templates(pattern, REF)["sample"])["detail"] == {"kind": "green"}


def got(result):
    line = next(one for one in str(result).splitlines() if "GOT" in one)
    return ast.literal_eval(line[line.index("{") :])


def test_a_queue_gets_attributes_with_their_types_and_the_group(deployed, name):
    one = deployed(f"@app.on_sqs_message('{name}')", SHOWN % (["messageAttributes", "attributes"],))
    attribute = {"kind": "sale", "price:Number": "150", "photo:Binary": "aGk="}
    result = one.send(message="m", attribute=attribute, group_id="tenant-1")
    shown = got(result)
    found = {
        n: (a["dataType"], a.get("stringValue"), a.get("binaryValue")) for n, a in shown["messageAttributes"].items()
    }
    assert found == {
        "kind": ("String", "sale", None),
        "price": ("Number", "150", None),
        "photo": ("Binary", None, "aGk="),
    }
    assert shown["attributes"]["MessageGroupId"] == "tenant-1"
    assert "MessageGroupId" not in got(one.send(message="m"))["attributes"]


def test_a_topic_gets_attributes_with_their_types(deployed, name):
    policy = {"price": [{"numeric": [">=", 100]}], "tags": ["b"]}
    one = deployed(f"@app.on_sns_message('{name}', filter_policy={policy})", SHOWN % (["MessageAttributes"],))
    attribute = {"price:Number": "150", "tags:String.Array": '["a", "b"]', "photo:Binary": "aGk="}
    shown = got(one.send(message="m", attribute=attribute))["MessageAttributes"]
    assert shown == {
        "price": {"Type": "Number", "Value": "150"},
        "tags": {"Type": "String.Array", "Value": '["a", "b"]'},
        "photo": {"Type": "Binary", "Value": "aGk="},
    }
    sample = SOURCES["on_sns_message"].sample({"topic": "news"}, REF, attribute=attribute)
    assert sample["Records"][0]["Sns"]["MessageAttributes"] == shown
    dropped = one.send(message="m", attribute={**attribute, "price:Number": "9"})
    assert dropped.status == "dropped"


def test_a_function_gets_all_fields_of_a_notification(deployed, name):
    one = deployed(f"@app.on_sns_message('{name}')", "print('GOT', event.to_dict()['Records'][0]['Sns'])")
    sample = SOURCES["on_sns_message"].sample({"topic": "news"}, REF)["Records"][0]["Sns"]
    shown = got(one.send(message="m"))
    assert shown.keys() == sample.keys()
    assert (shown["Subject"], shown["MessageAttributes"]) == (None, {})


def test_the_same_deduplication_id_is_told_as_a_duplicate(deployed, name):
    one = deployed(f"@app.on_sqs_message('{name}.fifo')", "print(event)")
    known = f"d-{uuid.uuid4().hex[:6]}"
    first = one.send(message="1", dedup_id=known)
    assert first.ok
    second = one.send(message="2", dedup_id=known)
    assert (second.status, second.message_id) == ("dropped", first.message_id)
    assert second.hint.startswith("it is a duplicate of a message that was handled already") and known in second.hint
    assert one.send(message="2", dedup_id=known + "x").ok


def test_options_of_the_other_kind_of_queue_are_refused(connection, no_writes):
    with no_writes(), pytest.raises(InvalidInputError, match="a standard queue has no --dedup-id"):
        SOURCES["on_sqs_message"].send(connection, {"queue": "q"}, REF, dedup_id="d")
    with no_writes(), pytest.raises(InvalidInputError, match="a FIFO queue has no --delay"):
        SOURCES["on_sqs_message"].send(connection, {"queue": "q.fifo"}, REF, delay=5)


def test_the_preview_tells_an_attribute_that_aws_refuses():
    options = {"topic": "news", "filter_policy": {"a": ["x"]}}
    with pytest.raises(InvalidInputError, match="attribute a is a Number"):
        SOURCES["on_sns_message"].verdict("price", options, {"attribute": {"a:Number": "x"}}, REF)
