"""What a deploy says of an event source that is gone, that fails, that disagrees, or whose service is not there."""

from dataclasses import dataclass

import pytest

from nbchalice.deploy import engine
from nbchalice.errors import AWSError, NbChaliceError, ProblemsError
from nbchalice.resources.base import Resource, or_missing
from nbchalice.resources.permission import Permission, is_ours, principal_of, read_policy
from nbchalice.sources import BUILT_IN
from nbchalice.sources.sns import SNS

from .harness import app, deploy, handler, packages, plan, sns, sqs

SERVICE = "beams.amazonaws.com"


@dataclass(frozen=True)
class Lamp(Resource):
    """Stands for what only this source knows; it is kept as a queue."""

    kind = "lamp"
    lamp: str
    colour: str = ""

    @property
    def name(self):
        return self.lamp

    def read(self, aws):
        with or_missing():
            return aws.client("sqs").get_queue_url(QueueName=self.lamp)
        return None

    def differences(self, current):
        return []

    def write(self, aws, current):
        aws.client("sqs").create_queue(QueueName=self.lamp)

    def delete(self, aws, current):
        with or_missing():
            aws.client("sqs").delete_queue(QueueUrl=current["QueueUrl"])


class Beams(SNS):
    """A source of somebody else's."""

    name = "on_beam"
    title = "Beams"

    def resources(self, options, function):
        arn = function.arn_of("beams", f"lamp/{options['topic']}")
        return [Lamp(options["topic"], options.get("colour", "")), Permission(function, SERVICE, arn)]

    def clash(self, one, other, *, same_function):
        return None

    def problems(self, options):
        return []

    def local_resources(self, options, function):
        return []

    def attached(self, function, policy, mappings):
        arns = [one["Condition"]["ArnLike"]["AWS:SourceArn"] for one in policy if principal_of(one) == SERVICE]
        return [Lamp(arn.rpartition("/")[2]) for arn in arns]


@pytest.fixture
def beams(monkeypatch):
    """``beams(Beams)`` installs the source, ``beams(None)`` uninstalls it."""

    def install(source):
        if source is None:
            monkeypatch.delitem(BUILT_IN, "on_beam")
        else:
            monkeypatch.setitem(BUILT_IN, "on_beam", source())

    return install


def beam(lamp, **options):
    return "on_beam", {"topic": lamp, **options}


def principals(connection, name):
    return {principal_of(one) for one in read_policy(connection, name) if is_ours(one)}


def test_a_permission_of_a_source_that_is_gone_is_named_and_stays(connection, name, beams):
    beams(Beams)
    before, after = (app(name, handler("mail", trigger)) for trigger in (beam(name), sns(f"{name}t")))
    deploy(before, connection)
    beams(None)
    planned = plan(after, connection)
    (note,) = planned.notes
    arn = f"arn:aws:beams:us-east-1:000000000000:lamp/{name}"
    assert note == (
        f"mail: the permission of {SERVICE} to invoke it for {arn} was made by an event source that no installed package "
        "has; it stays, with what that source made besides: install its package and deploy again to remove both"
    )
    assert not [change for change in planned.changes if change.action == "delete"]
    deploy(after, connection)
    assert principals(connection, f"{name}-dev-mail") == {SERVICE, "sns.amazonaws.com"}
    # With the package it all goes.
    beams(Beams)
    gone = {change.resource.kind for change in deploy(after, connection).changes if change.action == "delete"}
    assert gone == {"lamp", "permission"}
    assert Lamp(name).read(connection) is None
    assert plan(after, connection).changes == plan(after, connection).notes == ()


@pytest.mark.parametrize("prune", [False, True])
def test_a_delete_names_what_it_cannot_know_of(connection, name, beams, prune):
    beams(Beams)
    both = app(name, handler("mail", beam(name)), handler("price", sqs(name + "q")))
    deploy(both, connection)
    beams(None)
    left = app(name, handler("price", sqs(name + "q")))
    made = deploy(left, connection, prune=True).plan if prune else engine.delete(left, connection).plan
    (note,) = [one for one in made.notes if SERVICE in one]
    assert f"mail: the permission of {SERVICE} to invoke it for arn:aws:beams:" in note
    assert "stays on AWS: install its package first, or remove it by hand" in note
    assert Lamp(name).read(connection) is not None


def test_permissions_of_sources_that_are_there_are_no_strangers(connection, name, place):
    from .harness import four

    deploy(four(name, place), connection)
    told = plan(four(name, place), connection).notes + engine.delete(four(name, place), connection).plan.notes
    assert [note for note in told if "permission" in note] == []


