"""A server that is killed, or whose disk is slow or full, loses little, and says so."""

import contextlib
import itertools
import json
import os
import signal
import threading

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ReadTimeoutError

from nbchalice.aws.local.client import server
from nbchalice.aws.target import connect
from nbchalice.errors import LocalAWSError

from ..gates import OPEN
from ..log_groups import read_lines
from .conftest import STANDING, client, make, unsaved
from .test_patches import run

pytestmark = pytest.mark.local_aws


@pytest.mark.parametrize("round_", range(3))
def test_a_kill_in_the_midst_of_a_save_damages_nothing_and_loses_the_last_only(home, round_):
    running = server.ensure_running()
    sqs = client(running, "sqs")
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    died = threading.Event()

    def kill_while_saving():
        saves = 0
        while saves <= round_:
            saves += any((home / "state").glob("sqs.json.*.partial"))
        os.kill(running.pid, signal.SIGKILL)
        died.set()

    threading.Thread(target=kill_while_saving).start()
    sent = itertools.count()
    with contextlib.suppress(BotoCoreError):
        while not died.is_set():
            sqs.send_message(QueueUrl=url, MessageBody=f"{next(sent)} {'x' * 20_000}")
    running = server.ensure_running()
    assert server.read_notes() == []
    sqs, found = client(running, "sqs"), []
    if urls := STANDING["sqs"](running):
        while some := sqs.receive_message(QueueUrl=urls[0], MaxNumberOfMessages=10).get("Messages"):
            found += [int(message["Body"].split()[0]) for message in some]
    assert found == list(range(len(found))) and len(found) <= next(sent)


def test_calls_wait_while_the_disk_does_not_keep_up(home, eventually):
    """What is lost in a crash is what was answered within a second, however long a save takes."""
    running = server.ensure_running()
    impatient = Config(read_timeout=2, retries={"total_max_attempts": 1})
    sqs = boto3.client("sqs", config=impatient, **running.client_kwargs())
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    eventually(lambda: not unsaved())
    server.control("PUT", "faults", {"disk": "held"})
    with pytest.raises(ReadTimeoutError):
        for number in range(100_000):
            sqs.send_message(QueueUrl=url, MessageBody=str(number))
    assert unsaved()
    server.control("DELETE", "faults")
    sqs.send_message(QueueUrl=url, MessageBody="last")
    eventually(lambda: not unsaved())
    os.kill(running.pid, signal.SIGKILL)
    found = received(client(server.ensure_running(), "sqs"), url)
    assert found[:number] == [*map(str, range(number))]
    assert set(found[number:]) in ({"last"}, {"last", str(number)})  # One call was given up while it waited.


def received(sqs, url):
    """Return the bodies of all messages of a queue."""
    found = []
    while some := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [message["Body"] for message in some]
    return found


def test_a_disk_that_is_full_or_read_only_is_told_with_what_helps_and_calls_go_on(stopped, eventually, capsys):
    running = server.ensure_running()
    sns = client(running, "sns")
    for fault, words in [("full", "No space left on device"), ("read-only", "Read-only file system")]:
        server.control("PUT", "faults", {"disk": fault})
        sns.create_topic(Name=fault)
        eventually(lambda: any(problem.startswith("sns: ") for problem in server.not_saved()))
        connect("local")
        told = capsys.readouterr().err
        assert told.startswith("the local AWS cannot save its state (") and words in told and told.count("\n") == 1
        assert f"free some space in {stopped}, or make it writable" in told
        server.control("DELETE", "faults")
        eventually(lambda: not server.not_saved() and not unsaved())
        connect("local")
        assert capsys.readouterr().err == ""
    os.kill(running.pid, signal.SIGKILL)
    assert len(STANDING["sns"](server.ensure_running())) == 3
    server.control("PUT", "faults", {"disk": "full"})
    client(server.status(), "sns").create_topic(Name="lost")
    with pytest.raises(LocalAWSError, match="stopped, but part of its state was not saved") as caught:
        server.stop()
    assert "free some space" in caught.value.hint


def test_a_crash_loses_nothing_that_was_saved_a_moment_later(home, eventually):
    """While messages go on coming: a save does not wait for a pause."""
    running = server.ensure_running()
    sqs = client(running, "sqs")
    url = sqs.create_queue(QueueName="kept")["QueueUrl"]
    for number in range(60):
        sqs.send_message(QueueUrl=url, MessageBody=f"message {number}")
    path = home / "state" / "sqs.json"
    eventually(lambda: path.exists() and "message 59" in path.read_text())
    for number in range(60, 90):
        sqs.send_message(QueueUrl=url, MessageBody=f"message {number}")
    eventually(lambda: not unsaved())
    os.kill(running.pid, signal.SIGKILL)
    again = server.ensure_running()
    found = client(again, "sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert found["Attributes"]["ApproximateNumberOfMessages"] == "90"


GROWING = """
import importlib, itertools, pathlib, threading
server = "nbchalice_local_aws.server."
importlib.import_module(server + "uncopied").apply_uncopied()
state_files = importlib.import_module(server + "state_files")
home = importlib.import_module("nbchalice_local_aws.shared.home").Home(pathlib.Path(sys.argv[-1]))
from ministack.services import iam, lambda_svc, sqs
def make(number):
    lambda_svc._functions[f"f{number}"] = {"config": {"FunctionName": "f"}, "code_zip": b"code", "versions": {}}
    sqs._queues[f"q{number}"], iam._roles[f"r{number}"] = {"messages": []}, {}
def grow():
    for number in itertools.count(300):
        make(number)
        if done.is_set():
            return
        for table, kind in ((lambda_svc._functions, "f"), (sqs._queues, "q"), (iam._roles, "r")):
            del table[f"{kind}{number - 300}"]
for number in range(300):
    make(number)
sys.setswitchinterval(1e-5)
done, files = threading.Event(), state_files.StateFiles(home, 1)
thread = threading.Thread(target=grow, daemon=True)
thread.start()
for _ in range(5):
    for name, module in (("lambda", lambda_svc), ("sqs", sqs), ("iam", iam)):
        files._save(name, module.get_state)
done.set()
thread.join()
print(*sorted(path.name for path in home.state.glob("*.json")))
"""


def test_what_grows_while_it_is_saved_is_saved(local_aws, tmp_path):
    (tmp_path / "state").mkdir()
    environment = {"STATE_DIR": str(tmp_path / "state"), "PERSIST_STATE": "1"}
    done = run(f"sys.argv.append({str(tmp_path)!r}); {GROWING.strip()}", env={**os.environ, **environment})
    assert done.stdout.split() == ["iam.json", "lambda.json", "sqs.json"], done.stderr


def test_events_are_not_lost_in_a_crash_soon_after_the_start(home, functions, eventually, gate):
    running = server.ensure_running()
    code = (
        f"import time\n{OPEN}\ndef handler(e, c):\n    while not is_open(e['gate']): time.sleep(0.05)\n"
        "    print('done')\n"
    )
    name = make(running, functions, code)
    client(running, "lambda").invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps({"gate": gate.number})
    )
    server.stop()
    again = server.ensure_running()
    os.kill(again.pid, signal.SIGKILL)
    gate.open()
    last = server.ensure_running()
    eventually(lambda: "done" in read_lines(client(last, "logs"), name))
