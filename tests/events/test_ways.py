"""A test event that goes past its service, one of a service that the local AWS has not got, and a source that fails."""

import pytest

from nbchalice.errors import AWSError, InvalidInputError, NbChaliceError
from nbchalice.events.delivery import Way
from nbchalice.events.live import Live
from nbchalice.events.preview import way_of
from nbchalice.events.send import send
from nbchalice.events.triggers import Route
from nbchalice.logs.tail import recent
from nbchalice.sources import BUILT_IN
from nbchalice.sources.base import Note
from nbchalice.sources.s3 import S3

CODE = """from nbchalice import Chalice
app = Chalice(app_name='shop')
@app.{source}(**{options!r})
def price(event):
    return type(event).__name__
"""


@pytest.fixture
def with_source(monkeypatch):
    """Put a changed source in the place of one of nbchalice's."""

    def put(cls, **members):
        source = type(cls.__name__, (cls,), members)()
        monkeypatch.setitem(BUILT_IN, source.name, source)
        return source

    return put


def deployed(deploy, source, **options):
    return deploy(source, CODE.format(source=source, options=options), **options)


def test_an_event_that_goes_past_its_service_is_sent_only_where_the_trigger_lets_it_through(deploy, connection):
    # Only AWS may put events of aws.ec2 on the bus: the function is invoked, where no pattern is asked.
    pattern = {"source": ["aws.ec2"], "detail": {"state": ["running"]}}
    made = deployed(deploy, "on_cw_event", event_pattern=pattern)
    told = []
    result = send(connection, made.source, made.options, made.ref, on_progress=told.append, detail={"state": "stopped"})
    assert (result.status, result.message_id, result.invocation) == ("dropped", "not sent", None)
    assert result.hint == "price: its event pattern does not match, so that it was not sent"
    assert [(one.state, one.dropped) for one in told] == [("dropped", "price: its event pattern does not match")]
    twice = list(Way(connection, Route(made.source, made.options, made.ref)).twice({"detail": {"state": "stopped"}}))
    assert [one.hint for one in twice] == [result.hint] * 2
    assert recent(connection, made.ref.name) == []
    assert send(connection, made.source, made.options, made.ref, detail={"state": "running"}).status == "done"


def test_where_the_local_aws_has_not_got_the_service_send_invokes_the_function(deploy, connection, with_source, name):
    options = {"bucket": name, "suffix": ".csv"}
    with_source(S3, on_local_aws=False, resources=lambda *_: [], local_resources=lambda *_: [])
    made = deployed(deploy, "on_s3_event", **options)
    assert way_of(connection, made.source) == "invoke asynchronously"
    result = send(connection, made.source, made.options, made.ref, key="a.csv")
    assert result.status == "done" and result.invocation.ids
    result = send(connection, made.source, made.options, made.ref, key="a.txt")
    assert (result.status, result.hint) == ("dropped", "price: the key does not end with .csv, so that it was not sent")
    with pytest.raises(InvalidInputError, match="the local AWS has no S3, whose events could be redirected"):
        Live(connection, Route(made.source, made.options, made.ref), print, print, print)


def test_what_a_source_cannot_judge_is_told_where_nothing_took_the_event_up(deploy, connection, with_source, name):
    def verdict(self, handler, *_):
        return Note(f"{handler}: its pattern is one that only S3 can judge")

    with_source(S3, verdict=verdict)
    made = deployed(deploy, "on_s3_event", bucket=name, prefix="in/")
    dropped = send(connection, made.source, made.options, made.ref, key="out/a", wait=1)
    assert dropped.status == "queued"
    assert dropped.hint == "price: its pattern is one that only S3 can judge"
    passed = send(connection, made.source, made.options, made.ref, key="in/a")
    assert (passed.status, passed.hint) == ("done", None)


def broken(self, aws, options, function, **values):
    return len(3)


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        (broken, "TypeError: object of type 'int' has no len()"),
        (lambda *_, **values: values["colour"], "KeyError: 'colour'"),
        (lambda self, aws, *_, **values: aws.client("s3").put(), "AttributeError: 'S3' object has no attribute 'put'"),
    ],
)
def test_a_fault_of_a_sources_send_is_no_refusal_of_aws(deploy, connection, with_source, name, failing, told):
    with_source(S3, send=failing)
    made = deployed(deploy, "on_s3_event", bucket=name)
    with pytest.raises(NbChaliceError) as caught:
        send(connection, made.source, made.options, made.ref)
    error = caught.value
    assert error.message == f"sending to S3 {name}: the event source on_s3_event failed: {told}"
    assert not isinstance(error, AWSError) and error.code == "code-failed"
    assert " line " in error.location.place


@pytest.mark.parametrize("operation", ["put_object", "no_such_service"])
def test_what_aws_refuses_is_still_its_own(deploy, connection, with_source, name, operation):
    def refused(self, aws, options, function, **values):
        if operation == "put_object":
            return aws.client("s3").put_object(Bucket=f"{name}-none", Key="x")
        return aws.client("no-such-service")

    with_source(S3, send=refused)
    made = deployed(deploy, "on_s3_event", bucket=name)
    with pytest.raises(AWSError, match="sending to S3 "):
        send(connection, made.source, made.options, made.ref)
