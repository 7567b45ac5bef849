"""EventBridge events of a bus of one's own: the rule, its permission and what send puts are on that bus."""

import pytest

from nbchalice.sources import SOURCES
from nbchalice.testing.model import ACCOUNT, REGION, ModelAWS

SOURCE = SOURCES["on_cw_event"]


def rules(one, bus):
    found = one.aws.client("events").list_rules(EventBusName=bus, NamePrefix=f"{one.name}-dev-")["Rules"]
    return [rule["Name"] for rule in found]


def options(**more):
    return {"event_pattern": {"source": ["shop"]}, "bus": None, **more}


def problems(bus, pattern=None):
    return SOURCE.problems(options(bus=bus, **({"event_pattern": pattern} if pattern else {})))


def test_events_of_a_bus_reach_the_handler_and_those_of_another_do_not(deployed, name):
    one = deployed(f"@app.on_cw_event({{'source': ['{name}']}}, bus='{name}')", "print(event.source)")
    assert one.plan().changes == ()
    sent = one.send()
    assert [record.message for record in sent.invocation.records] == [name]
    event = {"Source": name, "DetailType": "x", "Detail": "{}"}
    assert one.aws.client("events").put_events(Entries=[event])["FailedEntryCount"] == 0
    statement = one.aws.client("lambda").get_policy(FunctionName=one.ref.name)["Policy"]
    assert f":rule/{name}/{one.ref.name}-event" in statement
    one.delete()
    assert rules(one, name) == []
    assert one.aws.client("events").describe_event_bus(Name=name)["Name"] == name


def test_another_bus_moves_the_rule(deployed, name):
    one = deployed(f"@app.on_cw_event({{'source': ['{name}']}}, bus='{name}')")
    one.change(f"@app.on_cw_event({{'source': ['{name}']}})")
    assert {("create", "rule"), ("delete", "rule"), ("create", "permission"), ("delete", "permission")} <= set(
        one.changes()
    )
    assert (rules(one, name), rules(one, "default")) == ([], [f"{one.ref.name}-event"])
    assert one.plan().changes == ()


def test_drift_of_a_rule_on_a_bus_is_repaired(deployed, name):
    one = deployed(f"@app.on_cw_event({{'source': ['{name}']}}, bus='{name}')")
    one.aws.client("events").disable_rule(Name=f"{one.ref.name}-event", EventBusName=name)
    (change,) = one.plan().changes
    assert (change.resource.name, change.reason) == (f"{name}/{one.ref.name}-event", "state: DISABLED -> ENABLED")
    one.deploy()
    one.aws.client("events").remove_targets(Rule=f"{one.ref.name}-event", EventBusName=name, Ids=["1"])
    assert "its target is not the function" in str(one.plan().changes[0])
    one.deploy()
    assert one.plan().changes == ()


@pytest.mark.parametrize("bus", [None, "default", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"])
def test_the_default_bus_has_many_names(bus):
    from nbchalice.resources.base import FunctionRef

    ref = FunctionRef("app", "dev", "price", REGION, ACCOUNT)
    _, rule = SOURCE.resources(options(bus=bus), ref)
    assert rule.arn == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/app-dev-price-event"
    assert SOURCE.local_resources(options(bus=bus), ref) == []
    assert SOURCE.describe(options(bus=bus)) == "events of shop"


@pytest.mark.parametrize(
    "bus",
    ["orders", "aws.partner/example.com/acme/orders", "a.b-c_d", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/orders"],
)
def test_buses_that_there_may_be(bus):
    from nbchalice.resources.base import FunctionRef

    assert problems(bus) == []
    ref = FunctionRef("app", "dev", "price", REGION, ACCOUNT)
    permission, rule = SOURCE.resources(options(bus=bus), ref)
    name = bus.rpartition("event-bus/")[2]
    assert rule.arn == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}/app-dev-price-event"
    statement = permission.statement() | {"Sid": "nbchalice-events-1"}
    assert [one.key for one in SOURCE.attached(ref, [statement], [])] == [rule.key]
    aws = ModelAWS()
    rule.write(aws, None)
    rule.delete(aws, {"targets": [{"Id": "1"}]})
    assert {values["EventBusName"] for _, _, values in aws.calls} == {name} and len(aws.calls) == 4


@pytest.mark.parametrize("bus", ["", "a b", "ä", "arn:aws:sqs:eu-west-1:123456789012:orders", "x" * 257])
def test_what_is_no_bus_is_refused(bus):
    (text,) = problems(bus)
    assert text.startswith(f"--bus {bus!r} is not an event bus")


def test_a_bus_that_is_elsewhere_or_missing_is_refused_on_aws(real, name):
    from nbchalice.resources.base import FunctionRef

    ref = FunctionRef("app", "dev", "price", real.region, real.account)
    elsewhere = f"arn:aws:events:{real.region}:999999999999:event-bus/orders"
    (problem,) = SOURCE.preflight(real, options(bus=elsewhere), ref).problems
    assert "event bus orders is of account 999999999999" in problem.message
    (problem,) = SOURCE.preflight(real, options(bus=name), ref).problems
    assert problem.message == f"event bus {name} does not exist in {real.region}"
    assert problem.hint == f"aws events create-event-bus --name {name} --region {real.region}"
    real.client("events").create_event_bus(Name=name)
    assert SOURCE.preflight(real, options(bus=name), ref).problems == []


def test_events_of_aws_on_another_bus_are_told():
    (note,) = SOURCE.notes(options(bus="orders", event_pattern={"source": ["aws.ec2"]}), {})
    assert note.startswith("events of AWS come on the default bus")
    assert (
        SOURCE.notes(options(event_pattern={"source": ["aws.ec2"]}), {})
        == SOURCE.notes(options(bus="orders"), {})
        == []
    )


def test_an_event_that_the_bus_does_not_take_is_an_error(real):
    from nbchalice.errors import AWSError
    from nbchalice.resources.base import FunctionRef

    class Refusing(ModelAWS):
        def _new_client(self, service, region):
            from botocore.awsrequest import AWSResponse

            client = super()._new_client(service, region)
            told = {"Entries": [{"ErrorCode": "NotAuthorizedForBus", "ErrorMessage": "no"}], "FailedEntryCount": 1}
            client.meta.events.register_first("before-call", lambda **_: (AWSResponse("", 200, {}, None), told))
            return client

    with pytest.raises(AWSError, match="event bus orders did not take the event: AWS says NotAuthorizedForBus: no"):
        SOURCE.send(Refusing(), options(bus="orders"), FunctionRef("app", "dev", "price", REGION, ACCOUNT))
