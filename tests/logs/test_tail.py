"""Reading CloudWatch Logs: windows, pages, gaps, trouble; first against a stand-in, then against the local AWS."""

import json
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from nbchalice.errors import AWSError, InvalidInputError
from nbchalice.logs.fetch import Reader
from nbchalice.logs.tail import Tail, follow, recent
from nbchalice.logs.when import parse_time, to_ms

NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("10m", 600),
        ("2h", 7200),
        ("1d", 86400),
        ("1w", 604800),
        ("1.5h", 5400),
        (" 5m ", 300),
        (90, 90),
        (timedelta(minutes=1), 60),
    ],
)
def test_how_long_ago(text, seconds):
    assert parse_time(text, NOW) == NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-31T12:00",
        "2030-01-31T12:00:00Z",
        "2030-01-31T14:00+02:00",
        "2030-01-31 12:00",
        datetime(2030, 1, 31, 12),
        NOW,
    ],
)
def test_points_in_time(text):
    assert parse_time(text) == NOW and to_ms(parse_time(text)) == 1896091200000


@pytest.mark.parametrize("text", ["", "soon", "10", "10 years", "-5m", "m", "999999999999d", None, [], "2030-13-01"])
def test_no_point_in_time(text):
    with pytest.raises(InvalidInputError, match="not a point in time") as caught:
        parse_time(text)
    assert "10m" in caught.value.hint


class Logs:
    """CloudWatch Logs as far as it matters: `events` are (timestamp, message); answers may be made to fail."""

    def __init__(self, page=None, silent=False):
        self.events, self.page, self.silent, self.failures, self.asked = [], page, silent, [], []

    def write(self, *lines, at=1000, stream="s"):
        self.events += [
            {"timestamp": at + n, "message": line, "logStreamName": stream, "eventId": str(len(self.events) + n)}
            for n, line in enumerate(lines)
        ]

    def get_function_configuration(self, FunctionName):
        return {"FunctionName": FunctionName}

    def filter_log_events(self, logGroupName, startTime, limit, endTime=None, nextToken=None):
        self.asked.append(startTime)
        if self.failures:
            raise self.failures.pop(0)
        found = sorted(
            (e for e in self.events if startTime <= e["timestamp"] <= (endTime or 1 << 62)),
            key=lambda e: e["timestamp"],
        )
        size, begin = self.page or limit, int(nextToken or 0)
        more = {} if self.silent or begin + size >= len(found) else {"nextToken": str(begin + size)}
        return {
            "events": found[begin : begin + size],
            "ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 01 Jan 1970 00:00:02 GMT"}},
            **more,
        }


class Fake:
    region, account, partition, local = "us-east-1", "0" * 12, "aws", True

    def __init__(self, logs):
        self.logs = logs

    def client(self, service, region=None):
        return self.logs


def refusal(code, status=400):
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "FilterLogEvents"
    )


def run(id, *lines):
    return [
        f"START RequestId: {id} Version: 1",
        *lines,
        f"END RequestId: {id}",
        f"REPORT RequestId: {id}\tDuration: 1.00 ms\t",
    ]


IDS = [str(uuid.UUID(int=n)) for n in range(10)]


def test_a_log_group_that_does_not_exist_has_no_invocations():
    logs = Logs()
    logs.failures = [refusal("ResourceNotFoundException")] * 3
    assert recent(Fake(logs), "f") == []
    assert Tail(Fake(logs), "f").poll() == []


@pytest.mark.parametrize("page", [1, 2, 3, 7])
def test_all_pages_are_read(page):
    logs = Logs(page=page)
    logs.write(*run(IDS[0], *map(str, range(10))))
    (got,) = recent(Fake(logs), "f", since=datetime.fromtimestamp(0, UTC))
    assert [r.message for r in got.records] == list(map(str, range(10)))


