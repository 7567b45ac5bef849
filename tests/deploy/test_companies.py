"""Accounts with rules: boundaries, paths and tags that are demanded, and people who may not list or make roles."""

import json

import pytest

from nbchalice.deploy import engine
from nbchalice.errors import NbChaliceError

from ..roles import BY_BOTH, make_role
from .harness import app, deploy, handler, plan, s3, schedule, sns, sqs, unique
from .test_passing import Refusing

BOUNDARY = "arn:aws:iam::000000000000:policy/limit"
DENIED = ("AccessDenied", 403, "User: arn:aws:iam::000000000000:user/ann is not authorized to perform this")


def whole(name, place, **settings):
    return app(
        name,
        handler("tick", schedule("cron(0 9 ? * * *)", timezone="Europe/Vienna"), **settings),
        handler("hourly", schedule("rate(1 hour)"), **settings),
        handler("ingest", s3(place.bucket, prefix=f"{name}/"), **settings),
        handler("announce", sns(place.topic), **settings),
        handler("price", sqs(place.queue), **settings),
    )


@pytest.fixture
def boundary(connection):
    iam, name = connection.client("iam"), unique("limit")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]


def roles(connection, name, path="/"):
    listed = connection.client("iam").list_roles(PathPrefix=path, MaxItems=1000)["Roles"]
    own = [role["RoleName"] for role in listed if role["RoleName"].startswith(f"{name}-dev-")]
    return {role: connection.client("iam").get_role(RoleName=role)["Role"] for role in own}


def test_all_roles_have_the_boundary_path_and_tags_that_are_asked_for(connection, place, name, boundary):
    made = whole(name, place, permissions_boundary=boundary, role_path="/team/", tag={"CostCenter": "42"})
    deploy(made, connection)
    standing = roles(connection, name, "/team/")
    assert set(standing) == {
        f"{name}-dev-{one}" for one in ("tick", "hourly", "ingest", "announce", "price", "tick-event")
    }
    for role in standing.values():
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
        assert {tag["Key"]: tag["Value"] for tag in role["Tags"]}["CostCenter"] == "42"
    assert plan(made, connection).changes == ()
    engine.delete(made, connection)
    assert roles(connection, name) == {}


def test_a_boundary_that_is_asked_for_later_is_put(connection, place, name, boundary):
    deploy(whole(name, place), connection)
    made = whole(name, place, permissions_boundary=boundary)
    changes = [str(change) for change in plan(made, connection).changes]
    assert len(changes) == 6 and all("its permissions boundary" in change for change in changes)
    deploy(made, connection)
    assert {role["PermissionsBoundary"]["PermissionsBoundaryArn"] for role in roles(connection, name).values()} == {
        boundary
    }
    assert plan(made, connection).changes == ()
    assert plan(whole(name, place), connection).changes == ()  # one that is not asked for stays


def test_another_path_of_a_role_that_stands_is_refused(connection, place, name):
    deploy(app(name, handler("price", sqs(place.queue))), connection)
    with pytest.raises(NbChaliceError, match="stands under the path"):
        plan(app(name, handler("price", sqs(place.queue), role_path="/team/")), connection)


def test_a_handler_that_is_gone_is_found_under_the_path(connection, place, name):
    both = [handler("price", sqs(place.queue), role_path="/team/"), handler("old", schedule(), role_path="/team/")]
    deploy(app(name, *both), connection)
    made = app(name, both[0])
    assert plan(made, connection).orphans == ("old",)
    engine.delete(made, connection)
    assert roles(connection, name) == {}


def test_tags_reach_all_that_takes_tags(connection, place, name):
    made = whole(name, place, tag={"CostCenter": "42"})
    deploy(made, connection)
    client, tags = connection.client, {}
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-dev-price")["logGroups"]
    tags["log group"] = client("logs").list_tags_for_resource(resourceArn=group["arn"].removesuffix(":*"))["tags"]
    rule = client("events").describe_rule(Name=f"{name}-dev-hourly-event")["Arn"]
    tags["rule"] = {t["Key"]: t["Value"] for t in client("events").list_tags_for_resource(ResourceARN=rule)["Tags"]}
    function = client("lambda").get_function(FunctionName=f"{name}-dev-price")
    tags["function"] = function["Tags"]
    (mapping,) = client("lambda").list_event_source_mappings(FunctionName=f"{name}-dev-price")["EventSourceMappings"]
    tags["mapping"] = client("lambda").list_tags(Resource=mapping["EventSourceMappingArn"])["Tags"]
    assert {what for what, found in tags.items() if found.get("CostCenter") != "42"} == set()
    assert plan(made, connection).changes == ()


LISTS = ("ListRoles", "ListLayers", "DescribeLogGroups")
MAKES = ("CreateRole", "PutRolePolicy", "GetRole", "CreateLogGroup")


def test_with_a_role_of_their_own_people_need_neither_list_nor_make_roles(connection, place, name, local_aws):
    arn = make_role(connection.client("iam"), f"{name}-own", trust=BY_BOTH)
    denying = Refusing(local_aws, dict.fromkeys([*LISTS, *MAKES], DENIED), times=1_000_000)
    made = whole(name, place, role=arn)
    done = deploy(made, denying.aws)
    told = "\n".join(done.plan.notes)
    assert "roles of handlers that are gone were not looked for: AWS denies iam:ListRoles" in told
    assert "layers of handlers that are gone were not looked for: AWS denies lambda:ListLayers" in told
    assert told.count("log groups stay as they are: AWS denies logs:DescribeLogGroups") == 1
    assert not set(MAKES) & set(denying.calls)
    (tick,) = (handler for handler in made.handlers if handler.name == "tick")
    ((source, options),) = tick.sources()
    assert f"{arn} must let scheduler.amazonaws.com take it, too" in source.notes(options, {"role": arn})[1]
    schedules = connection.client("scheduler")
    assert schedules.get_schedule(Name=f"{name}-dev-tick-event")["Target"]["RoleArn"] == arn
    assert plan(made, denying.aws).changes == ()
    engine.delete(made, connection)


