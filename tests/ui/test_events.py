"""`%chalice events`: what came to a handler, as data; what is kept of it, and what is not."""

import json
import os
import stat
import sys
import time
from dataclasses import replace

import pytest

from nbchalice.cli import code_of
from nbchalice.errors import InvalidInputError
from nbchalice.events.history import MOST_BYTES, MOST_EVENTS, History
from nbchalice.events.past import Answer, PastEvent
from nbchalice.events.received import Received
from nbchalice.sources import SOURCES
from nbchalice.sources.base import FunctionRef
from nbchalice.ui.live_mode import LiveHandler

from ..notebooks import write
from ..waiting import wait_until

pytestmark = pytest.mark.local_aws

CELL = """%%on_sqs_message {name} --dlq {name}-failed --max-receive-count 1
def price(event):
    for record in event:
        app.log.info("costs %s", float(record.body))
"""
REF = FunctionRef("shop", "dev", "price", "eu-west-1", "111122223333")


def past(number, event="x", **more):
    return PastEvent(f"id{number}", number, "send", REF.arn, event, **more)


def test_what_was_kept_before_the_clock_was_set_back_is_older(tmp_path):
    """Else the one that was just sent would be the first to go, or not be the last."""
    history, later = History(tmp_path, "price"), time.time() + 3600
    for number in range(MOST_EVENTS):
        history.keep(past(int(later * 1000) + number))
    for file in history.folder.iterdir():
        os.utime(file, (later, later))
    history.keep(past(int(time.time() * 1000), "new"))
    assert len(events := history.events(REF.arn)) == MOST_EVENTS
    assert events[-1].event == "new"


def test_what_is_tried_again_is_one_event(run, name, local_aws):
    run(f"%%on_s3_event {name}\ndef price(event):\n    raise ValueError(event.key)\n")
    run("%chalice deploy")
    sent = run("%chalice send price --key a.txt")
    wait_until(lambda: len(run("%chalice logs price").invocations) >= 2)
    (event,) = run("%chalice events price")
    assert (event.id, event.origin) == (sent.message_id, "send")


@pytest.mark.parametrize("way", ["", "--via eventbridge"])
def test_a_file_that_was_sent_is_one_event_too(run, name, local_aws, tmp_path, way):
    run(f"%%on_s3_event {name} {way}\ndef price(event):\n    raise ValueError(event.key)\n")
    run("%chalice deploy")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    sent = run(f"%chalice send price --file {tmp_path / 'a.csv'}")
    wait_until(lambda: len(run("%chalice logs price").invocations) >= 3)
    (event,) = events = run("%chalice events price")
    assert (event.id, event.answer.status, event.answer.attempt) == (sent.message_id, "error", 3)
    assert "error (attempt 3)" in events.text
    thing = (event.event.get("detail") or event.event["Records"][0]["s3"])["object"]
    assert (thing["key"], thing["size"]) == ("a.csv", 8)


def test_an_event_is_told_with_its_last_attempt(run, name, local_aws):
    client = run.notebook.connect().client("sqs")
    url = client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    first = 'event.to_dict()["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1"'
    run(f"%%on_sqs_message {name} --timeout 1\ndef price(event):\n    if {first}:\n        raise ValueError\n")
    run("%chalice deploy")
    sent = run("%chalice send price --message 5")
    assert sent.status == "failed"
    other = client.send_message(QueueUrl=url, MessageBody="6")["MessageId"]
    wait_until(lambda: len([one for one in run("%chalice logs price").invocations if one.ok]) == 2)
    events = {one.id: one for one in run("%chalice events price")}
    assert set(events) == {sent.message_id, other}
    assert [(one.answer.status, one.answer.attempt, one.answer.error) for one in events.values()] == [
        ("ok", 2, None)
    ] * 2
    assert "ok (attempt 2)" in run("%chalice events price").text


def test_what_was_sent_is_listed_with_what_became_of_it(deployed, name):
    assert len(deployed("%chalice events price")) == 0
    good, bad = (deployed(f"%chalice send price --message {text} --attribute kind=x") for text in ("5", "five"))
    events = deployed("events = %chalice events price") or deployed.names["events"]
    first, second = events
    assert [one.id for one in events] == [good.message_id, bad.message_id]
    assert first.answer.status == "ok" and first.answer.log == ("INFO  costs 5.0",)
    assert second.answer.status == "error" and "could not convert string to float: 'five'" in second.answer.error
    (record,) = first.event["Records"]
    assert (record["messageId"], record["body"]) == (good.message_id, "5")
    assert first.values == {"message": "5", "attribute": {"kind": "x"}} and second.origin == "send"
    assert "price: 2 events" in events.text and "ValueError" in events.html and good.message_id in events.html
    frame = events.to_dataframe()
    assert list(frame.content) == ["5", "five"] and str(frame["at"].dtype).startswith("datetime64")
    assert [one["id"] for one in json.loads(json.dumps(events.to_dict()))["events"]] == [first.id, second.id]


