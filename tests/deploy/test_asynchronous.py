"""How often Lambda tries asynchronous events, and for how long."""

import pytest

from nbchalice.deploy import engine

from .harness import app, arn, deploy, handler, plan, schedule


def tick(name, **settings):
    return app(name, handler("tick", schedule(), **settings))


def standing(connection, name):
    client = connection.client("lambda")
    try:
        answer = client.get_function_event_invoke_config(FunctionName=f"{name}-dev-tick")
    except client.exceptions.ResourceNotFoundException:
        return None
    found = {name: answer.get(name) for name in ("MaximumRetryAttempts", "MaximumEventAgeInSeconds")}
    return {**found, "to": (answer.get("DestinationConfig", {}).get("OnFailure") or {}).get("Destination")}


def test_retries_and_age_are_set_changed_and_repaired(connection, name):
    made = tick(name, retries=0, max_age=60)
    assert ("create", "event invoke config") in {(c.action, c.resource.kind) for c in deploy(made, connection).changes}
    assert standing(connection, name) == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60, "to": None}
    assert plan(made, connection).changes == ()
    (change,) = plan(tick(name, retries=1, max_age=60), connection).changes
    assert change.reason == "MaximumRetryAttempts: 0 -> 1"
    connection.client("lambda").put_function_event_invoke_config(
        FunctionName=f"{name}-dev-tick", MaximumRetryAttempts=0, MaximumEventAgeInSeconds=3600
    )
    (change,) = deploy(made, connection).changes
    assert change.reason == "MaximumEventAgeInSeconds: 3600 -> 60"
    assert standing(connection, name) == {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60, "to": None}
    engine.delete(made, connection)
    assert standing(connection, name) is None


def test_they_stand_beside_a_destination(connection, name):
    to = arn("sqs", f"{name}-failed")
    made = tick(name, retries=0, on_failure=f"{name}-failed")
    deploy(made, connection)
    assert (standing(connection, name)["MaximumRetryAttempts"], standing(connection, name)["to"]) == (0, to)
    assert plan(made, connection).changes == ()
    deploy(tick(name, retries=0), connection)
    assert (standing(connection, name)["MaximumRetryAttempts"], standing(connection, name)["to"]) == (0, None)
    assert plan(tick(name), connection).changes == ()  # what is not asked for stays


def test_where_only_a_destination_stood_nothing_is_left_of_it(connection, name):
    """Lambda tells of tries and age only what was set."""
    deploy(tick(name, on_failure=f"{name}-failed"), connection)
    to = arn("sqs", f"{name}-failed")
    assert standing(connection, name) == {"MaximumRetryAttempts": None, "MaximumEventAgeInSeconds": None, "to": to}
    deploy(tick(name), connection)
    assert standing(connection, name) is None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"retries": 3}, "retries is 0 to 2, not 3"),
        ({"max_age": 59}, "max_age is 60 to 21600, not 59"),
        ({"retries": "1"}, "retries wants a whole number"),
    ],
)
def test_what_lambda_would_refuse_is_refused(settings, words):
    (wrong,) = tick("app", **settings).handlers[0].problems()
    assert words in wrong.message
