"""Deploy, redeploy, edit, orphans, prune and delete, on the embedded AWS."""

from dataclasses import replace

import pytest

from nbchalice.aws.target import Connection
from nbchalice.deploy import engine
from nbchalice.errors import InvalidInputError, NbChaliceError, ProblemsError
from nbchalice.resources.function import wait_until_ready

from ..roles import TRUST
from .harness import (
    Foreign,
    app,
    comparable,
    deploy,
    four,
    handler,
    kinds,
    packages,
    plan,
    reasons,
    s3,
    schedule,
    snapshot,
    sns,
    sqs,
    unique,
    zipped,
)


def test_an_app_with_four_sources_stands_and_a_second_deploy_writes_nothing(connection, place, name):
    made = four(name, place)
    first = deploy(made, connection)
    assert {("create", kind) for kind in ("function", "role", "log group", "permission", "rule")} <= set(
        kinds(first.changes)
    )
    before = len(connection.writes)
    second = deploy(made, connection)
    assert second.changes == ()
    assert len(connection.writes) == before
    assert not any(function.changed for function in second.functions)
    assert plan(made, connection).changes == ()


def test_an_edit_changes_only_the_edited_function(connection, place, name):
    made = four(name, place)
    deploy(made, connection)
    edited = deploy(made, connection, code={"price": "2"})
    assert kinds(edited.changes) == [("update", "function")]
    assert reasons(edited.changes) == f"update function {name}-dev-price (code)"
    assert [function.handler for function in edited.functions if function.changed] == ["price"]
    assert deploy(made, connection, code={"price": "2"}).changes == ()


def test_delete_removes_all_that_the_app_owns_and_leaves_the_rest_byte_for_byte(connection, place, name):
    before = comparable(snapshot(connection, name, place))
    made = four(name, place)
    deploy(made, connection)
    assert comparable(snapshot(connection, name, place)) != before
    engine.delete(made, connection)
    assert comparable(snapshot(connection, name, place)) == before
    assert engine.delete(made, connection).changes == ()


def foreign_part(found, place, name):
    """What others have on queue, topic and bucket: everything without what bears the app's name."""

    def without(items):
        return [item for item in items if f"{name}-dev-" not in str(item)]

    part = found[f"place {place.bucket}"]
    notification = {
        kind: without(entries) if isinstance(entries, list) else entries
        for kind, entries in part["notification"].items()
    }
    return comparable(
        {
            **part,
            "notification": notification,
            "mappings": without(part["mappings"]),
            "subscriptions": without(part["subscriptions"]),
        }
    )


def test_foreign_entries_stay_through_deploy_edit_and_delete(connection, place, name):
    untouched = foreign_part(snapshot(connection, name, place), place, name)
    made = four(name, place)
    deploy(made, connection)
    assert foreign_part(snapshot(connection, name, place), place, name) == untouched
    edited = app(
        name,
        handler("ingest", s3(place.bucket, prefix="elsewhere/")),
        handler("announce", sns(place.topic, filter_policy={"kind": ["new"]})),
        handler("price", sqs(place.queue, batch_size=2)),
    )
    deploy(edited, connection, prune=True)
    assert foreign_part(snapshot(connection, name, place), place, name) == untouched
    engine.delete(edited, connection)
    assert foreign_part(snapshot(connection, name, place), place, name) == untouched


def test_an_orphan_is_reported_and_removed_only_when_asked(connection, place, name):
    made = four(name, place)
    deploy(made, connection)
    smaller = app(name, *made.handlers[1:])
    kept = deploy(smaller, connection)
    assert kept.plan.orphans == ("tick",)
    assert kept.changes == ()
    states = {h.name: h.state for h in engine.status(smaller, packages(smaller), connection).handlers}
    assert states == {"ingest": "deployed", "announce": "deployed", "price": "deployed", "tick": "orphaned"}
    pruned = deploy(smaller, connection, prune=True)
    assert {action for action, _ in kinds(pruned.changes)} == {"delete"}
    assert not any("tick" in key for key in snapshot(connection, name, place))
    assert deploy(smaller, connection, prune=True).changes == ()


def test_status_shows_every_handler_whatever_would_stop_a_deploy(connection, place, name):
    deploy(app(name, handler("tick", schedule())), connection)
    made = app(
        name,
        handler("tick", schedule()),
        handler("theirs", s3(place.bucket, prefix="l/in/")),
        handler("ours", s3(place.bucket, prefix="l/in/more/")),
        handler("wrong", sqs("no queue")),
        handler("x" * 64, sns(place.topic)),
    )
    found = engine.status(made, packages(made), connection)
    states = {h.name[:6]: (h.state, "; ".join(h.drift).partition(":")[0]) for h in found.handlers}
    assert states["tick"] == ("deployed", "")
    assert states["theirs"][0] == states["ours"][0] == "registered"
    assert states["wrong"] == states["xxxxxx"] == ("registered", "cannot be deployed")
    notes = "\n".join(found.notes)
    assert f"of theirs on bucket {place.bucket}: s3:ObjectCreated:* prefix 'l/in/' overlaps with" in notes
    assert f"s3:ObjectCreated:* prefix 'l/' of function {place.function}" in notes
    assert "handlers theirs and ours: " in notes
    with pytest.raises(InvalidInputError):
        deploy(made, connection)


