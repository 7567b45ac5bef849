"""What AWS itself was seen to answer, where a folder of such answers is named: predicted, and the same at the local AWS."""

import json
import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from nbchalice.patterns import EVENT_PATTERN, InvalidPatternError, Pattern, check_policy

FOLDER = Path(os.environ.get("NBCHALICE_ORACLES", "none"))
EVENTS, POLICIES = FOLDER / "event_patterns.jsonl", FOLDER / "sns_filter_policies_refused.jsonl"
pytestmark = pytest.mark.skipif(not EVENTS.exists(), reason="NBCHALICE_ORACLES names no folder of recorded answers")


def recorded(file):
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def predicted(pattern, event):
    try:
        return "yes" if Pattern.of(pattern, EVENT_PATTERN).matches(event) else "no"
    except InvalidPatternError:
        return "refused"


@pytest.mark.table("event patterns that AWS was seen to match or refuse")
@pytest.mark.parametrize("case", recorded(EVENTS), ids=lambda case: case["case"])
def test_an_event_pattern_is_predicted_and_taken_as_aws_did(aws, case):
    assert predicted(case["pattern"], case["event"]) == case["aws"]
    pattern, event = (one if isinstance(one, str) else json.dumps(one) for one in (case["pattern"], case["event"]))
    try:
        answer = aws("events").test_event_pattern(EventPattern=pattern, Event=event)
        got = "yes" if answer["Result"] else "no"
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidEventPatternException"
        got = "refused"
    assert got == case["aws"]


def said(message):
    """The first line, without what only one of the two calls says that take a policy."""
    return message.split("\n")[0].replace("Attributes Reason: ", "")


@pytest.mark.table("filter policies that SNS was seen to refuse")
@pytest.mark.parametrize("case", recorded(POLICIES), ids=lambda case: json.dumps(case["policy"]))
def test_a_filter_policy_is_predicted_and_refused_as_by_sns(aws, functions, case):
    with pytest.raises(InvalidPatternError):
        check_policy(case["policy"], "MessageAttributes")
    topic = aws("sns").create_topic(Name="recorded")["TopicArn"]
    with pytest.raises(ClientError) as caught:
        aws("sns").subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:q",
            Attributes={"FilterPolicy": json.dumps(case["policy"])},
        )  # fmt: skip
    assert said(caught.value.response["Error"]["Message"]) == said(case["aws"])
