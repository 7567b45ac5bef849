"""Whatever happens at whichever call of a deploy, edit or delete: one re-run, and AWS is as if nothing had happened."""

import difflib
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from nbchalice.aws.repeats import READS
from nbchalice.deploy import engine
from nbchalice.deploy.desired import desired
from nbchalice.errors import NbChaliceError
from nbchalice.resources.permission import Permission, statement_id
from nbchalice.sources import SOURCES

from ..tables import table_with_stream
from .harness import Foreign, app, comparable, deploy, handler, package, s3, schedule, snapshot, sns, sqs, unique
from .injection import KINDS, Injector, Killed, disturbed_connection

WORKERS = 3
# A poll is repeated as often as Lambda needs; only the first ones can be told to come in every run.
POLL, MOST_POLLS = "GetFunctionConfiguration", 1
# Of the pairs of a call and what happens there one in so many, each call and each kind among them; `make test-all`: all.
SHARE = int(os.environ.get("NBCHALICE_CRASH_SHARE", "5"))


class Place(Foreign):
    """Queue, topic and bucket of the user's, and a stream and a table too."""

    def __init__(self, aws, name):
        super().__init__(aws, name)
        aws.client("kinesis").create_stream(StreamName=name, ShardCount=1)
        table = table_with_stream(aws.client("dynamodb"), name)
        self.table_stream = table["LatestStreamArn"]


def first_app(name, place):
    stream = {"starting_position": "LATEST"}
    return app(
        name,
        handler(
            "a",
            schedule(),
            s3(place.bucket, prefix="a/"),
            sqs(place.queue, batch_size=5, maximum_concurrency=3),
            ("on_cw_event", {"event_pattern": {"source": ["shop"]}}),
            env={"AB": "1"},
        ),
        handler(
            "b",
            sns(place.topic, filter_policy={"kind": ["new"]}),
            schedule("cron(0 9 ? * MON-FRI *)", timezone="Europe/Vienna"),
            ("on_kinesis_record", {"stream": place.queue, **stream}),
            ("on_dynamodb_record", {"stream_arn": place.table_stream, **stream}),
            ("lambda_function", {}),
            reserved_concurrency=2,
            dlq=f"{place.queue}-other",
        ),
    )


def edited_app(name, place):
    """Code, settings and triggers changed; two triggers gone; one handler gone and another come."""
    return app(
        name,
        handler(
            "a",
            schedule("rate(1 hour)"),
            sqs(place.queue, batch_size=2),
            ("on_cw_event", {"event_pattern": {"source": ["shop", "bank"]}}),
            log_retention=7,
            tag={"team": "x"},
        ),
        handler("c", s3(place.bucket, prefix="a/"), sns(place.topic)),
    )


class Worker:
    """One disturbed connection, its own user's place, and the state of AWS after each undisturbed operation."""

    def __init__(self, server, connection):
        self.injector = Injector()
        self.plain = connection
        self.name = unique("crash")
        self.place = Place(connection, unique("crashplace"))
        self.injector.names = {
            **self.statement_ids(),
            self.place.table_stream: "TABLE-STREAM",
            quote(self.place.table_stream, safe=""): "TABLE-STREAM",
            self.name: "APP",
            self.place.bucket: "PLACE",
        }
        self.aws = disturbed_connection(server, connection, self.injector, 1)
        self.patient = disturbed_connection(server, connection, self.injector, 5)
        self.cases, self.outcomes, self.failures = 0, Counter(), []

    def statement_ids(self):
        """The ids of the permissions; they are hashes of names."""
        made = [first_app(self.name, self.place), edited_app(self.name, self.place)]
        wanted = [
            r for one in made for r in desired(one, {h.name: package() for h in one.handlers}, self.plain).values()
        ]
        found = [r for r in wanted if isinstance(r, Permission)]
        tidy = [r.source_arn.replace(self.name, "").replace(self.place.bucket, "") for r in found]
        return {
            statement_id(r.principal, r.source_arn): f"SID {r.principal} {arn}"
            for r, arn in zip(found, tidy, strict=True)
        }

    def operations(self):
        first, edited = first_app(self.name, self.place), edited_app(self.name, self.place)
        return {
            "deploy": lambda aws: deploy(first, aws),
            "edit": lambda aws: deploy(edited, aws, code={"a": "2"}, prune=True),
            "delete": lambda aws: engine.delete(edited, aws),
        }

    def snapshot(self):
        return comparable(snapshot(self.plain, self.name, self.place))

    def learn(self):
        """Run undisturbed; remember the calls of each operation and the state after it."""
        self.after, self.reads, self.writes = {}, {}, {}
        for _ in range(2):
            for what, operation in self.operations().items():
                self.injector.arm(None, None)
                operation(self.aws)
                order = self.injector.order
                began = next(i for i, label in enumerate(order) if not label[0].startswith(READS))
                self.reads[what] = order[:began]
                self.writes[what] = [label for label in order[began:] if label[0] != POLL or label[2] <= MOST_POLLS]
                self.after[what] = self.snapshot()

    def disturb(self, what, label, kind):
        """Run an operation with one call disturbed; return how many writes there were."""
        self.injector.arm(label, kind)
        self.cases += 1
        aws = self.patient if kind == KINDS[-1] else self.aws
        try:
            self.operations()[what](aws)
            outcome = "recovered by itself"
        except (NbChaliceError, Killed):
            outcome = "stopped"
        if not self.injector.hit:
            outcome = "call did not come"
        self.outcomes[outcome] += 1
        written = self.injector.writes
        self.injector.arm(None, None)
        return written

    def check(self, what, label, kind):
        """Disturb, run once more, compare."""
        self.disturb(what, label, kind)
        self.operations()[what](self.plain)
        if (found := self.snapshot()) != self.after[what]:
            self.failures.append((what, label, kind, self.after[what], found))
            self.operations()[what](self.plain)