def test_a_renamed_handler_moves_on_its_bucket_in_one_put(connection, place, name):
    deploy(app(name, handler("old", s3(place.bucket, prefix="in/"))), connection)
    renamed = app(name, handler("new", s3(place.bucket, prefix="in/")))
    with pytest.raises(InvalidInputError, match="overlaps") as refused:
        deploy(renamed, connection)
    assert "--prune" in refused.value.hint
    calls = len(connection.calls)
    deploy(renamed, connection, prune=True)
    puts = [call for call in connection.calls[calls:] if call == ("s3", "PutBucketNotificationConfiguration")]
    assert len(puts) == 1
    entries = snapshot(connection, name, place)[f"place {place.bucket}"]["notification"]["LambdaFunctionConfigurations"]
    assert [e["LambdaFunctionArn"].rsplit("-", 1)[-1] for e in entries if name in e["LambdaFunctionArn"]] == ["new"]


def test_two_handlers_swap_their_buckets(connection, name):
    one, two = Foreign(connection, unique("one")), Foreign(connection, unique("two"))

    def make(a, b):
        return app(name, handler("a", s3(a.bucket, prefix="x/")), handler("b", s3(b.bucket, prefix="x/")))

    deploy(make(one, two), connection)
    deploy(make(two, one), connection)
    swapped = comparable(snapshot(connection, name, one, two))
    assert deploy(make(two, one), connection).changes == ()
    engine.delete(make(two, one), connection)
    deploy(make(two, one), connection)
    assert comparable(snapshot(connection, name, one, two)) == swapped


@pytest.mark.parametrize("kind", ["function", "role"])
def test_what_another_owns_under_our_name_is_refused_before_any_write(connection, place, name, kind):
    taken = f"{name}-dev-price"
    if kind == "function":
        role = connection.client("iam").create_role(RoleName=f"{taken}-x", AssumeRolePolicyDocument=TRUST)["Role"][
            "Arn"
        ]
        connection.client("lambda").create_function(
            FunctionName=taken,
            Runtime="python3.11",
            Role=role,
            Handler="lambda_function.lambda_handler",
            Code={"ZipFile": zipped("def lambda_handler(event, context): pass\n")},
        )
    else:
        connection.client("iam").create_role(RoleName=taken, AssumeRolePolicyDocument=TRUST)
    before, writes = comparable(snapshot(connection, name, place)), len(connection.writes)
    with pytest.raises(NbChaliceError, match=f"{kind} .*{taken} exists and was not made by nbchalice"):
        deploy(four(name, place), connection)
    assert len(connection.writes) == writes
    engine.delete(four(name, place), connection)
    assert comparable(snapshot(connection, name, place)) == before


def test_a_log_group_that_was_there_before_is_used_and_never_deleted(connection, place, name):
    group = f"/aws/lambda/{name}-dev-price"
    connection.client("logs").create_log_group(logGroupName=group)
    before = comparable(snapshot(connection, name, place))
    deploy(four(name, place), connection)
    assert deploy(four(name, place), connection).changes == ()
    engine.delete(four(name, place), connection)
    assert comparable(snapshot(connection, name, place)) == before


def test_another_app_of_nbchalice_under_the_same_names_is_refused(connection):
    outer = unique()
    deploy(app(f"{outer}-dev", handler("price"), stage="x"), connection)
    clash = app(outer, handler("x-price"), stage="dev")
    assert clash.ref(connection, "x-price").name == f"{outer}-dev-x-price"
    with pytest.raises(ProblemsError) as refused:
        deploy(clash, connection)
    assert f"belongs to app {outer}-dev, stage x" in str(refused.value)


def test_the_same_app_in_another_region_would_share_roles_and_is_refused(connection, name):
    made = app(name, handler("price"))
    deploy(made, connection)
    target = replace(connection.target, region="eu-west-1")
    elsewhere = Connection(target, lambda service, region: connection._new_client(service, region))
    with pytest.raises(InvalidInputError, match="is that of the same app in us-east-1; IAM has one role") as refused:
        deploy(made, elsewhere)
    assert "another name for the app, stage" in refused.value.hint
    assert elsewhere.writes == []
    other = app(name, handler("price"), stage="eu")
    deploy(other, elsewhere)
    assert deploy(other, elsewhere).changes == ()
    engine.delete(other, elsewhere)
    assert deploy(made, connection).changes == ()


def test_a_handler_that_takes_a_role_of_the_users_loses_its_own(connection, name):
    role = connection.client("iam").create_role(RoleName=f"{name}-own", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    deploy(app(name, handler("price")), connection)
    given = app(name, handler("price", role=role))
    changed = deploy(given, connection)
    assert kinds(changed.changes) == [("delete", "role"), ("update", "function")]
    assert deploy(given, connection).changes == ()
    deploy(app(name, handler("price")), connection)
    assert deploy(app(name, handler("price")), connection).changes == ()
    engine.delete(given, connection)
    assert snapshot(connection, name) == {}
    assert connection.client("iam").get_role(RoleName=f"{name}-own")


def test_several_schedules_on_several_functions(connection, name):
    made = app(
        name, handler("a", schedule("rate(1 hour)"), schedule("cron(0 9 ? * MON-FRI *)")), handler("b", schedule())
    )
    deploy(made, connection)
    assert deploy(made, connection).changes == ()
    fewer = app(name, handler("a", schedule("rate(1 hour)")), handler("b", schedule()))
    assert kinds(deploy(fewer, connection).changes) == [("delete", "permission"), ("delete", "rule")]
    engine.delete(fewer, connection)
    assert snapshot(connection, name) == {}


def test_who_was_told_that_a_function_is_ready_does_not_ask(connection, name):
    client, calls = connection.client("lambda"), len(connection.calls)
    told = {"State": "Active", "LastUpdateStatus": "Successful"}
    assert wait_until_ready(client, name, told) == told
    assert len(connection.calls) == calls
