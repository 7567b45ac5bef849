"""One server for everybody: started once, found again, ended without a trace."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import psutil
import pytest

from nbchalice.aws.local.client import connection, environment, process, server
from nbchalice.errors import LocalAWSError

from ..gates import OPEN
from ..log_groups import read_lines
from ..roles import make_role
from .conftest import client

pytestmark = pytest.mark.local_aws

START = "from nbchalice.aws.local.client import server; a = server.ensure_running(); print(a.pid, a.endpoint)"


def processes_of(folder):
    """The processes whose command or environment names the folder."""
    found = []
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            texts = [*one.cmdline(), *one.environ().values()]
            if any(str(folder) in text for text in texts) and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
    return [pid for pid in found if pid != os.getpid()]


def logged(running, name):
    """What a function wrote."""
    return read_lines(client(running, "logs"), name)


def make_function(running, functions, code):
    name = f"f-{uuid.uuid4().hex[:8]}"
    client(running, "lambda").create_function(
        FunctionName=name,
        Runtime=f"python3.{sys.version_info[1]}",
        Role=make_role(client(running, "iam"), "r"),
        Handler="app.handler",
        Code={"ZipFile": functions.archive({"app.py": code})},
        Timeout=60,
    )
    return name


def test_nothing_runs_before_the_first_start(home):
    assert server.status() is None
    assert server.stop() is False
    server.reset()
    assert not home.exists()


def test_a_second_call_finds_the_running_server(home):
    first = server.ensure_running()
    assert server.ensure_running() == first == server.status()
    other = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert other.stdout.split() == [str(first.pid), first.endpoint]


def test_two_starts_at_once_make_one_server(home):
    starters = [subprocess.Popen([sys.executable, "-c", START], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = {starter.communicate()[0] for starter in starters}
    assert len(answers) == 1
    assert server.status().pid == int(answers.pop().split()[0])


def test_the_server_outlives_the_process_that_started_it(home):
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert server.status().pid == int(done.stdout.split()[0])


def test_state_survives_a_stop(home, functions, eventually):
    first = server.ensure_running()
    client(first, "sqs").create_queue(QueueName="kept")
    client(first, "sqs").send_message(
        QueueUrl=client(first, "sqs").get_queue_url(QueueName="kept")["QueueUrl"], MessageBody="m"
    )
    client(first, "s3").create_bucket(Bucket="kept")
    client(first, "s3").put_object(Bucket="kept", Key="k", Body=b"content")
    name = make_function(first, functions, "def handler(e, c): return 'still here'\n")
    assert server.stop() is True
    assert server.status() is None
    second = server.ensure_running()
    assert (second.access_key, second.endpoint) == (first.access_key, first.endpoint)
    url = client(second, "sqs").get_queue_url(QueueName="kept")["QueueUrl"]
    assert client(second, "sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "m"
    assert client(second, "s3").get_object(Bucket="kept", Key="k")["Body"].read() == b"content"
    assert json.loads(client(second, "lambda").invoke(FunctionName=name)["Payload"].read()) == "still here"
    assert client(second, "logs").describe_log_groups()["logGroups"][0]["logGroupName"] == f"/aws/lambda/{name}"


def test_queues_go_on_working_when_the_port_of_last_time_is_taken(home, functions, eventually):
    first = server.ensure_running()
    sqs = client(first, "sqs")
    url = sqs.create_queue(QueueName="moved", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    name = make_function(first, functions, "def handler(e, c): print('got it')\n")
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client(first, "lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=name)
    server.stop()
    port = int(first.endpoint.rpartition(":")[2])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        second = server.ensure_running()
    assert second.endpoint != first.endpoint
    url = client(second, "sqs").get_queue_url(QueueName="moved")["QueueUrl"]
    assert url.startswith(second.endpoint)
    client(second, "sqs").send_message(QueueUrl=url, MessageBody="m")
    eventually(lambda: "got it" in logged(second, name))


def test_a_stop_under_load_leaves_no_process_and_no_folder(home, functions, eventually):
    running = server.ensure_running()
    code = """
import subprocess, time, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def handler(event, context):
    subprocess.Popen(["sleep", "1000"])
    print("busy", flush=True)
    time.sleep(1000)
