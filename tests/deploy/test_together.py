"""Two processes that deploy at the same time lose nothing."""

import multiprocessing
import re
import threading
from collections import Counter

import pytest

from nbchalice.aws.target import connect
from nbchalice.deploy import engine
from nbchalice.errors import DeployError
from nbchalice.resources import function
from nbchalice.resources.bucket import BucketNotifications
from nbchalice.resources.log_group import LogGroup

from .harness import app, deploy, handler, kinds, s3, snapshot, sns, sqs
from .injection import disturbed_connection

ROUNDS = 4


def one_of(name, place, number):
    """An app with its own prefix on the common bucket, its own queue, and the common topic."""
    return app(
        f"{name}{number}",
        handler("ingest", s3(place.bucket, prefix=f"{number}/")),
        handler("more", s3(place.bucket, prefix=f"more-{number}/")),
        handler("announce", sns(place.topic)),
        handler("price", sqs(f"{place.queue}-{number}")),
    )


def work(made, start, failures):
    from nbchalice.aws.target import connect

    try:
        aws = connect("local")
        for number in range(ROUNDS):
            start.wait()
            deploy(made, aws, code=str(number))
            assert deploy(made, aws, code=str(number)).changes == ()
            if number < ROUNDS - 1:
                start.wait()
                engine.delete(made, aws)
    except BaseException as error:
        start.abort()
        failures.put(repr(error))
        raise


def entries(aws, place, text):
    found = aws.client("s3").get_bucket_notification_configuration(Bucket=place.bucket)
    return [e for e in found["LambdaFunctionConfigurations"] if text in e["LambdaFunctionArn"]]


def test_two_processes_on_one_bucket_lose_nothing(connection, place, name):
    before = snapshot(connection, name, place)[f"place {place.bucket}"]["notification"]
    made = [one_of(name, place, number) for number in (1, 2)]
    fork = multiprocessing.get_context("spawn")
    start, failures = fork.Barrier(2), fork.Queue()
    processes = [fork.Process(target=work, args=(one, start, failures)) for one in made]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0], failures.get()
    assert len(entries(connection, place, name)) == 4
    for one in made:
        assert deploy(one, connection, code=str(ROUNDS - 1)).changes == ()
        engine.delete(one, connection)
    assert snapshot(connection, name, place)[f"place {place.bucket}"]["notification"] == before


def test_an_entry_of_another_writer_between_read_and_put_is_not_lost_for_good(connection, place, name, monkeypatch):
    """Another machine holds no lock of ours: what its put undid is put again, at the latest at the end of the deploy."""
    made = app(name, handler("ingest", s3(place.bucket, prefix="in/")))
    without_ours = connection.client("s3").get_bucket_notification_configuration(Bucket=place.bucket)
    del without_ours["ResponseMetadata"]
    without_ours["EventBridgeConfiguration"] = {}
    overwritten = threading.Event()
    write = BucketNotifications.write

    def write_and_be_overwritten(self, aws, current):
        write(self, aws, current)
        if not overwritten.is_set():
            overwritten.set()
            connection.client("s3").put_bucket_notification_configuration(
                Bucket=place.bucket, NotificationConfiguration=without_ours
            )

    monkeypatch.setattr(BucketNotifications, "write", write_and_be_overwritten)
    deploy(made, connection)
    assert overwritten.is_set()
    assert len(entries(connection, place, name)) == 1


def test_a_function_that_is_deleted_while_it_is_made_is_told_as_that(connection, place, name, monkeypatch):
    made, wait = app(name, handler("price", sqs(place.queue))), function.wait_until_ready

    def delete_and_wait(client, named, told=None):
        client.delete_function(FunctionName=named)
        return wait(client, named)

    with monkeypatch.context() as other, pytest.raises(DeployError) as stopped:
        other.setattr(function, "wait_until_ready", delete_and_wait)
        deploy(made, connection)
    text = f"create function {name}-dev-price: function {name}-dev-price was deleted meanwhile"
    assert stopped.value.message.splitlines()[0] == text
    assert stopped.value.hint.startswith("see who else deploys or deletes this app now; running it again is safe")
    deploy(made, connection)
    assert deploy(made, connection).changes == ()


