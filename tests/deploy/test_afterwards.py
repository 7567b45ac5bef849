"""What Lambda goes on making after it has answered is waited for, and told where it takes too long.

The local AWS makes a mapping at once, so that Lambda's answers ("Creating", then "Enabled") are put into its own.
"""

from functools import partial

import pytest

from nbchalice.deploy import afterwards, engine
from nbchalice.errors import Interrupted

from .harness import app, deploy, handler, packages, plan, sqs

LOST = "what is sent before that is not read, as it begins at LATEST"


@pytest.fixture
def slow(connection):
    """``slow(name, "Creating", 2)``: from when it is made on, the mapping of an app is in a state for so many looks."""
    client, undo = connection.client("lambda"), []

    def make(name, state, looks, *, begun=False, then=lambda look: None):
        seen = {"begun": begun, "looks": 0}

        def answer(parsed, model, **_):
            listed = [*parsed.get("EventSourceMappings", []), parsed]
            own = [one for one in listed if f":{name}-dev-" in one.get("FunctionArn", "")]
            if model.name == "CreateEventSourceMapping" and own:
                seen["begun"] = True
            elif model.name == "ListEventSourceMappings" and own and seen["begun"]:
                seen["looks"] += 1
                then(seen["looks"])
                for mapping in own if seen["looks"] <= looks else ():
                    mapping["State"] = state

        client.meta.events.register("after-call.lambda", answer)
        undo.append(answer)

    yield make
    for one in undo:
        client.meta.events.unregister("after-call.lambda", one)


@pytest.fixture
def impatient(monkeypatch):
    """``impatient(0.3)``: a deploy waits so many seconds."""
    return lambda patience: monkeypatch.setattr(
        engine, "until_ready", partial(afterwards.until_ready, patience=patience)
    )


def streaming(name, position="LATEST"):
    return app(name, handler("count", ("on_kinesis_record", {"stream": name, "starting_position": position})))


class Watch(list):
    def __call__(self, change, state):
        self.append((change.resource.kind, state))

    @property
    def of_mapping(self):
        return [state for kind, state in self if kind == "event source mapping"]


def test_a_deploy_waits_until_the_mapping_is_at_work(connection, name, slow):
    slow(name, "Creating", 3)
    watch = Watch()
    done = deploy(streaming(name), connection, progress=watch)
    assert watch.of_mapping == ["started", "done", "waiting", "done"]
    assert not [note for note in done.plan.notes if "not ready" in note]


def test_what_is_not_at_work_in_time_is_told_with_what_is_lost(connection, name, slow, impatient):
    slow(name, "Creating", 1_000_000)
    impatient(0.3)
    made = streaming(name)
    (told,) = [note for note in deploy(made, connection).plan.notes if "not ready" in note]
    assert (
        told == f"event source mapping stream/{name} -> {name}-dev-count is not ready yet (it is creating), and {LOST}"
    )
    again = plan(made, connection)
    assert again.changes == () and told in again.notes
    assert told in engine.status(made, packages(made), connection).notes
    # There was no change to wait for.
    assert [note for note in deploy(made, connection).plan.notes if "not ready" in note] == [told]


def test_nothing_is_lost_of_a_stream_that_is_read_from_its_beginning_or_of_a_queue(
    connection, name, place, slow, impatient
):
    impatient(0.0)
    slow(name, "Creating", 1_000_000)
    made = app(name, *streaming(name, "TRIM_HORIZON").handlers, handler("price", sqs(place.queue)))
    told = [note for note in deploy(made, connection).plan.notes if "not ready" in note]
    assert len(told) == 2 and not any(LOST in note for note in told)


def test_a_changed_mapping_is_waited_for_too(connection, name, place, slow):
    deploy(app(name, handler("price", sqs(place.queue))), connection)
    slow(name, "Updating", 3, begun=True)
    watch = Watch()
    # The first look is the plan's own.
    deploy(app(name, handler("price", sqs(place.queue, batch_size=7))), connection, progress=watch)
    assert watch.of_mapping == ["started", "done", "waiting", "done"]


def test_who_stops_waiting_is_told_what_was_not_waited_for(connection, name, slow):
    def stop(look):
        if look > 2:  # The first is that of the one who made it.
            raise KeyboardInterrupt

    slow(name, "Creating", 1_000_000, then=stop)
    with pytest.raises(
        Interrupted, match="all was deployed; it was not waited until AWS has made event source mapping"
    ):
        deploy(streaming(name), connection)
