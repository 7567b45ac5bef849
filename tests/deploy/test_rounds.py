"""A deploy that has nothing to do asks AWS at most twice one after another."""

import threading

from .harness import app, deploy, four, handler, packages, plan, s3, schedule
from .injection import Injector, disturbed_connection

QUIET_SECONDS = 1.0


class Gate(Injector):
    """Holds every call back until no more come; what waits together is one round."""

    def __init__(self):
        super().__init__()
        self.open = True
        self.arrived = threading.Condition()
        self.rounds, self.waiting = [], []

    def before_send(self, client, request, event_name):
        if not self.open:
            passed = threading.Event()
            with self.arrived:
                self.waiting.append((event_name, passed))
                self.arrived.notify()
            passed.wait()

    def run(self, operation):
        """Run an operation; return the calls of each round."""
        self.open, self.rounds = False, []
        thread = threading.Thread(target=operation)
        thread.start()
        while thread.is_alive():
            with self.arrived:
                # Let go when nothing has come for a while.
                while self.arrived.wait(QUIET_SECONDS):
                    pass
                held, self.waiting = self.waiting, []
            if held:
                self.rounds.append([name for name, _ in held])
            for _, passed in held:
                passed.set()
        self.open = True
        return self.rounds


def test_nothing_to_do_takes_at_most_two_rounds_of_reads(local_aws, connection, place, name):
    gate = Gate()
    aws = disturbed_connection(local_aws, connection, gate, 1)
    made = app(
        name,
        *four(name, place).handlers,
        handler("more", schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna"), s3(place.bucket, prefix="more/")),
    )
    deploy(made, aws)
    rounds = gate.run(lambda: deploy(made, aws))
    assert len(rounds) <= 2, rounds
    assert plan(made, connection).changes == ()


def test_packages_are_built_while_aws_is_being_read(connection, place, name):
    from nbchalice.deploy import engine

    made = four(name, place)
    deploy(made, connection)
    before, build = len(connection.calls), packages(made)
    seen = threading.Event()
    connection.client("lambda").meta.events.register("before-call", lambda **_: seen.set())

    def build_late():
        assert seen.wait(60), "nothing was read until the packages were built"
        return build()

    assert engine.plan(made, build_late, connection).changes == ()
    assert len(connection.calls) > before