def test_what_may_not_be_listed_is_not_taken_for_absent(connection, place, name, local_aws):
    made = whole(name, place)
    deploy(made, connection)
    denying = Refusing(local_aws, {"ListRoles": DENIED}, times=1_000_000)
    assert plan(made, denying.aws).changes == ()


def tagged(connection, name):
    """The user's tags of all that stands of an app, by what it is and its name."""
    client, found = connection.client, {}
    for group in client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-dev-")["logGroups"]:
        arn = group["arn"].removesuffix(":*")
        found["log group", group["logGroupName"]] = client("logs").list_tags_for_resource(resourceArn=arn)["tags"]
    for rule in client("events").list_rules(NamePrefix=f"{name}-dev-")["Rules"]:
        tags = client("events").list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
        found["rule", rule["Name"]] = {tag["Key"]: tag["Value"] for tag in tags}
    for role, standing in roles(connection, name).items():
        found["role", role] = {tag["Key"]: tag["Value"] for tag in standing.get("Tags", [])}
    for handler_name in ("tick", "hourly", "ingest", "announce", "price"):
        function = f"{name}-dev-{handler_name}"
        found["function", function] = client("lambda").get_function(FunctionName=function)["Tags"]
        for mapping in client("lambda").list_event_source_mappings(FunctionName=function)["EventSourceMappings"]:
            tags = client("lambda").list_tags(Resource=mapping["EventSourceMappingArn"])["Tags"]
            found["event source mapping", function] = tags
    return found


def test_tags_that_come_or_change_later_reach_all_that_takes_tags(connection, place, name):
    deploy(whole(name, place), connection)
    before = tagged(connection, name)
    assert {kind for kind, _ in before} == {"log group", "rule", "role", "function", "event source mapping"}
    for value in ("42", "43"):
        made = whole(name, place, tag={"CostCenter": value})
        told = [change for change in plan(made, connection).changes if "tags CostCenter" in change.reason]
        assert len(told) == len(before)
        deploy(made, connection)
        after = tagged(connection, name)
        assert {key for key, tags in after.items() if tags.get("CostCenter") != value} == set()
        assert all(before[key].items() <= after[key].items() for key in before if key[0] != "function")
        assert plan(made, connection).changes == ()


def test_tags_that_others_set_on_a_rule_stay_when_it_changes(connection, name):
    """EventBridge ignores the tags in PutRule of a rule that stands."""
    deploy(app(name, handler("tick", schedule("rate(1 hour)"))), connection)
    client = connection.client("events")
    arn = client.describe_rule(Name=f"{name}-dev-tick-event")["Arn"]
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "audited", "Value": "yes"}])
    deploy(app(name, handler("tick", schedule("rate(2 hours)"))), connection)
    assert {"Key": "audited", "Value": "yes"} in client.list_tags_for_resource(ResourceARN=arn)["Tags"]


def test_tags_that_others_set_stay(connection, place, name):
    made = app(name, handler("price", sqs(place.queue), tag={"CostCenter": "42"}))
    deploy(made, connection)
    connection.client("iam").tag_role(RoleName=f"{name}-dev-price", Tags=[{"Key": "audited", "Value": "yes"}])
    assert plan(made, connection).changes == ()


def test_a_tag_that_is_taken_out_goes_from_the_function_only(connection, place, name):
    deploy(whole(name, place, tag={"CostCenter": "42"}), connection)
    deploy(whole(name, place), connection)
    left = {kind for (kind, _), tags in tagged(connection, name).items() if "CostCenter" in tags}
    assert left == {"log group", "rule", "role", "event source mapping"}
    assert plan(whole(name, place), connection).changes == ()


def test_who_may_not_read_tags_is_told_once_for_each_kind(connection, place, name, local_aws):
    made = whole(name, place, tag={"CostCenter": "42"})
    deploy(made, connection)
    denying = Refusing(local_aws, dict.fromkeys(["ListTagsForResource", "ListTags"], DENIED), times=1_000_000)
    planned = plan(made, denying.aws)
    assert planned.changes == ()
    assert [note for note in planned.notes if "AWS denies" in note] == [
        "tags of log groups are not compared: AWS denies logs:ListTagsForResource",
        "tags of rules are not compared: AWS denies events:ListTagsForResource",
        "tags of mappings are not compared: AWS denies lambda:ListTags",
    ]


def test_without_tags_of_ones_own_nobody_asks_for_them(connection, place, name):
    made = whole(name, place)
    deploy(made, connection)
    before = len(connection.calls)
    plan(made, connection)
    asked = {operation for _, operation in connection.calls[before:]}
    assert not asked & {"ListTagsForResource", "ListTags"}


def test_the_same_denial_is_told_once(connection, place, name, local_aws):
    text = f"User: arn:aws:iam::000000000000:user/ann is not authorized to perform: iam:CreateRole on resource: role {name}"
    denying = Refusing(local_aws, {"CreateRole": ("AccessDenied", 403, text)}, times=1_000_000)
    with pytest.raises(NbChaliceError) as stopped:
        deploy(whole(name, place), denying.aws)
    message = stopped.value.message
    assert message.count("not authorized to perform: iam:CreateRole") == 1
    assert denying.calls["CreateRole"] == 1 or "; so with create role " in message
    engine.delete(whole(name, place), connection)