def test_where_a_page_ends_without_a_token_it_goes_on_by_time(monkeypatch):
    monkeypatch.setattr("nbchalice.logs.fetch.PAGE", 4)
    logs = Logs(silent=True)
    logs.write(*run(IDS[0], *map(str, range(10))))
    logs.write("same", "time", "thrice", at=2000)
    for event in logs.events[-3:]:
        event["timestamp"] = 2000
    assert len(list(Reader(Fake(logs), "g").read(0))) == len(logs.events)


def test_more_than_a_page_of_one_time_does_not_hang(monkeypatch):
    monkeypatch.setattr("nbchalice.logs.fetch.PAGE", 4)
    logs = Logs(silent=True)
    logs.write(*["x"] * 9)
    for event in logs.events:
        event["timestamp"] = 5
    logs.write("after", at=9)
    assert [e.message for e in Reader(Fake(logs), "g").read(0)] == ["x"] * 4 + ["after"]


def test_each_event_comes_once_and_the_window_follows():
    logs = Logs()
    tail = Tail(Fake(logs), "f", datetime.fromtimestamp(0, UTC))
    logs.write(*run(IDS[0], "a"), at=50_000)
    assert [i.request_id for i in tail.poll()] == [IDS[0]]
    assert tail.poll() == []
    logs.write(*run(IDS[1], "late"), at=49_500, stream="t")
    assert [i.request_id for i in tail.poll()] == [IDS[1]]
    assert logs.asked[0] == 0 and logs.asked[-1] > 48_000


def test_limit_level_and_request_id():
    logs = Logs()
    for n, id in enumerate(IDS[:4]):
        text = f"[{'ERROR' if n == 2 else 'INFO'}]\t2030-01-01T00:00:00Z\t{id}\tm{n}"
        logs.write(*run(id, text, "plain"), at=1000 * n, stream=id)

    def get(**more):
        return recent(Fake(logs), "f", datetime.fromtimestamp(0, UTC), **more)

    assert [i.request_id for i in get(limit=2)] == IDS[2:4]
    assert [[r.message for r in i.records] for i in get(level="error")] == [["m2"]]
    assert [i.request_id for i in get(request_id=IDS[1])] == [IDS[1]]
    assert [i.request_id for i in get(until=datetime.fromtimestamp(1.9, UTC))] == IDS[:2]
    with pytest.raises(InvalidInputError, match="no log level 'loud'"):
        get(level="loud")


def test_what_cannot_be_read_is_an_error_with_a_hint():
    logs = Logs()
    logs.failures = [refusal("ExpiredTokenException")]
    with pytest.raises(AWSError, match="reading the log of f") as caught:
        recent(Fake(logs), "f")
    assert "log in again" in caught.value.hint


class Once(threading.Event):
    """A stop that counts pauses instead of waiting."""

    def __init__(self):
        super().__init__()
        self.pauses = []

    def wait(self, timeout=None):
        self.pauses.append(timeout)
        return self.is_set()


def test_follow_survives_throttling_and_a_lost_network():
    logs, stop, told = Logs(), Once(), []
    logs.failures = [
        refusal("ThrottlingException"),
        EndpointConnectionError(endpoint_url="x"),
        ReadTimeoutError(endpoint_url="x"),
        refusal("ServiceUnavailable", 503),
    ]
    logs.write(*run(IDS[0], "a"))
    found = follow(Fake(logs), "f", datetime.fromtimestamp(0, UTC), stop=stop, on_trouble=told.append)
    assert next(found).request_id == IDS[0]
    assert [isinstance(error, AWSError) for error in told] == [True] * 4 + [False]
    assert len({str(error) for error in told}) == 5
    assert len(stop.pauses) == 4 and stop.pauses == sorted(stop.pauses)
    stop.set()
    assert list(found) == []


class UnderQuota(Logs):
    """CloudWatch Logs that answers one call in four: FilterLogEvents has few a second, for all viewers together."""

    def filter_log_events(self, **arguments):
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls % 4:
            raise refusal("ThrottlingException")
        return super().filter_log_events(**arguments)


