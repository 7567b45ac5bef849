"""The pool of execution environments, with processes left out."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from nbchalice.aws.local.pool import Caller, TooManyWorkersError, WorkerPool
from nbchalice.aws.local.spec import FunctionSpec, Runtime


class FakeLog:
    def close(self):
        pass


class FakeWorker:
    def __init__(self, spec):
        self.spec, self.busy, self.last_used, self.alive, self.log = spec, True, 0.0, True, FakeLog()

    def kill(self):
        self.alive = False

    interrupt = kill


RUNTIME = Runtime("python3.13", "python", "3.13.0", "")
SPEC = FunctionSpec("f", "1", "h", 1, 128, "1", RUNTIME, Path(), "", "g", "r", {})


@pytest.fixture
def pool():
    return WorkerPool(FakeWorker, per_function=2, total=3)


def other(key):
    return replace(SPEC, key=key, fingerprint=key)


def test_a_free_environment_is_used_again(pool):
    with pool.lease(SPEC) as first:
        pass
    with pool.lease(SPEC) as second:
        assert second is first


def test_an_environment_that_died_is_not_used_again(pool):
    with pool.lease(SPEC) as first:
        first.kill()
    with pool.lease(SPEC) as second:
        assert second is not first


def test_events_wait_for_a_free_environment(pool):
    entered = threading.Event()

    def third():
        with pool.lease(SPEC):
            entered.set()

    with pool.lease(SPEC), pool.lease(SPEC):
        thread = threading.Thread(target=third)
        thread.start()
        assert not entered.wait(0.1)
    thread.join(30)
    assert entered.is_set()
    assert pool.count() == 2


def test_direct_calls_and_handlers_do_not_wait_for_events(pool):
    with pool.lease(SPEC), pool.lease(SPEC), pool.lease(SPEC, Caller.PERSON), pool.lease(SPEC, Caller.HANDLER):
        assert pool.count() == 4


def test_handlers_that_call_handlers_without_end_are_refused():
    pool = WorkerPool(FakeWorker, per_function=1, total=1)
    with pytest.raises(TooManyWorkersError):
        recurse(pool, 100)


def recurse(pool, depth):
    with pool.lease(SPEC, Caller.HANDLER):
        if depth:
            recurse(pool, depth - 1)


def test_the_environment_used_least_lately_makes_room_for_another_function(pool):
    leased = []
    for key in "abc":
        with pool.lease(other(key)) as worker:
            leased.append(worker)
    with pool.lease(other("d"), Caller.PERSON):
        assert pool.count() == 3
    assert [worker.alive for worker in leased] == [False, True, True]


def test_outdated_environments_never_block_new_code(pool):
    for fingerprint in ("1", "2", "3", "4"):
        spec = replace(SPEC, fingerprint=fingerprint)
        with pool.lease(spec), pool.lease(spec):
            pass
    assert pool.count() == 2


def test_a_changed_function_lets_a_running_invocation_finish(pool):
    with pool.lease(SPEC) as worker:
        pool.discard(lambda key: key == "f")
        assert worker.alive
    assert not worker.alive
    assert pool.count() == 0


def test_idle_environments_are_reaped(pool):
    with pool.lease(SPEC), pool.lease(SPEC):
        assert pool.reap(0) == 0
    assert pool.reap(3600) == 0
    assert pool.reap(-1) == 2


def test_a_closed_pool_lends_nothing_and_wakes_who_waits(pool):
    failures = []

    def wait():
        try:
            with pool.lease(SPEC):
                pass
        except TooManyWorkersError as error:
            failures.append(error)

    with pool.lease(SPEC), pool.lease(SPEC):
        thread = threading.Thread(target=wait)
        thread.start()
        pool.close()
        thread.join(30)
    assert len(failures) == 1
