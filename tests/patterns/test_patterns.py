"""The one matcher of patterns, filter policies and filter criteria: what passes, and what AWS refuses in its words."""

from collections import Counter

import pytest

from nbchalice.patterns import (
    EVENT_PATTERN,
    FILTER_CRITERIA,
    SCOPES,
    InvalidPatternError,
    Pattern,
    attributes_view,
    check_policy,
    policy_passes,
    record_view,
)
from tests.patterns.cases import MATCHED, ONLY_IN_BODY, REFUSED, REFUSED_BY_SNS, TAKEN_BY_SNS


@pytest.mark.parametrize("kind", MATCHED)
def test_what_passes(kind):
    for pattern, event, passes in MATCHED[kind]:
        for service in (EVENT_PATTERN, FILTER_CRITERIA):
            assert Pattern.of(pattern, service).matches(event) is passes, (pattern, event)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_in_the_words_of_aws(kind):
    for pattern, reason in REFUSED[kind]:
        with pytest.raises(InvalidPatternError) as caught:
            Pattern.of(pattern, EVENT_PATTERN)
        assert caught.value.reason.startswith(reason), pattern


def test_where_and_what_to_write_instead():
    with pytest.raises(InvalidPatternError) as caught:
        Pattern.of({"detail": {"state": "running"}}, EVENT_PATTERN)
    assert (caught.value.path, caught.value.fix) == ("detail.state", 'write ["running"]')


@pytest.mark.parametrize(("policy", "reason"), REFUSED_BY_SNS)
@pytest.mark.parametrize("scope", SCOPES)
def test_what_sns_alone_refuses(policy, reason, scope):
    with pytest.raises(InvalidPatternError) as caught:
        check_policy(policy, scope)
    assert caught.value.reason == reason


def test_what_sns_takes():
    for policy in TAKEN_BY_SNS:
        for scope in SCOPES:
            check_policy(policy, scope)
    for policy in ONLY_IN_BODY:
        check_policy(policy, "MessageBody")
        with pytest.raises(InvalidPatternError, match="MessageAttributes does not support nested filter policy"):
            check_policy(policy, "MessageAttributes")


def attribute(kind, value):
    return {"tea": {"DataType": kind, "StringValue": value}}


@pytest.mark.parametrize(
    ("rule", "attributes", "passes"),
    [
        ("green", attribute("String", "green"), True),
        (3, attribute("String", "3"), False),
        (3, attribute("Number", "3"), True),
        ("3", attribute("Number", "3"), False),
        ({"numeric": [">", 2]}, attribute("Number", "2.5"), True),
        ({"numeric": [">", 2]}, attribute("String", "2.5"), False),
        ("green", attribute("String.Array", '["black", "green"]'), True),
        (None, attribute("String.Array", '["black", null]'), True),
        ({"anything-but": ["green"]}, attribute("String.Array", '["black", "green"]'), True),
        ({"exists": True}, {"tea": {"DataType": "Binary", "BinaryValue": b"x"}}, False),
        ({"exists": True}, attribute("String", "green"), True),
        ({"exists": False}, {"cup": {"DataType": "String", "StringValue": "x"}}, True),
        ({"exists": False}, {}, False),
    ],
)
def test_attributes_of_messages(rule, attributes, passes):
    scope = "MessageAttributes"
    assert policy_passes(check_policy({"tea": [rule]}, scope), scope, "", attributes) is passes


@pytest.mark.parametrize(
    ("policy", "message", "passes"),
    [
        ({"tea": ["green"]}, '{"tea": "green"}', True),
        ({"tea": ["green"]}, "green", False),
        ({"tea": [None]}, '{"tea": null}', True),
        ({"tea": [{"exists": True}]}, '{"tea": null}', False),
        ({"tea": [{"exists": True}]}, '{"tea": ""}', False),
        ({"cup": {"size": [{"anything-but": ["big"]}]}}, '{"cup": {"size": "small"}}', True),
        ({"$or": [{"tea": ["green"]}, {"n": [{"numeric": [">", 1]}]}]}, '{"n": 2}', True),
    ],
)
def test_bodies_of_messages(policy, message, passes):
    assert policy_passes(check_policy(policy, "MessageBody"), "MessageBody", message, {}) is passes


@pytest.mark.parametrize(
    ("pattern", "body", "passes"),
    [
        ({"body": {"tea": ["green"]}}, '{"tea": "green"}', True),
        ({"body": {"tea": ["green"]}}, "green", False),
        ({"body": ["green"]}, "green", True),
        ({"body": [{"prefix": "gr"}]}, "green", True),
        ({"body": [{"prefix": "{"}]}, '{"tea": "green"}', False),
        ({"body": [{"exists": True}]}, '{"tea": "green"}', False),
        ({"body": {"tea": [None]}}, '{"tea": null}', True),
        ({"body": {"tea": ["green"]}}, '[{"tea": "black"}, {"tea": "green"}]', True),
        ({"body": {"n": [{"anything-but": {"prefix": "a"}}]}}, '{"n": "ab"}', False),
        ({"eventSource": ["aws:sqs"]}, "anything", True),
        ({"body": ["NaN"]}, "NaN", True),
    ],
)
def test_bodies_of_queues(pattern, body, passes):
    view = record_view({"body": body, "eventSource": "aws:sqs"})
    assert Pattern.of(pattern, FILTER_CRITERIA).matches(view) is passes


def test_records_of_kinesis_have_their_data_decoded():
    record = {"kinesis": {"partitionKey": "p", "data": "eyJ0ZWEiOiAiZ3JlZW4ifQ=="}, "eventName": "aws:kinesis:record"}
    assert record_view(record) == {"partitionKey": "p", "data": {"tea": "green"}, "eventName": "aws:kinesis:record"}
    assert record_view({"kinesis": {"data": "/w=="}}) == {}
    assert record_view({"kinesis": {"data": "dGVh"}}) == {"data": "tea"}


def test_binary_attributes_are_no_fields():
    assert attributes_view({"a": {"DataType": "Binary", "BinaryValue": b"x"}}) == {}


def test_a_pattern_of_many_places_ends_soon():
    wildcards = [{"wildcard": f"{'ab' * 300}*{'ab' * 300}"}, {"wildcard": "*".join("abcdefghijklm")}]
    with pytest.raises(InvalidPatternError, match="Rule is too complex"):
        Pattern.of({"a": wildcards}, EVENT_PATTERN)


def test_long_lists_and_deep_objects_are_matched():
    rows = [{"a": n, "b": n + 1, "c": n + 2} for n in range(400)]
    assert Pattern.of({"rows": {"a": [5], "b": [6], "c": [7]}}, EVENT_PATTERN).matches({"rows": rows})
    deep = "tea"
    for _ in range(5000):
        deep = {"a": deep}
    assert not Pattern.of({"a": ["tea"]}, EVENT_PATTERN).matches(deep)


def test_how_many_cases_there_are(record_property):
    counts = Counter(passes for cases in MATCHED.values() for _, _, passes in cases)
    refused = sum(map(len, REFUSED.values()))
    assert min(counts[True], counts[False], refused) > 40
    record_property("tried", ["patterns that match", counts[True]])
    record_property("tried", ["patterns that do not match", counts[False]])
    record_property("tried", ["patterns that AWS refuses", refused])
    record_property("tried", ["filter policies that SNS refuses", len(REFUSED_BY_SNS)])
