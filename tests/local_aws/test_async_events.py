"""The queue of asynchronous events, with handlers left out."""

import threading
import time

from nbchalice.aws.local.server.async_events import AsyncEvent, AsyncEventQueue, Attempt, Delivery


class Function:
    """Answers as told, one answer an attempt, and the last one for all further ones."""

    def __init__(self, *answers, retries=2, age=3600.0, width=2):
        self.answers, self.attempts, self.given_up = list(answers), [], []
        self.running = self.most_running = 0
        self.lock, self.hold = threading.Lock(), threading.Event()
        self.hold.set()
        self.queue = AsyncEventQueue(
            self.deliver, self.given_up.append, lambda arn: (retries, age), (0.01, 0.02), width
        )

    def deliver(self, event):
        with self.lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            self.attempts.append((event.request_id, event.attempt))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.hold.wait(60)
        with self.lock:
            self.running -= 1
        if isinstance(answer, Exception):
            raise answer
        return Attempt(answer, {"errorMessage": f"attempt {event.attempt}"})

    def submit(self, *names, **options):
        for name in names:
            self.queue.submit(AsyncEvent("arn", {}, name, **options))


def test_a_success_is_delivered_once(eventually):
    function = Function(Delivery.DONE)
    function.submit("a")
    eventually(lambda: not function.queue.pending())
    assert function.attempts == [("a", 1)]


def test_errors_are_retried_and_then_given_up(eventually):
    function = Function(Delivery.FAILED)
    function.submit("a")
    eventually(lambda: function.given_up)
    assert function.attempts == [("a", 1), ("a", 2), ("a", 3)]
    (event,) = function.given_up
    assert (event.attempt, event.condition, event.error) == (3, "RetriesExhausted", {"errorMessage": "attempt 3"})


def test_throttling_costs_no_attempt(eventually):
    function = Function(Delivery.THROTTLED, Delivery.THROTTLED, Delivery.THROTTLED, Delivery.FAILED, Delivery.DONE)
    function.submit("a")
    eventually(lambda: not function.queue.pending())
    assert function.attempts == [("a", 1)] * 4 + [("a", 2)]
    assert not function.given_up


def test_an_old_event_is_given_up():
    function = Function(Delivery.THROTTLED, age=60)
    function.submit("a", accepted=time.time() - 120)
    deadline = time.monotonic() + 60
    while not function.given_up:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert function.attempts == [("a", 1)]
    assert function.given_up[0].condition == "EventAgeExceeded"


def test_a_burst_runs_a_few_at_a_time(eventually):
    function = Function(Delivery.DONE, width=3)
    function.submit(*[f"e{number}" for number in range(300)])
    eventually(lambda: len(function.attempts) == 300)
    assert {name for name, _ in function.attempts} == {f"e{number}" for number in range(300)}
    assert function.most_running <= 3


def test_a_fault_of_the_server_counts_as_a_failed_attempt(eventually):
    function = Function(OSError("broken"), Delivery.DONE, width=1)
    function.submit("a", "b")
    eventually(lambda: {("a", 2), ("b", 1)} <= set(function.attempts))


def test_what_is_pending_can_be_restored(eventually):
    function = Function(Delivery.DONE, width=1)
    function.hold.clear()
    function.submit("a", "b", "c")
    eventually(lambda: function.attempts)
    pending = function.queue.pending()
    assert sorted(event["request_id"] for event in pending) == ["a", "b", "c"]
    function.hold.set()
    again = Function(Delivery.DONE)
    again.queue.restore(pending)
    eventually(lambda: len(again.attempts) == 3)


def test_an_event_of_a_deleted_function_is_dropped(eventually):
    function = Function(Delivery.NO_FUNCTION)
    function.submit("a")
    eventually(lambda: not function.queue.pending())
    assert not function.given_up
