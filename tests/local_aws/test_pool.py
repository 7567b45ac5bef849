"""The pool of execution environments, with processes left out."""

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from nbchalice.aws.local.server.pool import Caller, TooManyWorkersError, WorkerPool
from nbchalice.aws.local.shared.spec import FunctionSpec, Runtime


class FakeLog:
    def close(self):
        pass


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


clock = Clock()


class FakeWorker:
    def __init__(self, spec):
        self.spec, self.busy, self.alive, self.log = spec, True, True, FakeLog()
        self.born = self.last_used = clock()

    def kill(self):
        self.alive = False

    interrupt = kill


RUNTIME = Runtime("python3.13", "python", "3.13.0", "")
SPEC = FunctionSpec("f", "1", "h", 1, 128, "1", RUNTIME, Path(), "", "g", "r", {})


@pytest.fixture
def pool():
    return WorkerPool(FakeWorker, per_function=2, total=3, clock=clock)


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
        clock.now += 10
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


@pytest.fixture
def wide():
    return WorkerPool(FakeWorker, per_function=4, total=10, clock=clock)


def begin(pool, spec, caller=Caller.EVENT):
    """A lease that goes on; returns what ends it."""
    lease = pool.lease(spec, caller)
    lease.__enter__()
    return lambda: lease.__exit__(None, None, None)


def serve(pool, specs, *, each=20, at_once=4):
    """The poller's rounds: each function has events, which run as far as they are admitted, and all end together."""
    left = [each] * len(specs)
    rounds = 0
    while any(left):
        running = []
        for number, spec in enumerate(specs):
            for _ in range(at_once):
                if left[number] and pool.admits(spec.key):
                    left[number] -= 1
                    running.append(begin(pool, spec))
        for end in running:
            end()
        clock.now += 0.01
        rounds += 1
        assert rounds < 10_000, f"nobody gets on: {left}"
    return rounds


@pytest.mark.parametrize("functions", [1, 2, 3, 4, 6, 10, 15, 20])
def test_an_environment_is_not_ended_while_its_function_has_events(wide, functions):
    serve(wide, [other(f"f{n}") for n in range(functions)])
    assert wide.evicted <= 10  # what the first had above their share, once
    assert wide.created <= wide.count() + wide.evicted
    assert wide.count() <= min(20, 10 + functions)


def test_more_functions_than_environments_take_turns(wide):
    """Far more: an environment goes to another function after a turn, not after each event."""
    specs = [other(f"f{n}") for n in range(30)]
    rounds = serve(wide, specs, each=100)
    assert wide.count() <= 20
    assert wide.created < rounds  # 3,000 events


def test_slow_functions_do_not_keep_a_quick_one_waiting(wide):
    slow = [begin(wide, other(name)) for name in "abc" for _ in range(4) if wide.admits(name)]
    assert len(slow) == 10
    assert wide.admits("quick")
    begin(wide, other("quick"))()
    assert wide.evicted == 0


def test_a_function_above_its_share_gives_way_to_one_below(wide):
    many = [begin(wide, other(name)) for name in "abc" for _ in range(4) if wide.admits(name)]
    late = other("late")
    many.append(begin(wide, late))  # its first one comes beside
    assert not wide.admits("late"), "all others are busy"
    many[0]()
    assert not wide.admits("a"), "it has more than its share, and late has less"
    assert wide.admits("late")
    many.append(begin(wide, late))
    assert wide.evicted == 1


def test_an_idle_environment_makes_room_only_when_it_was_not_wanted_for_a_while(pool):
    for name in "abc":
        begin(pool, other(name))()
        clock.now += 0.1
    begin(pool, other("d"))()
    assert (pool.evicted, pool.count()) == (0, 4)
    clock.now += 5
    begin(pool, other("e"))()
    assert pool.evicted == 1


def test_the_longest_idle_one_ends_and_not_one_that_is_wanted(pool):
    for name in "abc":
        begin(pool, other(name))()
        clock.now += 5
    pool.expect("a")
    kept = begin(pool, other("d"))
    assert sorted(worker.spec.key for worker in pool._workers) == ["a", "c", "d"]
    kept()


def test_only_as_many_events_are_admitted_as_there_are_environments(wide):
    """The poller may admit faster than threads begin: places are kept for what is on its way."""
    admitted = []
    for _ in range(20):
        for name in "abcdefg":
            if wide.admits(name):
                wide.expect(name)
                admitted.append(name)
    assert len(admitted) == 10 and set(admitted) == set("abcdefg")
    with contextlib.ExitStack() as running:
        for name in admitted:
            running.enter_context(wide.lease(other(name), expected=True))
        assert wide.count() == 10 and wide._expected == {}


def test_an_event_that_was_admitted_does_not_wait_for_itself(pool):
    for _ in range(2):
        assert pool.admits("f")
        pool.expect("f")
    with pool.lease(SPEC, expected=True), pool.lease(SPEC, expected=True):
        assert pool.count() == 2


def test_an_event_that_was_admitted_runs_though_others_came_meanwhile(wide):
    """Its message is received: where it waited now, it could come back as tried without having been."""

    def admit(names):
        admitted = []
        for name in names:
            if wide.admits(name):
                wide.expect(name)
                admitted.append(name)
        return admitted

    assert admit("aaaabbbbcc") == list("aaaabbbbcc")
    with ThreadPoolExecutor() as threads, contextlib.ExitStack() as running:
        running.callback(wide.close)
        for name in "aaabbbbcc":
            running.enter_context(wide.lease(other(name), expected=True))
        assert admit("dd") == ["d"]  # which wants a second one: the share of a is below four now
        running.enter_context(wide.lease(other("d"), expected=True))
        last = threads.submit(wide.lease(other("a"), expected=True).__enter__)
        assert last.result(60).spec.key == "a"


def test_idle_environments_of_many_functions_stay_few(pool):
    for number in range(50):
        begin(pool, other(f"f{number}"), Caller.PERSON if number % 2 else Caller.EVENT)()
        clock.now += 0.3
    assert pool.count() <= 6


def test_what_is_above_the_total_ends_when_nobody_wants_it_any_more(pool):
    for name in "abcde":
        begin(pool, other(name))()
    assert (pool.reap(300), pool.count()) == (0, 5)
    clock.now += 2
    assert (pool.reap(300), pool.count()) == (2, 3)
    assert [worker.spec.key for worker in pool._workers] == list("cde")


def test_a_direct_call_never_waits_for_idle_environments(pool):
    for number in range(6):
        begin(pool, other(f"f{number}"), Caller.PERSON)()
    with pool.lease(other("late"), Caller.PERSON):
        assert pool.count() <= 6