def test_fields_of_redact_are_kept_nowhere_also_of_what_was_sent(run, name, local_aws, tmp_path):
    """A test case is made of what is kept, and committed."""
    magic = f"%%on_sqs_message {name} --record 5 --redact customer.email"
    run(f"{magic}\ndef price(event):\n    app.log.info(len(list(event)))\n")
    run("%chalice deploy")
    run("""%chalice send price --message '{"net": 5, "customer": {"email": "ann@shop.example", "id": 7}}'""")
    (event,) = run("%chalice events price")
    assert json.loads(event.values["message"]) == {"net": 5, "customer": {"email": "[redacted]", "id": 7}}
    assert "ann@" not in json.dumps(event.to_dict())
    assert not [one for one in tmp_path.rglob("*.json") if "ann@" in one.read_text()]


def test_events_are_those_of_the_function_that_is_chosen(deployed, name):
    deployed("%chalice send price --message 5")
    assert len(deployed("%chalice events price")) == 1
    assert len(deployed("%chalice events price --stage prod")) == 0
    assert len(deployed("%chalice events price --since 2030-01-01")) == 0


def test_live_mode_keeps_the_event_as_it_came(deployed, name):
    live = LiveHandler(deployed.notebook, "price", None)
    live.start()
    try:
        client = deployed.notebook.connect().client("sqs")
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        message = client.send_message(QueueUrl=url, MessageBody="7")["MessageId"]
        wait_until(lambda: len(deployed("%chalice events price")) == 1)
        sent = deployed("%chalice send price --message 8")
    finally:
        live.stop()
    first, second = deployed("%chalice events price")
    assert (first.id, first.origin, first.answer.where) == (message, "live", "here")
    assert first.answer.has_result and first.answer.log == ("INFO  costs 7.0",)
    assert second.id == sent.message_id and second.origin == "live" and second.values == {"message": "8"}
    assert second.event["Records"][0]["receiptHandle"] and list(second.texts()) == ["8"]


def test_dead_letters_and_failed_runs_are_listed_too(deployed, name):
    client = deployed.notebook.connect().client("sqs")
    put = lambda queue, text: client.send_message(  # noqa: E731
        QueueUrl=client.get_queue_url(QueueName=queue)["QueueUrl"], MessageBody=text
    )["MessageId"]
    dead, failed = put(f"{name}-failed", "six"), put(name, "five")
    found = wait_until(lambda: len(every := list(deployed("%chalice events price"))) == 2 and every)
    letter, logged = sorted(found, key=lambda one: one.origin)
    assert (letter.id, letter.origin, list(letter.texts())) == (dead, "dead letter", ["six"])
    assert letter.event["Records"][0]["eventSourceARN"].endswith(f":{name}")
    assert (logged.id, logged.origin, logged.is_known) == (failed, "log", False)
    assert "ValueError" in logged.answer.error
    assert "(the log has only its ids)" in deployed("%chalice events price").text


def test_files_are_private_and_no_git_takes_them(run, tmp_path):
    history = History(tmp_path, "price")
    history.keep(past(1))
    folder = tmp_path / ".nbchalice" / "history"
    (path,) = (folder / "price").glob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    assert history.events(REF.arn) == [past(1)] and history.events("other") == []


def test_nothing_is_kept_where_that_is_off(deployed, monkeypatch):
    monkeypatch.setenv("NBCHALICE_HISTORY", "off")
    deployed("%chalice send price --message 5")
    assert "note: events are not kept: NBCHALICE_HISTORY is off" in deployed("%chalice events price").text
    monkeypatch.delenv("NBCHALICE_HISTORY")
    assert len(deployed("%chalice events price")) == 0


def test_what_stands_is_listed_before_its_cell_was_run_here(deployed, name):
    deployed("%chalice send price --message 5")
    deployed("del price")
    told = deployed("%chalice events price")
    assert len(told) == 1 and "its dead-letter queue was not looked for" in told.text


def test_only_the_last_events_are_kept_and_all_can_be_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr("nbchalice.events.history.MOST_EVENTS", 3)
    history = History(tmp_path, "price")
    for number in range(6):
        history.keep(past(number))
    assert len(history.events(REF.arn)) == 3
    other = replace(past(7), function=REF.arn.replace(REF.name, "else-dev-price"))
    history.keep(other)
    assert history.forget(REF.name) == 2 and history.forget(REF.name) == 0
    assert history.events(other.function) == [other]
    assert history.forget("else-dev-price") == 1 and not history.folder.exists()