def test_several_viewers_that_share_the_quota_see_every_invocation_once():
    logs, stop, beginning = UnderQuota(), Once(), datetime.fromtimestamp(0, UTC)
    viewers = [follow(Fake(logs), "f", beginning, stop=stop) for _ in range(5)]
    for number, (id, again) in enumerate(zip(IDS[:5], IDS[5:], strict=True)):
        logs.write(*run(id, "a"), at=1000 * number, stream=id)
        logs.write(*run(again, "b"), at=1000 * number, stream=again)
    assert [sorted(next(viewer).request_id for _ in IDS) for viewer in viewers] == [IDS] * 5


def test_follow_tells_once_that_there_is_no_log_group_yet():
    logs, stop, told = Logs(), Once(), []
    logs.failures = [refusal("ResourceNotFoundException")] * 3
    logs.write(*run(IDS[0], "a"))
    found = follow(Fake(logs), "f", datetime.fromtimestamp(0, UTC), stop=stop, on_trouble=told.append)
    assert next(found).request_id == IDS[0]
    assert [str(error).splitlines()[0] for error in told] == ["there is no log group /aws/lambda/f yet", "None"]


def test_follow_gives_up_on_expired_credentials():
    logs = Logs()
    logs.failures = [refusal("ExpiredTokenException")]
    with pytest.raises(AWSError, match="ExpiredToken"):
        next(follow(Fake(logs), "f", 60))


def test_follow_yields_what_has_ended_or_every_change():
    logs, stop = Logs(), Once()
    lines = run(IDS[0], "a")
    logs.write(*lines[:2])
    ended = follow(Fake(logs), "f", datetime.fromtimestamp(0, UTC), stop=stop)
    changes = follow(Fake(logs), "f", datetime.fromtimestamp(0, UTC), stop=stop, running=True)
    assert next(changes).status == "running"
    logs.write(*lines[2:], at=1002)
    assert next(ended).status == "ok" and next(changes).status == "ok"


def test_without_since_it_begins_now_by_awss_clock():
    logs = Logs()
    logs.write(*run(IDS[0]), at=0)
    logs.write(*run(IDS[1]), at=1500, stream="t")
    assert [i.request_id for i in Tail(Fake(logs), "f").poll()] == [IDS[1]]
    assert [i.request_id for i in Tail(Fake(logs), "f").begin(10)] == IDS[:2]


@pytest.fixture(scope="module")
def connection(local_aws):
    from nbchalice.aws.target import connect

    return connect("local")


def write(connection, name, lines, stream="s", at=None):
    logs, group = connection.client("logs"), f"/aws/lambda/{name}"
    for make in (
        lambda: logs.create_log_group(logGroupName=group),
        lambda: logs.create_log_stream(logGroupName=group, logStreamName=stream),
    ):
        try:
            make()
        except logs.exceptions.ResourceAlreadyExistsException:
            pass
    at = at or int(datetime.now(UTC).timestamp() * 1000)
    events = [{"timestamp": at + n, "message": line} for n, line in enumerate(lines)]
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_the_local_aws_from_nothing_to_followed(connection):
    name = f"f{uuid.uuid4().hex}"
    assert recent(connection, name) == []
    stop = threading.Event()
    found = follow(connection, name, "1m", stop=stop)
    write(connection, name, run(IDS[0], "a"))
    assert next(found).request_id == IDS[0]
    write(connection, name, run(IDS[1], "b"), stream="t")
    assert next(found).request_id == IDS[1]
    assert [i.request_id for i in recent(connection, name)] == IDS[:2]
    assert json.dumps(recent(connection, name)[0].to_dict())


def test_more_lines_than_the_local_aws_gives_at_once(connection):
    name = f"f{uuid.uuid4().hex}"
    count = 10_500
    lines = run(IDS[0], *map(str, range(count)))
    first = int(datetime.now(UTC).timestamp() * 1000) - 60_000
    for begin in range(0, len(lines), 5000):
        write(connection, name, lines[begin : begin + 5000], at=first + begin)
    (got,) = recent(connection, name)
    assert [r.message for r in got.records] == list(map(str, range(count)))