def test_two_triggers_that_want_one_thing_in_two_ways_are_refused(connection, name, beams):
    beams(Beams)
    one, other = handler("red", beam(name, colour="red")), handler("blue", beam(name, colour="blue"))
    made = app(name, one, other)
    with pytest.raises(NbChaliceError) as caught:
        plan(made, connection)
    message = caught.value.message
    assert message == (
        f"red (topic {name}) and blue (topic {name}) want lamp {name} in two ways: colour 'red' and 'blue'"
    )
    alike = app(name, one, handler("blue", beam(name, colour="red")))
    assert [c.resource.name for c in plan(alike, connection).changes if c.resource.kind == "lamp"] == [name]
    both = app(name, handler("red", beam(name, colour="red"), beam(name, colour="blue")))
    with pytest.raises(NbChaliceError, match="want lamp .* in two ways"):
        plan(both, connection)
    status = engine.status(made, packages(made), connection)
    assert any("want lamp" in note for note in status.notes)


def test_a_merge_makes_one_of_two(connection, name, beams):
    class Mixing(Lamp):
        def merge(self, other):
            return Mixing(self.lamp, self.colour + other.colour)

    class MixedBeams(Beams):
        def resources(self, options, function):
            return [Mixing(options["topic"], options["colour"])]

    beams(MixedBeams)
    made = app(name, handler("a", beam(name, colour="red")), handler("b", beam(name, colour="blue")))
    (lamp,) = [change.resource for change in plan(made, connection).changes if change.resource.kind == "lamp"]
    assert lamp.colour == "redblue"


def test_a_service_that_the_local_aws_has_not_got_is_told_in_one_line(connection, name, beams):
    class Elsewhere(Beams):
        on_local_aws = False

        def resources(self, options, function):
            return [Absent(options["topic"])]

        def preflight(self, aws, options, function):
            return aws.client("codecommit").get_repository(repositoryName="x")

        competing_consumers = preflight

    class Absent(Lamp):
        def read(self, aws):
            raise AssertionError("the local AWS is asked for it")

    beams(Elsewhere)
    made = app(name, handler("mail", beam(name)))
    planned = plan(made, connection)
    assert planned.notes == (
        f"mail: topic {name} is not made, as the local AWS has no Beams; send invokes the function with the event",
    )
    assert "lamp" not in {change.resource.kind for change in planned.changes}
    deploy(made, connection)
    assert plan(made, connection).changes == ()
    status = engine.status(made, packages(made), connection)
    assert [one.state for one in status.handlers] == ["deployed"]


def asks(error):
    class Asking(Beams):
        def preflight(self, aws, options, function):
            raise error

    return Asking


def test_a_fault_of_a_source_is_told_as_its_own(connection, name, beams):
    beams(asks(KeyError("colour")))
    with pytest.raises(NbChaliceError) as caught:
        plan(app(name, handler("mail", beam(name))), connection)
    error = caught.value
    assert not isinstance(error, AWSError | ProblemsError) and error.code == "code-failed"
    assert error.message == "looking at Beams: the event source on_beam failed: KeyError: 'colour'"
    assert str(error.location).endswith("raise error") and "test_sources.py, line " in str(error.location)


def test_an_answer_without_words_names_what_was_asked_for(connection, name, beams):
    from botocore.exceptions import ClientError

    class Silent(Lamp):
        def read(self, aws):
            raise ClientError({"Error": {"Code": "400", "Message": ""}}, "GetLamp")

    class Dark(Beams):
        def resources(self, options, function):
            return [Silent(options["topic"])]

    beams(Dark)
    with pytest.raises(AWSError) as caught:
        plan(app(name, handler("mail", beam(name))), connection)
    assert caught.value.message.startswith(f"reading lamp {name}: AWS says 400: ")
    assert "GetLamp" in caught.value.message


def test_a_resource_declares_its_services_own_codes_and_words(connection, name, beams):
    from botocore.exceptions import ClientError

    tried = []

    class Busy(Lamp):
        transient_codes = frozenset({"LampIsWarmException"})
        transient_words = ("the lamp is cold",)
        repeatable = frozenset({"PutLamp"})

        def read(self, aws):
            with or_missing("NoSuchLampException"):
                if not tried:
                    raise ClientError({"Error": {"Code": "NoSuchLampException"}}, "GetLamp")
                return super().read(aws)
            return None

        def write(self, aws, current):
            tried.append(1)
            if len(tried) == 1:
                raise ClientError({"Error": {"Code": "LampIsWarmException"}}, "PutLamp")
            if len(tried) == 2:
                raise ClientError({"Error": {"Code": "Invalid", "Message": "Parameter: the lamp is cold"}}, "PutLamp")
            super().write(aws, current)

    class BusyBeams(Beams):
        def resources(self, options, function):
            return [Busy(options["topic"])]

    beams(BusyBeams)
    deploy(app(name, handler("mail", beam(name))), connection)
    assert len(tried) == 3 and Lamp(name).read(connection)
    from nbchalice.resources.base import REPEATABLE_BESIDE

    assert "PutLamp" in REPEATABLE_BESIDE
