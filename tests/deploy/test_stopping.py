"""A deploy that cannot go on says what was done and what was not; run again, it finishes."""

import os
import signal
import threading
import time

import pytest

from nbchalice.aws.target import connect
from nbchalice.deploy import engine
from nbchalice.deploy.execute import execute
from nbchalice.errors import AWSError, DeployError, Interrupted

from .harness import app, deploy, four, handler, packages, plan, snapshot
from .injection import refusal


class Refusing:
    """Answers chosen calls with an error, as often as they come."""

    def __init__(self, aws, operation, code, status=403):
        self.calls = 0
        for client in (aws.client("lambda"), aws.client("iam"), aws.client("logs")):
            service = client.meta.service_model

            def answer(request, event_name, service=service, **_):
                if event_name.endswith(f".{operation}"):
                    self.calls += 1
                    return refusal(service.protocol, request.url, code, status)
                return None

            client.meta.events.register("before-send", answer)


def test_a_refused_call_stops_it_cleanly_and_a_re_run_goes_on(connection, place, name):
    made, other = four(name, place), connect("local")
    Refusing(other, "AddPermission", "AccessDeniedException")
    with pytest.raises(DeployError) as stopped:
        deploy(made, other)
    message, hint = stopped.value.message, stopped.value.hint
    assert f"create permission {name}-dev-" in message.splitlines()[0]
    assert "AWS says AccessDeniedException: injected" in message
    assert f"create function {name}-dev-price" in message.partition("done: ")[2].partition("not done")[0]
    assert "create rule" in message.partition("not done: ")[2]
    assert "ask for the permission that AddPermission needs" in hint
    assert "running it again is safe" in hint
    deploy(made, connection)
    assert deploy(made, connection).changes == ()


def test_a_read_that_is_refused_changes_nothing(connection, place, name):
    other = connect("local")
    Refusing(other, "GetRole", "AccessDenied")
    with pytest.raises(AWSError, match="reading role .*: AWS says AccessDenied"):
        deploy(four(name, place), other)
    assert other.writes == []


def test_ctrl_c_lets_running_changes_end_and_starts_no_more(connection, place, name):
    made = four(name, place)
    started, once = [], threading.Lock()

    def interrupt(change, state):
        if state == "started":
            started.append(change.key)
        elif once.acquire(blocking=False):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted, match="^stopped") as stopped:
        deploy(made, connection, progress=interrupt)
    message, hint = stopped.value.message, stopped.value.hint
    assert "function" not in " ".join(started)
    assert f"create function {name}-dev-price" in message.partition("not done: ")[2]
    assert "not waited for" not in message
    assert "running it again is safe" in hint
    deploy(made, connection)
    engine.delete(made, connection)
    assert snapshot(connection, name) == {}


def test_a_second_ctrl_c_does_not_wait_for_what_is_being_changed(connection, name):
    made, once, go_on, seen = app(name, handler("price")), threading.Lock(), threading.Event(), []

    def see(*_):
        seen.append(True)
        raise KeyboardInterrupt

    def press_twice(change, state):
        for number in (1, 2) if once.acquire(blocking=False) else ():
            os.kill(os.getpid(), signal.SIGINT)
            while len(seen) < number:
                time.sleep(0.001)
        go_on.wait()

    planned, before = plan(made, connection), signal.signal(signal.SIGINT, see)
    try:
        with pytest.raises(Interrupted, match="not waited for: create ") as stopped:
            execute(planned, connection, press_twice)
    finally:
        go_on.set()
        signal.signal(signal.SIGINT, before)
    assert f"create function {name}-dev-price" in stopped.value.message.partition("not done: ")[2]


def test_a_conflict_that_does_not_end_is_given_up_after_the_total_time(connection, name):
    made = app(name, handler("price"))
    other = connect("local")
    calls = Refusing(other, "CreateFunction", "ResourceConflictException", 409)
    planned = engine.plan(made, packages(made), other)
    with pytest.raises(DeployError) as stopped:
        execute(planned, other, patience=0.0)
    assert calls.calls == 1
    assert "something else is changing it" in stopped.value.hint
    assert plan(made, connection).changes


def test_a_role_that_lambda_does_not_know_yet_is_waited_for(connection, name):
    """IAM is eventually consistent: Lambda says so in words."""
    other, seen = connect("local"), []
    client = other.client("lambda")

    def not_yet(request, **_):
        seen.append(request)
        if len(seen) < 3:
            answer = refusal("rest-json", request.url, "InvalidParameterValueException", 400)
            answer._content = b'{"message": "The role defined for the function cannot be assumed by Lambda."}'
            return answer
        return None

    client.meta.events.register("before-send.lambda.CreateFunction", not_yet)
    deploy(app(name, handler("price")), other)
    assert len(seen) == 3