"""
    name = make_function(running, functions, code)
    for _ in range(3):
        client(running, "lambda").invoke(FunctionName=name, InvocationType="Event")
    eventually(lambda: logged(running, name).count("busy") == 3)
    assert len(processes_of(home)) >= 8
    server.stop()
    assert processes_of(home) == []
    assert not (home / "tmp").exists()


def test_a_killed_server_takes_its_handlers_along_and_the_state_saved_so_far_comes_back(home, functions, eventually):
    running = server.ensure_running()
    client(running, "sqs").create_queue(QueueName="saved")
    name = make_function(running, functions, "import time\ndef handler(e, c): time.sleep(1000)\n")
    client(running, "lambda").invoke(FunctionName=name, InvocationType="Event")
    eventually(lambda: len(processes_of(home)) >= 4)  # the server, what starts handlers, and two for the handler
    assert server.control("POST", "save") == {"problems": []}
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: processes_of(home) == [])
    assert server.status() is None
    again = server.ensure_running()
    assert again.pid != running.pid
    assert client(again, "sqs").get_queue_url(QueueName="saved")


def test_changes_are_saved_without_being_asked(home, eventually):
    running = server.ensure_running()
    client(running, "sqs").create_queue(QueueName="autosaved")
    eventually(lambda: any("autosaved" in path.read_text() for path in (home / "state").glob("*.json")))


def test_events_interrupted_by_a_stop_are_delivered_after_the_next_start(home, functions, eventually, gate):
    running = server.ensure_running()
    code = f"import time\n{OPEN}\ndef handler(e, c):\n    while not is_open(e['gate']): time.sleep(0.05)\n    print('did', e['n'])\n"
    name = make_function(running, functions, code)
    for i in range(8):
        payload = json.dumps({"gate": gate.number, "n": str(i)})
        client(running, "lambda").invoke(FunctionName=name, InvocationType="Event", Payload=payload)
    server.stop()
    gate.open()
    running = server.ensure_running()
    eventually(lambda: {f"did {i}" for i in range(8)} <= set(logged(running, name)))


def test_a_stale_record_whose_port_another_program_took(home):
    first = server.ensure_running()
    os.kill(first.pid, signal.SIGKILL)
    port = int(first.endpoint.rpartition(":")[2])
    seen = []

    def serve(listener):
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = listener.accept()
                seen.append(accepted.recv(65536))
                accepted.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"proof":""}')
                accepted.close()

    process.end_process(first.pid)
    record = json.loads((home / "server.json").read_text())
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        (home / "server.json").write_text(json.dumps({**record, "pid": os.getpid()}))
        assert server.status() is None
        assert server.stop() is False
        second = server.ensure_running()
    assert second.endpoint != first.endpoint
    assert seen
    assert not any(record["token"].encode() in data for data in seen)


def test_a_server_of_an_older_release_is_replaced_and_a_newer_one_stays(home, monkeypatch):
    def be(version):
        for module in ("server", "spawn"):
            monkeypatch.setattr(f"nbchalice.aws.local.client.{module}.__version__", version)

    be("0.9.2")
    old = server.ensure_running()
    be("0.10.0")
    new = server.ensure_running()
    assert new.pid != old.pid and new.endpoint == old.endpoint
    be("0.9.2")
    assert server.ensure_running().pid == new.pid


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"pid": 1}'])
def test_a_broken_record_is_replaced(home, content):
    home.mkdir()
    (home / "server.json").write_text(content)
    assert server.status() is None
    assert server.ensure_running() == server.status()


def test_a_stuck_server_is_replaced(home, monkeypatch):
    first = server.ensure_running()
    client(first, "sqs").create_queue(QueueName="before")
    server.control("POST", "save")
    os.kill(first.pid, signal.SIGSTOP)
    monkeypatch.setattr(connection, "HEALTH_SECONDS", 1.0)
    second = server.ensure_running()
    assert second.pid != first.pid
    assert not process.process_exists(first.pid)
    assert client(second, "sqs").get_queue_url(QueueName="before")


def test_a_stuck_server_can_be_stopped(home, monkeypatch):
    first = server.ensure_running()
    os.kill(first.pid, signal.SIGSTOP)
    monkeypatch.setattr(connection, "HEALTH_SECONDS", 1.0)
    assert server.stop() is True
    assert not process.process_exists(first.pid)


def test_a_process_that_only_bears_the_number_is_left_alone(home):
    server.ensure_running()
    server.stop()
    record = json.loads((home / "server.json").read_text())
    bystander = subprocess.Popen(["sleep", "1000"])
    try:
        (home / "server.json").write_text(json.dumps({**record, "pid": bystander.pid}))
        assert server.stop() is False
        server.ensure_running()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_sigterm_saves_the_state(home, eventually):
    first = server.ensure_running()
    client(first, "sqs").create_queue(QueueName="terminated")
    os.kill(first.pid, signal.SIGTERM)
    eventually(lambda: not process.process_exists(first.pid))
    assert client(server.ensure_running(), "sqs").get_queue_url(QueueName="terminated")


def test_an_idle_server_stops_and_keeps_its_state(home, monkeypatch, eventually):
    monkeypatch.setenv("NBCHALICE_LOCAL_IDLE", "4")
    first = server.ensure_running()
    client(first, "sqs").create_queue(QueueName="idle")
    eventually(lambda: not process.process_exists(first.pid))
    monkeypatch.delenv("NBCHALICE_LOCAL_IDLE")
    assert client(server.ensure_running(), "sqs").get_queue_url(QueueName="idle")


def test_reset_forgets_everything(home, functions):
    running = server.ensure_running()
    client(running, "sqs").create_queue(QueueName="forgotten")
    make_function(running, functions, "def handler(e, c): pass\n")
    server.reset()
    assert not client(running, "sqs").list_queues().get("QueueUrls")
    assert not client(running, "lambda").list_functions()["Functions"]
    client(running, "sqs").create_queue(QueueName="again")
    server.stop()
    server.reset()
    assert not client(server.ensure_running(), "sqs").list_queues().get("QueueUrls")


def test_reset_leaves_the_server_its_own_temporary_files(home, functions):
    """It tries there, as it starts, what confines handlers: a reset at once was the end of every handler."""
    running = server.ensure_running()
    own = Path(running.state_dir) / "tmp" / "own"
    own.touch()
    server.reset()
    assert own.exists()
    make_function(running, functions, "def handler(e, c): return 1\n")


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("NBCHALICE_LOCAL_HOME", str(blocked / "home"))
    with pytest.raises(LocalAWSError, match="cannot write to") as caught:
        server.ensure_running()
    assert "NBCHALICE_LOCAL_HOME" in caught.value.hint


def test_a_full_disk_is_told(home, monkeypatch):
    import shutil

    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1024))
    with pytest.raises(LocalAWSError, match="is full: 1 KB are left"):
        server.ensure_running()


def test_a_start_that_fails_shows_the_log(home, monkeypatch, tmp_path):
    fake = tmp_path / "bin" / "python"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho something broke >&2\nexit 7\n")
    fake.chmod(0o755)
    monkeypatch.setattr(environment, "server_python", lambda notify: fake)
    with pytest.raises(LocalAWSError, match=r"(?s)ended with status 7.*something broke") as caught:
        server.ensure_running()
    assert f"if files of {environment.server_folder()} are damaged, remove it" in caught.value.hint
    assert server.status() is None


@pytest.mark.parametrize(
    ("said", "helps"),
    [
        ("cause: failed to copy file: No space left on device (os error 28)", "free some space"),
        ("cause: Read-only file system (os error 30)", "make the folder writable"),
        ("cause: Permission denied (os error 13)", "make the folder writable"),
        ("cause: dns error: failed to lookup address information", "check the network"),
        ("cause: Connection refused (os error 111)", "check the network"),
    ],
)
def test_what_helps_is_told_by_what_kept_the_environment_from_being_made(monkeypatch, said, helps):
    failed = subprocess.CompletedProcess([], 2, "", f"error: Failed to install: ministack\n  {said}\n")
    monkeypatch.setattr(environment, "call_uv", lambda _: failed)
    with pytest.raises(LocalAWSError) as caught:
        environment.run_uv("pip", "install", "ministack")
    assert helps in caught.value.hint


def test_an_environment_whose_python_was_removed_is_made_anew(tmp_path):
    made = []

    def build(target):
        (target / "bin").mkdir(parents=True)
        (target / "bin" / "python").symlink_to(sys.executable)
        made.append(target)

    folder = tmp_path / "environment"
    for _ in range(2):
        environment.ensure(folder, build, environment.PYTHON)
    assert len(made) == 1
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to(tmp_path / "gone")
    assert environment.ensure(folder, build, environment.PYTHON) == folder
    assert len(made) == 2 and (folder / "bin" / "python").exists()


def test_an_environment_that_cannot_be_made_is_told_and_leaves_nothing(home, monkeypatch, tmp_path):
    cache = tmp_path / "cache"
    monkeypatch.setenv("NBCHALICE_LOCAL_CACHE", str(cache))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", "")
    with pytest.raises(LocalAWSError, match="could not be made") as caught:
        server.ensure_running()
    assert "index" in caught.value.hint
    assert [path.name for path in cache.iterdir() if not path.name.endswith(".lock")] == []
