"""What was saved survives: damage is moved aside and told, newer state refused, and little is lost in a crash."""

import itertools
import json
import os
import re
import signal

import pytest

from nbchalice.aws.local.client import server
from nbchalice.aws.target import connect
from nbchalice.errors import LocalAWSError
from nbchalice.ui.commands import local as local_commands

from .conftest import STANDING, client, make, unsaved

pytestmark = pytest.mark.local_aws


def half(content):
    return content[: len(content) // 2]


def wrapped(payload, version=2):
    return json.dumps({"__ministack_format__": version, "payload": payload}).encode()


DAMAGES = {
    "not UTF-8": lambda content: content.replace(b"kept", b"k\xffpt"),
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "deeply nested": lambda content: (
        b'{"__ministack_format__": 2, "payload": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    ),
    "deeply nested, never closed": lambda content: b"[" * 100_000,
    "cut in half": half,
    "cut by one": lambda content: content[:-1],
    "empty": lambda content: b"",
    "blank": lambda content: b" \n",
    "zeros": lambda content: bytes(len(content)),
    "something behind": lambda content: content + content,
    "null": lambda content: b"null",
    "a list": lambda content: b"[]",
    "a number": lambda content: b"7",
    "an empty object": lambda content: b"{}",
    "no format": lambda content: json.dumps({"payload": json.loads(content)["payload"]}).encode(),
    "a text as format": lambda content: wrapped({}, "2"),
    "no payload": lambda content: b'{"__ministack_format__": 2}',
    "a list as payload": lambda content: wrapped([1]),
    "a text as payload": lambda content: wrapped("x"),
    "a number as table": lambda content: wrapped(dict.fromkeys(json.loads(content)["payload"], 5)),
    "a list as table": lambda content: wrapped(dict.fromkeys(json.loads(content)["payload"], [1])),
    "a table without data": lambda content: re.sub(rb'"data": ', b'"dada": ', content),
    "a bad key": lambda content: content.replace(b"\\u0000", b"-"),
    "bad base64": lambda content: content[:-1] + b', "more": {"__bytes__": "A"}}',
    "a comma too many": lambda content: content[:-1] + b",}",
}


@pytest.mark.table("damaged files of the state")
@pytest.mark.parametrize(("damage", "service"), list(zip(DAMAGES, itertools.cycle(["sqs", "iam"]), strict=False)))
def test_a_damaged_file_is_moved_aside_and_told_and_the_others_are_loaded(stopped, capsys, service, damage):
    path = stopped / "state" / f"{service}.json"
    damaged = DAMAGES[damage](path.read_bytes())
    path.write_bytes(damaged)
    connect("local")
    told = capsys.readouterr().err
    running = server.status()
    standing = {name: len(look(running)) for name, look in STANDING.items()}
    assert standing == {"sqs": 1, "sns": 1, "s3": 1, "iam": 1} | {service: 0}
    assert client(running, "s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"content"
    [aside] = (stopped / "state").glob(f"{service}.json.damaged-*")
    assert aside.read_bytes() == damaged
    assert service in told and str(aside) in told and told.count("\n") == 1
    # It goes on working, is saved, and stays told where one asks, until the file is gone.
    client(running, "sqs").create_queue(QueueName="new")
    server.stop()
    assert aside.read_bytes() == damaged
    running = server.ensure_running()
    assert any("new" in url for url in STANDING["sqs"](running))
    assert str(aside) in "".join(server.read_notes()) and server.read_notes(news=True) == []
    aside.unlink()
    assert server.read_notes() == []


NO_FILES = {
    "a folder": lambda path: (path / "inside").mkdir(parents=True),
    "a link to a disk that is not there": lambda path: path.symlink_to(path.with_name("unplugged")),
    "a link to itself": lambda path: path.symlink_to(path),
    "a pipe": os.mkfifo,
}


@pytest.mark.table("damaged files of the state")
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_moved_aside(stopped, kind):
    path = stopped / "state" / "sqs.json"
    path.unlink()
    NO_FILES[kind](path)
    running = server.ensure_running()
    assert [len(look(running)) for look in STANDING.values()] == [0, 1, 1, 1]
    assert "sqs.json.damaged-" in server.read_notes()[0]


def test_folders_that_are_files_and_files_that_are_folders_are_moved_aside(stopped):
    (stopped / "home").rmdir()
    (stopped / "home").write_text("")
    (stopped / "tmp").symlink_to(stopped / "unplugged")
    for name in ("server.lock", "start.lock", "server.log"):
        (stopped / name).unlink()
        (stopped / name / "inside").mkdir(parents=True)
    running = server.ensure_running()
    assert [len(look(running)) for look in STANDING.values()] == [1, 1, 1, 1]
    notes = "".join(server.read_notes())
    assert [
        name for name in ("home", "tmp", "server.lock", "start.lock", "server.log") if f"{name}.damaged" not in notes
    ] == []


@pytest.mark.parametrize("version", [3, 99])
@pytest.mark.parametrize("payload", [{}, {"queues": 1}, [1], None])
def test_newer_state_is_refused_and_left_untouched(stopped, version, payload):
    state = stopped / "state"
    (state / "sqs.json").write_bytes(wrapped(payload, version))
    (state / "sns.json").write_bytes(half((state / "sns.json").read_bytes()))
    before = {path: path.read_bytes() for path in state.rglob("*") if path.is_file()}
    for _ in range(2):
        with pytest.raises(LocalAWSError, match="the state of sqs in .* was saved by a newer release") as caught:
            server.ensure_running()
        assert caught.value.hint == "upgrade nbchalice, or start from nothing: nbchalice local reset"
    assert {path: path.read_bytes() for path in state.rglob("*") if path.is_file()} == before
    server.reset()
    assert STANDING["sqs"](server.ensure_running()) == []


def test_what_another_release_saved_besides_is_kept(stopped):
    path = stopped / "state" / "sqs.json"
    document = json.loads(path.read_bytes())
    document["payload"]["dreams"] = {"of": "later"}
    path.write_text(json.dumps(document))
    running = server.ensure_running()
    client(running, "sqs").create_queue(QueueName="new")
    server.stop()
    payload = json.loads(path.read_bytes())["payload"]
    assert payload["dreams"] == {"of": "later"} and "new" in json.dumps(payload)


@pytest.mark.parametrize("damage", ["cut in half", "a number", "null"])
def test_events_that_cannot_be_read_are_moved_aside(stopped, damage):
    (stopped / "events.json").write_bytes(DAMAGES[damage](b'[{"arn": "a", "payload": {}, "request_id": "r"}]'))
    running = server.ensure_running()
    assert [len(look(running)) for look in STANDING.values()] == [1, 1, 1, 1]
    assert "events.json.damaged-" in server.read_notes()[0]


def functions_code(home):
    return sorted(path.name for path in (home / "state" / "lambda-blobs").glob("*.zip"))


def test_code_stays_as_long_as_a_damaged_file_may_need_it(home, functions, eventually):
    make(server.ensure_running(), functions)
    server.stop()
    code = functions_code(home)
    path = home / "state" / "lambda.json"
    content = path.read_bytes()
    path.write_bytes(half(content))
    running = server.ensure_running()
    assert client(running, "lambda").list_functions()["Functions"] == []
    make(running, functions, "def handler(e, c): return 'other'\n")
    server.stop()
    assert set(code) < set(functions_code(home))
    path.write_bytes(content)  # somebody mended it
    assert len(client(server.ensure_running(), "lambda").list_functions()["Functions"]) == 1


@pytest.mark.parametrize("lost", ["file", "folder", "part"])
def test_a_function_whose_code_is_gone_is_told_and_differs_from_what_was_deployed(home, functions, capsys, lost):
    running = server.ensure_running()
    name = make(running, functions)
    before = client(running, "lambda").get_function_configuration(FunctionName=name)["CodeSha256"]
    server.stop()
    for path in (home / "state" / "lambda-blobs").glob("*.zip"):
        path.write_bytes(half(path.read_bytes())) if lost == "part" else path.unlink()
    if lost == "folder":
        (home / "state" / "lambda-blobs").rmdir()
    connect("local")
    told = (
        f"the code of function {name} is {'damaged' if lost == 'part' else 'missing'} in the local AWS: deploy it again"
    )
    assert told in capsys.readouterr().err
    found = client(server.status(), "lambda").get_function_configuration(FunctionName=name)
    assert found["CodeSha256"] != before


RECORDS = {
    "a text as port": lambda record: json.dumps({**record, "port": str(record["port"])}),
    "a text as pid": lambda record: json.dumps({**record, "pid": "none"}),
    "a number as key": lambda record: json.dumps({**record, "secret_key": 7}),
    "no token": lambda record: json.dumps({key: value for key, value in record.items() if key != "token"}),
    "a port out of range": lambda record: json.dumps({**record, "port": 70_000}),
    "cut off": lambda record: json.dumps(record)[:40],
    "empty": lambda record: "",
    "null": lambda record: "null",
    "a list": lambda record: "[]",
    "not UTF-8": lambda record: "\udcff",
}


@pytest.mark.table("damaged records of the server")
@pytest.mark.parametrize("damage", RECORDS)
@pytest.mark.parametrize("running", [True, False])
def test_a_damaged_record_is_mended(stopped, capsys, damage, running):
    path = stopped / "server.json"
    first = server.ensure_running()
    if not running:
        server.stop()
    path.write_text(RECORDS[damage](json.loads(path.read_text())), errors="surrogateescape")
    connect("local")
    again = server.status()
    assert (again.endpoint, again.access_key, again.secret_key) == (first.endpoint, first.access_key, first.secret_key)
    assert (again.pid == first.pid) is running
    assert [len(look(again)) for look in STANDING.values()] == [1, 1, 1, 1]
    [aside] = stopped.glob("server.json.damaged-*")
    assert str(aside) in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["a text as port", "cut off"])
def test_a_running_server_that_no_record_tells_saves_and_is_found(stopped, damage):
    """Without the copy in the lock file, too."""
    first = server.ensure_running()
    client(first, "sqs").create_queue(QueueName="fresh")
    path = stopped / "server.json"
    path.write_text(RECORDS[damage](json.loads(path.read_text())))
    (stopped / "server.lock").write_bytes(b"")
    again = server.ensure_running()
    assert (again.endpoint, again.access_key) == (first.endpoint, first.access_key)
    assert len(STANDING["sqs"](again)) == 2


def test_without_any_record_queues_bear_the_new_port(stopped):
    for name in ("server.json", "server.lock"):
        (stopped / name).write_text("{")
    running = server.ensure_running()
    [url] = STANDING["sqs"](running)
    client(running, "sqs").send_message(QueueUrl=url, MessageBody="m")
    assert url.startswith(running.endpoint)
    assert "know the old key" in server.read_notes()[0]


def test_a_reset_forgets_the_damage(stopped):
    (stopped / "state" / "sqs.json").write_bytes(b"")
    server.ensure_running()
    assert "sqs.json.damaged-" in str(local_commands.status())
    server.stop()
    assert "sqs.json.damaged-" in str(local_commands.status())
    server.reset()
    assert server.read_notes() == [] and not list((stopped / "state").glob("*.damaged-*"))


def test_what_cannot_be_saved_is_told(stopped, eventually):
    running = server.ensure_running()
    (stopped / "state" / "sns.json").unlink()
    (stopped / "state" / "sns.json" / "in the way").mkdir(parents=True)
    client(running, "sns").create_topic(Name="new")
    eventually(lambda: "not saved: sns" in str(local_commands.status()))
    client(running, "sqs").create_queue(QueueName="saved-all-the-same")
    eventually(lambda: "saved-all-the-same" in (stopped / "state" / "sqs.json").read_text())


def test_objects_that_cannot_be_written_are_told_and_written_later(stopped, eventually):
    running = server.ensure_running()
    s3 = client(running, "s3")
    s3.create_bucket(Bucket="blocked")
    [folder] = (stopped / "objects").glob("*/blocked")
    folder.rmdir()
    folder.write_text("in the way")
    s3.put_object(Bucket="blocked", Key="k", Body=b"kept all the same")
    eventually(lambda: server.not_saved() == ["s3: object k of bucket blocked could not be written"])
    folder.unlink()
    eventually(lambda: not server.not_saved() and not unsaved())
    os.kill(running.pid, signal.SIGKILL)
    s3 = client(server.ensure_running(), "s3")
    assert s3.get_object(Bucket="blocked", Key="k")["Body"].read() == b"kept all the same"


def test_what_could_not_be_saved_stays_told_between_two_tries(stopped, eventually):
    running = server.ensure_running()
    path = stopped / "state" / "sqs.json"
    path.unlink()
    (path / "in the way").mkdir(parents=True)
    for _ in range(5):  # so much that it is not tried at each tick
        client(running, "sqs").send_message(QueueUrl=STANDING["sqs"](running)[0], MessageBody="x" * 1_000_000)
    eventually(server.not_saved)
    answers = [server.not_saved() for _ in range(200)]
    assert all(answers), answers.index([])
