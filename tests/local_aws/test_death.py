"""A local AWS that dies during a command is started again by the next call, which goes on."""

import contextlib
import os
import signal
import threading

import pytest

from nbchalice.aws.local.client import server
from nbchalice.aws.target import connect
from nbchalice.errors import LostAnswerError

from ..deploy.harness import app, deploy, handler, plan, sns, sqs

pytestmark = pytest.mark.local_aws


def test_a_call_goes_on_with_the_server_that_takes_the_place(home, capsys):
    connection = connect("local")
    url = connection.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
    server.control("POST", "save")
    before = server.status()
    os.kill(before.pid, signal.SIGKILL)
    assert connection.client("sqs").get_queue_url(QueueName="kept")["QueueUrl"] == url
    after = server.status()
    assert after.pid != before.pid and after.endpoint == before.endpoint
    assert capsys.readouterr().err.startswith("the local AWS died and was started again")


def test_what_may_have_been_done_is_not_done_twice_and_the_next_call_finds_the_new_one(home):
    connection = connect("local")
    url = connection.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
    server.control("POST", "save")
    os.kill(server.status().pid, signal.SIGKILL)
    with contextlib.suppress(LostAnswerError):  # over the connection that stood; over a new one nothing can be lost
        connection.client("sqs").send_message(QueueUrl=url, MessageBody="first")
    connection.client("sqs").send_message(QueueUrl=url, MessageBody="second")
    bodies = [
        m["Body"] for m in connection.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    ]
    assert bodies.count("second") == 1 and bodies.count("first") <= 1


def test_one_that_was_stopped_stays_so(home):
    server.ensure_running()
    assert not server.start_again()
    server.stop()
    assert not server.start_again() and server.status() is None


def test_several_threads_start_one(home, capsys):
    connection = connect("local")
    os.kill(server.status().pid, signal.SIGKILL)
    found = []
    threads = [threading.Thread(target=lambda: found.append(connection.client("sqs").list_queues())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(found) == 8
    assert capsys.readouterr().err.count("was started again") == 1


@pytest.mark.parametrize("after", [1, 3, 6])
def test_a_deploy_during_which_it_dies_is_whole_in_the_end(home, after):
    """What it was told in its last second is gone with it: the deploy looks again, and makes it anew."""
    connection, made = connect("local"), app("shop", handler("price", sqs("orders")), handler("tell", sns("news")))
    done, killed = [], []

    def progress(change, state):
        done.extend([change] if state == "done" else [])
        if len(done) >= after and not killed:
            killed.append(server.status().pid)
            os.kill(killed[0], signal.SIGKILL)

    deploy(made, connection, progress=progress)
    assert killed and server.status().pid != killed[0]
    assert plan(made, connection).changes == ()
    names = [f["FunctionName"] for f in connection.client("lambda").list_functions()["Functions"]]
    assert sorted(names) == ["shop-dev-price", "shop-dev-tell"]
