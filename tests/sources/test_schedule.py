"""Schedules on the local AWS: rules, EventBridge Scheduler, and the way between them."""

from datetime import UTC, datetime, timedelta

import pytest

from nbchalice.resources.base import FunctionRef
from nbchalice.runtime.schedules import At
from nbchalice.sources import SOURCES

from ..roles import BY_SCHEDULER, make_role


def rule_of(one):
    return one.aws.client("events").describe_rule(Name=f"{one.name}-dev-price-event")


def schedule_of(one):
    return one.aws.client("scheduler").get_schedule(Name=f"{one.name}-dev-price-event")


def test_a_rule_has_description_state_and_constant_input(deployed):
    one = deployed(
        "@app.schedule('rate(1 hour)', description='hourly', enabled=False, input={'a': 1})",
        "print('got', event.to_dict())",
    )
    rule = rule_of(one)
    assert (rule["ScheduleExpression"], rule["Description"], rule["State"]) == ("rate(1 hour)", "hourly", "DISABLED")
    assert one.changes() == []
    result = one.send()
    assert result.ok and [record.message for record in result.invocation.records] == ["got {'a': 1}"]
    assert one.change("@app.schedule('rate(2 hours)')").changes() == [("update", "function"), ("update", "rule")]
    assert (rule_of(one)["State"], rule_of(one).get("Description", "")) == ("ENABLED", "")
    targets = one.aws.client("events").list_targets_by_rule(Rule=f"{one.name}-dev-price-event")["Targets"]
    assert [target.get("Input") for target in targets] == [None]


def test_a_time_zone_goes_to_scheduler_and_back(deployed):
    one = deployed(
        "@app.schedule('cron(0 9 ? * MON-FRI *)', timezone='Europe/Vienna', flexible_window=15, description='morning')"
    )
    made = schedule_of(one)
    assert made["ScheduleExpressionTimezone"] == "Europe/Vienna"
    assert made["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    role = one.aws.client("iam").get_role_policy(RoleName=f"{one.name}-dev-price-event", PolicyName="nbchalice")
    assert role["PolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": one.ref.arn}
    ]
    trust = one.aws.client("iam").get_role(RoleName=f"{one.name}-dev-price-event")["Role"]["AssumeRolePolicyDocument"][
        "Statement"
    ][0]
    assert (
        trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
        and trust["Condition"]["StringEquals"]["aws:SourceAccount"] == one.aws.account
    )
    assert one.changes() == []
    one.change("@app.schedule('cron(0 9 ? * MON-FRI *)')")
    done = one.changes()
    assert ("create", "rule") in done and ("delete", "schedule") in done and ("delete", "scheduler role") in done
    one.change("@app.schedule('cron(0 9 ? * MON-FRI *)', timezone='UTC')")
    done = one.changes()
    assert ("delete", "rule") in done and ("create", "schedule") in done


def test_a_delete_leaves_nothing_of_a_schedule(deployed):
    one = deployed("@app.schedule('at(2031-01-01T09:00:00)', timezone='Europe/Vienna')")
    one.delete()
    with pytest.raises(one.aws.client("scheduler").exceptions.ResourceNotFoundException):
        schedule_of(one)
    roles = one.aws.client("iam").list_roles(PathPrefix=f"/nbchalice-scheduler/{one.name}/")["Roles"]
    assert roles == []


def test_a_single_moment_fires_once(deployable):
    from nbchalice.logs.tail import recent

    moment = At((datetime.now(UTC) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S"))
    one = deployable(f"@app.schedule('{moment}')", "print('fired', event.source, event.detail_type)")
    one.deploy()
    seen = []
    while not seen:
        seen = [i for i in recent(one.aws, one.ref.name) if i.finished]
    assert [record.message for record in seen[0].records] == ["fired aws.scheduler Scheduled Event"]
    assert one.changes() == []


def test_a_foreign_schedule_of_the_name_is_left_alone(deployable):
    one = deployable("@app.schedule('at(2031-01-01T09:00:00)')")
    foreign = {
        "Arn": "arn:aws:lambda:us-east-1:000000000000:function:other",
        "RoleArn": make_role(one.aws.client("iam"), "other", trust=BY_SCHEDULER),
    }
    client = one.aws.client("scheduler")
    client.create_schedule(
        Name=f"{one.name}-dev-price-event",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=foreign,
    )
    with pytest.raises(Exception, match="exists and invokes arn:aws:lambda:us-east-1:000000000000:function:other"):
        one.deploy()
    assert schedule_of(one)["Target"]["Arn"] == foreign["Arn"]
    client.delete_schedule(Name=f"{one.name}-dev-price-event")


def test_several_schedules_on_one_function_are_several_rules(deployed):
    one = deployed(
        "@app.schedule('rate(1 hour)')\n@app.schedule('rate(2 hours)')\n@app.schedule('at(2031-01-01T09:00:00)')"
    )
    names = {
        rule["Name"] for rule in one.aws.client("events").list_rules(NamePrefix=f"{one.name}-dev-price-event")["Rules"]
    }
    assert len(names) == 2
    assert one.changes() == []
    one.change("@app.schedule('rate(1 hour)')").deploy()
    left = one.aws.client("events").list_rules(NamePrefix=f"{one.name}-dev-price-event")["Rules"]
    assert [rule["Name"] for rule in left] == [f"{one.name}-dev-price-event"]


def test_a_name_that_eventbridge_would_refuse_is_told_before_anything_is_made(deployable, no_writes):
    one = deployable("@app.schedule('rate(1 hour)')")
    one.name = "n" * 54
    with no_writes(), pytest.raises(Exception, match="its rule has 70 letters; EventBridge takes 64"):
        one.deploy()


def test_the_notes_tell_the_next_runs_in_local_time(registered):
    cron = registered(lambda app: app.schedule("cron(0 9 ? * MON-FRI *)", timezone="Europe/Vienna", flexible_window=10))
    note = cron.notes()[0]
    assert note.startswith("fires next: ") and note.count(":") == 6 and note.endswith("each up to 10 min later")
    assert registered(lambda app: app.schedule("rate(1 hour)")).notes() == ["fires every hour, counted from the deploy"]
    assert registered(lambda app: app.schedule("rate(1 hour)", enabled=False)).notes() == ["disabled: it does not fire"]
    past = registered(lambda app: app.schedule("at(2020-01-01T00:00:00)"))
    assert past.notes() == ["its time has passed: it does not fire"] and past.problems() == []


def test_attached_finds_rules_and_schedules_by_the_functions_policy():
    ref = FunctionRef("shop", "dev", "price", "us-east-1", "123456789012")

    def statement(principal, arn):
        return {
            "Sid": "nbchalice-x",
            "Principal": {"Service": principal},
            "Condition": {"ArnLike": {"AWS:SourceArn": arn}},
        }

    policy = [
        statement("events.amazonaws.com", ref.arn_of("events", "rule/shop-dev-price-event")),
        statement("events.amazonaws.com", ref.arn_of("events", "rule/shop-dev-price-event-3")),
        statement("events.amazonaws.com", ref.arn_of("events", "rule/somebody-else")),
        statement("scheduler.amazonaws.com", ref.arn_of("scheduler", "schedule/default/shop-dev-price-event-2")),
    ]
    found = SOURCES["schedule"].attached(ref, policy, [])
    assert [(r.kind, r.name) for r in found] == [
        ("rule", "shop-dev-price-event"),
        ("rule", "shop-dev-price-event-3"),
        ("schedule", "shop-dev-price-event-2"),
        ("scheduler role", "shop-dev-price-event-2"),
    ]
