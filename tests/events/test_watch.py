"""What `send` makes of a log, against stand-ins for AWS and the source: states, trouble, wrong clocks."""

import threading
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from nbchalice.errors import AWSError
from nbchalice.events.follow import Progress
from nbchalice.events.send import send
from nbchalice.logs.invocation import Invocation
from nbchalice.resources.base import FunctionRef
from nbchalice.sources.base import Sent
from nbchalice.sources.lambda_function import PureLambda

REF = FunctionRef("shop", "dev", "price", "us-east-1", "0" * 12)
R = "11111111-aaaa-4aaa-8aaa-111111111111"
OLD = "22222222-bbbb-4bbb-8bbb-222222222222"
# The stand-in's clock is years away from that of this computer.
THEN, THEN_TEXT = 1_000_000_000_000, "Sun, 09 Sep 2001 01:46:40 GMT"


def marker(id, attempt=1):
    return f'NBCHALICE {{"request_id":"{id}","ids":["key@etag"],"attempt":{attempt}}}'


class Logs:
    """Shows a step more of its script at each look; a step that is an exception is raised."""

    def __init__(self, *script, standing=()):
        self.script, self.events, self.asked = list(script), [], []
        self.armed = False
        self.add(standing)

    def add(self, lines):
        for line in lines:
            number = len(self.events)
            self.events.append(
                {"timestamp": THEN + number, "message": line, "logStreamName": "s", "eventId": str(number)}
            )

    def get_function_configuration(self, **_):
        return {}

    def filter_log_events(self, startTime, **_):
        self.asked.append(startTime)
        if self.armed and self.script:
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            self.add(step)
        found = [event for event in self.events if event["timestamp"] >= startTime]
        return {"events": found, "ResponseMetadata": {"HTTPHeaders": {"date": THEN_TEXT}}}


class Source(PureLambda):
    def __init__(self, logs):
        self.logs = logs

    def send(self, aws, options, function, **values):
        self.logs.armed = True
        return Sent("key@etag", ("key@etag",))

    def describe(self, options):
        return "bucket b"


class Fake(SimpleNamespace):
    def client(self, service, region=None):
        return self.logs


def run(logs, **more):
    told = []
    aws = Fake(logs=logs, local=True, region="us-east-1", account="0" * 12, partition="aws")
    result = send(aws, Source(logs), {}, REF, on_progress=told.append, **{"wait": 60, **more})
    return result, [str(progress) for progress in told]


START, END = f"START RequestId: {R} Version: 1", f"END RequestId: {R}"
REPORT = f"REPORT RequestId: {R}\tDuration: 4.20 ms\tBilled Duration: 5 ms"
ERROR = "[ERROR] ValueError: no\nTraceback (most recent call last):"


def test_states_are_told_once_each():
    result, told = run(Logs([], [START], [marker(R)], ["a print"], [END, REPORT]))
    assert told == ["queued", "running", "done in 4.2 ms"] and result.invocation.duration_ms == 4.2


def test_a_later_attempt_is_a_retry():
    result, told = run(Logs([START, marker(R, attempt=3)], [ERROR], [END, REPORT]))
    assert told == ["queued", "retrying (attempt 3)", "failed in 4.2 ms"]
    assert (result.status, result.invocation.attempt) == ("failed", 3)


def test_the_same_id_from_before_is_another_one():
    before = [f"START RequestId: {OLD} Version: 1", marker(OLD), f"REPORT RequestId: {OLD}\tDuration: 1 ms"]
    result, _ = run(Logs([], [START, marker(R), REPORT], standing=before))
    assert result.invocation.request_id == R


def test_a_clock_that_is_years_off_does_not_matter():
    logs = Logs([START, marker(R), REPORT])
    assert run(logs)[0].status == "done"
    assert all(THEN - 20_000 <= asked <= THEN + 20_000 for asked in logs.asked[1:])


def test_a_lost_network_only_delays():
    result, told = run(
        Logs(
            EndpointConnectionError(endpoint_url="x"),
            [START, marker(R)],
            EndpointConnectionError(endpoint_url="x"),
            [REPORT],
        )
    )
    assert told == ["queued", "running", "done in 4.2 ms"] and result.ok


def test_when_the_log_may_not_be_read_the_error_says_that_the_message_was_sent():
    refused = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "old"}}, "FilterLogEvents")
    with pytest.raises(AWSError, match="message key@etag was sent, but reading the log of shop-dev-price") as caught:
        run(Logs(refused))
    assert "log in again" in caught.value.hint


def test_an_error_whose_report_never_comes_is_told(monkeypatch):
    monkeypatch.setattr("nbchalice.events.follow.REPORT_SECONDS", 0.0)
    result, told = run(Logs([START, marker(R), ERROR]))
    assert (result.status, told) == ("failed", ["queued", "failed"])


def test_stop_ends_the_waiting():
    stop = threading.Event()
    stop.set()
    result, told = run(Logs(), stop=stop)
    assert (result.status, result.invocation, told) == ("queued", None, ["queued"])


def test_a_retry_that_still_runs_has_a_hint():
    stop = threading.Event()
    logs = Logs([START, marker(R, attempt=2)])
    aws = Fake(logs=logs, local=True, region="us-east-1", account="0" * 12, partition="aws")
    result = send(
        aws, Source(logs), {}, REF, wait=60, stop=stop, on_progress=lambda p: p.state == "retrying" and stop.set()
    )
    assert result.status == "retrying" and "still runs" in result.hint


def test_foreign_text_is_escaped():
    from nbchalice.events.send import SendResult

    evil = "<img src=x onerror=alert(1)>\x1b[2J"
    result = SendResult(evil, Invocation(evil, "f", "ok", ids=(evil,)), Sent(evil, (evil,)), "done", None)
    bundle = result._repr_mimebundle_()
    assert "<img" not in bundle["text/html"] and "\x1b" not in bundle["text/plain"] + bundle["text/html"]


def test_progress_reads_well():
    assert str(Progress("queued", "m")) == "queued"
    assert str(Progress("done", "m", 1, Invocation("r", "f", "ok", duration_ms=1234.5))) == "done in 1234 ms"


def test_an_event_that_the_function_was_invoked_with_is_no_batch_of_others():
    from nbchalice.events.outcome import batch_note

    failed = Invocation("r-1", "f", "error", ids=("mail-1",))
    assert batch_note(failed, ("r-1",)) is None
    assert "batch of 1" in (batch_note(failed, ("m-2",)) or "")