@pytest.mark.parametrize(
    ("event", "missing"),
    [
        ({"Records": [{"body": "AKIA" + "IOSFODNN7EXAMPLA"}]}, "it holds what looks like an AWS access key id"),
        ({"Records": [{"body": '{"card": {"password": "Xk29fjQ0-plm"}}'}]}, "it holds what looks like a password"),
        ({"Records": [{"body": "x" * MOST_BYTES}]}, "more than 256 KB"),
    ],
)
def test_credentials_and_what_is_large_are_not_kept(tmp_path, event, missing):
    history = History(tmp_path, "price")
    history.keep(past(1, event, answer=Answer("ok", log=("key AKIA" + "IOSFODNN7EXAMPLA", "done"))))
    (one,) = history.events(REF.arn)
    assert missing in one.missing and not one.is_known and one.event is None
    assert one.answer.log == ("(not kept: it holds what looks like a credential)", "done")
    assert not any("IOSFODNN7" in path.read_text() for path in history.folder.iterdir())


def test_a_folder_that_cannot_be_written_costs_no_event(deployed, name, tmp_path):
    (tmp_path / ".nbchalice").mkdir(exist_ok=True)
    (tmp_path / ".nbchalice" / "history").write_text("in the way")
    assert deployed("%chalice send price --message 5").ok
    events = deployed("%chalice events price")
    assert len(events) == 0 and "events are not kept" in events.text


def test_a_duplicate_that_was_dropped_leaves_what_became_of_the_first(run, name):
    run(f"%%on_sqs_message {name}.fifo\ndef price(event):\n    pass")
    run("%chalice deploy")
    run("%chalice send price --twice --message 5")
    (one,) = run("%chalice events price")
    assert one.answer.status == "ok"


def test_a_damaged_file_is_passed_over(tmp_path):
    history = History(tmp_path, "price")
    history.keep(past(1))
    (history.folder / "other.json").write_text('{"id":')
    assert len(history.events(REF.arn)) == 1


def test_without_pandas_a_table_says_so(deployed, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InvalidInputError, match="needs pandas"):
        deployed("%chalice events price").to_dataframe()


def test_foreign_text_is_escaped(deployed):
    deployed("%chalice send price --message '<b>5</b>'")
    events = deployed("%chalice events price")
    assert "<b>5</b>" in events.text and "<b>5</b>" not in events.html and "&lt;b&gt;5&lt;/b&gt;" in events.html


def test_the_command_line_tells_them_as_json_and_forgets_them(deployed, name, tmp_path, capsys):
    path = write(tmp_path / "shop.ipynb", ["%load_ext nbchalice", f"%chalice app {name}", CELL.format(name=name)])
    capsys.readouterr()
    assert code_of(["send", str(path), "price", "--message", "5", "--json"]) == 0
    sent = json.loads(capsys.readouterr().out)
    assert code_of(["events", str(path), "price", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["events"]
    assert one["id"] == sent["message_id"] and one["answer"]["status"] == "ok"
    assert code_of(["events", str(path), "price", "--forget"]) == 0
    assert f"1 event of {name}-dev-price forgotten" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("event_id", "shown"),
    [
        ("9f5fdfe3-9fd2-466e-928f-d785c1241eb9", "9f5fdfe3…"),
        ("shardId-000000000000:17959575609460000000002", "…00000002"),
        ("17", "17"),
    ],
)
def test_what_is_shown_of_an_id_finds_the_event(event_id, shown):
    one = PastEvent(event_id, 1, "send", REF.arn)
    assert one.short_id == shown
    assert Received((one, PastEvent("shardId-000000000000:3", 1, "send", REF.arn))).find(shown) is one


def test_an_object_is_known_by_its_key():
    event = SOURCES["on_s3_event"].sample({"bucket": "b"}, REF, key="a.csv", message="x")
    assert list(past(1, event, values={"message": "x", "key": "a.csv"}).texts()) == ["a.csv"]


@pytest.mark.parametrize("name_of_source", [name for name in SOURCES if name not in {"schedule"}])
def test_the_values_of_a_raw_event_make_it_again(name_of_source):
    source = SOURCES[name_of_source]
    options = {
        "on_s3_event": {"bucket": "b"},
        "on_sns_message": {"topic": "t"},
        "on_sqs_message": {"queue": "q.fifo"},
        "on_cw_event": {"event_pattern": {"source": ["shop"]}},
        "on_kinesis_record": {"stream": "s"},
        "on_dynamodb_record": {"stream_arn": "arn:aws:dynamodb:eu-west-1:111122223333:table/t/stream/1"},
        "lambda_function": {},
    }[name_of_source]
    given = {
        "on_s3_event": {"key": "a b/ü.csv"},
        "on_sns_message": {"message": "m", "subject": "s", "attribute": {"n:Number": "1", "kind": "x"}},
        "on_sqs_message": {"message": "m", "attribute": {"n:Number": "1", "kind": "x"}, "group_id": "g"},
        "on_cw_event": {"detail": {"n": 1}},
        "on_kinesis_record": {"message": "m", "key": "k"},
        "on_dynamodb_record": {"message": {"id": {"S": "1"}}},
        "lambda_function": {"message": {"n": 1}},
    }[name_of_source]
    event = source.sample(options, REF, **given)
    assert past(1, event).sent_as() == [given]