@pytest.fixture(scope="module")
def workers(local_aws):
    from botocore.retries.standard import ExponentialBackoff

    from nbchalice.aws.target import connect

    patch = pytest.MonkeyPatch()
    patch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0)
    with ThreadPoolExecutor(WORKERS) as pool:
        made = list(pool.map(lambda _: Worker(local_aws, connect("local")), range(WORKERS)))
        list(pool.map(Worker.learn, made))
    yield made
    patch.undo()


def test_every_source_takes_part(workers):
    apps = [first_app("a", workers[0].place), edited_app("a", workers[0].place)]
    assert {trigger.source for one in apps for h in one.handlers for trigger in h.triggers} == set(SOURCES)


def test_the_snapshot_sees_each_resource_that_a_delete_removes(workers):
    """Else a `delete` that does nothing would pass; a new kind of resource is looked at in harness.snapshot."""
    worker = workers[0]
    first = first_app(worker.name, worker.place)
    deploy(first, worker.plain)
    standing, unseen, kinds = worker.snapshot(), [], set()
    for change in engine.plan_delete(first, worker.plain).changes:
        if (current := change.resource.read(worker.plain)) is None:
            continue  # a permission is gone with its function
        change.resource.delete(worker.plain, current)
        before, standing = standing, worker.snapshot()
        kinds.add(change.resource.kind)
        unseen += [change.key] if standing == before else []
    assert not unseen, "deleted, and the snapshot is the same: let delete remove it, and harness.snapshot look at it"
    made = desired(first, {h.name: package() for h in first.handlers}, worker.plain).values()
    left = {one.kind for one in made} - kinds
    assert left == USERS, "no delete removed these: name what is the user's in USERS"
    worker.operations()["delete"](worker.plain)
    assert worker.snapshot() == worker.after["delete"]


# What a deploy makes on the local AWS only, for the user; and what stands only with --on-failure.
USERS = {"bucket", "topic", "queue", "stream", "event invoke config"}


def shared_out(workers, jobs, run):
    """Let the workers take jobs from one list."""
    left = iter(list(jobs))
    lock = workers[0].injector.lock

    def work(worker):
        while True:
            with lock:
                job = next(left, None)
            if job is None:
                return
            run(worker, *job)

    with ThreadPoolExecutor(len(workers)) as pool:
        list(pool.map(work, workers))


def difference(expected, found):
    """The lines in which two snapshots differ."""
    lines = difflib.unified_diff(expected.splitlines(), found.splitlines(), n=0, lineterm="")
    return [f"    {line}" for line in lines if not line.startswith(("---", "+++", "@@"))][:30]


def report(workers, what, capsys):
    cases = sum(worker.cases for worker in workers)
    outcomes = sum((worker.outcomes for worker in workers), Counter())
    with capsys.disabled():
        counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
        print(f"\n{what}: {cases} cases ({counts})")
    failures = [failure for worker in workers for failure in worker.failures]
    for worker in workers:
        worker.cases, worker.outcomes, worker.failures = 0, Counter(), []
    summary = "\n".join(
        "\n".join([f"{op}: {label[0]} {kind}", *difference(expected, found)])
        for op, label, kind, expected, found in failures
    )
    assert not failures, f"{len(failures)} of {cases}:\n{summary}"


@pytest.mark.timeout(1200)
def test_a_disturbed_read_before_the_first_write_changes_nothing(workers, capsys):
    def run(worker, what, label, kind):
        if worker.disturb(what, label, kind):
            # Botocore repeated the read, and the operation went on.
            worker.operations()[what](worker.plain)
            if worker.snapshot() != worker.after[what]:
                worker.failures.append((what, label, kind, worker.after[what], worker.snapshot()))

    for what in ("deploy", "edit", "delete"):
        jobs = [(what, label, kind) for label in workers[0].reads[what] for kind in KINDS[:-1]]
        shared_out(workers, jobs, run)
        for worker in workers:
            worker.operations()[what](worker.plain)
            assert worker.snapshot() == worker.after[what]
    report(workers, "reads", capsys)


@pytest.mark.timeout(1200)
def test_one_re_run_after_any_disturbed_call_is_enough(workers, capsys):
    labels = workers[0].writes
    rounds = max(map(len, labels.values()))
    pairs = [(number, place) for number in range(rounds) for place in range(len(KINDS))]
    jobs = [(number, KINDS[place]) for number, place in pairs if (number + place) % SHARE == 0]

    def run(worker, number, kind):
        for what in ("deploy", "edit", "delete"):
            if number < len(labels[what]):
                worker.check(what, labels[what][number], kind)
            else:
                worker.operations()[what](worker.plain)

    shared_out(workers, jobs, run)
    report(workers, "calls from the first write on", capsys)