def test_a_log_group_that_goes_while_it_is_read_is_gone(connection, place, name, monkeypatch):
    made, read_tags, raced = app(name, handler("price", sqs(place.queue))), LogGroup.read_tags, []

    def delete_and_read(self, aws, current):
        if not raced:
            raced.append(self.name)
            connection.client("logs").delete_log_group(logGroupName=self.name)
        return read_tags(self, aws, current)

    deploy(made, connection)
    connection.client("lambda").delete_function(FunctionName=f"{name}-dev-price")
    monkeypatch.setattr(LogGroup, "read_tags", delete_and_read)
    assert ("create", "log group") in kinds(deploy(made, connection).changes)
    raced.clear()
    engine.delete(made, connection)
    assert raced and snapshot(connection, name) == {}


def test_what_others_wrote_after_the_plan_was_made_stays(connection, place, name):
    client, late = connection.client("s3"), threading.Event()

    def write_late(change, state):
        if not late.is_set():
            late.set()
            found = client.get_bucket_notification_configuration(Bucket=place.bucket)
            del found["ResponseMetadata"]
            found["QueueConfigurations"][0]["Id"] = "late"
            client.put_bucket_notification_configuration(Bucket=place.bucket, NotificationConfiguration=found)

    deploy(app(name, handler("ingest", s3(place.bucket, prefix="in/"))), connection, progress=write_late)
    found = client.get_bucket_notification_configuration(Bucket=place.bucket)
    assert found["QueueConfigurations"][0]["Id"] == "late"
    assert len(entries(connection, place, name)) == 1


def test_two_deploys_of_one_app_at_the_same_time_end_with_one_app(connection, place, name):
    from nbchalice.aws.target import connect

    made = one_of(name, place, 1)
    deploys = [threading.Thread(target=deploy, args=(made, connect("local"))) for _ in range(2)]
    for thread in deploys:
        thread.start()
    for thread in deploys:
        thread.join()
    assert deploy(made, connection).changes == ()
    assert len(entries(connection, place, name)) == 2
    engine.delete(made, connection)
    assert snapshot(connection, f"{name}1") == {}


class Gathering:
    """A connection whose changes of functions' policies wait a moment for others of the same function."""

    def __init__(self, local_aws):
        self.lock, self.under_way, self.met = threading.Lock(), Counter(), threading.Event()
        self.most = Counter()
        self.aws = disturbed_connection(local_aws, connect("local"), self, 1)

    def before_send(self, client, request, event_name):
        if event_name.rpartition(".")[2] not in {"AddPermission", "RemovePermission"}:
            return None
        function = re.search(r"functions/([^/]+)/policy", request.url)[1]
        with self.lock:
            self.under_way[function] += 1
            self.most[function] = max(self.most[function], self.under_way[function])
            if self.under_way[function] > 1:
                self.met.set()
        self.met.wait(0.1)
        try:
            answer = client._endpoint.http_session.send(request)
        finally:
            with self.lock:
                self.under_way[function] -= 1
        return answer


def test_one_functions_policy_is_changed_by_one_call_at_a_time(local_aws, connection, name):
    """Lambda may lose one of two statements that are added at once."""
    topics = [sns(f"{name}-{number}") for number in range(3)]
    made = app(name, handler("announce", *topics), handler("web", ("lambda_function", {"url": "public"})))
    gathering = Gathering(local_aws)
    deploy(made, gathering.aws)
    deploy(app(name, handler("announce", topics[0])), gathering.aws, prune=True)
    assert set(gathering.most) == {f"{name}-dev-announce", f"{name}-dev-web"}
    assert set(gathering.most.values()) == {1}
    engine.delete(made, connection)
