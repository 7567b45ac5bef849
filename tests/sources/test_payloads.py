"""What is too large for its service is refused before it is sent, with one error; what just fits is sent."""

import json

import pytest

from nbchalice.errors import InvalidInputError
from nbchalice.events.invoke import invoke
from nbchalice.resources.base import FunctionRef
from nbchalice.sources import SOURCES
from nbchalice.testing.model import ModelAWS

REF = FunctionRef("app", "dev", "price", "eu-west-1", "123456789012")
MB = 1024 * 1024
EVENT = {"event_pattern": {"source": ["shop"], "detail-type": ["order"]}}
QUEUE, TOPIC, STREAM = (
    ("on_sqs_message", {"queue": "q"}),
    ("on_sns_message", {"topic": "t"}),
    ("on_kinesis_record", {"stream": "s"}),
)
# What is sent, the bytes that it has beside the text, and how many its service takes.
CASES = {
    "a message": (QUEUE, lambda text: {"message": text}, 0, MB),
    "a message with an attribute": (QUEUE, lambda text: {"message": text, "attribute": {"kind": "new"}}, 13, MB),
    "a notification": (TOPIC, lambda text: {"message": text, "attribute": {"n:Number": "12"}}, 9, 256 * 1024),
    "a record": (STREAM, lambda text: {"message": text, "key": "abc"}, 3, MB),
    "an event": (("on_cw_event", EVENT), lambda text: {"detail": {"a": text}}, 18, MB - 1),
    "an asynchronous invocation": (("lambda_function", {}), lambda text: {"message": {"a": text}}, 9, MB),
}


class Account(ModelAWS):
    """AWS as the models have it, where topics and streams say how much they take."""

    def __init__(self, **limits):
        super().__init__()
        self.limits = limits

    def _new_client(self, service, region):
        client = super()._new_client(service, region)

        def told(model, **_):
            from botocore.awsrequest import AWSResponse

            if error := self.limits.get("denied"):
                answer = {"Error": {"Code": error, "Message": "not authorized"}}
                return AWSResponse("", 403, {}, None), answer
            if model.name == "GetTopicAttributes":
                return AWSResponse("", 200, {}, None), {"Attributes": self.limits.get("topic", {})}
            return AWSResponse("", 200, {}, None), {"StreamDescriptionSummary": self.limits.get("stream", {})}

        for operation in ("GetTopicAttributes", "DescribeStreamSummary"):
            client.meta.events.register_first(f"before-call.{service}.{operation}", told)
        return client


def send(case, text, aws):
    (name, options), values, *_ = CASES[case] if isinstance(case, str) else case
    filled = {option.name: option.default for option in SOURCES[name].all_options()} | options
    SOURCES[name].send(aws, filled, REF, **values(text))
    return [call for _, call, _ in aws.calls]


@pytest.mark.parametrize("case", CASES)
def test_a_byte_too_many_is_refused_before_a_call(case):
    _, _, more, most = CASES[case]
    aws = Account()
    with pytest.raises(InvalidInputError, match=f"has {most + 1:,} bytes; .* takes {most:,}") as refused:
        send(case, "x" * (most + 1 - more), aws)
    assert refused.value.code == "event-too-large" and "object of S3" in refused.value.hint
    assert not [call for _, call, _ in aws.calls if not call.startswith(("Get", "Describe"))]


@pytest.mark.parametrize("case", CASES)
def test_what_just_fits_is_sent(case):
    _, _, more, most = CASES[case]
    calls = send(case, "x" * (most - more), Account())
    assert [call for call in calls if call != "GetQueueUrl"] == [calls[-1]]


def test_bytes_count_and_not_letters():
    with pytest.raises(InvalidInputError, match="1,048,578 bytes"):
        send("a message", "ä" * (MB // 2 + 1), Account())


@pytest.mark.parametrize(
    ("case", "larger", "limits"),
    [
        ("a notification", 1000 * 1024, {"topic": {"MaximumMessageSize": str(1024 * 1024)}}),
        ("a record", 9 * MB, {"stream": {"MaxRecordSizeInKiB": 10240}}),
        # What it takes may not be looked at: it is for AWS to say.
        ("a notification", 1000 * 1024, {"denied": "AuthorizationError"}),
        ("a record", 9 * MB, {"denied": "AccessDeniedException"}),
    ],
)
def test_topics_and_streams_that_take_more_get_more(case, larger, limits):
    assert len(send(case, "x" * larger, Account(**limits))) == 2


@pytest.mark.parametrize(("case", "most"), [("a notification", MB), ("a record", 10 * MB)])
def test_what_no_topic_or_stream_takes_asks_nobody(case, most):
    aws = Account(topic={"MaximumMessageSize": str(99 * MB)}, stream={"MaxRecordSizeInKiB": 99 * 1024})
    with pytest.raises(InvalidInputError, match=f"takes {most:,}"):
        send(case, "x" * (most + 1), aws)
    assert aws.calls == []


def test_an_invocation_that_is_waited_for_takes_more():
    aws = ModelAWS()
    with pytest.raises(
        InvalidInputError, match="has 6,291,457 bytes; an invocation that is waited for takes 6,291,456"
    ):
        invoke(aws, REF, "x" * (6 * MB - 1))
    assert aws.calls == [] and len(json.dumps("x" * (6 * MB - 2))) == 6 * MB
